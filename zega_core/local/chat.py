"""The web application inside the warm process: OpenAI's chat completions and embeddings for those who know the
secret."""

from __future__ import annotations

import asyncio
import hmac
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from zega_core.errors import ZegaError
from zega_core.local.embeddings import Embeddings, Encodes
from zega_core.local.names import listed
from zega_core.local.protocol import (
    CUT_HEADER,
    LAST_EVENT,
    Answer,
    Begun,
    ChatRequest,
    Writing,
    Written,
    error_body,
    event,
    read_request,
)
from zega_core.local.requests import read_body, refusal, until_gone

log = logging.getLogger(__name__)

Item = Begun | str | Written | Exception


class Writer(Protocol):
    """``engine.Engine``."""

    def write(self, writing: Writing, tell: Callable[[Begun | str], None], stop: threading.Event) -> Written: ...


class Chat:
    """Takes requests and has them written one after another."""

    def __init__(self, home: Path, writer: Writer, secret: str, encoder: Encodes | None = None) -> None:
        self._home, self._writer = home, writer
        self._thread = ThreadPoolExecutor(1)  # the others wait in the order in which they came
        self._open, self._last = 0, time.monotonic()
        self._embeddings = None if encoder is None else Embeddings(encoder)
        routes = [
            Route("/v1/chat/completions", self._complete, methods=["POST"]),
            Route("/v1/models", self._models, methods=["GET"]),
        ]
        if self._embeddings is not None:
            routes.append(Route("/v1/embeddings", self._embeddings.answer, methods=["POST"]))
        self.app = Starlette(
            routes=routes,
            middleware=[
                # A page on the web whose name leads to this machine is turned away by the name.
                Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False),
                Middleware(_Known, secret=secret),
            ],
        )

    @property
    def idle(self) -> float:
        """Seconds since the last text was finished or embedded; 0.0 while there is one."""
        idle = 0.0 if self._open else time.monotonic() - self._last
        return idle if self._embeddings is None else min(idle, self._embeddings.idle)

    async def _models(self, request: Request) -> Response:
        names = [str(name) for name in listed(self._home)]
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})

    async def _complete(self, request: Request) -> Response:
        try:
            asked = read_request(ChatRequest, await read_body(request))
            writing = asked.writing()
        except ZegaError as error:
            return refusal(error)
        stop = threading.Event()
        items = self._begin(writing, stop)
        gone = asyncio.create_task(until_gone(request, stop))
        first = await items.get()
        if isinstance(first, Exception):
            return refusal(first)
        if not isinstance(first, Begun):
            return Response(status_code=499)  # nobody is there to read it
        headers = {CUT_HEADER: str(first.cut)}
        if asked.stream:
            events = _events(asked, first, items, stop, gone)
            return StreamingResponse(events, headers=headers, media_type="text/event-stream")
        return await _whole(asked, first, items, headers)

    def _begin(self, writing: Writing, stop: threading.Event) -> asyncio.Queue[Item]:
        """Where what is written will arrive."""
        items: asyncio.Queue[Item] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(item: Item) -> None:
            loop.call_soon_threadsafe(items.put_nowait, item)

        def write() -> None:
            try:
                tell(self._writer.write(writing, tell, stop))
            except Exception as error:
                if not isinstance(error, ZegaError):
                    log.exception("writing failed")
                tell(error)
            finally:
                loop.call_soon_threadsafe(self._ended)

        self._open += 1
        self._thread.submit(write)
        return items

    def _ended(self) -> None:
        self._open, self._last = self._open - 1, time.monotonic()


class _Known:
    """Lets in who knows the secret."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app, self._wanted = app, f"Bearer {secret}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._wanted):
            body = {"error": {"message": "This address is for ZEGA on this machine.", "type": "Unknown", "code": 401}}
            await JSONResponse(body, 401)(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def _events(
    asked: ChatRequest, begun: Begun, items: asyncio.Queue[Item], stop: threading.Event, gone: asyncio.Task[None]
) -> AsyncIterator[str]:
    answer = Answer(asked.model)
    try:
        while isinstance(item := await items.get(), str | Begun):
            if isinstance(item, str):
                yield answer.piece(item)
        if isinstance(item, Exception):
            yield event(error_body(item)[1])
            return
        yield answer.piece("", item.finish)
        if asked.stream_options is not None and asked.stream_options.include_usage:
            yield answer.usage(begun.prompt_tokens, item.tokens)
        yield LAST_EVENT
    finally:
        stop.set()
        gone.cancel()


async def _whole(asked: ChatRequest, begun: Begun, items: asyncio.Queue[Item], headers: dict[str, str]) -> Response:
    text: list[str] = []
    while isinstance(item := await items.get(), str | Begun):
        text.append(item if isinstance(item, str) else "")
    if isinstance(item, Exception):
        return refusal(item)
    answer = Answer(asked.model).whole("".join(text), begun.prompt_tokens, item.tokens, item.finish)
    return JSONResponse(answer, headers=headers)
