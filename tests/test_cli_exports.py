"""``zega export`` as a user meets it: real processes, real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import gguf
import pytest

from tests.support import exported, tuned
from tests.support.command import Called, Command
from tests.support.worker import until
from zega_core import db, exporting
from zega_core.cli import exports as command
from zega_core.fine_tune.base import file_hash
from zega_core.proof_tables import Export
from zega_core.settings import ROOT, Settings
from zega_core.store import exports
from zega_core.tables import RunStatus

SLOW = 300
"""Seconds; a busy machine takes long to start a worker."""


def zega(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zega_core", "export", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SLOW,
        check=False,
    )


def rows(config: Settings) -> list[Export]:
    with db.reading(config) as session:
        return exports.of_writer(session, "ana")


def refused(done: subprocess.CompletedProcess[str] | Called, status: int, says: str) -> None:
    """A sentence, and nothing else."""
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert len(done.stderr) < 1000


def test_training_data_goes_where_it_is_wanted(config: Settings, tmp_path: Path):
    tuned.keep(config, "ana", 3)
    target = tmp_path / "ana's data"
    done = zega("--writer", "ana", "--format", "chat", "--to", str(target), "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    (file,) = target.iterdir()
    lines = [json.loads(one) for one in file.read_text(encoding="utf-8").splitlines()]
    assert [list(one) for one in lines] == [["messages"]] * 3
    assert result["folder"] == str(target)
    assert result["files"] == {"ana-chat.jsonl": file_hash(file)}
    assert (result["status"], result["format"], result["version"]) == ("success", "chat", None)
    assert result["notes"]
    assert rows(config)[0].trigger == "command_line"


def test_a_model_is_the_one_in_use_or_the_newest_and_what_to_do_next_is_said(config: Settings, tmp_path: Path):
    exported.version(config, tmp_path)
    done = zega("--writer", "ana", "--format", "gguf")
    assert done.returncode == 0, done.stderr
    (row,) = rows(config)
    folder = exporting.whole(row, config)
    assert f"Whole model as GGUF, v1: {row.size_bytes / 1e6:,.1f} MB in {folder}" in done.stdout
    assert "ollama create zega-ana -f Modelfile" in done.stdout.splitlines()
    assert gguf.GGUFReader(folder / "zega-ana-v1.gguf").tensors


def test_what_cannot_be_made_is_a_sentence_and_leaves_nothing(config: Settings, tmp_path: Path):
    made = exported.version(config, tmp_path)
    (tmp_path / "tiny" / "tokenizer.json").write_text("{}", encoding="utf-8")
    done = zega("--writer", "ana", "--format", "gguf", "--to", str(tmp_path / "new"), "--json")
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert result["status"] == "failed"
    assert "cannot be written as GGUF" in result["message"]
    assert not (tmp_path / "new").exists()
    assert not [path for path in (config.home / "exports").rglob("*") if path.is_file()]
    assert made.number == 1


def test_what_cannot_be_used_is_told_before_anything_begins(config: Settings, called: Command, tmp_path: Path):
    tuned.keep(config, "ana", 1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    known = ("export", "--writer", "ana", "--format")
    refused(called(*known, "jsonl", "--to", str(tmp_path / "full")), 2, "is not empty")
    refused(called(*known, "jsonl", "--to", str(tmp_path / "file")), 2, "is a file")
    refused(called(*known, "jsonl", "--to", str(tmp_path / "no" / "such")), 2, "There is no folder")
    refused(called(*known, "pickle"), 2, "Choose one of jsonl")
    refused(called(*known, "peft"), 1, "no version yet")
    refused(called(*known, "peft", "--version", "7"), 1, "no version v7")
    refused(called("export", "--writer", "../ana", "--format", "jsonl"), 2, "cannot be a writer's id")
    refused(called("export", "--writer", "nobody", "--format", "jsonl"), 1, "no such writer")
    assert not rows(config)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_without_rights_is_told(config: Settings, tmp_path: Path):
    tuned.keep(config, "ana", 1)
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(
        zega("--writer", "ana", "--format", "jsonl", "--to", str(tmp_path / "locked" / "new")), 2, "cannot be written"
    )


def test_ctrl_c_stops_it_and_nothing_half_made_stays(config: Settings, tmp_path: Path):
    exported.version(config, tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "zega_core", "export", "--writer", "ana", "--format", "merged"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(lambda: any(row.phase == "merging" for row in rows(config)), SLOW)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=SLOW)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert "Nothing of it stays" in out
    assert rows(config)[0].status == RunStatus.stopped
    assert not [path for path in (config.home / "exports").rglob("*") if path.is_file()]


def test_what_ollama_checked_red_is_said(config: Settings):
    tuned.keep(config, "ana", 1)
    with db.session(config) as session:
        row = exports.create(session, "ana", "ollama", 1, "writer")
        row.status, row.notes = RunStatus.done, ["Ask it."]
        row.report = {"checks": [{"ok": True, "said": "Fine."}, {"ok": False, "said": "It echoes."}]}
        row.files = {"Modelfile": "0"}
        session.add(row)
    folder = exporting.folder_of(config, row)
    folder.mkdir(parents=True)
    (folder / "Modelfile").write_text("FROM x", encoding="utf-8")
    assert command._result(row, None, config)["said"][1:] == [
        "Ask it.",
        "Checked in Ollama: 1 of 2 checks did not pass.",
        "It echoes.",
    ]
