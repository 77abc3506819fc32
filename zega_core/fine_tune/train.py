"""One fine-tune, from a folder with a plan and rows to a finished version in it. It can be killed at any moment and
goes on, bit for bit, from its last checkpoint (``checkpoint``); what it does is told as events (``tell``)."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from zega_core.errors import InvalidInput
from zega_core.fine_tune import adapter, checkpoint, finish
from zega_core.fine_tune.batches import Sample, collate
from zega_core.fine_tune.measure import fitting
from zega_core.fine_tune.plan import Result, read_result
from zega_core.fine_tune.setup import Tell, Training, prepare
from zega_core.fine_tune.team import join

CLIP = 1.0
"""Length to which a gradient is cut."""
SAVING_SHARE = 20
"""Checkpoints are written so seldom that they take at most one part in this many of the time."""


def train(folder: Path, tell: Tell, *, device: str | None = None) -> Result:
    """Work through ``folder`` (laid out as ``plan`` says) and return what came of it; once finished, that again.
    ``device`` is what torch calls it; None takes a GPU where there is one. Raises InvalidInput for what the writer can
    change, HomeError for what the disk refuses."""
    version = folder / "version"
    if not version.is_dir():
        together = join(device)
        work, rows = prepare(folder, tell if together.speaks else _silent, together)
        _announce(work)
        work.tell({"event": "phase", "phase": "training"})
        _loop(work)
        finish.finish(work, rows)
        if not together.speaks:
            return read_result(version)
    result = read_result(version)
    tell({"event": "done", "result": asdict(result)})
    return result


def _silent(_: dict[str, object]) -> None:
    """What all but the first of several processes tell."""


def _announce(work: Training) -> None:
    progress = work.progress
    work.tell(
        {
            "event": "start",
            "steps": work.schedule.steps,
            "step": progress.step,
            "epochs": work.plan.epochs,
            "tokens": sum(len(sample.tokens) for sample in work.learn),
            "device": work.team.name,
            "precision": progress.precision,
            "trained_parameters": sum(one.numel() for one in work.parameters.values()),
            # Who listened before may have been killed before these were stored.
            "losses": progress.losses,
            "validations": progress.validations,
        }
    )


def _loop(work: Training) -> None:
    """Until ``progress.ended`` says why."""
    progress = work.progress
    if progress.ended == "stopped" and not work.team.first((work.folder / "stop").exists()):
        progress.ended = ""  # nothing came of it then, and Continue was pressed
    if work.validation and progress.loss_before is None and not progress.ended:
        _validate(work)
        _save(work)
    while not progress.ended:
        if progress.step >= work.schedule.steps:
            progress.ended = "steps"
        elif work.team.first((work.folder / "stop").exists()):
            _stop(work)
        elif not _step(work):
            progress.ended = "diverged"
        elif work.validation and work.schedule.evaluates(progress.step):
            _validate(work)
            _save(work)
        elif progress.step == 1 or time.monotonic() >= work.save_after:
            _save(work)
    if progress.ended == "diverged" and progress.best_step == 0:
        raise InvalidInput(
            "Training went wrong: the numbers grew beyond all bounds. Choose a lower learning rate, then train again."
        )
    _save(work)


def _stop(work: Training) -> None:
    """The writer asked to end: what was learned so far becomes the version, if it is of use."""
    progress = work.progress
    if progress.step == 0:
        raise InvalidInput("Training was stopped before its first step, so nothing was learned and no version made.")
    progress.ended = "stopped"
    if work.validation and progress.validated_step == 0:
        _validate(work)
        progress.ended = "stopped"


def _step(work: Training) -> bool:
    """One optimizer step; False, with nothing learned, if its loss is not finite."""
    progress, began = work.progress, time.perf_counter()
    batch = [work.learn[index] for index in work.batch(progress.step)]
    mass = sum(sample.mass for sample in batch)
    mine = batch[work.team.rank :: work.team.size]
    loss, size = fitting(lambda fits: _gradients(work, mine, mass, fits), progress.micro_batch)
    work.fits(size)
    work.team.add_gradients(list(work.parameters.values()))
    whole = float(work.team.sum(loss))
    norm = torch.nn.utils.clip_grad_norm_(work.parameters.values(), CLIP)
    if not math.isfinite(whole) or not math.isfinite(float(norm)):
        return False
    rate = work.schedule.rate(progress.step + 1)
    for group in work.optimizer.param_groups:
        group["lr"] = rate
    work.optimizer.step()
    seconds, tokens = time.perf_counter() - began, sum(len(sample.tokens) for sample in batch)
    progress.step += 1
    progress.seconds += seconds
    progress.tokens += tokens
    progress.losses.append(whole)
    work.tell(
        {
            "event": "step",
            "step": progress.step,
            "steps": work.schedule.steps,
            "epoch": work.schedule.epoch(progress.step),
            "loss": whole,
            "learning_rate": rate,
            "tokens_per_second": tokens / seconds,
            "seconds_left": progress.seconds / progress.step * (work.schedule.steps - progress.step),
        }
    )
    return True


def _gradients(work: Training, mine: Sequence[Sample], mass: float, size: int) -> torch.Tensor:
    """Those of this process's share of a batch whose trained tokens weigh ``mass`` together, ``size`` samples at once;
    returns its share of the loss. Called again, it does the same again, dropout included."""
    work.optimizer.zero_grad()
    torch.manual_seed((work.plan.seed * 1_000_003 + work.progress.step) * 1_009 + work.team.rank)
    total = torch.zeros((), device=work.team.device)
    for at in range(0, len(mine), size):
        batch = collate(mine[at : at + size], work.team.device)
        loss = (work.compute.losses(batch) * batch.weights).sum() / mass
        loss.backward()
        total += loss.detach()
    return total


def _validate(work: Training) -> None:
    progress, began = work.progress, time.perf_counter()
    loss, size = work.compute.mean_loss(work.validation, progress.micro_batch)
    work.fits(size)
    progress.validated_step = progress.step
    progress.seconds += time.perf_counter() - began
    if progress.step == 0:
        progress.loss_before = loss
    best = math.isfinite(loss) and (progress.best_loss is None or loss < progress.best_loss)
    progress.misses = 0 if best else progress.misses + 1
    if best:
        progress.best_step, progress.best_loss = progress.step, loss
        if work.team.speaks:
            progress.best_hash = checkpoint.save_best(work.folder, progress.step, adapter.weights(work.compute.model))
    work.tell(
        {
            "event": "validation",
            "step": progress.step,
            "epoch": work.schedule.epoch(progress.step),
            "loss": loss if math.isfinite(loss) else None,
            "best": best,
        }
    )
    if not math.isfinite(loss):
        progress.ended = "diverged"
        return
    progress.validations.append((progress.step, loss))
    if progress.misses >= work.plan.patience and progress.step < work.schedule.steps:
        progress.ended = "early"


def _save(work: Training) -> None:
    if work.team.speaks:
        began = time.monotonic()
        checkpoint.save(work.folder, work.progress, checkpoint.tensors_of(work.parameters, work.optimizer))
        now = time.monotonic()
        work.save_after = now + max(work.plan.checkpoint_seconds, SAVING_SHARE * (now - began))
