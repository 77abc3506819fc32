"""A teacher's text while it comes, with every guard around it, from stand-ins that answer as the services document."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from tests.providers.test_guarded import DOWN, always, guarded, outcomes, scripted
from tests.support import services
from tests.support.services import FakeService
from tests.support.worker import until
from zega_core.errors import (
    BadAnswer,
    BrokenOff,
    BudgetSpent,
    Cancelled,
    NobodyLeft,
    ProviderError,
    ProviderUnavailable,
    TeacherRefused,
)
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.providers.brakes import Breaker, Gate, Purse
from zega_core.providers.fallback import Fallback
from zega_core.providers.guarded import KEPT, Guarded
from zega_core.providers.service import Access, ServiceModel, connect
from zega_core.tables import CallOutcome
from zega_core.teachers import _accepted, _certain

ASK = [Message("user", "Write one scene about a lantern.")]
OPTIONS = GenerationOptions(may_break_off=True)
PROVIDERS = sorted(services.MODELS)
MID_STREAM = ("dropped", "ends_early")


def drawn(stream: Any) -> tuple[list[str], Completion]:
    pieces: list[str] = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as ended:
            return pieces, ended.value


@contextmanager
def teacher(provider: str, script: Any, **more: Any) -> Iterator[tuple[Guarded, FakeService]]:
    with FakeService(provider, script) as fake:
        service = connect(provider, Access(fake.url, "key-0123456789"))
        model = ServiceModel(service, services.MODELS[provider][0])
        yield Guarded(model, accept=_accepted, certain=_certain, backoff=0.001, **more), fake
        service.close()


class Talker:
    """Says its pieces, and then raises ``error`` if there is one. ``closed`` is set when nobody listens any more."""

    name, label, in_flight = "groq/talker", "Groq · talker", 4

    def __init__(self, *pieces: str, error: ProviderError | None = None, finish: Any = "stop") -> None:
        self.pieces, self.error, self.finish = pieces, error, finish
        self.asked, self.closed = 0, threading.Event()

    def stream(self, messages: Sequence[Message], options: GenerationOptions):
        self.asked += 1
        try:
            yield from self.pieces
            if self.error is not None:
                raise self.error
            return Completion("".join(self.pieces), "talker-1", finish=self.finish)
        finally:
            self.closed.set()

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        raise AssertionError("it was to stream")


# ----------------------------------------------------------------------------------------------------------- services


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_text_comes_in_pieces_and_the_call_is_noted_as_the_service_counts_it(provider: str):
    with teacher(provider, "ok") as (model, fake):
        pieces, completion = drawn(model.stream(ASK, OPTIONS))
    assert "".join(pieces) == completion.text == services.TEXT
    assert len([piece for piece in pieces if piece]) >= 2
    (call,) = completion.calls
    assert (call.outcome, call.prompt_tokens, call.completion_tokens) == (
        CallOutcome.ok,
        services.PROMPT_TOKENS,
        services.COMPLETION_TOKENS,
    )
    assert len(fake.completions) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_thinking_of_its_own_field_or_in_the_text_is_never_shown(provider: str):
    loud = f"<think>\n{services.REASONING}\n</think>\n\n{services.TEXT}"
    with teacher(provider, ["thinking", loud]) as (model, _):
        for _ in range(2):
            pieces, completion = drawn(model.stream(ASK, OPTIONS))
            assert "".join(pieces) == completion.text == services.TEXT


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_length_limit_keeps_what_came(provider: str):
    with teacher(provider, "length") as (model, _):
        pieces, completion = drawn(model.stream(ASK, OPTIONS))
        assert ("".join(pieces), completion.cut_off) == (services.TEXT, True)
        with pytest.raises(BadAnswer, match="length limit"):
            model.complete(ASK, GenerationOptions())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_limit_before_the_first_word_is_for_another_teacher(provider: str):
    with teacher(provider, "rate_limited") as (limited, _), teacher("groq", "ok") as (other, _):
        pieces, completion = drawn(Fallback([limited, other], patience=5).stream(ASK, OPTIONS))
    assert "".join(pieces) == services.TEXT
    assert completion.model == other.name
    assert outcomes(completion.calls) == ["rate_limited", "ok"]


@pytest.mark.parametrize("fault", MID_STREAM)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_fault_in_mid_text_keeps_it_and_asks_nobody_else(provider: str, fault: str):
    with teacher(provider, fault) as (broken, fake), teacher("groq", "ok") as (other, untouched):
        stream = Fallback([broken, other]).stream(ASK, OPTIONS)
        pieces: list[str] = []
        with pytest.raises(BrokenOff) as raised:
            for piece in stream:
                pieces.append(piece)
        assert untouched.completions == []
        assert len(fake.completions) == 1
    said = "".join(pieces)
    assert said and services.TEXT.startswith(said)
    assert str(raised.value).endswith(KEPT)
    (call,) = raised.value.calls
    assert call.outcome == CallOutcome.unavailable
    assert call.completion_tokens > 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_stop_in_mid_text_closes_the_connection_and_notes_the_call(provider: str):
    with teacher(provider, "hang_after_start") as (model, fake):
        stream = Fallback([model]).stream(ASK, OPTIONS)
        assert next(stream)
        with pytest.raises(Cancelled) as raised:
            stream.throw(Cancelled("It was stopped."))
        assert outcomes(raised.value.calls) == ["cancelled"]
        assert raised.value.calls[0].completion_tokens > 0
        until(lambda: fake.at_once == 0, 10)


def test_stop_while_nothing_comes_ends_the_wait():
    stop = threading.Event()
    with teacher("openai_compatible", lambda _: stop.set() or "hang") as (model, _), pytest.raises(Cancelled) as raised:
        drawn(Fallback([model]).stream(ASK, GenerationOptions(stop=stop)))
    assert outcomes(raised.value.calls) == ["cancelled"]


@pytest.mark.parametrize("provider", ["huggingface", "openai_compatible"])
def test_a_server_that_refuses_to_count_is_asked_without(provider: str):
    def strictly(_: int) -> str:
        return "no_counting" if "stream_options" in fake.completions[-1].json else "ok"

    with teacher(provider, strictly) as (model, fake):
        for asked in (2, 3):  # it is remembered
            pieces, completion = drawn(model.stream(ASK, OPTIONS))
            assert "".join(pieces) == services.TEXT
            assert outcomes(completion.calls) == ["ok"]
            assert len(fake.completions) == asked


# ------------------------------------------------------------------------------------------------------------- guards


def test_a_fault_before_the_first_word_is_tried_again():
    model = scripted("groq/m", DOWN, DOWN)
    pieces, completion = drawn(guarded(model).stream(ASK, OPTIONS))
    assert "".join(pieces)
    assert outcomes(completion.calls) == ["unavailable", "unavailable", "ok"]


def test_a_fault_while_the_beginning_is_held_back_is_tried_again():
    model = Talker("<think>", "So the user wants", error=ProviderUnavailable("It broke off.", status=200))
    with pytest.raises(ProviderUnavailable) as raised:
        drawn(Guarded(model, certain=_certain, accept=_accepted, backoff=0.001).stream(ASK, OPTIONS))
    assert model.asked == 3
    assert outcomes(raised.value.calls) == ["unavailable"] * 3


def test_nobody_left_says_so_before_a_word_is_shown():
    with pytest.raises(NobodyLeft, match="key is refused"):
        drawn(
            Fallback([guarded(always("groq/a", TeacherRefused("The key is refused.", status=401)))]).stream(
                ASK, OPTIONS
            )
        )


def test_an_answer_that_declines_is_not_shown_and_the_next_teacher_writes():
    sorry = Guarded(Talker("I'm sorry, ", "but I can't ", "write about that."), accept=_accepted, certain=_certain)
    pieces, completion = drawn(Fallback([sorry, guarded(scripted("hf/b"))]).stream(ASK, OPTIONS))
    assert "sorry" not in "".join(pieces)
    assert outcomes(completion.calls) == ["refusal", "ok"]


def test_one_that_turns_out_to_be_no_piece_keeps_what_was_shown_and_says_why():
    words = "Die alte Fähre kommt nie an und niemand weiß warum das so ist. ~" * 4
    model = Guarded(Talker(*words.split("~")), accept=_accepted, certain=_certain)
    stream = model.stream(ASK, OPTIONS)
    assert next(stream).startswith("Die alte")
    with pytest.raises(BrokenOff, match="another language") as raised:
        drawn(stream)
    assert outcomes(raised.value.calls) == ["language"]


def test_a_greeting_and_a_remark_are_not_of_the_text():
    text = "Mara carried the lantern down to the harbour. Nobody asked her why, and she was glad of it for a while."
    answer = f"Sure! Here is a scene about a lantern:\n\n{text}\n\nLet me know if you'd like another scene!"
    model = Guarded(Talker(*(f"{word} " for word in answer.split(" "))), accept=_accepted, certain=_certain)
    pieces, completion = drawn(model.stream(ASK, OPTIONS))
    assert "".join(pieces) == completion.text == text


def test_tokens_and_cost_are_counted_by_length_where_the_service_does_not_count():
    purse = Purse(None)
    model = Guarded(Talker("A lamp. ", "A door."), price=lambda prompt, completion: completion / 10, purse=purse)
    completion = drawn(model.stream(ASK, OPTIONS))[1]
    (call,) = completion.calls
    assert (call.prompt_tokens, call.completion_tokens, call.reported) == (len(ASK[0].content) // 3, 5, "talker-1")
    assert purse.spent == call.cost == 0.5


def test_what_broke_off_or_was_stopped_counts_with_the_most_that_it_can_cost():
    for thrown in (None, Cancelled("Stop.")):
        purse, gate, breaker = Purse(None), Gate(1), Breaker()
        model = Talker("A lamp. ", "A door.", error=ProviderUnavailable("It broke off.", status=200))
        kept = Guarded(model, price=lambda *_: 2.0, purse=purse, gate=gate, breaker=breaker)
        stream = kept.stream(ASK, OPTIONS)
        assert next(stream) == "A lamp. "
        with pytest.raises(Cancelled if thrown else BrokenOff):
            stream.throw(thrown) if thrown else drawn(stream)
        assert model.closed.is_set()
        assert purse.spent == 2.0
        gate.enter(None)  # its place is free again


def test_a_spent_budget_asks_nobody():
    model = Talker("A lamp.")
    with pytest.raises(BudgetSpent):
        drawn(Fallback([Guarded(model, price=lambda *_: 5.0, purse=Purse(1.0))]).stream(ASK, OPTIONS))
    assert model.asked == 0
