"""What a writer did to examples can be undone: the rows are as before, and what hangs on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from tests.support.scored import add, all_pieces, piece, says
from zega_core import changes, db
from zega_core.conversation_tables import Conversation, ExampleChange, Manuscript, Turn, TurnState
from zega_core.settings import Settings
from zega_core.store import changes as rows
from zega_core.store import examples, runs, sessions, writing_choices
from zega_core.tables import Example, ExampleStatus, Memory, RunStatus, Story, TrainingSession, now
from zega_core.writing_configs import WritingConfig

pytestmark = pytest.mark.usefixtures("database")


def turn_for(example_id: int | None, writer: str = "ana") -> int:
    with db.session() as session:
        session.add(talk := Conversation(key=f"talk{example_id}", user_id=writer, name="Talk"))
        session.flush()
        turn = Turn(
            conversation_id=talk.id or 0,
            user_id=writer,
            number=1,
            state=TurnState.answered,
            question="What did the keeper see?",
            example_id=example_id,
            answered_at=now(),
        )
        session.add(turn)
        session.flush()
        return turn.id or 0


def turn(turn_id: int) -> Turn:
    with db.reading() as session:
        return session.get_one(Turn, turn_id)


def remove(*ids: int, writer: str = "ana", batch: str = "b1") -> None:
    with db.session() as session:
        found = [session.get_one(Example, one) for one in ids]
        changes.note(session, writer, "delete", found, batch=batch)
        rows.remove(session, writer, ids)


def undo(config: Settings, writer: str = "ana", **more: Any) -> str:
    with db.session() as session:
        return changes.undo(session, writer, config, **more)


def test_there_is_nothing_to_undo(config: Settings):
    assert undo(config) == ""
    with db.reading(config) as session:
        assert changes.newest(session, "ana") is None
        assert changes.newest_batch(session, "ana") == ""


def test_a_deleted_example_comes_back_with_its_number_and_what_hung_on_it(config: Settings):
    first = add(says(8, 1), quality_report={"score": 8.0, "version": 1}, tags=["a"], rated_at=now(), rating=4)
    with db.session(config) as session:
        writing_choices.save(session, "ana", WritingConfig(memory=("auto",)))
        example = session.get_one(Example, first)
        examples.remember(session, example)
        examples.add_story(session, example, "A title")
    turn_id, before = turn_for(first), all_pieces()
    remove(first)
    assert all_pieces() == []
    assert turn(turn_id).example_id is None
    with db.reading(config) as session:
        assert changes.newest(session, "ana") == ("delete", 1)
        assert session.exec(select(Memory)).all() == []
        assert session.exec(select(Story.example_id)).all() == [None]
    assert undo(config) == "The example is back."
    assert all_pieces() == before
    assert turn(turn_id).example_id == first
    with db.reading(config) as session:
        assert [one.body for one in session.exec(select(Memory))] == [says(8, 1)]
        assert session.exec(select(Story.example_id)).all() == [first]
        assert session.exec(select(ExampleChange)).all() == []
    assert undo(config) == ""


def test_a_number_is_not_given_to_another_example_meanwhile(config: Settings):
    first = add(says(8, 1))
    remove(first)
    assert add(says(8, 2), writer="ben") != first
    undo(config)
    assert piece(first).completion == says(8, 1)


def test_words_that_were_kept_meanwhile_are_not_kept_twice(config: Settings):
    first, second = add(says(8, 1)), add(says(8, 2))
    remove(first, second)
    twin = add(says(8, 1))
    assert undo(config) == (
        "2 examples are back. 1 of them is set aside: these are the words of a piece you have already kept."
    )
    assert (piece(first).status, piece(first).duplicate_of) == (ExampleStatus.set_aside, twin)
    assert piece(second).status == ExampleStatus.kept


def test_an_edit_is_undone_with_what_memory_held(config: Settings):
    first = add(says(8, 1))
    with db.session(config) as session:
        writing_choices.save(session, "ana", WritingConfig(memory=("auto",)))
        examples.remember(session, session.get_one(Example, first))
    before = all_pieces()
    with db.session(config) as session:
        example = session.get_one(Example, first)
        changes.note(session, "ana", "edit", [example], batch="e")
        example.original, example.completion, example.edited_at = example.completion, "Other words", now()
        example.quality, example.status, example.text_hash = 1.0, ExampleStatus.set_aside, "other"
        examples.forget(session, example)
        session.add(example)
    assert undo(config) == "The example reads as it did before your edit."
    assert all_pieces() == before
    with db.reading(config) as session:
        assert [one.body for one in session.exec(select(Memory))] == [says(8, 1)]


def test_what_is_not_to_be_remembered_any_more_does_not_come_back_into_memory(config: Settings):
    first = add(says(8, 1))
    with db.session(config) as session:
        writing_choices.save(session, "ana", WritingConfig(memory=("auto",)))
        examples.remember(session, session.get_one(Example, first))
    remove(first)
    with db.session(config) as session:
        writing_choices.save(session, "ana", WritingConfig())
    assert undo(config) == "The example is back."
    with db.reading(config) as session:
        assert session.exec(select(Memory)).all() == []


def test_what_an_action_did_not_change_stays_as_it_is_now(config: Settings):
    first = add(says(8, 1), score=5.0)
    with db.session(config) as session:
        example = session.get_one(Example, first)
        changes.note(session, "ana", "tag", [example], batch="t")
        example.tags = ["new"]
        session.add(example)
    with db.session(config) as session:
        example = session.get_one(Example, first)
        example.quality, example.rating = 9.0, 5
        session.add(example)
    undo(config)
    assert (piece(first).tags, piece(first).quality, piece(first).rating) == ([], 9.0, 5)


def test_an_answer_is_taken_back_and_its_words_are_the_draft(config: Settings):
    first = add(says(8, 1), source="conversation")
    turn_id = turn_for(first)
    with db.session(config) as session:
        changes.note(session, "ana", "answer", [session.get_one(Example, first)], batch="a")
    assert undo(config) == "Your answer is taken back. Its words are the draft again."
    assert all_pieces() == []
    found = turn(turn_id)
    assert (found.state, found.example_id, found.draft, found.answered_at) == ("asked", None, says(8, 1), None)


def test_a_turn_that_was_answered_anew_keeps_that_answer(config: Settings):
    first = add(says(8, 1))
    turn_id = turn_for(first)
    remove(first)
    other = add(says(8, 2))
    with db.session(config) as session:
        row = session.get_one(Turn, turn_id)
        row.example_id = other
        session.add(row)
    undo(config)
    assert turn(turn_id).example_id == other
    assert piece(first).completion == says(8, 1)


def test_turns_whose_link_is_gone_already_can_be_named(config: Settings):
    first = add(says(8, 1))
    turn_id = turn_for(None)
    with db.session(config) as session:
        changes.note(session, "ana", "delete", [session.get_one(Example, first)], batch="d", turn_ids={first: turn_id})
        rows.remove(session, "ana", [first])
    undo(config)
    assert turn(turn_id).example_id == first


def session_with(config: Settings, **more: Any) -> tuple[int, str]:
    with db.session(config) as session:
        row = TrainingSession(
            user_id="ana",
            session_id="s1",
            num_examples_requested=2,
            genres_selected=["fantasy"],
            seed=1,
            order_seed=1,
            draw_from={},
            teacher="storyteller",
            started_at=now(),
            status=RunStatus.done,
            **more,
        )
        session.add(row)
        session.flush()
        return row.id or 0, row.session_id


def test_the_record_of_a_session_follows(config: Settings):
    add(says(8, 9))  # the writer
    number, key = session_with(config)
    first = add(says(8, 1), session_id=number, idx=0, score=8.0)
    add(says(6, 2), session_id=number, idx=1, score=6.0)
    with db.session(config) as session:
        runs.write_record(session, key)
    with db.reading(config) as session:
        before = sessions.get(session, "ana", key).model_dump()
    with db.session(config) as session:
        ended = changes.hold(session, "ana", [number])
        changes.note(session, "ana", "delete", [session.get_one(Example, first)], batch="d")
        rows.remove(session, "ana", [first])
        changes.renew_records(session, ended)
    with db.reading(config) as session:
        assert sessions.get(session, "ana", key).num_examples_successful == 1
    undo(config)
    with db.reading(config) as session:
        assert sessions.get(session, "ana", key).model_dump() == before


def test_an_example_whose_place_in_a_session_was_filled_comes_back_without_it(config: Settings):
    add(says(8, 9))
    number, _ = session_with(config)
    first = add(says(8, 1), session_id=number, idx=0)
    remove(first)
    add(says(8, 2), session_id=number, idx=0)
    undo(config)
    assert (piece(first).session_id, piece(first).idx, piece(first).completion) == (None, None, says(8, 1))


def test_pages_that_were_erased_do_not_come_back(config: Settings):
    first = add(says(8, 1))
    with db.session(config) as session:
        pages = Manuscript(
            run_id="m1", user_id="ana", name="n", format="txt", original=b"x", content_hash="h", status="done"
        )
        session.add(pages)
        session.flush()
        example = session.get_one(Example, first)
        example.manuscript_id, example.idx = pages.id, 0
        session.add(example)
    remove(first)
    with db.session(config) as session:
        session.delete(session.exec(select(Manuscript)).one())
    assert undo(config) == "This could not be undone: what was changed is not there any more."
    assert all_pieces() == []


def test_what_is_erased_leaves_no_earlier_state(config: Settings):
    first, second = add(says(8, 1)), add(says(8, 2))
    remove(first, second)
    with db.session(config) as session:
        changes.erase(session, "ben", [first, second])
        changes.erase(session, "ana", [first])
        assert [one.example_id for one in session.exec(select(ExampleChange))] == [second]
    undo(config)
    assert [one["id"] for one in all_pieces()] == [second]


def test_changes_are_undone_newest_first_each_writer_their_own(config: Settings):
    first, second, foreign = add(says(8, 1)), add(says(8, 2)), add(says(8, 3), writer="ben")
    remove(first, batch="b1")
    remove(foreign, writer="ben", batch="b2")
    remove(second, batch="b3")
    undo(config)
    assert [one["id"] for one in all_pieces()] == [second]
    undo(config)
    assert [one["id"] for one in all_pieces()] == [first, second]
    assert undo(config) == ""
    assert all_pieces("ben") == []


def test_the_same_name_of_another_writers_batch_is_another_batch(config: Settings):
    first, foreign = add(says(8, 1)), add(says(8, 3), writer="ben")
    remove(first, batch="same")
    remove(foreign, writer="ben", batch="same")
    undo(config)
    assert [one["id"] for one in all_pieces()] == [first]
    assert all_pieces("ben") == []


def test_a_second_press_of_the_same_button_undoes_nothing_more(config: Settings):
    first, second = add(says(8, 1)), add(says(8, 2))
    remove(first, batch="b1")
    remove(second, batch="b2")
    assert undo(config, batch="b2") == "The example is back."
    assert undo(config, batch="b2") == ""
    assert [one["id"] for one in all_pieces()] == [second]


def test_a_batch_of_many_comes_back_whole(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(changes, "CHUNK", 3)
    ids = [add(says(8, seed)) for seed in range(10)]
    before = all_pieces()
    remove(*ids)
    with db.reading(config) as session:
        assert changes.newest(session, "ana") == ("delete", 10)
    assert undo(config) == "10 examples are back."
    assert all_pieces() == before


def test_old_changes_go_and_new_ones_stay(config: Settings):
    first, second = add(says(8, 1)), add(says(8, 2))
    remove(first, batch="b1")
    with db.session(config) as session:
        row = session.exec(select(ExampleChange)).one()
        row.created_at = now() - timedelta(days=changes.UNDO_DAYS, minutes=1)
        session.add(row)
    remove(second, batch="b2")
    with db.session(config) as session:
        assert changes.purge(session) == 1
        assert session.exec(select(ExampleChange.batch).order_by(col(ExampleChange.id))).all() == ["b2"]
        assert changes.purge(session) == 0


def test_figures_that_json_does_not_know_come_back(config: Settings, database: str):
    first = add(says(8, 1), judge_score=float("inf"))
    remove(first)
    undo(config)
    assert piece(first).judge_score == float("inf")
