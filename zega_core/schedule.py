"""When a daily or weekly moment comes, by the clock on a wall in its zone. Pure; moments are in UTC.

Each date has the moment once: the first of two where clocks are put back over it, and where they are put forward over
it the same time after midnight as on other days, which a clock then shows an hour later.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK = 7


def last(at: str, zone: str, weekday: int | None, until: datetime) -> datetime:
    """The newest one that has come by ``until``. ``at`` is hours and minutes (03:00), ``weekday`` is 0 for Monday, None
    for every day."""
    return max(moment for moment in _around(at, zone, weekday, until) if moment <= until)


def following(at: str, zone: str, weekday: int | None, after: datetime) -> datetime:
    """The first one after ``after``."""
    return min(moment for moment in _around(at, zone, weekday, after) if moment > after)


def _around(at: str, zone: str, weekday: int | None, center: datetime) -> Iterator[datetime]:
    """Those of more than a week before and after."""
    where, hour = ZoneInfo(zone), time.fromisoformat(at)
    today = center.astimezone(where).date()
    for days in range(-WEEK - 1, WEEK + 2):
        date = today + timedelta(days)
        if weekday is None or date.weekday() == weekday:
            yield datetime.combine(date, hour, where).astimezone(UTC)
