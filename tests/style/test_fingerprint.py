"""A fingerprint tells how a text is written, and the distance which of two is written more alike."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.errors import ConfigError
from zega_core.style.counting import FUNCTION_WORDS, MARKS
from zega_core.style.features import FEATURES
from zega_core.style.fingerprint import (
    AXES,
    GROUPS,
    LEAST_WORDS,
    Fingerprint,
    distance,
    distances,
    enough,
    fingerprint,
    measure,
    pool,
)
from zega_core.style.reference import PATH, load_reference

TALK = (
    """“Where is it?” she asked. “You had it!”

“I gave it to him,” said Wren. “He would know. Why do you want it now?”

“Because it is mine!”

“Then go and ask him, and don't come back without it.”""",
    """“Did you see her?” he asked.

“No,” she said. “Nobody did. What is it to you?”

“I was to meet her here! Do you know when she went?”

“You could ask the boy. He was up before us.”""",
)
TOLD = (
    """Of the house upon the hill it was said that the light of its upper windows, which had been seen from the harbour
by the pilots of three generations, was that of no lamp; and the keeper of the inn, by whom the story was told to those
of his guests that seemed to be worth the trouble, would add that the last of the family had left it in the winter of
the great frost, without a word to the servants, and without so much as the closing of a door.""",
    """In the court behind the chapel there was a well, the depth of which had never been found; for the rope that was
let down into it by the order of the bishop, and to which the length of a second and of a third had been tied, came up
as dry as it had gone; and from the silence of those that had held it, as from the haste with which the stone was laid
over the mouth of it again, the people of the town drew what conclusions they would.""",
)


def of(*texts: str) -> Fingerprint:
    return fingerprint(pool([measure(text) for text in texts]))


def book(words: int, seed: int, own: str) -> list[str]:
    """Pieces of about 150 words by a made-up author who has favourites among the words."""
    draw, pieces = Random(seed), list[str]()
    usual = [*FUNCTION_WORDS[:60], *own.split() * 12, *"stone river letter candle winter".split()]
    while words > 0:
        sentences = [" ".join(draw.choices(usual, k=draw.randrange(6, 20))).capitalize() + "." for _ in range(12)]
        pieces.append(" ".join(sentences))
        words -= len(pieces[-1].split())
    return pieces


class TestFigures:
    def test_the_axes_have_labels_and_lie_between_minus_four_and_four(self):
        found = of(*TALK)
        assert set(found.axes) == set(AXES) and 8 <= len(AXES) <= 10
        assert len(set(AXES.values())) == len(AXES)
        assert all(-4 <= value <= 4 for value in found.axes.values())
        assert set(found.values) == set(FEATURES)

    def test_talk_and_telling_lie_on_other_sides(self):
        talk, told = of(*TALK), of(*TOLD)
        for axis in ("dialogue", "outbursts"):
            assert talk.axes[axis] > 0 > told.axes[axis], axis
        for axis in ("sentences", "paragraphs"):
            assert talk.axes[axis] < 0 < told.axes[axis], axis

    def test_who_tells_and_when_is_seen_on_the_axes(self):
        past = of("I walked down to the river. I saw my boat and knew it by its paint. I had left it there.")
        present = of("She walks down to the river. She sees her boat and knows it. She is alone, and she waits.")
        assert past.axes["person"] > 0 > present.axes["person"]
        assert past.axes["tense"] > 0 and present.axes["tense"] == -4

    def test_an_odd_text_is_held_within_bounds(self):
        assert of("!" * 50_000 + " word").axes["outbursts"] == 4

    def test_figures_of_several_texts_are_those_of_all_their_words(self):
        found = of(*TALK, *TOLD)
        assert found.words == sum(measure(text).words for text in (*TALK, *TOLD))
        spoken = sum(of(text).values["dialogue"] * of(text).words for text in TALK)
        assert found.values["dialogue"] == pytest.approx(spoken / found.words)


class TestDistance:
    def test_the_same_text_is_nowhere_else(self):
        assert distance(of(*TALK), of(*TALK)) == 0
        assert distance(of(*TALK), of(*reversed(TALK))) == 0

    def test_it_is_the_same_both_ways(self):
        assert distance(of(*TALK), of(*TOLD)) == distance(of(*TOLD), of(*TALK)) > 0

    def test_like_is_nearer_to_like(self):
        for own, other in ((TALK, TOLD), (TOLD, TALK)):
            assert distance(of(own[0]), of(own[1])) < distance(of(own[0]), of(other[1]))

    def test_an_author_is_told_by_function_words_alone(self):
        ana, ben = book(6000, 1, "but which upon of"), book(6000, 2, "and just like about")
        again = book(LEAST_WORDS, 3, "but which upon of")
        assert distance(of(*again), of(*ana)) < distance(of(*again), of(*ben))

    def test_the_weights_add_up_and_no_feature_counts_twice(self):
        named = [name for _, names in GROUPS.values() for name in names]
        assert sum(share for share, _ in GROUPS.values()) == pytest.approx(1)
        assert len(named) == len(set(named)) and set(named) <= {*FEATURES, *FUNCTION_WORDS}
        assert set(MARKS) < set(named)

    def test_one_standard_deviation_everywhere_is_a_distance_of_one(self):
        one = of(*TALK)
        other = Fingerprint(one.words, one.values, one.axes, one.scaled + 1)
        assert distance(one, other) == pytest.approx(1)

    @settings(max_examples=25, deadline=None)
    @given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
    def test_there_is_no_short_cut_over_a_third(self, a: str, b: str, c: str):
        one, two, three = of(a), of(b), of(c)
        assert distance(one, three) <= distance(one, two) + distance(two, three) + 1e-9


class TestDraws:
    def test_a_draw_is_the_distance_of_its_texts_together(self):
        texts, writer = [measure(text) for text in (*TALK, *TOLD)], of(*TOLD)
        draws = [[0, 1, 2], [3, 3, 3], [2, 3, 2]]
        each = [distance(fingerprint(pool([texts[place] for place in draw])), writer) for draw in draws]
        assert distances(texts, draws, writer).tolist() == pytest.approx(each)

    def test_a_paired_bootstrap_sees_who_came_nearer(self):
        before = [measure(text) for text in book(3000, 4, "and just like about")]
        after = [measure(text) for text in book(3000, 5, "but which upon of")][: len(before)]
        writer = of(*book(3000, 6, "but which upon of"))
        draws = np.random.default_rng(0).integers(len(after), size=(500, len(after)))
        change = distances(after, draws, writer) - distances(before, draws, writer)
        assert np.percentile(change, 97.5) < 0

    def test_two_thousand_draws_of_forty_texts_take_less_than_a_second(self):
        texts, writer = [measure(TALK[0])] * 40, of(*TOLD)
        draws = np.random.default_rng(0).integers(40, size=(2000, 40))
        distances(texts, draws[:1], writer)
        started = time.process_time()
        assert distances(texts, draws, writer).shape == (2000,)
        assert time.process_time() - started < 1

    def test_a_place_that_is_no_text_is_an_error(self):
        with pytest.raises(IndexError):
            distances([measure("a")], [[1]], of("a"))

    @pytest.mark.parametrize("draws", [(), np.zeros((0, 4), dtype=int)])
    def test_no_draws_give_no_distances(self, draws: object):
        assert distances([measure("a")], draws, of("a")).shape == (0,)  # pyright: ignore[reportArgumentType]


def test_little_text_is_not_enough():
    assert not enough(of(*TALK, *TOLD))
    assert enough(of("word " * LEAST_WORDS)) and not enough(of("word " * (LEAST_WORDS - 1)))


class TestReference:
    def test_the_shipped_figures_are_of_every_feature_and_word(self):
        found = load_reference(FEATURES, FUNCTION_WORDS)
        assert found.mean.shape == found.deviation.shape == (len(FEATURES) + len(FUNCTION_WORDS),)
        assert (found.deviation > 0).all()
        rates = found.mean[len(FEATURES) :]
        assert len(set(FUNCTION_WORDS)) == 120 and rates[:10].min() > rates[60:].max()

    def test_it_holds_no_text_of_any_book(self):
        held = json.loads(PATH.read_text(encoding="utf-8"))
        texts = {word for text in re.findall(r'"([^"]*)"', PATH.read_text(encoding="utf-8")) for word in text.split()}
        named = {*FEATURES, *FUNCTION_WORDS, "mean", "deviation", *held}
        assert len(texts - named) < 12

    @pytest.mark.parametrize(
        "broken",
        [
            "",
            "[]",
            "{}",
            "[" * 100_000,
            "\0",
            PATH.read_text(encoding="utf-8").replace('"commas"', '"comets"'),
            PATH.read_text(encoding="utf-8").replace('"deviation": ', '"deviation": -'),
            PATH.read_text(encoding="utf-8").replace('"mean": ', '"mean": NaN, "was": '),
        ],
    )
    def test_a_broken_file_is_said_in_plain_words(self, broken: str, tmp_path: Path):
        path = tmp_path / "reference.json"
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"reference\.json.*cannot be read"):
            load_reference(FEATURES, FUNCTION_WORDS, path)

    def test_a_missing_file_is_said_in_plain_words(self, tmp_path: Path):
        with pytest.raises(ConfigError, match=r"reference\.json.*cannot be read"):
            load_reference(FEATURES, FUNCTION_WORDS, tmp_path / "reference.json")
