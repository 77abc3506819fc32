"""Limits by a fake clock: never over in any window, never idle while there is room."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.providers import rate_headers
from zega_core.providers.limits import (
    DAY,
    MINUTE,
    SLOTS,
    TRANSIT,
    Limit,
    Usage,
    answered,
    exhausted_until,
    left_today,
    pause,
    settle,
    take,
)

START = 1_790_000_000.0
RPM, TPM = Limit("requests_per_minute", 30), Limit("tokens_per_minute", 6000)
SLACK = MINUTE / SLOTS + TRANSIT
"""Seconds by which a slot outlives the window, at most."""

Arrivals = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 2500)), min_size=1, max_size=120)


def run(arrivals: list[tuple[float, int]], limits: list[Limit], *, patient: bool) -> list[tuple[float, int]]:
    """When each request was sent, and its tokens; a patient caller waits as long as it is told."""
    usage, now, sent = Usage(), START, list[tuple[float, int]]()
    for gap, tokens in arrivals:
        now += gap
        usage, wait = take(usage, limits, now, tokens)
        while wait and patient:
            now += wait
            usage, wait = take(usage, limits, now, tokens)
        if not wait:
            sent.append((now, tokens))
    return sent


@settings(max_examples=150, deadline=None)
@given(Arrivals, st.integers(1, 12), st.integers(1000, 6000), st.booleans())
def test_no_window_of_any_length_of_a_minute_holds_more_than_the_limit(
    arrivals: list[tuple[float, int]], requests: int, tokens: int, patient: bool
):
    limits = [Limit("requests_per_minute", requests), Limit("tokens_per_minute", tokens)]
    sent = run(arrivals, limits, patient=patient)
    for begin, _ in sent:
        window = [(moment, amount) for moment, amount in sent if begin <= moment < begin + MINUTE + TRANSIT]
        assert len(window) <= requests
        assert sum(min(amount, tokens) for _, amount in window) <= tokens


@settings(max_examples=150, deadline=None)
@given(Arrivals, st.integers(1, 12))
def test_who_asks_while_there_is_room_never_waits(arrivals: list[tuple[float, int]], requests: int):
    limits, usage, now, sent = [Limit("requests_per_minute", requests)], Usage(), START, list[float]()
    for gap, tokens in arrivals:
        now += gap
        room = sum(moment > now - MINUTE - SLACK for moment in sent) < requests
        usage, wait = take(usage, limits, now, tokens)
        assert not (room and wait)
        if not wait:
            sent.append(now)


@settings(max_examples=100, deadline=None)
@given(Arrivals, st.integers(1, 12))
def test_after_the_wait_that_was_told_there_is_room(arrivals: list[tuple[float, int]], requests: int):
    limits, usage, now = [Limit("requests_per_minute", requests)], Usage(), START
    for gap, tokens in arrivals:
        now += gap
        usage, wait = take(usage, limits, now, tokens)
        if wait:
            assert take(usage, limits, now + wait, tokens)[1] == 0.0


def test_three_minutes_of_a_hungry_caller_use_what_is_allowed():
    usage, now, sent = Usage(), START, 0
    while now < START + 3 * MINUTE:
        usage, wait = take(usage, [RPM], now, 10)
        sent += not wait
        now += wait or 0.05
    assert sent == 90


def test_a_refused_request_is_not_counted():
    usage = Usage()
    for _ in range(30):
        usage, wait = take(usage, [RPM], START, 10)
        assert not wait
    refused, wait = take(usage, [RPM], START + 1, 10)
    assert 59 < wait < 61
    assert refused == usage


def test_several_are_taken_at_once_or_not_at_all():
    usage, wait = take(Usage(), [RPM], START, 10, requests=25)
    assert not wait
    assert take(usage, [RPM], START, 10, requests=6)[1] > 0
    assert take(usage, [RPM], START, 10, requests=5)[1] == 0


def test_a_request_larger_than_the_limit_takes_all_of_it_instead_of_waiting_for_ever():
    usage, wait = take(Usage(), [TPM], START, 50_000)
    assert not wait
    assert 0 < take(usage, [TPM], START, 1)[1] <= MINUTE + SLACK


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 30), st.integers(100, 1000), st.floats(0, 1)), min_size=1, max_size=60))
def test_tokens_given_back_never_let_a_window_overflow(calls: list[tuple[float, int, float]]):
    limits, usage, now = [Limit("tokens_per_minute", 3000)], Usage(), START
    sent: list[tuple[float, float]] = []
    for gap, counted, used in calls:
        now += gap
        usage, wait = take(usage, limits, now, counted)
        if wait:
            continue
        sent.append((now, counted * used))
        usage = settle(usage, limits, now, now, counted * (1 - used))
    for begin, _ in sent:
        assert sum(amount for moment, amount in sent if begin <= moment < begin + MINUTE) <= 3000 + 1e-6


def test_tokens_of_a_request_that_has_left_the_window_are_not_taken_from_others():
    usage, _ = take(Usage(), [TPM], START, 3000)
    usage, _ = take(usage, [TPM], START + 70, 3000)
    usage = settle(usage, [TPM], START + 70, START, 2900)
    assert take(usage, [TPM], START + 70, 3001)[1] > 0


class TestPause:
    def test_as_long_as_the_service_says(self):
        usage = pause(Usage(), [RPM], START, 17.0, daily=False)
        assert take(usage, [RPM], START + 16, 1)[1] == pytest.approx(1)
        assert take(usage, [RPM], START + 17.01, 1)[1] == 0

    def test_ever_longer_when_it_does_not_say_and_short_again_after_an_answer(self):
        usage, lengths = Usage(), []
        for _ in range(7):
            usage = pause(usage, [RPM], START, None, daily=False)
            lengths.append(usage.paused("").until - START)
        assert lengths == [2, 4, 8, 16, 32, 60, 60]
        again = pause(answered(usage, ""), [RPM], START + 100, None, daily=False)
        assert again.paused("").until == START + 102

    def test_a_used_up_day_ends_at_the_midnight_of_the_service(self):
        limit = Limit("requests_per_day", 20, resets="America/Los_Angeles")
        usage = pause(Usage(), [limit], START, None, daily=True)
        until = exhausted_until(usage, [limit], START)
        assert until is not None
        local = datetime.fromtimestamp(until, ZoneInfo("America/Los_Angeles"))
        assert (local.hour, local.minute) == (0, 0)
        assert 0 < until - START <= DAY + 10

    def test_refusals_of_requests_that_were_under_way_together_are_one_strike(self):
        usage = Usage()
        for _ in range(8):
            usage = pause(usage, [RPM], START + 0.2, None, daily=False, sent_at=START)
        assert usage.paused("").until == START + 2.2
        usage = pause(usage, [RPM], START + 3, None, daily=False, sent_at=START + 2.5)
        assert usage.paused("").until == START + 7

    def test_a_retry_after_that_does_not_help_is_not_believed_for_ever(self):
        usage, now = Usage(), START
        for _ in range(4):
            usage = pause(usage, [RPM], now, 0.0, daily=False, sent_at=now)
            now = usage.paused("").until + 0.1
        assert now - START > 25

    def test_a_used_up_day_is_not_shortened_by_a_short_retry_after(self):
        limit = Limit("requests_per_day", 20, resets="America/Los_Angeles")
        usage = pause(Usage(), [limit], START, 27.0, daily=True)
        assert (exhausted_until(usage, [limit], START) or 0) - START > 3600

    def test_tokens_of_the_day_that_no_longer_suffice_are_used_up(self):
        limit = Limit("tokens_per_day", 200_000)
        usage, _ = take(Usage(), [limit], START, 199_500)
        assert exhausted_until(usage, [limit], START, 300) is None
        assert (exhausted_until(usage, [limit], START, 1050) or 0) > START + 80_000

    def test_windows_that_nobody_asks_for_any_more_are_forgotten(self):
        usage, _ = take(Usage(), [Limit("requests_per_minute", 5, "old")], START, 1)
        usage, _ = take(usage, [RPM], START + 300, 1)
        assert list(usage.windows) == [RPM.key]

    def test_a_shorter_pause_does_not_end_a_longer_one(self):
        usage = pause(pause(Usage(), [RPM], START, 40.0, daily=False), [RPM], START, 5.0, daily=False)
        assert usage.paused("").until == START + 40


class TestDay:
    midnight = Limit("requests_per_day", 3, resets="America/Los_Angeles")
    rolling = Limit("requests_per_day", 3)

    def at(self, hour: int, day: int = 10) -> float:
        return datetime(2026, 11, day, hour, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()

    @pytest.mark.parametrize("limit, hours", [(midnight, 2), (rolling, 24)])
    def test_it_is_full_again_when_its_day_ends(self, limit: Limit, hours: int):
        usage, now = Usage(), self.at(22)
        for _ in range(3):
            usage, wait = take(usage, [limit], now, 1)
            assert not wait
        assert left_today(usage, [limit], now) == {"requests_per_day": 0}
        _, wait = take(usage, [limit], now, 1)
        assert hours * 3600 <= wait <= hours * 3600 + DAY / SLOTS + 10
        assert exhausted_until(usage, [limit], now) == pytest.approx(now + wait)
        assert take(usage, [limit], now + wait, 1)[1] == 0

    def test_the_day_of_the_change_of_clocks_ends_at_midnight_too(self):
        usage, now = Usage(), datetime(2026, 11, 1, 0, 30, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()
        for _ in range(3):
            usage, _ = take(usage, [self.midnight], now, 1)
        wait = take(usage, [self.midnight], now, 1)[1]
        assert wait == pytest.approx(24.5 * 3600 + 5, abs=1)  # 25 hours are in that day


GROQ = {
    "x-ratelimit-limit-requests": "14400",
    "x-ratelimit-remaining-requests": "14370",
    "x-ratelimit-reset-requests": "2m59.56s",
    "x-ratelimit-limit-tokens": "18000",
    "x-ratelimit-remaining-tokens": "17997",
    "x-ratelimit-reset-tokens": "7.66ms",
}
LIMITS = [RPM, Limit("requests_per_day", 1000), TPM, Limit("tokens_per_day", 100_000)]


class TestHeaders:
    def test_each_number_goes_to_the_limit_that_it_means(self):
        usage = rate_headers.learn(Usage(), LIMITS, START, GROQ)
        assert usage.amounts == {"requests_per_day": 14400, "tokens_per_minute": 18000}

    def test_what_others_used_with_the_same_key_counts(self):
        usage, _ = take(Usage(), LIMITS, START, 10)
        usage = rate_headers.learn(usage, LIMITS, START, GROQ)
        assert left_today(usage, LIMITS, START)["requests_per_day"] == 14370

    def test_a_larger_limit_lets_more_through(self):
        usage = rate_headers.learn(Usage(), [TPM], START, GROQ)
        assert take(usage, [TPM], START, 17_000)[1] == 0

    @pytest.mark.parametrize("value", ["", "many", "-5", "nan", "1e999", "0", "9" * 40])
    def test_nonsense_teaches_nothing(self, value: str):
        headers = {"x-ratelimit-limit-requests": value, "x-ratelimit-remaining-requests": value}
        assert rate_headers.learn(Usage(), LIMITS, START, headers) == Usage()


class TestStored:
    def test_what_is_stored_comes_back(self):
        usage = pause(run_some(), [RPM], START, 5.0, daily=True)
        assert Usage.read(usage.as_dict()) == usage

    @pytest.mark.parametrize(
        "row",
        [
            None,
            [],
            {"windows": 3, "amounts": [], "pauses": "x"},
            {"windows": {"requests_per_minute": [[1], "x", [float("nan"), 2]]}, "amounts": {"a": -3}},
            {"pauses": {"": [float("inf"), 1, True, "x"], "m": 3}},
        ],
    )
    def test_a_row_of_another_shape_counts_as_empty(self, row: object):
        usage = Usage.read(row)
        assert take(usage, [RPM], START, 10)[1] == 0

    def test_slots_of_a_clock_that_ran_ahead_do_not_lock_anybody_out(self):
        usage = Usage({RPM.key: [[START + 10 * DAY, 30]]})
        assert take(usage, [RPM], START, 1)[1] == 0


def run_some() -> Usage:
    usage = Usage()
    for second in range(5):
        usage, _ = take(usage, [RPM, TPM], START + second, 100)
    return usage
