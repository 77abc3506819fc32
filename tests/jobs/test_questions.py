"""Which questions and examples are handed to the workers, and which examples are taken up again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.asker import Asker, teacher
from tests.support.engine import FakeEngine, fake_engine
from tests.support.talking import answered, asked, own_words, row, started
from zega_core import asking, conversation, db
from zega_core.configs import TeachingConfig
from zega_core.errors import NotFound
from zega_core.jobs import client, queues, workflows
from zega_core.jobs.reconcile import reconcile
from zega_core.settings import Settings
from zega_core.store import conversations, shown, teaching
from zega_core.tables import now

engine = fake_engine


def alone(writer: str = "ana") -> None:
    off = tuple(choice.model_copy(update={"on": False}) for choice in TeachingConfig().in_order())
    with db.session() as session:
        teaching.save(session, writer, TeachingConfig(teachers=off))


def since(turn_id: int, age: timedelta) -> None:
    """The example was asked for so long ago."""
    with db.session() as session:
        turn = conversations.turn(session, "ana", turn_id)
        turn.example_asked_at = now() - age
        session.add(turn)


def test_two_tabs_ask_for_the_same_questions_once(engine: FakeEngine, config: Settings):
    key = started()
    client.prepare_questions("ana", key)
    client.prepare_questions("ana", key)
    assert len(set(engine.enqueued)) == 1


def test_after_the_next_question_more_are_asked_for(engine: FakeEngine, config: Settings):
    key = started()
    client.prepare_questions("ana", key)
    answered(key, own_words(1))
    asked(key)
    client.prepare_questions("ana", key)
    assert len(set(engine.enqueued)) == 2


def test_a_new_purpose_is_asked_for_anew(engine: FakeEngine, config: Settings):
    key = started("cosy mysteries")
    client.prepare_questions("ana", key)
    with db.session() as session:
        conversation.set_purpose(session, "ana", key, "sea stories")
    client.prepare_questions("ana", key)
    assert len(set(engine.enqueued)) == 2


def test_nothing_is_handed_over_where_nobody_would_be_asked(engine: FakeEngine, config: Settings):
    key = started()
    alone()
    client.prepare_questions("ana", key)
    assert engine.enqueued == []


def test_nothing_is_handed_over_while_it_is_paused_or_enough_wait(
    engine: FakeEngine, config: Settings, monkeypatch: pytest.MonkeyPatch
):
    key = started()
    with db.session() as session:
        conversation.pause(session, "ana", key)
    client.prepare_questions("ana", key)
    with db.session() as session:
        conversation.go_on(session, "ana", key)
    with teacher(monkeypatch, Asker()):
        asking.prepare(key, config)
        client.prepare_questions("ana", key)
    assert engine.enqueued == []


def test_another_writers_conversation_is_like_none(engine: FakeEngine, config: Settings):
    key = started(writer="ben")
    said = set[str]()
    for other in (key, "0" * 32):
        with pytest.raises(NotFound) as caught:
            client.prepare_questions("ana", other)
        said.add(str(caught.value))
    assert len(said) == 1
    assert engine.enqueued == []


def test_an_example_is_handed_over_once(engine: FakeEngine, config: Settings):
    turn = asked(started())
    client.ask_for_example("ana", turn.id or 0)
    client.ask_for_example("ana", turn.id or 0)
    assert len(set(engine.enqueued)) == 1
    assert row(turn.id or 0)[0].example_asked_at is not None


def test_an_example_without_a_teacher_needs_no_worker(engine: FakeEngine, config: Settings):
    turn = asked(started())
    alone()
    client.ask_for_example("ana", turn.id or 0)
    assert engine.enqueued == []
    assert row(turn.id or 0)[0].example_by == "storyteller"


@pytest.mark.usefixtures("database")
def test_an_example_that_no_worker_heard_of_is_taken_up(engine: FakeEngine, config: Settings):
    turn = asked(started())
    client.ask_for_example("ana", turn.id or 0)
    (one,) = engine.enqueued
    engine.enqueued.clear()
    reconcile(config)
    assert engine.enqueued == [one]  # under its own name: done once, however often it is handed over


def test_an_example_that_is_there_or_given_up_is_left_alone(engine: FakeEngine, config: Settings):
    old, done = asked(started()), asked(started("sea stories"))
    for turn in (old, done):
        client.ask_for_example("ana", turn.id or 0)
    since(old.id or 0, shown.GIVEN_UP)
    alone()
    asking.write_example(done.id or 0, config)
    engine.enqueued.clear()
    reconcile(config)
    assert engine.enqueued == []


def test_an_example_that_was_given_up_can_be_asked_for_anew(engine: FakeEngine, config: Settings):
    turn = asked(started())
    client.ask_for_example("ana", turn.id or 0)
    since(turn.id or 0, shown.GIVEN_UP)
    client.ask_for_example("ana", turn.id or 0)
    assert len(set(engine.enqueued)) == 2


def test_the_workers_know_what_is_handed_over(config: Settings):
    names = {name: getattr(workflows, f"{name}_workflow") for name in ("prepare_questions", "write_example")}
    assert all(workflow.__qualname__ == f"{name}_workflow" for name, workflow in names.items())
    assert queues.QUESTIONS not in (queues.QUEUE, queues.CHECKS, queues.FINE_TUNES)
