"""When a schedule's moments come: once a date, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zega_core import schedule

SUNDAY = 6


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def moments(at: str, zone: str, weekday: int | None, start: datetime, end: datetime) -> list[datetime]:
    """All that come after ``start``, until ``end``."""
    found = []
    while (start := schedule.following(at, zone, weekday, start)) <= end:
        found.append(start)
    return found


def test_a_daily_one_comes_every_day_at_its_time_on_the_writers_clock():
    assert schedule.following("03:00", "Europe/Vienna", None, utc("2026-01-10T12:00")) == utc("2026-01-11T02:00")
    assert schedule.following("03:00", "Europe/Vienna", None, utc("2026-07-10T12:00")) == utc("2026-07-11T01:00")
    assert schedule.last("03:00", "America/New_York", None, utc("2026-07-10T06:59")) == utc("2026-07-09T07:00")
    assert schedule.last("03:00", "America/New_York", None, utc("2026-07-10T07:00")) == utc("2026-07-10T07:00")


def test_a_weekly_one_comes_on_its_day_where_the_writer_is():
    """It is Sunday in Auckland while it is Saturday in UTC."""
    found = schedule.following("03:00", "Pacific/Auckland", SUNDAY, utc("2026-06-01T00:00"))
    assert found == utc("2026-06-06T15:00")
    assert schedule.following("03:00", "Pacific/Auckland", SUNDAY, found) == utc("2026-06-13T15:00")


@pytest.mark.parametrize(
    "zone, at, day, moment",
    [
        ("Europe/Vienna", "02:30", "2026-03-29", "2026-03-29T01:30"),
        ("America/New_York", "02:30", "2026-03-08", "2026-03-08T07:30"),
    ],
)
def test_a_time_that_does_not_exist_that_day_comes_once(zone: str, at: str, day: str, moment: str):
    start = utc(f"{day}T00:00") - timedelta(hours=12)
    found = moments(at, zone, None, start, start + timedelta(days=2))
    assert found[0] == utc(moment)
    assert found[0].astimezone(ZoneInfo(zone)).strftime("%H:%M") == "03:30", "the clocks were put forward over it"
    assert [one.astimezone(ZoneInfo(zone)).date().isoformat() for one in found].count(day) == 1


@pytest.mark.parametrize(
    "zone, at, day, moment",
    [
        ("Europe/Vienna", "02:30", "2026-10-25", "2026-10-25T00:30"),
        ("America/New_York", "01:30", "2026-11-01", "2026-11-01T05:30"),
    ],
)
def test_a_time_that_exists_twice_that_day_comes_once(zone: str, at: str, day: str, moment: str):
    start = utc(f"{day}T00:00") - timedelta(hours=12)
    found = moments(at, zone, None, start, start + timedelta(days=2))
    assert found[0] == utc(moment)
    assert [one.astimezone(ZoneInfo(zone)).date().isoformat() for one in found].count(day) == 1
    again = utc(moment) + timedelta(hours=1)
    assert schedule.last(at, zone, None, again) == utc(moment), "an hour later the clock shows it again"


@pytest.mark.parametrize("zone", ["Europe/Vienna", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "UTC"])
@pytest.mark.parametrize("at", ["00:00", "01:30", "02:00", "02:30", "03:00", "23:59"])
def test_a_year_has_one_a_day_and_one_a_week(zone: str, at: str):
    start, end = utc("2026-01-01T12:00"), utc("2027-01-01T12:00")
    days = [one.astimezone(ZoneInfo(zone)).date() for one in moments(at, zone, None, start, end)]
    assert len(days) == 365
    assert all(later - day == timedelta(days=1) for day, later in pairwise(days))
    weeks = [one.astimezone(ZoneInfo(zone)).date() for one in moments(at, zone, SUNDAY, start, end)]
    assert len(weeks) == 52
    assert {day.weekday() for day in weeks} == {SUNDAY}


@given(
    at=st.times().map(lambda value: f"{value:%H:%M}"),
    zone=st.sampled_from(["Europe/Vienna", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]),
    weekday=st.none() | st.integers(0, 6),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
)
def test_the_last_one_is_by_now_and_the_next_one_later_with_none_between(
    at: str, zone: str, weekday: int | None, moment: datetime
):
    last, following = (one(at, zone, weekday, moment) for one in (schedule.last, schedule.following))
    assert last <= moment < following
    assert schedule.following(at, zone, weekday, last) == following
    assert following - last <= timedelta(days=1 if weekday is None else 7, hours=25)
