"""``zega up``: worker and app together, a dead worker started again, both ended by Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.worker import until
from zega_core.jobs import launcher
from zega_core.settings import ROOT, Settings

pytestmark = pytest.mark.crash


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def worker_below(pid: int) -> int | None:
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[1])
            command = (path / "cmdline").read_text(encoding="utf-8")
        except OSError:
            continue
        if parent == pid and "jobs.worker" in command:
            return int(path.name)
    return None


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the worker in /proc")
def test_a_killed_worker_is_started_again_and_ctrl_c_ends_all(home: Path):
    port, settings = free_port(), Settings(home=home)
    process = subprocess.Popen(
        [sys.executable, "-m", "zega_core", "up"],
        cwd=ROOT,
        env={**os.environ, "ZEGA_PORT": str(port)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: answers(port) and launcher.worker_is_alive(settings))
        first = worker_below(process.pid)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until(lambda: worker_below(process.pid) not in (None, first) and launcher.worker_is_alive(settings))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0
    assert f"http://localhost:{port}" in said
    assert "starting it again" in said
    assert "Traceback" not in said
    until(lambda: not launcher.worker_is_alive(settings), seconds=10)
    assert not answers(port)
