"""One teacher with everything around it that keeps it from being stuck, wasteful or over its limits.

``Guarded`` is a chat model that wraps one: it asks for room first, tries transient errors again, keeps away from a
service that is down, refuses what would cost more than there is, and notes every call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from zega_core.errors import (
    BadAnswer,
    BrokenOff,
    Cancelled,
    NotNow,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    TeacherRefused,
)
from zega_core.providers.base import Call, Completion, GenerationOptions, Message, StreamingModel
from zega_core.providers.brakes import Allowance, Breaker, Gate, Purse, pause
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
STEPS = 200
"""An answer that has grown by this part of its length is looked at again, so that a long one takes no longer."""
KEPT = "What came by then is kept."


@dataclass(slots=True)
class _Sent:
    """One request while it is under way: how many characters it has, the tokens that are counted for it, the most euros
    that it can cost (None for unknown), when it was sent (``time.monotonic``), what came of it so far, and what of that
    was handed out."""

    messages: Sequence[Message]
    options: GenerationOptions
    calls: list[Call]
    chars: int
    tokens: int
    most: float | None
    at: float = 0.0
    got: str = ""
    shown: str = ""


class Guarded:
    """A teacher of a run. ``price`` gives the euros for prompt and completion tokens; ``accept`` turns an answer into
    a clean one or raises BadAnswer, and ``certain`` gives what of an unfinished one can be shown. ``thinking_room`` are
    tokens that an answer may take on top of those asked for; ``remote`` means that what is sent leaves the machine."""

    def __init__(
        self,
        model: StreamingModel,
        *,
        gate: Gate | None = None,
        breaker: Breaker | None = None,
        allowance: Allowance | None = None,
        price: Callable[[int, int], float | None] = lambda prompt, completion: 0.0,
        purse: Purse | None = None,
        accept: Callable[[Completion, Sequence[Message], GenerationOptions], Completion] | None = None,
        certain: Callable[[str, GenerationOptions], str] = lambda text, options: text,
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
        self._accept, self._certain, self._retries, self._backoff = accept, certain, retries, backoff
        self._refused_prompts, self._bad_answers = set[tuple[int, int]](), 0
        self._thinking_room, self._remote = thinking_room, remote

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        """The accepted answer, with its calls. Raises NotNow when nothing was sent because it may not be asked yet."""
        sent = self._request(messages, options)
        try:
            return self._again(options)(self._once, sent)
        except ProviderError as error:
            error.calls = tuple(sent.calls)
            raise

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, Completion]:
        """As ``complete`` until there is something to show. What goes wrong later is BrokenOff, and is not tried
        again."""
        sent = self._request(messages, options)
        pieces: Generator[str, None, Completion] | None = None
        try:
            pieces = self._again(options)(self._begun, sent)
            return (yield from pieces)
        except ProviderError as error:
            error.calls = tuple(sent.calls)
            if pieces is None or isinstance(error, Cancelled):
                raise
            raise BrokenOff(f"{error} {KEPT}", status=error.status, calls=sent.calls) from error

    def _request(self, messages: Sequence[Message], options: GenerationOptions) -> _Sent:
        chars = sum(len(message.content) for message in messages)
        prompt_tokens = chars // CHARS_A_TOKEN + 8 * len(messages)
        answer_tokens = options.max_tokens + self._thinking_room
        most = self._price(prompt_tokens, answer_tokens)
        return _Sent(messages, options, [], chars, prompt_tokens + answer_tokens, most)

    def _again(self, options: GenerationOptions) -> Retrying:
        return Retrying(
            retry=retry_if_exception(self._may_pass),
            stop=stop_after_attempt(1 + self._retries),
            wait=wait_exponential(self._backoff) + wait_random(0, self._backoff / 2),
            sleep=lambda seconds: pause(options.stop, seconds),
            reraise=True,
        )

    def _may_pass(self, error: BaseException) -> bool:
        """Whether asking the same service again is worth the wait."""
        return isinstance(error, ProviderUnavailable) and not error.in_vain and not self._breaker.is_open

    def _once(self, sent: _Sent) -> Completion:
        with self._admitted(sent):
            with self._noted(sent):
                completion = self._inner.complete(sent.messages, sent.options)
            return self._answered(completion, sent)

    def _begun(self, sent: _Sent) -> Generator[str, None, Completion]:
        """The pieces of an answer, the first of them at hand."""
        pieces = self._pieces(sent)
        next(pieces)
        return pieces

    def _pieces(self, sent: _Sent) -> Generator[str, None, Completion]:
        """An empty one as soon as there is something to show, and then that."""
        with self._admitted(sent):
            with self._noted(sent):
                completion = yield from self._certain_pieces(sent)
            completion = self._answered(completion, sent)
        if not sent.shown:
            yield ""
        if completion.text.startswith(sent.shown) and completion.text != sent.shown:
            yield completion.text[len(sent.shown) :]
        return completion

    def _certain_pieces(self, sent: _Sent) -> Generator[str, None, Completion]:
        """The same of the answer as it comes, but not what it may end with."""
        sent.got, look = "", 0
        with closing(self._inner.stream(sent.messages, sent.options)) as pieces:
            while True:
                try:
                    sent.got += next(pieces)
                except StopIteration as ended:
                    return ended.value
                if len(sent.got) < look:
                    continue
                look = len(sent.got) + len(sent.got) // STEPS
                before, now = sent.shown, self._certain(sent.got, sent.options)
                if now.startswith(before) and now != before:
                    if not before:
                        yield ""
                    sent.shown = now
                    yield now[len(before) :]

    @contextmanager
    def _admitted(self, sent: _Sent) -> Iterator[None]:
        """Around a call that may be made now; raises NotNow and others where it may not."""
        if self.out_of_it:
            raise TeacherRefused(self.out_of_it)
        if self._allowance is not None and (wait := self._allowance.known_wait()):
            raise self._allowance.why(wait)
        if wait := self._breaker.enter():
            raise NotNow(f"{self.label} does not answer.", wait, sure=False)
        with ExitStack() as held:
            held.callback(self._breaker.leave)
            self._gate.enter(sent.options.stop)
            held.callback(self._gate.leave)
            held.enter_context(self._purse.holding(sent.most, self.label))
            if self._allowance is not None and (wait := self._allowance.take(sent.tokens)):
                raise self._allowance.why(wait)
            sent.at = time.monotonic()
            yield

    @contextmanager
    def _noted(self, sent: _Sent) -> Iterator[None]:
        """Around what the service does."""
        try:
            yield
        except ProviderError as error:
            self._note(error, sent)
            raise self._judged(error, sent) from error

    def _answered(self, completion: Completion, sent: _Sent) -> Completion:
        latency = time.monotonic() - sent.at
        self._refused_prompts.clear()
        self._breaker.succeeded()
        self._gate.good()
        if self._allowance is not None:
            self._allowance.answered(completion, sent.tokens, latency)
        outcome = CallOutcome.ok
        spent = completion.prompt_tokens, completion.completion_tokens
        if spent == (0, 0):  # the service does not count
            spent = _by_length(sent.chars, completion.text)
        try:
            if self._accept is not None:
                completion = self._accept(completion, sent.messages, sent.options)
            self._bad_answers = 0
        except BadAnswer as error:
            outcome = CallOutcome(error.outcome)
            self._count_bad(error)
            raise
        finally:
            sent.calls.append(self._call(outcome, 200, latency, spent, sent.chars, completion.model))
        return replace(completion, model=self.name, calls=tuple(sent.calls))

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

    def _note(self, error: ProviderError, sent: _Sent) -> None:
        """What was asked in vain. A call that was given up while it was under way, or broke off, may be billed: it
        counts with the most that it could cost."""
        seconds, status, chars = time.monotonic() - sent.at, error.status, sent.chars
        if isinstance(error, BadAnswer):
            tokens = error.prompt_tokens, error.completion_tokens
            sent.calls.append(self._call(CallOutcome(error.outcome), status or 200, seconds, tokens, chars))
            return
        outcome, cost = CallOutcome.refused, 0.0
        if isinstance(error, RateLimited):
            outcome = CallOutcome.busy if error.busy else CallOutcome.rate_limited
        elif isinstance(error, ProviderUnavailable):
            outcome, cost = CallOutcome.unavailable, sent.most if status is None and not error.unreachable else 0.0
            chars = 0 if error.unreachable else chars
        elif isinstance(error, Cancelled):
            outcome, cost = CallOutcome.cancelled, sent.most
        elif status is None:  # refused before it was sent
            chars = 0
        tokens = (0, 0)
        if sent.got:
            tokens, cost, chars = _by_length(sent.chars, sent.got), sent.most, sent.chars
        self._purse.pay(cost)
        made = self.provider, self.model, outcome, status, round(seconds * 1000)
        sent.calls.append(Call(*made, *tokens, cost, chars, remote=self._remote))

    def _judged(self, error: ProviderError, sent: _Sent) -> ProviderError:
        """What an error means for the calls after it; the error to raise."""
        seconds = time.monotonic() - sent.at
        if isinstance(error, RateLimited):
            if error.busy or self._allowance is None:
                return NotNow(str(error), self._gate.busy(error.retry_after))
            return self._allowance.pause(error, time.time() - seconds)
        if isinstance(error, TeacherRefused):
            self.out_of_it = str(error)
        elif isinstance(error, BadAnswer):
            self._breaker.succeeded()
            self._gate.good()
            self._count_bad(error)
        elif isinstance(error, ProviderUnavailable):
            error.in_vain = error.unreachable or seconds > SLOW
            self._breaker.failed(at_once=error.in_vain)
        elif error.status is not None:  # one prompt's trouble, or a request that is refused in whatever words
            self._refused_prompts.add((error.status, hash(tuple(sent.messages))))
            if sum(status == error.status for status, _ in self._refused_prompts) >= BAD_REQUESTS:
                self.out_of_it = str(error)
        return error

    def _count_bad(self, error: BadAnswer) -> None:
        self._bad_answers += 1
        if self._bad_answers >= BAD_ANSWERS:
            self.out_of_it = f"{self.label} gave {BAD_ANSWERS} answers in a row that are no piece. The last: {error}"


def _by_length(chars: int, text: str) -> tuple[int, int]:
    return chars // CHARS_A_TOKEN, len(text) // CHARS_A_TOKEN
