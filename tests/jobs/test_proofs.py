"""Which proofs are asked for, taken up again, stopped and continued; and what waits for them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.support import tuned
from tests.support.engine import FakeEngine, fake_engine
from zega_core import db, fine_tuning, proving
from zega_core.configs import TeachingConfig, TriggerConfig
from zega_core.errors import InvalidInput, NotFound
from zega_core.jobs import client, workflows
from zega_core.jobs.reconcile import reconcile
from zega_core.proof_tables import Proof
from zega_core.settings import Settings
from zega_core.store import fine_tunes, proofs, teaching, training_triggers
from zega_core.tables import RunStatus, now

pytestmark = pytest.mark.usefixtures("database")
engine = fake_engine


@pytest.fixture(autouse=True)
def two_versions(database: str, config: Settings) -> None:
    tuned.version(config, "ana", promote=True)
    tuned.version(config, "ana")


def create(config: Settings, status: RunStatus, silent: float | None = None, number: int = 2) -> Proof:
    """A row in this status whose last sign of life is so many seconds ago."""
    with db.session(config) as session:
        row = proofs.create(session, "ana", number, against=None, promote=True, judge="", trigger="fine_tune")
        row.status = status
        row.heartbeat_at = None if silent is None else now() - timedelta(seconds=silent)
        session.add(row)
    return row


def found(config: Settings, run_id: str) -> Proof:
    with db.reading(config) as session:
        return proofs.get(session, "ana", run_id)


def name(row: Proof, attempt: int = 1) -> str:
    return f"proof:{row.run_id}:{attempt}"


def undecorated(step: Any) -> Callable[..., None]:
    """What a worker does in it."""
    return step.__wrapped__


def end(config: Settings, row: Proof) -> None:
    with db.session(config) as session:
        ended = session.get_one(Proof, row.id)
        ended.status = RunStatus.done
        session.add(ended)


@pytest.mark.parametrize("status", [RunStatus.queued, RunStatus.running, RunStatus.stopping])
def test_one_without_a_workflow_is_enqueued_under_its_own_id(engine: FakeEngine, config: Settings, status: RunStatus):
    row = create(config, status)
    assert reconcile(config) == 1
    assert engine.enqueued == [name(row)]
    assert reconcile(config) == 0


@pytest.mark.parametrize("status", [RunStatus.done, RunStatus.stopped, RunStatus.failed])
def test_one_that_has_ended_is_left_alone_and_its_folder_goes(engine: FakeEngine, config: Settings, status: RunStatus):
    row, going = create(config, status), create(config, RunStatus.running, 1)
    engine.statuses[name(going)] = "PENDING"
    for one in (row, going):
        proving.folder_of(config, one.run_id).mkdir(parents=True)
    assert reconcile(config) == 0
    assert not engine.enqueued
    assert [path.name for path in (config.home / "proofs").iterdir()] == [going.run_id]


@pytest.mark.parametrize("ended", ["ERROR", "SUCCESS", "CANCELLED"])
def test_an_unfinished_one_whose_workflow_ended_gets_a_new_attempt(engine: FakeEngine, config: Settings, ended: str):
    row = create(config, RunStatus.running, 1)
    engine.statuses[name(row)] = ended
    assert reconcile(config) == 1
    assert engine.enqueued == [name(row, 2)]
    assert (found(config, row.run_id).status, found(config, row.run_id).lease) == (RunStatus.queued, None)


def test_a_silent_one_is_taken_over_once_and_a_living_one_is_not(engine: FakeEngine, config: Settings):
    silent, living = create(config, RunStatus.running, 61), create(config, RunStatus.running, 2)
    engine.statuses |= {name(silent): "PENDING", name(living): "PENDING"}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: reconcile(config), range(4)))
    assert (found(config, silent.run_id).attempt, found(config, living.run_id).attempt) == (2, 1)


def test_one_is_asked_for_against_what_is_in_use_with_the_writers_judge(engine: FakeEngine, config: Settings):
    with db.session(config) as session:
        teaching.save(session, "ana", TeachingConfig(judge="ollama/mistral"))
    row = found(config, client.prove("ana", settings=config))
    assert (row.version_number, row.against, row.judge, row.promote) == (2, 1, "ollama/mistral", False)
    assert engine.enqueued == [name(row)]
    of_the_one_in_use = found(config, client.prove("ana", 1, judge="", settings=config))
    assert (of_the_one_in_use.against, of_the_one_in_use.judge) == (None, "")
    against_base = found(config, client.prove("ana", 2, against=None, judge="groq/x", settings=config))
    assert (against_base.against, against_base.judge) == (None, "groq/x")


def test_a_second_press_gets_the_one_of_the_same_two(engine: FakeEngine, config: Settings):
    first = client.prove("ana", one_at_a_time=True, settings=config)
    assert client.prove("ana", one_at_a_time=True, settings=config) == first
    assert client.prove("ana", against=None, one_at_a_time=True, settings=config) != first
    client.stop_proof("ana", first, config)
    assert client.prove("ana", one_at_a_time=True, settings=config) != first


@pytest.mark.parametrize(
    "number, against, error, says",
    [
        (7, None, NotFound, "no version v7"),
        (2, 7, NotFound, "no version v7"),
        (2, 2, InvalidInput, "with itself"),
        (2, 3, InvalidInput, "different base models"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(
    engine: FakeEngine, config: Settings, number: int, against: int | None, error: type[Exception], says: str
):
    if against == 3:
        tuned.version(config, "ana", base_hash="c" * 64)
    with pytest.raises(error, match=says):
        client.prove("ana", number, against=against, settings=config)
    assert not engine.enqueued


def test_a_writer_without_a_version_is_told_to_fine_tune_first(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ben", 1)
    with pytest.raises(NotFound, match="Fine-tune first"):
        client.prove("ben", settings=config)


def test_one_that_waits_is_stopped_at_once_and_continued_as_a_new_attempt(engine: FakeEngine, config: Settings):
    run_id = client.prove("ana", settings=config)
    client.stop_proof("ana", run_id, config)
    assert found(config, run_id).status == RunStatus.stopped
    assert proving.run(run_id, 1, settings=config) is None
    client.resume_proof("ana", run_id, config)
    client.resume_proof("ana", run_id, config)
    assert engine.enqueued == [f"proof:{run_id}:1", f"proof:{run_id}:2"]


def judge_it(writer: str, run_id: str, config: Settings) -> None:
    client.ask_judge(writer, run_id, "groq/x", config)


@pytest.mark.parametrize("act", [client.stop_proof, client.resume_proof, judge_it], ids=["stop", "continue", "judge"])
def test_another_writers_is_not_found(engine: FakeEngine, config: Settings, act: Callable[..., None]):
    row = create(config, RunStatus.stopped)
    tuned.keep(config, "ben", 1)
    with pytest.raises(NotFound):
        act("ben", row.run_id, config)
    assert not engine.enqueued


def test_no_fine_tune_begins_by_itself_before_the_newest_version_is_proved(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 50)
    older, newest = create(config, RunStatus.running, 1, number=1), create(config, RunStatus.running, 1)
    engine.statuses |= {name(older): "PENDING", name(newest): "PENDING"}
    assert client.fine_tune_if_due("ana", config) is None
    assert reconcile(config) == 0
    end(config, newest)
    with db.session(config) as session:  # the last fine-tune was a moment ago
        training_triggers.save(session, "ana", TriggerConfig(least_hours=0))
    assert client.fine_tune_if_due("ana", config), "a proof of another version changes nothing of it"


def test_a_fine_tune_that_waits_comes_after_the_proof(
    engine: FakeEngine, config: Settings, monkeypatch: pytest.MonkeyPatch
):
    """What a worker does when a fine-tune has ended: its proof is handed over, and the next one when that has ended."""
    tuned.keep(config, "ana", 20)
    done, waiting = (client.fine_tune("ana", settings=config) for _ in range(2))
    engine.enqueued.clear()

    def made(run_id: str, attempt: int, *, settings: Settings) -> RunStatus:
        with db.session(config) as session:
            row = fine_tunes.get(session, "ana", run_id)
            row.status = RunStatus.done
            session.add(row)
        create(config, RunStatus.queued)
        return RunStatus.done

    monkeypatch.setattr(fine_tuning, "run", made)
    undecorated(workflows.train)(done, 1)
    with db.reading(config) as session:
        (proof,) = proofs.under_way(session, "ana")
    assert engine.enqueued == [name(proof)]
    assert reconcile(config) == 0

    def proved(run_id: str, attempt: int, *, settings: Settings) -> RunStatus:
        end(config, proof)
        return RunStatus.done

    monkeypatch.setattr(proving, "run", proved)
    undecorated(workflows.write_and_weigh)(proof.run_id, 1)
    assert engine.enqueued == [name(proof), f"fine-tune:{waiting}:2"]


def test_one_row_that_cannot_be_read_does_not_keep_others_waiting(engine: FakeEngine, config: Settings):
    broken, healthy = create(config, RunStatus.queued), create(config, RunStatus.queued)
    with db.session(config) as session:
        row = session.get_one(Proof, broken.id)
        row.job = {"no": "job"}
        session.add(row)
    assert reconcile(config) == 2
    assert name(healthy) in engine.enqueued
    assert proving.run(broken.run_id, 1, settings=config) == RunStatus.failed
