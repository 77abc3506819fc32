"""The process that trains, as a worker sees it: lines out, one line in, and an end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from zega_core.fine_tune import base, child, told
from zega_core.settings import ROOT

MakeRun = Callable[..., Path]
SECONDS = 120


@contextmanager
def started(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "zega_core.fine_tune.child", str(folder), "--device", "cpu", *options]
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


def to_end(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    told = list(events(process))
    process.wait(SECONDS)
    return told


def steps(told: list[dict[str, Any]]) -> dict[int, float]:
    return {event["step"]: event["loss"] for event in told if event["event"] == "step"}


@pytest.mark.crash
def test_a_child_that_is_killed_is_gone_on_with_by_the_next(make_run: MakeRun):
    folder, undisturbed = make_run("a", epochs=4), make_run("b", epochs=4)
    with started(undisturbed) as process:
        told = to_end(process)
    assert process.returncode == 0 and told[-1]["event"] == "done"
    with started(folder) as process:
        for event in events(process):
            if event["event"] == "step" and event["step"] >= 6:
                process.send_signal(signal.SIGKILL)
                break
        process.wait(SECONDS)
    with started(folder) as process:
        again = to_end(process)
    start = next(event for event in again if event["event"] == "start")
    assert 0 < start["step"] <= 6 + 1 and steps(again).items() <= steps(told).items()
    assert base.file_hash(folder / "version" / base.ADAPTER) == base.file_hash(undisturbed / "version" / base.ADAPTER)


@pytest.mark.crash
def test_it_ends_when_nobody_listens_any_more(make_run: MakeRun):
    with started(make_run(epochs=100, patience=1000)) as process:
        for event in events(process):
            if event["event"] == "step":
                break
        assert process.stdin is not None
        began = time.monotonic()
        process.stdin.close()
        process.wait(SECONDS)
        assert time.monotonic() - began < 10


@pytest.mark.crash
def test_two_processes_learn_as_one(make_run: MakeRun):
    data = {"epochs": 2, "dropout": 0.0}
    alone, together = make_run("a", **data), make_run("b", **data)
    with started(alone) as one, started(together, "--processes", "2") as two:
        told, shared = to_end(one), to_end(two)
    assert (shared[-1]["event"], two.returncode) == ("done", 0)
    assert shared[-1]["result"]["device"] == "2 x cpu"
    for event, other in zip(told, shared, strict=True):
        assert event["event"] == other["event"]
        if event["event"] in ("step", "validation"):
            assert event["loss"] == pytest.approx(other["loss"], abs=1e-4)
    for key in ("perplexity_after", "perplexity_base"):
        assert told[-1]["result"][key] == pytest.approx(shared[-1]["result"][key], rel=1e-4)


@pytest.mark.crash
def test_what_is_refused_is_one_line(make_run: MakeRun):
    folder = make_run()
    (folder / "data.jsonl").write_text("", encoding="utf-8")
    with started(folder) as process:
        last = to_end(process)[-1]
    assert process.returncode == 1
    assert (last["event"], last["kind"]) == ("error", "refused") and "no text to learn from" in last["message"]


def test_what_nobody_foresaw_is_one_sentence_and_the_log_has_the_rest(capsys: pytest.CaptureFixture[str]):
    said: list[dict[str, Any]] = []

    def work(_: object) -> None:
        raise KeyError("inner detail")

    assert told.guarded(work, said.append, child.UNEXPECTED) == 1
    assert [(event["event"], event["kind"]) for event in said] == [("error", "unexpected")]
    assert "inner detail" not in said[0]["message"] and "inner detail" in capsys.readouterr().err


def test_a_folder_that_another_process_works_on_is_left_alone(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    folder, said = make_run(), list[dict[str, Any]]()
    monkeypatch.setattr(told, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(child, "_train", pytest.fail)
    options = child.parser().parse_args([str(folder)])
    with FileLock(folder / "lock"):
        assert told.guarded(lambda tell: child._work(options, tell), said.append, child.UNEXPECTED) == 1
    assert said[0]["kind"] == "home" and "Another process still works" in said[0]["message"]
