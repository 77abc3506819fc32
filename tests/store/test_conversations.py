"""Rows of conversations: pages of turns, what is prepared, what was asked, and what the writer has."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.scored import add
from tests.support.talking import a_question, answered, asked, own_words, started
from zega_core import conversation, db
from zega_core.conversation_tables import TurnState
from zega_core.dataset import words
from zega_core.errors import NotFound
from zega_core.questions.coverage import coverage
from zega_core.settings import Settings
from zega_core.store import answers, conversations

pytestmark = pytest.mark.usefixtures("database")


def test_turns_come_in_pages_oldest_first(config: Settings):
    key = started()
    for number in range(4):
        answered(key, own_words(number))
    asked(key)
    with db.reading() as session:
        newest = conversations.turns(session, "ana", key, limit=3)
        assert [turn.number for turn, _ in newest] == [3, 4, 5]
        assert [example.completion if example else None for _, example in newest] == [own_words(2), own_words(3), None]
        earlier = conversations.turns(session, "ana", key, before=3, limit=3)
        assert [turn.number for turn, _ in earlier] == [1, 2]
        with pytest.raises(NotFound):
            conversations.turns(session, "ben", key)


def test_prepared_questions_are_few_and_of_the_purpose_that_holds(config: Settings):
    key = started("cosy mysteries")
    with db.session() as session:
        row = conversations.get(session, "ana", key)
        assert conversations.add_prepared(session, row, a_question("One?"), purpose="another") is None
        for number in range(conversations.AHEAD):
            added = conversations.add_prepared(session, row, a_question(f"Question {number}?"), purpose=row.purpose)
            assert added is not None
            assert (added.state, added.number, added.asked_by) == (TurnState.prepared, None, "a teacher")
        assert conversations.add_prepared(session, row, a_question("One too many?")) is None
        there = [turn.question for turn in conversations.prepared(session, row)]
    assert there == [f"Question {number}?" for number in range(conversations.AHEAD)]
    with db.session() as session:
        assert [turn.state for turn, _ in conversations.turns(session, "ana", key)] == [TurnState.asked]
        conversation.delete_conversation(session, "ana", key)
    with db.session() as session:
        assert conversations.add_prepared(session, row, a_question("Too late?")) is None


def test_the_past_says_what_came_of_each_question(config: Settings):
    key = started()
    kept = answered(key, own_words(1))
    short = answered(key, "Only these.")
    deleted = answered(key, own_words(2))
    skipped = asked(key)
    with db.session() as session:
        conversation.delete(session, "ana", deleted.turn_id, config)
        conversation.skip(session, "ana", key, skipped.id or 0)
        row = conversations.get(session, "ana", key)
        conversations.add_prepared(session, row, a_question("Later?"))
        conversation.question(session, "ana", key, config)
        conversations.add_prepared(session, row, a_question("Later still, in the winter?"))
        past = conversations.past(session, row)
        questions = [conversations.turn(session, "ana", one.turn_id).question for one in (kept, short, deleted)]
    assert [one.question for one in past] == [*questions, skipped.question, "Later?", "Later still, in the winter?"]
    assert [one.state for one in past] == ["answered", "answered", "skipped", "skipped", "asked", "prepared"]
    assert [one.kept for one in past] == [True, False, False, False, False, False]
    assert [one.words for one in past] == [len(words(own_words(1))), 2, 0, 0, 0, 0]
    assert past[-1].asked_words == 60


def test_the_conversation_used_last_comes_first_with_its_answers(config: Settings):
    first, second = started(), started("letters")
    answered(first, own_words(1))
    started("theirs", writer="ben")
    with db.reading() as session:
        assert [row.key for row in conversations.of_writer(session, "ana")] == [first, second]
        assert conversations.answered(session, "ana") == {first: 1}
        assert conversations.answered(session, "ben") == {}


@pytest.mark.parametrize("key", ["", "x", "0" * 31, "0" * 32, "' or 1=1 --", "0" * 31 + "\x00"])
def test_keys_that_name_nothing_are_not_found(key: str, config: Settings):
    started()
    with db.reading() as session:
        assert conversations.by_key(session, key) is None
        with pytest.raises(NotFound, match="no such conversation"):
            conversations.get(session, "ana", key)


def test_what_is_kept_is_told_by_genre_element_modifier_and_length(config: Settings):
    for number, length in enumerate((10, 59, 60, 179, 180, 400)):
        add(" ".join(f"w{number}x{one}" for one in range(length)), genre="horror", element="dialogue")
    add("Set aside, and so not told.", kept=False)
    add("From a file, of no genre that is known.", genre="", element="", modifier="humor")
    add("Of another writer.", writer="ben")
    with db.reading() as session:
        rows = list(conversations.coverage_rows(session, "ana"))
        found = coverage(rows)
    assert Counter(row[:3] for row in rows) == {("horror", "dialogue", None): 6, ("", "", "humor"): 1}
    assert found.total == 7
    assert found.lengths == {"short": 3, "middle": 2, "long": 2}


def test_answers_of_deleted_conversations_are_still_the_writers(config: Settings):
    key = started()
    found = answered(key, own_words(1))
    other = started("letters")
    answered(other, own_words(2))
    with db.session() as session:
        assert [one.id for one in answers.of_conversation(session, conversations.get(session, "ana", key))] == [
            found.example_id
        ]
        conversation.delete_conversation(session, "ana", key)
        assert [one.completion for one in answers.of_writer(session, "ana")] == [own_words(1), own_words(2)]
        assert answers.counts(session, "ana")[:2] == (1, {"answered": 1})
        assert answers.counts(session, "ben") == (0, {}, 0.0)


def test_an_answer_that_was_deleted_counts_as_that(config: Settings):
    key = started()
    gone = answered(key, own_words(1)).turn_id
    answered(key, own_words(2))
    with db.session() as session:
        conversation.delete(session, "ana", gone, config)
        assert answers.counts(session, "ana")[1] == {"answered": 1, "deleted": 1}
