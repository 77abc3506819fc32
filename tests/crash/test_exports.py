"""A worker that is killed while it exports: the next one makes the same files, and nothing half-made stays."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support import exported
from tests.support.worker import running, until
from zega_core import db, exporting
from zega_core.jobs import client
from zega_core.proof_tables import Export
from zega_core.settings import Settings, get_settings
from zega_core.store import exports
from zega_core.tables import RunStatus

pytestmark = pytest.mark.crash
LONG = 300
"""Seconds: the process that merges loads torch."""


def test_a_kill_in_the_middle_costs_nothing(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ZEGA_RECONCILE_EVERY", "0.5")
    monkeypatch.setenv("ZEGA_STALE_AFTER", "3")
    get_settings.cache_clear()
    config = get_settings()
    exported.version(config, tmp_path)
    run_id = client.export("ana", "merged", settings=config)

    def row() -> Export:
        with db.reading(config) as session:
            return exports.get(session, "ana", run_id)

    with running(config, tmp_path / "calls") as worker:
        until(lambda: row().phase == "merging", LONG)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert row().status == RunStatus.running
    with running(config, tmp_path / "calls"):
        until(lambda: row().status == RunStatus.done, LONG)
        until(lambda: not list(_left(config)), LONG)
    after = row()
    assert sorted(after.files) == sorted(path.name for path in exporting.whole(after, config).iterdir())
    assert "model.safetensors" in after.files


def _left(config: Settings) -> list[Path]:
    return list((config.home / "exports" / "ana").glob("*.tmp"))
