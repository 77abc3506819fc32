"""After the last step: what the best adapter is worth, and its folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from zega_core.catalog import load_catalog
from zega_core.errors import InvalidInput
from zega_core.fine_tune import adapter, base, batches, checkpoint, generation, strength
from zega_core.fine_tune.checkpoint import Tensors
from zega_core.fine_tune.measure import fitting, perplexity
from zega_core.fine_tune.plan import Result, Row
from zega_core.fine_tune.setup import Training
from zega_core.fine_tune.strength import Strength

FEWEST_OWN = 3
"""Held-out texts of the writer's own on which alone a version is measured; with fewer all held-out texts count."""


def finish(work: Training, rows: Sequence[Row]) -> None:
    """Measure, then publish ``version/`` complete. Raises InvalidInput or HomeError."""
    work.team.first(0.0)  # the best adapter is on the disk
    progress = work.progress
    if work.validation:
        best = checkpoint.load_best(work.folder, progress.best_step)
    else:
        best, progress.best_step = adapter.weights(work.compute.model), progress.step
    _tell_how_it_went(work)
    kept = _kept(work, best)
    best = adapter.scaled(best, kept.value)
    work.tell({"event": "phase", "phase": "measuring"})
    result = replace(
        _measured(work, rows, best),
        strength=kept.value,
        score_base=kept.base,
        score_full=kept.full,
        score=kept.score,
    )
    work.tell({"event": "phase", "phase": "saving"})
    if work.team.speaks:
        _publish(work, best, result)
    work.team.first(0.0)  # the version is


def _kept(work: Training, best: Tensors) -> Strength:
    """How much of ``best`` the version keeps. The first process finds out, the others are told."""
    if work.plan.strength is not None or (work.validation and work.progress.best_step == 0):
        return Strength(work.plan.strength or 1.0)
    work.tell({"event": "phase", "phase": "trying"})
    found = Strength(1.0)
    if work.team.speaks:
        found = _strongest(work, best)
        if said := strength.in_words(found):
            work.note(said)
    return replace(found, value=round(work.team.first(found.value), 4))


def _strongest(work: Training, best: Tensors) -> Strength:
    model, asked = work.compute.model, strength.prompts(load_catalog(), work.plan.seed)
    context = base.describe(Path(work.plan.base)).context
    who = generation.author_of(model, work.tokenizer, context, work.team.device)
    size, stop = strength.BATCH, work.folder / "stop"
    asked_before = stop.exists()  # who ended the training early wants a version that can write all the same

    def write(part: float, some: Sequence[strength.Asked]) -> list[str]:
        nonlocal size
        if stop.exists() and not asked_before:
            raise _Stopped
        adapter.set_weights(model, adapter.scaled(best, part))
        texts, size = fitting(lambda fits: _texts(who, some, fits), size)
        return texts

    was_training = model.training
    model.eval()
    try:
        return strength.strongest(asked, write)
    except _Stopped:
        least = min(strength.STRENGTHS)
        work.note(f"You stopped it before it was known how much of what it learned to keep, so {least:.0%} is kept.")
        return Strength(least)
    finally:
        model.train(was_training)


class _Stopped(Exception):
    pass


def _texts(who: generation.Author, asked: Sequence[strength.Asked], size: int) -> list[str]:
    batches = [asked[at : at + size] for at in range(0, len(asked), size)]
    return [one.text for batch in batches for one in generation.write(who, batch, strength.Drawn())]


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
