"""The one seam to everything that completes text: services, the storyteller, fine-tuned students."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from zega_core.catalog import Brief


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How to write. ``brief`` is the structured form of what the messages ask in words."""

    max_tokens: int = 400
    temperature: float = 0.9
    seed: int = 0
    brief: Brief | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back. ``cut_off`` is true when the model stopped at a limit, not by itself."""

    text: str
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cut_off: bool = False


class ChatModel(Protocol):
    """Anything that completes.

    ``name`` identifies the model in records; ``label`` is what a writer reads; ``in_flight`` is how
    many requests it takes at once. ``complete`` raises a ``ProviderError`` when it cannot deliver.
    """

    name: str
    label: str
    in_flight: int

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion: ...
