"""OpenAI's chat completions as this machine's server understands and answers them. No torch here."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zega_core.errors import HomeError, InvalidInput, NotFound, ProviderUnavailable, ZegaError
from zega_core.local.names import LONGEST, ModelName, read_name
from zega_core.providers.adapter import printable

Request = TypeVar("Request", bound=BaseModel)
TOP_P = 0.95
MAX_TOKENS = 400
MOST_BYTES = 1024**2
"""Of a request."""
LAST_EVENT = "data: [DONE]\n\n"
CUT_HEADER = "x-zega-prompt-cut"
"""How many tokens were left out of the middle of a prompt that was too long."""
STATUS: dict[type[ZegaError], int] = {NotFound: 404, InvalidInput: 422, ProviderUnavailable: 503, HomeError: 500}
UNEXPECTED = "Your model could not write this because of a fault in ZEGA. Try again; logs/local.out says more."


@dataclass(frozen=True, slots=True)
class Writing:
    """What to write. ``temperature`` 0 takes the likeliest token each time. The same one gets the same text."""

    name: ModelName
    prompt: str
    max_tokens: int = MAX_TOKENS
    temperature: float = 0.9
    top_p: float = TOP_P
    repetition_penalty: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Begun:
    """The model is there and the prompt is read: ``prompt_tokens`` of it, after ``cut`` were left out of its middle
    because they do not fit."""

    prompt_tokens: int
    cut: int


@dataclass(frozen=True, slots=True)
class Written:
    """``tokens`` counts the end mark too. ``finish`` is "stop" when the model ended by itself or was stopped, "length"
    when there was no more room."""

    tokens: int
    finish: Literal["stop", "length"]


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, Field(max_length=MOST_BYTES)]


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    include_usage: bool = False


class ChatRequest(BaseModel):
    """What a client may ask. What cannot be done is refused instead of ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    messages: Annotated[list[Said], Field(min_length=1, max_length=100)]
    max_tokens: Annotated[int, Field(ge=1, le=32_768)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.9
    top_p: Annotated[float, Field(gt=0, le=1)] = TOP_P
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None

    def writing(self) -> Writing:
        """What is asked for; without a seed another text each time. Raises InvalidInput."""
        return Writing(
            read_name(self.model),
            self._prompt(),
            self.max_tokens or MAX_TOKENS,
            self.temperature,
            self.top_p,
            self.repetition_penalty,
            secrets.randbits(31) if self.seed is None else self.seed,
        )

    def _prompt(self) -> str:
        """One request, as a model is trained on: what the system says, then what the user does."""
        system = [said.content for said in self.messages if said.role == "system"]
        others = [said for said in self.messages if said.role != "system"]
        if [said.role for said in others] != ["user"]:  # it was trained on none with earlier turns
            raise InvalidInput("Your model takes one request at a time, without what was said before. Ask it anew.")
        text = printable("\n\n".join(part for part in [*system, others[0].content] if part.strip()))
        if not text:
            raise InvalidInput("There is nothing to write about. Enter a prompt.")
        return text


def read_request(kind: type[Request], body: bytes) -> Request:
    """Raises InvalidInput."""
    try:
        return kind.model_validate(json.loads(body.decode("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        raise InvalidInput(f"This request cannot be used: {where}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("This request cannot be used: it is not JSON.") from error


def error_body(error: Exception) -> tuple[int, dict[str, Any]]:
    """The status to answer with, and the body: a sentence that can be shown."""
    status = next((number for kind, number in STATUS.items() if isinstance(error, kind)), 500)
    sentence = str(error) if isinstance(error, ZegaError) else UNEXPECTED
    return status, {"error": {"message": sentence, "type": type(error).__name__, "code": status}}


class Answer:
    """One answer in the forms of the protocol."""

    def __init__(self, model: str) -> None:
        self._same = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": model}

    def whole(self, text: str, prompt_tokens: int, tokens: int, finish: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        usage = _usage(prompt_tokens, tokens)
        return {**self._same, "object": "chat.completion", "choices": [choice], "usage": usage}

    def piece(self, text: str, finish: str | None = None) -> str:
        choice = {
            "index": 0,
            "delta": {"role": "assistant", "content": text},
            "logprobs": None,
            "finish_reason": finish,
        }
        return event({**self._same, "object": "chat.completion.chunk", "choices": [choice]})

    def usage(self, prompt_tokens: int, tokens: int) -> str:
        usage = _usage(prompt_tokens, tokens)
        return event({**self._same, "object": "chat.completion.chunk", "choices": [], "usage": usage})


def event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


def _usage(prompt_tokens: int, tokens: int) -> dict[str, int]:
    return {"prompt_tokens": prompt_tokens, "completion_tokens": tokens, "total_tokens": prompt_tokens + tokens}
