"""Which rows are taken up again, by what the engine says of their workflow."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.support.engine import FakeEngine, fake_engine
from zega_core import changes, db
from zega_core.configs import AutoTrainConfig
from zega_core.conversation_tables import ExampleChange
from zega_core.jobs.reconcile import reconcile
from zega_core.settings import Settings
from zega_core.store import runs, sessions, writings
from zega_core.tables import RunStatus, now
from zega_core.writing_configs import WriteRequest

pytestmark = pytest.mark.usefixtures("database")


engine = fake_engine


def create(status: RunStatus, silent: float | None) -> str:
    """A row in this status whose last sign of life is so many seconds ago."""
    with db.session() as session:
        row = sessions.create(session, AutoTrainConfig(num_examples=3), teacher="scripted", order_seed=1)
        row.status = status
        row.heartbeat_at = None if silent is None else now() - timedelta(seconds=silent)
        session.add(row)
        return row.session_id


@pytest.mark.parametrize("status", [RunStatus.queued, RunStatus.running, RunStatus.stopping])
def test_a_row_without_a_workflow_is_enqueued_under_its_own_id(engine: FakeEngine, config: Settings, status: RunStatus):
    one = create(status, None)
    assert reconcile(config) == 1
    assert engine.enqueued == [f"{one}:1"]


@pytest.mark.parametrize("ended", ["ERROR", "SUCCESS", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])
def test_an_unfinished_row_whose_workflow_ended_gets_a_new_attempt(engine: FakeEngine, config: Settings, ended: str):
    one = create(RunStatus.running, 1)
    engine.statuses[f"{one}:1"] = ended
    assert reconcile(config) == 1
    assert engine.enqueued == [f"{one}:2"]
    assert reconcile(config) == 0


def test_a_silent_run_is_taken_over_and_a_living_one_is_not(engine: FakeEngine, config: Settings):
    silent, living = create(RunStatus.running, 61), create(RunStatus.running, 2)
    engine.statuses |= {f"{silent}:1": "PENDING", f"{living}:1": "PENDING"}
    assert reconcile(config) == 1
    assert engine.enqueued == [f"{silent}:2"]


def test_a_text_that_nobody_writes_any_more_is_stopped(engine: FakeEngine, config: Settings):
    with db.session() as session:
        row = writings.create(session, WriteRequest(brief="A ferry."))
        old = now() - timedelta(seconds=40)
        writings.add_takes(session, row, [{"asked": "base", "text": "The ferry", "heartbeat_at": old}])
    assert reconcile(config) == 1
    with db.reading() as session:
        (take,) = writings.takes(session, row)
    assert (take.state, take.text) == ("stopped", "The ferry")
    assert reconcile(config) == 0


def test_a_run_that_a_worker_has_only_just_taken_is_left_alone(engine: FakeEngine, config: Settings):
    one, again = create(RunStatus.queued, None), create(RunStatus.queued, 3600)
    engine.statuses |= {f"{one}:1": "PENDING", f"{again}:1": "PENDING"}
    engine.seconds_ago = 1
    assert reconcile(config) == 0
    engine.seconds_ago = 61
    assert reconcile(config) == 2


@pytest.mark.parametrize("waiting", ["ENQUEUED", "DELAYED"])
def test_a_run_that_waits_its_turn_is_left_alone_however_long(engine: FakeEngine, config: Settings, waiting: str):
    one = create(RunStatus.queued, None)
    engine.statuses[f"{one}:1"] = waiting
    assert reconcile(config) == 0


def test_a_run_that_was_stopping_goes_on_stopping(engine: FakeEngine, config: Settings):
    one = create(RunStatus.stopping, 100)
    engine.statuses[f"{one}:1"] = "PENDING"
    reconcile(config)
    with db.reading() as session:
        assert sessions.get(session, "default", one).status == RunStatus.stopping


def test_a_missing_record_is_written(engine: FakeEngine, config: Settings):
    one = create(RunStatus.done, None)
    assert reconcile(config) == 1
    with db.reading() as session:
        assert sessions.get(session, "default", one).recorded
    assert reconcile(config) == 0


def test_a_row_that_cannot_be_read_does_not_keep_the_others_waiting(engine: FakeEngine, config: Settings):
    broken, healthy = create(RunStatus.queued, None), create(RunStatus.queued, None)
    with db.session() as session:
        session.connection().execute(
            text("UPDATE training_session SET genres_selected = '\"x' WHERE session_id = :id"), {"id": broken}
        ) if not config.uses_postgresql else None
    reconcile(config)
    assert f"{healthy}:1" in engine.enqueued


def test_a_stop_pressed_while_a_run_is_taken_over_is_not_lost(config: Settings):
    one = create(RunStatus.running, 100)
    with db.reading() as session:
        seen = sessions.get(session, "default", one)
    with db.session() as session:
        runs.ask_to_stop(session, "default", one)
    with db.session() as session:
        taken = runs.take_over(session, seen)
    assert taken is not None
    assert taken.status == RunStatus.stopping


def test_what_can_no_longer_be_undone_is_cleared_away(config: Settings):
    create(RunStatus.done, None)  # and so the writer
    with db.session() as session:
        for days in (changes.UNDO_DAYS + 1, 0):
            row = ExampleChange(user_id="default", batch=f"b{days}", action="tag", example_id=1, before={"tags": []})
            row.created_at = now() - timedelta(days=days)
            session.add(row)
            session.flush()
    reconcile(config)
    with db.reading() as session:
        assert changes.newest_batch(session, "default") == "b0"
        assert session.connection().execute(text("SELECT count(*) FROM example_change")).scalar_one() == 1
