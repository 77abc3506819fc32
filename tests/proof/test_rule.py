"""When a version is better, worse, or neither is shown: each guard by figures that trip it and by near misses."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.proof_chances import chosen, judged
from zega_core.fine_tune.plan import Row
from zega_core.proof.figures import Axis, Bleed, Change, Copies, Figures, Judged, Perplexity, Style
from zega_core.proof.guards import MADE_UP, found
from zega_core.proof.job import Held
from zega_core.proof.printed import printed
from zega_core.proof.rule import CHOICES, PROMPTS, verdict
from zega_core.proof.statistics import change, duel
from zega_core.proof.weigh import Pair, weigh

NEARER = Change(1.21, 0.94, -0.33, -0.18)
STYLE = Style(NEARER, [Axis("sentences", "Sentence length", -1.0, 0.2, 0.4)], 6000, own=True)
LEARNED = Perplexity(52.0, 31.0, 8, True, Change(3.95, 3.43, -0.7, -0.3))
STILL = Change(0.0, 0.0, -0.1, 0.1)
"""Neither better nor worse in anything."""
SAME = Figures(
    prompts=36,
    held_out_prompts=20,
    quality=duel([1, -1] * 18),
    quality_mean=Change(7.5, 7.5, -0.3, 0.3),
    length=Change(150, 148, -12, 9),
    diversity=Change(0.93, 0.92, -0.03, 0.02),
    follows=Change(0.45, 0.44, -0.08, 0.07),
    unknown=Change(3.0, 3.4, -1.0, 2.0),
    echo_before=0.0,
    echo_after=0.0,
    unended_before=0.05,
    unended_after=0.05,
    copies=Copies(9, 10, 0.001, 0.004, 0.002, "and so on"),
    bleed=Bleed(0.1, 0.1, []),
    style=replace(STYLE, change=Change(1.2, 1.19, -0.1, 0.08)),
    perplexity=LEARNED,
    length_trained=160.0,
    chance_before=0.04,
    chance=0.04,
    unknown_real=4.0,
)
BETTER = replace(SAME, style=STYLE)


def asked(wins: int, losses: int, ties: int = 0, disagreed: int = 0, first: int = 36, name: str = "groq/m") -> Judged:
    number = wins + losses + ties
    return Judged(name, duel([1] * wins + [-1] * losses + [0] * ties), disagreed, first, 2 * number, 0)


def kind(figures: Figures) -> str:
    return verdict(figures).kind


class TestBetter:
    def test_nearer_to_the_writers_style(self):
        said = verdict(BETTER)
        assert said.kind == "better"
        assert said.reasons == ["It came nearer to your style: distance 1.21 to 0.94 (difference -0.33 to -0.18)."]

    def test_nearer_to_the_style_of_others_is_said_as_that(self):
        said = verdict(replace(BETTER, style=replace(STYLE, own=False)))
        assert said.kind == "better"
        assert "the style of the texts it learned from" in said.reasons[0]

    @pytest.mark.parametrize("upper", [0.0, 0.01])
    def test_an_interval_that_reaches_none_shows_nothing(self, upper: float):
        assert kind(replace(SAME, style=replace(STYLE, change=replace(NEARER, high=upper)))) == "not_shown"

    @pytest.mark.parametrize("perplexity", [None, Perplexity(50.0, 51.0, 8, True, Change(3.91, 3.93, -0.1, 0.1))])
    def test_style_counts_only_where_held_out_texts_are_no_stranger(self, perplexity: Perplexity | None):
        said = verdict(replace(BETTER, perplexity=perplexity))
        assert said.kind == "not_shown"
        assert "That counts only where held-out texts have not become stranger to it." in " ".join(said.reasons)

    def test_more_duels_by_quality(self):
        said = verdict(replace(SAME, quality=duel([1] * 28 + [-1] * 8)))
        assert said.kind == "better"
        assert said.reasons == ["By its quality score, it won 28 and lost 8 of 36 duels: 78% (between 56% and 90%)."]
        assert kind(replace(SAME, quality=duel([1] * 24 + [-1] * 12))) == "not_shown"

    def test_more_duels_by_a_judge_that_agrees_with_itself(self):
        said = verdict(replace(SAME, judged=[asked(24, 4, 8, disagreed=8)]))
        assert said.kind == "better"
        assert said.reasons[0].startswith(
            "Asked in both orders, for groq/m it won 24 and lost 4 of 36 duels and 8 ties"
        )

    def test_a_second_judge_that_does_not_share_that_takes_it_back(self):
        judges = [asked(30, 6), asked(16, 20, name="gemini/x")]
        assert kind(replace(SAME, judged=judges[:1])) == "better"
        assert kind(replace(SAME, judged=judges)) == "not_shown"

    def test_perplexity_alone_is_nothing(self):
        lost = Perplexity(900.0, 3.0, 30, True, Change(6.8, 1.1, -6.0, -5.0))
        assert kind(replace(SAME, perplexity=lost)) == "not_shown"

    def test_moving_away_from_the_writer_holds_everything_back(self):
        away = replace(STYLE, change=Change(0.9, 1.2, 0.1, 0.5))
        said = verdict(replace(SAME, style=away, quality=duel([1] * 36)))
        assert said.kind == "not_shown"
        assert said.reasons[0].startswith("It went away from your style: distance 0.90 to 1.20")

    def test_a_lower_score_may_be_the_price_of_a_voice(self):
        figures = replace(BETTER, quality=duel([-1] * 30 + [1] * 6), quality_mean=Change(7.65, 7.3, -0.6, -0.1))
        said = verdict(figures)
        assert said.kind == "better"
        assert "which can be the price of a voice of its own" in said.reasons[-1]


def broken(**changes: Any) -> Figures:
    """Near to the style, loved by a judge, and something is wrong with it."""
    return replace(BETTER, quality=duel([1] * 36), judged=[asked(36, 0)], **changes)


COPIED = Copies(9, 60, 0.001, 0.3, 0.002, "the run")
HARMS: dict[str, tuple[Figures, Figures, Figures]] = {
    # what trips it, what only holds it back (the same where there is no such thing), and a near miss
    "quality": (
        broken(quality_mean=Change(7.6, 6.2, -1.9, -0.9)),
        broken(quality_mean=Change(7.6, 7.0, -1.2, -0.1)),
        broken(quality_mean=Change(7.6, 7.15, -0.9, -0.1)),
    ),
    "copies": (
        broken(copies=COPIED),
        broken(copies=COPIED),
        broken(copies=replace(COPIED, longest=34)),
    ),
    "copies of a grammar": (
        broken(copies=replace(COPIED, real=0.15)),
        broken(copies=replace(COPIED, real=0.15)),
        broken(copies=replace(COPIED, real=0.25)),
    ),
    "length": (
        broken(length=Change(150, 20, -140, -110)),
        broken(length=Change(150, 70, -120, -20)),
        broken(length=Change(150, 80, -120, -20)),
    ),
    "echo": (broken(echo_after=0.5), broken(echo_after=0.2), broken(echo_after=0.1)),
    "diversity": (
        broken(diversity=Change(0.93, 0.3, -0.7, -0.5)),
        broken(diversity=Change(0.93, 0.8, -0.2, -0.05)),
        broken(diversity=Change(0.93, 0.85, -0.2, -0.05)),
    ),
    "unknown": (
        broken(unknown=Change(3, 40, 20, 50)),
        broken(unknown=Change(3, 15, 6, 20)),
        broken(unknown=Change(3, 13.5, 6, 20)),
    ),
    "follows": (
        broken(follows=Change(0.45, 0.06, -0.5, -0.3)),
        broken(follows=Change(0.45, 0.2, -0.35, -0.15)),
        broken(follows=Change(0.45, 0.26, -0.3, -0.1)),
    ),
    "held-out texts": (
        broken(perplexity=Perplexity(30, 50, 8, True, Change(3.4, 3.9, 0.3, 0.7))),
        broken(perplexity=Perplexity(30, 32, 8, True, Change(3.40, 3.47, 0.0, 0.2))),
        broken(perplexity=Perplexity(30, 31, 8, True, Change(3.40, 3.43, 0.0, 0.1))),
    ),
    "a judge": (
        replace(BETTER, judged=[asked(2, 34)]),
        replace(BETTER, judged=[asked(13, 23)]),
        replace(BETTER, judged=[asked(15, 21)]),
    ),
}


class TestGuards:
    @pytest.mark.parametrize("harm", HARMS)
    def test_harm_that_is_shown_is_worse_whatever_else_is_better(self, harm: str):
        said = verdict(HARMS[harm][0])
        assert said.kind == "worse"
        assert len(said.reasons) == 1

    @pytest.mark.parametrize("harm", [harm for harm, (first, second, _) in HARMS.items() if first != second])
    def test_harm_that_may_be_chance_is_neither(self, harm: str):
        assert kind(HARMS[harm][1]) == "not_shown"

    @pytest.mark.parametrize("harm", HARMS)
    def test_a_near_miss_is_better(self, harm: str):
        assert kind(HARMS[harm][2]) == "better"

    def test_short_texts_are_no_collapse_where_the_writer_writes_short_ones(self):
        short = broken(length=Change(150, 40, -120, -100), length_trained=50.0)
        assert kind(short) == "better"

    def test_a_writers_own_rare_words_are_not_made_up(self):
        assert kind(broken(unknown=Change(3, 40, 20, 50), unknown_real=35.0)) == "better"

    def test_a_base_that_follows_nothing_need_not_be_followed(self):
        assert kind(broken(follows=Change(0.06, 0.03, -0.05, -0.01))) == "better"

    def test_few_or_others_texts_show_no_harm_by_perplexity(self):
        risen = Perplexity(30, 50, 4, True, Change(3.4, 3.9, 0.3, 0.7))
        assert kind(broken(perplexity=risen)) == "not_shown"
        assert kind(broken(perplexity=replace(risen, texts=20, own=False))) == "not_shown"

    @given(st.floats(0, 200), st.floats(0, 200))
    def test_more_harm_is_never_judged_more_kindly(self, one: float, more: float):
        order = {"harm": 2, "hold": 1}
        low, high = sorted((one, more))

        def gravity(words: float) -> int:
            said = found(replace(SAME, unknown=Change(3.0, 3.0 + words, words - 5, words + 5)))
            return order[said[0].kind] if said else 0

        assert gravity(low) <= gravity(high)
        assert gravity(MADE_UP + 1.1 + 5) == 2


class TestChoices:
    LOVED, HATED = duel([1] * 14 + [-1] * 2), duel([-1] * 14 + [1] * 2)

    def test_they_make_it_better_alone(self):
        said = verdict(replace(SAME, blind=self.LOVED))
        assert said.kind == "better"
        assert said.reasons == [
            "Not knowing which was which, you chose its text 14 times, the older one 2 times: "
            "88% (between 55% and 98%)."
        ]

    def test_they_make_it_worse_alone(self):
        assert kind(replace(BETTER, quality=duel([1] * 36), judged=[asked(36, 0)], blind=self.HATED)) == "worse"

    @pytest.mark.parametrize("harm", ["quality", "length", "echo", "unknown", "follows", "held-out texts", "a judge"])
    def test_what_the_writer_saw_and_chose_all_the_same_is_no_harm(self, harm: str):
        assert kind(replace(HARMS[harm][0], blind=self.LOVED)) == "better"

    @pytest.mark.parametrize("harm", ["copies", "diversity"])
    def test_what_no_pair_shows_they_cannot_excuse(self, harm: str):
        assert kind(replace(HARMS[harm][0], blind=self.LOVED)) == "worse"

    def test_fewer_than_ten_count_for_nothing(self):
        few = duel([1] * (CHOICES - 1))
        assert few.low > 0.5
        said = verdict(replace(SAME, blind=few))
        assert said.kind == "not_shown"
        assert said.reasons[-1].endswith("It takes 10 choices to count.")
        assert kind(replace(BETTER, blind=duel([-1] * (CHOICES - 1)))) == "better"

    def test_choices_that_lean_the_other_way_hold_a_measured_gain_back(self):
        said = verdict(replace(BETTER, blind=duel([1] * 6 + [-1] * 8)))
        assert said.kind == "not_shown"
        assert "you chose its text 6 times" in said.reasons[0]
        assert kind(replace(BETTER, blind=duel([1] * 7 + [-1] * 7))) == "better"

    @given(st.lists(st.sampled_from([-1, 0, 1]), min_size=10, max_size=36), st.integers(0, 35))
    def test_one_more_for_it_never_makes_it_worse(self, outcomes: list[int], place: int):
        order = ["worse", "not_shown", "better"]
        more = list(outcomes)
        more[place % len(more)] = 1
        first, second = (kind(replace(SAME, blind=duel(one))) for one in (outcomes, more))
        assert order.index(first) <= order.index(second)


class TestJudges:
    @pytest.mark.parametrize(
        ("judge", "sentence"),
        [
            (
                asked(0, 0, 36, disagreed=36, first=72),
                "groq/m named the text that came first in 72 of 72 answers, whichever it was, "
                "so it counts for nothing.",
            ),
            (
                asked(17, 0, 19, disagreed=19, first=40),
                "groq/m named another text when the order was swapped on 19 of 36 prompts, so it counts for nothing.",
            ),
            (
                replace(asked(12, 0), unusable=24),
                "groq/m gave no usable answer on 24 of 36 prompts, so it counts for nothing.",
            ),
            (asked(9, 0), "groq/m judged 9 prompts; it takes 10 to count."),
        ],
    )
    def test_one_that_is_no_judge_counts_for_nothing_and_is_said(self, judge: Judged, sentence: str):
        said = verdict(replace(SAME, judged=[judge]))
        assert said.kind == "not_shown"
        assert said.reasons[-1] == sentence

    def test_one_that_agrees_with_itself_on_half_of_the_prompts_counts(self):
        assert kind(replace(SAME, judged=[asked(18, 0, 18, disagreed=18, first=40)])) == "better"

    def test_one_that_is_no_judge_does_no_harm(self):
        hostile = asked(0, 14, 22, disagreed=22, first=40)
        assert kind(replace(BETTER, judged=[hostile])) == "better"


class TestTooLittle:
    def test_fewer_than_thirty_prompts_show_nothing(self):
        figures = replace(HARMS["quality"][0], prompts=PROMPTS - 1, missing=["It takes 1,500 words."])
        said = verdict(figures)
        assert said.kind == "not_shown"
        assert said.reasons == ["It was tried on 29 prompts; it takes 30 to show anything.", "It takes 1,500 words."]

    def test_what_could_not_be_measured_is_said(self):
        said = verdict(replace(SAME, style=None, missing=["It takes 1,500 trained words."]))
        assert said.kind == "not_shown"
        assert said.reasons[-1] == "It takes 1,500 trained words."

    def test_the_same_texts_are_the_same(self):
        said = verdict(replace(BETTER, same=36))
        assert (said.kind, said.reasons) == (
            "not_shown",
            ["Both wrote the same text on every prompt: there is no difference."],
        )

    def test_names_and_cut_off_answers_are_told_and_decide_nothing(self):
        said = verdict(replace(BETTER, bleed=Bleed(0.1, 0.6, ["Imogen", "Thea"]), unended_after=0.6))
        assert said.kind == "better"
        assert "(Imogen, Thea) stand in 60% of its answers" in said.reasons[1]
        assert said.reasons[2] == "Of its answers, 60% were cut off at the longest length, before 5%."


class TestReasons:
    @pytest.mark.parametrize(
        "figures",
        [BETTER, SAME, *(one for three in HARMS.values() for one in three), replace(SAME, blind=TestChoices.HATED)],
    )
    def test_they_are_sentences_with_their_figures(self, figures: Figures):
        said = verdict(figures)
        assert said.reasons
        for reason in said.reasons:
            assert re.fullmatch(r"[A-Z\d].*[.]", reason), reason
            assert re.search(r"\d", reason), reason
            assert not re.search(r"None|nan|\{|!|bootstrap|Wilson|p-value|n-gram", reason), reason

    @given(st.builds(Change, *[st.floats(allow_nan=True)] * 4), st.integers(0, 40), st.integers(0, 40))
    @settings(max_examples=50)
    def test_no_figure_makes_it_fail(self, odd: Change, prompts: int, wins: int):
        changed = dict.fromkeys(("quality_mean", "length", "diversity", "follows", "unknown"), odd)
        figures = replace(BETTER, prompts=prompts, blind=duel([1] * wins), **changed)
        assert printed(figures, verdict(figures))

    def test_every_figure_is_printed_with_its_interval(self):
        figures = replace(BETTER, judged=[asked(30, 6)], blind=duel([1] * 7 + [-1] * 5))
        lines = printed(figures, verdict(figures))
        assert lines[0] == "Better. 36 prompts, 20 of them held out."
        table = "\n".join(lines)
        assert re.search(r"Distance to your style +1\.21 +0\.94 +-0\.33 to -0\.18", table)
        assert re.search(r"Perplexity, 8 own held-out texts +52\.00 +31\.00 +-0\.700 to -0\.300 nats", table)
        assert re.search(r"Duels by groq/m +6 +30 +83%: 63% to 94%", table)
        assert re.search(r"Your blind choices +5 +7 +58%", table)


THINGS = """anchor basket candle ditch ember fiddle gate harbour island jacket kettle ladder mirror needle orchard
pebble quarry river saddle timber urn valley window yard barrel chimney doorstep engine feather garden hammer""".split()


def base_text(seed: int, about: Sequence[str]) -> str:
    draw = random.Random(seed)
    return " ".join(
        f"She took the {draw.choice(about)} to the {draw.choice(THINGS)} on day {draw.randrange(900)}. It was gone."
        for _ in range(9)
    )


def own_text(seed: int, about: Sequence[str]) -> str:
    draw = random.Random(seed)
    return "\n\n".join(
        f"I do not say that I am fond of the {draw.choice(about)} number {draw.randrange(900)}; nor, if you ask me, "
        f"would I have you think, as aunt {draw.randrange(900)} thought of the {draw.choice(THINGS)}, that it is mine!"
        for _ in range(4)
    )


PROMPT_THINGS = [[THINGS[n % 30], THINGS[(n * 7 + 3) % 30], THINGS[(n * 11 + 5) % 30]] for n in range(36)]
ROWS = [Row(n, "x", own_text(500 + n, THINGS), 1.0, "train", True, "manuscript") for n in range(40)]
HELD = [Held("x", own_text(900 + n, THINGS), True) for n in range(6)]


def proof(after: list[str], nats: float = 250.0) -> str:
    """Texts of a base that follows its prompts against ``after``; the verdict."""
    pairs = [
        Pair("The " + ", the ".join(about), base_text(n, about), text, 7.5, 7.5)
        for n, (about, text) in enumerate(zip(PROMPT_THINGS, after, strict=True))
    ]
    losses = {
        side: {"nats": [value] * len(HELD), "tokens": [100] * len(HELD)}
        for side, value in (("before", 400.0), ("after", nats))
    }
    return kind(weigh(pairs, ROWS, HELD, losses, seed=4))


OWN = [own_text(n, about) for n, about in enumerate(PROMPT_THINGS)]


class TestTexts:
    def test_a_version_in_the_writers_voice_that_follows_is_better(self):
        assert proof(OWN) == "better"

    def test_completions_shuffled_among_the_prompts_are_worse(self):
        assert proof([*OWN[5:], *OWN[:5]]) == "worse"

    def test_a_copy_of_the_base_with_the_same_seeds_is_not_shown(self):
        assert proof([base_text(n, about) for n, about in enumerate(PROMPT_THINGS)], nats=400) == "not_shown"

    def test_a_copy_of_the_base_with_other_seeds_is_not_shown(self):
        assert proof([base_text(700 + n, about) for n, about in enumerate(PROMPT_THINGS)], nats=400) == "not_shown"

    def test_recited_training_texts_are_worse(self):
        assert proof([row.completion for row in ROWS[:36]]) == "worse"

    def test_one_text_for_all_prompts_is_worse(self):
        assert proof([own_text(3, THINGS)] * 36) == "worse"

    def test_repeated_prompts_are_worse(self):
        assert proof(["The " + ", the ".join(about) + "." for about in PROMPT_THINGS]) == "worse"

    def test_made_up_words_are_worse(self):
        draw = random.Random(1)
        garbled = [
            re.sub(
                r"[a-z]{5,}",
                lambda found: found[0][:2] + "zq" + found[0][3:] if draw.random() < 0.1 else found[0],
                text,
            )
            for text in OWN
        ]
        assert proof(garbled) == "worse"


class TestChance:
    """A version that is no better comes out better in at most 5 of 100: ``scripts/proof_chances.py`` counts more."""

    def test_quality_and_style_of_no_difference(self):
        draw, better, number = random.Random(3), 0, 300
        for seed in range(number):
            scores = [[round(draw.gauss(7.4, 0.8), 1) for _ in range(36)] for _ in range(2)]
            distances = [[draw.gauss(1.2, 0.3) for _ in range(36)] for _ in range(2)]
            outcomes = [(b > a) - (b < a) for a, b in zip(*scores, strict=True)]
            figures = replace(
                SAME,
                quality=duel(outcomes),
                quality_mean=change(*scores, seed=seed),
                style=replace(STYLE, change=change(*distances, seed=seed)),
            )
            better += kind(figures) == "better"
        assert better <= 0.03 * number

    def test_a_writer_who_looks_after_every_choice(self):
        draw = random.Random(5)
        assert sum(chosen(draw, 0.5, 0.0, every=True) for _ in range(400)) <= 0.04 * 400
        assert sum(chosen(draw, 0.9, 0.0, every=True) for _ in range(50)) > 45

    def test_three_judges(self):
        draw = random.Random(6)
        assert sum(judged(draw, 0.5, 3) for _ in range(300)) <= 0.02 * 300
        assert sum(judged(draw, 0.95, 3) for _ in range(30)) > 25
