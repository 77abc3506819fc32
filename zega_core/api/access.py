"""Who asks: the person at this machine without a key, or the writer whose key it is.

Without a key the API answers this machine only, and only while it listens on no other address and nobody signs in. The
Host header is looked at then, so that a page elsewhere whose name leads to this machine (DNS rebinding) gets nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zega_core import callers, db
from zega_core.api import limiting, problems
from zega_core.configs import check_writer_id
from zega_core.errors import NotFound, ZegaError
from zega_core.history_reports import as_writer
from zega_core.settings import Settings
from zega_core.store import api_keys, sessions, writers
from zega_core.tables import TrainingSession

LOOPBACK = r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
ORIGIN = rf"https?://{LOOPBACK}"
DRAWN_WITH = "/docs-files"
OPEN = ("/health", "/docs", "/openapi.json")
"""They say nothing of any writer: whoever watches over the server, or reads how to use it, needs no key."""
MISSING = (
    "This needs a key: Authorization: Bearer zega_… or X-API-Key. A key is made in Settings, or by zega keys create."
)
WRONG = "This key opens nothing: it is mistyped or revoked. Make a new one in Settings, or by zega keys create."
ELSEWHERE = (
    "Without a key ZEGA answers this machine only, asked as localhost or 127.0.0.1. Send a key, or ask it there."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """``writer`` is whose key came; None at this machine without one, where every local writer is the caller's."""

    writer: str | None

    def checked(self, writer_id: str) -> str:
        """The id, if the caller may act for that writer. Raises InvalidInput for what is no id, and NotFound for
        another writer's, which answers like one that does not exist."""
        check_writer_id(writer_id)
        if self.writer not in (None, writer_id):
            raise NotFound("There is no such writer. Use the id of the writer whose key this is.")
        return writer_id

    def acting(self, writer_id: str | None) -> str:
        """The same where the id may be left out: whose key it is then, or the writer last used on this machine."""
        if writer_id is not None:
            return self.checked(writer_id)
        if self.writer is not None:
            return self.writer
        with db.reading() as session:
            known = writers.last_used(session)
        if known is not None:
            return known
        with db.session() as session:  # on the very first start the default writer is made
            return writers.ids(session)[0]


async def caller(request: Request) -> Caller:
    return request.state.caller


Asking = Annotated[Caller, Depends(caller)]


def session_of(asking: Caller, session_id: str) -> TrainingSession:
    """The session with this id; another writer's is not found, exactly like one that does not exist."""
    with db.reading() as session:
        if asking.writer is None:
            return sessions.anyones(session, session_id)
        return sessions.get(session, asking.writer, session_id)


def acting_writer(
    asking: Asking,
    user_id: Annotated[
        str | None, Query(description="Whose. Without it: whose key it is, or the writer last used on this machine.")
    ] = None,
) -> str:
    """For routes that name no writer in their path."""
    return asking.acting(user_id)


ForWriter = Annotated[str, Depends(acting_writer)]


WriterId = Annotated[
    str,
    BeforeValidator(as_writer),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"}, {"type": "integer", "minimum": 0}]}
    ),
]
"""A writer's id in a body. A whole number is taken as its digits."""


class Door:
    """Lets in who may come in, as often as they may."""

    def __init__(self, app: ASGIApp, settings: Settings, host: str) -> None:
        self._app, self._settings = app, settings
        self._keyless = callers.without_keys(host)
        self._limiter = limiting.Limiter(settings.api_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        bucket, found = await self._who(scope, headers)
        count = self._limiter.hit(bucket)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *count.headers()]
            await send(message)

        if not count.allowed:
            await count.refusal()(scope, receive, counted)
        elif isinstance(found, Response):
            await found(scope, receive, counted)
        else:
            scope.setdefault("state", {})["caller"] = found
            await self._app(scope, receive, counted)

    async def _who(self, scope: Scope, headers: Headers) -> tuple[str, Caller | Response]:
        """In whose name requests are counted, and who asks, or why they may not."""
        client = scope["client"][0] if scope.get("client") else ""
        clear = _key_in(headers)
        if clear is not None:
            try:
                key = await run_in_threadpool(_used, clear, self._settings)
            except ZegaError as error:
                return f"machine {client}", problems.answer(problems.status_of(error), str(error))
            if key is None:
                return f"machine {client}", problems.answer(401, WRONG, headers=_HOW)
            return f"key {key[0]}", Caller(key[1])
        if scope["path"] in OPEN or scope["path"].startswith(f"{DRAWN_WITH}/"):
            return f"machine {client}", Caller("")
        if not self._keyless:
            return f"machine {client}", problems.answer(401, MISSING, headers=_HOW)
        if not _comes_from_here(client, headers):
            return f"machine {client}", problems.answer(403, ELSEWHERE)
        return "machine", Caller(None)


_HOW = {"WWW-Authenticate": 'Bearer realm="ZEGA"'}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Somebody on this machine passes on what others ask."""


def _key_in(headers: Headers) -> str | None:
    """The key that was sent, be it a good one or not; None if none was."""
    if (sent := headers.get("authorization")) is not None:
        scheme, _, clear = sent.partition(" ")
        return clear.strip() if scheme.lower() == "bearer" else ""
    return headers.get("x-api-key")


def _used(clear: str, settings: Settings) -> tuple[int, str] | None:
    """Id and writer of a valid key, whose use is noted."""
    with db.reading(settings) as session:
        key = api_keys.find(session, clear)
    if key is None or key.id is None:
        return None
    if api_keys.unnoted(key):
        with db.session(settings) as session:
            api_keys.touch(session, key.id)
    return key.id, key.user_id


def _comes_from_here(client: str, headers: Headers) -> bool:
    if not callers.is_loopback(client) or any(name in headers for name in _FORWARDED):
        return False
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    return (
        len(hosts) == 1
        and re.fullmatch(LOOPBACK, hosts[0].lower()) is not None
        and all(re.fullmatch(ORIGIN, origin.lower()) for origin in origins)
    )
