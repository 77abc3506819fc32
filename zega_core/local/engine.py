"""Writes with warm models. Only the server's process imports this."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import torch
from tokenizers.decoders import DecodeStream
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from zega_core.errors import InvalidInput, ProviderUnavailable, ZegaError
from zega_core.fine_tune import form, sampling
from zega_core.local.names import ModelName
from zega_core.local.protocol import Begun, Writing, Written
from zega_core.local.shelf import Shelf, Warm
from zega_core.settings import Settings


class Engine:
    """One text at a time; several threads wait for each other."""

    def __init__(self, settings: Settings, *, most_bytes: int | None = None, device: str | None = None) -> None:
        self.shelf = Shelf(settings, most_bytes=most_bytes, device=device)
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Load what every text needs before the first is asked for: the libraries bring in most of themselves only with
        a model, and an adapter needs one library more."""
        with self._lock:
            import_module("peft")
            with suppress(ZegaError):  # who asks for it is told what is wrong
                self.shelf.take(ModelName())

    def write(self, writing: Writing, tell: Callable[[Begun | str], None], stop: threading.Event) -> Written:
        """Tell ``Begun``, then the text in pieces. ``stop`` ends it within a token, also while it waits or before a
        model is loaded. Raises InvalidInput or NotFound when the model cannot be had."""
        with self._lock:
            if stop.is_set():
                return Written(0, "stop")
            warm = self.shelf.take(writing.name)
            tokens = form.prompt_ids(warm.tokenizer, writing.prompt)
            kept = sampling.fitting(tokens, warm.context, writing.max_tokens)
            tell(Begun(len(kept), len(tokens) - len(kept)))
            return self._generate(warm, kept, writing, tell, stop)

    def _generate(
        self, warm: Warm, prompt: list[int], writing: Writing, tell: Callable[[str], None], stop: threading.Event
    ) -> Written:
        asked = torch.tensor([prompt], device=self.shelf.device)
        torch.manual_seed(writing.seed)
        try:
            with torch.inference_mode():
                found = warm.model.generate(
                    asked,
                    attention_mask=torch.ones_like(asked),
                    generation_config=_how(warm, writing, len(prompt)),
                    streamer=_Pieces(warm.tokenizer, tell),
                    stopping_criteria=StoppingCriteriaList([_Stopped(stop)]),
                )
        except (RuntimeError, MemoryError) as error:
            raise _explained(error) from error
        written: list[int] = found[0, len(prompt) :].tolist()
        ended = stop.is_set() or (bool(written) and written[-1] in warm.stops)
        return Written(len(written), "stop" if ended else "length")


class _Pieces(BaseStreamer):
    """Tokens as they come, turned into text that is whole characters and has no marks."""

    def __init__(self, tokenizer: Any, tell: Callable[[str], None]) -> None:
        self._decoder, self._tokenizer, self._tell = DecodeStream(skip_special_tokens=True), tokenizer, tell
        self._asked = False

    def put(self, value: torch.Tensor) -> None:
        if not self._asked:  # the first is the prompt
            self._asked = True
            return
        for token in value.flatten().tolist():
            piece = self._decoder.step(self._tokenizer.backend_tokenizer, token)
            if piece:
                self._tell(piece)

    def end(self) -> None:
        pass


class _Stopped(StoppingCriteria):
    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return torch.full((len(input_ids),), self._stop.is_set(), dtype=torch.bool, device=input_ids.device)


def _how(warm: Warm, writing: Writing, prompt_tokens: int) -> GenerationConfig:
    return sampling.how(
        warm.tokenizer,
        warm.stops,
        max_tokens=min(writing.max_tokens, warm.context - prompt_tokens),
        temperature=writing.temperature,
        top_p=writing.top_p,
        repetition_penalty=writing.repetition_penalty,
    )


def _explained(error: Exception) -> Exception:
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "memory" in str(error).lower():
        return ProviderUnavailable(
            "There is not enough memory to write with this model. Close other programs and try again."
        )
    if sampling.no_numbers(error):
        return InvalidInput(sampling.UNUSABLE)
    return error
