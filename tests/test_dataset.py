"""No text twice, and none nearly twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.teachers import story
from zega_core.dataset import NearDuplicates, text_hash


def test_the_hash_ignores_case_spacing_and_punctuation():
    assert text_hash("She  said: “Go.”") == text_hash('she said, "GO"\n')
    assert text_hash("She said go.") != text_hash("She said no.")


@given(st.text(), st.text())
def test_any_text_can_be_compared(first: str, second: str):
    known = NearDuplicates(0.5)
    known.add(1, first)
    found = known.find(second)
    assert found is None or 0.5 <= found[1] <= 1


def test_a_slightly_changed_text_is_found():
    known = NearDuplicates(0.5)
    for number in range(20):
        known.add(number, story(number))
    changed = story(7).replace("The", "That", 1) + " And then it rained."
    found = known.find(changed)
    assert found is not None
    assert found[0] == 7


def test_a_piece_that_contains_another_is_its_duplicate():
    known = NearDuplicates(0.5)
    known.add(1, story(1))
    assert known.find(f"{story(2)} {story(1)} {story(3)}") is not None


def test_other_texts_are_not_found():
    known = NearDuplicates(0.5)
    known.add(1, story(1))
    assert known.find(story(2)) is None
    assert known.find("") is None
