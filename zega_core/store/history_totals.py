"""Sums over the sessions of a history: for its cards, its course over time, and the totals of the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import String, case, cast, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from zega_core.store.history_filters import LONGEST, Filter, Kind, conditions, real
from zega_core.tables import TrainingSession
from zega_core.teacher_tables import SessionDay

_ROW = TrainingSession
_SCORED = col(_ROW.num_examples_successful) + col(_ROW.num_examples_set_aside)
_QUALITY = real(col(_ROW.average_quality), 10)
_WEIGHT = case((_SCORED > 0, _SCORED), else_=1)
_KNOWN = col(_ROW.average_quality).between(0, 10)
_COLUMNS: tuple[Any, ...] = (
    func.count(),
    func.sum(_ROW.num_examples_successful),
    func.sum(_SCORED),
    func.sum(_ROW.stories_saved_count),
    func.sum(col(_ROW.average_quality) * _WEIGHT).filter(_KNOWN),
    func.sum(_WEIGHT).filter(_KNOWN),
    func.sum(real(col(_ROW.total_time_seconds), LONGEST)),
    func.count().filter(col(_ROW.fine_tuning_triggered)),
)
_DAY = SessionDay
_OF_DAYS: tuple[Any, ...] = tuple(
    func.sum(column)
    for column in (
        *(_DAY.sessions, _DAY.kept, _DAY.scored, _DAY.stories, _DAY.quality_sum, _DAY.quality_weight, _DAY.seconds),
        _DAY.fine_tunes,
    )
)
"""The same of whole days, whose sums are there already."""


@dataclass(frozen=True, slots=True)
class Totals:
    """``scored`` are the pieces that were kept or set aside; the average weighs each session by them, one without any
    as if it had one."""

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
    if _is_all(found):
        query = sql_select(*_OF_DAYS).where(col(_DAY.user_id) == writer_id)
    else:
        query = sql_select(*_COLUMNS).where(*_conditions(writer_id, found))
    if recorded:
        query = query.where(col(_DAY.recorded if _is_all(found) else _ROW.recorded).is_(True))
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
    if _is_all(found):
        rated = func.sum(_DAY.rated)
        query = (
            sql_select(col(_DAY.day), rated, func.sum(_DAY.quality_sum), func.sum(_DAY.quality_weight))
            .where(col(_DAY.user_id) == writer_id)
            .group_by(col(_DAY.day))
            .having(rated > 0)
            .order_by(col(_DAY.day))
        )
    else:
        query = _by_day(writer_id, found)
    for text, number, total, weight in session.execute(query):
        yield Scored(datetime.fromisoformat(text).replace(tzinfo=UTC), round(float(total) / int(weight), 2), number, "")


def _by_day(writer_id: str, found: Filter) -> Any:
    # A moment is stored as 2026-11-27 06:00:00.000000 on SQLite; on PostgreSQL it reads so as text.
    day = func.substr(cast(col(_ROW.started_at), String), 1, 10).label("day")
    return (
        sql_select(day, func.count(), func.sum(_QUALITY * _WEIGHT), func.sum(_WEIGHT))
        .where(*_conditions(writer_id, found), _QUALITY.is_not(None))
        .group_by(day)
        .order_by(day)
    )


def _is_all(found: Filter) -> bool:
    """Whether no session is left out: all figures are of sessions, archived or not."""
    return replace(found, kinds=(), archived=None) == Filter(archived=None)


def _among(found: Filter) -> bool:
    return not found.kinds or Kind.auto_train in found.kinds


def _conditions(writer_id: str, found: Filter) -> list[Any]:
    return conditions(Kind.auto_train, writer_id, found, archived=False)


def _totals(*figures: Any) -> Totals:
    sessions, kept, scored, stories, quality, weight, seconds, tuned = figures
    return Totals(
        sessions=int(sessions or 0),
        kept=int(kept or 0),
        scored=int(scored or 0),
        stories=int(stories or 0),
        average_quality=round(float(quality) / int(weight), 2) if weight else None,
        seconds=float(seconds or 0.0),
        fine_tunes=int(tuned or 0),
    )
