"""Axes of style: they order texts as a reader would, add up, and hold against whatever comes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.labelled import PAIRS
from zega_core.errors import ConfigError
from zega_core.style import axes
from zega_core.style.axes import AXES, axes_of, count


def values(*texts: str) -> dict[str, float]:
    return {axis.key: axis.value for axis in axes_of(np.sum([count(text) for text in texts], axis=0))}


@pytest.mark.parametrize(("key", "low", "high"), [(key, *pair) for key, pairs in PAIRS.items() for pair in pairs])
def test_of_two_texts_the_one_that_has_more_of_it_lies_higher(key: str, low: str, high: str):
    assert values(high)[key] - values(low)[key] > 20


def test_every_axis_has_pairs():
    assert set(PAIRS) == set(AXES)


@pytest.mark.parametrize("key", AXES)
def test_an_axis_moves_most_with_its_own_pairs(key: str):
    """Else two axes would be one under two names."""

    def moved(by: str, pairs_of: str) -> float:
        lows, highs = ([pair[side] for pair in PAIRS[pairs_of]] for side in (0, 1))
        return values(*highs)[by] - values(*lows)[by]

    others = [moved(key, other) for other in PAIRS if other != key]
    assert moved(key, key) > max(others)


def test_counts_of_texts_add_up():
    one, other = PAIRS["tone"][0]
    together = count(one) + count(other)
    assert axes_of(together) == axes_of(count(other) + count(one))
    assert axes_of(together)[0].words == axes_of(count(one))[0].words + axes_of(count(other))[0].words


def test_what_an_axis_was_measured_from_is_beside_it_in_natural_units():
    [axis] = [axis for axis in axes_of(count("The red fox ran. The red fox ran.")) if axis.key == "descriptiveness"]
    told = dict(axis.measured_from)
    assert told["adjectives"] == 25.0  # two of eight words
    assert set(told) == set(axes.WEIGHTS["descriptiveness"])


def test_no_text_is_in_the_middle():
    assert set(values("").values()) == {50.0}
    assert set(values("… 1234 !!").values()) == {50.0}


def test_names_are_no_rare_words_and_common_words_of_today_are_none_either():
    assert count("and then Xanthippos came")[axes._AT["rare"]] == 0
    assert count("and then the computer came")[axes._AT["rare"]] == 0
    assert count("and then the quincunx came")[axes._AT["rare"]] == 1


@given(st.text(max_size=400))
def test_any_text_can_be_measured(text: str):
    for axis in axes_of(count(text)):
        assert 0 <= axis.value <= 100


def test_only_the_beginning_of_a_very_long_text_is_looked_at():
    assert count("word " * 1_000_000)[axes._AT["words"]] == axes.MAX_CHARS / 5


def test_a_broken_reference_is_said(tmp_path: Path):
    broken = tmp_path / "axes.json"
    for content in ("", "{}", '{"made_by": 1}'):
        broken.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"axes\.json"):
            axes.load_axes(broken)
        axes.load_axes.cache_clear()
        axes._read.cache_clear()
