"""Many texts at once, for a proof and for finding out how strong an adapter may be. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from zega_core.errors import InvalidInput
from zega_core.fine_tune import form, sampling


class Asked(Protocol):
    """One text that is wanted: ``prompt`` as the model is asked, at most ``max_tokens`` for the answer."""

    @property
    def prompt(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def max_tokens(self) -> int: ...


class Drawn(Protocol):
    """How tokens are drawn."""

    @property
    def temperature(self) -> float: ...
    @property
    def top_p(self) -> float: ...
    @property
    def repetition_penalty(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Written:
    """``tokens`` counts the end mark too; ``ended`` when the model ended by itself."""

    text: str
    tokens: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Author:
    """A model that writes. ``context`` is in tokens."""

    model: Any
    tokenizer: Any
    stops: frozenset[int]
    context: int
    device: torch.device


def author_of(model: Any, tokenizer: Any, context: int, device: torch.device) -> Author:
    stops = sampling.ends(tokenizer, model.generation_config)
    model.generation_config = GenerationConfig()  # how to write is said with each batch, and nowhere else
    return Author(model, tokenizer, stops, context, device)


def write(who: Author, batch: Sequence[Asked], how: Drawn) -> list[Written]:
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
        temperature=how.temperature,
        top_p=how.top_p,
        repetition_penalty=how.repetition_penalty,
    )
    shown = torch.full((len(batch), width), int(settings.pad_token_id), device=who.device)  # type: ignore[arg-type]
    seen = torch.zeros_like(shown)
    for row, prompt in enumerate(prompts):  # on the left, so that all answers begin in the same column
        shown[row, width - len(prompt) :] = torch.tensor(prompt, device=who.device)
        seen[row, width - len(prompt) :] = 1
    torch.manual_seed(batch[0].seed)
    whole = sampling.WholeSentence(who.tokenizer, width, room)
    try:
        with torch.inference_mode():
            found = who.model.generate(
                shown,
                attention_mask=seen,
                generation_config=settings,
                stopping_criteria=StoppingCriteriaList([_Full(room, width, who.device), whole]),
            )
    except RuntimeError as error:
        if sampling.no_numbers(error):
            raise InvalidInput(sampling.UNUSABLE) from error
        raise
    return [_cut(who, tokens, most) for tokens, most in zip(found[:, width:].tolist(), whole.lengths, strict=True)]


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
