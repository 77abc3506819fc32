"""``zega stories list | show | export | delete``."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import docx
import pytest

from tests.support.command import Called, Command
from zega_core import db, shelf
from zega_core.settings import ROOT, Settings


def save(title: str = "Salt", body: str = "The tide came in.", writer: str = "ana", **more: Any) -> int:
    with db.session() as session:
        return shelf.save(session, writer, title, body, **more).id or 0


def found(done: Called) -> Any:
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)


def refused(done: Called, status: int, says: str) -> None:
    """A sentence, and nothing else."""
    assert done.returncode == status, done.stderr
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_stories_are_listed_found_and_shown(called: Command):
    salt = save(genre="horror")
    save("The mountain", "Snow, and nobody came.")
    save("Of Ben", "His.", "ben")
    everything = found(called("stories", "list", "--writer", "ana", "--json"))
    assert [one["title"] for one in everything["stories"]] == ["The mountain", "Salt"]
    assert (everything["total"], everything["page"]) == (2, 1)
    some = found(called("stories", "list", "--writer", "ana", "--text", "tide", "--genre", "horror", "--json"))
    assert [(one["id"], one["words"], one["genre"]) for one in some["stories"]] == [(salt, 4, "horror")]
    story = found(called("stories", "show", str(salt), "--writer", "ana", "--json"))
    assert (story["title"], story["body"]) == ("Salt", "The tide came in.")
    assert called("stories", "show", str(salt), "--writer", "ana").stdout == "Salt\n\nThe tide came in.\n"
    assert "2 stories." in called("stories", "list", "--writer", "ana").stdout
    assert "There is no such story." in called("stories", "list", "--writer", "nobody").stdout


def test_what_a_story_holds_steers_no_terminal(called: Command):
    body = "[red]x[/red] :smile: \x1b[31mred\x1b[0m \u009b2J **b**"
    shown = called("stories", "show", str(save("[bold]t", body)), "--writer", "ana").stdout
    assert shown == "[bold]t\n\n[red]x[/red] :smile: [31mred[0m 2J **b**\n"


def test_stories_are_exported_into_a_new_file(called: Command, tmp_path: Path):
    first, second = save("One", "a b"), save("Two", "c", genre="horror")
    target = tmp_path / "mine.docx"
    done = found(
        called(
            "stories",
            "export",
            "--writer",
            "ana",
            "--format",
            "docx",
            "--to",
            str(target),
            "--order",
            "oldest",
            "--json",
        )
    )
    assert (done["file"], done["stories"], done["size_bytes"]) == (str(target), 2, target.stat().st_size)
    document = docx.Document(io.BytesIO(target.read_bytes()))
    assert [row.cells[0].text for row in document.tables[0].rows] == ["1. One", "2. Two"]
    refused(called("stories", "export", "--writer", "ana", "--to", str(target)), 2, "is there already")
    some = found(
        called(
            "stories", "export", str(second), str(first), "--writer", "ana", "--to", str(tmp_path / "a.txt"), "--json"
        )
    )
    assert some["stories"] == 2
    text = (tmp_path / "a.txt").read_text(encoding="utf-8")
    assert text.index("Two\n===") < text.index("One\n===")
    only = tmp_path / "b.md"
    found(
        called(
            "stories", "export", "--writer", "ana", "--genre", "horror", "--format", "md", "--to", str(only), "--json"
        )
    )
    assert only.read_text(encoding="utf-8") == "# Two\n\nc\n"


def test_without_a_name_the_file_is_called_as_the_story_and_is_here(
    called: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    save("../../up", "words")
    called("stories", "export", "--writer", "ana")
    assert [one.name for one in tmp_path.glob("*.txt")] == ["up.txt"]


def test_a_story_is_deleted_when_that_is_confirmed(called: Command, monkeypatch: pytest.MonkeyPatch):
    number = str(save())
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert called("stories", "delete", number, "--writer", "ana").returncode == 1
    assert found(called("stories", "show", number, "--writer", "ana", "--json"))
    done = found(called("stories", "delete", number, "--writer", "ana", "--yes", "--json"))
    assert done == {"deleted": int(number), "title": "Salt"}
    refused(called("stories", "show", number, "--writer", "ana"), 1, "There is no such story")


@pytest.mark.parametrize("command", [["show", "{}"], ["delete", "{}", "--yes"], ["export", "{}"]])
def test_another_writers_story_is_like_a_missing_one(called: Command, command: list[str], config: Settings):
    number = save()
    theirs = called("stories", *[one.format(number) for one in command], "--writer", "ben")
    refused(theirs, 1, "There is no such story")
    assert called("stories", *[one.format(10**6) for one in command], "--writer", "ben").stderr == theirs.stderr
    with db.reading(config) as session:
        assert shelf.get(session, "ana", number).title == "Salt"


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["list", "--order", "best"], 2, "sorted by"),
        (["list", "--writer", "A/B"], 2, "cannot be a writer's id"),
        (["show", "0"], 2, "greater than or equal to 1"),
        (["show", "x"], 2, "integer"),
        (["export", "--format", "pdf"], 2, "exported as txt, md, docx"),
        (["export"], 1, "There is no story to export"),
        (["export", "--to", "/nowhere/at/all.txt", "--writer", "ana"], 2, "cannot be written"),
    ],
)
def test_what_cannot_be_used_is_refused(called: Command, arguments: list[str], status: int, says: str):
    save()
    refused(called("stories", *arguments), status, says)


def test_it_is_a_command_of_the_program(config: Settings):
    save()
    done = subprocess.run(
        [sys.executable, "-m", "zega_core", "stories", "list", "--writer", "ana", "--json"],
        cwd=ROOT,
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert json.loads(done.stdout)["total"] == 1, done.stderr
