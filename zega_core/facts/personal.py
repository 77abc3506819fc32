"""What is remembered of a writer, their style, pages, teachers and news, as programs see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from zega_core import db, memory, memory_words, own_pages_words, profile_words, profiling, teachers
from zega_core.configs import TeachingConfig
from zega_core.conversation_tables import Manuscript, Notification
from zega_core.facts.base import Facts
from zega_core.memory import Recalled
from zega_core.settings import Settings
from zega_core.store import manuscripts, teaching
from zega_core.store.manuscripts import Stored
from zega_core.store.memories import Count
from zega_core.style.profile import Corrections, Profile, acting, acting_themes, summary
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


class AxisFacts(Facts):
    """From 0 to 100; 50 is the middle of published fiction. ``value`` holds: the writer's, else what was
    ``measured``."""

    key: str
    label: str
    value: float
    measured: float | None
    by_hand: bool
    meaning: str


class MotifFacts(Facts):
    """``share`` of the texts, 0 to 1, and how many: None where the writer put it in."""

    key: str
    label: str
    share: float | None
    texts: int | None
    by_hand: bool


class StyleFacts(Facts):
    """``lacking`` says what there is too little of, where there is. ``measuring``: something new waits to be
    measured."""

    summary: str
    lacking: str | None
    texts: int
    words: int
    own_words: int
    genres: dict[str, float]
    axes: list[AxisFacts]
    themes: list[MotifFacts]
    archetypes: list[MotifFacts]
    taken_off: list[str]
    measured_at: datetime | None
    measuring: bool


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


class PagesFacts(Facts):
    """``message`` says how far it is. ``kept`` of ``passages`` are learned from."""

    run_id: str
    name: str
    format: str
    genre: str | None
    status: str
    words: int
    chapters: int
    done: int
    passages: int
    kept: int
    set_aside: int
    message: str
    notes: list[str]
    error: str | None
    created_at: datetime
    completed_at: datetime | None


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


def of_pages(row: Manuscript, stored: Stored) -> PagesFacts:
    return PagesFacts(
        run_id=row.run_id,
        name=row.name,
        format=row.format,
        genre=row.genre or None,
        status=row.status,
        words=row.words,
        chapters=row.chapters,
        done=row.done,
        passages=row.passages,
        kept=stored.kept,
        set_aside=stored.set_aside,
        message=own_pages_words.stands(row, stored),
        notes=row.notes,
        error=row.error,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


def of_style(found: Profile | None, corrections: Corrections, at: datetime | None, due: bool) -> StyleFacts:
    measured = {} if found is None else {axis.key: axis.value for axis in found.axes}
    return StyleFacts(
        summary=summary(found, corrections),
        lacking=profile_words.too_little(found) or None,
        texts=0 if found is None else found.pieces,
        words=0 if found is None else found.words,
        own_words=0 if found is None else found.own_words,
        genres={} if found is None else dict(found.genres),
        axes=[
            AxisFacts(
                key=key,
                label=profile_words.LABELS[key],
                value=value,
                measured=measured.get(key),
                by_hand=key in corrections.axes,
                meaning=profile_words.manner(key, value),
            )
            for key, value in acting(found, corrections).items()
        ],
        themes=_motifs(found, corrections, archetypes=False),
        archetypes=_motifs(found, corrections, archetypes=True),
        taken_off=sorted(corrections.removed),
        measured_at=at,
        measuring=due,
    )


def _motifs(found: Profile | None, corrections: Corrections, *, archetypes: bool) -> list[MotifFacts]:
    counted = {} if found is None else {one.key: one for one in (found.archetypes if archetypes else found.themes)}
    return [
        MotifFacts(
            key=key,
            label=profile_words.motif_label(key),
            share=counted[key].share if key in counted else None,
            texts=counted[key].count if key in counted else None,
            by_hand=key in corrections.added,
        )
        for key in acting_themes(found, corrections, archetypes=archetypes)
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


def style_facts(writer: str, settings: Settings) -> StyleFacts:
    """As it is stored now."""
    with db.reading(settings) as session:
        found, corrections, at = profiling.profile_of(session, writer)
        return of_style(found, corrections, at, profiling.due(session, writer))


def teaching_facts(writer: str, settings: Settings) -> TeachingFacts:
    """As it is stored now."""
    with db.reading(settings) as session:
        config = teaching.load(session, writer)
    return of_teaching(config, teachers.places(settings, config))


def pages_facts(writer: str, run_id: str, settings: Settings) -> PagesFacts:
    """Raises NotFound."""
    with db.reading(settings) as session:
        row = manuscripts.get(session, writer, run_id)
        return of_pages(row, manuscripts.stored(session, writer).get(row.id or 0, Stored()))


def every_pages(writer: str, settings: Settings) -> list[PagesFacts]:
    """Newest first."""
    with db.reading(settings) as session:
        stored = manuscripts.stored(session, writer)
        rows = manuscripts.of_writer(session, writer)
    return [of_pages(row, stored.get(row.id or 0, Stored())) for row in rows]
