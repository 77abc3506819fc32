"""How a model writes, whether one text for a writer or a batch for a proof: where it ends, what it is shown, how tokens
are drawn. Imports transformers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from transformers import GenerationConfig

from zega_core.fine_tune import form

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
