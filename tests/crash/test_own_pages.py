"""Reading own pages, killed for real: nothing missing, nothing double."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.teachers import story
from tests.support.worker import running, until
from zega_core import db, own_pages
from zega_core.conversation_tables import Manuscript
from zega_core.jobs import client
from zega_core.settings import ROOT, Settings
from zega_core.store import manuscripts
from zega_core.tables import Example, RunStatus

pytestmark = [pytest.mark.crash, pytest.mark.usefixtures("database")]


def book(scenes: int) -> bytes:
    return "\n\n* * *\n\n".join(story(seed, sentences=12) for seed in range(scenes)).encode()


def passages(writer: str, row: Manuscript) -> list[Example]:
    with db.reading() as session:
        return manuscripts.page(session, writer, row.id or 0, size=10_000)


def look(row: Manuscript) -> Manuscript:
    with db.reading() as session:
        return manuscripts.get(session, row.user_id, row.run_id)


def stored(row: Manuscript) -> int:
    with db.reading() as session:
        return manuscripts.count(session, row.user_id, row.id or 0)


def add(config: Settings, writer: str, data: bytes) -> Manuscript:
    with db.session(config) as session:
        return own_pages.add(session, writer, "mine.txt", data, config)


def start(row: Manuscript) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.crash.reading", row.run_id, str(look(row).attempt)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ.copy())


def comparable(writer: str, row: Manuscript) -> list[tuple[object, ...]]:
    return [(one.idx, one.status, one.prompt, one.completion, one.quality) for one in passages(writer, row)]


def test_kills_lose_nothing_and_double_nothing(config: Settings):
    data = book(40)
    mine, whole = add(config, "ana", data), add(config, "ben", data)
    assert start(whole).wait(300) == 0
    draw = random.Random(7)
    for _ in range(4):
        before, process = stored(mine), start(mine)
        until(lambda before=before: stored(mine) > before, seconds=200)
        time.sleep(draw.uniform(0.0, 0.05))
        process.kill()
        process.wait()
    assert 0 < stored(mine) < mine.passages
    assert start(mine).wait(300) == 0
    assert look(mine).status == RunStatus.done
    assert comparable("ana", mine) == comparable("ben", whole)
    assert [one.idx for one in passages("ana", mine)] == list(range(mine.passages))


def test_a_worker_that_is_killed_is_followed_by_the_next(config: Settings, tmp_path: Path):
    data = book(200)
    with running(config, tmp_path / "calls.txt") as worker:
        run_id = client.add_pages("ana", "mine.txt", data)
        with db.reading() as session:
            row = manuscripts.get(session, "ana", run_id)
        until(lambda: stored(row) > 0, seconds=200)
        worker.kill()
        worker.wait()
    assert 0 < stored(row) < row.passages
    with running(config, tmp_path / "calls.txt"):
        until(lambda: look(row).status == RunStatus.done, seconds=300)
    assert [one.idx for one in passages("ana", row)] == list(range(row.passages))
    assert look(row).done == row.passages
