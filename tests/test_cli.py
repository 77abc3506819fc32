"""The command line as a user meets it: real processes, real exit statuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import Command
from tests.support.services import FakeService
from tests.support.worker import running, until
from zega_core import db
from zega_core.settings import ROOT, Settings
from zega_core.store import examples, sessions

SLOW = 600
"""Seconds: on a busy machine each start of a process takes ten of them."""


def zega(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zega_core", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SLOW,
        check=False,
    )


def one_json(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert len(done.stdout.splitlines()) == 1
    return json.loads(done.stdout)


def test_auto_train_prints_one_json_object_with_the_fields_of_the_contract(home: Path):
    done = zega(
        "auto-train", "--writer", "ana", "--examples", "20", "--genre", "fantasy", "--genre", "sci_fi", "--json"
    )
    result = one_json(done)
    assert done.returncode == 0, done.stderr
    assert result["total_requested"] == 20
    assert int(str(result["successful"])) + int(str(result["set_aside"])) == 20
    assert result["failed"] == 0
    distribution = result["genre_distribution"]
    assert isinstance(distribution, dict)
    assert set(distribution) <= {"fantasy", "sci_fi"}
    assert sum(distribution.values()) == result["successful"]
    assert 0 < float(str(result["average_quality"])) <= 10
    assert float(str(result["total_time"])) > 0
    assert result["training_stats"] == {
        "training_examples": result["successful"],
        "examples_until_next_training": max(0, 50 - int(str(result["successful"]))),
    }
    assert result["ready_for_finetuning"] is False


def test_the_same_seed_writes_the_same_pieces_for_another_writer(home: Path):
    def one(writer: str) -> dict[str, object]:
        return one_json(zega("auto-train", "--writer", writer, "--examples", "8", "--seed", "7", "--json"))

    first, second = one("ana"), one("ben")
    for field in ("successful", "average_quality", "min_quality", "max_quality", "genre_distribution"):
        assert first[field] == second[field]


@pytest.mark.parametrize(
    "arguments, says",
    [
        (("--examples", "0"), "from 1 to 500"),
        (("--examples", "501"), "from 1 to 500"),
        (("--examples", "ten"), "from 1 to 500"),
        (("--genre", "western"), "Choose from: fantasy"),
        (("--genre", ""), "Choose from: fantasy"),
        (("--writer", "../x"), "small letters"),
        (("--writer", "a" * 10_000), "small letters"),
        (("--seed", "-1"), "seed"),
        (("--nonsense",), "No such option"),
    ],
)
def test_bad_input_is_status_2_and_a_sentence(called: Command, arguments: tuple[str, ...], says: str):
    done = called("auto-train", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert len(done.stderr) < 1000


def test_a_home_that_cannot_be_used_is_status_3(tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = zega("auto-train", "--examples", "1", ZEGA_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 3
    assert "ZEGA_HOME" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_database_is_status_3_and_untouched(home: Path):
    home.mkdir()
    (home / "zega.db").write_bytes(b"no database at all" * 300)
    done = zega("auto-train", "--examples", "1")
    assert done.returncode == 3
    assert "damaged" in done.stderr
    assert (home / "zega.db").read_bytes() == b"no database at all" * 300


def follow(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "zega_core", "auto-train", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def written(settings: Settings) -> int:
    with db.reading(settings) as session:
        row = sessions.latest(session, "default")
        return 0 if row is None else examples.tally(session, row.id or 0).done


def test_ctrl_c_stops_the_run_and_keeps_what_is_written(home: Path, tmp_path: Path):
    settings = Settings(home=home)
    with running(settings, tmp_path / "calls.txt", delay=0.5, in_flight=2):
        process = follow("--examples", "500", "--json")  # more than can be written before Ctrl-C is pressed
        until(lambda: written(settings) > 4)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: everybody in the foreground gets it
        out, said = process.communicate(timeout=SLOW)
    result = json.loads(out)
    assert (process.returncode, result["status"]) == (130, "stopped")
    assert 4 < int(result["successful"]) + int(result["set_aside"]) < 500
    assert "Traceback" not in said


def test_ctrl_c_reaches_the_one_who_follows_and_not_the_worker_it_started(home: Path):
    settings = Settings(home=home)
    process = follow("--examples", "500", "--json")
    until(lambda: written(settings) > 0)
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=SLOW)
    assert (process.returncode, json.loads(out)["status"]) in {(130, "stopped"), (0, "done")}
    assert "could not" not in said


def test_a_run_goes_on_when_the_worker_that_did_it_leaves(home: Path, tmp_path: Path):
    settings = Settings(home=home)
    with running(settings, tmp_path / "calls.txt", delay=0.1, in_flight=2):
        process = follow("--examples", "60", "--json")
        until(lambda: written(settings) > 4)
    out, _ = process.communicate(timeout=SLOW)
    assert process.returncode == 0
    assert json.loads(out)["total_requested"] == 60
    assert written(settings) == 60


def test_doctor_says_what_is_ready_and_what_is_not(home: Path, tmp_path: Path):
    good = zega("doctor", "--json")
    findings = json.loads(good.stdout)
    assert good.returncode == 0
    assert {finding["name"] for finding in findings} >= {"Home", "Database", "Catalog", "Teacher", "Worker", "Port"}
    told = {finding["name"]: finding["text"] for finding in findings}
    assert "127.0.0.1, port 8002, and answer this machine's programs without a key" in told["API"]
    assert "nobody has to sign in" in told["Sign-in"]
    open_to_all = json.loads(zega("doctor", "--json", ZEGA_API_HOST="0.0.0.0").stdout)
    assert "zega keys create" in next(finding["text"] for finding in open_to_all if finding["name"] == "API")
    (tmp_path / "file").write_text("", encoding="utf-8")
    bad = zega("doctor", ZEGA_HOME=str(tmp_path / "file" / "home"))
    assert bad.returncode == 1
    assert "problem" in bad.stdout
    assert "Traceback" not in bad.stderr


def test_a_port_in_use_is_named_with_another_to_take(home: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = zega("up", ZEGA_PORT=str(port))
    assert done.returncode == 3
    assert f"Port {port} is in use" in done.stderr
    assert f"ZEGA_PORT={port + 1}" in done.stderr


def test_a_wrong_setting_is_named(home: Path):
    done = zega("doctor", ZEGA_PORT="eighty")
    assert done.returncode == 1
    assert "ZEGA_PORT" in done.stdout


def test_teachers_are_looked_at_and_one_is_asked(home: Path):
    with FakeService("groq", "The lock had been changed since noon.") as groq:
        environment = {"GROQ_BASE_URL": groq.url, "GROQ_API_KEY": "gsk_a_key_for_this_test"}
        found = one_json(zega("teachers", "--json", **environment))
        said = one_json(zega("teachers", "--test", "groq/openai/gpt-oss-20b", "--json", **environment))
    assert {name: result["state"] for name, result in found.items()} == {  # type: ignore[index]
        "ollama": "unreachable",
        "groq": "ready",
        "gemini": "off",
        "huggingface": "off",
        "openai_compatible": "off",
    }
    (answer,) = said.values()
    assert answer["text"] == "The lock had been changed since noon."  # type: ignore[index]


def test_a_teacher_that_there_is_not_is_refused_in_words(called: Command):
    done = called("teachers", "--test", "clippy")
    assert done.returncode == 2
    assert "Choose one of: ollama, groq" in done.stderr
