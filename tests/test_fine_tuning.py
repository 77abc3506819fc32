"""A fine-tune as a worker runs it, with a training process that does as a script says."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import delete

from tests.support import tuned
from tests.support.worker import until
from zega_core import db, fine_tuning, versions
from zega_core.child_process import ChildProcess, Ended
from zega_core.configs import TeachingConfig
from zega_core.errors import InvalidInput
from zega_core.fine_tune.plan import Plan, Row
from zega_core.learning import Task
from zega_core.proof_tables import Proof
from zega_core.settings import Settings
from zega_core.store import fine_tunes, leases, proofs, teaching
from zega_core.store import versions as rows
from zega_core.tables import RunStatus
from zega_core.version_tables import FineTune, TrainingMetric, Version

TASK = Task(
    Plan(base="built-in", data_hash="d" * 64),
    [Row(1, "Write about the sea", "The sea was grey.", 1.0, "train", False, "auto")],
    {"examples": 20, "own_share": 0.25},
)


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tuning, "CHILD", "tests.support.trainer")
    monkeypatch.setattr(fine_tuning.learning, "task", lambda writer, settings, config: TASK)


def write_script(settings: Settings, *starts: dict[str, Any]) -> None:
    folder = settings.home / "fine_tunes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "script.json").write_text(json.dumps(starts or [{}]), encoding="utf-8")


def ask(settings: Settings, writer: str = "ana") -> FineTune:
    return tuned.fine_tune(settings, writer, RunStatus.queued)


def found(settings: Settings, row: FineTune) -> FineTune:
    with db.reading(settings) as session:
        return fine_tunes.get(session, row.user_id, row.run_id)


def all_versions(settings: Settings, writer: str = "ana") -> list[Version]:
    with db.reading(settings) as session:
        return rows.all_of(session, writer)


def in_use(settings: Settings, writer: str = "ana") -> int | None:
    with db.reading(settings) as session:
        version = rows.promoted(session, writer)
    return None if version is None else version.number


def steps(settings: Settings, row: FineTune) -> list[tuple[int, bool, bool]]:
    """Step, and whether it has a loss and a validation loss."""
    with db.reading(settings) as session:
        metrics = fine_tunes.metrics(session, row.user_id, row.run_id)
    return [(one.step, one.loss is not None, one.validation_loss is not None) for one in metrics]


def run_beside(settings: Settings, row: FineTune) -> threading.Thread:
    thread = threading.Thread(target=fine_tuning.run, args=(row.run_id, row.attempt), kwargs={"settings": settings})
    thread.start()
    return thread


def asked_proofs(settings: Settings, writer: str = "ana") -> list[Proof]:
    with db.reading(settings) as session:
        return proofs.of_writer(session, writer)


def end_proofs(settings: Settings, writer: str = "ana") -> None:
    """Without a verdict that would put anything in use."""
    with db.session(settings) as session:
        for row in proofs.under_way(session, writer):
            row.status = RunStatus.done
            session.add(row)


def test_a_finished_one_is_a_version_with_its_files_and_its_proof_is_asked_for(config: Settings, database: str):
    write_script(config)
    with db.session(config) as session:
        teaching.save(session, "ana", TeachingConfig(judge="groq/llama-3.3-70b-versatile"))
    row = ask(config)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.done
    (version,) = all_versions(config)
    folder = versions.folder_of(config, "ana", 1)
    assert {path.name for path in folder.iterdir()} == {"adapter_model.safetensors", "result.json", "plan.json"}
    assert (version.number, version.data_hash, version.examples, version.own_share) == (1, "d" * 64, 20, 0.25)
    assert version.metrics["perplexity_after"] == 22.4
    assert in_use(config) is None, "the proof decides that"
    (proof,) = asked_proofs(config)
    assert (proof.version_number, proof.against, proof.promote, proof.status) == (1, None, True, RunStatus.queued)
    assert (proof.judge, proof.trigger) == ("groq/llama-3.3-70b-versatile", "fine_tune")
    after = found(config, row)
    assert (after.status, after.version_number, after.step, after.notes) == ("done", 1, 6, ["One note."])
    assert steps(config, row) == [(0, False, True), *[(step, True, True) for step in range(1, 7)]]
    assert not fine_tuning.folder_of(config, row.run_id).exists()


@pytest.mark.parametrize("after", [22.4, 40.0])
def test_a_new_version_is_compared_with_the_one_in_use_however_it_was_measured(config: Settings, after: float):
    tuned.version(config, "ana", promote=True, whole=True)
    write_script(config, {"after": after})
    row = ask(config)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.done
    assert [one.number for one in all_versions(config)] == [2, 1]
    assert in_use(config) == 1
    assert [(one.version_number, one.against, one.promote) for one in asked_proofs(config)] == [(2, 1, True)]
    assert found(config, row).notes == ["One note."]


@pytest.mark.parametrize("trouble", ["another base", "a file is gone", "a file is damaged"])
def test_what_cannot_be_compared_with_the_one_in_use_is_compared_with_the_base_and_not_put_in_its_place(
    config: Settings, trouble: str
):
    other: dict[str, Any] = {"base_hash": "c" * 64} if trouble == "another base" else {}
    tuned.version(config, "ana", promote=True, whole=True, **other)
    adapter = versions.folder_of(config, "ana", 1) / "adapter_model.safetensors"
    if trouble == "a file is gone":
        adapter.unlink()
    elif trouble == "a file is damaged":
        adapter.write_bytes(b"damaged")
    write_script(config)
    row = ask(config)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.done
    assert [(one.version_number, one.against, one.promote) for one in asked_proofs(config)] == [(2, None, False)]
    said = " ".join(found(config, row).notes)
    assert "v1, which is in use, " in said
    assert "v2 is compared with the base model and is not put in use by itself" in said
    assert ("another base model" in said) is (trouble == "another base")


def test_one_that_waits_begins_when_the_proof_of_the_newest_version_has_ended(config: Settings):
    write_script(config)
    first, second = ask(config), ask(config)
    assert fine_tuning.run(first.run_id, 1, settings=config) == RunStatus.done
    assert fine_tuning.run(second.run_id, 1, settings=config) is None
    assert found(config, second).status == RunStatus.queued
    end_proofs(config)
    assert fine_tuning.run(second.run_id, 1, settings=config) == RunStatus.done


def test_training_that_never_helped_makes_no_version_and_says_so(config: Settings):
    write_script(config, {"best_step": 0})
    row = ask(config)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.failed
    assert "did not help" in (found(config, row).error or "")
    assert not all_versions(config)


def test_stop_keeps_the_best_so_far_as_a_version(config: Settings):
    write_script(config, {"until_stop": True})
    row = ask(config)
    thread = run_beside(config, row)
    until(lambda: found(config, row).phase == "training")
    with db.session(config) as session:
        leases.ask_to_stop(session, fine_tunes.get(session, "ana", row.run_id))
    thread.join(30)
    (version,) = all_versions(config)
    assert version.metrics["stopped"] is True
    assert found(config, row).status == RunStatus.done


def test_stop_before_anything_was_learned_makes_no_version_and_continue_makes_one(config: Settings):
    write_script(config, {"until_stop": True, "best_step": 0}, {})
    row = ask(config)
    thread = run_beside(config, row)
    until(lambda: found(config, row).phase == "training")
    with db.session(config) as session:
        leases.ask_to_stop(session, fine_tunes.get(session, "ana", row.run_id))
    thread.join(30)
    assert found(config, row).status == RunStatus.stopped
    assert not all_versions(config)
    with db.session(config) as session:
        again = fine_tunes.ask_to_continue(session, fine_tunes.get(session, "ana", row.run_id))
    assert again is not None
    assert fine_tuning.run(row.run_id, 2, settings=config) == RunStatus.done
    assert len(all_versions(config)) == 1


def test_a_killed_process_is_started_again_and_goes_on(config: Settings):
    write_script(config, {"die_at": 3}, {"die_at": 5}, {})
    row = ask(config)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.done
    assert [step for step, *_ in steps(config, row)] == list(range(7))
    assert len(all_versions(config)) == 1


def test_what_was_said_just_before_a_process_was_killed_is_stored(config: Settings, monkeypatch: pytest.MonkeyPatch):
    """It has a checkpoint of it and will not say it again."""
    ended = ChildProcess.ended

    def late(self: ChildProcess) -> Ended | None:
        self._process.wait(30)  # all that it says comes between a look at its words and one at its life
        return ended(self)

    monkeypatch.setattr(ChildProcess, "ended", late)
    write_script(config, {"die_at": 4, "seconds": 0.3}, {})
    row = ask(config)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.done
    assert steps(config, row) == [(0, False, True), *[(step, True, True) for step in range(1, 7)]]
    assert found(config, row).notes == ["One note."]


def test_steps_that_a_killed_worker_had_not_stored_are_in_the_chart(config: Settings):
    write_script(config, {"die_at": 3, "steps": 6}, {})
    row = ask(config)
    process = fine_tuning.ChildProcess
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "ended", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))  # the worker is killed
        with pytest.raises(KeyboardInterrupt):
            fine_tuning.run(row.run_id, 1, settings=config)
    (fine_tuning.folder_of(config, row.run_id) / "reached").write_text("5")  # its checkpoint is further than our rows
    with db.session(config) as session:
        again = fine_tunes.take_over(session, fine_tunes.get(session, "ana", row.run_id))
    assert again is not None
    assert fine_tuning.run(row.run_id, 2, settings=config) == RunStatus.done
    assert steps(config, row) == [(0, False, True), *[(step, True, True) for step in range(1, 7)]]
    with db.reading(config) as session:
        metrics = fine_tunes.metrics(session, "ana", row.run_id)
    assert [metric.epoch for metric in metrics] == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert [metric.loss for metric in metrics[1:]] == [4 - step / 10 for step in range(1, 7)]


def test_a_process_that_is_killed_at_the_same_place_again_and_again_is_given_up_with_a_sentence(config: Settings):
    write_script(config, {"die_at": 3})
    row = ask(config)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.failed
    assert "want of memory" in (found(config, row).error or "")
    assert fine_tuning.folder_of(config, row.run_id).exists(), "Continue goes on from what is there"


def test_a_sentence_of_the_process_is_the_error(config: Settings):
    write_script(config, {"error": "v1's file is damaged. Restore it from a backup."})
    row = ask(config)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.failed
    assert found(config, row).error == "v1's file is damaged. Restore it from a backup."


def test_what_cannot_be_prepared_is_an_error_and_leaves_nothing(config: Settings, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> Task:
        raise InvalidInput("There is no such base model. Choose another.")

    write_script(config)
    monkeypatch.setattr(fine_tuning.learning, "task", refuse)
    row = ask(config)
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.failed
    assert found(config, row).error == "There is no such base model. Choose another."
    assert not fine_tuning.folder_of(config, row.run_id).exists()


def test_choices_that_another_program_wrote_are_an_error_in_words(config: Settings):
    write_script(config)
    row = tuned.fine_tune(config, "ana", RunStatus.queued, config={"epochs": "ten", "base": 7})
    assert fine_tuning.run(row.run_id, 1, settings=config) == RunStatus.failed
    assert "Traceback" not in (found(config, row).error or "")


def test_two_of_one_writer_go_one_after_the_other_two_writers_do_not_wait(config: Settings):
    write_script(config)
    first, second, other = ask(config), ask(config), ask(config, "ben")
    assert fine_tuning.run(second.run_id, 1, settings=config) is None
    assert found(config, second).status == RunStatus.queued
    assert fine_tuning.run(other.run_id, 1, settings=config) == RunStatus.done
    assert fine_tuning.run(first.run_id, 1, settings=config) == RunStatus.done
    end_proofs(config)
    assert fine_tuning.run(second.run_id, 1, settings=config) == RunStatus.done
    assert [one.number for one in all_versions(config)] == [2, 1]


def test_an_older_one_that_is_continued_waits_for_a_newer_one_under_way(config: Settings):
    """Continue was pressed on a page that did not know of the newer one; two workers could take both."""
    older = tuned.fine_tune(config, "ana", RunStatus.failed)
    newer = ask(config)
    write_script(config, {"until_stop": True})
    thread = run_beside(config, newer)
    until(lambda: found(config, newer).phase == "training")
    with db.session(config) as session:
        assert fine_tunes.ask_to_continue(session, fine_tunes.get(session, "ana", older.run_id))
        assert fine_tunes.waits_for(session, found(config, newer)) is None, "also when it is taken up again"
    assert fine_tuning.run(older.run_id, 2, settings=config) is None
    with db.session(config) as session:
        leases.ask_to_stop(session, fine_tunes.get(session, "ana", newer.run_id))
    thread.join(30)
    end_proofs(config)
    write_script(config)
    assert fine_tuning.run(older.run_id, 2, settings=config) == RunStatus.done
    assert [one.number for one in all_versions(config)] == [2, 1]


def test_an_attempt_that_was_taken_over_writes_nothing_more(config: Settings):
    write_script(config, {"until_stop": True}, {})
    row = ask(config)
    thread = run_beside(config, row)
    until(lambda: found(config, row).phase == "training")
    with db.session(config) as session:
        fine_tunes.take_over(session, fine_tunes.get(session, "ana", row.run_id))
    thread.join(30)
    assert not all_versions(config)
    assert fine_tuning.run(row.run_id, 2, settings=config) == RunStatus.done
    assert len(all_versions(config)) == 1


def test_a_fine_tune_that_is_deleted_with_its_writer_ends_and_leaves_no_files(config: Settings):
    write_script(config, {"until_stop": True})
    row = ask(config)
    thread = run_beside(config, row)
    until(lambda: found(config, row).phase == "training")
    with db.session(config) as session:
        session.exec(delete(TrainingMetric))
        session.exec(delete(FineTune))
    thread.join(30)
    assert not thread.is_alive()
    fine_tuning.tidy(config)
    assert not fine_tuning.folder_of(config, row.run_id).exists()
    assert not versions.folder_of(config, "ana", 1).exists()


KILLS: list[tuple[str, Callable[..., Any]]] = [
    ("after the number", lambda folder, target: None),
    ("after the files", lambda folder, target: move(folder, target)),
]


def move(folder: Path, target: Path) -> None:
    target.parent.mkdir(parents=True)
    shutil.copyfile(folder / "plan.json", folder / "version" / "plan.json")
    (folder / "version").rename(target)


@pytest.mark.parametrize("between", [act for _, act in KILLS], ids=[name for name, _ in KILLS])
def test_a_kill_while_the_version_is_stored_is_made_good(
    config: Settings, monkeypatch: pytest.MonkeyPatch, between: Callable[[Path, Path], None]
):
    """The worker dies between any two of number, files and row."""
    write_script(config)
    row = ask(config)
    store = fine_tuning._Work._store_version

    def dies(self: Any, result: object = None) -> None:
        with db.session(config) as session:
            assert leases.holds(session, self.row, version_number=1)
        between(self.folder, versions.folder_of(config, "ana", 1))
        raise KeyboardInterrupt

    monkeypatch.setattr(fine_tuning._Work, "_store_version", dies)
    with pytest.raises(KeyboardInterrupt):
        fine_tuning.run(row.run_id, 1, settings=config)
    monkeypatch.setattr(fine_tuning._Work, "_store_version", store)
    fine_tuning.tidy(config)
    with db.session(config) as session:
        again = fine_tunes.take_over(session, fine_tunes.get(session, "ana", row.run_id))
    assert again is not None
    assert fine_tuning.run(row.run_id, 2, settings=config) == RunStatus.done
    assert [one.number for one in all_versions(config)] == [1]
    assert [one.version_number for one in asked_proofs(config)] == [1]


def test_tidying_keeps_what_may_go_on_and_what_is_there(config: Settings):
    waiting = ask(config)
    kept = tuned.version(config, "ana")
    for name in (waiting.run_id, f"{waiting.run_id}.tmp", "f" * 32):
        (config.home / "fine_tunes" / name).mkdir(parents=True)
    deleted = tuned.version(config, "ana")
    with db.session(config) as session:
        rows.remove(session, rows.get(session, "ana", deleted.number))
    fine_tuning.tidy(config)
    assert {path.name for path in (config.home / "fine_tunes").iterdir()} == {
        waiting.run_id,
        f"{waiting.run_id}.tmp",
    }
    assert versions.folder_of(config, "ana", kept.number).exists()
    assert not versions.folder_of(config, "ana", deleted.number).exists()


def test_versions_that_another_database_of_this_home_made_are_left_alone(config: Settings):
    """zega.db was moved away, or ZEGA_DATABASE_URL set: what it knew may come back."""
    theirs = versions.folder_of(config, "ana", 1)
    theirs.mkdir(parents=True)
    (theirs / "adapter_model.safetensors").write_bytes(b"theirs")
    by_hand = theirs.with_name("v1 before the move")
    by_hand.mkdir()
    write_script(config)
    assert fine_tuning.run(ask(config).run_id, 1, settings=config) == RunStatus.done
    fine_tuning.tidy(config)
    assert (theirs / "adapter_model.safetensors").read_bytes() == b"theirs"
    assert by_hand.exists()
    (version,) = all_versions(config)
    assert version.number == 2
