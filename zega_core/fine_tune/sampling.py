"""How a model writes, whether one text for a writer or a batch for a proof: where it ends, what it is shown, how tokens
are drawn. Imports torch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteria

from zega_core.fine_tune import form

_LAST = frozenset(".!?\u2026\"\u201d\u2019')]")
UNUSABLE = "This model cannot write: its weights give no usable numbers. Choose another version."


def ends(tokenizer: Any, own: Any = None) -> frozenset[int]:
    """Token ids that end a text: those of the model's ``own`` settings, and every other mark: no text goes on behind
    the beginning of another prompt."""
    marks = {int(token) for token, added in tokenizer.added_tokens_decoder.items() if added.special}
    return frozenset({*form.stops(tokenizer, own), *marks} - {tokenizer.unk_token_id})


def fitting(prompt: list[int], context: int, max_tokens: int) -> list[int]:
    """The prompt without its middle where it leaves no room for the answer, which gets half the context at most."""
    room = context - min(max_tokens, context // 2)
    if len(prompt) <= room:
        return prompt
    return [*prompt[: room - room // 2], *prompt[len(prompt) - room // 2 :]]


def how(
    tokenizer: Any,
    stops: Collection[int],
    *,
    max_tokens: int,
    temperature: float,
    top_p: float,
    repetition_penalty: float,
) -> GenerationConfig:
    """At ``temperature`` 0 the likeliest token each time."""
    sampled: dict[str, Any] = {"do_sample": False}
    if temperature > 0:
        sampled = {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
    pad = tokenizer.pad_token_id
    return GenerationConfig(
        max_new_tokens=max_tokens,
        eos_token_id=sorted(stops) or None,
        pad_token_id=min(stops, default=0) if pad is None else pad,
        repetition_penalty=repetition_penalty,
        **sampled,
    )


def no_numbers(error: Exception) -> bool:
    """Whether the library could not draw a token because the weights are broken."""
    return "probability tensor" in str(error)


class WholeSentence(StoppingCriteria):
    """Ends each row with the first whole sentence after ``form.SOFT`` of its ``room`` (tokens). ``width`` is the number
    of tokens before the answers; ``lengths`` is how many tokens of each row count, of which the last one ended it."""

    def __init__(self, tokenizer: Any, width: int, room: Sequence[int]) -> None:
        self._tokenizer, self._width = tokenizer, width
        self._soft = [int(form.SOFT * most) for most in room]
        self.lengths, self._ended = list(room), [False] * len(room)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        length = input_ids.shape[1] - self._width
        for row, soft in enumerate(self._soft):
            if not self._ended[row] and soft <= length < self.lengths[row]:
                text = self._tokenizer.decode(input_ids[row, -1:])
                if text.rstrip()[-1:] in _LAST and self._closes(input_ids[row, self._width :]):
                    self._ended[row], self.lengths[row] = True, length
        return torch.tensor(self._ended, device=input_ids.device)

    @property
    def ended(self) -> bool:
        """Whether every row was ended so."""
        return all(self._ended)

    def _closes(self, answer: torch.Tensor) -> bool:
        return form.is_whole(self._tokenizer.decode(answer))
