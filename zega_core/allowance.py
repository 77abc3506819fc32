"""Room under a service's limits, shared by every thread and worker that uses the same key.

The truth is one row (``store.limits``). Each worker takes from it what it is about to send: one request at a time, or
several where many are sent and limits are large, so that the row is not asked for every call. What it took and did
not send it gives back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

from zega_core import db
from zega_core.errors import NotNow, RateLimited
from zega_core.providers import limits as windows
from zega_core.providers import rate_headers
from zega_core.providers.base import Completion
from zega_core.providers.limits import Limit, Usage
from zega_core.settings import Settings
from zega_core.store import limits as store

LEASE = 0.5
"""Seconds within which requests taken in advance must be sent. They are counted from the end of it on."""
BATCH = 100
"""At most a hundredth of a minute's requests is taken at once."""
LOOK_AGAIN = 5.0
"""Seconds after which the row is read again although the end of a wait is known: others give back what they took."""
PROBE = 5.0
"""Seconds that one request has after a pause to show that the service answers again, before the next may try."""
DOUBTED = 3
"""429s in a row, each after a pause that was kept, from which on it is no longer counted on."""


def scope_of(provider: str, key: str | None, base_url: str) -> str:
    """Who shares a limit: all who use the same key at the same address. Neither can be read from it."""
    secret = f"{key or ''}\n{base_url}".encode()
    return f"{provider}:{blake2b(secret, digest_size=12, person=b'zega limits').hexdigest()}"


class SharedAllowance:
    """``providers.brakes.Allowance`` over the database, for one ``model`` of a service. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        scope: str,
        label: str,
        limits: Sequence[Limit],
        *,
        model: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._scope, self._label, self._model = settings, scope, label, model
        self._given, self._clock = tuple(limits), clock
        self._limits: Sequence[Limit] = self._given
        self._lock = threading.Lock()
        self._leased, self._lease_tokens, self._lease_until, self._batch = 0, 0, 0.0, 1
        self._free_at, self._looked_at, self._probe_until = 0.0, 0.0, 0.0
        self._day_ends: float | None = None
        self._strikes, self._answered = 0, False
        self._surplus: list[tuple[float, float]] = []
        self._headers: Mapping[str, str] = {}

    def known_wait(self) -> float:
        now = self._clock()
        return max(0.0, self._free_at - now) if now - self._looked_at < LOOK_AGAIN else 0.0

    def take(self, tokens: int) -> float:
        with self._lock:
            now = self._clock()
            if wait := self.known_wait():
                return wait
            if self._strikes and now < self._probe_until:
                return 0.25  # one asks first whether the pause was long enough
            wait = self._room(now, tokens)
            if not wait and self._strikes:
                self._probe_until = now + PROBE
            return wait

    def _room(self, now: float, tokens: int) -> float:
        if not self._limits:
            return self._look(now)
        if self._leased and now < self._lease_until and tokens <= self._lease_tokens:
            self._leased -= 1
            return 0.0
        return self._take_from_row(now, tokens)

    def _take_from_row(self, now: float, tokens: int) -> float:
        used_up = now < self._lease_until and not self._leased
        most = max(1, min((limit.amount for limit in self._limits if _is_pace(limit)), default=1) // BATCH)
        batch = self._batch = min(most, self._batch * 2) if used_up else max(1, self._batch // 2)
        with db.session(self._settings) as session:
            row = store.locked(session, self._scope)
            usage = self._caught_up(Usage.read(row.usage), now)
            take, limits, model = windows.take, self._limits, self._model
            usage, wait = take(usage, limits, now, tokens, batch, scope=model, ahead=LEASE * (batch > 1))
            if wait and batch > 1:
                batch = 1
                usage, wait = take(usage, limits, now, tokens, scope=model)
            store.save(session, row, usage)
        self._learnt(usage, now, tokens)
        self._looked_at, self._free_at = now, now + wait
        self._leased, self._lease_tokens, self._lease_until = (0 if wait else batch - 1), tokens, now + LEASE
        return wait

    def _look(self, now: float) -> float:
        """Without limits there is nothing to count, but others may have been told to keep away."""
        if now - self._looked_at >= LOOK_AGAIN:
            with db.reading(self._settings) as session:
                usage = store.read(session, self._scope)
            self._learnt(usage, now)
            self._looked_at, self._free_at = now, usage.paused(self._model).until
        return max(0.0, self._free_at - now)

    def _learnt(self, usage: Usage, now: float, tokens: int = 1) -> None:
        self._limits = rate_headers.known(usage, self._given, self._model)
        self._strikes = usage.paused(self._model).strikes
        self._day_ends = windows.exhausted_until(usage, self._limits, now, tokens, scope=self._model)

    def _caught_up(self, usage: Usage, now: float) -> Usage:
        """With what was learnt since the last time: requests not sent, tokens not needed, what the service told."""
        if self._leased:
            usage = windows.give_back(usage, self._limits, self._lease_until, self._lease_tokens, self._leased)
            self._leased = 0
        surplus, self._surplus = self._surplus, []
        for sent_at, tokens in surplus:
            usage = windows.settle(usage, self._limits, now, sent_at, tokens)
        if self._answered:
            usage, self._answered = windows.answered(usage, self._model), False
        headers, self._headers = self._headers, {}
        return rate_headers.learn(usage, self._limits, now, headers, scope=self._model) if headers else usage

    def answered(self, completion: Completion, tokens: int, seconds: float) -> None:
        needed = completion.prompt_tokens + completion.completion_tokens
        with self._lock:
            now = self._clock()
            if 0 < needed < tokens and self._limits:
                self._surplus.append((now - seconds - LEASE, tokens - needed))
                if self._free_at > now:
                    self._looked_at = 0.0  # there may be room now
            self._headers = completion.rate_headers or self._headers
            news = bool(self._strikes) or (not self._limits and _tells_limits(completion.rate_headers))
            self._answered = self._answered or bool(self._strikes)
            if news:
                self._change(lambda usage: usage, now)

    def pause(self, error: RateLimited, sent_at: float) -> NotNow:
        with self._lock:
            now = self._clock()
            self._answered = False
            usage = self._change(
                lambda usage: windows.pause(
                    usage, self._limits, now, error.retry_after, error.daily, scope=self._model, sent_at=sent_at
                ),
                now,
            )
            self._probe_until, self._looked_at, self._free_at = 0.0, now, usage.paused(self._model).until
            return self._not_now(self._free_at - now)

    def _change(self, change: Callable[[Usage], Usage], now: float) -> Usage:
        with db.session(self._settings) as session:
            row = store.locked(session, self._scope)
            usage = change(self._caught_up(Usage.read(row.usage), now))
            store.save(session, row, usage)
        self._learnt(usage, now)
        return usage

    def why(self, wait: float) -> NotNow:
        return self._not_now(wait)

    def _not_now(self, wait: float) -> NotNow:
        sure = self._strikes < DOUBTED
        if self._day_ends is not None:
            return NotNow(f"{self._label} has used up its limit of the day.", wait, reset=self._day_ends, sure=sure)
        return NotNow(f"{self._label} is at its limit for the moment.", wait, sure=sure)


def _is_pace(limit: Limit) -> bool:
    return limit.seconds == windows.MINUTE and not limit.of_tokens


def _tells_limits(headers: Mapping[str, str]) -> bool:
    return any(name.startswith("x-ratelimit-limit-") for name in headers)
