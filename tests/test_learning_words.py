"""What a fine-tune learns from, in words, and choices that are refused with one."""

from __future__ import annotations

from typing import Any

import pytest

from zega_core import learning_words as words
from zega_core.configs import FineTuneConfig
from zega_core.errors import InvalidInput
from zega_core.fine_tune.data import SOURCE_WEIGHTS, Summary
from zega_core.tables import Source

SUMMARY = Summary(
    examples=54,
    prompts=40,
    splits={"train": 44, "validation": 5, "held_out": 5},
    sources={"auto": 42, "manuscript": 11, "rating": 1},
    source_words={"auto": 6000, "manuscript": 2600, "rating": 1},
    bands={"2": 12, "1.5": 0, "1": 42},
    words=8601,
    left_out={"no text": 1, "cannot be read": 2},
)


def test_it_is_counted():
    assert words.how_much(SUMMARY) == "54 examples on 40 prompts, 8,601 words in all."
    assert words.splits(SUMMARY).startswith("It learns from 44. 5 are kept aside to tell when it has learned enough")
    assert words.left_out(SUMMARY) == "Left out: 1 (no text) and 2 (cannot be read)."
    assert words.left_out(Summary()) == ""


def test_sources_come_with_what_they_count_the_writers_own_first():
    assert words.sources(SUMMARY) == [
        "Your own pages: 11 examples, 2,600 words, each counts twice",
        "Texts you chose or edited: 1 example, 1 word, each counts one and a half times",
        "Teachers' pieces: 42 examples, 6,000 words",
    ]


def test_every_source_and_every_weight_has_its_words():
    assert set(words.SOURCES) == set(Source)
    assert set(SOURCE_WEIGHTS.values()) <= set(words.TIMES)
    assert words.bands(SUMMARY) == "By quality: 12 score 9 or more and count twice; 42 score less and count once."
    assert words.bands(Summary()) == ""
    assert "a page of yours counts twice as much as a teacher's" in words.own_words()


@pytest.mark.parametrize("name", sorted(words.REFUSALS))
def test_every_choice_is_refused_with_its_own_sentence(name: str):
    wrong: Any = "x" * 301 if name == "base" else -1
    with pytest.raises(InvalidInput) as refused:
        words.changed(FineTuneConfig(), **{name: wrong})
    assert str(refused.value) == words.REFUSALS[name]


def test_a_good_choice_leaves_the_others():
    before = FineTuneConfig(rank=8, base="a/b")
    assert words.changed(before, epochs=3) == FineTuneConfig(rank=8, base="a/b", epochs=3)
