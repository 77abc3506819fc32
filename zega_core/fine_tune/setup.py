"""What a fine-tune needs in memory before its first step, or before the next one after a checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from zega_core.errors import HomeError, InvalidInput
from zega_core.fine_tune import adapter, base, batches, checkpoint
from zega_core.fine_tune.batches import Sample, collate
from zega_core.fine_tune.checkpoint import Progress
from zega_core.fine_tune.measure import Compute, faster_in_bfloat16, fitting
from zega_core.fine_tune.plan import Plan, Row, read_plan, read_rows
from zega_core.fine_tune.schedule import Schedule
from zega_core.fine_tune.team import Team

Tell = Callable[[dict[str, Any]], None]
FEW_TOKENS = 32
"""After the prompt of one text: enough to see whether a processor can compute in bfloat16 at all."""


@dataclass(slots=True)
class Training:
    """One fine-tune under way in this process. ``window`` is in tokens; ``parameters`` are the adapter's, by name."""

    folder: Path
    plan: Plan
    tell: Tell
    compute: Compute
    tokenizer: Any
    base_hash: str
    window: int
    learn: list[Sample]
    validation: list[Sample]
    schedule: Schedule
    parameters: dict[str, torch.nn.Parameter]
    optimizer: torch.optim.AdamW
    progress: Progress
    save_after: float = 0.0
    """On ``time.monotonic``."""

    @property
    def team(self) -> Team:
        return self.compute.team

    def batch(self, step: int) -> list[int]:
        """Indexes of the samples that the step after ``step`` learns from."""
        epoch, position = divmod(step, self.schedule.per_epoch)
        lengths = [len(sample.tokens) for sample in self.learn]
        return batches.order(lengths, self.plan.batch_size, self.plan.seed, epoch)[position]

    def fits(self, size: int) -> None:
        """``size`` samples fit into memory; the writer is told where that is fewer than planned."""
        if size < self.progress.micro_batch:
            self.progress.micro_batch = size
            self.note(
                f"There was too little memory for more than {size} {'text' if size == 1 else 'texts'} at a time. "
                "Training takes a little longer for it and learns the same."
            )

    def note(self, text: str) -> None:
        self.progress.notes.append(text)
        self.tell({"event": "note", "text": text})


def prepare(folder: Path, tell: Tell, together: Team) -> tuple[Training, list[Row]]:
    """Load everything and put it where the last checkpoint stood. Raises InvalidInput or HomeError."""
    tell({"event": "phase", "phase": "loading"})
    plan, rows, run = _read(folder)
    place = Path(plan.base)
    base_hash = base.weights_hash(place)
    window = min(plan.max_length, base.describe(place, plan.base_name).context)
    model, tokenizer = base.load(place, dtype=torch.float32, device=together.device)
    model = adapter.attach(model, plan, base_hash).train()
    learn, validation = (
        batches.samples([row for row in rows if row.split == split], tokenizer, window)
        for split in ("train", "validation")
    )
    if not learn:
        raise InvalidInput("There is no text to learn from. Keep some examples, then train again.")
    named = adapter.trained(model)
    optimizer = torch.optim.AdamW(named.values(), lr=plan.learning_rate, weight_decay=0.0, fused=True)
    progress, tensors, note = checkpoint.newest(folder, run)
    work = Training(
        folder=folder,
        plan=plan,
        tell=tell,
        compute=Compute(model, together),
        tokenizer=tokenizer,
        base_hash=base_hash,
        window=window,
        learn=learn,
        validation=validation,
        schedule=Schedule(plan, -(-len(learn) // plan.batch_size)),
        parameters=named,
        optimizer=optimizer,
        progress=progress or Progress(run, max(1, min(plan.micro_batch, plan.batch_size))),
    )
    if note:
        work.note(note)
    if progress:
        checkpoint.restore(named, optimizer, tensors)
    else:
        _choose_precision(work)
    work.compute.bfloat16 = work.progress.precision == "bfloat16"
    return work, rows


def _read(folder: Path) -> tuple[Plan, list[Row], str]:
    try:
        run = hashlib.sha256((folder / "plan.json").read_bytes() + (folder / "data.jsonl").read_bytes()).hexdigest()
        return read_plan(folder), list(read_rows(folder)), run
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise HomeError("What this fine-tune was to learn from cannot be read any more. Start a new one.") from error


def _choose_precision(work: Training) -> None:
    """As planned, or whichever is faster on the first batch. It is decided once and kept in the checkpoint."""
    precision = work.plan.precision
    if precision == "auto":
        batch = [work.learn[index] for index in work.batch(0)]
        short = min(batch, key=lambda sample: sample.first)
        few = collate([replace(short, tokens=short.tokens[: short.first + FEW_TOKENS])], work.team.device)

        def measured(size: int) -> bool:
            return faster_in_bfloat16(work.compute, few, collate(batch[:size], work.team.device))

        faster, size = fitting(measured, work.progress.micro_batch)
        work.fits(size)
        precision = "bfloat16" if work.team.first(faster) else "float32"
    work.progress.precision = precision
