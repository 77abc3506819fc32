"""The history: what a writer's sessions, conversations and fine-tunes came to, filtered, sorted and paged in the
database.

What a filter or an order looks at of sessions is in one index (``history_sessions``, migration 0008), so that only the
rows of a page are read. Numbers that are none (NaN, text) count as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Double, String, case, cast, func, literal, literal_column, null, union_all
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from zega_core.conversation_tables import Conversation, Turn
from zega_core.quality.validation import number as within
from zega_core.store import history_filters
from zega_core.store.history_filters import LONGEST, ConversationStatus, Filter, Kind, Order, real
from zega_core.tables import Example, ExampleStatus, TrainingSession
from zega_core.version_tables import FineTune

__all__ = [
    "LONGEST",
    "ConversationStatus",
    "Filter",
    "Kind",
    "Order",
    "Row",
    "count",
    "every",
    "every_session",
    "of",
    "page",
    "page_of_sessions",
]

CHUNK = 500
"""Rows that are in memory at a time where all are read."""
_TABLES: dict[Kind, type[Any]] = {
    Kind.auto_train: TrainingSession,
    Kind.conversation: Conversation,
    Kind.fine_tune: FineTune,
}
Place = tuple[Kind, int]
"""Kind and number of a stored row."""


@dataclass(frozen=True, slots=True)
class Row:
    """``key`` is the session's, the conversation's or the run's id. ``kept`` of ``requested`` examples are kept; None
    for a fine-tune, as scores are where there is none. ``teacher`` is the model of which most was kept, else who was
    asked. ``seconds`` is the time it took so far, in a conversation the writer's. ``version`` is what a fine-tune
    made."""

    kind: Kind
    key: str
    started_at: datetime
    status: str
    kept: int | None = None
    requested: int | None = None
    quality: float | None = None
    low: float | None = None
    high: float | None = None
    genres: tuple[str, ...] = ()
    teacher: str = ""
    seconds: float = 0.0
    fine_tuned: bool = False
    archived: bool = False
    reported: bool = False
    error: str = ""
    version: int | None = None
    name: str = ""
    """Of a conversation."""


def count(session: Session, writer_id: str, found: Filter) -> int:
    total = 0
    for kind in _kinds(found):
        query = sql_select(func.count()).select_from(_TABLES[kind])
        query = query.where(*history_filters.conditions(kind, writer_id, found))
        total += session.execute(query).scalar_one()
    return total


def page(session: Session, writer_id: str, found: Filter, order: Order, *, number: int, size: int) -> list[Row]:
    """Page ``number`` (from 1) of ``size`` rows; empty where there is no such page. What lacks the figure that is
    sorted by comes last; of equals the newest comes first."""
    return _rows(session, writer_id, _page(session, writer_id, found, order, number, size))


def every(session: Session, writer_id: str, found: Filter) -> Iterator[Row]:
    """All that a filter leaves, newest first, ``CHUNK`` in memory at a time."""
    for some in _chunks(session, writer_id, found):
        yield from _rows(session, writer_id, some)


def page_of_sessions(
    session: Session, writer_id: str, found: Filter, order: Order, *, number: int, size: int
) -> list[TrainingSession]:
    """The same of sessions alone, whole rows."""
    found = replace(found, kinds=(Kind.auto_train,))
    return _whole(session, writer_id, _page(session, writer_id, found, order, number, size))


def every_session(session: Session, writer_id: str, found: Filter) -> Iterator[TrainingSession]:
    """All sessions that a filter leaves, newest first, ``CHUNK`` whole rows in memory at a time."""
    for some in _chunks(session, writer_id, replace(found, kinds=(Kind.auto_train,))):
        chunk = _whole(session, writer_id, some)
        yield from chunk
        for row in chunk:
            session.expunge(row)


def of(session: Session, row: TrainingSession | Conversation | FineTune) -> Row:
    """What the history has of one stored row."""
    kind = next(kind for kind, table in _TABLES.items() if isinstance(row, table))
    return _rows(session, row.user_id, [(kind, row.id or 0)])[0]


def _page(session: Session, writer_id: str, found: Filter, order: Order, number: int, size: int) -> list[Place]:
    query = _ordered(writer_id, found, order).offset(max(0, number - 1) * size).limit(size)
    return [(Kind(kind), identity) for kind, identity, *_ in session.execute(query)]


def _chunks(session: Session, writer_id: str, found: Filter) -> Iterator[list[Place]]:
    query = _ordered(writer_id, found, Order.newest).execution_options(yield_per=CHUNK)
    places = ((Kind(kind), identity) for kind, identity, *_ in session.execute(query))
    while some := list(islice(places, CHUNK)):
        yield some


def _whole(session: Session, writer_id: str, places: Sequence[Place]) -> list[TrainingSession]:
    ids = [identity for _, identity in places]
    query = select(TrainingSession).where(TrainingSession.user_id == writer_id, col(TrainingSession.id).in_(ids))
    by_id = {row.id: row for row in session.exec(query)} if ids else {}
    return [by_id[identity] for identity in ids if identity in by_id]


def _kinds(found: Filter) -> list[Kind]:
    return [kind for kind in Kind if not found.kinds or kind in found.kinds]


def _ordered(writer_id: str, found: Filter, order: Order) -> Any:
    """Kind and number of all that is found. Each kind comes in this order out of its index, and the database merges
    them, so that it goes no further than the page."""
    arms = []
    for kind in _kinds(found):
        figure = history_filters.order_value(kind, order)
        columns = (
            literal(kind.value, String).label("kind"),
            col(_TABLES[kind].id).label("identity"),
            history_filters.started_at(kind).label("moment"),
            (cast(null(), Double) if figure is None else cast(figure, Double)).label("figure"),
        )
        arms.append(sql_select(*columns).where(*history_filters.conditions(kind, writer_id, found)))
    query = arms[0] if len(arms) == 1 else union_all(*arms)
    figure, moment, identity = (literal_column(name) for name in ("figure", "moment", "identity"))
    if order in (Order.newest, Order.oldest):
        return query.order_by(*((moment, identity) if order == Order.oldest else (moment.desc(), identity.desc())))
    by_figure = figure.asc() if order == Order.worst else figure.desc()
    return query.order_by(by_figure.nulls_last(), moment.desc(), identity.desc())


def _rows(session: Session, writer_id: str, places: Sequence[Place]) -> list[Row]:
    """In the order of ``places``; what went meanwhile is left out."""
    by_kind: dict[Kind, list[int]] = {}
    for kind, identity in places:
        by_kind.setdefault(kind, []).append(identity)
    readers = {Kind.auto_train: _sessions, Kind.conversation: _conversations, Kind.fine_tune: _fine_tunes}
    found: dict[Place, Row] = {}
    for kind, ids in by_kind.items():
        found |= {(kind, identity): row for identity, row in readers[kind](session, writer_id, ids)}
    return [found[place] for place in places if place in found]


def _sessions(session: Session, writer_id: str, ids: Sequence[int]) -> Iterator[tuple[int, Row]]:
    table = TrainingSession
    names = (
        *("id", "session_id", "started_at", "status", "num_examples_successful", "num_examples_requested"),
        *("average_quality", "min_quality", "max_quality", "genres_selected", "teacher", "best_performing_model"),
        *("total_time_seconds", "fine_tuning_triggered", "archived_at", "reported", "error"),
    )
    query = sql_select(*(getattr(table, name) for name in names))
    for row in session.execute(query.where(col(table.user_id) == writer_id, col(table.id).in_(ids))):
        yield (
            row.id,
            Row(
                kind=Kind.auto_train,
                key=row.session_id,
                started_at=row.started_at,
                status=row.status,
                kept=row.num_examples_successful,
                requested=row.num_examples_requested,
                quality=_rounded(row.average_quality),
                low=_rounded(row.min_quality),
                high=_rounded(row.max_quality),
                genres=names_in(row.genres_selected),
                teacher=row.best_performing_model or row.teacher,
                seconds=within(row.total_time_seconds, 0, LONGEST) or 0.0,
                fine_tuned=bool(row.fine_tuning_triggered),
                archived=row.archived_at is not None,
                reported=bool(row.reported),
                error=row.error or "",
            ),
        )


def names_in(stored: object) -> tuple[str, ...]:
    """The names in a stored list, whatever else may be there."""
    return tuple(one for one in stored if isinstance(one, str)) if isinstance(stored, list) else ()


def _conversations(session: Session, writer_id: str, ids: Sequence[int]) -> Iterator[tuple[int, Row]]:
    counted = {row.conversation_id: row for row in session.execute(_figures(writer_id, ids))}
    genres = _genres_of_conversations(session, writer_id, ids)
    query = select(Conversation).where(Conversation.user_id == writer_id, col(Conversation.id).in_(ids))
    for row in session.exec(query):
        identity = row.id or 0
        of_it = counted.get(identity)
        yield (
            identity,
            Row(
                kind=Kind.conversation,
                key=row.key,
                started_at=row.created_at,
                status=ConversationStatus.paused if row.paused else ConversationStatus.open,
                kept=int(of_it.kept or 0) if of_it else 0,
                requested=of_it.asked if of_it else 0,
                quality=_rounded(of_it.mean if of_it else None),
                low=_rounded(of_it.low if of_it else None),
                high=_rounded(of_it.high if of_it else None),
                genres=genres.get(identity, ()),
                seconds=float(of_it.seconds or 0.0) if of_it else 0.0,
                name=row.name,
            ),
        )


def _figures(writer_id: str, ids: Sequence[int]) -> Any:
    """Of each conversation: what was asked, and its answers."""
    score = real(col(Example.quality), 10)
    return (
        sql_select(
            col(Turn.conversation_id),
            func.count(col(Turn.number)).label("asked"),
            func.sum(case((col(Example.status) == ExampleStatus.kept, 1), else_=0)).label("kept"),
            func.avg(score).label("mean"),
            func.min(score).label("low"),
            func.max(score).label("high"),
            func.sum(real(col(Turn.seconds), LONGEST)).label("seconds"),
        )
        .join(Example, col(Example.id) == col(Turn.example_id), isouter=True)
        .where(col(Turn.user_id) == writer_id, col(Turn.conversation_id).in_(ids))
        .group_by(col(Turn.conversation_id))
    )


def _genres_of_conversations(session: Session, writer_id: str, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    query = (
        sql_select(col(Turn.conversation_id), col(Turn.genre))
        .where(col(Turn.user_id) == writer_id, col(Turn.conversation_id).in_(ids), col(Turn.example_id).is_not(None))
        .distinct()
    )
    found: dict[int, tuple[str, ...]] = {}
    for identity, genre in session.execute(query.order_by(col(Turn.genre))):
        if genre:
            found[identity] = (*found.get(identity, ()), genre)
    return found


def _fine_tunes(session: Session, writer_id: str, ids: Sequence[int]) -> Iterator[tuple[int, Row]]:
    table = FineTune
    names = ("id", "run_id", "created_at", "status", "active_seconds", "error", "version_number")
    query = sql_select(*(getattr(table, name) for name in names))
    for row in session.execute(query.where(col(table.user_id) == writer_id, col(table.id).in_(ids))):
        yield (
            row.id,
            Row(
                kind=Kind.fine_tune,
                key=row.run_id,
                started_at=row.created_at,
                status=row.status,
                seconds=within(row.active_seconds, 0, LONGEST) or 0.0,
                error=row.error or "",
                version=row.version_number,
            ),
        )


def _rounded(value: object) -> float | None:
    found = within(value, 0, 10)
    return None if found is None else round(found, 2)
