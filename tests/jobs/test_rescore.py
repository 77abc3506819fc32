"""Which requests to score again are taken up, by what the engine says of their workflow."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import update

from tests.support.engine import FakeEngine, fake_engine
from tests.support.scored import add, says
from zega_core import db, passes, rescore
from zega_core.jobs import client
from zega_core.jobs.reconcile import reconcile
from zega_core.settings import Settings
from zega_core.store import scores
from zega_core.tables import Taste, now

pytestmark = pytest.mark.usefixtures("database")
engine = fake_engine


def ask(writer: str = "ana") -> str:
    """A request for a writer with a piece; the id of its workflow."""
    add(says(8.0, 1), writer=writer)
    with db.session() as session:
        return client.rescore_id(writer, scores.ask(session, writer))


def test_two_presses_are_one_request(engine: FakeEngine, config: Settings):
    add(says(8.0, 1))
    client.rescore("ana")
    client.rescore("ana")
    assert len(set(engine.enqueued)) == 1


def test_one_without_a_workflow_is_enqueued_under_its_own_id(engine: FakeEngine, config: Settings):
    one = ask()
    assert reconcile(config) == 1
    assert engine.enqueued == [one]
    assert reconcile(config) == 0  # it waits its turn


@pytest.mark.parametrize("ended", ["ERROR", "SUCCESS", "CANCELLED"])
def test_one_whose_workflow_ended_without_an_answer_is_renewed(engine: FakeEngine, config: Settings, ended: str):
    one = ask()
    engine.statuses[one] = ended
    assert reconcile(config) == 1
    assert len(engine.enqueued) == 1
    assert engine.enqueued != [one]
    rescore.answer("ana", config)
    assert reconcile(config) == 0


def test_a_silent_one_is_taken_over_and_a_living_one_is_not(engine: FakeEngine, config: Settings):
    silent, living = ask("ana"), ask("ben")
    engine.statuses |= {silent: "PENDING", living: "PENDING"}
    with db.session() as session:
        row = scores.row(session, "ben")
        row.rescore_result = asdict(passes.Progress(1.0, 1, "x", True, of=9, at=time.time()))
        session.add(row)
    assert reconcile(config) == 1
    assert engine.enqueued[0].startswith("rescore:ana:")


def test_one_that_was_answered_or_failed_is_left_alone(engine: FakeEngine, config: Settings):
    ask("ana")
    rescore.answer("ana", config)
    ask("ben")
    with db.session() as session:
        row = scores.row(session, "ben")
        row.rescore_result = {"error": "It could not be."}
        session.add(row)
    assert reconcile(config) == 0


def test_of_two_that_renew_a_request_one_does(config: Settings):
    ask()
    with db.session() as session:
        asked_at = scores.row(session, "ana").rescore_asked_at
        assert asked_at is not None
        assert scores.ask_again(session, "ana", asked_at) is not None
    with db.session() as session:
        assert scores.ask_again(session, "ana", asked_at) is None


def test_a_broken_row_does_not_keep_the_others_waiting(database: str, engine: FakeEngine, config: Settings):
    if database == "postgresql":
        pytest.skip("PostgreSQL keeps such values out")
    ask("ana")
    healthy = ask("ben")
    with db.session() as session:
        session.connection().execute(text("UPDATE taste SET rescore_result = '{\"x' WHERE user_id = 'ana'"))
    reconcile(config)
    assert engine.enqueued == [healthy]


def test_a_request_after_an_older_answer_waits(config: Settings):
    ask()
    rescore.answer("ana", config)
    with db.session() as session:
        session.exec(update(Taste).values(rescore_asked_at=now() + timedelta(seconds=1)))  # type: ignore[call-overload]
    with db.reading() as session:
        assert scores.waits(scores.peek(session, "ana"))
