"""What is remembered of a writer, their teachers and news, as programs see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from zega_core import db, memory, memory_words, teachers
from zega_core.configs import TeachingConfig
from zega_core.conversation_tables import Notification
from zega_core.facts.base import Facts
from zega_core.memory import Recalled
from zega_core.settings import Settings
from zega_core.store import teaching
from zega_core.store.memories import Count
from zega_core.teacher_checks import State
from zega_core.teachers import Place


class SourceFacts(Facts):
    """``there`` are texts that could be remembered, ``remembered`` those that are, ``by_meaning`` those of them that
    can be found by what they mean."""

    source: str
    label: str
    chosen: bool
    there: int
    remembered: int
    by_meaning: int


class MemoryFacts(Facts):
    """``message`` says what a worker still has to do, and how texts are compared."""

    sources: list[SourceFacts]
    behind: bool
    message: str


class RememberedFacts(Facts):
    """``score`` is how like it is to what was asked for, at most 1; None where nothing was."""

    memory_id: int
    text: str
    genre: str | None
    source: str
    from_where: str
    score: float | None
    created_at: datetime


class NotificationFacts(Facts):
    id: int
    kind: str
    text: str
    new: bool
    created_at: datetime


class NotificationList(Facts):
    unseen: int
    notifications: list[NotificationFacts]


class TeacherFacts(Facts):
    """``key`` says where its key comes from, never what it is. ``absent`` says why it is not asked, None when it is.
    ``local``: nothing leaves this machine."""

    provider: str
    label: str
    on: bool
    local: bool
    key: Literal["entered", "environment"] | None
    models: list[str]
    absent: str | None


class TeachingFacts(Facts):
    """In the order in which they are asked. ``budget`` is in euros a session, None is no limit."""

    teachers: list[TeacherFacts]
    storyteller: bool
    local_only: bool
    min_votes: int
    budget: float | None
    judge: str | None


class LookFacts(Facts):
    provider: str
    state: State
    message: str
    models: list[str]


def of_memory(chosen: Sequence[str], counts: Mapping[str, Count], behind: bool, note: str) -> MemoryFacts:
    waiting = memory_words.waiting(counts, behind)
    return MemoryFacts(
        sources=[
            SourceFacts(
                source=source,
                label=memory_words.SOURCES[source][0],
                chosen=source in chosen,
                there=count.there,
                remembered=count.texts,
                by_meaning=count.embedded,
            )
            for source, count in counts.items()
        ],
        behind=behind,
        message=" ".join(filter(None, (waiting, memory_words.compared(note)))),
    )


def of_notification(row: Notification) -> NotificationFacts:
    return NotificationFacts(
        id=row.id or 0, kind=row.kind, text=row.text, new=row.seen_at is None, created_at=row.created_at
    )


def of_teaching(config: TeachingConfig, places: Sequence[Place]) -> TeachingFacts:
    return TeachingFacts(
        teachers=[
            TeacherFacts(
                provider=place.key,
                label=place.label,
                on=place.choice.on,
                local=place.local,
                key="entered" if place.key_source == "entered" else "environment" if place.key_source else None,
                models=list(place.models()),
                absent=place.absent or None,
            )
            for place in places
        ],
        storyteller=config.storyteller,
        local_only=config.local_only,
        min_votes=config.min_votes,
        budget=config.budget,
        judge=config.judge or None,
    )


def of_looks(found: Mapping[str, Mapping[str, Any]]) -> list[LookFacts]:
    return [
        LookFacts(
            provider=name,
            state=one["state"],
            message=str(one.get("message") or one.get("text") or ""),
            models=list(one.get("models", [])),
        )
        for name, one in found.items()
    ]


def of_recalled(one: Recalled, *, likeness: bool) -> RememberedFacts:
    return RememberedFacts(
        memory_id=one.memory_id,
        text=one.text,
        genre=one.genre or None,
        source=one.source,
        from_where=one.from_,
        score=round(one.score, 3) if likeness else None,
        created_at=one.created_at,
    )


def memory_facts(writer: str, settings: Settings) -> MemoryFacts:
    """As it is stored now."""
    with db.reading(settings) as session:
        chosen, counts = memory.chosen(session, writer), memory.counts(session, writer)
        behind = memory.behind(session, writer)
    return of_memory(chosen, counts, behind, memory.embedder_note(settings))


def teaching_facts(writer: str, settings: Settings) -> TeachingFacts:
    """As it is stored now."""
    with db.reading(settings) as session:
        config = teaching.load(session, writer)
    return of_teaching(config, teachers.places(settings, config))
