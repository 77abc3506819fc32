"""What the process of a proof works through: a folder with ``job.json``, which knows no database.

It says what it does as JSON lines:

    {"event": "phase", "phase": "writing" | "measuring"}
    {"event": "text", "side": "before" | "after", "place": 3, "text": "…", "tokens": 180, "ended": true}
    {"event": "losses", "side": "before" | "after", "nats": [231.4, …], "tokens": [98, …]}
    {"event": "note", "text": "…"}
    {"event": "done"} or {"event": "error", "message": "…", "kind": "home" | "refused" | "unexpected"}
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Side = Literal["before", "after"]
SIDES: tuple[Side, Side] = ("before", "after")


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt as the models are asked. ``place`` counts from 0; the prompts of one batch are written together, with
    one seed for both models. ``max_tokens`` is the longest answer."""

    place: int
    prompt: str
    genre: str
    element: str
    source: Literal["held_out", "shipped"]
    seed: int
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Held:
    """A text of the writer's that neither model was trained on, with the prompt that it answers."""

    prompt: str
    text: str
    own: bool


@dataclass(frozen=True, slots=True)
class Job:
    """``base`` is the folder of the base model; ``before`` and ``after`` are adapter folders, empty for the base model
    itself. ``written`` names texts ("before:3") that are there from an earlier attempt: they are not written again.
    ``max_length`` is tokens of a window for measuring."""

    base: str
    before: str
    after: str
    asked: list[Asked]
    held: list[Held]
    written: list[str] = field(default_factory=list)
    measured: list[Side] = field(default_factory=list)
    batch_size: int = 8
    max_length: int = 512
    temperature: float = 0.8
    top_p: float = 0.95
    repetition_penalty: float = 1.0


def write_job(folder: Path, job: Job) -> None:
    """Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.json").write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")


def read_job(folder: Path) -> Job:
    found = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    found["asked"] = [Asked(**one) for one in found["asked"]]
    found["held"] = [Held(**one) for one in found["held"]]
    return Job(**found)
