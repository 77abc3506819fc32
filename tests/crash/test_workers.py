"""Real workers, killed for real. What is stored stays, nothing is stored twice, no run is lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlmodel import col, select

from tests.support.waiting import BUSY
from tests.support.worker import running, until
from zega_core import db
from zega_core.configs import AutoTrainConfig
from zega_core.jobs import client, launcher, queues
from zega_core.settings import ROOT, Settings
from zega_core.store import sessions
from zega_core.tables import Example, RunStatus, TrainingSession

pytestmark = [pytest.mark.crash, pytest.mark.usefixtures("database")]
IN_FLIGHT = 8


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls.txt"


def start(number: int, writer: str = "default") -> str:
    return client.start_auto_train(AutoTrainConfig(num_examples=number, writer_id=writer), teacher="scripted")


def status_of(session_id: str, writer: str = "default") -> str:
    with db.reading() as session:
        return sessions.get(session, writer, session_id).status


def indexes(session_id: str) -> list[int | None]:
    with db.reading() as session:
        query = (
            select(Example.idx)
            .join(TrainingSession, col(Example.session_id) == col(TrainingSession.id))
            .where(TrainingSession.session_id == session_id)
            .order_by(col(Example.idx))
        )
        return list(session.exec(query))


def repeated(calls: Path) -> int:
    counts = Counter(line.split()[0] for line in calls.read_text(encoding="utf-8").splitlines())
    return sum(number - 1 for number in counts.values())


def test_three_kills_lose_nothing_and_repeat_only_what_was_in_flight(config: Settings, calls: Path):
    session_id, draw = start(200), random.Random(3)
    for _ in range(3):
        with running(config, calls, in_flight=IN_FLIGHT) as worker:
            before = len(indexes(session_id))
            until(lambda before=before: len(indexes(session_id)) > before)
            time.sleep(draw.uniform(0.0, 0.15))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        assert status_of(session_id) == RunStatus.running
    with running(config, calls, in_flight=IN_FLIGHT):
        until(lambda: status_of(session_id) == RunStatus.done)
    assert indexes(session_id) == list(range(200))
    assert repeated(calls) <= 3 * IN_FLIGHT


def test_stop_from_another_process_and_continue(config: Settings, calls: Path):
    session_id = start(300)
    with running(config, calls):
        until(lambda: len(indexes(session_id)) > 10)
        client.stop("default", session_id)
        asked = time.monotonic()
        until(lambda: status_of(session_id) == RunStatus.stopped)
        assert time.monotonic() - asked < 1.1 + BUSY
        kept = indexes(session_id)
        time.sleep(0.3)
        assert indexes(session_id) == kept
        assert len(kept) < 300
        client.resume("default", session_id)
        client.resume("default", session_id)
        until(lambda: status_of(session_id) == RunStatus.done)
    assert indexes(session_id) == list(range(300))
    assert repeated(calls) <= IN_FLIGHT


def test_several_runs_at_once_each_finish(config: Settings, calls: Path):
    runs = [(start(40, writer), writer) for writer in ("ana", "ben", "cleo")]
    with running(config, calls, delay=0.05):
        until(lambda: all(len(indexes(session_id)) for session_id, _ in runs))
        assert sum(status_of(*run) == RunStatus.running for run in runs) >= 2
        until(lambda: all(status_of(*run) == RunStatus.done for run in runs))
    assert [indexes(session_id) for session_id, _ in runs] == [list(range(40))] * 3
    assert repeated(calls) == 0


def test_a_run_asked_for_before_any_worker_was_ever_there_is_found(config: Settings, calls: Path):
    session_id = start(5)
    assert status_of(session_id) == RunStatus.queued
    with running(config, calls):
        until(lambda: status_of(session_id) == RunStatus.done)


def test_a_second_worker_on_the_same_slot_is_refused(config: Settings, calls: Path):
    with running(config, calls), running(config, calls, wait=False) as second:
        assert second.wait(30) == launcher.SLOT_TAKEN


def test_a_worker_ends_with_the_process_that_started_it(config: Settings):
    code = (
        "import os; from zega_core.jobs import launcher; from zega_core.settings import get_settings;"
        "s = get_settings(); s.prepare_home(); p = launcher.start_worker(s);"
        "import time\nwhile not launcher.worker_is_alive(s): time.sleep(0.05)\nos._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=300)
    until(lambda: not launcher.worker_is_alive(config), seconds=10)
    assert not launcher.worker_is_alive(config)


def test_lost_books_of_the_engine_are_made_anew(database: str, config: Settings, calls: Path):
    if database == "postgresql":
        pytest.skip("there the engine's books are in the same database as ours")
    session_id = start(150)
    with running(config, calls) as worker:
        until(lambda: len(indexes(session_id)) > 10)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    queues.dbos_client.cache_clear()
    for path in config.home.glob("jobs.db*"):
        path.unlink()
    with running(config, calls):
        until(lambda: status_of(session_id) == RunStatus.done)
    assert indexes(session_id) == list(range(150))


def test_damaged_books_of_the_engine_are_put_aside(database: str, config: Settings, calls: Path):
    if database == "postgresql":
        pytest.skip("there the engine's books are in the same database as ours")
    config.prepare_home()
    (config.home / "jobs.db").write_bytes(b"no database at all" * 500)
    session_id = start(5)
    with running(config, calls):
        until(lambda: status_of(session_id) == RunStatus.done)
    assert list(config.home.glob("damaged-*-jobs.db"))


def test_two_workers_share_the_runs_and_one_takes_over_when_the_other_is_gone(
    database: str, home: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
):
    if database == "sqlite":
        pytest.skip("several workers are for PostgreSQL")
    for name, value in {"RECONCILE_EVERY": "0.5", "STALE_AFTER": "2", "RUNS_AT_ONCE": "1"}.items():
        monkeypatch.setenv(f"ZEGA_{name}", value)
    from zega_core.settings import get_settings

    get_settings.cache_clear()
    config = get_settings()
    with running(config, calls, slot=1, delay=0.2) as first, running(config, calls, slot=2, delay=0.2):
        time.sleep(2)
        runs = [start(120, writer) for writer in ("ana", "ben")]
        until(lambda: all(indexes(session_id) for session_id in runs))
        pids = {line.split()[1] for line in calls.read_text(encoding="utf-8").splitlines()}
        assert len(pids) == 2
        first.send_signal(signal.SIGKILL)
        first.wait()
        until(lambda: all(len(indexes(session_id)) == 120 for session_id in runs))
        until(lambda: status_of(runs[0], "ana") == status_of(runs[1], "ben") == RunStatus.done)
    assert [indexes(session_id) for session_id in runs] == [list(range(120))] * 2
    assert repeated(calls) <= IN_FLIGHT
