"""After the last step: what the best adapter is worth, and its folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from zega_core.errors import InvalidInput
from zega_core.fine_tune import adapter, base, batches, checkpoint
from zega_core.fine_tune.checkpoint import Tensors
from zega_core.fine_tune.measure import perplexity
from zega_core.fine_tune.plan import Result, Row
from zega_core.fine_tune.setup import Training

FEWEST_OWN = 3
"""Held-out texts of the writer's own on which alone a version is measured; with fewer all held-out texts count."""


def finish(work: Training, rows: Sequence[Row]) -> None:
    """Measure, then publish ``version/`` complete. Raises InvalidInput or HomeError."""
    work.tell({"event": "phase", "phase": "measuring"})
    work.team.first(0.0)  # the best adapter is on the disk
    progress = work.progress
    if work.validation:
        best = checkpoint.load_best(work.folder, progress.best_step)
    else:
        best, progress.best_step = adapter.weights(work.compute.model), progress.step
    _tell_how_it_went(work)
    result = _measured(work, rows, best)
    work.tell({"event": "phase", "phase": "saving"})
    if work.team.speaks:
        _publish(work, best, result)
    work.team.first(0.0)  # the version is


def _tell_how_it_went(work: Training) -> None:
    progress = work.progress
    if progress.ended == "diverged":
        work.note("The numbers grew beyond all bounds, so training ended there. The best state before that was kept.")
    if work.validation and progress.best_step == 0:
        work.note("Training did not come closer to the texts kept for checking.")


def _measured(work: Training, rows: Sequence[Row], best: Tensors) -> Result:
    progress, plan, model = work.progress, work.plan, work.compute.model
    held_out = [replace(row, weight=1.0) for row in rows if row.split == "held_out"]
    own = [row for row in held_out if row.own]
    chosen = own if len(own) >= FEWEST_OWN else held_out
    texts = batches.samples(chosen, work.tokenizer, work.window)
    size = progress.micro_batch
    with model.disable_adapter():
        bare = perplexity(work.compute, texts, size)
    before = bare
    if plan.in_use:
        try:
            with adapter.another(model, Path(plan.in_use), work.base_hash):
                before = perplexity(work.compute, texts, size)
        except InvalidInput as error:
            work.note(f"{error} The new version was compared with the base model instead.")
    adapter.set_weights(model, best)
    epoch = progress.losses[max(0, progress.best_step - work.schedule.per_epoch) : progress.best_step]
    return Result(
        steps=progress.step,
        best_step=progress.best_step,
        epochs=work.schedule.epoch(progress.step),
        tokens=progress.tokens,
        seconds=progress.seconds,
        tokens_per_second=progress.tokens / progress.seconds if progress.seconds else 0.0,
        train_loss=sum(epoch) / len(epoch) if epoch else None,
        validation_loss_before=progress.loss_before,
        validation_loss=progress.best_loss,
        perplexity_base=bare,
        perplexity_before=before,
        perplexity_after=perplexity(work.compute, texts, size),
        held_out_texts=len(chosen),
        held_out_own=chosen is own,
        precision=progress.precision,
        device=work.team.name,
        micro_batch=progress.micro_batch,
        parameters=base.describe(Path(plan.base)).parameters,
        trained_parameters=sum(one.numel() for one in work.parameters.values()),
        base_hash=work.base_hash,
        size_bytes=0,
        files={},
        stopped=progress.ended == "stopped",
        stopped_early=progress.ended == "early",
        notes=progress.notes,
    )


def _publish(work: Training, best: Tensors, result: Result) -> None:
    target = work.folder / "version"
    with checkpoint.room(target), checkpoint.building(target) as new:
        adapter.write(new, work.compute.model, best, work.plan.base_name)
        checkpoint.write(new / "data.jsonl", (work.folder / "data.jsonl").read_bytes())
        files = {path.name: base.file_hash(path) for path in sorted(new.iterdir())}
        size = sum(path.stat().st_size for path in new.iterdir())
        text = json.dumps(asdict(replace(result, files=files, size_bytes=size)), indent=1, ensure_ascii=False)
        checkpoint.write(new / "result.json", text.encode())
