"""Sums over the sessions of a history: for its cards, its course over time, and the totals of the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import String, case, cast, func, true
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from zega_core.store.history_filters import LONGEST, Filter, Kind, conditions, real
from zega_core.tables import TrainingSession

_ROW = TrainingSession
_SCORED = col(_ROW.num_examples_successful) + col(_ROW.num_examples_set_aside)
_QUALITY = real(col(_ROW.average_quality), 10)
_KNOWN = col(_ROW.average_quality).between(0, 10)
# As few columns as there can be, and conditions that seldom hold as filters: each is a tenth of the time it takes.
_COLUMNS: tuple[Any, ...] = (
    func.count(),
    func.sum(_ROW.num_examples_successful),
    func.sum(_ROW.num_examples_set_aside),
    func.sum(_ROW.stories_saved_count),
    func.sum(col(_ROW.average_quality) * _SCORED).filter(_KNOWN),
    func.sum(_SCORED).filter(_KNOWN.is_not(true())),
    func.sum(real(col(_ROW.total_time_seconds), LONGEST)),
    func.count().filter(col(_ROW.fine_tuning_triggered)),
)


@dataclass(frozen=True, slots=True)
class Totals:
    """``scored`` are the pieces that were kept or set aside; the average weighs each session by them."""

    sessions: int = 0
    kept: int = 0
    scored: int = 0
    stories: int = 0
    average_quality: float | None = None
    seconds: float = 0.0
    fine_tunes: int = 0


def totals(session: Session, writer_id: str, found: Filter = Filter(), *, recorded: bool = False) -> Totals:  # noqa: B008
    """Of the sessions that a filter leaves, archived or not; ``recorded`` only of those with a record."""
    if not _among(found):
        return Totals()
    query = sql_select(*_COLUMNS).where(*_conditions(writer_id, found))
    if recorded:
        query = query.where(col(_ROW.recorded).is_(True))
    return _totals(*session.execute(query).one())


def before_and_after(
    session: Session, writer_id: str, found: Filter, start: datetime, turn: datetime, end: datetime
) -> tuple[Totals, Totals]:
    """Of what was begun from ``start`` to ``turn``, and from there to ``end``."""
    if not _among(found):
        return Totals(), Totals()
    late = case((col(_ROW.started_at) >= turn, 1), else_=0)
    within = (col(_ROW.started_at) >= start, col(_ROW.started_at) < end)
    query = sql_select(late, *_COLUMNS).where(*_conditions(writer_id, found), *within).group_by(late)
    parts = {part: _totals(*figures) for part, *figures in session.execute(query)}
    return parts.get(0, Totals()), parts.get(1, Totals())


@dataclass(frozen=True, slots=True)
class Scored:
    """One session, or all of one day, with its average quality. ``key`` is the session's id, empty for a day."""

    at: datetime
    quality: float
    sessions: int
    key: str


def scored_sessions(session: Session, writer_id: str, found: Filter, most: int) -> list[Scored] | None:
    """Each session that has a score, oldest first; None where there are ``most`` or more."""
    if not _among(found):
        return []
    query = (
        sql_select(col(_ROW.started_at), _QUALITY, col(_ROW.session_id))
        .where(*_conditions(writer_id, found), _QUALITY.is_not(None))
        .order_by(col(_ROW.started_at), col(_ROW.id))
        .limit(most)
    )
    rows = [Scored(at, round(float(quality), 2), 1, key) for at, quality, key in session.execute(query)]
    return None if len(rows) == most else rows


def scored_days(session: Session, writer_id: str, found: Filter) -> list[Scored]:
    """Each day (UTC) with its average over all that was scored, oldest first."""
    return list(_days(session, writer_id, found)) if _among(found) else []


def _days(session: Session, writer_id: str, found: Filter) -> Iterator[Scored]:
    # A moment is stored as 2026-11-27 06:00:00.000000 on SQLite; on PostgreSQL it reads so as text.
    day = func.substr(cast(col(_ROW.started_at), String), 1, 10).label("day")
    weight = case((_SCORED > 0, _SCORED), else_=1)
    query = (
        sql_select(day, func.count(), func.sum(_QUALITY * weight), func.sum(weight))
        .where(*_conditions(writer_id, found), _QUALITY.is_not(None))
        .group_by(day)
        .order_by(day)
    )
    for text, number, total, scored in session.execute(query):
        yield Scored(datetime.fromisoformat(text).replace(tzinfo=UTC), round(float(total) / int(scored), 2), number, "")


def _among(found: Filter) -> bool:
    return not found.kinds or Kind.auto_train in found.kinds


def _conditions(writer_id: str, found: Filter) -> list[Any]:
    return conditions(Kind.auto_train, writer_id, found, archived=False)


def _totals(*figures: Any) -> Totals:
    sessions, kept, aside, stories, weighted, unknown, seconds, tuned = figures
    scored = int(kept or 0) + int(aside or 0)
    weighed = scored - int(unknown or 0)
    average = round(float(weighted) / weighed, 2) if weighed > 0 and weighted is not None else None
    return Totals(sessions, int(kept or 0), scored, int(stories or 0), average, float(seconds or 0.0), tuned)
