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


def scope_of(provider: str, key: str | None, base_url: str) -> str:
    """Who shares a limit: all who use the same key, or without one the same address. The key cannot be read from it."""
    return f"{provider}:{blake2b((key or base_url).encode(), digest_size=12).hexdigest()}"


class SharedAllowance:
    """``providers.guarded.Allowance`` over the database. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        scope: str,
        label: str,
        limits: Sequence[Limit],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._scope, self._label, self._limits, self._clock = settings, scope, label, limits, clock
        self._lock = threading.Lock()
        self._leased, self._lease_tokens, self._lease_until, self._batch = 0, 0, 0.0, 1
        self._most = max(1, min((limit.amount for limit in limits if _is_pace(limit)), default=1) // BATCH)
        self._free_at, self._looked_at, self._day_ends = 0.0, 0.0, None
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
            if not self._limits:
                return self._look(now)
            if self._leased and now < self._lease_until and tokens <= self._lease_tokens:
                self._leased -= 1
                return 0.0
            return self._take_from_row(now, tokens)

    def _take_from_row(self, now: float, tokens: int) -> float:
        used_up = now < self._lease_until and not self._leased
        batch = self._batch = min(self._most, self._batch * 2) if used_up else max(1, self._batch // 2)
        with db.session(self._settings) as session:
            row = store.locked(session, self._scope)
            usage = self._caught_up(Usage.read(row.usage), now)
            usage, wait = windows.take(usage, self._limits, now + LEASE * (batch > 1), tokens, batch)
            if wait and batch > 1:
                batch = 1
                usage, wait = windows.take(usage, self._limits, now, tokens)
            store.save(session, row, usage)
            self._day_ends = windows.exhausted_until(usage, self._limits, now) if wait else None
        self._looked_at, self._free_at = now, now + wait
        self._leased, self._lease_tokens, self._lease_until = (0 if wait else batch - 1), tokens, now + LEASE
        return wait

    def _look(self, now: float) -> float:
        """Without limits there is nothing to count, but others may have been told to keep away."""
        if now - self._looked_at >= LOOK_AGAIN:
            with db.reading(self._settings) as session:
                usage = store.read(session, self._scope)
            self._looked_at, self._free_at = now, usage.paused_until
        return max(0.0, self._free_at - now)

    def _caught_up(self, usage: Usage, now: float) -> Usage:
        """With what was learnt since the last time: requests not sent, tokens not needed, what the service told."""
        if self._leased:
            usage = windows.give_back(usage, self._limits, self._lease_until, self._lease_tokens, self._leased)
            self._leased = 0
        surplus, self._surplus = self._surplus, []
        for sent_at, tokens in surplus:
            usage = windows.settle(usage, self._limits, now, sent_at, tokens)
        headers, self._headers = self._headers, {}
        return windows.learn(usage, self._limits, now, headers) if headers else usage

    def answered(self, completion: Completion, tokens: int, seconds: float) -> None:
        if not self._limits:
            return
        needed = completion.prompt_tokens + completion.completion_tokens
        with self._lock:
            if 0 < needed < tokens:
                self._surplus.append((self._clock() - seconds - LEASE, tokens - needed))
            if completion.rate_headers:
                self._headers = completion.rate_headers

    def pause(self, error: RateLimited) -> NotNow:
        with self._lock:
            now = self._clock()
            with db.session(self._settings) as session:
                row = store.locked(session, self._scope)
                usage = self._caught_up(Usage.read(row.usage), now)
                usage = windows.pause(usage, self._limits, now, error.retry_after, error.daily)
                store.save(session, row, usage)
                self._day_ends = windows.exhausted_until(usage, self._limits, now)
            self._leased, self._looked_at, self._free_at = 0, now, usage.paused_until
            return self._not_now(usage.paused_until - now)

    def why(self, wait: float) -> NotNow:
        return self._not_now(wait)

    def _not_now(self, wait: float) -> NotNow:
        if self._day_ends is not None:
            return NotNow(f"{self._label} has used up its limit of the day.", wait, reset=self._day_ends)
        return NotNow(f"{self._label} is at its limit for the moment.", wait)


def _is_pace(limit: Limit) -> bool:
    return limit.seconds == windows.MINUTE and not limit.of_tokens
