"""``zega rescore`` as a user meets it: real processes, real exit statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import update

from tests.support.command import Command
from tests.support.scored import add, all_pieces, piece
from tests.support.teachers import story
from tests.support.worker import until
from zega_core import db, passes
from zega_core.quality import QUALITY_VERSION
from zega_core.settings import ROOT
from zega_core.store import scores
from zega_core.tables import Example

FIELDS = {
    "writer",
    "version",
    "everything",
    "finished",
    "dry_run",
    "of",
    "counted",
    "changed",
    "now_kept",
    "now_set_aside",
    "unreadable",
    "mean_before",
    "mean_after",
    "from_versions",
}


SLOW = 600
"""Seconds: on a busy machine each start of a process takes ten of them."""


def zega(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zega_core", "rescore", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SLOW,
        check=False,
    )


def one_json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert len(done.stdout.splitlines()) == 1
    return json.loads(done.stdout)


@pytest.fixture
def stored(home: Path) -> list[int]:
    return [add(story(seed), score=9.9) for seed in range(6)]


def test_a_dry_run_then_the_real_one_then_nothing_is_left(stored: list[int]):
    before = all_pieces()
    would = one_json(zega("--writer", "ana", "--dry-run", "--json"))
    assert all_pieces() == before
    done = zega("--writer", "ana", "--json")
    did = one_json(done)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(did) == FIELDS
    assert {**would, "dry_run": False} == did
    assert (did["writer"], did["version"], did["counted"], did["finished"]) == ("ana", QUALITY_VERSION, 6, True)
    assert did["from_versions"] == {str(QUALITY_VERSION - 1): 6}
    assert did["mean_before"] == 9.9 != did["mean_after"]
    assert piece(stored[0]).quality_version == QUALITY_VERSION
    again = zega("--writer", "ana")
    assert (again.returncode, again.stdout.strip()) == (
        0,
        "Nothing to score again: every score is of today's version.",
    )


def test_all_and_the_words_of_the_outcome(stored: list[int]):
    with db.session() as session:
        session.exec(update(Example).values(quality_version=QUALITY_VERSION))  # type: ignore[call-overload]
    done = zega("--writer", "ana", "--all")
    assert done.returncode == 0
    assert "6 pieces scored again, 6 with another score than before." in done.stdout
    assert "On average 9.90 before" in done.stdout


@pytest.mark.parametrize(
    "arguments, status, says",
    [
        (("--writer", "zoe"), 1, "There is no writer called zoe"),
        (("--writer", "../x"), 2, "small letters"),
        (("--writer", "a" * 10_000), 2, "small letters"),
        (("--nonsense",), 2, "No such option"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    stored: list[int], called: Command, arguments: tuple[str, ...], status: int, says: str
):
    done = called("rescore", *arguments)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert len(done.stderr) < 1000


def test_a_home_that_cannot_be_used_is_status_3(tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = zega(ZEGA_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_help_has_an_example(called: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert "zega rescore --writer ana --dry-run" in called("rescore", "--help").stdout


def test_ctrl_c_keeps_what_is_done_and_the_next_call_does_the_rest(home: Path):
    for seed in range(600):
        add(story(seed, sentences=30))

    def done_so_far() -> int:
        with db.reading() as session:
            found = passes.read_progress(scores.peek(session, "ana").rescore_result)
        return found.done if found else 0

    process = subprocess.Popen(
        [sys.executable, "-m", "zega_core", "rescore", "--writer", "ana", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: done_so_far() > 0)
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=SLOW)
    result = json.loads(out)
    assert process.returncode == 130
    assert "what is scored is kept" in said
    assert "Traceback" not in said
    assert (result["finished"], result["counted"]) == (False, done_so_far())
    assert 0 < result["counted"] < 600
    rest = one_json(zega("--writer", "ana", "--json"))
    assert (rest["finished"], rest["counted"], rest["of"]) == (True, 600, 600)
