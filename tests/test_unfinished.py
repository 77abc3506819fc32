"""What is shown of an answer while it is written: the piece's own words, early, and nothing that stands around them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_answers import AROUND, DIALOGUE, PIECE, SCENE, TALK
from zega_core.catalog import Element
from zega_core.unfinished import certain

AROUND_ALL = {'"{}"', "“{}”"}
"""Quotes around everything look like speech until they close."""


def growing(text: str, element: Element | None = SCENE, by: int = 1) -> list[str]:
    return [certain(text[:end], element) for end in range(0, len(text) + 1, by)]


@pytest.mark.parametrize("around", [around for around in AROUND if around not in AROUND_ALL])
def test_only_the_pieces_words_are_shown_and_they_only_grow(around: str):
    answer = around.replace("{}", PIECE)
    shown = growing(answer, by=5)
    for before, after in pairwise(shown):
        assert after.startswith(before) or before.startswith(after)
    assert all(PIECE.startswith(one) for one in shown), next(one for one in shown if not PIECE.startswith(one))
    assert max(map(len, shown)) > len(PIECE) / 2


def test_a_plain_piece_is_shown_almost_at_once():
    shown = growing(PIECE)
    assert [len(one) > 0 for one in shown].index(True) < 40
    behind = [end - len(one) for end, one in enumerate(shown)]
    assert max(behind) < 40
    assert all(TALK.startswith(one) for one in growing(TALK, DIALOGUE))


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't write that.",
        "I cannot help with a scene like this. Perhaps another one?",
        "The user wants a scene. The keeper could find a coat, and then the lamp goes out. I will keep it short.",
        "Okay, so the user is asking for a scene of two paragraphs. Let me plan it: first the coat, then the lamp.",
        "<think>The keeper could find a coat, and then the lamp goes out.",
        "<thi",
        "```text\nEvery",
        "Sure! Here is a scene about the keeper",
        "## The Coat\n\nEvery evening",
    ],
)
def test_what_may_be_no_piece_is_held_back(text: str):
    assert set(growing(text)) == {""}


def test_thinking_in_the_middle_and_half_a_tag_are_left_out():
    first, rest = PIECE.split("\n\n", 1)
    answer = f"{first}\n\n<think>The stairs next.</think>{rest}<|im_end|>"
    assert all(PIECE.startswith(one) for one in growing(answer))
    assert certain(answer) == PIECE


def test_marks_are_shown_when_they_have_closed_and_speech_keeps_its_own():
    line = 'She wrote *never* on the door and read "not *that* one" aloud before she went to the *lamp'
    shown = growing(line)
    assert shown[-1] == 'She wrote never on the door and read "not *that* one" aloud before she went to the'
    assert all(shown[-1].startswith(one) for one in shown)


def test_a_first_line_that_only_looked_like_a_greeting_is_shown_when_it_has_gone_on():
    text = "Here the river turned, " + "and turned once more below the weir, " * 12
    shown = growing(text)
    assert shown[280] == ""
    assert shown[-1].startswith("Here the river turned, and")


@given(st.text(alphabet=st.sampled_from(list("ab \n<>*_\"“'()[]#`~-/:.1")), max_size=80))
def test_any_string_can_be_looked_at(text: str):
    assert isinstance(certain(text, SCENE), str)
