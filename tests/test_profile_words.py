"""A writer's style in words: what it rests on, what is lacking, and every axis and feature has a name."""

from __future__ import annotations

import pytest

from zega_core import profile_words as words
from zega_core.style.axes import AXES, ENDS, FEATURES, Axis
from zega_core.style.profile import Corrections, Piece, profile

NOTHING = Corrections()
TEXT = "The old house stood grey behind its hedge. She thought of him. He ran and laughed. " * 12


def test_every_axis_and_feature_has_a_name():
    assert set(words.LABELS) == set(AXES) == set(ENDS)
    assert set(words.FEATURES) == set(FEATURES)


def test_what_it_rests_on_is_told_with_whose_it_is():
    def told(*sources: str) -> str:
        return words.rests_on(profile(Piece(TEXT, "horror", source, 1.0) for source in sources))

    assert told("auto") == "Measured on 1 text with 192 words, none of it written by you."
    assert told("conversation") == "Measured on 1 text with 192 words, all of it yours."
    assert "Of that 1 text with 192 words are yours" in told("conversation", "auto")


def test_what_is_lacking_is_told_with_how_much_is_wanted():
    few = profile([Piece(TEXT, "horror", "conversation", 1.0)] * 3)
    assert "3 of 10 texts and 576 of 1,500 words" in words.too_little(few)
    assert words.part_done(few) == 0.3
    assert "0 of 10 texts" in words.too_little(None)
    many = profile([Piece(TEXT, "horror", "conversation", 1.0)] * 10)
    assert words.too_little(many) == ""
    assert words.part_done(many) == 1.0


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "slow"), (30, "slow"), (31, "rather slow"), (41, "in the middle"), (59, "in the middle"), (61, "rather fast"),
     (70, "fast"), (100, "fast")],
)  # fmt: skip
def test_a_value_in_words(value: float, said: str):
    assert words.manner("pacing", value) == said


def test_what_was_counted_is_told_in_its_unit():
    axis = Axis("pacing", 20, "slow", "fast", (("sentence_length", 22.4), ("action", 0.9)), 2_000)
    assert words.measured_from(axis) == "In 100 words: words of action 0.9; 22.4 words in a sentence."


def test_the_more_words_the_less_is_chance():
    def told(number: int) -> str:
        return words.whose(profile([Piece(TEXT, "horror", "conversation", 1.0)] * number))

    assert "about 12 points off" in told(10)
    assert "about 6 points off" in told(40)


def test_the_radar_is_told_with_what_the_writer_set():
    found = profile([Piece(TEXT, "horror", "conversation", 1.0)] * 10)
    told = words.in_numbers(found, Corrections({"tone": 12.0}))
    assert all(label in told for label in words.LABELS.values())
    assert told.count("set by you") == 1 and "(set by you: 12)" in told


def test_what_was_corrected_is_told():
    assert words.corrected(NOTHING) == ""
    told = words.corrected(Corrections({"tone": 12.0}, frozenset({"war"}), frozenset({"hope"})))
    assert told.startswith("Tone set by you; 1 theme or character put in; 1 taken off.")
    assert "2 themes or characters put in" in words.corrected(Corrections(added=frozenset({"hope", "witch"})))


def test_a_theme_that_this_catalog_does_not_know_keeps_its_key():
    assert words.motif_label("unheard_of") == "unheard_of"
