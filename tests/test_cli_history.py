"""``zega history``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Called, Command
from tests.support.history import did, fine_tune_row, session_row, written
from zega_core import db
from zega_core.errors import NotFound
from zega_core.store import sessions


def found(done: Called) -> Any:
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)


def refused(done: Called, status: int, says: str) -> None:
    assert done.returncode == status, done.stderr
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_history_is_listed_and_filtered(called: Command):
    low, high = session_row(average_quality=5.0), session_row(days=1, average_quality=9.0, genres_selected=["sci_fi"])
    tuned = fine_tune_row(days=2, version_number=4)
    listed = found(called("history", "list", "--writer", "ana", "--json"))
    assert [row["id"] for row in listed["rows"]] == [tuned, high, low]
    assert (listed["total"], listed["page"]) == (3, 1)
    some = found(called("history", "list", "--writer", "ana", "--genre", "sci-fi", "--low", "8", "--json"))
    assert [row["id"] for row in some["rows"]] == [high]
    best = found(called("history", "list", "--writer", "ana", "--order", "worst", "--size", "1", "--json"))
    assert [row["id"] for row in best["rows"]] == [low]
    printed = called("history", "list", "--writer", "ana").stdout
    assert "Fine-tune, version 4" in printed
    assert high in printed
    assert "3 of 3." in printed
    assert "nothing like this" in called("history", "list", "--writer", "nobody").stdout


def test_what_is_stored_steers_no_terminal(called: Command):
    key = session_row(error="[red]x\x1b[31m", teacher="\x1b[2J", best_performing_model=None)
    for command in (("list",), ("show", key)):
        printed = called("history", *command, "--writer", "ana").stdout
        assert "\x1b" not in printed
    assert "[red]x" in printed


def test_bytes_that_are_no_text_find_nothing(called: Command):
    session_row()
    for command in (["show", "\udcff"], ["share", "\udcff"], ["delete", "\udcff", "--yes"], ["compare", "a", "\udcff"]):
        refused(called("history", *command, "--writer", "ana"), 1, "There is no such session")
    assert found(called("history", "list", "--teacher", "\udcff", "--writer", "ana", "--json"))["total"] == 0


def test_a_session_is_shown_and_compared(called: Command):
    first = session_row(seed=7, model_performance_json={"groq/a": {"count": 2, "avg_quality": 8.1}})
    second = session_row(seed=8)
    shown = found(called("history", "show", first, "--writer", "ana", "--json"))
    assert (shown["id"], shown["options"]["Seed"]) == (first, "7")
    assert shown["performance"] == [{"model": "groq/a", "kept": 2, "quality": 8.1}]
    assert "Groq · a" in called("history", "show", first, "--writer", "ana").stdout
    lines = found(called("history", "compare", first, second, "--writer", "ana", "--differences", "--json"))["lines"]
    assert {"part": "settings", "label": "Seed", "first": "7", "second": "8", "same": False} in lines
    assert not [line for line in lines if line["same"]]
    assert "* " in called("history", "compare", first, second, "--writer", "ana").stdout


def test_figures_and_what_worked_best(called: Command):
    for number in range(3):
        key = session_row(days=number)
        did(key, "groq/a", "mystery", made=20, kept=18, scored=20, quality_sum=166.0)
        did(key, "groq/a", made=20, kept=18, scored=20, quality_sum=166.0)
    stats = found(called("history", "stats", "--writer", "ana", "--json"))
    assert (stats["sessions"], stats["kept"], stats["genres"]) == (3, 18, {"mystery": 54})
    assert (stats["teachers"][0]["model"], stats["teachers"][0]["share"]) == ("groq/a", 0.9)
    printed = called("history", "stats", "--writer", "ana").stdout
    assert "Mystery" in printed
    assert "90%" in printed
    best = found(called("history", "recommend", "--writer", "ana", "--json"))
    assert best["message"] == "Mystery with Groq · a keeps 90% at 8.3; 3 sessions."
    assert best["evidence"]["made"] == 60
    assert "95" in called("history", "recommend", "--writer", "ana").stdout
    assert found(called("history", "recommend", "--writer", "ben", "--json"))["evidence"] is None
    assert called("history", "stats", "--writer", "nobody").returncode == 0


def test_it_is_exported_and_shared_into_new_files(called: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    key = session_row()
    written(key, "The harbour", idx=0)
    done = found(called("history", "export", "--writer", "ana", "--json"))
    assert (Path(done["file"]), done["rows"]) == (tmp_path / "history.csv", 1)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "history.csv").read_text("utf-8-sig"), newline=""))
    assert row["id"] == key
    refused(called("history", "export", "--writer", "ana"), 2, "is there already")
    refused(called("history", "export", "--writer", "ana", "--format", "xls"), 2, "csv, json, parquet")
    refused(called("history", "export", "--writer", "ben", "--to", "b.csv"), 1, "nothing like this")
    assert not Path("b.csv").exists()
    found(called("history", "share", key, "--writer", "ana", "--json"))
    assert "The harbour" not in Path("session.html").read_text("utf-8")
    called("history", "share", key, "--writer", "ana", "--texts", "--to", "whole.html")
    assert "The harbour" in Path("whole.html").read_text("utf-8")


def test_sessions_are_archive_and_deleted(called: Command, monkeypatch: pytest.MonkeyPatch):
    key = session_row()
    assert "archived" in found(called("history", "archive", key, "--writer", "ana", "--json"))["message"]
    assert found(called("history", "list", "--writer", "ana", "--archived", "--json"))["total"] == 1
    assert "brought back" in called("history", "archive", key, "--writer", "ana", "--back").stdout
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert called("history", "delete", key, "--writer", "ana").returncode == 1
    assert (
        "1 session deleted" in found(called("history", "delete", key, "--writer", "ana", "--yes", "--json"))["message"]
    )
    with db.reading() as session, pytest.raises(NotFound):
        sessions.get(session, "ana", key)


@pytest.mark.parametrize("command", [["show", "{}"], ["share", "{}"], ["archive", "{}"], ["delete", "{}", "--yes"]])
def test_another_writers_session_is_like_a_missing_one(called: Command, command: list[str]):
    key = session_row("ana")
    theirs = called("history", *[one.format(key) for one in command], "--writer", "ben")
    refused(theirs, 1, "There is no such session")
    missing = called("history", *[one.format("0" * 32) for one in command], "--writer", "ben")
    assert theirs.stderr == missing.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list", "--genre", "poetry"], "is no genre"),
        (["list", "--status", "lost"], "is no status"),
        (["list", "--since", "yesterday"], "is no day or moment"),
        (["list", "--since", "0001-01-01T00:00+14:00"], "is no day or moment"),
        (["list", "--order", "prettiest"], "prettiest"),
        (["list", "--writer", "A/B"], "cannot be a writer's id"),
        (["list", "--low", "11"], "10"),
        (["show"], "session_id"),
    ],
)
def test_what_cannot_be_used_is_refused(called: Command, arguments: list[str], says: str):
    refused(called("history", *arguments), 2, says)
