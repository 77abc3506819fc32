"""What the history can be filtered and sorted by, as conditions on each table whose rows are part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, false, func, literal, or_
from sqlalchemy import select as sql_select
from sqlmodel import col

from zega_core.catalog import load_catalog
from zega_core.conversation_tables import Conversation, Turn
from zega_core.tables import Example, ExampleStatus, TrainingSession
from zega_core.version_tables import FineTune

LONGEST_TEXT = 200
"""Characters of a search that are looked for."""
LONGEST = 10.0**9
"""Seconds beyond which a stored time is none."""


class Kind(StrEnum):
    """What a row of the history is of."""

    auto_train = "auto_train"
    conversation = "conversation"
    fine_tune = "fine_tune"


class ConversationStatus(StrEnum):
    """What a conversation has for a status; all else has a ``RunStatus``."""

    open = "open"
    paused = "paused"


class Order(StrEnum):
    newest = "newest"
    oldest = "oldest"
    best = "best"
    worst = "worst"
    longest = "longest"
    most_kept = "most_kept"


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for; empty or None leaves it open. ``since`` is included, ``until`` is not. One of ``genres`` is
    enough. ``quality`` are the lowest and highest average, both included. ``teacher`` was asked, or wrote most of what
    was kept. ``text`` stands in the id, a genre, a teacher, the error, or the name of a conversation. ``archived``
    finds what was archived and only that; False leaves it out, and None makes no difference."""

    since: datetime | None = None
    until: datetime | None = None
    genres: tuple[str, ...] = ()
    quality: tuple[float, float] | None = None
    teacher: str = ""
    statuses: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    text: str = ""
    archived: bool | None = False


def real(column: Any, most: float) -> ColumnElement[Any]:
    """The number in a column, NULL where there is none from 0 to ``most``: NaN and text are none."""
    return case((column.between(0, most), column))


def conditions(kind: Kind, writer_id: str, found: Filter, *, archived: bool = True) -> list[ColumnElement[bool]]:
    """Of the rows of one kind. ``archived`` False leaves it open whether they were archived: such rows count."""
    told = {Kind.auto_train: _of_session, Kind.conversation: _of_conversation, Kind.fine_tune: _of_fine_tune}[kind]
    return [*told(writer_id, found, archived), *_by_time(started_at(kind), found)]


def started_at(kind: Kind) -> Any:
    moments = {Kind.auto_train: TrainingSession.started_at, Kind.conversation: Conversation.created_at}
    return col(moments.get(kind, FineTune.created_at))


def order_value(kind: Kind, order: Order) -> Any | None:
    """The figure that ``order`` sorts rows of this kind by; None where they have none."""
    values: dict[tuple[Kind, Order], Callable[[], Any]] = {
        (Kind.auto_train, Order.best): lambda: real(col(TrainingSession.average_quality), 10),
        (Kind.auto_train, Order.longest): lambda: real(col(TrainingSession.total_time_seconds), LONGEST),
        (Kind.auto_train, Order.most_kept): lambda: col(TrainingSession.num_examples_successful),
        (Kind.conversation, Order.best): mean_of_answers,
        (Kind.conversation, Order.longest): lambda: _of_turns(func.sum(Turn.seconds)),
        (Kind.conversation, Order.most_kept): lambda: _of_answers(
            func.count(), col(Example.status) == ExampleStatus.kept
        ),
        (Kind.fine_tune, Order.longest): lambda: real(col(FineTune.active_seconds), LONGEST),
    }
    value = values.get((kind, Order.best if order == Order.worst else order))
    return None if value is None else value()


def mean_of_answers() -> Any:
    """The average quality of the answers of a conversation that have a score."""
    return _of_answers(func.avg(real(col(Example.quality), 10)))


def has_genre(column: Any, genre: str) -> ColumnElement[bool]:
    """Whether a stored list in JSON holds this name. Looked for as text, which an index holds: json_each and jsonb took
    ten times as long over 100,000 sessions, and fail on what is no JSON."""
    return cast(column, String).contains(f'"{genre}"', autoescape=True)


def searched(text: str) -> str:
    return text.replace("\x00", "").encode(errors="replace").decode().strip()[:LONGEST_TEXT]


def genres_called(text: str) -> list[str]:
    """Keys of the genres in whose name a text stands; ``sci-fi`` and ``science fiction`` are the same one."""
    wanted = _spaced(text)
    genres = load_catalog().genres if wanted else ()
    return [one.key for one in genres if wanted in _spaced(one.key) or wanted in _spaced(one.label)]


def _spaced(text: str) -> str:
    return text.casefold().replace("-", " ").replace("_", " ").strip()


def _of_session(writer_id: str, found: Filter, archived: bool) -> Iterator[ColumnElement[bool]]:
    row = TrainingSession
    yield col(row.user_id) == writer_id
    if archived and found.archived is not None:
        moment = col(row.archived_at)
        yield moment.is_not(None) if found.archived else moment.is_(None)
    if found.genres:
        yield or_(*(has_genre(col(row.genres_selected), one) for one in found.genres))
    if found.quality is not None:
        yield real(col(row.average_quality), 10).between(*found.quality)
    if found.teacher:
        lineup = literal(", ") + col(row.teacher) + literal(", ")
        asked = lineup.contains(f", {found.teacher}, ", autoescape=True)
        yield or_(col(row.best_performing_model) == found.teacher, asked)
    if found.statuses:
        yield col(row.status).in_(found.statuses)
    if text := searched(found.text):
        yield or_(
            *_holding(text, row.session_id, row.teacher, row.best_performing_model, row.error),
            *(has_genre(col(row.genres_selected), one) for one in genres_called(text)),
        )


def _of_conversation(writer_id: str, found: Filter, archived: bool) -> Iterator[ColumnElement[bool]]:
    row = Conversation
    yield col(row.user_id) == writer_id
    if archived and found.archived:
        yield false()
    turns = sql_select(1).where(col(Turn.conversation_id) == col(row.id)).correlate(row)
    if found.genres:
        yield turns.where(col(Turn.example_id).is_not(None), col(Turn.genre).in_(found.genres)).exists()
    if found.quality is not None:
        yield mean_of_answers().between(*found.quality)
    if found.teacher:
        yield turns.where(col(Turn.asked_by) == found.teacher, col(Turn.number).is_not(None)).exists()
    if found.statuses:
        wanted = [one == ConversationStatus.paused for one in ConversationStatus if one in found.statuses]
        yield col(row.paused).in_(wanted)
    if text := searched(found.text):
        called = turns.where(col(Turn.example_id).is_not(None), col(Turn.genre).in_(genres_called(text)))
        yield or_(*_holding(text, row.key, row.name, row.purpose), called.exists())


def _of_fine_tune(writer_id: str, found: Filter, archived: bool) -> Iterator[ColumnElement[bool]]:
    """It has neither genres nor a teacher nor a score."""
    row = FineTune
    yield col(row.user_id) == writer_id
    if (archived and found.archived) or found.genres or found.quality is not None or found.teacher:
        yield false()
    if found.statuses:
        yield col(row.status).in_(found.statuses)
    if text := searched(found.text):
        yield or_(*_holding(text, row.run_id, row.trigger, row.error))


def _holding(text: str, *columns: Any) -> list[ColumnElement[bool]]:
    return [col(one).icontains(text, autoescape=True) for one in columns]


def _by_time(moment: Any, found: Filter) -> Iterator[ColumnElement[bool]]:
    if found.since is not None:
        yield moment >= found.since
    if found.until is not None:
        yield moment < found.until


def _of_turns(figure: Any) -> Any:
    query = sql_select(figure).select_from(Turn).where(col(Turn.conversation_id) == col(Conversation.id))
    return query.correlate(Conversation).scalar_subquery()


def _of_answers(figure: Any, *more: Any) -> Any:
    query = sql_select(figure).select_from(Turn).join(Example, col(Example.id) == col(Turn.example_id))
    query = query.where(col(Turn.conversation_id) == col(Conversation.id), *more)
    return query.correlate(Conversation).scalar_subquery()
