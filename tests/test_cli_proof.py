"""``zega prove`` as a user meets it: real processes, a worker whose texts come from a script."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.support import provable
from tests.support.command import Command
from tests.support.worker import running, until
from zega_core import db
from zega_core.cli import proof as command
from zega_core.errors import InvalidInput
from zega_core.proof_tables import Proof
from zega_core.settings import ROOT, Settings
from zega_core.store import proofs
from zega_core.tables import RunStatus

SLOW = 300


def zega(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zega_core", "prove", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SLOW,
        check=False,
    )


def every(config: Settings) -> list[Proof]:
    with db.reading(config) as session:
        return proofs.of_writer(session, "ana")


def set_status(config: Settings, row: Proof, status: str, **values: Any) -> None:
    with db.session(config) as session:
        found = proofs.get(session, "ana", row.run_id)
        found.status = status
        for name, value in values.items():
            setattr(found, name, value)
        session.add(found)


def test_a_proof_is_followed_stopped_and_continued_by_the_same_command(
    config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ZEGA_TEST_PROVER", "1")
    provable.version(config)
    provable.write_script(config, {"hang_at": 20}, {})
    ask = [sys.executable, "-m", "zega_core", "prove", "--writer", "ana", "--json"]
    with running(config, tmp_path / "calls.txt"):
        process = subprocess.Popen(ask, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: every(config) and every(config)[0].done == 20, SLOW)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=SLOW)
        stopped = json.loads(out)
        assert (process.returncode, stopped["status"], stopped["verdict"]) == (130, "stopped", None)
        assert said.strip() == "Stopping the proof; what is written is kept."
        assert stopped["message"].endswith("zega prove --writer ana --version 1 --against base")
        done = zega("--writer", "ana", "--json")
        shown = zega("--writer", "ana", "--version", "1", "--against", "base")
    result = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert (result["run_id"], result["version"], result["against"]) == (stopped["run_id"], 1, None)
    assert result["verdict"] in ("better", "not_shown", "worse")
    assert result["reasons"]
    assert (result["figures"]["prompts"], result["promoted"]) == (36, False)
    assert provable.starts(config) == [0, 20, 0]
    assert shown.returncode == 0
    for said in ("v1 ", "Quality score, mean", "Perplexity, 4 held-out texts", "Duels by quality score"):
        assert said in shown.stdout
    assert [row.trigger for row in every(config)] == ["command_line"] * 2


def test_a_judge_is_asked_on_texts_that_are_there(config: Settings, monkeypatch: pytest.MonkeyPatch):
    provable.version(config)
    row = provable.ask(config)
    set_status(config, row, RunStatus.done, verdict="not_shown")
    assert command._ask("ana", None, -1, "groq/x", config) == row.run_id
    assert (every(config)[0].judge, every(config)[0].status) == ("groq/x", RunStatus.queued)


@pytest.mark.parametrize("status", [RunStatus.stopped, RunStatus.failed])
def test_one_that_ended_early_goes_on_and_one_of_other_two_does_not(config: Settings, status: str):
    for _ in range(2):
        provable.version(config)
    row = provable.ask(config, 2)
    set_status(config, row, status)
    assert command._ask("ana", None, 1, None, config) != row.run_id
    assert command._ask("ana", None, None, None, config) == row.run_id
    assert [one.status for one in every(config)] == [RunStatus.queued] * 2


@pytest.mark.parametrize("status", [RunStatus.stopped, RunStatus.failed])
def test_what_has_no_verdict_says_why(config: Settings, status: RunStatus):
    provable.version(config)
    row = provable.ask(config)
    set_status(config, row, status, error="The disk is full." if status == RunStatus.failed else None)
    said = command.result(every(config)[0], None)
    assert (said["status"], said["verdict"], said["figures"]) == (str(status), None, None)
    assert said["message"] in (
        "The disk is full.",
        "Stopped before there was a verdict. Continue with: zega prove --writer ana --version 1 --against base",
    )
    assert command._table(every(config)[0]) == []


def test_one_that_was_stopped_is_continued_by_the_command_that_it_names(config: Settings):
    """Though a newer version is there by now, and another one is in use."""
    for number in range(3):
        provable.version(config, promote=number == 2)
    row = provable.ask(config, 2, against=1)
    set_status(config, row, RunStatus.stopped, verdict="better", judge="groq/x")
    said = command.result(every(config)[0], None)
    assert said["verdict"] == "better"
    assert said["message"].startswith("Stopped before groq/x had read everything.")
    assert said["message"].endswith("zega prove --writer ana --version 2 --against 1")
    assert command._ask("ana", 2, 1, None, config) == row.run_id


def test_a_judge_is_asked_after_a_proof_that_was_under_way_without_it(
    config: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    provable.version(config)
    row = provable.ask(config)

    def follow(*_: object) -> Proof:
        set_status(config, row, RunStatus.done, verdict="not_shown")
        return every(config)[0]

    monkeypatch.setattr(command, "follow", follow)
    monkeypatch.setattr(command, "Worker", lambda _: nullcontext())
    with pytest.raises(typer.Exit):
        command.prove("ana", judge="groq/x", as_json=True)
    assert json.loads(capsys.readouterr().out)["judge"] == "groq/x"


@pytest.mark.parametrize("figures", [None, {"prompts": "many"}, 7, [1]])
def test_figures_that_cannot_be_read_are_left_out(config: Settings, figures: Any):
    provable.version(config)
    row = provable.ask(config)
    set_status(config, row, RunStatus.done, verdict="better", figures=figures)
    assert command._table(every(config)[0]) == []
    assert command.result(every(config)[0], None)["message"].startswith("v1 is better than the base model")


@pytest.mark.parametrize("against", ["", "v", "vv2", "-1", "0", "9" * 30, "two", "²", "base "])
def test_what_is_no_opponent_is_a_sentence(against: str):
    with pytest.raises(InvalidInput, match="--against base"):
        command._opponent(against)


def test_opponents_are_read_with_and_without_their_letter():
    assert [command._opponent(one) for one in (None, "base", "2", "v2")] == [-1, None, 2, 2]


@pytest.mark.parametrize(
    "arguments, status, says",
    [
        (("--version", "7"), 1, "There is no version v7"),
        (("--against", "1"), 2, "A version cannot be compared with itself"),
        (("--against", "two"), 2, "--against base"),
        (("--judge", "nobody"), 2, "A judge is a service and a model"),
        (("--writer", "zoe"), 1, "There is no such writer"),
        (("--writer", "../x"), 2, "small letters"),
    ],
)
def test_what_cannot_be_proved_is_a_sentence(
    config: Settings, called: Command, arguments: tuple[str, ...], status: int, says: str
):
    provable.version(config)
    done = called("prove", "--writer", "ana", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not every(config)
    assert not list((config.home / "logs").glob("worker-*")), "nobody is set to work for nothing"


def test_help_has_an_example(called: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert "Example: zega prove --writer ana" in called("prove", "--help").stdout
