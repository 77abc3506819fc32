"""``zega fine-tune | versions | promote | roll-back | import`` as a user meets them: real processes, real training."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import delete, select

from tests.support import tuned
from tests.support.command import Called, Command
from tests.support.teachers import story
from tests.support.worker import until
from zega_core import db, versions
from zega_core.cli import models
from zega_core.fine_tune.base import ADAPTER, file_hash
from zega_core.proof_tables import Proof
from zega_core.settings import ROOT, Settings
from zega_core.store import fine_tunes, proofs
from zega_core.store import versions as version_rows
from zega_core.tables import Example, ExampleStatus, RunStatus, Source
from zega_core.version_tables import FineTune, TrainingMetric

SLOW = 1200
"""Seconds: a busy machine takes a minute to load torch, and several to write the texts of a proof."""


def zega(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zega_core", *arguments],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", **environment},
        capture_output=True,
        text=True,
        timeout=SLOW,
        check=False,
    )


def one_json(done: subprocess.CompletedProcess[str]) -> Any:
    assert len(done.stdout.splitlines()) == 1, done.stderr
    return json.loads(done.stdout)


def refused(done: subprocess.CompletedProcess[str] | Called, status: int, says: str) -> None:
    """A sentence, and nothing else."""
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert len(done.stderr) < 1000


def recent(config: Settings) -> list[FineTune]:
    with db.reading(config) as session:
        return fine_tunes.recent(session, "ana", 9)


def asked_proofs(config: Settings) -> list[Proof]:
    with db.reading(config) as session:
        return proofs.of_writer(session, "ana")


def in_use(config: Settings) -> int | None:
    with db.reading(config) as session:
        version = version_rows.promoted(session, "ana")
    return None if version is None else version.number


# --- fine-tune


@dataclass(frozen=True)
class Trained:
    home: Path
    done: subprocess.CompletedProcess[str]


def very_long() -> str:
    """5,400 words in an order that none of the short examples has."""
    known, draw = "sea salt gull rope tar wind net oar cork sand mud eel ash lamp bell fog".split(), random.Random(5)
    return " ".join(" ".join(draw.choice(known) for _ in range(9)).capitalize() + "." for _ in range(600))


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """A home in which ``zega fine-tune`` ran once, on twenty short examples, a very long one, and two of no use."""
    home = tmp_path_factory.mktemp("trained") / "home"
    config = Settings(home=home, database_url=None)
    for index in range(20):  # different enough for some of them to be set apart
        tuned.keep(config, "ana", 1, first=index, completion=story(index, sentences=3))
    tuned.keep(config, "ana", 1, first=20, completion=very_long(), source=Source.manuscript)
    tuned.keep(config, "ana", 1, first=21, completion="")
    tuned.keep(config, "ana", 1, first=22, completion="Half a character: \x00")
    own = [name for name in os.environ if name.startswith("ZEGA_")]
    with pytest.MonkeyPatch.context() as patch:
        for name in own:
            patch.delenv(name)
        patch.setenv("ZEGA_ENV_FILE", os.devnull)
        done = zega(
            "fine-tune", "--writer", "ana", "--epochs", "1", "--json", ZEGA_HOME=str(home), ZEGA_PROOF_PROMPTS="12"
        )
    yield Trained(home, done)


@pytest.fixture
def trained(trained_once: Trained, home: Path, config: Settings) -> Settings:
    """A copy of that home."""
    shutil.copytree(trained_once.home, home)
    return config


def test_a_whole_one_prints_one_json_object_with_the_fields_of_the_contract(trained_once: Trained, trained: Settings):
    done, result = trained_once.done, one_json(trained_once.done)
    assert done.returncode == 0
    assert (result["status"], result["version"], result["stopped"]) == ("success", 1, False)
    assert (result["verdict"], result["promoted"]) == ("not_shown", False)
    assert result["reasons"][0] == "It was tried on 12 prompts; it takes 30 to show anything."
    assert result["figures"]["prompts"] == 12
    assert result["message"].startswith("v1 was made")
    assert result["training_examples_used"] == 21, "what has no text, or cannot be read, is left out"
    assert 0 < result["training_time_seconds"] < SLOW
    assert 1 < result["perplexity_after"] < result["perplexity_before"]
    assert 0 < result["own_share"] <= 1
    (row,) = recent(trained)
    assert (row.run_id, row.trigger, row.status, row.config["epochs"]) == (
        result["run_id"],
        "command_line",
        RunStatus.done,
        1,
    )
    assert row.data is not None
    assert (row.data["left_out"], row.data["longest_words"] > 5_000) == ({"no text": 1, "cannot be read": 1}, True)
    folder = versions.folder_of(trained, "ana", 1)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert result["model_size_mb"] == pytest.approx(size / 1e6, abs=0.05)
    assert "Traceback" not in done.stderr


def test_what_was_made_is_listed_and_used_and_taken_back(trained_once: Trained, trained: Settings):
    (fact,) = one_json(zega("versions", "--writer", "ana", "--json"))
    result = one_json(trained_once.done)
    for name in ("version", "promoted", "perplexity_before", "perplexity_after", "own_share"):
        assert fact[name] == result[name]
    assert (fact["examples"], fact["base"], fact["parent"]) == (21, "built-in", None)
    assert fact["settings"]["epochs"] == 1
    versions.promote("ana", 1, trained)
    said = zega("promote", "--writer", "ana", "--base")
    assert (said.returncode, said.stdout, said.stderr.strip()) == (0, "", "zega-ana is the base model now.")
    assert in_use(trained) is None
    assert "v1 again" in zega("roll-back", "--writer", "ana").stderr
    assert in_use(trained) == 1


def test_going_on_from_a_damaged_version_is_a_sentence_and_the_version_stays(trained: Settings):
    tuned.keep(trained, "ana", 4, first=30)
    versions.promote("ana", 1, trained)
    path = versions.folder_of(trained, "ana", 1) / ADAPTER
    path.write_bytes(path.read_bytes()[:-8] + b"damaged!")
    done = zega("fine-tune", "--writer", "ana", "--from", "promoted", "--epochs", "1", "--strength", "1", "--json")
    result = one_json(done)
    assert done.returncode == 1
    assert result["status"] == "failed"
    assert result["message"].startswith(f"v1's file {ADAPTER} is damaged.")
    assert [fact["version"] for fact in one_json(zega("versions", "--writer", "ana", "--json"))] == [1]
    assert in_use(trained) == 1


def test_ctrl_c_keeps_the_best_so_far_as_the_version(trained: Settings):
    first = file_hash(versions.folder_of(trained, "ana", 1) / ADAPTER)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "zega_core",
            "fine-tune",
            "--writer",
            "ana",
            "--epochs",
            "90",
            "--learning-rate",
            "0.00002",  # so small that the validation loss does not end it first
            "--strength",
            "1",
            "--json",
        ],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: recent(trained)[0].phase == "training" and recent(trained)[0].step > 1, SLOW)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: everybody in the foreground gets it
    until(lambda: [one.status for one in asked_proofs(trained) if one.version_number == 2] == [RunStatus.running], SLOW)
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=SLOW)
    result = json.loads(out)
    assert (process.returncode, result["status"], result["version"], result["stopped"]) == (0, "success", 2, True)
    assert 1 < result["steps"] < recent(trained)[0].steps
    assert said.splitlines() == [
        "Stopping; the best so far is kept.",
        "Stopping the proof; what is written is kept.",
    ]
    assert (result["verdict"], result["promoted"]) == (None, False)
    assert "Continue with: zega prove --writer ana" in result["message"]
    assert file_hash(versions.folder_of(trained, "ana", 1) / ADAPTER) == first


@pytest.mark.parametrize(
    "metrics, why",
    [
        ({"perplexity_before": 22.4, "perplexity_after": 38.2, "held_out_texts": 6}, "rose from 22 to 38"),
        ({"perplexity_before": None, "perplexity_after": None, "held_out_texts": 0}, "No text could be kept aside"),
    ],
)
def test_a_version_that_is_not_put_in_use_says_why(config: Settings, metrics: dict[str, Any], why: str):
    version = tuned.version(config, "ana", metrics=metrics)
    said = models._result(recent(config)[0], version, None, None)
    assert (said["status"], said["promoted"]) == ("success", False)
    assert said["message"].startswith("v1 was made and is not in use; the base model still writes. ")
    assert why in said["message"]


def test_a_version_that_is_put_in_use_is_named(config: Settings):
    version = tuned.version(config, "ana", promote=True)
    proof = Proof(
        user_id="ana", run_id="1", trigger="fine_tune", version_number=1, verdict="better", reasons=["Nearer."]
    )
    proof.status = RunStatus.done
    said = models._result(recent(config)[0], version, proof, version)
    assert (said["status"], said["promoted"], said["verdict"]) == ("success", True, "better")
    assert said["message"].startswith("Fine-tuned model 'zega-ana' created: v1.")


@pytest.mark.parametrize("number, says", [(0, "Keep 15 more"), (1, "Keep 14 more"), (14, "Keep 1 more")])
def test_too_few_examples_are_status_2_and_how_many_are_missing(
    config: Settings, called: Command, number: int, says: str
):
    tuned.keep(config, "ana", number)
    refused(called("fine-tune", "--writer", "ana", "--json"), 2, says)
    assert not recent(config)
    assert not list((config.home / "logs").glob("worker-*")), "nobody is set to work for nothing"


@pytest.mark.parametrize(
    "arguments, says",
    [
        (("--epochs", "0"), "epochs"),
        (("--epochs", "ten"), "epochs"),
        (("--rank", "100000"), "rank"),
        (("--learning-rate", "nan"), "learning_rate"),
        (("--batch-size", "-1"), "batch_size"),
        (("--seed", "1e99"), "seed"),
        (("--from", "v1"), "start"),
        (("--base", "a\nb"), "names no model"),
        (("--base", "x" * 10_000), "base"),
        (("--writer", "../x"), "small letters"),
        (("--nonsense",), "No such option"),
    ],
)
def test_choices_that_cannot_be_used_are_status_2_and_a_sentence(
    config: Settings, called: Command, arguments: tuple[str, ...], says: str
):
    tuned.keep(config, "default", 20)
    refused(called("fine-tune", *arguments), 2, says)


@pytest.fixture
def bases(tmp_path: Path) -> dict[str, str]:
    """What a writer may give as a base model, and none can be trained on."""
    empty, unsafe = tmp_path / "empty", tmp_path / "unsafe"
    empty.mkdir()
    shutil.copytree(ROOT / "data" / "base_model", unsafe, ignore=shutil.ignore_patterns("*.safetensors"))
    (unsafe / "pytorch_model.bin").write_bytes(b"\x80\x04K\x01.")
    return {"offline": "nobody/no-such-model", "empty": str(empty), "unsafe": str(unsafe), "path": "../../etc"}


@pytest.mark.parametrize(
    "base, says",
    [
        ("offline", "Hugging Face could not be reached, so nobody/no-such-model was not downloaded."),
        ("empty", "empty has no config.json"),
        ("unsafe", "unsafe has no weights as safetensors"),
        ("path", "../../etc names no model"),
    ],
)
def test_a_base_that_cannot_be_had_is_a_sentence(
    config: Settings, tmp_path: Path, bases: dict[str, str], base: str, says: str
):
    tuned.keep(config, "ana", 20)
    tuned.version(config, "ana", promote=True)
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
    done = zega("fine-tune", "--writer", "ana", "--base", bases[base], "--strength", "1", "--json", **nowhere)
    result = one_json(done)
    assert (done.returncode, result["status"]) == (1, "failed")
    assert says in result["message"]
    assert in_use(config) == 1
    assert not list((config.home / "fine_tunes").iterdir())


def test_going_on_from_a_version_of_another_base_is_a_sentence(config: Settings):
    tuned.keep(config, "ana", 20)
    tuned.version(config, "ana", promote=True)
    done = zega("fine-tune", "--writer", "ana", "--from", "promoted")
    assert done.returncode == 1
    assert "v1 was trained on another base model" in done.stdout
    assert in_use(config) == 1


def test_one_that_is_deleted_while_it_is_followed_is_a_sentence(config: Settings):
    tuned.keep(config, "ana", 20)
    process = subprocess.Popen(
        [sys.executable, "-m", "zega_core", "fine-tune", "--writer", "ana", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: [row for row in recent(config) if row.status == RunStatus.running])
    with db.session(config) as session:
        session.exec(delete(TrainingMetric))
        session.exec(delete(FineTune))
    out, said = process.communicate(timeout=SLOW)
    assert (process.returncode, out) == (1, "")
    assert said.strip().startswith("There is no such fine-tune.")


# --- versions, promote, roll-back


def test_no_version_yet_is_said_and_is_an_empty_array(config: Settings):
    tuned.keep(config, "ana", 1)
    done = zega("versions", "--writer", "ana")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.strip() == "There is no version yet; zega-ana is the base model."
    assert one_json(zega("versions", "--writer", "ana", "--json")) == []


def test_versions_are_listed_newest_first_with_what_a_strange_hand_wrote(config: Settings):
    tuned.version(config, "ana", name="the [/dim] dark one")
    hostile: dict[str, Any] = {"metrics": ["no", "dict"], "settings": {}, "own_share": 7.0}
    tuned.version(config, "ana", promote=True, **hostile)
    tuned.version(config, "ana", parent=2, metrics={"perplexity_before": "<b>9</b>", "perplexity_after": None})
    done = zega("versions", "--writer", "ana", COLUMNS="160")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.lstrip().startswith("v")]
    assert [line.split()[0] for line in lines] == ["v3", "v2", "v1"]
    assert "the [/dim] dark one" in lines[2]
    assert [" yes " in line for line in lines] == [False, True, False]
    assert ["38" in line and "22" in line for line in lines] == [False, False, True]
    facts = one_json(zega("versions", "--writer", "ana", "--json"))
    assert [fact["perplexity_after"] for fact in facts] == [None, None, 22.4]
    assert [fact["own_share"] for fact in facts] == [0.25, None, 0.25]


@pytest.mark.parametrize(
    "arguments, status, says",
    [
        ((), 2, "Say which version"),
        (("--version", "1", "--base"), 2, "Say which version"),
        (("--version", "7"), 1, "There is no version v7"),
        (("--version", "-1"), 2, "--version"),
        (("--version", "9" * 30), 2, "--version"),
        (("--version", "one"), 2, "--version"),
        (("--version", "2"), 1, "The files of v2 are not in"),
        (("--version", "1", "--writer", "zoe"), 1, "There is no such writer"),
        (("--version", "1", "--writer", "../x"), 2, "small letters"),
    ],
)
def test_what_cannot_be_promoted_is_a_sentence(
    config: Settings, called: Command, arguments: tuple[str, ...], status: int, says: str
):
    tuned.version(config, "ana", promote=True)
    tuned.version(config, "ana", files=False)
    refused(called("promote", "--writer", "ana", *arguments), status, says)
    assert in_use(config) == 1


def test_nothing_to_go_back_to_is_a_sentence(config: Settings):
    tuned.version(config, "ana")
    refused(zega("roll-back", "--writer", "ana"), 2, "there is nothing to go back to")
    refused(zega("roll-back", "--writer", "zoe"), 1, "There is no such writer")


def test_two_promotes_at_once_end_with_one_of_the_two_in_use(config: Settings):
    for _ in range(2):
        tuned.version(config, "ana")
    command = [sys.executable, "-m", "zega_core", "promote", "--writer", "ana", "--version"]
    both = [subprocess.Popen([*command, number], cwd=ROOT, stderr=subprocess.PIPE, text=True) for number in "12"]
    said = [process.communicate(timeout=SLOW)[1].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said == ["zega-ana is v1 now.", "zega-ana is v2 now."]
    last = in_use(config)
    assert last in (1, 2)
    assert f"v{3 - last} again" in zega("roll-back", "--writer", "ana").stderr


# --- import


def pair(seed: int, **more: str) -> str:
    return json.dumps({"prompt": f"Write about night {seed}", "completion": story(seed), **more})


def imported(config: Settings) -> list[Example]:
    with db.reading(config) as session:
        return list(session.exec(select(Example).where(Example.user_id == "ana")).all())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Four good pairs and three lines that are none."""
    path = tmp_path / "pairs.jsonl"
    lines = [pair(1), pair(2, genre="horror"), "no JSON", '{"prompt": "An empty one", "completion": " "}', pair(3), "7"]
    path.write_text("\n".join([*lines, pair(4)]), encoding="utf-8")
    return path


def test_pairs_are_taken_once_and_bad_lines_are_named(config: Settings, file: Path):
    found = one_json(zega("import", "--writer", "ana", "--file", str(file), "--own", "--json"))
    assert {name: found[name] for name in ("writer", "kept", "set_aside", "duplicates", "claimed", "bad")} == {
        "writer": "ana", "kept": 4, "set_aside": 0, "duplicates": 0, "claimed": 0, "bad": 3,
    }  # fmt: skip
    assert found["finished"] is True
    assert [line for line, _ in found["errors"]] == [3, 4, 6]
    assert {(one.source, one.status) for one in imported(config)} == {(Source.manuscript, ExampleStatus.kept)}
    again = zega("import", "--writer", "ana", "--file", str(file), "--own")
    assert again.returncode == 0
    assert "0 pairs kept, 0 set aside, 4 there already." in again.stdout
    assert "Line 3: " in again.stdout
    assert len(imported(config)) == 4


def test_pairs_of_others_are_scored_as_everything_else(config: Settings, file: Path):
    done = zega("import", "--writer", "ana", "--file", str(file))
    stored = imported(config)
    assert done.returncode == 0
    assert {one.source for one in stored} == {Source.imported}
    assert all(one.quality is not None for one in stored)
    kept = sum(one.status == ExampleStatus.kept for one in stored)
    assert done.stdout.startswith(f"{kept} pair")
    assert f", {4 - kept} set aside, 0 there already." in done.stdout


def test_a_file_of_bad_lines_only_is_status_1(config: Settings, tmp_path: Path):
    path = tmp_path / "[bold]notes.txt"
    path.write_text("Dear diary,\nnothing.\n", encoding="utf-8")
    done = zega("import", "--writer", "ana", "--file", str(path))
    assert done.returncode == 1
    assert "2 lines could not be taken" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name, says", [("missing.jsonl", "There is no file missing.jsonl"), (".", "There is no file")])
def test_what_is_no_file_is_status_2(config: Settings, called: Command, tmp_path: Path, name: str, says: str):
    refused(called("import", "--writer", "ana", "--file", str(tmp_path / name)), 2, says)


def test_a_file_that_is_no_text_is_status_2(config: Settings, tmp_path: Path):
    (tmp_path / "book.docx").write_bytes(b"PK\x03\x04\x00\x00" * 100)
    (tmp_path / "book.txt").write_text("The sea.", encoding="utf-16")
    refused(zega("import", "--writer", "ana", "--file", str(tmp_path / "book.txt")), 2, "UTF-16")
    assert "Traceback" not in zega("import", "--writer", "ana", "--file", str(tmp_path / "book.docx")).stderr


def test_an_import_that_makes_the_next_fine_tune_due_asks_for_it(config: Settings, tmp_path: Path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(pair(seed) for seed in range(16)), encoding="utf-8")
    done = zega("import", "--writer", "ana", "--file", str(path), "--own", ZEGA_FINE_TUNE_EVERY="15")
    assert done.returncode == 0
    assert [(row.trigger, row.status) for row in recent(config)] == [("automatic", RunStatus.queued)]


@pytest.mark.parametrize("command", ["fine-tune", "versions", "promote", "roll-back", "import"])
def test_help_has_an_example(called: Command, monkeypatch: pytest.MonkeyPatch, command: str):
    monkeypatch.setenv("COLUMNS", "200")
    assert f"Example: zega {command} --writer ana" in called(command, "--help").stdout
