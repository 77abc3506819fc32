"""Exports as a worker runs them: complete or absent, whatever happens; and their files afterwards."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import zipfile
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import fake_engine
from tests.support.tuned import fine_tune, keep
from zega_core import db, exporting, versions
from zega_core.errors import Cancelled, HomeError, InvalidInput, NotFound
from zega_core.exports import build, choice, ollama
from zega_core.exports.build import Built
from zega_core.exports.ollama import Delivery
from zega_core.exports.verify import Check, Report
from zega_core.fine_tune import base as bases
from zega_core.fine_tune.forecast import Machine
from zega_core.jobs import client
from zega_core.proof_tables import Export
from zega_core.settings import Settings
from zega_core.store import exports, leases, writers
from zega_core.tables import RunStatus
from zega_core.version_tables import Version

engine = fake_engine
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def stored(config: Settings, version: Version) -> Version:
    """v3 of ana as a row, too."""
    config.prepare_home()
    version.fine_tune_id = fine_tune(config, "ana", version_number=3).id or 0
    with db.session(config) as session:
        session.add(version)
    return version


@pytest.fixture
def ask(config: Settings, engine: Any) -> Callable[..., Export]:
    """Queue an export."""

    def asked(form: str, number: int | None = None, writer: str = "ana", **how: Any) -> Export:
        run_id = client.export(writer, form, number, settings=config, **how)
        return look(config, run_id)

    return asked


def look(config: Settings, run_id: str) -> Export:
    with db.reading(config) as session:
        row = exports.by_run_id(session, run_id)
    assert row is not None
    return row


def done(config: Settings, row: Export) -> Export:
    assert exporting.run(row.run_id, row.attempt, settings=config) == RunStatus.done, look(config, row.run_id).error
    return look(config, row.run_id)


def places(config: Settings) -> list[str]:
    """All that lies under exports."""
    root = config.home / "exports"
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def built(monkeypatch: pytest.MonkeyPatch, work: Callable[..., object]) -> None:
    monkeypatch.setattr(build, "build", work)


def test_training_data_ends_as_one_file_with_its_hash(config: Settings, ask: Callable[..., Export]):
    keep(config, "ana", 3)
    row = done(config, ask("chat"))
    folder = exporting.whole(row, config)
    assert places(config) == [f"ana/{row.folder}/ana-chat.jsonl"]
    assert row.files == {"ana-chat.jsonl": bases.file_hash(folder / "ana-chat.jsonl")}
    assert row.size_bytes == (folder / "ana-chat.jsonl").stat().st_size
    assert row.notes[0].startswith("3 pairs of prompt and text. ")
    assert (row.phase, row.error, row.lease) == ("", None, None)


def test_every_model_format_ends_with_what_belongs_to_it(config: Settings, stored: Version, ask: Callable[..., Export]):
    found = {}
    for form in ("peft", "gguf"):
        row = done(config, ask(form))
        assert row.version_number == 3
        assert row.notes
        found[form] = sorted(row.files)
    assert found["peft"] == ["README.md", "adapter_config.json", "adapter_model.safetensors"]
    assert found["gguf"] == ["Modelfile", "README.md", "zega-ana-v3.gguf"]


def test_the_built_in_base_model_alone_is_exported_as_gguf_only(config: Settings, ask: Callable[..., Export]):
    with db.session(config) as session:
        writers.ensure(session, "ana")
    row = done(config, ask("gguf", choice.BASE))
    assert set(row.files) == {"zega-base.gguf", "Modelfile", "README.md"}
    assert "ollama create zega-base -f Modelfile" in " ".join(row.notes)
    with pytest.raises(InvalidInput, match="as GGUF only"):
        ask("merged", choice.BASE)


def test_a_merged_model_is_made_by_a_process_of_its_own(config: Settings, stored: Version, ask: Callable[..., Export]):
    row = done(config, ask("merged"))
    assert sorted(row.files) == [
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert not [name for name in places(config) if ".tmp" in name]


def test_ollama_is_told_what_it_must_know_and_its_report_is_kept(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    def deliver(folder: Path, writer: str, made: Version, settings: Settings, **how: Any) -> Delivery:
        assert (writer, made.number, list(folder.iterdir())) == ("ana", 3, [])
        (folder / "model.gguf").write_bytes(b"GGUF")
        how["tell"]("A sentence that is longer than a phase may be, and goes into the log.")
        return Delivery(["Ask it."], Report("zega-ana", [Check("template", True, "It is ours.")], ok=True))

    monkeypatch.setattr(ollama, "deliver", deliver)
    row = done(config, ask("ollama"))
    assert row.notes == ["Ask it."]
    assert row.report is not None
    assert row.report["checks"][0]["said"] == "It is ours."


def test_the_same_wish_twice_is_one_export_and_another_is_another(
    config: Settings, stored: Version, ask: Callable[..., Export]
):
    first = ask("gguf", one_at_a_time=True)
    assert ask("gguf", 3, one_at_a_time=True).run_id == first.run_id
    assert ask("peft", one_at_a_time=True).run_id != first.run_id
    assert ask("gguf").run_id != first.run_id


def test_another_writers_version_is_not_exported(config: Settings, stored: Version, ask: Callable[..., Export]):
    keep(config, "bo", 1)
    with pytest.raises(NotFound, match="no version v3"):
        ask("gguf", 3, writer="bo")
    with pytest.raises(NotFound, match="no such writer"):
        ask("jsonl", writer="nobody")
    assert not places(config)


def test_a_damaged_version_is_not_exported(config: Settings, stored: Version, ask: Callable[..., Export]):
    path = versions.folder_of(config, "ana", 3) / bases.ADAPTER
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    for form in ("peft", "gguf", "ollama"):
        row = ask(form)
        assert exporting.run(row.run_id, 1, settings=config) == RunStatus.failed
        assert "damaged" in (look(config, row.run_id).error or "")
    assert not places(config)


def test_too_little_space_is_told_before_anything_is_written(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(build, "machine", lambda folder: Machine(None, 1_000_000))
    row = ask("merged")
    assert exporting.run(row.run_id, 1, settings=config) == RunStatus.failed
    assert "1 MB are free" in (look(config, row.run_id).error or "")
    assert not places(config)


def test_a_disk_that_fills_up_leaves_nothing_half_made(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    def full(source: Any, target: Any, **_: Any) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    row = ask("peft")
    assert exporting.run(row.run_id, 1, settings=config) == RunStatus.failed
    error = look(config, row.run_id).error or ""
    assert "No space left" in error
    assert "free space" in error
    assert not places(config)


def test_an_error_that_nobody_foresaw_is_a_sentence(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    built(monkeypatch, lambda *_, **__: 1 / 0)
    row = ask("peft")
    assert exporting.run(row.run_id, 1, settings=config) == RunStatus.failed
    assert "ZeroDivisionError" in (look(config, row.run_id).error or "")
    assert not list((config.home / "exports" / "ana").iterdir())


def test_a_process_that_is_killed_again_and_again_is_a_sentence_with_what_helps(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(build, "CHILD", "keyword")  # it ends without a word
    row = ask("merged")
    assert exporting.run(row.run_id, 1, settings=config) == RunStatus.failed
    error = look(config, row.run_id).error or ""
    assert "want of memory" in error and error.endswith("export the adapter instead; then export again.")
    assert not places(config)


def test_stop_ends_it_and_nothing_stays(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    def slow(row: Export, folder: Path, settings: Settings, *, tell: Any, stop: threading.Event) -> Built:
        (folder / "half").write_text("half", encoding="utf-8")
        client.stop_export("ana", row.run_id, config)
        assert stop.wait(10)
        raise Cancelled("The export was stopped.")

    built(monkeypatch, slow)
    row = ask("peft")
    assert exporting.run(row.run_id, 1, settings=config) == RunStatus.stopped
    assert look(config, row.run_id).error is None
    assert not places(config)


def test_stop_that_comes_when_it_is_made_takes_nothing_away(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    """Of a model that is in Ollama already."""

    def made(row: Export, folder: Path, settings: Settings, *, tell: Any, stop: threading.Event) -> Built:
        (folder / "whole").write_text("whole", encoding="utf-8")
        client.stop_export("ana", row.run_id, config)
        assert stop.wait(10)
        return Built(["It is there."])

    built(monkeypatch, made)
    assert done(config, ask("peft")).notes == ["It is there."]


def test_one_that_waits_stops_at_once(config: Settings, stored: Version, ask: Callable[..., Export]):
    row = ask("peft")
    client.stop_export("ana", row.run_id, config)
    assert look(config, row.run_id).status == RunStatus.stopped
    assert exporting.run(row.run_id, 1, settings=config) is None


def test_a_service_that_cancels_by_itself_is_a_failure(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    def cancelled(*_: Any, **__: Any) -> Built:
        raise Cancelled("Nobody asked for this.")

    built(monkeypatch, cancelled)
    row = ask("peft")
    assert exporting.run(row.run_id, 1, settings=config) == RunStatus.failed


def test_who_lost_the_run_writes_nothing(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    def taken(row: Export, folder: Path, settings: Settings, *, tell: Any, stop: threading.Event) -> Built:
        (folder / "mine").write_text("mine", encoding="utf-8")
        with db.session(config) as session:
            assert exports.take_over(session, row) is not None
        return Built(["mine"])

    built(monkeypatch, taken)
    row = ask("peft")
    assert exporting.run(row.run_id, 1, settings=config) is None
    after = look(config, row.run_id)
    assert (after.status, after.attempt, after.notes) == (RunStatus.queued, 2, [])
    assert not places(config)
    monkeypatch.undo()


def test_a_kill_before_the_rename_is_made_good_by_the_next_attempt(
    config: Settings, stored: Version, ask: Callable[..., Export]
):
    row = ask("gguf")
    killed = config.home / "exports" / "ana" / f"{row.folder}.1.tmp"
    killed.mkdir(parents=True)
    (killed / "half.gguf.tmp").write_bytes(b"GG")
    with db.session(config) as session:
        begun = leases.begin(session, Export, row.id, 1)
        assert begun is not None
        again = exports.take_over(session, begun)
        assert again is not None
    exporting.tidy(config)
    assert not killed.exists()
    assert sorted(done(config, again).files) == ["Modelfile", "README.md", "zega-ana-v3.gguf"]


def test_a_kill_after_the_rename_is_only_noted(
    config: Settings, stored: Version, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    row = ask("peft")
    ended = leases.end
    monkeypatch.setattr(exporting.leases, "end", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        exporting.run(row.run_id, 1, settings=config)
    monkeypatch.setattr(exporting.leases, "end", ended)
    with db.session(config) as session:
        again = exports.take_over(session, look(config, row.run_id))
    assert again is not None
    built(monkeypatch, lambda *_, **__: pytest.fail("it is built already"))
    after = done(config, again)
    assert exporting.whole(after, config).is_dir()
    assert after.notes


def test_what_another_attempt_is_filling_is_left_alone(config: Settings, stored: Version, ask: Callable[..., Export]):
    row = ask("gguf")
    mine = config.home / "exports" / "ana" / f"{row.folder}.1.tmp"
    others = [mine.with_name(f"{row.folder}.0.tmp"), mine.with_name("gguf-v1-00000000.1.tmp"), mine.with_name("x.tmp")]
    finished = mine.with_name("gguf-v2-00000000")
    for folder in (mine, *others, finished):
        folder.mkdir(parents=True)
    young, old = mine.with_name("a.zip.1.part"), mine.with_name("b.zip.1.part")
    for part in (young, old):
        part.write_bytes(b"PK")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    exporting.tidy(config)
    assert mine.is_dir()
    assert finished.is_dir()  # it may be another database's of this home
    assert not any(folder.exists() for folder in others)
    assert young.exists()
    assert not old.exists()


def test_a_download_holds_the_files_and_nothing_else(config: Settings, ask: Callable[..., Export]):
    keep(config, "ana", 2)
    row = done(config, ask("alpaca"))
    folder = exporting.whole(row, config)
    (folder / "secret").symlink_to("/etc/passwd")
    (folder / "other.txt").write_text("not listed", encoding="utf-8")
    path = exporting.archive(row, config)
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == [f"{row.folder}/ana-alpaca.jsonl"]
        assert file.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert file.read(file.namelist()[0]) == (folder / "ana-alpaca.jsonl").read_bytes()
    assert exporting.archive(row, config) == path
    assert not list(path.parent.glob("*.part"))


def test_a_download_of_what_is_not_there_is_told(config: Settings, ask: Callable[..., Export]):
    keep(config, "ana", 2)
    row = ask("alpaca")
    with pytest.raises(NotFound, match="not finished"):
        exporting.archive(row, config)
    row = done(config, row)
    row.files = {"../../zega.db": "0"}
    with pytest.raises(NotFound, match="missing"):
        exporting.archive(row, config)
    shutil.rmtree(exporting.folder_of(config, row))
    with pytest.raises(NotFound, match="Delete the export"):
        exporting.archive(row, config)


def test_a_download_that_does_not_fit_is_told(
    config: Settings, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    keep(config, "ana", 2)
    row = done(config, ask("alpaca"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 0))
    with pytest.raises(HomeError, match="are free"):
        exporting.archive(row, config)


def test_deleting_takes_row_files_and_download(config: Settings, ask: Callable[..., Export]):
    keep(config, "ana", 2)
    keep(config, "bo", 2)
    row, other = done(config, ask("alpaca")), done(config, ask("alpaca", writer="bo"))
    exporting.archive(row, config)
    with pytest.raises(NotFound):
        exporting.delete("bo", row.run_id, config)
    exporting.delete("ana", row.run_id, config)
    assert places(config) == [f"bo/{other.folder}/bo-alpaca.jsonl"]
    with db.reading(config) as session:
        assert not exports.of_writer(session, "ana")


def test_files_that_cannot_be_deleted_keep_it_listed(
    config: Settings, ask: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    keep(config, "ana", 2)
    row = done(config, ask("alpaca"))

    def refused(path: Path, **_: Any) -> None:
        if not _.get("ignore_errors"):
            raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", refused)
        with pytest.raises(HomeError, match="Permission denied"):
            exporting.delete("ana", row.run_id, config)
    assert exporting.whole(look(config, row.run_id), config).is_dir()
    exporting.delete("ana", row.run_id, config)
    assert not places(config)


def test_one_that_is_being_made_is_not_deleted(config: Settings, ask: Callable[..., Export]):
    keep(config, "ana", 2)
    row = ask("alpaca")
    with pytest.raises(InvalidInput, match="Stop it first"):
        exporting.delete("ana", row.run_id, config)


def test_a_row_with_a_bad_folder_is_deleted_without_touching_files(config: Settings, ask: Callable[..., Export]):
    keep(config, "ana", 2)
    kept, bad = done(config, ask("alpaca")), done(config, ask("jsonl"))
    with db.session(config) as session:
        session.merge(bad).folder = ""
    exporting.delete("ana", bad.run_id, config)
    assert exporting.whole(kept, config).is_dir()


def test_a_copy_is_complete_and_the_original_stays(config: Settings, ask: Callable[..., Export], tmp_path: Path):
    keep(config, "ana", 2)
    row = done(config, ask("sharegpt"))
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "it's new", tmp_path / "empty"):
        assert exporting.copy_to(row, target, config) == target
        lines = (target / "ana-sharegpt.jsonl").read_text(encoding="utf-8").splitlines()
        assert [list(json.loads(line)) for line in lines] == [["conversations"]] * 2
    assert exporting.whole(row, config).is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "home", "it's new"]


def test_a_copy_never_goes_where_something_is(config: Settings, ask: Callable[..., Export], tmp_path: Path):
    keep(config, "ana", 2)
    row = done(config, ask("sharegpt"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, why in (
        ("full", "not empty"), ("file", "is a file"), ("link", "is a file"), ("no/such", "no folder"),
        ("file/below", "no folder"), ("x" * 300, "cannot be written"), ("a\0b", "NUL"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=why):
            exporting.copy_to(row, tmp_path / name, config)
    assert (tmp_path / "full" / "mine").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_place_without_rights_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    exporting.check_target(tmp_path / "new")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InvalidInput, match="write access"):
        exporting.check_target(tmp_path / "new")


def test_a_copy_that_fails_half_way_leaves_nothing(
    config: Settings, ask: Callable[..., Export], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    keep(config, "ana", 2)
    row = done(config, ask("sharegpt"))

    def full(source: Any, target: Any, **_: Any) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(InvalidInput, match="No space left"):
        exporting.copy_to(row, tmp_path / "new", config)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 0))
    with pytest.raises(InvalidInput, match="are free"):
        exporting.copy_to(row, tmp_path / "new", config)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
