"""One teacher with everything around it that keeps it from being stuck, wasteful or over its limits.

``Guarded`` is a chat model that wraps one: it asks for room first, tries transient errors again, keeps away from a
service that is down, refuses what would cost more than there is, and notes every call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from zega_core.errors import (
    BadAnswer,
    Cancelled,
    NotNow,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    TeacherRefused,
)
from zega_core.providers.base import Call, ChatModel, Completion, GenerationOptions, Message
from zega_core.providers.brakes import Breaker, Gate, Purse, pause
from zega_core.tables import CallOutcome

RETRIES = 2
BACKOFF = 2.0
"""Seconds before the first retry, doubled for the second, each with up to half as much again as jitter."""
CHARS_A_TOKEN = 3
"""English has about four letters a token; three does not count too few."""
SLOW = 30.0
"""Seconds after which a call that failed is not tried again at once: it would take as long again."""
BAD_REQUESTS = 3
"""Different prompts in a row that are refused with the same status before it is believed to be the teacher."""
BAD_ANSWERS = 8
"""Answers in a row that are no piece before a teacher is not asked any more in this run."""


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


class Guarded:
    """A teacher of a run. ``price`` gives the euros for prompt and completion tokens; ``accept`` turns an answer into
    a clean one or raises BadAnswer. ``thinking_room`` are tokens that an answer may take on top of those asked for;
    ``remote`` means that what is sent leaves the machine."""

    def __init__(
        self,
        model: ChatModel,
        *,
        gate: Gate | None = None,
        breaker: Breaker | None = None,
        allowance: Allowance | None = None,
        price: Callable[[int, int], float | None] = lambda prompt, completion: 0.0,
        purse: Purse | None = None,
        accept: Callable[[Completion, Sequence[Message], GenerationOptions], Completion] | None = None,
        last_resort: bool = False,
        thinking_room: int = 0,
        remote: bool = False,
        retries: int = RETRIES,
        backoff: float = BACKOFF,
    ) -> None:
        self.name, self.label, self.in_flight = model.name, model.label, model.in_flight
        self.last_resort, self.out_of_it = last_resort, ""
        self.provider, _, self.model = model.name.partition("/")
        self._inner, self._gate, self._breaker = model, gate or Gate(model.in_flight), breaker or Breaker()
        self._allowance, self._price, self._purse = allowance, price, purse or Purse(None)
        self._accept, self._retries, self._backoff = accept, retries, backoff
        self._refused_prompts, self._bad_answers = set[tuple[int, int]](), 0
        self._thinking_room, self._remote = thinking_room, remote

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        """The accepted answer, with its calls. Raises NotNow when nothing was sent because it may not be asked yet."""
        calls: list[Call] = []
        again = Retrying(
            retry=retry_if_exception(self._may_pass),
            stop=stop_after_attempt(1 + self._retries),
            wait=wait_exponential(self._backoff) + wait_random(0, self._backoff / 2),
            sleep=lambda seconds: pause(options.stop, seconds),
            reraise=True,
        )
        try:
            return again(self._once, messages, options, calls)
        except ProviderError as error:
            error.calls = tuple(calls)
            raise

    def _may_pass(self, error: BaseException) -> bool:
        """Whether asking the same service again is worth the wait."""
        return isinstance(error, ProviderUnavailable) and not error.in_vain and not self._breaker.is_open

    def _once(self, messages: Sequence[Message], options: GenerationOptions, calls: list[Call]) -> Completion:
        if self.out_of_it:
            raise TeacherRefused(self.out_of_it)
        if self._allowance is not None and (wait := self._allowance.known_wait()):
            raise self._allowance.why(wait)
        if wait := self._breaker.enter():
            raise NotNow(f"{self.label} does not answer.", wait, sure=False)
        try:
            self._gate.enter(options.stop)
            try:
                return self._send(messages, options, calls)
            finally:
                self._gate.leave()
        finally:
            self._breaker.leave()

    def _send(self, messages: Sequence[Message], options: GenerationOptions, calls: list[Call]) -> Completion:
        chars = sum(len(message.content) for message in messages)
        prompt_tokens = chars // CHARS_A_TOKEN + 8 * len(messages)
        answer_tokens = options.max_tokens + self._thinking_room
        tokens = prompt_tokens + answer_tokens
        most = self._price(prompt_tokens, answer_tokens)
        with self._purse.holding(most, self.label):
            if self._allowance is not None and (wait := self._allowance.take(tokens)):
                raise self._allowance.why(wait)
            started = time.monotonic()
            try:
                completion = self._inner.complete(messages, options)
            except ProviderError as error:
                self._note(calls, error, started, chars, most)
                raise self._judged(error, started, messages) from error
            self._refused_prompts.clear()
            self._breaker.succeeded()
            self._gate.good()
            if self._allowance is not None:
                self._allowance.answered(completion, tokens, time.monotonic() - started)
            return self._accepted(completion, messages, options, calls, started, chars)

    def _accepted(
        self,
        completion: Completion,
        messages: Sequence[Message],
        options: GenerationOptions,
        calls: list[Call],
        started: float,
        chars: int,
    ) -> Completion:
        latency = time.monotonic() - started
        outcome = CallOutcome.ok
        spent = completion.prompt_tokens, completion.completion_tokens
        if spent == (0, 0):  # the service does not count: by the length of the texts
            spent = chars // CHARS_A_TOKEN, len(completion.text) // CHARS_A_TOKEN
        try:
            if self._accept is not None:
                completion = self._accept(completion, messages, options)
            self._bad_answers = 0
        except BadAnswer as error:
            outcome = CallOutcome(error.outcome)
            self._count_bad(error)
            raise
        finally:
            calls.append(self._call(outcome, 200, latency, spent, chars, completion.model))
        return _with_calls(completion, calls, self.name)

    def _call(
        self,
        outcome: CallOutcome,
        status: int | None,
        seconds: float,
        tokens: tuple[int, int],
        chars: int,
        reported: str = "",
    ) -> Call:
        cost = self._price(*tokens) if status == 200 else 0.0
        self._purse.pay(cost)
        ms = round(seconds * 1000)
        return Call(self.provider, self.model, outcome, status, ms, *tokens, cost, chars, reported, remote=self._remote)

    def _note(self, calls: list[Call], error: ProviderError, started: float, chars: int, most: float | None) -> None:
        """What was asked in vain. A call that was given up while it was under way may be billed: it counts with the
        most that it could cost."""
        seconds, status = time.monotonic() - started, error.status
        if isinstance(error, BadAnswer):
            tokens = error.prompt_tokens, error.completion_tokens
            calls.append(self._call(CallOutcome(error.outcome), status or 200, seconds, tokens, chars))
            return
        outcome, cost = CallOutcome.refused, 0.0
        if isinstance(error, RateLimited):
            outcome = CallOutcome.busy if error.busy else CallOutcome.rate_limited
        elif isinstance(error, ProviderUnavailable):
            outcome, cost = CallOutcome.unavailable, most if status is None and not error.unreachable else 0.0
            chars = 0 if error.unreachable else chars
        elif isinstance(error, Cancelled):
            outcome, cost = CallOutcome.cancelled, most
        elif status is None:  # refused before it was sent
            chars = 0
        self._purse.pay(cost)
        ms = round(seconds * 1000)
        calls.append(
            Call(self.provider, self.model, outcome, status, ms, cost=cost, sent_chars=chars, remote=self._remote)
        )

    def _judged(self, error: ProviderError, started: float, messages: Sequence[Message]) -> ProviderError:
        """What an error means for the calls after it; the error to raise."""
        if isinstance(error, RateLimited):
            if error.busy or self._allowance is None:
                return NotNow(str(error), self._gate.busy(error.retry_after))
            return self._allowance.pause(error, time.time() - (time.monotonic() - started))
        if isinstance(error, TeacherRefused):
            self.out_of_it = str(error)
        elif isinstance(error, BadAnswer):
            self._breaker.succeeded()
            self._gate.good()
            self._count_bad(error)
        elif isinstance(error, ProviderUnavailable):
            error.in_vain = error.unreachable or time.monotonic() - started > SLOW
            self._breaker.failed(at_once=error.in_vain)
        elif error.status is not None:  # one prompt's trouble, or a request that is refused in whatever words
            self._refused_prompts.add((error.status, hash(tuple(messages))))
            if sum(status == error.status for status, _ in self._refused_prompts) >= BAD_REQUESTS:
                self.out_of_it = str(error)
        return error

    def _count_bad(self, error: BadAnswer) -> None:
        self._bad_answers += 1
        if self._bad_answers >= BAD_ANSWERS:
            self.out_of_it = f"{self.label} gave {BAD_ANSWERS} answers in a row that are no piece. The last: {error}"


def _with_calls(completion: Completion, calls: Sequence[Call], name: str) -> Completion:
    return Completion(
        completion.text,
        name,
        completion.prompt_tokens,
        completion.completion_tokens,
        completion.finish,
        completion.rate_headers,
        tuple(calls),
    )
