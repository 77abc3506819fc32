"""Health, genres and Auto-Train."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import lru_cache
from importlib.metadata import version
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from zega_core import db, run_results, teachers
from zega_core.api import following, once, problems
from zega_core.api.access import Asking, Caller, WriterId, session_of
from zega_core.api.fields import GenreName, LastEventId, RunId
from zega_core.configs import MAX_EXAMPLES, AutoTrainConfig, GenreKey, TeachingConfig, checked
from zega_core.errors import InvalidInput
from zega_core.jobs import client, launcher
from zega_core.settings import Settings, get_settings
from zega_core.store import api_keys, sessions
from zega_core.tables import TrainingSession

router = APIRouter(route_class=once.Route)
A_WHILE = 30
FEATURES = ["auto-train", "streaming", "ensemble", "fine-tuning", "conversation", "memory", "history"]


class Health(BaseModel):
    """``worker``: whether one on this machine is at work. ``models_loaded``: teachers' models that are set up here."""

    status: Literal["healthy"]
    version: str
    models_loaded: int
    features: list[str]
    worker: bool
    database: Literal["sqlite", "postgresql"]


class Genres(BaseModel):
    genres: list[GenreKey]
    total: int


class AutoTrainBody(BaseModel):
    """What to write. Without genres: all eight. The same ``seed`` asks for the same pieces again."""

    model_config = ConfigDict(extra="forbid")

    user_id: WriterId | None = None
    num_examples: Annotated[int, Field(ge=1, le=MAX_EXAMPLES)]
    genres: Annotated[list[GenreName], Field(max_length=50)] | None = None
    store_in_memory: bool = False
    save_to_database: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    background: bool = False
    """Answer at once, with where to look."""


class Progress(BaseModel):
    training_examples: int
    examples_until_next_training: int


class AutoTrained(BaseModel):
    """``successful`` were kept, ``set_aside`` scored too low or repeated something, ``failed`` had no usable answer.
    Times are in seconds. ``status`` is ``done`` when all went well; ``error`` says what did not."""

    session_id: str
    status: str
    total_requested: int
    successful: int
    set_aside: int
    failed: int
    genre_distribution: dict[str, int]
    average_quality: float | None
    min_quality: float | None
    max_quality: float | None
    model_performance: dict[str, dict[str, float | None]]
    stories_saved: int
    total_time: float
    training_stats: Progress
    fine_tuning_triggered: bool
    ready_for_finetuning: bool
    error: str | None


@lru_cache(maxsize=1)
def _models_set_up(settings: Settings, _while: int) -> int:
    """Whoever watches asks often, and finding out reads files."""
    places = teachers.places(settings, TeachingConfig())
    return sum(len(place.models()) for place in places if not place.absent)


@router.get("/health", tags=["system"], operation_id="health", summary="Is the server there")
def health() -> Health:
    """Needs no key. That it answers means that the server and the database do."""
    settings = get_settings()
    with db.reading(settings) as session:
        api_keys.any_valid(session)
    return Health(
        status="healthy",
        version=version("zega"),
        models_loaded=_models_set_up(settings, int(time.monotonic() / A_WHILE)),
        features=FEATURES,
        worker=launcher.worker_is_alive(settings),
        database="postgresql" if settings.uses_postgresql else "sqlite",
    )


@router.get("/training/genres", tags=["training"], operation_id="genres", summary="The genres there are")
def genres() -> Genres:
    return Genres(genres=list(GenreKey), total=len(GenreKey))


def _start(body: AutoTrainBody, caller: Caller, begun: once.Noted) -> tuple[str, str]:
    """Writer and id of the session that the request is for."""
    writer = caller.acting(body.user_id)
    if begun.earlier:
        return writer, begun.earlier
    settings = get_settings()
    config = checked(
        AutoTrainConfig,
        writer_id=writer,
        genres=tuple(genre.value for genre in body.genres or ()),
        **body.model_dump(include={"num_examples", "store_in_memory", "save_to_database", "seed"}),
    )
    lineup = teachers.lineup(settings, writer)
    return writer, client.start_auto_train(config, teacher=lineup, noted=begun.note, settings=settings)


@router.post(
    "/auto-train",
    tags=["training"],
    operation_id="auto_train",
    summary="Have training examples written, scored and kept",
    response_model=AutoTrained,
    responses={202: {"model": following.Queued, "description": "It is under way"}, **following.STARTS},
    dependencies=[once.HONOURED],
)
async def auto_train(request: Request, body: AutoTrainBody, asking: Asking, begun: once.Begun) -> Any:
    """Answers when all is written, which takes seconds for each example; with `"background": true` at once. Who hangs
    up loses nothing: the session goes on."""
    writer, session_id = await run_in_threadpool(_start, body, asking, begun)
    if body.background:
        queued = following.Queued(
            session_id=session_id, location=f"/auto-train/{session_id}", stream=f"/auto-train-stream/{session_id}"
        )
        return following.accepted(queued)

    def look() -> TrainingSession:
        with db.reading() as session:
            return sessions.get(session, writer, session_id)

    row = await following.until(request, look, following.session_ended)
    return following.GONE if row is None else await run_in_threadpool(_result_of, writer, session_id)


@router.get(
    "/auto-train/{session_id}",
    tags=["training"],
    operation_id="auto_train_state",
    summary="What a session has come to by now",
    responses=problems.documented(404),
)
def auto_train_state(session_id: RunId, asking: Asking) -> AutoTrained:
    return _result_of(session_of(asking, session_id).user_id, session_id)


async def _opened(
    asking: Asking,
    begun: once.Begun,
    body: AutoTrainBody | None = None,
    session_id: Annotated[
        str | None, Query(pattern="^[0-9a-f]{32}$", description="Of a session to follow on; no body then.")
    ] = None,
    last_event_id: LastEventId = None,
) -> tuple[str, str, int]:
    """Writer, session and the last event seen. What can be refused is refused before the stream begins."""
    seen = following.last_seen(last_event_id)
    if session_id is not None:
        return (await run_in_threadpool(session_of, asking, session_id)).user_id, session_id, seen
    if body is None:
        raise InvalidInput("Say what to write, or which session to follow: a body, or the query session_id.")
    return *await run_in_threadpool(_start, body, asking, begun), seen


@router.post(
    "/auto-train-stream",
    tags=["training"],
    operation_id="auto_train_stream",
    summary="The same, told as it comes",
    response_class=EventSourceResponse,
    responses=following.STARTS,
    dependencies=[once.HONOURED],
)
async def auto_train_stream(
    opened: Annotated[tuple[str, str, int], Depends(_opened)],
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `progress` (the first one names the session), `example` for each one stored, comments to
    stay awake, `result` at the end. After a drop send `Last-Event-ID` with `?session_id=…`, or to
    `GET /auto-train-stream/{session_id}`: nothing is missed and nothing comes twice."""
    async for event in following.session_events(*opened):
        yield event


async def _followed(session_id: RunId, asking: Asking, last_event_id: LastEventId = None) -> tuple[str, str, int]:
    seen = following.last_seen(last_event_id)
    return (await run_in_threadpool(session_of, asking, session_id)).user_id, session_id, seen


@router.get(
    "/auto-train-stream/{session_id}",
    tags=["training"],
    operation_id="auto_train_follow",
    summary="Follow a session, from the beginning or from the last event seen",
    response_class=EventSourceResponse,
    responses=problems.documented(404),
)
async def auto_train_follow(
    followed: Annotated[tuple[str, str, int], Depends(_followed)],
) -> AsyncIterator[ServerSentEvent]:
    async for event in following.session_events(*followed):
        yield event


def _result_of(writer: str, session_id: str) -> AutoTrained:
    settings = get_settings()
    with db.reading(settings) as session:
        row = sessions.get(session, writer, session_id)
        return AutoTrained(**run_results.of_session(session, row, settings))
