"""What the adapters to all services share: one call from the question to the completion or the error it ends with."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from zega_core.errors import BadAnswer, ProviderError
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.providers.exchange import Exchange
from zega_core.providers.failures import Asked, broken_off, explain, unreadable
from zega_core.providers.service import Access, ListedModel, usable
from zega_core.tables import CallOutcome
from zega_core.teacher_catalog import load_teacher_catalog

CUT_OFF = {"length", "max_tokens", "model_length"}
BLOCKED = re.compile(r"content_filter|safety|prohibited|blocklist|recitation|spii|model_armor|escalation|refusal")
BROKEN = {"error"}
LONGEST_LISTING = 20.0
"""Seconds, and bytes, that a list of models may take."""
LARGEST_LISTING = 16 * 1024**2
RATE_HEADERS = ("x-ratelimit-", "ratelimit-", "retry-after")


@dataclass(slots=True)
class Said:
    """What an answer, or a piece of one, says. ``finish`` is the service's own word in small letters, empty while it
    goes on."""

    text: str = ""
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish: str = ""
    blocked: bool = False

    def add(self, piece: Said) -> None:
        self.text += piece.text
        self.model = piece.model or self.model
        self.prompt_tokens = piece.prompt_tokens or self.prompt_tokens
        self.completion_tokens = piece.completion_tokens or self.completion_tokens
        self.finish = piece.finish or self.finish
        self.blocked = self.blocked or piece.blocked


class Adapter:
    """A service through its own client. Safe to use from many threads."""

    provider = ""
    needs_key = False

    def __init__(self, access: Access) -> None:
        self.label = load_teacher_catalog().provider(self.provider).label
        self.access = usable(access, self.label, self._address(access.base_url), needs_key=self.needs_key)

    def models(self) -> list[ListedModel]:
        return self._listing()

    def _listing(self, stop: threading.Event | None = None) -> list[ListedModel]:
        access = replace(self.access, total=min(self.access.total, LONGEST_LISTING))
        exchange = Exchange(access, self.label, stop=stop, most=LARGEST_LISTING)
        with closing(exchange), self._explained(exchange, ""), exchange.active():
            return self._list(exchange)

    def complete(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        exchange = Exchange(self.access, self.label, stop=options.stop)
        with closing(exchange), self._explained(exchange, model):
            with exchange.active():
                said = self._whole(model, _sendable(messages), options)
            return self._completion(exchange, model, said)

    def stream(
        self, model: str, messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[str, None, Completion]:
        exchange = Exchange(self.access, self.label, streamed=True, stop=options.stop)
        said = Said()
        with closing(exchange), self._explained(exchange, model):
            for piece in exchange.drawn(lambda: self._pieces(model, _sendable(messages), options)):
                said.add(piece)
                if piece.text:
                    yield printable(piece.text)
            if not (said.finish or said.blocked or b"[DONE]" in exchange.body[-64:]):
                raise broken_off(exchange)
            return self._completion(exchange, model, said)

    def close(self) -> None:
        raise NotImplementedError

    def _address(self, base_url: str) -> str:
        """The address in the form that the client wants."""
        return base_url.strip().rstrip("/")

    def _list(self, exchange: Exchange) -> list[ListedModel]:
        raise NotImplementedError

    def _whole(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Said:
        raise NotImplementedError

    def _pieces(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Iterator[Said]:
        raise NotImplementedError

    @contextmanager
    def _explained(self, exchange: Exchange, model: str) -> Iterator[None]:
        """Around a call: whatever the client raises becomes a ProviderError."""
        try:
            yield
        except ProviderError:
            raise
        except Exception as error:
            failure = explain(exchange, Asked(self.provider, self.label, model), error)
            tells_key = bool(self.access.key) and str(self.access.key) in str(error)
            raise failure from (None if tells_key else error)

    def _completion(self, exchange: Exchange, model: str, said: Said) -> Completion:
        """The completion, or the BadAnswer that the answer amounts to."""
        if "\ufffd" in said.text and not _is_utf8(exchange.body):
            raise unreadable(exchange)
        text = printable(said.text)
        if said.blocked or BLOCKED.search(said.finish):
            raise self._bad(said, CallOutcome.safety, "does not want to write about this")
        if said.finish in BROKEN:
            raise broken_off(exchange)
        if not text.strip():
            raise self._bad(said, CallOutcome.empty, "sent an empty answer")
        return Completion(
            text=text,
            model=said.model or model,
            prompt_tokens=said.prompt_tokens,
            completion_tokens=said.completion_tokens,
            finish="length" if said.finish in CUT_OFF else "stop",
            rate_headers={name: value for name, value in exchange.headers.items() if name.startswith(RATE_HEADERS)},
        )

    def _bad(self, said: Said, outcome: CallOutcome, what: str) -> BadAnswer:
        tokens = said.prompt_tokens, said.completion_tokens
        return BadAnswer(f"{self.label} {what}.", outcome, prompt_tokens=tokens[0], completion_tokens=tokens[1])


def part(thing: Any, name: str) -> Any:
    """A field of what a client returned, be it a dictionary or an object; None when it has none."""
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def word(value: object) -> str:
    return value if isinstance(value, str) else ""


def listed(value: object) -> list[Any]:
    """``value``, if it is a list; a ValueError is how a reader says that an answer has another shape."""
    if not isinstance(value, list):
        raise ValueError("the answer has another shape")
    return value


def chat_answer(answer: object, message: str = "message") -> Said:
    """What an answer in the form of OpenAI's chat completions says, or with "delta" a piece of one. Reasoning is in
    fields of its own and left out."""
    usage = part(answer, "usage") or part(part(answer, "x_groq"), "usage")
    said = Said(
        model=word(part(answer, "model")),
        prompt_tokens=number(part(usage, "prompt_tokens")),
        completion_tokens=number(part(usage, "completion_tokens")),
    )
    choices = listed(part(answer, "choices"))
    if not choices:
        if message == "message":
            raise ValueError("no choice")
        return said
    content = part(choices[0], message)
    if content is None or isinstance(content, (str, list)):
        raise ValueError("no message")
    said.text = _text(part(content, "content"))
    said.finish = word(part(choices[0], "finish_reason")).lower()
    said.blocked = bool(part(content, "refusal")) and not said.text
    return said


def _text(content: object) -> str:
    """A message's content: text, nothing, or a list of parts of which some are text."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(word(part(piece, "text")) for piece in listed(content) if part(piece, "type") == "text")


def seed_of(options: GenerationOptions) -> int:
    """Services take seeds of 31 bits."""
    return options.seed & 0x7FFFFFFF


def as_dicts(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def printable(text: str) -> str:
    """Text that can be stored and sent: halves of characters are joined or replaced, NUL is left out."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "") if "\0" in text else text


def _sendable(messages: Sequence[Message]) -> list[Message]:
    return [Message(message.role, printable(message.content)) for message in messages]


def _is_utf8(body: bytes | bytearray) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
