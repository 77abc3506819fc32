"""Own pages are handed over once, stopped, gone on with, and taken up again when nobody works on them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.engine import FakeEngine, fake_engine
from tests.support.teachers import story
from zega_core import db, own_pages
from zega_core.conversation_tables import Manuscript
from zega_core.errors import InvalidInput, NotFound
from zega_core.jobs import client
from zega_core.jobs.reconcile import reconcile
from zega_core.settings import Settings
from zega_core.store import manuscripts
from zega_core.tables import RunStatus, now

pytestmark = pytest.mark.usefixtures("database")
engine = fake_engine
TEXT = "\n\n".join(story(seed) for seed in range(4)).encode()


def added(config: Settings, status: RunStatus = RunStatus.queued, silent: float | None = None) -> Manuscript:
    """A row in this status whose last sign of life is so many seconds ago."""
    with db.session(config) as session:
        row = own_pages.add(session, "ana", "mine.txt", TEXT + str(status).encode(), config)
        row.status, row.heartbeat_at = status, None if silent is None else now() - timedelta(seconds=silent)
        session.add(row)
    return row


def look(config: Settings, run_id: str) -> Manuscript:
    with db.reading(config) as session:
        return manuscripts.get(session, "ana", run_id)


def test_two_presses_are_one_run(config: Settings, engine: FakeEngine):
    first = client.add_pages("ana", "mine.txt", TEXT)
    assert client.add_pages("ana", "mine.txt", TEXT) == first
    assert set(engine.enqueued) == {f"pages:{first}:1"}


def test_what_cannot_be_taken_is_refused_at_the_door(config: Settings, engine: FakeEngine):
    for data, name in ((b"", "a.txt"), (b"%PDF", "a.pdf"), (b"too short", "a.txt")):
        with pytest.raises(InvalidInput):
            client.add_pages("ana", name, data)
    with pytest.raises(InvalidInput):
        client.add_pages("ana", "mine.txt", TEXT, genre="western")
    assert not engine.enqueued


def test_stop_and_continue(config: Settings, engine: FakeEngine):
    run_id = client.add_pages("ana", "mine.txt", TEXT)
    client.stop_pages("ana", run_id)
    assert look(config, run_id).status == RunStatus.stopped
    client.resume_pages("ana", run_id)
    assert (look(config, run_id).status, look(config, run_id).attempt) == (RunStatus.queued, 2)
    client.resume_pages("ana", run_id)  # it waits already
    assert engine.enqueued == [f"pages:{run_id}:1", f"pages:{run_id}:2"]


def test_another_writer_can_neither_stop_nor_continue(config: Settings, engine: FakeEngine):
    run_id = client.add_pages("ana", "mine.txt", TEXT)
    for one in (client.stop_pages, client.resume_pages):
        with pytest.raises(NotFound, match="no such pages"):
            one("ben", run_id)
    assert look(config, run_id).status == RunStatus.queued


def test_one_that_never_reached_the_queue_is_handed_over(config: Settings, engine: FakeEngine):
    row = added(config)
    reconcile(config)
    assert engine.enqueued == [client.pages_id(row)]


def test_one_of_a_worker_that_went_silent_is_another_attempt(config: Settings, engine: FakeEngine):
    row = added(config, RunStatus.running, silent=1000)
    engine.statuses[client.pages_id(row)] = "PENDING"
    reconcile(config)
    after = look(config, row.run_id)
    assert (after.attempt, after.status) == (2, RunStatus.queued)
    assert engine.enqueued == [client.pages_id(after)]


def test_one_that_is_worked_on_waits_or_has_ended_is_left_alone(config: Settings, engine: FakeEngine):
    working = added(config, RunStatus.running, silent=1)
    engine.statuses[client.pages_id(working)] = "PENDING"
    for status in (RunStatus.done, RunStatus.failed, RunStatus.stopped):
        added(config, status)
    reconcile(config)
    assert not engine.enqueued


def test_a_stop_that_nobody_heard_is_kept(config: Settings, engine: FakeEngine):
    row = added(config, RunStatus.stopping, silent=1000)
    engine.statuses[client.pages_id(row)] = "PENDING"
    reconcile(config)
    assert look(config, row.run_id).status == RunStatus.stopping
