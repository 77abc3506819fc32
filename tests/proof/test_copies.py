"""What was taken over from the trained texts: the longest run, the share of 8-grams, and names."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.proof.copies import GRAM, bleed, copies

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=200)
FEW_WORDS = st.lists(st.lists(st.sampled_from("abc"), max_size=12).map(" ".join), max_size=3)
TRAINED = "The keeper counted nine boats in the harbour before the fog came down and took them one after another away."


def prose(seed: int, size: int) -> str:
    draw = random.Random(seed)
    return " ".join(f"w{draw.randrange(3000)}" for _ in range(size))


def by_hand(training: list[str], answers: list[str]) -> tuple[int, float]:
    """The same by comparing every run with every other."""
    trained, told = ([text.split() for text in texts] for texts in (training, answers))

    def runs(texts: list[list[str]], length: int) -> list[tuple[str, ...]]:
        return [tuple(text[at : at + length]) for text in texts for at in range(len(text) - length + 1)]

    longest = max((n for n in range(1, 13) if {*runs(trained, n)} & {*runs(told, n)}), default=0)
    grams = runs(told, GRAM)
    return longest, sum(gram in runs(trained, GRAM) for gram in grams) / max(1, len(grams))


class TestCopies:
    @given(FEW_WORDS, FEW_WORDS)
    @settings(deadline=None)
    def test_it_finds_what_comparing_everything_finds(self, training, answers):
        found = copies(training, [], answers, [])
        assert (found.longest, found.share) == pytest.approx(by_hand(training, answers))
        assert found.longest == len(found.run.split())
        assert not found.run or any(f" {found.run} " in f" {text} " for text in training)

    def test_case_and_marks_do_not_hide_a_copy(self):
        found = copies(
            [TRAINED], ["So: THE KEEPER counted, nine boats — in the harbour!"], ["Then the keeper slept."], []
        )
        assert (found.longest_before, found.longest, found.run) == (8, 2, "the keeper")

    def test_no_run_goes_from_one_text_into_the_next(self):
        assert copies(["one two three", "four five six"], [], ["one two three four five six"], []).longest == 3
        assert copies(["one two three four five six"], [], ["one two three", "four five six"], []).longest == 3

    def test_the_share_is_of_all_eight_word_runs(self):
        found = copies([TRAINED], [], [TRAINED, prose(1, 20)], [prose(2, 30)])
        assert found.share == pytest.approx((20 - 7) / (20 - 7 + 20 - 7))
        assert found.real == 0

    def test_without_held_out_text_there_is_nothing_to_compare_with(self):
        assert copies([TRAINED], [TRAINED], [TRAINED], []).real is None
        assert copies([TRAINED], [TRAINED], [TRAINED], ["too short"]).real is None

    def test_a_long_run_is_cut_for_reading_only(self):
        text = prose(3, 400)
        found = copies([text], [], [text], [])
        assert found.longest == 400
        assert len(found.run) == 300

    @given(st.lists(ANYTHING, max_size=3), st.lists(ANYTHING, max_size=3))
    @settings(deadline=None, max_examples=50)
    def test_any_text_is_accepted(self, training, answers):
        found = copies(training, answers, answers, training)
        assert 0 <= found.share <= 1
        assert found.longest == found.longest_before

    def test_endless_repetition_is_measured_like_any_text(self):
        found = copies(["word " * 100_000], ["word " * 3000], ["word " * 2000], [])
        assert (found.longest_before, found.longest, found.share) == (3000, 2000, 1.0)


TOLD = [
    "“Wait,” said Imogen. Imogen looked back, and Imogen knew. Captain Imogen closed the door.",
    "He gave it to Imogen, who laughed. “No,” Imogen said. Then Imogen went home and slept.",
]


class TestBleed:
    def test_a_name_that_was_not_asked_for_is_found(self):
        answers = ["Imogen sat by the window.", "Nobody sat by the window.", "It was Imogen’s hat."]
        found = bleed(TOLD, ["A window"] * 3, ["Nobody came."] * 3, answers)
        assert (found.before, found.names) == (0, ["Imogen"])
        assert found.after == pytest.approx(2 / 3)

    def test_a_name_that_the_prompt_names_is_no_bleed(self):
        assert bleed(TOLD, ["imogen waits"], ["Imogen waits."], ["Imogen waits."]).after == 0

    def test_words_that_are_no_names_are_none(self):
        assert bleed(TOLD, ["x"], ["x"], ["Then he went. Captain, wait. The door."]).after == 0

    def test_without_texts_there_is_nothing(self):
        assert bleed([], [], [], []).names == []

    @given(st.lists(ANYTHING, max_size=3), ANYTHING)
    @settings(deadline=None, max_examples=50)
    def test_any_text_is_accepted(self, training, answer):
        assert 0 <= bleed(training, [answer], [answer], [answer]).after <= 1
