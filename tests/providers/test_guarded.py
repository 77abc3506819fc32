"""One teacher and its guards, and several as one: retries, breakers, budgets, order, votes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from tests.support.teachers import ScriptedTeacher, story
from zega_core.errors import (
    BadAnswer,
    BudgetSpent,
    Cancelled,
    NobodyLeft,
    NotNow,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    TeacherRefused,
)
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.providers.brakes import Breaker, Gate, Purse
from zega_core.providers.fallback import Fallback
from zega_core.providers.guarded import Guarded
from zega_core.tables import CallOutcome

ASK = [Message("user", "Write one scene about a lantern.")]
DOWN = ProviderUnavailable("It broke off.")
GONE = ProviderUnavailable("Nobody is there.", unreachable=True)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def scripted(name: str, *replies: str | Exception, in_flight: int = 4, delay: float = 0.0) -> ScriptedTeacher:
    """Answers with each reply once, then with stories."""
    teacher = ScriptedTeacher(
        lambda number, options: replies[number - 1] if number <= len(replies) else story(options.seed),
        in_flight=in_flight,
        delay=delay,
    )
    teacher.name, teacher.label = name, name.title()
    return teacher


def always(name: str, reply: str | Exception) -> ScriptedTeacher:
    teacher = ScriptedTeacher(lambda *_: reply)
    teacher.name, teacher.label = name, name.title()
    return teacher


def guarded(model: ScriptedTeacher, **more: object) -> Guarded:
    return Guarded(model, backoff=0.001, **more)  # type: ignore[arg-type]


def outcomes(calls: Sequence) -> list[str]:
    return [str(call.outcome) for call in calls]


class TestRetries:
    def test_a_passing_fault_is_tried_again_and_every_call_is_noted(self):
        model = scripted("groq/m", DOWN, DOWN)
        completion = guarded(model).complete(ASK, GenerationOptions())
        assert outcomes(completion.calls) == ["unavailable", "unavailable", "ok"]
        assert {(call.provider, call.model) for call in completion.calls} == {("groq", "m")}
        assert completion.calls[0].sent_chars == len(ASK[0].content)

    def test_it_gives_up_after_two_retries(self):
        model = always("groq/m", DOWN)
        with pytest.raises(ProviderUnavailable) as raised:
            guarded(model).complete(ASK, GenerationOptions())
        assert len(model.calls) == 3
        assert outcomes(raised.value.calls) == ["unavailable"] * 3

    @pytest.mark.parametrize(
        "error, outcome",
        [
            (TeacherRefused("The key is refused.", status=401), "refused"),
            (ProviderError("A bad request.", status=400), "refused"),
            (BadAnswer("It declined.", CallOutcome.refusal), "refusal"),
            (GONE, "unavailable"),
        ],
    )
    def test_nothing_else_is_tried_again(self, error: ProviderError, outcome: str):
        model = always("groq/m", error)
        with pytest.raises(type(error)) as raised:
            guarded(model).complete(ASK, GenerationOptions())
        assert outcomes(raised.value.calls) == [outcome]
        assert len(model.calls) == 1

    def test_stop_ends_the_wait_between_two_tries(self):
        stop = threading.Event()
        model = always("groq/m", DOWN)
        threading.Timer(0.05, stop.set).start()
        started = time.monotonic()
        with pytest.raises(Cancelled) as raised:
            Guarded(model, backoff=30).complete(ASK, GenerationOptions(stop=stop))
        assert time.monotonic() - started < 10
        assert outcomes(raised.value.calls) == ["unavailable"]

    def test_the_name_that_the_service_reports_is_noted(self):
        class Renamed(ScriptedTeacher):
            def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
                return Completion("Text.", "m-2026-01", 3, 4)

        model = Renamed()
        model.name = "groq/m"
        completion = guarded(model).complete(ASK, GenerationOptions())
        assert completion.model == "groq/m"
        assert completion.calls[0].reported == "m-2026-01"


class TestOutOfIt:
    def test_a_refused_teacher_is_not_asked_again_in_this_run(self):
        model = always("groq/m", TeacherRefused("The key is refused.", status=401))
        teacher = guarded(model)
        for _ in range(3):
            with pytest.raises(TeacherRefused, match="key is refused"):
                teacher.complete(ASK, GenerationOptions())
        assert len(model.calls) == 1

    def test_a_bad_request_is_believed_after_three_prompts(self):
        model = always("groq/m", ProviderError("It cannot be asked so.", status=400))
        teacher = guarded(model)
        for number in range(6):
            with pytest.raises(ProviderError, match="cannot be asked so"):
                teacher.complete([Message("user", f"Scene {number}.")], GenerationOptions())
        assert len(model.calls) == 3

    def test_answers_that_are_never_a_piece_end_a_teacher(self):
        model = always("groq/m", BadAnswer("It declined.", CallOutcome.refusal))
        teacher = guarded(model)
        for _ in range(12):
            with pytest.raises((BadAnswer, TeacherRefused)):
                teacher.complete(ASK, GenerationOptions())
        assert len(model.calls) == 8
        assert "It declined." in teacher.out_of_it

    def test_a_bad_request_now_and_then_is_one_prompts_trouble(self):
        bad = ProviderError("Too long.", status=400)
        model = scripted("groq/m", bad, "fine", bad, "fine", bad)
        teacher = guarded(model)
        for number in range(6):
            if number in (0, 2, 4):
                with pytest.raises(ProviderError):
                    teacher.complete(ASK, GenerationOptions())
            else:
                teacher.complete(ASK, GenerationOptions())
        assert not teacher.out_of_it


class TestBreaker:
    def test_after_five_failures_nobody_asks_until_one_may_probe(self):
        clock = Clock()
        breaker = Breaker(clock=clock)
        for _ in range(5):
            assert breaker.enter() == 0
            breaker.failed()
        assert breaker.enter() == pytest.approx(15)
        clock.now += 15
        assert breaker.enter() == 0
        assert breaker.enter() > 0  # the probe is under way
        breaker.succeeded()
        breaker.leave()
        assert [breaker.enter() for _ in range(3)] == [0, 0, 0]

    def test_the_rest_doubles_while_probes_fail_up_to_four_minutes(self):
        clock, rests = Clock(), []
        breaker = Breaker(clock=clock)
        breaker.failed(at_once=True)
        for _ in range(7):
            rests.append(breaker.enter())
            clock.now += rests[-1]
            assert breaker.enter() == 0
            breaker.failed()
            breaker.leave()
        assert rests == [15, 30, 60, 120, 240, 240, 240]

    def test_a_success_forgets_earlier_failures(self):
        breaker = Breaker(clock=Clock())
        for _ in range(20):
            breaker.failed()
            breaker.failed()
            breaker.succeeded()
        assert breaker.enter() == 0

    def test_a_probe_that_says_nothing_leaves_room_for_the_next(self):
        clock = Clock()
        breaker = Breaker(clock=clock)
        breaker.failed(at_once=True)
        clock.now += 15
        assert breaker.enter() == 0
        breaker.leave()
        assert breaker.enter() == 0

    def test_late_failures_of_calls_that_were_under_way_do_not_lengthen_the_rest(self):
        breaker = Breaker(clock=Clock())
        for _ in range(12):
            breaker.failed()
        assert breaker.enter() == pytest.approx(15)

    def test_many_callers_send_one_probe(self):
        clock = Clock()
        breaker = Breaker(clock=clock)
        refused = threading.Event()

        def reply(number: int, _: object) -> str | Exception:
            if number == 1:
                return GONE
            refused.wait(10)  # the probe is under way until all others have asked
            return "A story."

        model = ScriptedTeacher(reply)
        model.name = "ollama/m"
        teacher = guarded(model, breaker=breaker)
        with pytest.raises(ProviderUnavailable):
            teacher.complete(ASK, GenerationOptions())
        clock.now += 20
        errors: list[Exception] = []

        def call() -> None:
            try:
                teacher.complete(ASK, GenerationOptions())
            except NotNow as error:
                errors.append(error)
                if len(errors) == 5:
                    refused.set()

        threads = [threading.Thread(target=call) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(errors) == 5
        assert len(model.calls) == 2


class TestGate:
    def test_no_more_at_once_than_allowed(self):
        model = scripted("groq/m", delay=0.02, in_flight=3)
        teacher = guarded(model)
        threads = [threading.Thread(target=teacher.complete, args=(ASK, GenerationOptions())) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert model.most_at_once == 3

    def test_busy_halves_the_level_and_good_answers_raise_it_again(self):
        gate = Gate(8, finds_level=True)
        levels = []
        for _ in range(4):
            gate.busy(0.0)
            levels.append(gate.level)
        assert levels == [4, 2, 1, 1]
        for _ in range(1 + 2 + 3 + 4 + 5 + 6 + 7 + 50):
            gate.good()
        assert gate.level == 8

    def test_without_a_level_to_find_busy_only_means_a_pause(self):
        gate = Gate(8)
        assert gate.busy(None) == 0.1
        assert gate.busy(None) == 0.2
        assert gate.level == 8

    def test_a_busy_machine_costs_no_retry(self):
        busy = RateLimited("Ollama is busy.", status=503, busy=True)
        model = scripted("ollama/m", *[busy] * 6)
        completion = Fallback([guarded(model)]).complete(ASK, GenerationOptions())
        assert outcomes(completion.calls) == ["busy"] * 6 + ["ok"]


class TestPurse:
    def price(self, prompt: int, completion: int) -> float:
        return (prompt + completion) / 1000

    def test_a_call_that_could_cost_too_much_is_not_made(self):
        model = scripted("groq/m")
        teacher = guarded(model, price=self.price, purse=Purse(0.1))
        with pytest.raises(BudgetSpent, match=r"0\.10 €"):
            teacher.complete(ASK, GenerationOptions(max_tokens=400))
        assert not model.calls

    def test_calls_under_way_count_with_the_most_they_can_cost(self):
        purse = Purse(1.0)
        with purse.holding(0.6, "one"), pytest.raises(NotNow), purse.holding(0.6, "two"):
            raise AssertionError
        with purse.holding(0.6, "three"):
            purse.pay(0.5)
        assert purse.spent == 0.5
        with pytest.raises(BudgetSpent), purse.holding(0.6, "four"):
            raise AssertionError

    def test_what_was_spent_before_counts(self):
        with pytest.raises(BudgetSpent), Purse(1.0, spent=0.9).holding(0.2, "one"):
            raise AssertionError

    def test_an_unknown_price_cannot_be_held_to_a_budget(self):
        with pytest.raises(BudgetSpent, match="price of one is not known"), Purse(1.0).holding(None, "one"):
            raise AssertionError
        with Purse(None).holding(None, "one"):
            pass

    def test_free_teachers_go_on_when_the_budget_is_spent(self):
        model = scripted("ollama/m")
        teacher = guarded(model, price=lambda *_: 0.0, purse=Purse(1.0, spent=2.0))
        assert teacher.complete(ASK, GenerationOptions()).text
        assert len(model.calls) == 1

    def test_only_answered_calls_are_paid(self):
        purse = Purse(10.0)
        model = scripted("groq/m", ProviderUnavailable("It broke.", status=500))
        completion = guarded(model, price=self.price, purse=purse).complete(ASK, GenerationOptions(max_tokens=10))
        answered = completion.calls[-1]
        assert answered.cost == purse.spent == self.price(answered.prompt_tokens, answered.completion_tokens)
        assert completion.calls[0].cost == 0

    def test_a_call_that_was_given_up_under_way_counts_with_the_most_it_could_cost(self):
        purse = Purse(10.0)
        model = always("groq/m", Cancelled("Stopped."))
        with pytest.raises(Cancelled) as raised:
            guarded(model, price=self.price, purse=purse).complete(ASK, GenerationOptions(max_tokens=400))
        (call,) = raised.value.calls
        assert call.outcome == CallOutcome.cancelled
        assert call.cost == purse.spent > 0.4

    def test_a_call_that_reached_nobody_sent_nothing(self):
        with pytest.raises(ProviderUnavailable) as raised:
            guarded(always("groq/m", GONE), price=self.price).complete(ASK, GenerationOptions())
        assert [(call.cost, call.sent_chars) for call in raised.value.calls] == [(0.0, 0)]

    def test_tokens_that_a_service_does_not_count_are_estimated(self):
        class Silent(ScriptedTeacher):
            def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
                return Completion("word " * 100, "m")

        model = Silent()
        model.name = "openai_compatible/m"
        completion = guarded(model, price=self.price).complete(ASK, GenerationOptions())
        assert completion.calls[0].completion_tokens > 100
        assert (completion.calls[0].cost or 0) > 0.1


class TestOrder:
    def test_the_first_that_delivers_wins_and_nobody_else_is_asked(self):
        models = [scripted("ollama/a"), scripted("groq/b")]
        completion = Fallback([guarded(model) for model in models]).complete(ASK, GenerationOptions())
        assert completion.model == "ollama/a"
        assert not models[1].calls

    def test_each_failure_hands_on_and_the_calls_of_all_are_kept(self):
        refused = TeacherRefused("The model is gone.", status=410)
        bad = BadAnswer("It declined.", CallOutcome.refusal, prompt_tokens=5, completion_tokens=6)
        models = [always("ollama/a", DOWN), always("groq/b", refused), always("gemini/c", bad), scripted("hf/d")]
        completion = Fallback([guarded(model) for model in models]).complete(ASK, GenerationOptions())
        assert completion.model == "hf/d"
        assert outcomes(completion.calls) == ["unavailable"] * 3 + ["refused", "refusal", "ok"]
        assert completion.calls[4].completion_tokens == 6

    def test_a_limited_teacher_keeps_nobody_waiting(self):
        limited = always("groq/a", RateLimited("Too many.", status=429, retry_after=30))
        models = [limited, scripted("gemini/b")]
        group = Fallback([guarded(model) for model in models])
        started = time.monotonic()
        assert group.complete(ASK, GenerationOptions()).model == "gemini/b"
        assert time.monotonic() - started < 10

    def test_a_limit_of_a_moment_is_waited_for_when_nobody_else_can_write(self):
        limited = RateLimited("Too many.", status=429, retry_after=0.05)
        model = scripted("groq/a", limited, limited)
        resort = scripted("storyteller")
        group = Fallback([guarded(model), guarded(resort, last_resort=True)])
        completion = group.complete(ASK, GenerationOptions())
        assert completion.model == "groq/a"
        assert outcomes(completion.calls) == ["rate_limited", "rate_limited", "ok"]
        assert not resort.calls

    @pytest.mark.parametrize("error", [GONE, DOWN, TeacherRefused("No."), BadAnswer("No.", CallOutcome.empty)])
    def test_the_last_resort_stands_in_when_all_others_fail(self, error: ProviderError):
        models = [always("groq/a", error), scripted("storyteller")]
        group = Fallback([guarded(models[0]), guarded(models[1], last_resort=True)])
        started = time.monotonic()
        for _ in range(3):
            assert group.complete(ASK, GenerationOptions()).model == "storyteller"
        assert time.monotonic() - started < 10

    def test_the_last_resort_stands_in_for_a_limit_that_lasts(self):
        limited = always("groq/a", RateLimited("Used up.", status=429, retry_after=5000, daily=True))
        group = Fallback([guarded(limited), guarded(scripted("storyteller"), last_resort=True)], patience=0.01)
        assert group.complete(ASK, GenerationOptions()).model == "storyteller"

    def test_one_prompt_that_nobody_answers_fails_alone(self):
        bad = BadAnswer("It declined to write.", CallOutcome.refusal)
        group = Fallback([guarded(scripted("groq/a", bad))])
        with pytest.raises(BadAnswer, match="declined"):
            group.complete(ASK, GenerationOptions())
        assert group.complete(ASK, GenerationOptions()).text

    def test_when_all_have_refused_nobody_is_left_and_it_says_why(self):
        group = Fallback(
            [guarded(always("groq/a", TeacherRefused("Groq refused the key."))), guarded(always("hf/b", GONE))],
            patience=0.01,
            why_not=["Gemini: No key."],
        )
        with pytest.raises(ProviderError):
            group.complete(ASK, GenerationOptions())
        with pytest.raises(NobodyLeft, match=r"Hf/B does not answer.*Groq refused the key.*Gemini: No key"):
            group.complete(ASK, GenerationOptions())

    def test_a_group_of_nobody_says_so(self):
        with pytest.raises(NobodyLeft, match=r"No teacher can write now. Groq: No key."):
            Fallback([], why_not=["Groq: No key."]).complete(ASK, GenerationOptions())

    def test_a_busy_machine_does_not_hold_up_those_who_can_write(self):
        busy = RateLimited("Busy.", status=503, busy=True, retry_after=20)
        group = Fallback([guarded(scripted("ollama/a", busy)), guarded(scripted("groq/b"))])
        started = time.monotonic()
        assert [group.complete(ASK, GenerationOptions()).model for _ in range(3)] == ["groq/b"] * 3
        assert time.monotonic() - started < 10

    def test_who_is_sure_to_write_is_waited_for_as_long_as_it_takes(self):
        class Crowded:
            """Room for somebody else, again and again."""

            asked = 0

            def known_wait(self) -> float:
                self.asked += 1
                return 0.02 if self.asked < 30 else 0.0

            def take(self, tokens: int) -> float:
                return 0.0

            def answered(self, completion: Completion, tokens: int, seconds: float) -> None:
                pass

            def why(self, wait: float) -> NotNow:
                return NotNow("At its limit for the moment.", wait)

        resort = scripted("storyteller")
        group = Fallback(
            [guarded(scripted("groq/a"), allowance=Crowded()), guarded(resort, last_resort=True)], patience=0.1
        )
        assert group.complete(ASK, GenerationOptions()).model == "groq/a"
        assert not resort.calls

    def test_stop_ends_a_wait_for_a_limited_teacher(self):
        stop = threading.Event()
        model = always("groq/a", RateLimited("Too many.", status=429, retry_after=20))
        threading.Timer(0.05, stop.set).start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            Fallback([guarded(model)]).complete(ASK, GenerationOptions(stop=stop))
        assert time.monotonic() - started < 10

    def test_a_spent_budget_ends_the_run_instead_of_going_to_the_next(self):
        paid = guarded(scripted("groq/a"), price=lambda *_: 5.0, purse=Purse(1.0))
        other = scripted("hf/b")
        with pytest.raises(BudgetSpent):
            Fallback([paid, guarded(other)]).complete(ASK, GenerationOptions())
        assert not other.calls


class TestVotes:
    def several(self, *models: ScriptedTeacher, votes: int = 2, resort: ScriptedTeacher | None = None):
        members = [guarded(model) for model in models]
        if resort is not None:
            members.append(guarded(resort, last_resort=True))
        return Fallback(members).several(ASK, GenerationOptions(), votes, lambda one, other: one == other)

    def test_as_many_different_teachers_as_asked_write_side_by_side(self):
        models, together = [scripted(f"t/{name}") for name in "abc"], threading.Barrier(2)
        for number, model in enumerate(models):
            model._reply = lambda *_, number=number: f"Story {number}, {together.wait(10) >= 0}."
        found, failures = self.several(*models)
        assert sorted(one.model for one in found) == ["t/a", "t/b"]
        assert not failures
        assert not models[2].calls

    def test_a_teacher_that_fails_is_replaced(self):
        found, _ = self.several(always("t/a", TeacherRefused("No.")), always("t/b", "B."), always("t/c", "C."))
        assert sorted(one.model for one in found) == ["t/b", "t/c"]

    def test_answers_that_are_alike_count_once_and_another_is_asked(self):
        found, _ = self.several(always("t/a", "Same."), always("t/b", "Same."), always("t/c", "Other."))
        assert sorted(one.model for one in found) == ["t/a", "t/b", "t/c"]

    def test_fewer_come_back_when_there_are_no_more(self):
        found, failures = self.several(always("t/a", "A."), always("t/b", TeacherRefused("No.", status=401)), votes=3)
        assert [one.model for one in found] == ["t/a"]
        assert sum(len(error.calls) for error in failures) == 1

    def test_the_last_resort_has_no_vote(self):
        resort = scripted("storyteller")
        found, _ = self.several(always("t/a", "A."), resort=resort)
        assert [one.model for one in found] == ["t/a"]
        assert not resort.calls

    def test_the_last_resort_stands_in_when_nobody_voted(self):
        found, failures = self.several(always("t/a", TeacherRefused("No.")), resort=scripted("storyteller"))
        assert [one.model for one in found] == ["storyteller"]
        assert failures

    def test_no_answer_at_all_is_an_error(self):
        with pytest.raises(ProviderError, match="declined"):
            self.several(always("t/a", BadAnswer("It declined.", CallOutcome.refusal)))
