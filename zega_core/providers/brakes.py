"""What holds a call back: a budget, a limit, a service that is down, a machine that is busy, a run that was stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from zega_core.errors import BudgetSpent, Cancelled, NotNow, RateLimited
from zega_core.providers.base import Completion


class Allowance(Protocol):
    """Room under the limits of a service, shared by all who use the same key."""

    def known_wait(self) -> float:
        """Seconds that are known to be left to wait, without asking anybody."""
        ...

    def take(self, tokens: int) -> float:
        """0.0 when a request of ``tokens`` may be sent now (and is counted), else the seconds to wait."""
        ...

    def answered(self, completion: Completion, tokens: int, seconds: float) -> None:
        """It answered after ``seconds``; ``tokens`` were counted for it."""
        ...

    def pause(self, error: RateLimited, sent_at: float) -> NotNow:
        """Keep everybody away after a 429 to what was sent then (seconds since 1970); what to tell who asks now."""
        ...

    def why(self, wait: float) -> NotNow: ...


class Purse:
    """What a run may spend, in euros. None is no limit. Calls under way hold the most they could cost."""

    def __init__(self, budget: float | None, spent: float = 0.0) -> None:
        self.budget, self.spent, self._held = budget, spent, 0.0
        self._lock = threading.Lock()

    @contextmanager
    def holding(self, most: float | None, name: str) -> Iterator[None]:
        """Around a call that can cost up to ``most``, None for unknown. Raises BudgetSpent when that might be too much,
        NotNow when it might be once the calls under way have cost the most they can."""
        if self.budget is not None and most is None:
            raise BudgetSpent(f"The price of {name} is not known, so it cannot be held to a budget.")
        with self._lock:
            if self.budget is not None and most and self.spent + self._held + most > self.budget:
                if self.spent + most <= self.budget:
                    raise NotNow("The rest of the budget is held by calls under way.", 0.5)
                raise BudgetSpent(
                    f"The budget of {self.budget:.2f} € is used up. Raise it and press Continue for the rest."
                )
            self._held += most or 0.0
        try:
            yield
        finally:
            with self._lock:
                self._held -= most or 0.0

    def pay(self, cost: float | None) -> None:
        with self._lock:
            self.spent += cost or 0.0


class Breaker:
    """Keeps away from what is down: after ``threshold`` failures in a row nobody asks for ``rest`` seconds, then one
    does; if that fails too the rest doubles, up to ``longest``."""

    def __init__(
        self,
        *,
        threshold: int = 5,
        rest: float = 15.0,
        longest: float = 240.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold, self._first_rest, self._longest, self._clock = threshold, rest, longest, clock
        self._failures, self._rest, self._until, self._probing = 0, rest, 0.0, False
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        return self._failures >= self._threshold

    def enter(self) -> float:
        """0.0 when a call may be made (one at a time while the service is on probation), else seconds to wait."""
        with self._lock:
            if not self.is_open:
                return 0.0
            wait = self._until - self._clock()
            if wait > 0:
                return wait
            if self._probing:
                return 0.5
            self._probing = True
            return 0.0

    def failed(self, *, at_once: bool = False) -> None:
        with self._lock:
            was_open = self.is_open
            self._failures = max(self._failures + 1, self._threshold if at_once else 0)
            if self.is_open and (self._probing or not was_open):
                self._until = self._clock() + self._rest
                self._rest = min(self._longest, self._rest * 2)
            self._probing = False

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._rest, self._probing = 0, self._first_rest, False

    def leave(self) -> None:
        """A call has ended, even if it said nothing about the service: the next may be the probe."""
        with self._lock:
            self._probing = False


class Gate:
    """How many calls are under way at once. With ``finds_level`` it halves when the machine says that it is busy and
    grows by one after as many good answers as it lets in (additive increase, multiplicative decrease: Chiu and Jain,
    1989)."""

    def __init__(self, most: int, *, finds_level: bool = False) -> None:
        self.level, self._most, self._finds_level = most, most, finds_level
        self._inside, self._good, self._not_before, self._rest = 0, 0, 0.0, 0.0
        self._changed = threading.Condition()

    def enter(self, stop: threading.Event | None) -> None:
        """Wait for a place; raises NotNow while the machine has asked for a rest, and Cancelled."""
        with self._changed:
            while self._inside >= self.level:
                if stop is not None and stop.is_set():
                    raise Cancelled("The run was stopped.")
                self._changed.wait(0.25)
            rest = self._not_before - time.monotonic()
            if rest > 0:
                raise NotNow("It is busy.", rest)
            self._inside += 1

    def leave(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify()

    def good(self) -> None:
        with self._changed:
            self._rest = 0.0
            self._good += 1
            if self._finds_level and self._good >= self.level and self.level < self._most:
                self.level, self._good = self.level + 1, 0
                self._changed.notify()

    def busy(self, rest: float | None) -> float:
        """Halve the level, and let nobody in for a moment that grows while it stays busy: seconds."""
        with self._changed:
            if self._finds_level:
                self.level, self._good = max(1, self.level // 2), 0
            self._rest = min(8.0, self._rest * 2 or 0.1)
            self._rest = min(30.0, max(self._rest, rest or 0.0))
            self._not_before = time.monotonic() + self._rest
            return self._rest


def pause(stop: threading.Event | None, seconds: float) -> None:
    """Wait; raises Cancelled as soon as ``stop`` is set."""
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise Cancelled("The run was stopped.")
