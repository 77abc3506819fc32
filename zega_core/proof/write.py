"""Both models write on the same prompts and are measured on the same texts. Only the process of a proof imports this.

One model is in memory at a time. Asked again for the same job, it writes the same: what belongs to a batch, and its
seed, follow from the job alone.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from zega_core.errors import HomeError, InvalidInput
from zega_core.fine_tune import base, batches, form, sampling
from zega_core.fine_tune.measure import Compute, fitting
from zega_core.fine_tune.plan import Row
from zega_core.fine_tune.team import Team
from zega_core.fine_tune.told import Tell
from zega_core.proof.job import SIDES, Asked, Held, Job, Side, read_job

NO_ROOM = (
    "There is not enough memory to compare even one text at a time. Close other programs, or choose a smaller base "
    "model."
)


@dataclass(frozen=True, slots=True)
class Written:
    """``tokens`` counts the end mark too; ``ended`` when the model ended by itself."""

    text: str
    tokens: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Author:
    """A model that writes, its adapter merged. ``context`` is in tokens."""

    model: Any
    tokenizer: Any
    stops: frozenset[int]
    context: int
    device: torch.device


def work(folder: Path, tell: Tell, *, device: str | None = None) -> None:
    """Do what ``folder`` asks for and is not done yet. ``device`` is what torch calls it; None takes a GPU where there
    is one. Raises InvalidInput for models that cannot be used, HomeError for a job that cannot be read."""
    try:
        job = read_job(folder)
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise HomeError("What this proof was to compare cannot be read any more. Start it again.") from error
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    size = max(1, job.batch_size)
    tell({"event": "phase", "phase": "writing"})
    for side in SIDES:
        todo = missing(job, side)
        if todo:
            size = _write_all(author(job, side, where), job, side, todo, size, tell)
            gc.collect()
    if job.held:
        tell({"event": "phase", "phase": "measuring"})
        for side in SIDES:
            if side not in job.measured:
                nats, tokens, size = losses(author(job, side, where), job, size)
                tell({"event": "losses", "side": side, "nats": nats, "tokens": tokens})
                gc.collect()
    tell({"event": "done"})


def missing(job: Job, side: Side) -> list[list[Asked]]:
    """The batches of which this side has not written everything."""
    size, ordered = max(1, job.batch_size), sorted(job.asked, key=lambda one: one.place)
    whole = [list(batch) for _, batch in groupby(ordered, key=lambda one: one.place // size)]
    return [batch for batch in whole if any(f"{side}:{one.place}" not in job.written for one in batch)]


def author(job: Job, side: Side, device: torch.device) -> Author:
    """Raises InvalidInput."""
    folder, version = Path(job.base), job.before if side == "before" else job.after
    model, tokenizer = base.load(folder, dtype=torch.float32, device=device)
    if version:
        model = base.load_adapter(model, Path(version), base.weights_hash(folder)).merge_and_unload()
    stops = sampling.ends(tokenizer, model.generation_config)
    model.generation_config = GenerationConfig()  # how to write is said with each batch, and nowhere else
    return Author(model, tokenizer, stops, base.describe(folder).context, device)


def _write_all(who: Author, job: Job, side: Side, todo: Sequence[list[Asked]], size: int, tell: Tell) -> int:
    """Tell every text that is missing; returns how many fitted into memory at once."""
    told, fits = set(job.written), size
    for batch in todo:
        texts, fits = fitting(lambda fits, batch=batch: _written(who, batch, job, fits), fits, NO_ROOM)
        if fits < size:
            tell({"event": "note", "text": "There was little memory, so fewer texts were written at a time."})
            size = fits
        for one, found in zip(batch, texts, strict=True):
            if f"{side}:{one.place}" not in told:
                said = {"text": found.text, "tokens": found.tokens, "ended": found.ended}
                tell({"event": "text", "side": side, "place": one.place, **said})
    return fits


def _written(who: Author, batch: Sequence[Asked], job: Job, size: int) -> list[Written]:
    return [text for at in range(0, len(batch), size) for text in write(who, batch[at : at + size], job)]


def write(who: Author, batch: Sequence[Asked], job: Job) -> list[Written]:
    """An answer to each, written together with the seed of the first. Raises InvalidInput for a model that is
    broken."""
    prompts = [
        sampling.fitting(form.prompt_ids(who.tokenizer, one.prompt), who.context, one.max_tokens) for one in batch
    ]
    room = [max(1, min(one.max_tokens, who.context - len(prompt))) for one, prompt in zip(batch, prompts, strict=True)]
    width = max(map(len, prompts))
    settings = sampling.how(
        who.tokenizer,
        who.stops,
        max_tokens=max(room),
        temperature=job.temperature,
        top_p=job.top_p,
        repetition_penalty=job.repetition_penalty,
    )
    shown = torch.full((len(batch), width), int(settings.pad_token_id), device=who.device)  # type: ignore[arg-type]
    seen = torch.zeros_like(shown)
    for row, prompt in enumerate(prompts):  # on the left, so that all answers begin in the same column
        shown[row, width - len(prompt) :] = torch.tensor(prompt, device=who.device)
        seen[row, width - len(prompt) :] = 1
    torch.manual_seed(batch[0].seed)
    try:
        with torch.inference_mode():
            found = who.model.generate(
                shown,
                attention_mask=seen,
                generation_config=settings,
                stopping_criteria=StoppingCriteriaList([_Full(room, width, who.device)]),
            )
    except RuntimeError as error:
        if sampling.no_numbers(error):
            raise InvalidInput(sampling.UNUSABLE) from error
        raise
    return [_cut(who, tokens, most) for tokens, most in zip(found[:, width:].tolist(), room, strict=True)]


class _Full(StoppingCriteria):
    """Ends each row where it has no more room."""

    def __init__(self, room: Sequence[int], width: int, device: torch.device) -> None:
        self._last = torch.tensor(room, device=device) + width

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return input_ids.shape[1] >= self._last


def _cut(who: Author, tokens: Sequence[int], most: int) -> Written:
    """Without what was only written because others in the batch went on."""
    kept = list(tokens[:most])
    end = next((at for at, token in enumerate(kept) if token in who.stops), None)
    text = who.tokenizer.decode(kept[:end], skip_special_tokens=True)
    return Written(text, len(kept) if end is None else end + 1, end is not None)


def losses(who: Author, job: Job, size: int) -> tuple[list[float], list[int], int]:
    """For each held-out text the nats and number of its tokens with its end, after its prompt, in windows as in
    training; and how many windows fitted into memory at once."""
    window, compute = min(job.max_length, who.context), Compute(who.model, Team(who.device))
    cut = [(number, one) for number, held in enumerate(job.held) for one in _samples(held, who, window)]
    cut.sort(key=lambda pair: -len(pair[1].tokens))

    def measured(size: int) -> list[float]:
        nats = [0.0] * len(job.held)
        for at in range(0, len(cut), size):
            some = cut[at : at + size]
            batch = batches.collate([one for _, one in some], who.device)
            with torch.no_grad():
                found = compute.losses(batch).double()
            lengths = [len(one.tokens) - one.first for _, one in some]
            for (number, _), part in zip(some, found.split(lengths), strict=True):
                nats[number] += float(part.sum())
        return nats

    nats, size = fitting(measured, size, NO_ROOM)
    tokens = [0] * len(job.held)
    for number, one in cut:
        tokens[number] += len(one.tokens) - one.first
    return nats, tokens, size


def _samples(held: Held, who: Author, window: int) -> list[batches.Sample]:
    row = Row(0, held.prompt, held.text, 1.0, "held_out", held.own, "")
    return batches.samples([row], who.tokenizer, window)
