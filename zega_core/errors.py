"""Every error ZEGA raises on purpose. Each message says what is wrong and what to do next.

* ZegaError
  x InvalidInput          something typed, sent or uploaded cannot be used
  x ConfigError           a setting, or a shipped file, is broken
  x HomeError             ZEGA_HOME cannot be used (permissions, full disk, corrupt database)
  x NotFound              no such thing, or it belongs to another writer
  x ChangedElsewhere      it was changed since it was opened; nothing was overwritten
  x ProviderError         a chat model did not deliver
    + ProviderUnavailable   no answer, or a broken one; trying again may help
    + RateLimited           it has been asked too often; waiting helps
    + TeacherRefused        key, model or request is refused; trying again does not help
    + BadAnswer             it answered, but not with a piece
    + BrokenOff             it went wrong after the beginning of its text had been handed out
    + NotNow                it may not be asked yet; nothing was sent
    + NobodyLeft            no teacher can be asked in this run any more
    + BudgetSpent           the next call could cost more than the budget has left
    + Cancelled             the writer pressed Stop while it waited
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ZegaError(Exception):
    """Base of all. ``str(error)`` is a sentence that can be shown to the writer."""


class InvalidInput(ZegaError):
    pass


class ConfigError(ZegaError):
    pass


class HomeError(ZegaError):
    pass


class NotFound(ZegaError):
    pass


class ChangedElsewhere(ZegaError):
    pass


class ProviderError(ZegaError):
    """``status`` is the HTTP status, if one came. ``calls`` holds what was asked before giving up
    (``providers.base.Call``)."""

    def __init__(self, message: str, *, status: int | None = None, calls: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.status, self.calls = status, tuple(calls)


class ProviderUnavailable(ProviderError):
    """``unreachable`` means that no connection could be made. Asking again at once is ``in_vain`` then, and after an
    answer that was waited for for long."""

    def __init__(
        self, message: str, *, status: int | None = None, calls: Sequence[Any] = (), unreachable: bool = False
    ) -> None:
        super().__init__(message, status=status, calls=calls)
        self.unreachable = self.in_vain = unreachable


class RateLimited(ProviderError):
    """``retry_after`` is in seconds, None when the service does not say. ``daily`` means that the limit of the
    day is used up. ``busy`` means that the machine has too much to do, not that an allowance is used up."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        daily: bool = False,
        busy: bool = False,
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after, self.daily, self.busy = retry_after, daily, busy


class TeacherRefused(ProviderError):
    pass


class BadAnswer(ProviderError):
    """``outcome`` is the ``tables.CallOutcome`` under which it is counted. Tokens were spent all the same."""

    def __init__(
        self,
        message: str,
        outcome: str,
        *,
        calls: Sequence[Any] = (),
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
    ) -> None:
        super().__init__(message, calls=calls)
        self.outcome, self.prompt_tokens, self.completion_tokens = outcome, prompt_tokens, completion_tokens


class NotNow(ProviderError):
    """``wait`` is in seconds. ``reset`` is the moment (seconds since 1970) a limit of the day ends, if it is one.
    ``sure`` means that it will answer then; a service that is down may not."""

    def __init__(self, message: str, wait: float, *, reset: float | None = None, sure: bool = True) -> None:
        super().__init__(message)
        self.wait, self.reset, self.sure = wait, reset, sure


class BrokenOff(ProviderError):
    """What was handed out stands, so nobody else is asked."""


class NobodyLeft(ProviderError):
    pass


class BudgetSpent(ProviderError):
    pass


class Cancelled(ProviderError):
    pass
