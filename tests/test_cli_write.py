"""``zega write``: the text alone on standard output, everything else beside it, and an honest exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support import tuned
from tests.support.author import PIECES, TEXT, Author, stand_in
from tests.support.command import Command
from tests.support.worker import until
from zega_core import db, writing
from zega_core.cli import write
from zega_core.errors import ProviderUnavailable
from zega_core.settings import ROOT, Settings
from zega_core.store import writing_choices, writings
from zega_core.writing_authors import NO_VERSION
from zega_core.writing_configs import WritingConfig
from zega_core.writing_tables import Take, TakeState

FIELDS = {
    *("asked", "model", "label", "state", "text", "note", "error", "cut", "quality", "seed", "first_ms", "seconds"),
    *("hints", "recalled", "left_out"),
}


@pytest.fixture
def author(monkeypatch: pytest.MonkeyPatch) -> Author:
    return stand_in(monkeypatch, Author())


def plain(text: str) -> str:
    return " ".join(text.split())


def test_it_prints_the_text_and_says_the_rest_beside_it(called: Command, author: Author):
    done = called(
        "write", "A ferry at night.", "--genre", "mystery", "--words", "60", "--temperature", "0", "--seed", "4"
    )
    assert (done.returncode, done.stdout) == (0, f"{TEXT}\n")
    assert NO_VERSION in plain(done.stderr)
    assert "18 words, written in" in plain(done.stderr)
    ((prompt, options),) = author.asked
    assert "Genre: Mystery." in prompt
    assert (options.temperature, options.max_tokens, options.seed) == (0, 87, 4)


def test_json_is_one_object(called: Command, author: Author):
    done = called("write", "A ferry.", "--writer", "ana", "--json")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    found: dict[str, Any] = json.loads(done.stdout)
    (take,) = found["takes"]
    assert set(take) == FIELDS
    assert (found["writer"], take["text"], take["state"], take["model"]) == ("ana", TEXT, "done", "local/base")


def test_two_authors_are_printed_one_after_the_other(called: Command, config: Settings, author: Author):
    tuned.version(config, "ana", promote=True)
    done = called("write", "A ferry.", "--writer", "ana", "--author", "custom", "--author", "base")
    assert (done.returncode, done.stdout) == (0, f"{TEXT}\n{TEXT}\n")
    assert plain(done.stderr).index("Your model · v1:") < plain(done.stderr).index("Base model:")


def test_a_file_is_gone_on_with(called: Command, author: Author, tmp_path: Path):
    (tmp_path / "chapter.txt").write_text("He ran. The door was open.", encoding="utf-8")
    done = called("write", "--task", "continue", "--given", str(tmp_path / "chapter.txt"))
    assert done.returncode == 0
    assert author.asked[0][0].endswith("He ran. The door was open.")


def test_choices_of_the_writer_are_taken_where_nothing_else_is_said(called: Command, author: Author):
    with db.session() as session:
        writing_choices.save(session, "ana", WritingConfig(temperature=0.2, words=40))
    assert called("write", "A ferry.", "--writer", "ana").returncode == 0
    assert (author.asked[0][1].temperature, author.asked[0][1].max_tokens) == (0.2, 58)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "There is nothing to write about."),
        (["x", "--genre", "western"], 2, "genre"),
        (["x", "--element", "poem"], 2, "There is no element 'poem'."),
        (["x", "--author", "nobody"], 2, "Nobody is called"),
        (["x", "--author", "version:9"], 1, "There is no version v9."),
        (["x", "--words", "5"], 2, "words"),
        (["x", "--temperature", "nan"], 2, "temperature"),
        (["x", "--seed", "-1"], 2, "seed"),
        (["x", "--task", "sing"], 2, "task"),
        (["--task", "rewrite"], 2, "There is no text to work on yet."),
        (["x", "--given", "/nowhere/at/all.txt"], 2, "cannot be read as text"),
        (["x" * 20_001], 2, "A brief can have 20,000 characters"),
        (["x", "--writer", "../ana"], 2, "writer"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    called: Command, author: Author, arguments: list[str], status: int, said: str
):
    done = called("write", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in plain(done.stderr)
    assert "Traceback" not in done.stderr
    assert author.asked == []


def test_one_that_fails_says_why(called: Command, monkeypatch: pytest.MonkeyPatch):
    stand_in(monkeypatch, Author(pieces=(), error=ProviderUnavailable("v3's files are damaged.")))
    done = called("write", "A ferry.")
    assert (done.returncode, done.stdout) == (1, "")
    assert "v3's files are damaged." in plain(done.stderr)


def test_ctrl_c_keeps_what_is_written(called: Command, monkeypatch: pytest.MonkeyPatch):
    author = stand_in(monkeypatch, Author(gate=threading.Event()))

    def press() -> None:
        author.writing.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    hand = threading.Thread(target=press)
    hand.start()
    done = called("write", "A ferry.", "--writer", "ana")
    hand.join()
    assert done.returncode == 130
    assert done.stdout.startswith(PIECES[0].strip())
    with db.reading() as session:
        (row,) = writings.recent(session, "ana")
        assert writing.state(session, "ana", row.key)[1][0].state == TakeState.stopped


def test_a_screen_gets_it_as_it_grows_and_whole_again_where_the_end_took_something_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    printer = write._Printer(quiet=False)
    for text, state in (("The ", "writing"), ("The *lamp", "writing"), ("The lamp went out.", "done")):
        printer.show([Take(key="k", writing_id=1, user_id="ana", number=1, text=text, state=state)])
    done = capsys.readouterr()
    assert done.out == "The *lamp\nThe lamp went out.\n"
    assert "The finished text:" in done.err


@pytest.mark.crash
def test_a_killed_one_leaves_its_text(config: Settings, database: str):
    """A real process that writes, killed in the middle: another process sees what there was, and asks anew."""

    def rows() -> list[Take]:
        with db.reading() as session:
            return [take for row in writings.recent(session, "ana") for take in writings.takes(session, row)]

    command = [sys.executable, "-m", "tests.crash.writing"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=subprocess.DEVNULL) as process:
        until(lambda: bool(rows()) and len(rows()[0].text) > 100, 60)
        process.kill()
    (left,) = rows()
    assert left.state == TakeState.writing
    assert len(left.text) > 100
    with db.session() as session:  # as thirty seconds later
        session.get_one(Take, left.id).heartbeat_at = left.heartbeat_at - writing.SILENT * 2
    assert writing.tidy(config) == 1
    (after,) = rows()
    assert (after.state, after.text, after.error) == (TakeState.stopped, left.text, writing.LEFT)


@pytest.mark.crash
def test_another_process_stops_it_within_moments(config: Settings, database: str):
    command = [sys.executable, "-m", "tests.crash.writing"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        key = process.stdout.readline().strip()
        writing.stop("ana", key, config)
        assert process.stdout.readline().strip() == "ended"
        assert process.wait(60) == 0
    with db.reading() as session:
        (take,) = writing.state(session, "ana", key)[1]
    assert take.state == TakeState.stopped
