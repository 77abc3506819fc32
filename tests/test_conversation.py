"""Answers of conversations: what is called saved is saved once, and what is left out is said to be, and why."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, select

from tests.support.scored import add, all_pieces
from tests.support.talking import a_question, answered, asked, own_words, row, started, told
from zega_core import answering, collection, conversation, db, rating
from zega_core.configs import FineTuneConfig
from zega_core.conversation_tables import Turn, TurnState
from zega_core.errors import InvalidInput, NotFound
from zega_core.pieces import SAME_WORDS
from zega_core.quality import Criterion, QualityReport
from zega_core.settings import Settings
from zega_core.store import conversations, fine_tunes
from zega_core.tables import ExampleStatus, Source, now

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def low_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer scores 3.0: far below what is kept of teachers' pieces."""
    side = Criterion("craft", "Craft", 3.0, ("It is as it is.",))
    monkeypatch.setattr(answering, "score", lambda *_: QualityReport(3.0, (side,), None))


def test_an_answer_becomes_an_example_of_the_writers_own(config: Settings):
    key = started("cosy mysteries")
    turn = asked(key)
    found = answered(key, own_words(1), seconds=42.5)
    turn, example = row(found.turn_id)
    assert example is not None
    assert (example.source, example.status, example.prompt) == (Source.conversation, ExampleStatus.kept, turn.question)
    assert (example.genre, example.element, example.modifier or "") == (turn.genre, turn.element, turn.modifier)
    assert (example.completion, example.quality) == (own_words(1), 3.0)
    assert (turn.state, turn.seconds, turn.draft) == (TurnState.answered, 42.5, "")
    assert (found.kept, found.left_out, found.may_insist, found.score) == (True, "", False, 3.0)
    assert (found.pairs, found.goal) == (1, config.conversation_pairs)
    assert asked(key).question != turn.question
    assert told(key) == [(1, "answered"), (2, "asked")]


@pytest.mark.parametrize(
    ("words", "wanted", "kept"), [(7, 0, False), (8, 0, True), (19, 80, False), (20, 80, True), (25, 220, True)]
)
def test_what_is_too_short_is_saved_and_left_out(words: int, wanted: int, kept: bool, config: Settings):
    key = started()
    first = asked(key)
    with db.session() as session:
        turn = conversations.turn(session, "ana", first.id or 0)
        turn.words, turn.question = wanted, "What do you see?"
        session.add(turn)
    found = answered(key, " ".join(f"word{number}" for number in range(words)))
    assert found.kept is kept
    assert found.left_out.startswith("Too short to learn from: ") is not kept
    assert found.may_insist is not kept


@pytest.mark.parametrize("copied", ["question", "example"])
@pytest.mark.parametrize("words", [12, 60])
def test_a_copy_is_left_out(copied: str, words: int, config: Settings):
    key = started()
    text = " ".join(own_words(5).split()[:words])
    first = asked(key)
    with db.session() as session:
        turn = conversations.turn(session, "ana", first.id or 0)
        turn.words = 0
        setattr(turn, copied, f"Well now. {text} And what then?")
        session.add(turn)
    found = answered(key, f"{text} Yes.")
    assert not found.kept
    assert found.left_out.startswith("Copied: ")


def test_a_near_duplicate_is_left_out_and_can_be_insisted_on(config: Settings):
    key = started()
    answered(key, own_words(1))
    found = answered(key, own_words(1) + " And then it rained until the morning came.")
    assert not found.kept
    assert "in a piece you have already kept" in found.left_out
    assert found.may_insist
    with db.session() as session:
        insisted = conversation.insist(session, "ana", found.turn_id, config)
        again = conversation.insist(session, "ana", found.turn_id, config)
    assert insisted.kept
    assert again == insisted
    assert insisted.pairs == 2


def test_the_very_words_cannot_be_kept_twice(config: Settings):
    key = started()
    answered(key, own_words(1))
    found = answered(key, own_words(1).upper())
    assert (found.kept, found.left_out, found.may_insist) == (False, SAME_WORDS, False)
    with db.session() as session:
        insisted = conversation.insist(session, "ana", found.turn_id, config)
    assert (insisted.kept, insisted.left_out) == (False, SAME_WORDS)
    assert [one["status"] for one in all_pieces()] == [ExampleStatus.kept, ExampleStatus.set_aside]


def test_twins_are_found_in_what_is_kept_now(config: Settings):
    """Also where pieces came, went or were edited since this process last looked."""
    key = started()
    first = answered(key, own_words(1))
    theirs = add(own_words(2))
    assert not answered(key, own_words(2) + " So it was.").kept
    with db.session() as session:
        rating.rate(session, "ana", theirs, config, decision="discard")
    assert answered(key, own_words(2) + " Or not.").kept
    with db.session() as session:
        conversation.edit(session, "ana", first.turn_id, own_words(3), config)
    assert answered(key, own_words(1) + " Once more.").kept
    assert not answered(key, own_words(3) + " Once more.").kept
    brought = add(own_words(4), source=Source.manuscript)
    with db.session() as session:
        collection.edit_text(session, "ana", brought, own_words(5), config)
    assert answered(key, own_words(4) + " Once more.").kept
    assert not answered(key, own_words(5) + " Once more.").kept


def test_clearing_a_decision_leaves_out_again_what_is_too_short(config: Settings):
    found = answered(started(), "Only these.")
    with db.session() as session:
        assert conversation.insist(session, "ana", found.turn_id, config).kept
    with db.session() as session:
        rating.clear(session, "ana", found.example_id, config)
    assert row(found.turn_id)[1].status == ExampleStatus.set_aside  # type: ignore[union-attr]


def test_a_question_is_answered_once(config: Settings):
    key = started()
    first = answered(key, own_words(1))
    same = answered(key, own_words(1), turn=first.turn_id)
    assert same == first
    other = answered(key, own_words(2), turn=first.turn_id)
    assert (other.example_id, other.again) == (first.example_id, True)
    assert row(first.turn_id)[0].draft == own_words(2)
    assert len(all_pieces()) == 1


def at_once(number: int, act: Callable[[int], object]) -> list[object]:
    gate, found = threading.Barrier(number), [None] * number

    def run(index: int) -> None:
        gate.wait()
        found[index] = act(index)  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found  # type: ignore[return-value]


def test_two_tabs_that_answer_at_once_make_one_example(config: Settings):
    key = started()
    turn = asked(key).id
    found = at_once(6, lambda index: answered(key, own_words(index), turn=turn))
    assert len({one.example_id for one in found}) == 1  # type: ignore[attr-defined]
    assert sum(one.again for one in found) == 5  # type: ignore[attr-defined]
    assert len(all_pieces()) == 1


def test_two_tabs_get_the_same_question(config: Settings):
    key = started()
    answered(key, own_words(1))
    assert len({one.id for one in at_once(6, lambda _: asked(key))}) == 1  # type: ignore[attr-defined]
    assert told(key) == [(1, "answered"), (2, "asked")]


def test_a_skipped_question_can_be_answered_after_all(config: Settings):
    key = started()
    turn = asked(key).id or 0
    with db.session() as session:
        conversation.skip(session, "ana", key, turn)
        conversation.skip(session, "ana", key, turn)
    assert asked(key).id != turn
    assert answered(key, own_words(1), turn=turn).kept
    with db.session() as session:
        conversation.skip(session, "ana", key, turn)
    assert told(key) == [(1, "answered"), (2, "asked")]


def test_an_edit_keeps_the_first_text_and_decides_anew(config: Settings):
    key = started()
    found = answered(key, "Only these.")
    with db.session() as session:
        longer = conversation.edit(session, "ana", found.turn_id, own_words(1), config)
    assert (longer.kept, longer.pairs, longer.example_id) == (True, 1, found.example_id)
    _, example = row(found.turn_id)
    assert example is not None
    assert (example.original, example.completion, example.reason) == ("Only these.", own_words(1), None)
    assert example.edited_at is not None
    with db.session() as session:
        conversation.edit(session, "ana", found.turn_id, own_words(1) + " And more.", config)
    assert row(found.turn_id)[1].original == "Only these."  # type: ignore[union-attr]
    with db.session() as session:
        assert not conversation.edit(session, "ana", found.turn_id, "Only these.", config).kept
    assert row(found.turn_id)[1].original is None  # type: ignore[union-attr]


def test_an_edit_into_the_words_of_another_is_left_out(config: Settings):
    key = started()
    answered(key, own_words(1))
    second = answered(key, own_words(2))
    with db.session() as session:
        edited = conversation.edit(session, "ana", second.turn_id, own_words(1), config)
    assert (edited.kept, edited.left_out, edited.pairs) == (False, SAME_WORDS, 1)


def test_what_was_insisted_on_stays_when_edited(config: Settings):
    found = answered(started(), "Only these.")
    with db.session() as session:
        conversation.insist(session, "ana", found.turn_id, config)
        assert conversation.edit(session, "ana", found.turn_id, "Only those.", config).kept


def test_what_was_discarded_stays_discarded_when_edited(config: Settings):
    found = answered(started(), own_words(1))
    with db.session() as session:
        rating.rate(session, "ana", found.example_id, config, decision="discard")
        edited = conversation.edit(session, "ana", found.turn_id, own_words(2), config)
        assert (edited.kept, edited.may_insist) == (False, True)
        assert conversation.insist(session, "ana", found.turn_id, config).kept


def undo(config: Settings) -> str:
    with db.session() as session:
        return conversation.undo(session, "ana", config)


def test_every_change_can_be_undone(config: Settings):
    key = started()
    found = answered(key, own_words(1))
    before = all_pieces()
    with db.session() as session:
        conversation.edit(session, "ana", found.turn_id, own_words(2), config)
    edited = all_pieces()
    with db.session() as session:
        conversation.delete(session, "ana", found.turn_id, config)
    assert not all_pieces()
    assert row(found.turn_id)[0].state == TurnState.answered
    assert undo(config)
    assert all_pieces() == edited
    assert row(found.turn_id)[1] is not None
    assert undo(config)
    assert all_pieces() == before


def test_an_answer_taken_back_is_the_draft_of_the_one_open_question(config: Settings):
    key = started()
    found = answered(key, own_words(1))
    later = asked(key)
    with db.session() as session:
        conversation.save_draft(session, "ana", later.id or 0, "Half a sentence")
    assert undo(config)
    assert not all_pieces()
    assert told(key) == [(1, "asked")]
    assert (asked(key).id, asked(key).draft) == (found.turn_id, own_words(1))
    answered(key, own_words(2))
    assert (asked(key).id, asked(key).draft) == (later.id, "Half a sentence")
    assert undo(config)
    assert undo(config) == ""


def test_a_question_that_another_tab_put_back_can_be_answered(config: Settings):
    key = started()
    answered(key, own_words(1))
    later = asked(key).id
    undo(config)
    assert answered(key, own_words(2), turn=later).kept
    assert sorted(told(key), key=str) == [(1, "asked"), (2, "answered")]


def test_a_deleted_answer_has_nothing_to_change(config: Settings):
    key = started()
    found = answered(key, own_words(1))
    with db.session() as session:
        conversation.delete(session, "ana", found.turn_id, config)
        for act in (conversation.delete, conversation.insist):
            with pytest.raises(InvalidInput, match="no answer any more"):
                act(session, "ana", found.turn_id, config)
        with pytest.raises(InvalidInput, match="no answer any more"):
            conversation.answer(session, "ana", key, found.turn_id, own_words(2), config)


def test_drafts_are_kept_until_the_answer_is_saved(config: Settings):
    key = started()
    turn = asked(key).id or 0
    with db.session() as session:
        assert conversation.save_draft(session, "ana", turn, "  Once\n")
    assert row(turn)[0].draft == "  Once\n"
    with db.session() as session:
        assert not conversation.save_draft(session, "ana", turn, "x" * 20_001)
    assert len(row(turn)[0].draft) == 20_000
    with pytest.raises(InvalidInput, match="20,000"), db.session() as session:
        conversation.answer(session, "ana", key, turn, "x" * 20_001, config)
    assert len(row(turn)[0].draft) == 20_000
    answered(key, own_words(1), turn=turn)
    with db.session() as session:
        conversation.save_draft(session, "ana", turn, "Once")
    assert row(turn)[0].draft == ""


def test_prepared_questions_come_first(config: Settings):
    key = started()
    first = asked(key)
    with db.session() as session:
        here = conversations.get(session, "ana", key)
        for text in ("A well that a village has forgotten.", "Two sisters quarrel over a letter in the attic."):
            conversations.add_prepared(session, here, a_question(text))
    answered(key, own_words(1), turn=first.id)
    second = asked(key)
    assert (second.question, second.asked_by) == ("A well that a village has forgotten.", "a teacher")
    answered(key, own_words(2), turn=second.id)
    assert asked(key).question == "Two sisters quarrel over a letter in the attic."


def test_a_prepared_question_that_was_asked_meanwhile_goes(config: Settings):
    key = started()
    with db.session() as session:
        here = conversations.get(session, "ana", key)
        for text in ("Describe the harbour at dawn.", "Describe the harbour at dawn, please."):
            conversations.add_prepared(session, here, a_question(text))
    answered(key, own_words(1))
    second = asked(key)
    assert second.question == "Describe the harbour at dawn."
    answered(key, own_words(2))
    assert asked(key).asked_by == "storyteller"
    with db.reading() as session:
        assert not conversations.prepared(session, conversations.get(session, "ana", key))


def test_a_skipped_question_is_the_open_one_again_and_the_other_waits(config: Settings):
    key = started()
    first = asked(key).id or 0
    with db.session() as session:
        conversation.save_draft(session, "ana", first, "Half a sentence")
        conversation.skip(session, "ana", key, first)
    second = asked(key).id
    with db.session() as session:
        for _ in range(2):
            conversation.ask_after_all(session, "ana", key, first)
    assert (asked(key).id, asked(key).draft) == (first, "Half a sentence")
    assert told(key) == [(1, "asked")]
    answered(key, own_words(1))
    assert asked(key).id == second
    with db.session() as session:
        conversation.ask_after_all(session, "ana", key, first)  # it is answered by now
        with pytest.raises(NotFound):
            conversation.ask_after_all(session, "ben", key, first)
    assert row(first)[0].state == "answered"


def test_a_question_that_was_put_back_keeps_its_draft_whatever_happens(config: Settings):
    key = started()
    answered(key, own_words(1))
    later = asked(key).id or 0
    undo(config)
    with db.session() as session:  # the other window still shows it
        conversation.save_draft(session, "ana", later, "Half a sentence")
        conversation.set_purpose(session, "ana", key, "letters home")
    assert row(later)[0].draft == "Half a sentence"
    with db.session() as session:  # the first question is put in the very words of the later one
        first = conversations.turn(session, "ana", asked(key).id or 0)
        first.question, first.asked_at = row(later)[0].question, now()
        session.add(first)
    answered(key, own_words(2))
    assert (asked(key).id, asked(key).draft) == (later, "Half a sentence")


def test_a_draft_that_comes_while_its_answer_is_saved_is_not_of_the_answer(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    key = started()
    turn = asked(key).id or 0
    write, late = conversation.write, threading.Thread(target=lambda: keep_draft(turn))

    def meanwhile(*arguments: Any, **more: Any) -> None:
        late.start()
        late.join(1)  # where nothing held it back it would be stored by then
        write(*arguments, **more)

    monkeypatch.setattr(conversation, "write", meanwhile)
    answered(key, own_words(1), turn=turn)
    late.join(30)
    found, _ = row(turn)
    assert (found.state, found.draft) == ("answered", "")


def keep_draft(turn: int) -> None:
    with db.session() as session:
        conversation.save_draft(session, "ana", turn, "Half a sentence")


def test_another_purpose_drops_what_was_prepared(config: Settings):
    key = started("cosy mysteries")
    with db.session() as session:
        here = conversations.get(session, "ana", key)
        conversations.add_prepared(session, here, a_question("A well that a village has forgotten."))
        conversation.set_purpose(session, "ana", key, "  letters\x00 to\nreaders ")
        assert conversations.get(session, "ana", key).purpose == "letters to readers"
        assert not conversations.prepared(session, here)


def test_pairs_count_from_the_last_training(config: Settings):
    key = started()
    for number in range(3):
        answered(key, own_words(number))
    add(own_words(9))
    with db.session() as session:
        assert fine_tunes.pairs_since(session, "ana") == 3
        fine_tunes.create(session, "ana", FineTuneConfig(), "pairs")
        assert fine_tunes.pairs_since(session, "ana") == 0
    assert answered(key, own_words(4)).pairs == 1


@pytest.mark.parametrize(
    ("given", "kept"), [(-1.0, 0.0), (4_000.0, 3_600.0), (float("nan"), 0.0), (float("inf"), 0.0), (7, 7.0)]
)
def test_time_spent_is_bounded(given: float, kept: float, config: Settings):
    found = answered(started(), own_words(1), seconds=given)
    assert row(found.turn_id)[0].seconds == kept


def test_conversations_are_named_paused_and_gone_on_with(config: Settings):
    first, second = started(), started("Cosy mysteries in a village that is set around a lighthouse by the sea")
    with db.session() as session:
        names = [one.name for one in conversations.of_writer(session, "ana")]
        assert names == ["Cosy mysteries in a village that is set…", "Conversation 1"]
        conversation.rename(session, "ana", first, "  Night \n shift ")
        conversation.pause(session, "ana", first)
        assert conversations.get(session, "ana", first).paused
        conversation.go_on(session, "ana", first)
        assert [one.key for one in conversations.of_writer(session, "ana")] == [first, second]
        assert conversations.get(session, "ana", first).name == "Night shift"
        assert not conversations.get(session, "ana", first).paused


def test_a_second_press_of_start_opens_no_second_conversation(config: Settings):
    first = started("cosy mysteries")
    assert started("cosy mysteries") == first
    answered(first, own_words(1))
    assert started("cosy mysteries") != first


@pytest.mark.parametrize("name", ["", "  ", "x" * 200, "a\x07b", "\ud800"])
def test_a_name_can_be_read(name: str, config: Settings):
    key = started(name="Mine")
    with pytest.raises(InvalidInput, match="1 to 80"), db.session() as session:
        conversation.rename(session, "ana", key, name)
    with db.reading() as session:
        assert conversations.get(session, "ana", key).name == "Mine"


def test_deleting_a_conversation_keeps_its_answers(config: Settings):
    key = started()
    answered(key, own_words(1))
    before = all_pieces()
    with db.session() as session:
        assert conversation.delete_conversation(session, "ana", key) == 0
    assert all_pieces() == before
    with pytest.raises(NotFound):
        told(key)


def test_deleting_it_with_its_answers_can_be_undone_without_touching_others(config: Settings):
    """Row ids may be given anew: what belonged to a deleted turn must not come to another one."""
    key = started()
    answered(key, own_words(1))
    before = all_pieces()
    with db.session() as session:
        assert conversation.delete_conversation(session, "ana", key, with_answers=True) == 1
    assert not all_pieces()
    other = started("letters")
    assert undo(config)
    assert all_pieces() == before
    assert told(other) == [(1, "asked")]
    undo(config)  # the answer itself
    assert told(other) == [(1, "asked")]
    assert asked(other).draft == ""


@pytest.mark.parametrize("text", ["", "  \n ", "\x00\x00", "\x07", "x" * 20_001])
def test_text_that_cannot_be_an_answer_leaves_the_question_open(text: str, config: Settings):
    key = started()
    turn = asked(key).id or 0
    with pytest.raises(InvalidInput), db.session() as session:
        conversation.answer(session, "ana", key, turn, text, config)
    assert told(key) == [(1, "asked")]


def test_hostile_text_is_stored_as_text(config: Settings):
    hostile = "<script>alert(1)</script>\x00\x1b[2J \ud800 **x** {{7*7}}\r\nSecond line\rthird, it goes on here."
    found = answered(started(), hostile)
    _, example = row(found.turn_id)
    assert example is not None
    expected = "<script>alert(1)</script>[2J ? **x** {{7*7}}\nSecond line\nthird, it goes on here."
    assert example.completion == expected


def test_another_writers_conversations_and_questions_answer_like_missing_ones(config: Settings):
    key = started()
    found = answered(key, own_words(1))
    other, second = started("letters", writer="ben"), started("second")
    with db.session() as session:
        for act in (conversation.question, conversation.delete_conversation, conversation.pause, conversation.go_on):
            more = (config,) if act is conversation.question else ()
            theirs, missing, odd = (_refused(act, session, "ben", one, *more) for one in (key, "0" * 32, "x\x00'"))
            assert theirs == missing == odd
        for act in (conversation.insist, conversation.delete):
            values = [_refused(act, session, "ben", one, config) for one in (found.turn_id, 999, -1, 2**70, "1", None)]
            assert len(set(values)) == 1
        assert _refused(conversation.save_draft, session, "ben", found.turn_id, "x") == values[0]
        assert _refused(conversation.edit, session, "ben", found.turn_id, "x", config) == values[0]
        assert _refused(conversation.skip, session, "ben", other, found.turn_id) == values[0]
        _refused(conversation.answer, session, "ben", key, found.turn_id, "x", config)
        _refused(conversation.answer, session, "ana", second, found.turn_id, "x", config)
    assert row(found.turn_id)[1].completion == own_words(1)  # type: ignore[union-attr]


def _refused(act: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(NotFound) as error:
        act(*arguments)
    return str(error.value)


def test_nothing_is_left_open_by_a_transaction_that_fails(config: Settings):
    key = started()
    turn = asked(key).id or 0
    with pytest.raises(KeyboardInterrupt), db.session() as session:
        conversation.answer(session, "ana", key, turn, own_words(1), config)
        raise KeyboardInterrupt
    assert told(key) == [(1, "asked")]
    assert answered(key, own_words(1), turn=turn).kept
    with db.reading() as session:
        assert len(session.exec(select(Turn).where(col(Turn.example_id).is_not(None))).all()) == 1
