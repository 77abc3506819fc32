"""Stand-ins for the five teaching services, on this machine: they answer as each service documents, faults included.

    with FakeService("groq", ["ok", "rate_limited", "ok"]) as service:
        connect("groq", Access(service.url, "key"))...
        service.requests[0].json

or as a process of its own: python -m tests.support.services --provider groq --port 8123 --delay 0.05
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

TEXT = "Mara carried the lantern down to the harbour. Nobody asked her why, and she was glad of it."
MODELS = {
    "ollama": ["llama3.2:3b", "qwen3:8b", "gpt-oss:120b-cloud"],
    "groq": ["llama-3.1-8b-instant", "llama-3.3-70b-versatile", "openai/gpt-oss-20b", "whisper-large-v3"],
    "gemini": ["gemini-2.5-flash", "gemini-2.5-pro", "text-embedding-004"],
    "huggingface": ["meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen2.5-7B-Instruct"],
    "openai_compatible": ["qwen2.5-7b-instruct", "llama-3.2-3b-instruct"],
}
PROMPT_TOKENS, COMPLETION_TOKENS = 42, 21
RETRY_AFTER = 7
RATE_HEADERS = {
    "x-ratelimit-limit-requests": "14400",
    "x-ratelimit-remaining-requests": "14370",
    "x-ratelimit-reset-requests": "2m59.56s",
    "x-ratelimit-limit-tokens": "6000",
    "x-ratelimit-remaining-tokens": "5997",
    "x-ratelimit-reset-tokens": "7.66s",
}
REASONING = "The user wants a story, so I think about lanterns first."
HUGE = 10 * 1024**2

Reply = str
Script = Reply | Sequence[Reply] | Callable[[int], Reply]
"""The name of a fault, "ok", or a text to answer with; several are taken in turn; or a function of the number of the
request, which counts from 0."""


@dataclass(frozen=True)
class Recorded:
    method: str
    path: str
    headers: dict[str, str]
    json: Any
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Answer:
    """What one reply says, whatever the form: ``finish`` in OpenAI's words."""

    text: str = TEXT
    finish: str = "stop"
    blocked_prompt: bool = False
    reasoning: str = ""


ANSWERS = {
    "ok": Answer(),
    "length": Answer(finish="length"),
    "empty": Answer(text=""),
    "safety": Answer(text="", finish="content_filter"),
    "safety_prompt": Answer(text="", finish="content_filter", blocked_prompt=True),
    "thinking": Answer(reasoning=REASONING),
    "only_thinking": Answer(text="", finish="length", reasoning=REASONING),
    "huge": Answer(text="far too long " * (HUGE // 13)),
    "lone_surrogate": Answer(text="half \ud83d of a face\0, whole 🙂"),
}

# ---------------------------------------------------------------------------------------------------- forms of answers


def whole(provider: str, model: str, answer: Answer) -> dict[str, Any]:
    """An answer that comes at once."""
    if provider == "ollama":
        return _ollama(model, answer.text, answer.reasoning, answer.finish)
    if provider == "gemini":
        return _gemini(model, answer, answer.text, answer.reasoning, last=True)
    content: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.blocked_prompt:
        content["refusal"] = "I cannot help with that."
    if answer.reasoning:
        content["reasoning" if provider == "groq" else "reasoning_content"] = answer.reasoning
    choice = {"index": 0, "message": content, "logprobs": None, "finish_reason": answer.finish}
    return _chat("chat.completion", model, [choice]) | {"usage": _usage()}


def pieces(provider: str, model: str, answer: Answer) -> Iterator[bytes]:
    """An answer as it is streamed."""
    size = max(24, len(answer.text) // 2000)
    words = [answer.text[at : at + size] for at in range(0, len(answer.text), size)]
    if provider == "ollama":
        parts = [_ollama(model, "", answer.reasoning)] if answer.reasoning else []
        parts += [_ollama(model, word) for word in words] + [_ollama(model, "", finish=answer.finish)]
        yield from (_dumped(part) + b"\n" for part in parts)
    elif provider == "gemini":
        if answer.reasoning:
            yield _event(_gemini(model, answer, "", answer.reasoning, last=False), b"\r\n\r\n")
        for word in words[:-1]:
            yield _event(_gemini(model, answer, word, "", last=False), b"\r\n\r\n")
        yield _event(_gemini(model, answer, words[-1] if words else "", "", last=True), b"\r\n\r\n")
    else:
        yield from _chat_pieces(provider, model, answer, words)


def _chat_pieces(provider: str, model: str, answer: Answer, words: Sequence[str]) -> Iterator[bytes]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if answer.reasoning:
        deltas.append({"reasoning" if provider == "groq" else "reasoning_content": answer.reasoning})
    deltas += [{"content": word} for word in words]
    if answer.blocked_prompt:
        deltas.append({"refusal": "I cannot help with that."})
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        yield _event(_chat("chat.completion.chunk", model, [choice]))
    last = _chat("chat.completion.chunk", model, [{"index": 0, "delta": {}, "finish_reason": answer.finish}])
    yield _event(last | ({"x_groq": {"id": "req_1", "usage": _usage()}} if provider == "groq" else {}))
    if provider != "groq":
        yield _event(_chat("chat.completion.chunk", model, []) | {"usage": _usage()})
    yield b"data: [DONE]\n\n"


def _chat(kind: str, model: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": kind,
        "created": 1764000000,
        "model": model,
        "system_fingerprint": "fp_1",
        "choices": choices,
    }


def _usage() -> dict[str, int]:
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": COMPLETION_TOKENS,
        "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
    }


def _ollama(model: str, text: str, thinking: str = "", finish: str = "") -> dict[str, Any]:
    message = {"role": "assistant", "content": text} | ({"thinking": thinking} if thinking else {})
    answer: dict[str, Any] = {"model": model, "created_at": "2026-11-25T12:00:00.1Z", "message": message, "done": False}
    if finish:
        counts = {"prompt_eval_count": PROMPT_TOKENS, "eval_count": COMPLETION_TOKENS}
        answer |= {"done": True, "done_reason": finish, "total_duration": 5_000_000, **counts}
    return answer


def _gemini(model: str, answer: Answer, text: str, thinking: str, *, last: bool) -> dict[str, Any]:
    usage: dict[str, Any] = {"promptTokenCount": PROMPT_TOKENS, "totalTokenCount": PROMPT_TOKENS + COMPLETION_TOKENS}
    parts: list[dict[str, Any]] = [{"text": thinking, "thought": True}] if thinking else []
    parts += [{"text": text}] if text else []
    if last:
        thoughts = 5 if answer.reasoning else 0
        usage["candidatesTokenCount"] = COMPLETION_TOKENS - thoughts
        usage |= {"thoughtsTokenCount": thoughts} if thoughts else {}
    around = {"usageMetadata": usage, "modelVersion": model, "responseId": "r1"}
    if answer.blocked_prompt:
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **around}
    candidate: dict[str, Any] = {"content": {"role": "model"} | ({"parts": parts} if parts else {}), "index": 0}
    if last:
        candidate["finishReason"] = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}[answer.finish]
    return {"candidates": [candidate], **around}


def listing(provider: str) -> dict[str, Any]:
    names = MODELS[provider]
    if provider == "ollama":
        models = [{"name": name, "model": name, "size": 2_000_000_000, "digest": "a80c4f17acd5"} for name in names]
        models[-1] |= {"remote_model": "gpt-oss:120b", "remote_host": "https://ollama.com:443"}
        return {"models": models}
    if provider == "gemini":
        ways = [["embedContent"] if "embedding" in name else ["generateContent", "countTokens"] for name in names]
        return {
            "models": [
                {"name": f"models/{name}", "supportedGenerationMethods": way}
                for name, way in zip(names, ways, strict=True)
            ]
        }
    extra = {"active": True} if provider == "groq" else {}
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "x"} | extra for name in names]}


# ----------------------------------------------------------------------------------------------------- forms of errors

REPLIES: dict[str, bytes] = {}
"""Bodies that a test wants to be sent as they are."""
REFUSALS = {
    "bad_request": (400, "temperature must be at most 2"),
    "unauthorized": (401, "Invalid API key"),
    "no_credit": (402, "You have exceeded your monthly included credits"),
    "forbidden": (403, "This key may not do that"),
    "moderated": (403, "Blocked by moderation"),
    "region": (403, "Country, region, or territory not supported"),
    "not_found": (404, "Not found"),
    "gone": (410, "This has been retired"),
    "no_counting": (422, "[{'type': 'extra_forbidden', 'loc': ['body', 'stream_options', 'include_usage']}]"),
    "too_large": (413, "Request too large"),
    "error_500": (500, "Internal error"),
    "error_503": (503, "Service unavailable"),
}
STATUS_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
UNKNOWN = {
    "ollama": (404, "model '{}' not found", ""),
    "groq": (404, "The model `{}` does not exist or you do not have access to it.", "model_not_found"),
    "gemini": (404, "models/{} is not found for API version v1beta, or is not supported for generateContent.", ""),
    "huggingface": (400, "The requested model '{}' does not exist", "model_not_found"),
    "openai_compatible": (404, "The model `{}` does not exist.", "NotFoundError"),
}
RETIRED = {
    "groq": (400, "The model `{}` has been decommissioned and is no longer supported.", "model_decommissioned"),
    "huggingface": (400, "The requested model '{}' is not supported by any provider you have enabled.", ""),
    "openai_compatible": (400, "No models loaded. Please load a model in the developer page.", "model_not_found"),
}
BUSY = {
    "ollama": (503, "server busy, please try again.  maximum pending requests exceeded"),
    "huggingface": (503, "Model meta-llama/Llama-3.1-8B-Instruct is currently loading"),
    "openai_compatible": (503, "Loading model"),
}
DAY = {
    "groq": "Rate limit reached for model `x` in organization `o` on tokens per day (TPD): Limit 100000, Used 99926. "
    "Please try again in 23m58.56s. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com",
    "openai_compatible": "Rate limit exceeded: free-models-per-day. Add credits to unlock more.",
}

Refusal = tuple[int, dict[str, str], bytes]


def refusal(provider: str, name: str, model: str) -> Refusal | None:
    """An error in the service's own form, None when the name is of something else."""
    if name in REFUSALS:
        status, message = REFUSALS[name]
        return status, {}, error(provider, status, message)
    if name == "unknown_model" or (name == "decommissioned" and provider not in RETIRED):
        status, message, code = UNKNOWN[provider]
        return status, {}, error(provider, status, message.format(model), code)
    if name == "decommissioned":
        status, message, code = RETIRED[provider]
        return status, {}, error(provider, status, message.format(model), code)
    if name == "invalid_key":
        status, message = (400, "API key not valid.") if provider == "gemini" else (401, "Invalid API Key")
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
        return status, {}, error(provider, status, message, "invalid_api_key", details)
    if name == "no_quota":
        return 429, {}, error(provider, 429, "You exceeded your current quota.", "insufficient_quota")
    if name == "busy":
        status, message = BUSY.get(provider, (503, "The model is overloaded. Please try again later."))
        body = error(provider, status, message)
        return status, {}, _dumped({"error": message, "estimated_time": 20.5}) if provider == "huggingface" else body
    if name.startswith("rate_limited"):
        return _limited(provider, name.removeprefix("rate_limited"))
    if name.startswith("later"):
        return 503, _waits(name.removeprefix("later")), error(provider, 503, "Service unavailable")
    return None


def _waits(kind: str) -> dict[str, str]:
    """The headers of one way to say how long to wait."""
    return {
        "": {"Retry-After": str(RETRY_AFTER)},
        "_fraction": {"Retry-After": "0.5"},
        "_date": {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)},
        "_past": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"},
        "_negative": {"Retry-After": "-5"},
        "_absurd": {"Retry-After": "99999999"},
        "_nonsense": {"Retry-After": "soon"},
        "_reset": RATE_HEADERS | {"x-ratelimit-remaining-tokens": "0"},
    }.get(kind, {})


def _limited(provider: str, kind: str) -> Refusal:
    message = "Rate limit reached: requests per minute (RPM): Limit 30."
    details: list[dict[str, Any]] = []
    if kind == "_words":
        message += " Please try again in 1m26.4s. Need more? Upgrade today."
    elif kind == "_details":
        details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]
    elif kind == "_daily":
        message = DAY.get(provider, "You have reached your daily limit.")
        if provider == "gemini":
            quota = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "250"}
            details = [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [quota]}]
            message = "You exceeded your current quota, please check your plan and billing details."
    return 429, _waits(kind), error(provider, 429, message, "rate_limit_exceeded", details)


def error(provider: str, status: int, message: str, code: str = "", details: Sequence[dict[str, Any]] = ()) -> bytes:
    if provider == "ollama":
        return _dumped({"error": message})
    if provider == "gemini":
        inner = {"code": status, "message": message, "status": STATUS_WORDS.get(status, "RESOURCE_EXHAUSTED")}
        return _dumped({"error": inner | ({"details": list(details)} if details else {})})
    body: dict[str, Any] = {"message": message, "type": "invalid_request_error", "param": None, "code": code or None}
    return _dumped({"error": body})


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _event(value: Any, end: bytes = b"\n\n") -> bytes:
    return b"data: " + _dumped(value) + end


# ------------------------------------------------------------------------------------------------------------- server


class FakeService:
    """A service on 127.0.0.1. ``delay`` is the seconds before it answers and ``pause`` those between two pieces of a
    stream; ``busy_every`` makes it busy each so many requests; ``per_minute`` is a limit over any 60 seconds, enforced
    with 429 and Retry-After; ``tells_limits`` sends rate headers with whole answers. The script is for completions,
    ``listing`` for the list of models."""

    def __init__(
        self,
        provider: str,
        script: Script = "ok",
        *,
        listing: Script = "ok",
        delay: float = 0.0,
        pause: float = 0.0,
        busy_every: int | None = None,
        per_minute: int | None = None,
        tells_limits: bool = True,
        port: int = 0,
    ) -> None:
        self.provider, self.requests = provider, list[Recorded]()
        self.most_at_once = self.at_once = self.connections = 0
        self._script, self._listing, self._delay, self._pause = script, listing, delay, pause
        self._busy_every, self._per_minute, self._port = busy_every, per_minute, port
        self._headers = RATE_HEADERS if tells_limits else {}
        self._recent, self._completions, self._listings = deque[float](), 0, 0
        self._readers: dict[asyncio.StreamWriter, asyncio.StreamReader] = {}
        self._loop = asyncio.new_event_loop()
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"fake {provider}", daemon=True)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The base URL in the form that is usual for the service."""
        return f"{self.root}/v1" if self.provider in ("huggingface", "openai_compatible") else self.root

    @property
    def completions(self) -> list[Recorded]:
        return [request for request in self.requests if request.method == "POST"]

    def __enter__(self) -> FakeService:
        self._thread.start()
        if not self._ready.wait(5):
            raise RuntimeError("the stand-in did not start")
        return self

    def __exit__(self, *details: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", self._port, limit=16 * 1024**2)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._readers[writer] = reader
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            del self._readers[writer]
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Recorded(method, path, headers, json.loads(body) if body else None)
        self.requests.append(request)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self._delay:
                await asyncio.sleep(self._delay)
            return await self._answer(request, writer)
        finally:
            self.at_once -= 1

    async def until_gone(self, writer: asyncio.StreamWriter) -> None:
        """Until the other side closes the connection."""
        await self._readers[writer].read(1)

    async def _answer(self, request: Recorded, writer: asyncio.StreamWriter) -> bool:
        lists = request.method == "GET"
        reply = self._next_listing() if lists else self._next_reply()
        model = _model_of(request)
        if reply.startswith("wait "):
            found: Refusal | None = _limited(self.provider, "_bare")
            found = (found[0], {"Retry-After": reply.split()[1]}, found[2])
        else:
            found = refusal(self.provider, reply, model)
        if found is not None:
            return await _send(writer, *found)
        if lists and reply == "ok":
            return await _send(writer, 200, {}, _dumped(listing(self.provider)))
        if reply in REPLIES:
            return await _send(writer, 200, {}, REPLIES[reply])
        if reply in ODDITIES:
            return await ODDITIES[reply](self, request, writer)
        answer = ANSWERS.get(reply, Answer(text=reply))
        if _wants_stream(request):
            return await self._stream(writer, pieces(self.provider, model, answer))
        return await _send(writer, 200, self._headers, _dumped(whole(self.provider, model, answer)))

    async def _stream(self, writer: asyncio.StreamWriter, parts: Iterator[bytes]) -> bool:
        _begin_stream(writer, self.provider)
        for part in parts:
            _chunk(writer, part)
            await writer.drain()
            if self._pause:
                await asyncio.sleep(self._pause)
        return await _end_stream(writer)

    def _next_reply(self) -> Reply:
        number = self._completions
        self._completions += 1
        if self._per_minute is not None:
            now = time.monotonic()
            while self._recent and self._recent[0] <= now - 60:
                self._recent.popleft()
            if len(self._recent) >= self._per_minute:
                return f"wait {math.ceil(self._recent[0] + 60 - now)}"
            self._recent.append(now)
        if self._busy_every is not None and (number + 1) % self._busy_every == 0:
            return "busy"
        return _at(self._script, number)

    def _next_listing(self) -> Reply:
        self._listings += 1
        return _at(self._listing, self._listings - 1)


def _at(script: Script, number: int) -> Reply:
    if isinstance(script, str):
        return script
    return script(number) if callable(script) else script[number % len(script)]


def _model_of(request: Recorded) -> str:
    if isinstance(request.json, dict) and "model" in request.json:
        return request.json["model"]
    return request.path.rpartition("/models/")[2].partition(":")[0]


def _wants_stream(request: Recorded) -> bool:
    asked = request.json.get("stream") if isinstance(request.json, dict) else None
    return bool(asked) or "streamGenerateContent" in request.path


async def _send(writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes) -> bool:
    lines = [f"HTTP/1.1 {status} Said", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
    await writer.drain()
    return True


def _begin_stream(writer: asyncio.StreamWriter, provider: str) -> None:
    kind = "application/x-ndjson" if provider == "ollama" else "text/event-stream"
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", "Transfer-Encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in RATE_HEADERS.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")


async def _end_stream(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


def _chunk(writer: asyncio.StreamWriter, part: bytes) -> None:
    writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")


# ---------------------------------------------------------------------------------------------------- what goes wrong
# Each says whether the connection stays open.


async def _some(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> None:
    """The beginning of an answer."""
    model = _model_of(request)
    if _wants_stream(request):
        _begin_stream(writer, service.provider)
        for number, part in enumerate(pieces(service.provider, model, Answer())):
            if number < 3:
                _chunk(writer, part)
    else:
        body = _dumped(whole(service.provider, model, Answer()))
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:80])
    await writer.drain()


async def _hang(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    await service.until_gone(writer)
    return False


async def _hang_after_start(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    await _some(service, request, writer)
    await service.until_gone(writer)
    return False


async def _dropped(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    await _some(service, request, writer)
    return False


async def _dropped_at_once(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    """The connection ends without a word."""
    return False


async def _ends_early(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    """A stream that ends in good order, but not with its last piece."""
    await _some(service, request, writer)
    return _wants_stream(request) and await _end_stream(writer)


async def _trickle(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    """Now and then a byte that means nothing, without end."""
    if _wants_stream(request):
        _begin_stream(writer, service.provider)
    else:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not service._over.is_set():
        if _wants_stream(request):
            _chunk(writer, b"\n" if service.provider != "ollama" else b" ")
        else:
            writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)
    return False


async def _trickle_headers(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not service._over.is_set():
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.05)
    return False


async def _raw(service: FakeService, request: Recorded, writer: asyncio.StreamWriter, body: bytes) -> bool:
    """A body as it is, or as the only piece of a stream."""
    if not _wants_stream(request):
        return await _send(writer, 200, RATE_HEADERS, body)
    _begin_stream(writer, service.provider)
    _chunk(writer, body + b"\n" if service.provider == "ollama" else b"data: " + body + b"\n\n")
    return await _end_stream(writer)


async def _bad_json(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    return await _raw(service, request, writer, b'{"choices": [{"message" oh dear')


async def _html(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    body = b"<html><body>Sign in to the network</body></html>"
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    return True


async def _nothing(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    return await _send(writer, 200, {}, b"")


async def _wrong_shape(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    return await _raw(service, request, writer, b'{"weather": "fine", "list": [1, 2]}')


async def _wrong_types(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    body = {"message": {"content": 7}, "choices": "none", "candidates": [{"content": {"parts": [{"text": 7}]}}]}
    return await _raw(service, request, writer, _dumped(body))


async def _a_list(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    return await _raw(service, request, writer, b"[1, 2, 3]")


async def _not_utf8(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    model = _model_of(request)
    if not _wants_stream(request):
        body = _dumped(whole(service.provider, model, Answer(text="caf@ on the quay")))
        return await _send(writer, 200, {}, body.replace(b"caf@", b"caf\xe9"))
    _begin_stream(writer, service.provider)
    for part in pieces(service.provider, model, Answer(text="caf@ on the quay")):
        _chunk(writer, part.replace(b"caf@", b"caf\xe9"))
    return await _end_stream(writer)


async def _error_inside(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    """200, and then an error in the body, as Ollama and OpenRouter send it in the middle of an answer."""
    message: Any = "the model runner has stopped"
    return await _raw(
        service, request, writer, _dumped({"error": message if service.provider == "ollama" else {"message": message}})
    )


async def _redirect(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 307 Moved\r\nLocation: https://elsewhere.example/v1\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    return True


async def _packed(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")
    await writer.drain()
    return True


async def _echoes_key(service: FakeService, request: Recorded, writer: asyncio.StreamWriter) -> bool:
    """An error that repeats the key it was sent."""
    key = request.headers.get("authorization", request.headers.get("x-goog-api-key", "")).removeprefix("Bearer ")
    return await _send(writer, 401, {}, error(service.provider, 401, f"Incorrect API key provided: {key}. Get one."))


ODDITIES = {
    "hang": _hang,
    "hang_after_start": _hang_after_start,
    "dropped": _dropped,
    "dropped_at_once": _dropped_at_once,
    "ends_early": _ends_early,
    "trickle": _trickle,
    "trickle_headers": _trickle_headers,
    "bad_json": _bad_json,
    "html": _html,
    "nothing": _nothing,
    "wrong_shape": _wrong_shape,
    "wrong_types": _wrong_types,
    "a_list": _a_list,
    "not_utf8": _not_utf8,
    "error_inside": _error_inside,
    "redirect": _redirect,
    "packed": _packed,
    "echoes_key": _echoes_key,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for a teaching service.")
    parser.add_argument("--provider", choices=sorted(MODELS), required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", default="ok", help="replies in turn, separated by commas")
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--busy-every", type=int)
    parser.add_argument("--per-minute", type=int)
    parser.add_argument("--keeps-limits", action="store_true", help="send no rate headers")
    given = parser.parse_args()
    service = FakeService(
        given.provider,
        given.script.split(","),
        delay=given.delay,
        pause=given.pause,
        busy_every=given.busy_every,
        per_minute=given.per_minute,
        tells_limits=not given.keeps_limits,
        port=given.port,
    )
    with service, suppress(KeyboardInterrupt):
        sys.stdout.write(f"{service.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
