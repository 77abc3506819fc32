"""Who is told what when a run ends, also when the worker was killed between the end and the telling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import tuned
from tests.support.engine import fake_engine
from zega_core import db, fine_tuning, proving
from zega_core.jobs import workflows
from zega_core.proof_tables import Proof
from zega_core.settings import Settings
from zega_core.store import notifications, proofs
from zega_core.tables import RunStatus
from zega_core.version_tables import FineTune

pytestmark = pytest.mark.usefixtures("database", "engine")
engine = fake_engine


def undecorated(step: Any) -> Callable[..., None]:
    return step.__wrapped__


def told(config: Settings, writer: str = "ana") -> list[tuple[str, str]]:
    with db.reading(config) as session:
        return [(row.kind, row.text) for row in notifications.new(session, writer)]


def ends(config: Settings, row: FineTune | Proof, **values: Any) -> Callable[..., RunStatus]:
    """In the place of what works on a run."""

    def run(run_id: str, attempt: int, *, settings: Settings) -> RunStatus:
        with db.session(config) as session:
            ended = session.get_one(type(row), row.id)
            for name, value in values.items():
                setattr(ended, name, value)
            session.add(ended)
        return values["status"]

    return run


def nobody(run_id: str, attempt: int, *, settings: Settings) -> None:
    """Another attempt of what has ended finds nothing to do."""


def test_a_version_that_is_trained(config: Settings, monkeypatch: pytest.MonkeyPatch):
    row = tuned.fine_tune(config, "ana", RunStatus.running)
    monkeypatch.setattr(fine_tuning, "run", ends(config, row, status=RunStatus.done, version_number=3))
    undecorated(workflows.train)(row.run_id, 1)
    monkeypatch.setattr(fine_tuning, "run", nobody)
    undecorated(workflows.train)(row.run_id, 1)
    assert told(config) == [("finished", "Version 3 is trained. Whether it is better is found out now.")]
    assert told(config, "ben") == []


def test_a_fine_tune_that_failed_is_told_at_each_attempt(config: Settings, monkeypatch: pytest.MonkeyPatch):
    row = tuned.fine_tune(config, "ana", RunStatus.running)
    for attempt in (1, 2):
        values = {"status": RunStatus.failed, "error": "The disk is full.", "attempt": attempt}
        monkeypatch.setattr(fine_tuning, "run", ends(config, row, **values))
        undecorated(workflows.train)(row.run_id, attempt)
        undecorated(workflows.train)(row.run_id, attempt)
    assert told(config) == [("failed", "The fine-tune could not go on: The disk is full. Nothing is lost.")] * 2


def test_a_worker_that_was_killed_before_it_told_tells_when_it_is_back(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    row = tuned.fine_tune(config, "ana", RunStatus.done, version_number=3)
    monkeypatch.setattr(fine_tuning, "run", nobody)
    undecorated(workflows.train)(row.run_id, 1)
    assert [kind for kind, _ in told(config)] == ["finished"]


def test_what_the_writer_stopped_or_what_goes_on_is_not_told(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fine_tuning, "run", nobody)
    for status in (RunStatus.stopped, RunStatus.running, RunStatus.queued):
        undecorated(workflows.train)(tuned.fine_tune(config, "ana", status).run_id, 1)
    undecorated(workflows.train)("f" * 32, 1)
    assert told(config) == []


@pytest.mark.parametrize(
    "values, kind, says",
    [
        (
            {"status": RunStatus.done, "verdict": "better", "promote": True},
            "verdict",
            "Version 1 is better than the base model and is in use now.",
        ),
        ({"status": RunStatus.done, "verdict": "worse"}, "verdict", "Version 1 is worse than the base model."),
        ({"status": RunStatus.failed, "error": "No memory."}, "failed", "The proof of version 1 could not go on: No"),
    ],
)
def test_the_verdict_of_a_proof(
    config: Settings, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], kind: str, says: str
):
    number = tuned.version(config, "ana").number
    with db.session(config) as session:
        row = proofs.create(session, "ana", number, against=None, promote=False, judge="", trigger="fine_tune")
    monkeypatch.setattr(proving, "run", ends(config, row, **values))
    undecorated(workflows.write_and_weigh)(row.run_id, 1)
    undecorated(workflows.write_and_weigh)(row.run_id, 1)
    ((found, text),) = told(config)
    assert found == kind
    assert text.startswith(says)
