"""From `zega up` to the first usable page, and what app and worker take at rest.

    python benchmarks/footprint.py

Named alternatives in the same run: an empty Streamlit app of one line (for the time and the app's memory), and a
process that has imported torch (for the worker's). Memory is PSS, and the processor's time is user and system, both
from /proc, so this needs Linux.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.app import chromium_of
from zega_core.settings import ROOT

REST = 5.0
WATCHED = 20.0
"""Seconds over which the processor's time is counted."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def started(command: list[str], **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process, began
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def first_page(browser: Browser, port: int, text: str, began: float) -> float:
    """Seconds until a first visitor can use the page."""
    while True:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    page = browser.new_context().new_page()
    page.goto(f"http://127.0.0.1:{port}/")
    expect(page.get_by_text(text, exact=True).first).to_be_visible(timeout=60_000)
    seconds = time.monotonic() - began
    page.context.close()
    return seconds


def megabytes(pid: int) -> float:
    """Proportional set size: memory of the process, shared pages counted by share."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def processor(*pids: int) -> list[float]:
    """Share of one core in percent that each process takes while nobody does anything."""

    def spent(pid: int) -> int:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = [spent(pid) for pid in pids]
    time.sleep(WATCHED)
    ticks = [spent(pid) - was for pid, was in zip(pids, before, strict=True)]
    return [100 * one / os.sysconf("SC_CLK_TCK") / WATCHED for one in ticks]


def children(pid: int) -> dict[str, int]:
    """The app's and the worker's process ids below a launcher."""
    found: dict[str, int] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[1])
            line = (path / "cmdline").read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        if parent == pid:
            found["worker" if "jobs.worker" in line else "app"] = int(path.name)
    return found


def has_torch(pid: int) -> bool:
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def main() -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = chromium_of(playwright)
        if isinstance(browser, str):
            sys.exit(browser)
        empty = Path(folder) / "empty.py"
        empty.write_text("import streamlit as st\nst.write('nothing else')\n", encoding="utf-8")
        port = free_port()
        streamlit = [sys.executable, "-m", "streamlit", "run", str(empty), "--server.port", str(port)]
        with started(streamlit) as (process, began):
            empty_time = first_page(browser, port, "nothing else", began)
            time.sleep(REST)
            empty_size = megabytes(process.pid)
            (empty_share,) = processor(process.pid)
        port = free_port()
        environment = {"ZEGA_HOME": f"{folder}/home", "ZEGA_PORT": str(port)}
        with started([sys.executable, "-m", "zega_core", "up"], **environment) as (process, began):
            our_time = first_page(browser, port, "Start writing", began)
            time.sleep(REST)
            found = children(process.pid)
            app, worker = megabytes(found["app"]), megabytes(found["worker"])
            app_share, worker_share = processor(found["app"], found["worker"])
            torch = {name: has_torch(pid) for name, pid in found.items()}
        with started([sys.executable, "-c", "import torch, time; time.sleep(600)"]) as (process, _):
            while not has_torch(process.pid):
                time.sleep(0.1)
            time.sleep(REST)
            with_torch = megabytes(process.pid)
            assert has_torch(process.pid)
        browser.close()
    print(
        f"start to first usable page: {our_time:.1f} s, empty Streamlit app {empty_time:.1f} s: "
        f"{our_time / empty_time:.1f}x"
    )
    print(f"app at rest: {app:.0f} MB, empty Streamlit app {empty_size:.0f} MB: {app / empty_size:.1f}x")
    print(f"worker at rest: {worker:.0f} MB, a process with torch {with_torch:.0f} MB: {worker / with_torch:.2f}x")
    print(
        f"processor at rest, percent of a core: app {app_share:.1f}, worker {worker_share:.1f}, "
        f"empty Streamlit app {empty_share:.1f}"
    )
    print(f"torch in the app: {torch['app']}, in the worker: {torch['worker']}")


if __name__ == "__main__":
    main()
