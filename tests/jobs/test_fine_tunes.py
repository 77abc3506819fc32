"""Which fine-tunes are taken up again and which begin by themselves; stopping and continuing them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.support import tuned
from tests.support.engine import FakeEngine, fake_engine
from tests.support.worker import until
from zega_core import db, fine_tuning, versions
from zega_core.errors import NotFound
from zega_core.fine_tune.base import file_hash
from zega_core.fine_tune.plan import Plan, Row
from zega_core.jobs import client
from zega_core.jobs.reconcile import reconcile
from zega_core.learning import Task
from zega_core.settings import Settings
from zega_core.store import fine_tunes
from zega_core.store import versions as version_rows
from zega_core.tables import RunStatus, now
from zega_core.version_tables import FineTune

pytestmark = pytest.mark.usefixtures("database")
engine = fake_engine


def create(config: Settings, status: RunStatus, silent: float | None = None, writer: str = "ana") -> FineTune:
    """A row in this status whose last sign of life is so many seconds ago."""
    heartbeat = None if silent is None else now() - timedelta(seconds=silent)
    return tuned.fine_tune(config, writer, status, heartbeat_at=heartbeat)


def found(config: Settings, row: FineTune) -> FineTune:
    with db.reading(config) as session:
        return fine_tunes.get(session, row.user_id, row.run_id)


def end(config: Settings, row: FineTune, status: RunStatus = RunStatus.done) -> None:
    with db.session(config) as session:
        ended = session.get_one(FineTune, row.id)
        ended.status, ended.completed_at = status, now()
        session.add(ended)


@pytest.fixture
def scripted(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training itself is ``tests.support.trainer``."""
    task = Task(
        Plan(base="built-in", data_hash="d" * 64),
        [Row(1, "Write about the sea", "The sea was grey.", 1.0, "train", False, "auto")],
        {"examples": 20, "own_share": 0.25},
    )
    monkeypatch.setattr(fine_tuning, "CHILD", "tests.support.trainer")
    monkeypatch.setattr(fine_tuning.learning, "task", lambda writer, settings, config: task)
    folder = config.home / "fine_tunes"
    folder.mkdir(parents=True)
    (folder / "script.json").write_text("[{}]", encoding="utf-8")


def name(row: FineTune, attempt: int = 1) -> str:
    return f"fine-tune:{row.run_id}:{attempt}"


@pytest.mark.parametrize("status", [RunStatus.queued, RunStatus.running, RunStatus.stopping])
def test_one_without_a_workflow_is_enqueued_under_its_own_id(engine: FakeEngine, config: Settings, status: RunStatus):
    row = create(config, status)
    assert reconcile(config) == 1
    assert engine.enqueued == [name(row)]
    assert reconcile(config) == 0


@pytest.mark.parametrize("status", [RunStatus.done, RunStatus.stopped, RunStatus.failed])
def test_one_that_has_ended_is_left_alone(engine: FakeEngine, config: Settings, status: RunStatus):
    create(config, status)
    assert reconcile(config) == 0
    assert not engine.enqueued


@pytest.mark.parametrize("ended", ["ERROR", "SUCCESS", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])
def test_an_unfinished_one_whose_workflow_ended_gets_a_new_attempt(engine: FakeEngine, config: Settings, ended: str):
    row = create(config, RunStatus.running, 1)
    engine.statuses[name(row)] = ended
    assert reconcile(config) == 1
    assert engine.enqueued == [name(row, 2)]
    assert (found(config, row).status, found(config, row).lease) == (RunStatus.queued, None)
    assert reconcile(config) == 0


def test_a_silent_one_is_taken_over_and_a_living_one_is_not(engine: FakeEngine, config: Settings):
    silent, living = create(config, RunStatus.running, 61), create(config, RunStatus.running, 2, "ben")
    engine.statuses |= {name(silent): "PENDING", name(living): "PENDING"}
    assert reconcile(config) == 1
    assert engine.enqueued == [name(silent, 2)]


@pytest.mark.parametrize("waiting", ["ENQUEUED", "DELAYED"])
def test_one_that_waits_for_a_worker_is_left_alone_however_long(engine: FakeEngine, config: Settings, waiting: str):
    row = create(config, RunStatus.queued, 3600)
    engine.statuses[name(row)] = waiting
    assert reconcile(config) == 0


def test_one_that_was_stopping_goes_on_stopping(engine: FakeEngine, config: Settings):
    row = create(config, RunStatus.stopping, 100)
    engine.statuses[name(row)] = "PENDING"
    assert reconcile(config) == 1
    assert (found(config, row).status, found(config, row).attempt) == (RunStatus.stopping, 2)


def test_one_waits_for_an_older_one_of_its_writer_and_follows_when_that_has_ended(engine: FakeEngine, config: Settings):
    older, younger = create(config, RunStatus.running, 1), create(config, RunStatus.queued)
    # The younger one was handed over when it was asked for, and found that it was not its turn.
    engine.statuses |= {name(older): "PENDING", name(younger): "SUCCESS"}
    assert reconcile(config) == 0
    assert found(config, younger).attempt == 1
    end(config, older)
    assert reconcile(config) == 1
    assert engine.enqueued == [name(younger, 2)]


def test_the_next_one_is_handed_over_at_once_by_whoever_ended_the_one_before(engine: FakeEngine, config: Settings):
    older, younger, other = (create(config, RunStatus.queued, writer=writer) for writer in ("ana", "ana", "ben"))
    client.enqueue_next_fine_tune("ana", config)
    assert engine.enqueued == [name(older, 2)]
    end(config, older, RunStatus.failed)
    client.enqueue_next_fine_tune("ana", config)
    assert engine.enqueued == [name(older, 2), name(younger, 2)]
    assert found(config, other).attempt == 1


def test_two_who_reconcile_at_once_make_one_new_attempt(engine: FakeEngine, config: Settings):
    row = create(config, RunStatus.running, 100)
    engine.statuses[name(row)] = "ERROR"
    tuned.keep(config, "ben", 50)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: reconcile(config), range(4)))
    assert found(config, row).attempt == 2
    assert engine.enqueued.count(name(row, 2)) >= 1
    with db.reading(config) as session:
        assert len(fine_tunes.recent(session, "ben", 10)) == 1


def test_one_that_is_due_and_that_no_event_began_is_begun(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 49)
    tuned.keep(config, "ben", 50)
    assert reconcile(config) == 1
    with db.reading(config) as session:
        (row,) = fine_tunes.recent(session, "ben", 10)
        assert not fine_tunes.recent(session, "ana", 10)
    assert (row.trigger, row.kept_before) == ("automatic", 50)
    assert engine.enqueued == [name(row)]
    assert reconcile(config) == 0


def test_one_row_that_cannot_be_read_does_not_keep_other_writers_waiting(
    database: str, engine: FakeEngine, config: Settings
):
    broken, healthy = create(config, RunStatus.queued, writer="ana"), create(config, RunStatus.queued, writer="ben")
    tuned.keep(config, "cleo", 50)
    bad = "'\"x'" if database == "sqlite" else "'7'::json"
    with db.session(config) as session:
        session.connection().execute(text(f"UPDATE fine_tune SET config = {bad} WHERE id = :id"), {"id": broken.id})
    reconcile(config)
    assert name(healthy) in engine.enqueued
    with db.reading(config) as session:
        assert [row.trigger for row in fine_tunes.recent(session, "cleo", 10)] == ["automatic"]


def test_one_that_waits_is_stopped_at_once_and_its_workflow_finds_nothing_to_do(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 20)
    first, second = (client.fine_tune("ana", settings=config) for _ in range(2))
    client.stop_fine_tune("ana", first, config)
    with db.reading(config) as session:
        stopped, waiting = fine_tunes.get(session, "ana", first), fine_tunes.get(session, "ana", second)
        assert fine_tunes.waits_for(session, waiting) is None
    assert (stopped.status, stopped.version_number) == (RunStatus.stopped, None)
    assert stopped.completed_at is not None
    assert fine_tuning.run(first, 1, settings=config) is None
    assert found(config, stopped).status == RunStatus.stopped
    assert engine.enqueued[-1] == name(waiting, 2), "the one that waited for it is handed over"


def test_one_under_way_is_asked_to_stop_and_stays_its_workers(engine: FakeEngine, config: Settings):
    row = create(config, RunStatus.running, 1)
    client.stop_fine_tune("ana", row.run_id, config)
    client.stop_fine_tune("ana", row.run_id, config)
    assert (found(config, row).status, found(config, row).attempt) == (RunStatus.stopping, 1)
    assert not engine.enqueued


@pytest.mark.parametrize("status", [RunStatus.stopped, RunStatus.failed])
def test_continue_makes_one_new_attempt_of_one_that_was_stopped_or_failed(
    engine: FakeEngine, config: Settings, status: RunStatus
):
    row = tuned.fine_tune(config, "ana", status, error="A sentence.", step=7)
    client.resume_fine_tune("ana", row.run_id, config)
    client.resume_fine_tune("ana", row.run_id, config)
    assert engine.enqueued == [name(row, 2)]
    again = found(config, row)
    assert (again.status, again.error, again.step) == (RunStatus.queued, None, 7)


@pytest.mark.parametrize("status", [RunStatus.queued, RunStatus.running, RunStatus.stopping, RunStatus.done])
def test_continue_leaves_alone_what_has_not_ended_early(engine: FakeEngine, config: Settings, status: RunStatus):
    row = create(config, status, 1)
    client.resume_fine_tune("ana", row.run_id, config)
    assert not engine.enqueued
    assert (found(config, row).status, found(config, row).attempt) == (status, 1)


@pytest.mark.parametrize("act", [client.stop_fine_tune, client.resume_fine_tune], ids=["stop", "continue"])
@pytest.mark.parametrize("status", [RunStatus.queued, RunStatus.running, RunStatus.stopped])
def test_another_writers_is_not_found_exactly_like_none_at_all(
    engine: FakeEngine, config: Settings, act: Callable[..., None], status: RunStatus
):
    row = create(config, status, 1)
    tuned.keep(config, "ben", 1)
    said = []
    for run_id in (row.run_id, "f" * 32, "../x", ""):
        with pytest.raises(NotFound) as caught:
            act("ben", run_id, config)
        said.append(str(caught.value))
    assert len(set(said)) == 1
    assert (found(config, row).status, found(config, row).attempt) == (status, 1)
    assert not engine.enqueued


def adapters(config: Settings) -> dict[int, bool]:
    """Ana's versions, and whether each file is as it was made."""
    with db.reading(config) as session:
        rows = version_rows.all_of(session, "ana")
    return {
        row.number: all(
            file_hash(versions.folder_of(config, "ana", row.number) / name) == made for name, made in row.files.items()
        )
        for row in rows
    }


@pytest.mark.usefixtures("scripted")
def test_a_version_that_cannot_be_stored_is_a_sentence_and_continue_stores_it(engine: FakeEngine, config: Settings):
    """The disk refuses at the very end."""
    tuned.version(config, "ana", promote=True)
    in_the_way = versions.folder_of(config, "ana", 2)
    in_the_way.write_bytes(b"")
    row = create(config, RunStatus.queued)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.failed
    failed = found(config, row)
    assert failed.error is not None
    assert failed.error.startswith("ZEGA cannot write to ")
    assert failed.version_number is None
    assert adapters(config) == {1: True}
    fine_tuning.tidy(config)
    in_the_way.unlink()
    client.resume_fine_tune("ana", row.run_id, config)
    assert engine.enqueued == [name(row, 2)]
    assert fine_tuning.run(row.run_id, 2, settings=config) == RunStatus.done
    assert adapters(config) == {2: True, 1: True}


@pytest.mark.usefixtures("scripted")
def test_what_an_older_home_left_in_the_place_of_a_version_is_neither_taken_for_it_nor_lost(config: Settings):
    left = versions.folder_of(config, "ana", 1)
    left.mkdir(parents=True)
    (left / "adapter_model.safetensors").write_bytes(b"another")
    row = create(config, RunStatus.queued)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.done
    assert adapters(config) == {2: True}
    assert (left / "adapter_model.safetensors").read_bytes() == b"another"


@pytest.mark.usefixtures("scripted")
def test_stop_does_not_wait_for_a_base_model_that_is_being_fetched(config: Settings, monkeypatch: pytest.MonkeyPatch):
    asked, fetched, at_once = threading.Event(), threading.Event(), fine_tuning.learning.task

    def slow(*arguments: Any) -> Task:
        asked.set()
        fetched.wait(30)
        return at_once(*arguments)

    monkeypatch.setattr(fine_tuning.learning, "task", slow)
    row = create(config, RunStatus.queued)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(fine_tuning.run, row.run_id, 1, settings=config)
        assert asked.wait(30)
        client.stop_fine_tune("ana", row.run_id, config)
        assert running.result(20) == RunStatus.stopped
    fetched.set()
    until(lambda: not [one for one in threading.enumerate() if one.name.startswith("prepare")], 20)
    assert not fine_tuning.folder_of(config, row.run_id).exists()
    assert adapters(config) == {}
