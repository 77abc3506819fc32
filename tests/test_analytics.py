"""Numbers and words about runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from zega_core import analytics

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_percentage_needs_twenty():
    assert analytics.share(9, 19) == "9 of 19"
    assert analytics.share(15, 20) == "75%"


def test_the_pace_is_over_the_newest_pieces():
    assert analytics.pace([START]) is None
    assert analytics.pace([START, START, START]) is None
    steady = [START + timedelta(seconds=number / 2) for number in range(11)]
    assert analytics.pace(steady) == pytest.approx(2)
    after_a_night = [moment + timedelta(hours=8) for moment in steady[:5]]
    assert analytics.pace(steady + after_a_night) == pytest.approx(2)
    slow = [START + timedelta(seconds=40 * number) for number in range(8)]
    assert analytics.pace(slow) == pytest.approx(1 / 40)


@pytest.mark.parametrize(
    "seconds, words",
    [
        (0, "a few seconds"),
        (40, "less than a minute"),
        (70, "about a minute"),
        (600, "about 10 minutes"),
        (3600, "about an hour"),
        (7200, "about 2 hours"),
        (9000, "about 2.5 hours"),
    ],
)
def test_durations_in_words(seconds: float, words: str):
    assert analytics.in_words(seconds) == words


@pytest.mark.parametrize("seconds, words", [(3.42, "3.4 s"), (125, "2 min 05 s"), (4320, "1 h 12 min")])
def test_measured_durations(seconds: float, words: str):
    assert analytics.took(seconds) == words


def test_a_run_is_said_to_be_silent_only_when_it_is():
    assert analytics.no_sign_of_life(None, START) is None
    assert analytics.no_sign_of_life(START, START + timedelta(seconds=15)) is None
    said = analytics.no_sign_of_life(START, START + timedelta(seconds=90))
    assert said is not None
    assert "for about 2 minutes." in said
    assert "for 25 seconds." in str(analytics.no_sign_of_life(START, START + timedelta(seconds=25)))
    assert "safe" in said
