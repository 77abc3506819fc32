"""The process of a proof, as a worker sees it: lines out, one line in, and an end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from zega_core.fine_tune import told
from zega_core.proof import child
from zega_core.proof.job import Job, write_job
from zega_core.settings import ROOT

MakeJob = Callable[..., Job]
SECONDS = 120


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "zega_core.proof.child", str(folder), "--device", "cpu"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def events(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def texts(told: list[dict[str, Any]]) -> dict[str, str]:
    return {f"{event['side']}:{event['place']}": event["text"] for event in told if event["event"] == "text"}


@pytest.mark.crash
def test_a_child_that_is_killed_is_gone_on_with_by_the_next(tmp_path: Path, make_job: MakeJob):
    job = make_job()
    write_job(tmp_path / "a", job)
    write_job(tmp_path / "b", job)
    with started(tmp_path / "a") as process:
        undisturbed = list(events(process))
        assert process.wait(SECONDS) == 0
    said: list[dict[str, Any]] = []
    with started(tmp_path / "b") as process:
        for event in events(process):
            said.append(event)
            if event["event"] == "text" and (event["side"], event["place"]) == ("after", 0):
                process.send_signal(signal.SIGKILL)  # its batch is half told
                break
        process.wait(SECONDS)
    there = texts(said)
    write_job(tmp_path / "b", replace(job, written=list(there)))
    with started(tmp_path / "b") as process:
        again = list(events(process))
    whole = texts(undisturbed)
    assert len(there) == 6 and texts(again) == {name: text for name, text in whole.items() if name not in there}
    assert there.items() <= whole.items()
    assert [event for event in again if event["event"] == "losses"] == [
        event for event in undisturbed if event["event"] == "losses"
    ]


@pytest.mark.crash
def test_it_ends_when_nobody_listens_any_more(tmp_path: Path, make_job: MakeJob):
    long = [replace(one, max_tokens=120) for one in make_job().asked] * 60
    write_job(tmp_path, make_job(asked=[replace(one, place=at) for at, one in enumerate(long)]))
    with started(tmp_path) as process:
        for event in events(process):
            if event["event"] == "text":
                break
        assert process.stdin is not None
        began = time.monotonic()
        process.stdin.close()
        process.wait(SECONDS)
        assert time.monotonic() - began < 10


@pytest.mark.crash
def test_what_is_refused_is_one_line(tmp_path: Path, make_job: MakeJob):
    write_job(tmp_path, make_job(after=str(tmp_path / "v9")))
    with started(tmp_path) as process:
        last = list(events(process))[-1]
        assert process.wait(SECONDS) == 1
    assert (last["event"], last["kind"]) == ("error", "refused") and "v9 is no finished version" in last["message"]


def refusal(folder: Path) -> dict[str, Any]:
    options, said = child.parser().parse_args([str(folder)]), list[dict[str, Any]]()
    assert told.guarded(lambda tell: child._work(options, tell), said.append, child.UNEXPECTED) == 1
    return said[-1]


def test_a_folder_that_another_process_works_on_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(told, "LOCK_SECONDS", 0.1)
    with FileLock(tmp_path / "lock"):
        last = refusal(tmp_path)
    assert last["kind"] == "home" and "Another process still works" in last["message"]


def test_a_folder_without_a_job_is_a_sentence(tmp_path: Path):
    last = refusal(tmp_path)
    assert last["kind"] == "home" and "cannot be read any more" in last["message"]


def test_what_nobody_foresaw_is_one_sentence(capsys: pytest.CaptureFixture[str]):
    said = list[dict[str, Any]]()

    def work(_: object) -> None:
        raise KeyError("inner detail")

    assert told.guarded(work, said.append, child.UNEXPECTED) == 1
    assert said[0]["kind"] == "unexpected" and "inner detail" not in said[0]["message"]
    assert "inner detail" in capsys.readouterr().err
