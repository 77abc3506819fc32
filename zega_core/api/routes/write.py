"""Writing with the writer's own model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Path, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent, format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from zega_core import db, writing
from zega_core.api import following, once, problems
from zega_core.api.access import Asking, Caller, WriterId
from zega_core.api.fields import GenreName, Text
from zega_core.configs import checked
from zega_core.errors import InvalidInput, NotFound, ProviderUnavailable, ZegaError
from zega_core.local import names
from zega_core.settings import get_settings
from zega_core.store import writing_choices, writings
from zega_core.writing_authors import has_teacher
from zega_core.writing_configs import BASE, CUSTOM, MAX_BRIEF, TEACHERS, WriteRequest
from zega_core.writing_tables import Take, TakeState

router = APIRouter(route_class=once.Route)
LOOK = 0.1
AWAKE = 10.0
"""Seconds without news after which a stream has a comment."""
FAREWELL = 5.0
"""Seconds for what is written to be stored after Stop."""
LOCAL = "local/"
NO_TEACHER = "No teacher can be asked now: the base model writes."
TakeId = Annotated[int, Path(ge=1, lt=2**31, description="As it was given with the text.")]


class PredictBody(BaseModel):
    """What to write. What is left out is as the writer has set it up on the page Write."""

    model_config = ConfigDict(extra="forbid")

    user_id: WriterId | None = None
    context: Annotated[Text, Field(max_length=MAX_BRIEF)] = ""
    """What to write about, in the writer's words."""
    use_custom_model: bool | None = None
    """Their version in use; false: the first of their teachers that can, or the base model where none is set up."""
    genre: GenreName | None = None
    element: Annotated[Text, Field(max_length=16)] = ""
    """scene, character, dialogue or setting."""
    words: Annotated[int, Field(ge=20, le=800)] | None = None
    temperature: Annotated[float, Field(ge=0, le=1.5, allow_inf_nan=False)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    hints: bool | None = None
    """Say how the writer writes."""
    recall: bool | None = None
    """Give what is remembered of their texts."""
    stream: bool = False


class Recalled(BaseModel):
    memory_id: int | None = None
    text: str = ""
    from_: str = ""


class Predicted(BaseModel):
    """``note`` says why another model than the asked one wrote, and what was left out; ``state`` is ``writing`` until
    it is done. ``quality`` is 0 to 10."""

    user_id: str
    take_id: int
    text: str
    state: TakeState
    model: str
    version: int | None
    custom_model_used: bool
    note: str
    hints: list[str]
    recalled: list[Recalled]
    left_out: list[str]
    quality: float | None
    seed: int
    cut: bool
    error: str


def _start(body: PredictBody, caller: Caller, begun: once.Noted) -> tuple[str, str]:
    """Writer and key of the request, which is being written."""
    settings, writer = get_settings(), caller.acting(body.user_id)
    if begun.earlier:
        return writer, begun.earlier
    with db.reading(settings) as session:
        chosen = writing_choices.load(session, writer)
    own = chosen.custom if body.use_custom_model is None else body.use_custom_model
    asked = body.model_dump(include={"element", "words", "temperature", "seed", "hints", "recall"}, exclude_none=True)
    request = checked(
        WriteRequest,
        **chosen.model_dump(include={"words", "temperature", "hints", "recall"})
        | asked
        | {
            "writer_id": writer,
            "brief": body.context,
            "genre": body.genre or "",
            "authors": (CUSTOM if own else TEACHERS if has_teacher(writer, settings) else BASE,),
        },
    )
    return writer, writing.start(request, settings, noted=begun.note).key


def _take(writer: str, key: str) -> Take:
    with db.reading() as session:
        return writing.state(session, writer, key)[1][0]


def _written(take: Take) -> Predicted:
    context = take.context if isinstance(take.context, dict) else {}
    version = _version(take.model)
    return Predicted(
        take_id=take.id or 0,
        state=TakeState(take.state),
        version=version,
        custom_model_used=take.asked == CUSTOM and version is not None,
        hints=[str(hint) for hint in context.get("hints", [])],
        recalled=[Recalled.model_validate(one) for one in context.get("recalled", []) if isinstance(one, dict)],
        left_out=[str(one) for one in context.get("left_out", [])],
        **{name: getattr(take, name) for name in ("user_id", "text", "model", "quality", "seed", "cut", "error")},
        note=NO_TEACHER if take.asked == BASE else take.note,
    )


def _version(model: str) -> int | None:
    """The number of the version that wrote; None for any other model."""
    try:
        return names.read_name(model.removeprefix(LOCAL)).number or None if model.startswith(LOCAL) else None
    except InvalidInput:
        return None


@router.post(
    "/predict",
    tags=["writing"],
    operation_id="predict",
    summary="Have a text written",
    response_model=Predicted,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **following.STARTS},
    dependencies=[once.HONOURED],
)
async def predict(request: Request, body: PredictBody, asking: Asking, begun: once.Begun) -> Any:
    """Answers with the whole text; with `"stream": true` as `POST /predict-stream` does. Who hangs up finds the text on
    the page Write."""
    writer, key = await run_in_threadpool(_start, body, asking, begun)
    if body.stream:
        return EventSourceResponse(_encoded(_events(writer, key)))
    take = await following.until(
        request, lambda: _take(writer, key), lambda take: take.state != TakeState.writing, every=LOOK
    )
    if take is None:
        return following.GONE
    if take.state == TakeState.failed:
        raise ProviderUnavailable(take.error)
    return _written(take)


async def _begun(body: PredictBody, asking: Asking, begun: once.Begun) -> tuple[str, str]:
    return await run_in_threadpool(_start, body, asking, begun)


@router.post(
    "/predict-stream",
    tags=["writing"],
    operation_id="predict_stream",
    summary="Have a text written, and read it as it comes",
    response_class=EventSourceResponse,
    responses=following.STARTS,
    dependencies=[once.HONOURED],
)
async def predict_stream(started: Annotated[tuple[str, str], Depends(_begun)]) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `take` with what is known at the beginning, `text` for each piece, `result` at the end, or
    `error` with a sentence. `DELETE /predict/{take_id}` stops it."""
    async for event in _events(*started):
        yield event


@router.get(
    "/predict/{take_id}",
    tags=["writing"],
    operation_id="predicted",
    summary="A text as it is by now",
    responses=problems.documented(404),
)
def predicted(take_id: TakeId, asking: Asking) -> Predicted:
    return _written(_take(*_found(take_id, asking)))


@router.delete(
    "/predict/{take_id}",
    tags=["writing"],
    operation_id="stop_predicting",
    summary="Stop writing a text; what is written stays",
    responses=problems.documented(404),
)
def stop_predicting(take_id: TakeId, asking: Asking) -> Predicted:
    writer, key = _found(take_id, asking)
    writing.stop(writer, key, get_settings())
    writing.wait(key, FAREWELL)
    return _written(_take(writer, key))


def _found(take_id: int, caller: Caller) -> tuple[str, str]:
    """Writer and key of the request; another writer's is not found, exactly like one that does not exist."""
    with db.reading() as session:
        writer = writings.writer_of_take(session, take_id)
        mine = writer if writer is not None and caller.writer in (None, writer) else ""
        return mine, writings.writing_of(session, writings.take(session, mine, take_id)).key


async def _events(writer: str, key: str) -> AsyncIterator[ServerSentEvent]:
    sent, quiet, told = 0, 0.0, False
    while True:
        try:
            take = await run_in_threadpool(_take, writer, key)
        except NotFound as error:  # it was deleted meanwhile
            yield ServerSentEvent(event="error", data={"detail": str(error)})
            return
        except ZegaError:  # the database is busy: the next look tries again
            await anyio.sleep(LOOK)
            continue
        if not told:
            yield ServerSentEvent(event="take", data={"take_id": take.id, "model": take.model, "note": take.note})
            told = True
        if fresh := take.text[sent:]:
            yield ServerSentEvent(event="text", data={"text": fresh})
            sent, quiet = len(take.text), 0.0
        if take.state == TakeState.failed:
            yield ServerSentEvent(event="error", data={"detail": take.error})
            return
        if take.state != TakeState.writing:
            yield ServerSentEvent(event="result", data=_written(take).model_dump(mode="json"))
            return
        await anyio.sleep(LOOK)
        quiet += LOOK
        if quiet >= AWAKE:
            yield ServerSentEvent(comment="still writing")
            quiet = 0.0


async def _encoded(events: AsyncIterator[ServerSentEvent]) -> AsyncIterator[bytes]:
    async for event in events:
        data = None if event.data is None else following.as_json(event.data)
        yield format_sse_event(data_str=data, event=event.event, id=event.id, comment=event.comment)
