"""What every address of this machine's server does with a request."""

from __future__ import annotations

import threading

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from zega_core.errors import InvalidInput
from zega_core.local.protocol import MOST_BYTES, error_body


async def read_body(request: Request) -> bytes:
    """Raises InvalidInput for what is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise InvalidInput("This prompt is too long. Shorten it to less than a million characters.")
    return bytes(body)


async def until_gone(request: Request, stop: threading.Event) -> None:
    """Until nobody waits for the answer any more, or it is complete."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    stop.set()


def refusal(error: Exception) -> Response:
    status, body = error_body(error)
    return JSONResponse(body, status)
