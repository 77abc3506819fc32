"""What is said beside answers and questions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zega_core import conversation_words
from zega_core.conversation import Saved
from zega_core.pieces import SAME_WORDS
from zega_core.questions.book import load_book
from zega_core.settling import DISCARDED, left_out_class, weak
from zega_core.tables import Example

KEPT = Saved(turn_id=1, example_id=1, kept=True, left_out="", may_insist=False, pairs=7, goal=20, score=5.0)


def left_out(reason: str) -> str:
    return conversation_words.saved(replace(KEPT, kept=False, left_out=reason))


def test_a_kept_answer_says_how_far_it_is_to_the_next_training():
    assert conversation_words.saved(KEPT) == "Saved, 7 of 20"
    assert conversation_words.saved(replace(KEPT, pairs=20)) == "Saved, 20 of 20"
    assert conversation_words.saved(replace(KEPT, pairs=1_021)) == "Saved, 1,021 since the last training"
    assert conversation_words.saved(replace(KEPT, goal=0)) == "Saved"


def test_a_beginner_is_told_what_follows():
    assert "After 20 answers your model learns" in conversation_words.what_follows(20)
    assert conversation_words.what_follows(0).startswith("When you start a fine-tune")


def test_what_is_left_out_says_that_it_is_saved_and_why_and_what_helps():
    short = weak("One two.", "A question?")
    said = left_out(short)
    assert said.startswith("Saved, left out.")
    assert "2 words" in said
    assert "Edit it, or count it all the same." in said
    assert "count it all the same" not in left_out(SAME_WORDS)
    assert "Edit" not in left_out(DISCARDED)
    assert left_out("") == "Saved, left out. Edit it, or count it all the same."


def test_a_second_answer_is_told_from_the_first():
    said = conversation_words.saved(replace(KEPT, again=True))
    assert "answered before" in said
    assert "draft" in said


@pytest.mark.parametrize(
    ("reason", "twin", "found"),
    [
        (weak("One.", "Which?"), None, "too_short"),
        (weak("Which is the way home from the old mill?", "Which is the way home from the old mill?"), None, "copy"),
        (SAME_WORDS, None, "duplicate"),
        ("64% of it is in a piece you have already kept.", 3, "duplicate"),
        (DISCARDED, None, "discarded"),
        (None, None, "other"),
    ],
)
def test_every_reason_has_a_class_with_a_sentence(reason: str | None, twin: int | None, found: str):
    example = Example(
        user_id="ana", genre="", element="", prompt="", status="set_aside", reason=reason, duplicate_of=twin
    )
    assert left_out_class(example) == found
    assert conversation_words.left_out(found) == conversation_words.REASONS[found]
    assert conversation_words.REASONS[found].endswith(".")


def test_the_welcome_names_the_purpose_and_bounds_it():
    assert "“cosy mysteries”." in conversation_words.welcome("cosy mysteries.")
    assert "“" not in conversation_words.welcome("")
    assert len(conversation_words.welcome("x" * 2_000)) < 600


def test_kinds_and_difficulties_have_names_also_unknown_ones():
    for key, label in load_book().labels().items():
        assert conversation_words.kind(key) == label
    assert conversation_words.kind("something_new") == "Something new"
    assert conversation_words.kind("") == ""
    assert [conversation_words.difficulty(one) for one in ("easy", "hard", "odd")] == ["Easy", "Hard", "Odd"]
