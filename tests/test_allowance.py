"""Limits shared by threads and workers through one row, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from zega_core import db
from zega_core.allowance import LOOK_AGAIN, SharedAllowance, scope_of
from zega_core.errors import RateLimited
from zega_core.providers.base import Completion
from zega_core.providers.limits import Limit
from zega_core.settings import Settings
from zega_core.store import limits as store

pytestmark = pytest.mark.usefixtures("database")
START = 1_790_000_000.0
RPM = [Limit("requests_per_minute", 30)]


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def worker(config: Settings, clock: Clock, limits: list[Limit] | None = None, scope: str = "groq:x") -> SharedAllowance:
    """As another process would have it: nothing in common but the database."""
    return SharedAllowance(config, scope, "Groq · m", RPM if limits is None else limits, clock=clock)


def test_two_workers_together_send_no_more_than_the_limit(config: Settings):
    clock = Clock()
    workers = [worker(config, clock), worker(config, clock)]
    sent = sum(workers[number % 2].take(10) == 0 for number in range(60))
    assert sent == 30
    clock.now += 61.1
    assert [one.take(10) for one in workers] == [0, 0]


def test_many_threads_of_one_worker_send_no_more_than_the_limit(config: Settings):
    clock = Clock()
    one = worker(config, clock)
    barrier = threading.Barrier(16)

    def ask(_: int) -> bool:
        barrier.wait(10)
        return sum(one.take(10) == 0 for _ in range(5)) > 0

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(16)))
    with db.reading(config) as session:
        usage = store.read(session, "groq:x")
    assert sum(amount for _, amount in usage.windows["requests_per_minute"]) == 30


def test_a_new_worker_knows_what_the_dead_one_sent(config: Settings):
    clock = Clock()
    for _ in range(30):
        worker(config, clock).take(10)
    assert worker(config, clock).take(10) > 0


def test_another_key_has_limits_of_its_own(config: Settings):
    clock = Clock()
    for _ in range(30):
        worker(config, clock).take(10)
    assert worker(config, clock, scope="groq:y").take(10) == 0


def test_a_pause_is_everybodys(config: Settings):
    clock = Clock()
    one, other = worker(config, clock), worker(config, clock)
    told = one.pause(RateLimited("Too many.", status=429, retry_after=20), clock.now)
    assert told.wait == 20
    assert one.known_wait() == 20
    assert other.take(10) == pytest.approx(20)
    clock.now += 20.1
    assert [one.take(10), other.take(10)] == [0, 0]


def test_after_a_pause_one_asks_first(config: Settings):
    clock = Clock()
    one = worker(config, clock)
    one.pause(RateLimited("Too many.", status=429, retry_after=2), clock.now)
    clock.now += 2.1
    assert [one.take(10) for _ in range(4)] == [0, 0.25, 0.25, 0.25]
    one.answered(Completion("x", "m", 5, 5), 10, 0.1)
    assert [one.take(10) for _ in range(4)] == [0, 0, 0, 0]


def test_a_service_that_refuses_again_and_again_is_no_longer_counted_on(config: Settings):
    clock = Clock()
    one = worker(config, clock)
    told = []
    for _ in range(4):
        told.append(one.pause(RateLimited("Too many.", status=429, retry_after=0), clock.now))
        clock.now += told[-1].wait + 0.1
        assert one.take(10) == 0
    assert [round(each.wait) for each in told] == [0, 4, 8, 16]
    assert [each.sure for each in told] == [True, True, False, False]


def test_a_pause_of_one_model_is_not_anothers(config: Settings):
    clock = Clock()
    one, other = (SharedAllowance(config, "gemini:x", name, RPM, model=name, clock=clock) for name in ("a", "b"))
    one.pause(RateLimited("Used up.", status=429, daily=True), clock.now)
    assert one.take(10) > 0
    assert other.take(10) == 0


def test_a_limit_that_only_the_service_knows_is_learnt_and_kept_to(config: Settings):
    clock = Clock()
    headers = {
        "x-ratelimit-limit-requests": "20",
        "x-ratelimit-remaining-requests": "5",
        "x-ratelimit-reset-requests": "45s",
    }
    one = worker(config, clock, [])
    assert one.take(10) == 0
    one.answered(Completion("x", "m", 5, 5, rate_headers=headers), 10, 0.1)
    assert sum(one.take(10) == 0 for _ in range(20)) == 5
    assert worker(config, clock, []).take(10) == 0  # it has not asked yet, and then learns it, too


def test_a_limit_of_the_writers_own_is_not_raised_by_the_service(config: Settings):
    clock = Clock()
    one = worker(config, clock, [Limit("requests_per_minute", 5, own=True)])
    headers = {"x-ratelimit-limit-requests": "1000", "x-ratelimit-remaining-requests": "999"}
    assert one.take(10) == 0
    one.answered(Completion("x", "m", 5, 5, rate_headers=headers), 10, 0.1)
    assert sum(one.take(10) == 0 for _ in range(20)) == 4


def test_room_that_comes_back_is_found_at_once(config: Settings):
    clock = Clock()
    one = worker(config, clock, [Limit("tokens_per_minute", 1000)])
    assert one.take(900) == 0
    assert one.take(900) > 50
    one.answered(Completion("x", "m", 50, 50), 900, 1.0)
    assert one.take(800) == 0


def test_without_limits_a_pause_of_another_worker_is_noticed_in_seconds(config: Settings):
    clock = Clock()
    one, other = worker(config, clock, []), worker(config, clock, [])
    assert other.take(10) == 0
    one.pause(RateLimited("Too many.", status=429, retry_after=30), clock.now)
    clock.now += LOOK_AGAIN
    assert other.take(10) == pytest.approx(25)


def test_a_used_up_day_is_said_with_the_time_it_ends(config: Settings):
    clock = Clock()
    one = worker(config, clock, [Limit("requests_per_day", 2, resets="America/Los_Angeles")])
    assert [one.take(10), one.take(10)] == [0, 0]
    wait = one.take(10)
    said = one.why(wait)
    assert said.reset == pytest.approx(START + wait)
    assert "limit of the day" in str(said)


def test_tokens_that_were_not_needed_come_back(config: Settings):
    clock = Clock()
    one = worker(config, clock, [Limit("tokens_per_minute", 1000)])
    assert one.take(900) == 0
    one.answered(Completion("x", "m", 50, 50), 900, 0.2)
    clock.now += LOOK_AGAIN
    assert one.take(800) == 0


def test_large_limits_are_taken_in_batches_and_never_overdrawn(config: Settings, monkeypatch: pytest.MonkeyPatch):
    clock, asked = Clock(), list[int]()
    monkeypatch.setattr(store, "locked", lambda *a, real=store.locked: asked.append(1) or real(*a))
    limits = [Limit("requests_per_minute", 1000), Limit("tokens_per_minute", 50_000)]
    one, other = worker(config, clock, limits), worker(config, clock, limits)
    sent = sum((one if number % 2 else other).take(10) == 0 for number in range(1200))
    assert sent == 1000
    assert len(asked) < 300


def test_a_lease_that_was_not_used_in_time_is_not_used_later(config: Settings):
    clock = Clock()
    limits = [Limit("requests_per_minute", 1000)]
    one = worker(config, clock, limits)
    one.take(10)
    clock.now += 1.0
    for _ in range(999):
        one.take(10)
    sent_late = sum(one.take(10) == 0 for _ in range(50))
    assert sent_late == 0


def test_what_was_taken_in_advance_and_not_sent_is_given_back(config: Settings):
    clock, limits = Clock(), [Limit("requests_per_minute", 1000), Limit("tokens_per_minute", 50_000)]
    one, sent = worker(config, clock, limits), 0
    for _ in range(8):  # bursts that make it take many at once, with pauses in which they are lost
        sent += sum(one.take(10) == 0 for _ in range(60))
        clock.now += 2
    with db.reading(config) as session:
        usage = store.read(session, "groq:x")
    counted = sum(amount for _, amount in usage.windows["requests_per_minute"])
    assert sent == 480
    assert sent <= counted <= sent + 10


def test_the_key_cannot_be_read_from_the_scope():
    scope = scope_of("groq", "gsk_very_secret_key", "https://api.groq.com")
    assert "secret" not in scope
    assert scope == scope_of("groq", "gsk_very_secret_key", "https://api.groq.com")
    for key, address in (("another-key", "https://api.groq.com"), ("gsk_very_secret_key", "https://elsewhere.example")):
        assert scope_of("groq", key, address) != scope
