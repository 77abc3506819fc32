"""Scoring again, killed for real: what is done is done, the rest follows, nothing twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlmodel import col, select

from tests.support.scored import add, all_pieces, says
from tests.support.worker import running, until
from zega_core import db, passes
from zega_core.configs import AutoTrainConfig
from zega_core.jobs import client
from zega_core.quality import QUALITY_VERSION
from zega_core.settings import ROOT, Settings
from zega_core.store import scores, sessions
from zega_core.tables import Taste, TrainingSession, now

pytestmark = [pytest.mark.crash, pytest.mark.usefixtures("database")]
PIECES = 300


def fill(writer: str) -> None:
    """The same pieces for every writer: some fall, some come back, some are twins."""
    with db.session() as session:
        asked = AutoTrainConfig(writer_id=writer, num_examples=PIECES)
        row = sessions.create(session, asked, teacher="x", order_seed=1)
        row.status, row.recorded, row.completed_at, row.average_quality = "done", True, now(), 5.0
    draw = random.Random(4)
    for idx in range(PIECES):
        kept = draw.random() < 0.5
        seed = idx if kept else draw.randrange(PIECES)
        text = says(round(draw.uniform(5.5, 9.0), 1), seed) + ("" if kept else " Or so.")
        add(text, writer=writer, kept=kept, session_id=row.id, idx=idx)


def progress(writer: str) -> passes.Progress | None:
    with db.reading() as session:
        return passes.read_progress(scores.peek(session, writer).rescore_result)


def done(writer: str) -> int:
    found = progress(writer)
    return found.done if found else 0


def start(writer: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.crash.rescoring", writer], cwd=ROOT, env=os.environ.copy())


def comparable(writer: str) -> list[tuple[object, ...]]:
    first = min(one["id"] for one in all_pieces(writer))
    fields = ("idx", "status", "reason", "quality", "quality_version", "quality_report", "completion", "text_hash")
    return [
        (*(one[name] for name in fields), one["duplicate_of"] and one["duplicate_of"] - first)
        for one in all_pieces(writer)
    ]


def record(writer: str) -> dict[str, object]:
    with db.reading() as session:
        row = session.exec(select(TrainingSession).where(TrainingSession.user_id == writer)).one()
    return row.model_dump(include={"average_quality", "num_examples_successful", "genre_distribution_json"})


def test_kills_lose_nothing_and_double_nothing(config: Settings):
    fill("ana")
    fill("ben")
    assert start("ben").wait(120) == 0
    draw = random.Random(7)
    for _ in range(4):
        before, process = done("ana"), start("ana")
        until(lambda before=before: done("ana") > before)
        time.sleep(draw.uniform(0.0, 0.06))
        process.kill()
        process.wait()
    assert 0 < done("ana") < PIECES
    assert start("ana").wait(120) == 0
    mine, whole = progress("ana"), progress("ben")
    assert mine is not None
    assert whole is not None
    assert mine.outcome() == whole.outcome()
    assert (whole.counted, whole.finished) == (PIECES, True)
    assert min(whole.now_kept, whole.now_set_aside) > 10
    assert comparable("ana") == comparable("ben")
    assert record("ana") == record("ben")


def test_a_worker_that_is_killed_is_followed_by_the_next(config: Settings, tmp_path: Path):
    for seed in range(1500):
        add(says(8.0, seed), quality_version=None)
    with running(config, tmp_path / "calls.txt") as worker:
        client.rescore("ana")
        until(lambda: done("ana") > 0)
        worker.kill()
        worker.wait()
    assert 0 < done("ana") < 1500
    with running(config, tmp_path / "calls.txt"):
        until(lambda: (found := progress("ana")) is not None and found.finished)
    assert done("ana") == 1500
    assert {one["quality_version"] for one in all_pieces()} == {QUALITY_VERSION}


def test_a_request_from_before_any_worker_is_found(config: Settings, tmp_path: Path):
    add(says(8.0, 1))
    client.rescore("ana")
    with running(config, tmp_path / "calls.txt"):
        until(lambda: (found := progress("ana")) is not None and found.finished)
    with db.reading() as session:
        assert session.exec(select(Taste.user_id).where(col(Taste.rescored_at) > Taste.rescore_asked_at)).one() == "ana"
