"""What is a writer's own: stories, memory, style, teachers, news."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from zega_core import after_saving, db, memory, memory_words, profiling
from zega_core.api import problems, threads
from zega_core.api.access import ForWriter
from zega_core.api.fields import RowId, Sent, Text, UsedSettings
from zega_core.api.routes import stories, teachers
from zega_core.facts.base import Said
from zega_core.facts.personal import (
    MemoryFacts,
    NotificationList,
    RememberedFacts,
    memory_facts,
    of_notification,
    of_recalled,
)
from zega_core.facts.style import StyleFacts, style_facts
from zega_core.jobs import client
from zega_core.store import notifications
from zega_core.writing_configs import MEMORY_SOURCES, MemorySource

router = APIRouter(prefix="/api")
router.include_router(stories.router)
router.include_router(teachers.router)
MEMORY: list[str | Enum] = ["memory"]
STYLE: list[str | Enum] = ["style"]
NEWS: list[str | Enum] = ["notifications"]
Most = Annotated[int, Query(ge=1, le=100)]


class Sources(Sent):
    """What is to be remembered, and nothing else."""

    sources: Annotated[list[MemorySource], Field(max_length=len(MEMORY_SOURCES))]


class Correction(Sent):
    """``key`` is a side of style, set to ``value`` from 0 to 100, or a theme or archetype that is the writer's (true)
    or not (false). ``value`` null takes back what was set by hand."""

    key: Annotated[Text, Field(min_length=1, max_length=64)]
    value: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | bool | None


@router.get("/memory", operation_id="get_memory", tags=MEMORY, responses=problems.documented(404, 422))
def get_memory(writer: ForWriter, settings: UsedSettings) -> MemoryFacts:
    """How much is remembered of each source."""
    return memory_facts(writer, settings)


@router.put("/memory/sources", operation_id="choose_memory", tags=MEMORY, responses=problems.documented(404, 422))
def choose_memory(wanted: Sources, writer: ForWriter, settings: UsedSettings) -> MemoryFacts:
    """Choose what is remembered. What is not chosen any more is forgotten at once."""
    with db.session(settings) as session:
        memory.choose(session, writer, wanted.sources)
    after_saving.remember(writer, settings)
    return memory_facts(writer, settings)


@router.get("/memory/texts", operation_id="search_memory", tags=MEMORY, responses=problems.documented(404, 422))
def search_memory(
    writer: ForWriter,
    settings: UsedSettings,
    query: Annotated[Text, Query(max_length=memory.LONGEST_QUERY, description="Empty: the newest.")] = "",
    limit: Most = 20,
) -> list[RememberedFacts]:
    """What is remembered that is like a description, the likest first."""
    with db.reading(settings) as session:
        if query.strip():
            found = memory.find(session, writer, query, settings, most=limit)
        else:
            found = memory.newest(session, writer, most=limit)
    return [of_recalled(one, likeness=bool(query.strip())) for one in found]


@router.delete("/memory/texts", operation_id="forget_all", tags=MEMORY, responses=problems.documented(404, 422))
def forget_all(writer: ForWriter, settings: UsedSettings) -> Said:
    """Forget everything; nothing is remembered until it is chosen again. The texts themselves stay."""
    with db.session(settings) as session:
        return Said(message=memory_words.forgotten(memory.forget_all(session, writer)))


@router.delete("/memory/texts/{memory_id}", operation_id="forget", tags=MEMORY, responses=problems.documented(404, 422))
def forget(memory_id: RowId, writer: ForWriter, settings: UsedSettings) -> Said:
    """Forget one text; it is not remembered again. The text itself stays."""
    with db.session(settings) as session:
        memory.forget(session, writer, memory_id)
    return Said(message=memory_words.FORGOTTEN)


@router.get("/style", operation_id="get_style", tags=STYLE, responses=problems.documented(404, 422))
def get_style(writer: ForWriter, settings: UsedSettings) -> StyleFacts:
    """The writer's style as it was measured and as they set it."""
    return style_facts(writer, settings)


@router.put("/style", operation_id="correct_style", tags=STYLE, responses=problems.documented(404, 422))
def correct_style(correction: Correction, writer: ForWriter, settings: UsedSettings) -> StyleFacts:
    """Set a side of style, a theme or an archetype by hand: it outweighs what was measured."""
    with db.session(settings) as session:
        if correction.value is None:
            profiling.reset(session, writer, correction.key)
        else:
            profiling.correct(session, writer, correction.key, correction.value)
    return style_facts(writer, settings)


@router.delete("/style", operation_id="reset_style", tags=STYLE, responses=problems.documented(404, 422))
def reset_style(writer: ForWriter, settings: UsedSettings) -> StyleFacts:
    """Take back all that was set by hand."""
    with db.session(settings) as session:
        profiling.reset(session, writer)
    return style_facts(writer, settings)


@router.post(
    "/style/measure", operation_id="measure_style", tags=STYLE, status_code=202, responses=problems.documented(404, 422)
)
@threads.long
def measure_style(writer: ForWriter, settings: UsedSettings) -> StyleFacts:
    """Have a worker measure what is new."""
    client.measure_style_if_due(writer, settings)
    return style_facts(writer, settings)


@router.get("/notifications", operation_id="list_notifications", tags=NEWS, responses=problems.documented(404, 422))
def list_notifications(writer: ForWriter, limit: Most = 20) -> NotificationList:
    """What happened, newest first."""
    with db.reading() as session:
        rows, unseen = notifications.recent(session, writer, limit), notifications.unseen(session, writer)
    return NotificationList(unseen=unseen, notifications=[of_notification(row) for row in rows])


@router.post("/notifications/seen", operation_id="mark_seen", tags=NEWS, responses=problems.documented(404, 422))
def mark_seen(writer: ForWriter, settings: UsedSettings) -> NotificationList:
    """They have been read."""
    with db.session(settings) as session:
        notifications.mark_seen(session, writer)
    return list_notifications(writer)
