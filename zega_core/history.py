"""What a writer's history says: its figures, how they move, and what has worked best so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from zega_core.configs import GenreKey
from zega_core.history_detail import Compared, Detail, Event, ModelFigures, detail, difference
from zega_core.history_keeping import archive, delete, unarchive
from zega_core.proof.statistics import wilson
from zega_core.store import history_totals, session_teachers
from zega_core.store.history_filters import Filter, Kind
from zega_core.store.history_totals import Totals
from zega_core.store.session_teachers import Pairing, TeacherShare

__all__ = [
    "Cards",
    "Compared",
    "Detail",
    "Event",
    "ModelFigures",
    "Point",
    "Recommendation",
    "TeacherShare",
    "Trends",
    "archive",
    "cards",
    "delete",
    "detail",
    "difference",
    "genres_of",
    "quality_over_time",
    "recommendation",
    "teachers_of",
    "unarchive",
]

TREND_DAYS = 30
"""Days that a trend compares with as many before them."""
EACH_DAY_FROM = 400
"""Sessions from which on a point of the course is a day."""
SEVEN = 7
ENOUGH_PIECES, ENOUGH_SESSIONS = 20, 3
"""Of a genre by a teacher, before it can be recommended."""
LOOKED_AT = 1_000
"""Sessions, the newest, that a recommendation is drawn from: what worked years ago is no evidence."""
_NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True)
class Trends:
    """The last ``TREND_DAYS`` days less as many before them: a number of sessions, kept examples, stories; points of
    average quality; seconds. None where one of the two has nothing to compare, or is not looked at as a whole."""

    sessions: int | None = None
    kept: int | None = None
    share: float | None = None
    stories: int | None = None
    quality: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Cards:
    """Of the sessions that a filter leaves, archived or not. ``fine_tunes`` of the ``sessions`` set off one; ``kept``
    of ``made`` examples were kept; ``quality`` is the average of all that was scored; ``seconds`` is the time spent."""

    sessions: int
    fine_tunes: int
    kept: int
    made: int
    stories: int
    quality: float | None
    seconds: float
    trends: Trends

    @property
    def share(self) -> float | None:
        """Kept of made, 0 to 1."""
        return self.kept / self.made if self.made else None


@dataclass(frozen=True, slots=True)
class Point:
    """A session, or a day of ``sessions`` with an empty ``key``; ``average_of_seven`` is over the last seven points,
    this one included."""

    at: datetime
    quality: float
    average_of_seven: float
    sessions: int
    key: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What has worked best: ``kept`` of ``made`` pieces, ``share`` with its interval of 95 % by Wilson. ``quality`` is
    the average of the pieces, None where none has a score."""

    genre: str
    teacher: str
    sessions: int
    made: int
    kept: int
    share: float
    low: float
    high: float
    quality: float | None


def cards(session: Session, writer_id: str, found: Filter, at: datetime) -> Cards:
    total = history_totals.totals(session, writer_id, found)
    return Cards(
        sessions=total.sessions,
        fine_tunes=total.fine_tunes,
        kept=total.kept,
        made=total.scored,
        stories=total.stories,
        quality=total.average_quality,
        seconds=total.seconds,
        trends=_trends(session, writer_id, found, at),
    )


def quality_over_time(session: Session, writer_id: str, found: Filter) -> list[Point]:
    """Oldest first: each session, from ``EACH_DAY_FROM`` on each day."""
    points = history_totals.scored_sessions(session, writer_id, found, EACH_DAY_FROM)
    if points is None:
        points = history_totals.scored_days(session, writer_id, found)
    averages = rolling([one.quality for one in points])
    return [
        Point(one.at, one.quality, average, one.sessions, one.key)
        for one, average in zip(points, averages, strict=True)
    ]


def rolling(values: Sequence[float]) -> list[float]:
    """For each value the mean of the last seven up to it."""
    return [
        round(sum(window) / len(window), 2)
        for window in (values[max(0, end - SEVEN) : end] for end in range(1, len(values) + 1))
    ]


def teachers_of(session: Session, writer_id: str, found: Filter) -> list[TeacherShare]:
    """Of the sessions that a filter leaves: who had most kept first."""
    return session_teachers.shares(session, writer_id, found) if _among(found) else []


def genres_of(session: Session, writer_id: str, found: Filter) -> dict[str, int]:
    """How many examples of each genre were kept in the sessions that a filter leaves, most first."""
    kept = session_teachers.kept_by_genre(session, writer_id, found) if _among(found) else {}
    return {genre: number for genre, number in kept.items() if genre in [*GenreKey]}


def recommendation(session: Session, writer_id: str) -> Recommendation | None:
    """The genre and teacher of which most is kept for certain: the highest lower bound, over the newest sessions. None
    as long as no pair has enough pieces in enough sessions."""
    usable = [
        one
        for one in session_teachers.pairings(session, writer_id, LOOKED_AT)
        if one.made >= ENOUGH_PIECES and one.sessions >= ENOUGH_SESSIONS and one.genre in [*GenreKey]
    ]
    ranked = sorted(map(_recommended, usable), key=lambda one: (one.genre, one.teacher))  # of equals always the same
    return max(ranked, key=lambda one: (one.low, one.quality or 0.0, one.made), default=None)


def _recommended(one: Pairing) -> Recommendation:
    share = min(one.kept, one.made) / one.made
    low, high = wilson(share, one.made, _NORMAL_95)
    return Recommendation(one.genre, one.model, one.sessions, one.made, one.kept, share, low, high, one.quality)


def _among(found: Filter) -> bool:
    return not found.kinds or Kind.auto_train in found.kinds


def _trends(session: Session, writer_id: str, found: Filter, at: datetime) -> Trends:
    days = timedelta(days=TREND_DAYS)
    start, turn = at - 2 * days, at - days
    if (found.since is not None and found.since > start) or (found.until is not None and found.until < at):
        return Trends()
    return _compared(*history_totals.before_and_after(session, writer_id, found, start, turn, at))


def _compared(before: Totals, after: Totals) -> Trends:
    if not before.sessions or not after.sessions:
        return Trends()
    share = quality = None
    if before.scored and after.scored:
        share = after.kept / after.scored - before.kept / before.scored
    if before.average_quality is not None and after.average_quality is not None:
        quality = round(after.average_quality - before.average_quality, 2)
    return Trends(
        sessions=after.sessions - before.sessions,
        kept=after.kept - before.kept,
        share=share,
        stories=after.stories - before.stories,
        quality=quality,
        seconds=after.seconds - before.seconds,
    )
