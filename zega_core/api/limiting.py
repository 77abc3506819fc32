"""How much one who asks may ask, and what goes with every answer."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass

from fastapi import HTTPException, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zega_core.api import problems

log = logging.getLogger("zega.api")
MOST_BODY = 1_000_000
"""Bytes of a request."""
MOST_UPLOAD = 25_000_000
"""Bytes where a file is uploaded: a route says so by ``max_body_size=limiting.MOST_UPLOAD``."""
ON_EVERY_ANSWER = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-site"),
)


@dataclass(frozen=True, slots=True)
class Count:
    """Of the last minute. ``reset`` is in whole seconds: then there is room again."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        numbers = {b"limit": self.limit, b"remaining": self.remaining, b"reset": self.reset}
        return [(b"ratelimit-" + name, str(number).encode()) for name, number in numbers.items()]

    def refusal(self) -> Response:
        said = f"More than {self.limit:,} requests in a minute. Ask again in {self.reset} seconds."
        return problems.answer(429, said, headers={"Retry-After": str(self.reset)})


class Limiter:
    """So many requests in any sixty seconds, for each name apart. It forgets when the server ends."""

    def __init__(self, per_minute: int) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, name: str) -> Count:
        """Count one more, if there is room."""
        allowed = self._window.hit(self._item, name)
        stats = self._window.get_window_stats(self._item, name)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        return Count(allowed, self._item.amount, max(0, stats.remaining), min(reset, 60))


async def json_only(request: Request) -> None:
    """For every route: a body that is to be JSON says so. A page elsewhere cannot say so without being asked about."""
    field = getattr(request.scope.get("route"), "body_field", None)
    if field is None or type(field.field_info).__name__ in ("Form", "File"):
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return
    if await request.body():
        raise HTTPException(415, "Send JSON, with the header Content-Type: application/json.")


class Careful:
    """Around everything: headers that keep browsers careful, nothing stored on the way, and a line in the log. It has
    no query, which may hold texts, and no header, which may hold a key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, replaced = time.monotonic(), 0, False

        async def marked(message: Message) -> None:
            nonlocal status, replaced
            if replaced:
                return
            if message["type"] == "http.response.start":
                status = message["status"]
                if status == 413 and not _is_problem(message):  # the framework's own, in plain text
                    await problems.answer(413, problems.TOO_LARGE)(scope, receive, marked)
                    replaced = True
                    return
                named = Headers(raw=list(message["headers"]))
                extra = [pair for pair in ON_EVERY_ANSWER if pair[0].decode() not in named]
                kept = [pair for pair in message["headers"] if pair[0].lower() != b"cache-control"]
                message["headers"] = [*kept, *extra, (b"cache-control", b"no-store")]
            await send(message)

        try:
            await self._app(scope, receive, marked)
        finally:
            log.info("%s %r %s %.0f ms", scope["method"], scope["path"], status, 1000 * (time.monotonic() - began))


def _is_problem(message: Message) -> bool:
    return Headers(raw=list(message["headers"])).get("content-type") == problems.MEDIA_TYPE
