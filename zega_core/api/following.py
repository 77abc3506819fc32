"""Waiting for what a worker does. A client that hangs up ends the waiting, and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal, TypeVar

import anyio
from fastapi import Request, Response
from fastapi.sse import ServerSentEvent
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from zega_core import db, run_results
from zega_core.api import problems
from zega_core.errors import InvalidInput, NotFound, ZegaError
from zega_core.settings import Settings, get_settings
from zega_core.store import arrivals, examples, sessions
from zega_core.tables import UNFINISHED, Example, TrainingSession

LOOK = 0.3
"""Seconds between two looks."""
GONE = Response(status_code=499)
"""For a client that has hung up: nobody reads it, and it is no answer to be given again."""
STARTS = problems.documented(404, 409)
"""``responses`` of a route that begins something."""
Row = TypeVar("Row")


class Queued(BaseModel):
    """Look at ``location`` for how it goes; ``stream`` tells it as it comes, where there is one."""

    status: Literal["queued"] = "queued"
    session_id: str | None = None
    run_id: str | None = None
    location: str
    stream: str | None = None


def accepted(queued: Queued) -> Response:
    return Response(queued.model_dump_json(), 202, {"Location": queued.location}, media_type="application/json")


async def until(
    request: Request, look: Callable[[], Row], ended: Callable[[Row], bool], *, every: float = LOOK
) -> Row | None:
    """What ``look`` gives once it has ended; None when the client has hung up."""
    while True:
        found = await run_in_threadpool(look)
        if ended(found):
            return found
        if await request.is_disconnected():
            return None
        await anyio.sleep(every)


def as_json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)


def session_ended(row: TrainingSession) -> bool:
    return row.status not in UNFINISHED and row.recorded


def last_seen(last_event_id: str | None) -> int:
    """The id of the last event that came through; 0 without one. Raises InvalidInput."""
    if not last_event_id:
        return 0
    if not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > 10:
        raise InvalidInput("Last-Event-ID is the id of the last event that you got, a whole number.")
    return min(int(last_event_id), 2**31 - 1)


async def session_events(writer_id: str, session_id: str, seen: int) -> AsyncIterator[ServerSentEvent]:
    """Every example that was stored after the one with the id ``seen``, once each and in their order; how far it is
    whenever that changes; the result at the end. FastAPI puts a comment in between when nothing comes for long."""
    settings, told = get_settings(), ""
    while True:
        try:
            row, fresh, progress = await run_in_threadpool(_look, writer_id, session_id, seen, settings)
        except ZegaError as error:
            if isinstance(error, NotFound):  # it was deleted meanwhile
                yield ServerSentEvent(event="error", data={"detail": str(error)})
                return
            await anyio.sleep(LOOK)  # the database is busy
            continue
        for example in fresh:
            seen = example.id or seen
            yield ServerSentEvent(event="example", id=str(seen), data=_shown(example, session_id))
        said = json.dumps(progress, sort_keys=True)
        if said != told:
            yield ServerSentEvent(event="progress", data=progress)
            told = said
        if len(fresh) == arrivals.MOST:
            continue
        if session_ended(row):
            yield ServerSentEvent(event="result", data=await run_in_threadpool(_result, row, settings))
            return
        await anyio.sleep(LOOK)


def _look(
    writer_id: str, session_id: str, seen: int, settings: Settings
) -> tuple[TrainingSession, list[Example], dict[str, Any]]:
    """As it is at one moment."""
    with db.reading(settings) as session:
        row = sessions.get(session, writer_id, session_id)
        fresh = arrivals.after(session, row.id or 0, seen)
        tally = examples.tally(session, row.id or 0)
    progress = {
        "session_id": session_id,
        "status": str(row.status),
        "done": tally.done,
        "total": row.num_examples_requested,
        "successful": tally.kept,
        "set_aside": tally.set_aside,
        "failed": tally.failed,
        "average_quality": tally.average,
    }
    return row, fresh, progress


def _shown(example: Example, session_id: str) -> dict[str, Any]:
    names = ("id", "genre", "element", "prompt", "completion", "status", "reason", "quality", "model")
    return {"session_id": session_id, "index": example.idx} | {name: getattr(example, name) for name in names}


def _result(row: TrainingSession, settings: Settings) -> dict[str, Any]:
    with db.reading(settings) as session:
        return run_results.of_session(session, row, settings)
