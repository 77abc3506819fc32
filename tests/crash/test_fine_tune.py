"""Real training by real workers, killed for real: the same version comes of it, once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import provable, tuned
from tests.support.teachers import story
from tests.support.worker import running, until
from zega_core import db, fine_tuning, versions
from zega_core.configs import FineTuneConfig
from zega_core.fine_tune.base import ADAPTER, file_hash
from zega_core.fine_tune.plan import read_plan
from zega_core.jobs import client
from zega_core.settings import ROOT, Settings
from zega_core.store import fine_tunes, proofs
from zega_core.store import versions as version_rows
from zega_core.tables import RunStatus
from zega_core.version_tables import FineTune, TrainingMetric, Version

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc"),
]
LONG = 1800
"""Seconds: each start of the process that trains loads torch, on a busy machine for a minute."""


@pytest.fixture(autouse=True)
def on_the_processor(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proofs that follow are by a script: a real one is in test_proof.py."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("ZEGA_TEST_PROVER", "1")
    provable.write_script(config)


def keep(config: Settings) -> None:
    """Twenty short examples, different enough for some of them to be set apart."""
    for index in range(20):
        tuned.keep(config, "ana", 1, first=index, completion=story(index, sentences=3))


def ask(config: Settings, **choices: Any) -> str:
    return client.fine_tune("ana", config=FineTuneConfig(batch_size=4, strength=1.0, **choices), settings=config)


def found(config: Settings, run_id: str) -> FineTune:
    with db.reading(config) as session:
        return fine_tunes.get(session, "ana", run_id)


def metrics(config: Settings, run_id: str) -> list[TrainingMetric]:
    with db.reading(config) as session:
        return fine_tunes.metrics(session, "ana", run_id)


def all_versions(config: Settings) -> list[Version]:
    with db.reading(config) as session:
        return version_rows.all_of(session, "ana")


def adapter(config: Settings, version: Version) -> Path:
    return versions.folder_of(config, "ana", version.number) / ADAPTER


def training(config: Settings) -> list[int]:
    """Ids of the processes that train for this home."""
    ids: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if b"zega_core.fine_tune.child" in command and os.fsencode(config.home / "fine_tunes") in command:
                ids.append(int(folder.name))
    return ids


def gone(config: Settings) -> None:
    """No process that trains outlives its worker for long."""
    until(lambda: not training(config), 30)


def reach(config: Settings, run_id: str, step: int) -> None:
    """Wait until the process that trains is ``step`` steps on."""

    def there() -> bool:
        row = found(config, run_id)
        assert row.status in (RunStatus.queued, RunStatus.running), f"it has ended too early: {row.status} {row.error}"
        return row.step >= step and bool(training(config))

    until(there, LONG)


def undisturbed(config: Settings, version: Version, place: Path) -> tuple[str, dict[int, float]]:
    """Hash of the adapter and losses by step of a training on the same data by the same plan, in one go.

    Which precision is faster is measured anew by each training, so here it is given."""
    made = versions.folder_of(config, "ana", version.number)
    place.mkdir()
    shutil.copyfile(made / "data.jsonl", place / "data.jsonl")
    plan = replace(read_plan(made), precision=version.metrics["precision"])
    (place / "plan.json").write_text(json.dumps(asdict(plan)), encoding="utf-8")
    losses: dict[int, float] = {}
    command = [sys.executable, "-m", "zega_core.fine_tune.child", str(place)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "step":
                losses[event["step"]] = event["loss"]
    assert process.returncode == 0
    return file_hash(place / "version" / ADAPTER), losses


def test_kills_at_any_moment_change_nothing_of_the_version(config: Settings, tmp_path: Path):
    keep(config)
    run_id, calls, draw = ask(config, epochs=4), tmp_path / "calls.txt", random.Random(5)
    with running(config, calls) as worker:
        until(lambda: training(config), LONG)
        time.sleep(draw.uniform(0, 2))  # most likely while it loads
        os.kill(training(config)[0], signal.SIGKILL)
        reach(config, run_id, 2)
        time.sleep(draw.uniform(0, 0.2))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        gone(config)
    stood = found(config, run_id)
    assert stood.status == RunStatus.running
    newest = max((fine_tuning.folder_of(config, run_id) / "checkpoints").glob("step-??????"))
    (newest / "tensors.safetensors").write_bytes(b"damaged by the kill")
    with running(config, calls):
        reach(config, run_id, 5)
        time.sleep(draw.uniform(0, 0.2))
        os.kill(training(config)[0], signal.SIGKILL)
        until(lambda: found(config, run_id).status not in (RunStatus.queued, RunStatus.running), LONG)
        gone(config)
        until(lambda: not fine_tuning.folder_of(config, run_id).exists(), 10)
    row, (version,) = found(config, run_id), all_versions(config)
    assert (row.status, row.error, row.attempt, row.version_number) == (RunStatus.done, None, 1, 1)
    assert "A checkpoint could not be used, so training went on from step" in " ".join(row.notes)
    made = file_hash(adapter(config, version))
    assert version.files[ADAPTER] == made
    same, losses = undisturbed(config, version, tmp_path / "undisturbed")
    assert made == same
    steps = metrics(config, run_id)
    assert [one.step for one in steps] == list(range(version.metrics["steps"] + 1))
    assert {one.step: one.loss for one in steps if one.step} == losses
    assert steps[0].validation_loss is not None


def test_stop_while_nobody_works_ends_with_the_best_so_far(config: Settings, tmp_path: Path):
    keep(config)
    run_id, calls = ask(config, epochs=50), tmp_path / "calls.txt"
    with running(config, calls):
        reach(config, run_id, 2)
    gone(config)
    client.stop_fine_tune("ana", run_id, config)
    assert found(config, run_id).status == RunStatus.stopping
    with running(config, calls):
        until(lambda: found(config, run_id).status != RunStatus.stopping, LONG)
        gone(config)
    row, (version,) = found(config, run_id), all_versions(config)
    assert (row.status, row.error, version.metrics["stopped"]) == (RunStatus.done, None, True)
    assert 1 <= version.metrics["best_step"] <= version.metrics["steps"] < row.steps
    assert version.files[ADAPTER] == file_hash(adapter(config, version))
    assert [one.step for one in metrics(config, run_id)] == list(range(version.metrics["steps"] + 1))


def test_two_asked_for_at_once_are_done_one_after_the_other(config: Settings, tmp_path: Path):
    keep(config)
    runs = [ask(config, epochs=1, seed=seed) for seed in (1, 2)]
    most = 0

    def both_have_ended() -> bool:
        nonlocal most
        most = max(most, len(training(config)))
        return all(found(config, run_id).status == RunStatus.done for run_id in runs)

    with running(config, tmp_path / "calls.txt"):
        until(both_have_ended, LONG)
        gone(config)
    first, second = (found(config, run_id) for run_id in runs)
    assert (first.version_number, second.version_number, most) == (1, 2, 1)
    newer, older = all_versions(config)
    assert (newer.number, newer.fine_tune_id, older.number, older.fine_tune_id) == (2, second.id, 1, first.id)
    assert newer.files[ADAPTER] == file_hash(adapter(config, newer)) != file_hash(adapter(config, older))
    assert older.created_at < newer.created_at
    with db.reading(config) as session:
        proof = proofs.latest_of(session, "ana", 1)
    assert proof is not None
    assert proof.verdict, "the second one waited for the proof of the first, which decides what is in use"
    assert proof.completed_at is not None
    assert proof.completed_at <= (second.completed_at or proof.completed_at)
