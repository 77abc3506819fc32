"""Which exports are taken up again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.engine import FakeEngine, fake_engine
from zega_core import db
from zega_core.jobs import client
from zega_core.jobs.reconcile import reconcile
from zega_core.proof_tables import Export
from zega_core.settings import Settings
from zega_core.store import exports, writers
from zega_core.tables import RunStatus, now

pytestmark = pytest.mark.usefixtures("database")
engine = fake_engine


def create(config: Settings, status: RunStatus, silent: float | None = None) -> Export:
    """A row in this status whose last sign of life is so many seconds ago."""
    with db.session(config) as session:
        writers.ensure(session, "ana")
        row = exports.create(session, "ana", "gguf", 3, "writer")
        row.status, row.heartbeat_at = status, None if silent is None else now() - timedelta(seconds=silent)
        session.add(row)
    return row


def look(config: Settings, row: Export) -> Export:
    with db.reading(config) as session:
        return exports.get(session, "ana", row.run_id)


def test_one_that_never_reached_the_queue_is_handed_over(config: Settings, engine: FakeEngine):
    row = create(config, RunStatus.queued)
    reconcile(config)
    assert engine.enqueued == [client.export_id(row)]
    assert look(config, row).attempt == 1


def test_one_of_a_worker_that_went_silent_is_another_attempt(config: Settings, engine: FakeEngine):
    row = create(config, RunStatus.running, silent=1000)
    engine.statuses[client.export_id(row)] = "PENDING"
    reconcile(config)
    after = look(config, row)
    assert (after.attempt, after.status) == (2, RunStatus.queued)
    assert engine.enqueued == [client.export_id(after)]


@pytest.mark.parametrize("status", ["SUCCESS", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])
def test_one_whose_workflow_ended_is_another_attempt(config: Settings, engine: FakeEngine, status: str):
    row = create(config, RunStatus.running, silent=1)
    engine.statuses[client.export_id(row)] = status
    reconcile(config)
    assert look(config, row).attempt == 2


def test_one_that_is_worked_on_or_waits_is_left_alone(config: Settings, engine: FakeEngine):
    working, waiting = create(config, RunStatus.running, silent=1), create(config, RunStatus.queued)
    engine.statuses |= {client.export_id(working): "PENDING", client.export_id(waiting): "ENQUEUED"}
    reconcile(config)
    assert not engine.enqueued
    assert {look(config, working).attempt, look(config, waiting).attempt} == {1}


def test_one_that_has_ended_is_left_alone(config: Settings, engine: FakeEngine):
    for status in (RunStatus.done, RunStatus.failed, RunStatus.stopped):
        create(config, status)
    reconcile(config)
    assert not engine.enqueued


def test_a_stop_that_nobody_heard_is_kept(config: Settings, engine: FakeEngine):
    row = create(config, RunStatus.stopping, silent=1000)
    engine.statuses[client.export_id(row)] = "PENDING"
    reconcile(config)
    assert look(config, row).status == RunStatus.stopping


def test_what_a_killed_worker_left_is_cleared_away(config: Settings, engine: FakeEngine):
    row = create(config, RunStatus.done)
    left = config.home / "exports" / "ana" / f"{row.folder}.1.tmp"
    left.mkdir(parents=True)
    reconcile(config)
    assert not left.exists()
