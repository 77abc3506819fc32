"""From stored texts, scores, choices and losses to figures."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.catalog import Brief, load_catalog, request
from zega_core.fine_tune.plan import Row
from zega_core.proof.figures import read_figures
from zega_core.proof.job import Held
from zega_core.proof.printed import printed
from zega_core.proof.rule import verdict
from zega_core.proof.weigh import STYLE_WORDS, Pair, weigh, weigh_again
from zega_core.style.fingerprint import LEAST_WORDS

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=120)
CATALOG = load_catalog()
THINGS = """anchor basket candle ditch ember fiddle gate harbour island jacket kettle ladder mirror needle orchard
pebble quarry river saddle timber urn valley window yard barrel chimney doorstep engine feather garden hammer""".split()


@cache
def plain(seed: int, sentences: int = 14) -> str:
    """Short sentences in the third person, told in the past."""
    draw = random.Random(seed)
    return " ".join(
        f"She took the {draw.choice(THINGS)} to the {draw.choice(THINGS)} and {draw.choice(['left', 'hid'])} it. "
        f"The {draw.choice(THINGS)} was {draw.choice(['cold', 'wet', 'old', 'gone'])}."
        for _ in range(sentences // 2)
    )


@cache
def winding(seed: int, sentences: int = 6) -> str:
    """Long sentences in the first person with semicolons."""
    draw = random.Random(seed)
    return "\n\n".join(
        f"I do not say that I am fond of the {draw.choice(THINGS)}; nor, if you ask me, would I have you think, as my "
        f"aunt once thought of the {draw.choice(THINGS)}, that what I have is worth the {draw.choice(THINGS)} — I only "
        f"want, and who does not, to be asked; and I am never asked!"
        for _ in range(sentences)
    )


def asked(number: int) -> str:
    return request(
        Brief(f"A {THINGS[number % 30]} and a lost {THINGS[(number * 7 + 3) % 30]}", "fantasy", SCENE), CATALOG
    )


SCENE = CATALOG.element("scene")
HELD = [Held("A yard", winding(900 + number), True) for number in range(6)]
WRITER = [Row(n, "x", winding(500 + n), 1.0, "train", True, "manuscript") for n in range(20)]
PAIRS = [Pair(asked(n), plain(n), winding(n), 7.0, 7.4, source="held_out" if n < 20 else "shipped") for n in range(36)]


def losses(before: float, after: float, texts: int = len(HELD)) -> dict[str, Any]:
    """Nats a token, a little different for each text."""
    return {
        side: {"nats": [100 * value + number for number in range(texts)], "tokens": [100] * texts}
        for side, value in (("before", before), ("after", after))
    }


class TestStyle:
    def test_texts_like_the_writers_are_nearer(self):
        style = weigh(PAIRS, WRITER, HELD, losses(3, 2.5)).style
        assert style is not None
        assert style.change.after < style.change.before
        assert style.change.high < 0
        assert style.own
        sentences = next(axis for axis in style.axes if axis.key == "sentences")
        assert abs(sentences.after - sentences.writer) < abs(sentences.before - sentences.writer)

    def test_the_other_way_round_they_are_further(self):
        turned = [replace(pair, before=pair.after, after=pair.before) for pair in PAIRS]
        one, other = (weigh(pairs, WRITER).style for pairs in (PAIRS, turned))
        assert one and other
        assert (one.change.low, one.change.high) == pytest.approx((-other.change.high, -other.change.low))

    def test_too_few_own_words_leave_all_trained_texts(self):
        teachers = [replace(row, own=False) for row in WRITER]
        style = weigh(PAIRS, [*teachers, replace(WRITER[0], completion="My own line.")]).style
        assert style is not None
        assert not style.own

    def test_what_was_not_trained_on_is_not_the_writers_style(self):
        rows = [
            *(replace(row, split="held_out") for row in WRITER),
            *(replace(row, weight=0.0) for row in WRITER),
            replace(WRITER[0], completion="A line."),
        ]
        figures = weigh(PAIRS, rows)
        assert figures.style is None
        assert f"It takes {LEAST_WORDS:,} trained words to measure a style, and there are 2." in figures.missing

    def test_of_very_many_texts_some_are_enough(self):
        many = [replace(WRITER[n % 20], completion=winding(2000 + n, 40)) for n in range(24)]
        style = weigh(PAIRS, many).style
        assert style is not None
        assert STYLE_WORDS / 2 <= style.words <= STYLE_WORDS
        assert style.change.high < 0

    def test_too_short_answers_have_none(self):
        figures = weigh([replace(pair, after="No.") for pair in PAIRS], WRITER)
        assert figures.style is None
        assert any("answers of" in sentence for sentence in figures.missing)

    def test_writing_more_is_not_writing_more_alike(self):
        more = [replace(pair, before=winding(n, 4), after=winding(n, 4) + "\n\n" + winding(n + 90, 8)) for n, pair in
                enumerate(PAIRS)]  # fmt: skip
        style = weigh(more, WRITER).style
        assert style is not None
        assert style.change.after == pytest.approx(style.change.before)


class TestPerplexity:
    def test_it_is_exp_of_nats_over_tokens(self):
        found = weigh(PAIRS, WRITER, HELD, losses(3.0, 2.5)).perplexity
        assert found is not None
        assert (found.before, found.after) == pytest.approx((math.exp(3.025), math.exp(2.525)))
        assert (found.texts, found.own) == (6, True)
        assert (found.change.low, found.change.high) == pytest.approx((-0.5, -0.5))

    def test_three_texts_of_the_writers_own_stand_alone(self):
        held = [replace(text, own=number < 3) for number, text in enumerate(HELD)]
        stored = losses(3.0, 2.5)
        stored["after"]["nats"][3:] = [900.0] * 3
        found = weigh(PAIRS, WRITER, held, stored).perplexity
        assert found is not None
        assert (found.texts, found.own) == (3, True)
        assert found.after < found.before

    def test_two_do_not(self):
        held = [replace(text, own=number < 2) for number, text in enumerate(HELD)]
        found = weigh(PAIRS, WRITER, held, losses(3.0, 2.5)).perplexity
        assert found is not None
        assert (found.texts, found.own) == (6, False)

    @pytest.mark.parametrize(
        "stored",
        [
            None,
            {},
            {"before": None, "after": []},
            losses(3, 2, texts=5),
            {**losses(3, 2), "after": {"nats": [1.0] * 6}},
            {**losses(3, 2), "after": {"nats": [float("nan")] * 6, "tokens": [3] * 6}},
            {**losses(3, 2), "after": {"nats": [1.0] * 6, "tokens": [0] * 6}},
            {**losses(3, 2), "after": {"nats": ["x"] * 6, "tokens": [3] * 6}},
            {**losses(3, 2), "after": {"nats": [-1.0] * 6, "tokens": [3] * 6}},
        ],
    )
    def test_losses_that_cannot_be_read_are_none(self, stored: Any):
        figures = weigh(PAIRS[:3], WRITER, HELD, stored)
        assert figures.perplexity is None
        assert "It could not be measured how well it knows the held-out texts." in figures.missing

    def test_without_held_out_texts_it_says_so(self):
        assert any("No text was held out" in sentence for sentence in weigh(PAIRS[:3], WRITER).missing)

    def test_a_model_that_is_lost_is_no_overflow(self):
        assert weigh(PAIRS[:3], WRITER, HELD, losses(3, 5_000)).perplexity is not None


class TestDuels:
    def test_the_higher_score_wins(self):
        scores = [(7.0, 7.1), (7.0, 6.0), (7.0, 7.0), (None, 9.0)]
        found = weigh([replace(PAIRS[0], score_before=a, score_after=b) for a, b in scores], [])
        assert (found.quality.wins, found.quality.losses, found.quality.ties) == (1, 1, 1)
        assert found.quality_mean.before == 7
        assert "1 of 4 prompts have no score." in found.missing

    def test_only_the_writers_choices_count_as_choices(self):
        choices = ["after", "after", "before", "tie", "", "AFTER", "x"]
        blind = weigh([replace(PAIRS[0], choice=choice) for choice in choices], []).blind
        assert blind is not None
        assert (blind.wins, blind.losses, blind.ties) == (2, 1, 1)
        assert weigh(PAIRS[:2], []).blind is None

    def test_a_judge_is_heard_where_it_agrees_with_itself(self):
        said: list[Any] = [
            {"winner": "after", "agreed": True, "first": "after"},
            {"winner": "before", "agreed": True, "first": "before"},
            {"winner": "tie", "agreed": False, "first": "before", "second": "after"},
            {"winner": "after", "agreed": False, "first": "after"},
            {"winner": None, "agreed": False},
            {"winner": ["after"]},
            "nonsense",
        ]
        (judge,) = weigh([replace(PAIRS[0], judged={"groq/m": one}) for one in said] + PAIRS[:1], []).judged
        assert (judge.judge, judge.unusable, judge.disagreed) == ("groq/m", 3, 2)
        assert (judge.duel.wins, judge.duel.losses, judge.duel.ties) == (1, 1, 2)
        assert (judge.answers, judge.named_first) == (7, 4)

    def test_each_judge_speaks_for_itself(self):
        won, lost = ({"winner": side, "agreed": True, "first": side} for side in ("after", "before"))
        found = weigh([replace(PAIRS[0], judged={"one": won, "two": lost})], []).judged
        assert [(judge.judge, judge.duel.wins) for judge in found] == [("one", 1), ("two", 0)]


class TestAgain:
    def test_a_choice_and_a_judgement_change_their_duels_and_nothing_else(self):
        judged = {"groq/m": {"winner": "after", "agreed": True, "first": "after"}}
        later = [replace(PAIRS[0], choice="after", judged=judged), *PAIRS[1:]]
        figures = weigh_again(weigh(PAIRS, WRITER, HELD, losses(3, 2)), later)
        assert figures == weigh(later, WRITER, HELD, losses(3, 2))
        assert figures.blind is not None
        assert (figures.blind.wins, figures.judged[0].duel.wins) == (1, 1)


class TestAsAWhole:
    def test_the_order_of_the_prompts_changes_no_figure(self):
        mixed = random.Random(1).sample(PAIRS, len(PAIRS))
        one, other = weigh(PAIRS, WRITER, HELD, losses(3, 2)), weigh(mixed, WRITER, HELD, losses(3, 2))
        for key in ("length", "diversity", "follows", "unknown", "quality_mean"):
            first, second = getattr(one, key), getattr(other, key)
            assert (first.before, first.after) == pytest.approx((second.before, second.after)), key
            assert (first.low, first.high) == pytest.approx((second.low, second.high), abs=0.05 + 0.05 * first.after), (
                key
            )
        assert (one.quality, one.copies, one.bleed) == (other.quality, other.copies, other.bleed)

    def test_the_same_input_gives_the_same_figures(self):
        assert weigh(PAIRS, WRITER, HELD, losses(3, 2)) == weigh(PAIRS, WRITER, HELD, losses(3, 2))

    def test_figures_survive_being_stored(self):
        figures = weigh(PAIRS[:3], WRITER, HELD, losses(3, 2))
        assert read_figures(json.loads(json.dumps(figures.as_dict()))) == figures

    def test_what_is_counted_once(self):
        cut = replace(PAIRS[0], after=PAIRS[0].after.rstrip(".!?"), after_ended=False)
        whole = replace(PAIRS[2], after_ended=False)  # it was ended, with a whole sentence
        pairs = [cut, replace(PAIRS[1], after=PAIRS[1].before), whole, PAIRS[3]]
        figures = weigh(pairs, WRITER)
        assert (figures.unended_before, figures.unended_after, figures.same) == (0, 0.25, 1)
        assert (figures.prompts, figures.held_out_prompts) == (4, 4)
        assert figures.length_trained == pytest.approx(len(winding(1).split()), abs=25)

    def test_a_request_is_no_prompt(self):
        # "scene", "piece" and the like are in every request: an answer that has them follows nothing.
        same = [Pair(asked(n), "A scene, a fantasy piece, written only.", "x", 1, 1) for n in range(4)]
        assert weigh(same, []).follows.before == 0

    def test_nothing_is_nothing(self):
        figures = weigh([], [])
        assert figures.prompts == 0
        assert verdict(figures).kind == "not_shown"

    @given(st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING), max_size=3))
    @settings(deadline=None, max_examples=25)
    def test_any_text_is_weighed_and_printed(self, rows):
        pairs = [Pair(*row, choice=row[0], judged={row[1]: row[2]}) for row in rows]
        training = [Row(n, row[0], row[1], 1.0, "train", True, "manuscript") for n, row in enumerate(rows)]
        figures = weigh(pairs, training, [Held(row[0], row[2], True) for row in rows], {"before": 3})
        assert printed(figures, verdict(figures))[0].startswith("Not shown")
