"""What one fine-tune does, decided before it begins and kept beside its data: a folder that a process can work
through, be killed at, and go on with.

    {run}/plan.json        ``Plan``
    {run}/data.jsonl       one ``Row`` a line
    {run}/checkpoints/     step-000012/…, the newest two
    {run}/best/            the adapter with the lowest validation loss so far
    {run}/version/         the finished adapter with ``result.json``, complete or absent
    {run}/stop             exists when the writer asked to stop
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Split = Literal["train", "validation", "held_out"]
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Row:
    """One example as it is trained on. ``prompt`` is the request in the words that the model will be asked with.
    ``weight`` multiplies its tokens in the loss; 0 marks one that was learned before and is not learned again. ``own``
    marks the writer's own words."""

    example_id: int
    prompt: str
    completion: str
    weight: float
    split: Split
    own: bool
    source: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """``base`` is a folder with config.json, *.safetensors and a tokenizer; ``base_name`` what the writer called it.
    ``start`` is the adapter folder to go on from, empty for a fresh one; ``in_use`` that of the version
    in use, which the new one is measured against. ``batch_size`` is examples an optimizer step,
    of which ``micro_batch`` are computed at once. ``max_length`` is tokens of a window. Validation is measured
    ``evaluations`` times an epoch; training ends after ``patience`` of them without a lower loss. ``strength`` is the
    part of what was learned that the version keeps, above 0 to 1; None leaves it to ``fine_tune.strength``."""

    base: str
    base_name: str = ""
    start: str = ""
    in_use: str = ""
    parent: int | None = None
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: Sequence[str] = TARGETS
    learning_rate: float = 1e-3
    epochs: int = 10
    batch_size: int = 8
    micro_batch: int = 8
    max_length: int = 512
    evaluations: int = 1
    patience: int = 2
    seed: int = 1
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    checkpoint_seconds: float = 5.0
    strength: float | None = None
    data_hash: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. Losses are nats a token; perplexities are exp of that over the completions of the held-out
    texts (the writer's own where there are three or more), None where nothing is held out. ``before`` is the version in
    use (the base model where there is none that fits it), ``base`` the bare base model. ``files`` are SHA-256 by name.
    ``stopped`` means that the writer ended it early, ``stopped_early`` that the validation loss did. ``strength`` is
    the part of what was learned that was kept; the scores are mean quality scores (0 to 10) of the base, of the version
    at full strength and of the version, None where they were not needed."""

    steps: int
    best_step: int
    epochs: float
    tokens: int
    seconds: float
    tokens_per_second: float
    train_loss: float | None
    validation_loss_before: float | None
    validation_loss: float | None
    perplexity_base: float | None
    perplexity_before: float | None
    perplexity_after: float | None
    held_out_texts: int
    held_out_own: bool
    precision: str
    device: str
    micro_batch: int
    parameters: int
    trained_parameters: int
    base_hash: str
    size_bytes: int
    files: dict[str, str]
    stopped: bool = False
    stopped_early: bool = False
    strength: float = 1.0
    score_base: float | None = None
    score_full: float | None = None
    score: float | None = None
    notes: list[str] = field(default_factory=list)


def write_run(folder: Path, plan: Plan, rows: Sequence[Row]) -> None:
    """Lay out a run's folder; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    (folder / "data.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "plan.json").write_text(json.dumps(asdict(plan), indent=1, ensure_ascii=False), encoding="utf-8")


def read_plan(folder: Path) -> Plan:
    return Plan(**json.loads((folder / "plan.json").read_text(encoding="utf-8")))


def read_rows(folder: Path) -> Iterator[Row]:
    with (folder / "data.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield Row(**json.loads(line))


def read_result(folder: Path) -> Result:
    """Of a ``version`` folder."""
    return Result(**json.loads((folder / "result.json").read_text(encoding="utf-8")))
