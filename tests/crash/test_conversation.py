"""Answering, killed for real: what was called saved is there, and nothing is there twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlmodel import col, select

from tests.crash.answering import text_of
from tests.support.scored import all_pieces
from tests.support.talking import started
from zega_core import db
from zega_core.conversation_tables import ExampleChange, Turn, TurnState
from zega_core.settings import ROOT, Settings

pytestmark = [pytest.mark.crash, pytest.mark.usefixtures("database")]
KILLS, MORE = 4, 5


def killed_after(key: str, journal: Path, lines: int, pause: float) -> list[tuple[int, int]]:
    """Number and example of what one process called saved; it is killed a moment after so many of them."""
    command = [sys.executable, "-m", "tests.crash.answering", key, str(journal)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        time.sleep(pause)
        process.kill()
        said += process.stdout.readlines()
    whole = [line.split() for line in said if line.endswith("\n")]
    return [(int(number), int(example)) for _, number, example in whole]


def test_kills_lose_nothing_that_was_called_saved_and_double_nothing(config: Settings, tmp_path: Path):
    key, journal, draw = started(), tmp_path / "journal.txt", random.Random(5)
    journal.touch()
    saved: list[tuple[int, int]] = []
    for _ in range(KILLS):
        saved += killed_after(key, journal, MORE, draw.uniform(0.0, 0.06))
    pieces = {one["id"]: one["completion"] for one in all_pieces()}
    assert len({number for number, _ in saved}) >= KILLS * (MORE - 1)
    assert [(number, example) for number, example in saved if pieces.get(example) != text_of(number)] == []
    assert sorted(pieces.values()) == sorted({text_of(number) for number in range(len(pieces))})
    with db.reading() as session:
        turns = session.exec(select(Turn).order_by(col(Turn.number))).all()
        changes = session.exec(select(ExampleChange.example_id)).all()
    assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))
    answered = [turn.example_id for turn in turns if turn.state == TurnState.answered]
    assert sorted(answered, key=lambda one: one or 0) == sorted(pieces) == sorted(changes)
    assert len(turns) - len(answered) <= 1
