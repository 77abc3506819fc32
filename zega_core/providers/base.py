"""The one seam to everything that completes text: services, the storyteller, fine-tuned students."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from zega_core.catalog import Brief
from zega_core.tables import CallOutcome, now


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How to write. ``brief`` is the structured form of what the messages ask in words. ``schema`` is a JSON
    schema that the answer should follow, for services that can be held to one. ``stop`` ends every wait. With
    ``may_break_off`` an answer that ends at the limit is of use, too."""

    max_tokens: int = 400
    temperature: float = 0.9
    seed: int = 0
    brief: Brief | None = None
    schema: Mapping[str, Any] | None = None
    may_break_off: bool = False
    stop: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model, as it is kept in the ledger. ``cost`` is in euros, None when the price is unknown;
    ``sent_chars`` is how much text was sent, ``remote`` whether it left this machine, ``reported`` the model's name
    as the service gave it."""

    provider: str
    model: str
    outcome: CallOutcome
    status: int | None = None
    latency_ms: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    sent_chars: int = 0
    reported: str = ""
    remote: bool = False
    at: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back. ``model`` is the name as the service reports it. ``finish`` is "stop" when the model ended by
    itself, "length" at the token limit. ``rate_headers`` are the answer's headers on limits, in small letters.
    ``calls`` is everything that was asked to get it, retries and other teachers included."""

    text: str
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish: Literal["stop", "length"] = "stop"
    rate_headers: Mapping[str, str] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()

    @property
    def cut_off(self) -> bool:
        return self.finish == "length"


class ChatModel(Protocol):
    """Anything that completes.

    ``name`` identifies the model in records ("groq/llama-3.1-8b-instant"); ``label`` is what a writer reads;
    ``in_flight`` is how many requests it takes at once. ``complete`` raises a ``ProviderError`` when it cannot
    deliver.
    """

    name: str
    label: str
    in_flight: int

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion: ...


class StreamingModel(ChatModel, Protocol):
    """One that also hands out its text while it writes."""

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, Completion]:
        """Pieces of the text as they come, then the completion, whose text has the last word. To stop it, throw
        ``Cancelled`` into it: the error that it raises then has the calls. Raises a ProviderError, BrokenOff once there
        was a piece."""
        ...
