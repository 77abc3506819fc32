"""``Idempotency-Key``: a request that is sent twice is done once, and answered twice.

A router that has such routes is made with ``APIRouter(route_class=once.Route)``, and each such route with
``dependencies=[once.HONOURED]``. That is all for what is done at once: the answer is stored when the route has
returned, and given again for 24 hours. Errors are not stored; the key is free again after one.

A process may be killed after it has begun something and before it has answered. Where that must not be begun again the
route takes ``begun: once.Begun`` and notes it in the transaction that begins it::

    run_id = begun.earlier or client.start_something(..., noted=begun.note)

``begun.earlier`` is what an earlier process noted for the same request, and ``note(session, identity)`` takes the
transaction back when another process was first. Without a key ``earlier`` is empty and ``note`` does nothing.
"""

from __future__ import annotations

import asyncio
import logging
import string
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

import anyio
from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from zega_core import db
from zega_core.api import problems
from zega_core.errors import ChangedElsewhere, ZegaError
from zega_core.store import once_only

log = logging.getLogger("zega.api")
EVERY = 5.0
"""Seconds between two signs of life of a request under way."""
RETRY_AFTER = "2"
NAME = "idempotency-key"
MOST = 255
REPLAYED = "Idempotency-Replayed"
UNDER_WAY = "The request with this Idempotency-Key is still under way. Ask again in a moment: it is not done twice."
ANOTHER = "This Idempotency-Key was sent with another request. Use a new one for each thing to be done."
FIRST = "Another process has begun this request already. Ask again in a moment: it is not done twice."


@dataclass(slots=True)
class Noted:
    """What a route that begins something is given."""

    writer: str = ""
    key: str = ""
    earlier: str = ""

    def note(self, session: Session, identity: str) -> None:
        """Call it in the transaction that begins ``identity``. Raises ChangedElsewhere when another was first."""
        if self.key and not once_only.begun(session, self.writer, self.key, identity):
            raise ChangedElsewhere(FIRST)


async def noted(request: Request) -> Noted:
    return getattr(request.state, "once", None) or Noted()


Begun = Annotated[Noted, Depends(noted)]


async def _documented(
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=MOST, pattern=r"^[\x20-\x7e]+$", description="Sent twice, it is done once."),
    ] = None,
) -> None:
    pass


HONOURED = Depends(_documented)
"""For the routes of a ``Route`` router that take an ``Idempotency-Key``."""


class Route(APIRoute):
    """Answers a request that has been answered before with the same answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if HONOURED not in self.dependencies:
            return handle

        async def once(request: Request) -> Response:
            key = request.headers.get(NAME)
            if not key or len(key) > MOST or not set(key) <= set(string.printable[:95]):
                return await handle(request)  # which refuses a key that is none
            return await _once(request, key, handle)

        return once


async def _once(request: Request, key: str, handle: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    hashed = _hash_of(request, await request.body())
    claim = await run_in_threadpool(_claim, request.state.caller.writer, key, hashed)
    row = claim.row
    if not claim.ours:
        if row.request_hash != hashed:
            return problems.answer(422, ANOTHER)
        if row.status is None:
            return problems.answer(409, UNDER_WAY, headers={"Retry-After": RETRY_AFTER})
        headers = {REPLAYED: "true"} | ({"Location": row.location} if row.location else {})
        return Response(row.body, row.status, headers, media_type="application/json")
    request.state.once = Noted(row.user_id, key, row.location)
    answered: Response | None = None
    try:
        async with _alive(row.user_id, key):
            answered = answer = await handle(request)
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(_finish, row.user_id, key, answered)
    return answer


def _hash_of(request: Request, body: bytes) -> str:
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return sha256(asked + body).hexdigest()


def _claim(writer: str | None, key: str, hashed: str) -> once_only.Claim:
    with db.session() as session:
        return once_only.claim(session, writer or once_only.keeper(session), key, hashed)


def _finish(writer: str, key: str, answer: Response | None) -> None:
    """Store an answer that is whole and good; after any other the request may be sent again."""
    with db.session() as session:
        body = getattr(answer, "body", None)
        if answer is None or answer.status_code >= 400 or not isinstance(body, bytes):
            once_only.let_go(session, writer, key)
            return
        location = answer.headers.get("location", "")
        once_only.answer(session, writer, key, status=answer.status_code, location=location, body=body.decode())


@asynccontextmanager
async def _alive(writer: str, key: str) -> AsyncIterator[None]:
    """Signs of life are stored as long as this lasts."""

    async def beat() -> None:
        while True:
            await anyio.sleep(EVERY)
            try:
                await run_in_threadpool(_beat, writer, key)
            except ZegaError as error:  # the database is busy: the next one may be stored, and the work goes on
                log.warning("a sign of life could not be stored: %s", error)

    task = asyncio.create_task(beat())  # no group: one would have to outlive a stream that begins in here
    try:
        yield
    finally:
        task.cancel()


def _beat(writer: str, key: str) -> None:
    with db.session() as session:
        once_only.beat(session, writer, key)
