"""Teachers in order, as one: the first that delivers wins, and one that may not be asked yet keeps nobody waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from zega_core.errors import BrokenOff, BudgetSpent, Cancelled, NobodyLeft, NotNow, ProviderError, TeacherRefused
from zega_core.providers.base import Call, Completion, GenerationOptions, Message
from zega_core.providers.brakes import pause
from zega_core.providers.guarded import Guarded

PATIENCE = 120.0
"""Longest wait in seconds that is worth it: a teacher that is limited for longer does not keep the last resort, or the
end of the run, away. For one that may not come back it is the longest that all waits together may take."""
LOOK_AGAIN = 1.0
"""Longest wait in seconds before looking whether another teacher has become free meanwhile."""


class Fallback:
    """A chat model made of several. Members are asked in order; ``last_resort`` ones only when no other is expected
    within ``patience`` seconds. ``why_not`` says of others why they are not here."""

    def __init__(
        self,
        members: Sequence[Guarded],
        *,
        patience: float = PATIENCE,
        why_not: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.members, self.why_not = tuple(members), tuple(why_not)
        self.name = ", ".join(dict.fromkeys(member.provider for member in members)) or "nobody"
        self.label = ", ".join(dict.fromkeys(member.label for member in members)) or "Nobody"
        self.in_flight = max((member.in_flight for member in members), default=1)
        self._patience, self._clock = patience, clock

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        """Raises the last failure when everyone who can be asked has failed at this prompt, and NobodyLeft when no one
        can be asked any more in this run."""
        return _Round(self, messages, options).one()

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, Completion]:
        """Raises like ``complete`` while there was nothing to show, and BrokenOff where the one who writes fails later:
        nobody goes on in the middle of somebody else's text."""
        return _Round(self, messages, options, streamed=True).pieces()

    def several(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        votes: int,
        alike: Callable[[str, str], bool],
    ) -> tuple[list[Completion], list[ProviderError]]:
        """Answers of ``votes`` different teachers, written side by side. Two that are ``alike`` count once: another
        teacher is asked, while there is one. Fewer come back when there are no more teachers; raises like
        ``complete`` when there is not one answer."""
        turn, found, failures = _Round(self, messages, options), list[Completion](), list[ProviderError]()
        while (short := votes - _distinct(found, alike)) > 0:
            with ThreadPoolExecutor(short, thread_name_prefix="vote") as pool:
                answers = list(pool.map(lambda _: turn.try_one(), range(short)))
            found += [answer for answer in answers if isinstance(answer, Completion)]
            failed = [answer for answer in answers if isinstance(answer, ProviderError)]
            failures += failed
            if failed:  # there was nobody else to ask
                break
        if found:
            return found, failures
        answer = turn.try_one(last_resort=True)  # it has no vote: it only stands in
        if isinstance(answer, Completion):
            return [answer], failures
        failures.append(answer)
        error = _most_telling([error for error in failures if error.calls] or failures)
        error.calls = tuple(call for error in failures for call in error.calls)
        raise error


class _Round:
    """One prompt: who has been asked already. Shared by the voters."""

    def __init__(
        self, group: Fallback, messages: Sequence[Message], options: GenerationOptions, *, streamed: bool = False
    ) -> None:
        self._group, self._messages, self._options, self._streamed = group, messages, options, streamed
        self._asked: set[str] = set()
        self._lock = threading.Lock()

    def try_one(self, *, last_resort: bool = False) -> Completion | ProviderError:
        try:
            return self.one(last_resort=last_resort)
        except ProviderError as error:
            return error

    def one(self, *, last_resort: bool = True) -> Completion:
        pieces = self.pieces(last_resort=last_resort)
        while True:
            try:
                next(pieces)
            except StopIteration as ended:
                return ended.value

    def pieces(self, *, last_resort: bool = True) -> Generator[str, None, Completion]:
        """None where nothing is streamed: then there is but the answer."""
        calls: list[Call] = []
        failures: list[ProviderError] = []
        started = self._group._clock()
        try:
            while True:
                waits: list[NotNow] = []
                completion = yield from self._first(False, calls, failures, waits)
                patience = self._group._patience
                left = patience - (self._group._clock() - started)
                near = [wait for wait in waits if wait.wait <= (patience if wait.sure else left)]
                if completion is None and last_resort and not any(wait.sure for wait in near):
                    completion = yield from self._first(True, calls, failures, waits)
                if completion is not None:
                    return completion
                if not near:
                    raise self._nobody(failures, waits)
                pause(self._options.stop, min(LOOK_AGAIN, min(wait.wait for wait in near)))
        except ProviderError as error:
            error.calls = tuple(calls)
            raise

    def _first(
        self, last_resort: bool, calls: list[Call], failures: list[ProviderError], waits: list[NotNow]
    ) -> Generator[str, None, Completion | None]:
        """The first answer of those who can be asked now. What went wrong is added to the lists."""
        for member in self._group.members:
            if member.last_resort != last_resort or not self._claim(member):
                continue
            try:
                completion = yield from self._ask(member)
            except (BrokenOff, BudgetSpent, Cancelled) as error:
                calls += error.calls
                raise
            except NotNow as error:
                calls += error.calls
                waits.append(error)
                self._release(member)
            except ProviderError as error:
                calls += error.calls
                failures.append(error)
            else:
                calls += completion.calls
                return replace(completion, rate_headers={}, calls=tuple(calls))
        return None

    def _ask(self, member: Guarded) -> Generator[str, None, Completion]:
        if self._streamed:
            return (yield from member.stream(self._messages, self._options))
        return member.complete(self._messages, self._options)

    def _claim(self, member: Guarded) -> bool:
        with self._lock:
            if member.name in self._asked:
                return False
            self._asked.add(member.name)
            return True

    def _release(self, member: Guarded) -> None:
        with self._lock:
            self._asked.discard(member.name)

    def _nobody(self, failures: Sequence[ProviderError], waits: Sequence[NotNow]) -> ProviderError:
        """Why this prompt has no answer: because of the prompt, or because nobody can be asked any more."""
        out = [*(member.out_of_it for member in self._group.members if member.out_of_it), *self._group.why_not]
        passing = [error for error in failures if not isinstance(error, TeacherRefused)]
        if passing:
            return _most_telling(passing)
        said = list(dict.fromkeys([*(_until(wait) for wait in waits), *out, *map(str, failures)]))
        if not said and self._asked:
            return ProviderError("Every teacher has been asked already.")
        return NobodyLeft(" ".join(["No teacher can write now.", *said]))


def _until(wait: NotNow) -> str:
    return str(wait) if wait.reset is None else f"{wait} (until {datetime.fromtimestamp(wait.reset):%d %B, %H:%M})"


def _most_telling(failures: Sequence[ProviderError]) -> ProviderError:
    return next((error for error in failures if isinstance(error, NobodyLeft | BudgetSpent)), failures[-1])


def _distinct(found: Sequence[Completion], alike: Callable[[str, str], bool]) -> int:
    kept: list[str] = []
    for completion in found:
        if not any(alike(completion.text, other) for other in kept):
            kept.append(completion.text)
    return len(kept)
