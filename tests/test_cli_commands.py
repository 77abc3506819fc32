"""What holds for every command: an example in its help, JSON where it prints something, completion; and the commands
for conversations, examples, runs, memory, style and news."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from tests.support.command import Called, Command
from tests.support.engine import fake_engine as fake_engine
from tests.support.fine_tuned import run
from tests.support.owned import everything
from tests.support.talking import own_words, row
from tests.support.written import written
from zega_core.cli import cli
from zega_core.settings import ROOT, Settings
from zega_core.tables import RunStatus

pytestmark = pytest.mark.usefixtures("engine")
NO_DATA = {"api", "up", "worker"}
"""They run until they are stopped."""
TALKS = {"talk", "write"}
"""A conversation at the terminal, whose subcommands print JSON; and what prints a text as it comes."""
README = (ROOT / "README.md").read_text(encoding="utf-8")
Found = list[tuple[str, Any]]


def commands(group: Any, before: str = "") -> Found:
    found: Found = []
    for name, one in group.commands.items():
        path = f"{before} {name}".strip()
        found.append((path, one))
        if isinstance(one, TyperGroup):
            found += commands(one, path)
    return found


ALL = commands(typer.main.get_command(cli))


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path for path, _ in ALL])
def test_every_command_says_what_it_does_with_an_example(path: str, command: Any):
    assert command.help
    assert f"zega {path}" in (command.epilog or "")
    assert (command.epilog or "").startswith("Example")


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path for path, _ in ALL])
def test_every_command_that_prints_data_prints_json(path: str, command: Any):
    only_a_group = isinstance(command, TyperGroup) and not command.invoke_without_command
    names = {name for parameter in command.params for name in parameter.opts}
    assert path in NO_DATA | TALKS or only_a_group or "--json" in names


@pytest.mark.parametrize("group", [path for path, _ in ALL if " " not in path])
def test_every_command_is_in_the_readme(group: str):
    assert re.search(rf"`zega {group}\b", README)


def test_the_shell_completes_commands(called: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("_ZEGA_COMPLETE", "complete_bash")
    for line, words in (("zega ver", ["versions"]), ("zega examples ex", ["exclude", "export"])):
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
        assert called().stdout.split() == words


def test_the_shell_is_told_how_to_complete(called: Command):
    told = called("--help").stdout
    assert "--install-completion" in told
    assert "--show-completion" in told


def found(done: Called) -> Any:
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)


def test_a_conversation_is_led_by_commands(called: Command, tmp_path: Path):
    begun = found(called("talk", "start", "--writer", "ana", "--purpose", "Tales of harbours", "--json"))
    assert begun["session"]["purpose"] == "Tales of harbours"
    assert found(called("talk", "ask", "--writer", "ana", "--json"))["question"] == begun["question"]
    (answer := tmp_path / "answer.txt").write_text(own_words(1), encoding="utf-8")
    turn = str(begun["question"]["turn_id"])
    first = found(called("talk", "answer", str(answer), "--turn", turn, "--writer", "ana", "--json"))
    assert first["saved"]["kept"]
    assert first["question"]["turn_id"] != begun["question"]["turn_id"]
    again = found(called("talk", "answer", str(answer), "--turn", turn, "--writer", "ana", "--json"))
    assert again["saved"]["example_id"] == first["saved"]["example_id"]
    skipped = found(called("talk", "skip", "--turn", str(first["question"]["turn_id"]), "--writer", "ana", "--json"))
    assert skipped["question"]["turn_id"] != first["question"]["turn_id"]
    answer.write_text(own_words(2), encoding="utf-8")
    mine = ("talk", "pair", str(answer), "--query", "What did the keeper see?", "--writer", "ana", "--json")
    assert found(called(*mine))["saved"]["pairs"] == 2
    stats = found(called("talk", "stats", "--writer", "ana", "--json"))
    assert (stats["answered"], stats["skipped"], stats["pairs"], stats["conversations"]) == (2, 1, 2, 1)
    (listed,) = found(called("talk", "list", "--writer", "ana", "--json"))["sessions"]
    assert (listed["session_id"], listed["pairs"]) == (begun["session"]["session_id"], 2)
    assert "no conversation" in called("talk", "ask", "--writer", "ben").stderr


def test_talking_at_the_terminal_saves_skips_and_ends(called: Command, monkeypatch: pytest.MonkeyPatch):
    typed = f"{own_words(1)}\n\nAnd so it ended.\n.\n/skip\n{own_words(2)}\n"  # the input ends: what is there is saved
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    done = called("talk", "--writer", "ana")
    assert done.returncode == 0, done.stderr
    assert "Welcome." in done.stdout
    assert "Saved, 1 of 20" in done.stdout
    assert "Saved, 2 of 20" in done.stdout
    stats = found(called("talk", "stats", "--writer", "ana", "--json"))
    assert (stats["answered"], stats["skipped"]) == (2, 1)
    _, example = row(1)
    assert example is not None
    assert example.completion.endswith("\n\nAnd so it ended.")


def test_training_by_itself_is_set_and_told(called: Command):
    words = ("--pairs", "30", "--schedule", "weekly", "--at", "04:30", "--zone", "Europe/Vienna")
    told = found(called("talk", "training", "--writer", "ana", *words, "--json"))
    assert (told["pairs"], told["schedule"], told["at"], told["zone"]) == (30, "weekly", "04:30", "Europe/Vienna")
    assert not found(called("talk", "training", "--writer", "ana", "--off", "--json"))["automatic"]
    assert found(called("talk", "training", "--writer", "ana", "--json"))["pairs"] == 30
    refused = called("talk", "training", "--writer", "ana", "--zone", "Nowhere/Land")
    assert refused.returncode == 2
    assert "time zone" in refused.stderr


def test_examples_are_changed_and_taken_out(called: Command, tmp_path: Path):
    first, second = written(2, "ana")
    assert found(called("examples", "list", "--writer", "ana", "--low", "7", "--json"))["total"] == 2
    shown = found(called("examples", "show", str(first), "--writer", "ana", "--json"))
    (text := tmp_path / "text.txt").write_text(own_words(4), encoding="utf-8")
    edit = ("examples", "edit", str(first), "--text-from", str(text), "--seen", shown["seen"], "--writer", "ana")
    assert found(called(*edit, "--json"))["completion"] == own_words(4)
    refused = called(*edit)
    assert refused.returncode == 1
    assert "changed elsewhere" in refused.stderr
    assert "5 stars" in called("examples", "rate", str(second), "--stars", "5", "--writer", "ana").stdout
    assert "changed" in called("examples", "tag", str(second), "--add", "harbour", "--writer", "ana").stdout
    assert "1 example excluded." in called("examples", "exclude", str(second), "--writer", "ana").stdout
    assert "1 example included." in called("examples", "include", str(second), "--writer", "ana").stdout
    assert (
        found(called("examples", "list", "--writer", "ana", "--tag", "harbour", "--json"))["examples"][0]["stars"] == 5
    )
    assert "2 examples deleted." in called("examples", "delete", str(first), str(second), "--writer", "ana").stdout
    assert called("examples", "undo", "--writer", "ana").returncode == 0
    to = tmp_path / "out.jsonl"
    taken = ("examples", "export", "--writer", "ana", "--format", "chat", "--to", str(to))
    assert found(called(*taken, "--json"))["examples"] == 2
    lines = [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]
    assert [sorted(line) for line in lines] == [["messages"], ["messages"]]
    assert "stays as it is" in called(*taken).stderr


def test_a_file_that_cannot_be_written_to_its_end_does_not_stay(tmp_path: Path):
    from zega_core.cli.frame import write_new

    def parts() -> Any:
        yield b"beginning"
        raise ValueError("the rest is gone")

    with pytest.raises(ValueError, match="the rest is gone"):
        write_new(tmp_path / "half.txt", "x", parts())
    assert not list(tmp_path.glob("half.txt"))


def test_runs_are_listed_stopped_and_gone_on_with(called: Command, config: Settings):
    of = everything("ana", config)
    told = found(called("runs", "--writer", "ana", "--json"))
    assert {one["kind"] for one in told} == {"auto_train", "fine_tune", "proof", "export", "pages"}
    assert {one["run_id"] for one in told} >= {of.session, of.fine_tune, of.proof, of.export, of.pages}
    assert found(called("runs", "--writer", "ana", "--unfinished", "--json")) == []
    waits = run(RunStatus.queued, writer="ana")
    stopped = found(called("stop", waits.run_id, "--writer", "ana", "--json"))
    assert (stopped["status"], stopped["can_stop"], stopped["can_continue"]) == ("stopped", False, True)
    assert called("stop", of.session, "--writer", "ben").returncode == 1
    assert "no kind" in called("runs", "--kind", "odd").stderr


def test_memory_style_and_news(called: Command, config: Settings, monkeypatch: pytest.MonkeyPatch):
    of = everything("ana", config)
    chosen = found(called("memory", "choose", "story", "--writer", "ana", "--json"))
    assert [one["source"] for one in chosen["sources"] if one["chosen"]] == ["story"]
    assert found(called("memory", "show", "--writer", "ana", "--json")) == chosen
    assert called("memory", "choose", "dreams", "--writer", "ana").returncode == 2
    assert isinstance(found(called("memory", "search", "--writer", "ana", "--json")), list)
    assert called("memory", "forget", "--writer", "ana").returncode == 2
    assert called("memory", "forget", "--all", "--writer", "ana").returncode == 0
    style = found(called("style", "correct", "pacing", "80", "--writer", "ana", "--json"))
    assert [(one["value"], one["by_hand"]) for one in style["axes"] if one["key"] == "pacing"] == [(80.0, True)]
    assert called("style", "correct", "pacing", "much", "--writer", "ana").returncode == 2
    back = found(called("style", "correct", "pacing", "measured", "--writer", "ana", "--json"))
    assert not any(one["by_hand"] for one in back["axes"])
    assert found(called("style", "measure", "--writer", "ana", "--json"))["texts"] >= 1
    news = found(called("notifications", "--writer", "ana", "--seen", "--json"))
    assert news["unseen"] == 1
    assert found(called("notifications", "--writer", "ana", "--json"))["unseen"] == 0
    assert found(called("teaching", "--writer", "ana", "--json"))["storyteller"] is True
    assert found(called("teaching", "--writer", "ana", "--no-storyteller", "--json"))["storyteller"] is False
    renamed = found(called("versions", "rename", str(of.version), "Harbour", "--writer", "ana", "--json"))
    assert renamed["name"] == "Harbour"
    assert [one["version"] for one in found(called("versions", "--writer", "ana", "--json"))] == [of.version]
    assert found(called("promote", "--version", str(of.version), "--writer", "ana", "--json"))["promoted"] == of.version
    assert called("versions", "delete", str(of.version), "--yes", "--writer", "ana").returncode == 2  # it is in use
    assert found(called("roll-back", "--writer", "ana", "--json"))["promoted"] is None
    assert found(called("versions", "delete", str(of.version), "--yes", "--writer", "ana", "--json"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert called("pages", "erase", of.pages, "--writer", "ana").returncode == 1
    assert found(called("pages", "erase", of.pages, "--yes", "--writer", "ana", "--json"))["erased"] == of.pages
    assert found(called("pages", "list", "--writer", "ana", "--json")) == []
