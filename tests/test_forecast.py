"""A forecast keeps the limits, never promises less time for more work, and says what it knows in words."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zega_core.forecast import Forecast, Outlook, RunsDry, forecast, in_words

LOCAL = Outlook("ollama", "Ollama", "llama", in_flight=2, seconds=(10.0, 20.0), tokens=500)
GROQ = Outlook(
    "groq",
    "Groq",
    "gpt-oss",
    in_flight=8,
    seconds=(1.0, 2.0),
    tokens=500,
    price=0.0002,
    requests_per_minute=30,
    requests_left=140,
    resets="at midnight",
)
GEMINI = Outlook("gemini", "Gemini", "flash", in_flight=4, seconds=(4.0, 8.0), tokens=500, price=0.001)
FACE = Outlook("huggingface", "Hugging Face", "gemma", in_flight=4, seconds=(4.0, 8.0), tokens=500, price=None)
TELLER = Outlook("storyteller", "Storyteller", "storyteller", 8, (0.05, 0.1), 0, last_resort=True)


def test_an_unlimited_teacher_writes_as_many_at_once_as_it_takes() -> None:
    found = forecast([LOCAL], 60)
    assert (found.seconds_low, found.seconds_high) == (pytest.approx(300), pytest.approx(600))
    assert (found.covered, found.by_teacher) == (60, {"Ollama": 60})
    assert (found.cost_low, found.cost_high, found.unknown_prices, found.runs_dry) == (0, 0, (), ())


def test_no_piece_comes_faster_than_one_call() -> None:
    found = forecast([LOCAL], 1)
    assert (found.seconds_low, found.seconds_high) == (10, 20)


def test_requests_and_tokens_of_the_minute_slow_a_teacher_down() -> None:
    requests = replace(GEMINI, requests_per_minute=12)
    tokens = replace(GEMINI, tokens_per_minute=3_000)
    assert forecast([requests], 60).seconds_low == pytest.approx(300)
    assert forecast([tokens], 60).seconds_low == pytest.approx(600)
    both = replace(requests, tokens_per_minute=3_000)
    assert forecast([both], 60).seconds_low == pytest.approx(600)


def test_what_a_limit_of_the_minute_holds_back_goes_to_the_next() -> None:
    """30 a minute from one and the other's 30 a minute: 60 take one minute, half of them each."""
    first, second = replace(GROQ, requests_left=None), replace(GEMINI, in_flight=2, seconds=(4.0, 4.0))
    found = forecast([first, second], 60)
    assert found.seconds_high == pytest.approx(60)
    assert found.by_teacher == {"Groq": 30, "Gemini": 30}


def test_a_teacher_that_takes_everything_leaves_nothing_to_the_next() -> None:
    assert forecast([LOCAL, GEMINI], 60).by_teacher == {"Ollama": 60}


def test_a_limit_of_the_day_ends_a_teacher_and_the_next_goes_on() -> None:
    found = forecast([replace(GROQ, requests_per_minute=None), GEMINI], 200)
    assert found.by_teacher == {"Groq": 140, "Gemini": 60}
    assert found.runs_dry == (RunsDry("Groq", 140, "at midnight", "Gemini"),)
    assert found.covered == 200


def test_tokens_of_the_day_count_too() -> None:
    found = forecast([replace(GROQ, tokens_left=10_400)], 100)
    assert (found.covered, found.by_teacher) == (20, {"Groq": 20})


def test_a_limit_that_is_reached_with_the_last_example_is_not_mentioned() -> None:
    assert forecast([GROQ], 140).runs_dry == ()
    assert forecast([GROQ], 141).runs_dry[0].after_examples == 140


def test_failed_calls_are_paid_for_and_count_for_the_limits() -> None:
    found = forecast([replace(GROQ, success=0.5)], 100)
    assert found.covered == 70
    assert found.cost_high == pytest.approx(140 * 0.0002)
    assert found.cost_low == pytest.approx(100 * 0.0002)


def test_votes_multiply_calls() -> None:
    one, three = forecast([GROQ], 40), forecast([GROQ], 40, votes=3)
    assert three.seconds_high == pytest.approx(3 * one.seconds_high)
    assert three.cost_high == pytest.approx(3 * (one.cost_high or 0))
    assert forecast([GROQ], 100, votes=3).covered == 46


def test_the_share_that_is_kept_is_a_range() -> None:
    found = forecast([replace(LOCAL, kept=(0.6, 0.9))], 50)
    assert (found.kept_low, found.kept_high) == (30, 45)


def test_a_budget_ends_the_run_at_the_first_call_that_must_be_paid() -> None:
    found = forecast([GEMINI], 100, budget=0.03)
    assert (found.covered, found.budget_after) == (30, 30)
    assert found.cost_high == pytest.approx(0.03)
    free_first = forecast([replace(LOCAL, requests_left=10), GEMINI], 100, budget=0.03)
    assert (free_first.covered, free_first.by_teacher) == (40, {"Ollama": 10, "Gemini": 30})
    assert forecast([GEMINI], 100, budget=0.1).budget_after is None
    assert forecast([LOCAL], 100, budget=0.03).budget_after is None


def test_a_budget_does_not_allow_an_unknown_price() -> None:
    found = forecast([replace(LOCAL, requests_left=10), FACE], 100, budget=5.0)
    assert (found.covered, found.budget_after, found.unpriced) == (10, 10, "Hugging Face")
    assert forecast([FACE], 100).covered == 100


def test_unknown_prices_are_named_and_never_added() -> None:
    found = forecast([replace(GROQ, requests_left=10), FACE], 20)
    assert found.unknown_prices == ("Hugging Face",)
    assert found.cost_high == pytest.approx(0.002)
    alone = forecast([FACE], 20)
    assert (alone.cost_low, alone.cost_high) == (None, None)
    assert forecast([LOCAL, FACE], 20).unknown_prices == ()


def test_the_last_resort_waits_until_nobody_else_can_write() -> None:
    assert forecast([GROQ, TELLER], 100).by_teacher == {"Groq": 100}
    assert forecast([TELLER, GROQ], 200).by_teacher == {"Groq": 140, "Storyteller": 60}


def test_who_is_dry_before_the_start_is_said() -> None:
    found = forecast([replace(GROQ, requests_left=0), GEMINI], 10)
    assert found.runs_dry == (RunsDry("Groq", 0, "at midnight", "Gemini"),)
    assert in_words(found)[-1] == "Groq has reached its limit of the day, which ends at midnight; Gemini goes on."


def test_two_models_of_a_service_are_told_apart() -> None:
    found = forecast([replace(GROQ, requests_left=20), replace(GROQ, model="qwen")], 100)
    assert found.runs_dry == (RunsDry("Groq", 40, "at midnight", "qwen"),)
    assert found.by_teacher == {"Groq": 100}


@pytest.mark.parametrize("teachers", [[], [replace(GROQ, requests_left=0)]])
def test_without_teachers_nothing_is_covered(teachers: list[Outlook]) -> None:
    found = forecast(teachers, 50)
    assert (found.covered, found.by_teacher, found.seconds_high, found.kept_high) == (0, {}, 0, 0)
    assert in_words(found)[0] == "No teacher can write now."


def test_no_examples_take_nothing() -> None:
    found = forecast([GROQ], 0)
    assert (found.covered, found.seconds_high, found.cost_high, found.runs_dry) == (0, 0, 0, ())
    assert in_words(found) == []


def test_the_forecast_in_words() -> None:
    teachers = [GROQ, replace(GEMINI, requests_left=180, kept=(0.5, 0.8)), FACE]
    assert in_words(forecast(teachers[:2], 500)) == [
        "Takes 5 to 6 minutes.",
        "Costs about 0.21 € by list price.",
        "230 to 284 of 320 examples will be kept.",
        "Groq will reach its limit of the day after about 280 examples, which ends at midnight; Gemini goes on.",
        "Gemini will reach its limit of the day after about 320 examples.",
        "Nobody is left after about 320 of 500 examples.",
    ]
    assert "Costs about 0.21 € by list price; Hugging Face's price is not known." in in_words(forecast(teachers, 500))
    assert in_words(forecast([GEMINI], 100, budget=0.03))[-1] == "The budget is used up after about 30 of 100 examples."
    assert in_words(forecast([FACE], 100, budget=0.03)) == [
        "The run ends before the first example: the price of Hugging Face is not known, so no budget can hold it."
    ]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.2, 3, "a few seconds"),
        (3, 50, "less than a minute"),
        (50, 70, "about a minute"),
        (65, 80, "about a minute"),
        (20, 430, "up to 7 minutes"),
        (240, 420, "4 to 7 minutes"),
        (240, 250, "about 4 minutes"),
        (3000, 7200, "50 minutes to 2 hours"),
        (5400, 9000, "1.5 to 2.5 hours"),
        (7200, 7210, "about 2 hours"),
    ],
)
def test_times_in_words(low: float, high: float, said: str) -> None:
    teacher = Outlook("a", "A", "a", in_flight=1, seconds=(low / 10, high / 10), tokens=1)
    assert in_words(forecast([teacher], 10))[0] == f"Takes {said}."


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ([0.0], "Costs nothing."),
        ([0.0001], "Costs less than 0.01 € by list price."),
        ([0.01], "Costs 0.10 to 0.20 € by list price."),
        ([None], "What it costs is not known: A's price is not known."),
        ([None, None], "What it costs is not known: the prices of A and B are not known."),
        ([0.0, None], "Costs nothing; B's price is not known."),
    ],
)
def test_costs_in_words(prices: list[float | None], said: str) -> None:
    teachers = [
        Outlook("p", label, label, 1, (1.0, 1.0), 1, price, requests_left=None if label == "B" else 20, success=0.5)
        for label, price in zip("AB", prices, strict=False)
    ]
    wanted = 10 if len(prices) == 1 else 30
    assert in_words(forecast(teachers, wanted))[1] == said


AMOUNTS = st.none() | st.integers(0, 400)
SHARES = st.floats(0, 1)
TEACHERS = st.lists(
    st.builds(
        Outlook,
        provider=st.just("p"),
        label=st.sampled_from("ABCDE"),
        model=st.sampled_from("xyz"),
        in_flight=st.integers(0, 16),
        seconds=st.tuples(st.floats(0, 60), st.floats(0, 60)),
        tokens=st.floats(0, 2_000),
        price=st.none() | st.floats(0, 0.1),
        requests_per_minute=AMOUNTS,
        tokens_per_minute=st.none() | st.integers(0, 20_000),
        requests_left=AMOUNTS,
        tokens_left=st.none() | st.integers(0, 200_000),
        success=SHARES,
        kept=st.tuples(SHARES, SHARES),
        last_resort=st.booleans(),
    ),
    max_size=5,
)
BUDGETS = st.none() | st.floats(0, 5)


@given(TEACHERS, st.integers(0, 500), st.integers(1, 5), BUDGETS)
def test_every_forecast_holds_together(
    teachers: list[Outlook], examples: int, votes: int, budget: float | None
) -> None:
    found = forecast(teachers, examples, votes=votes, budget=budget)
    assert 0 <= found.seconds_low <= found.seconds_high
    assert (found.cost_low is None) == (found.cost_high is None)
    assert 0 <= (found.cost_low or 0) <= (found.cost_high or 0)
    assert budget is None or (found.cost_high or 0) <= budget + 1e-6
    assert 0 <= found.kept_low <= found.kept_high <= found.covered <= examples
    assert sum(found.by_teacher.values()) == found.covered
    assert all(0 <= one.after_examples <= found.covered for one in found.runs_dry)
    assert all(line.endswith(".") and "  " not in line for line in in_words(found))
    assert bool(in_words(found)) == bool(examples)


@given(TEACHERS, st.integers(1, 400))
def test_limits_of_the_day_are_kept(teachers: list[Outlook], examples: int) -> None:
    named = [replace(one, label=f"{number}") for number, one in enumerate(teachers)]
    found = forecast(named, examples)
    for number, one in enumerate(named):
        written = found.by_teacher.get(f"{number}", 0)
        assert one.requests_left is None or written <= one.requests_left * min(1, max(one.success, 0.01)) + 1e-3
        assert one.tokens_left is None or written * max(one.tokens, 1) <= one.tokens_left + 1e-3


@given(TEACHERS, st.integers(0, 200), st.integers(1, 3), BUDGETS)
def test_more_examples_never_take_less(
    teachers: list[Outlook], examples: int, votes: int, budget: float | None
) -> None:
    found = [forecast(teachers, examples + more, votes=votes, budget=budget) for more in (0, 1, 10, 100)]
    for one, two in pairwise(found):
        assert two.covered >= one.covered
        assert two.seconds_low >= one.seconds_low - 1e-9
        assert two.seconds_high >= one.seconds_high - 1e-9
        assert (two.cost_high or 0) >= (one.cost_high or 0) - 1e-9


@given(TEACHERS, st.integers(1, 200))
def test_free_teachers_cost_nothing(teachers: list[Outlook], examples: int) -> None:
    found = forecast([replace(one, price=0.0) for one in teachers], examples, budget=0.0)
    assert (found.cost_low, found.cost_high, found.budget_after) == (0, 0, None)


@given(TEACHERS, st.integers(1, 200))
def test_the_same_question_has_the_same_answer(teachers: list[Outlook], examples: int) -> None:
    one: Forecast = forecast(teachers, examples)
    assert one == forecast(list(teachers), examples)
