"""Questions and examples through real workers: one that is killed while a teacher thinks loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.asker import NAME, QUESTIONS, Asker, teacher
from tests.support.talking import asked, row, started
from tests.support.worker import running, until
from zega_core import db
from zega_core.jobs import client
from zega_core.settings import Settings
from zega_core.store import conversations

pytestmark = pytest.mark.crash


def prepared(key: str) -> list[str]:
    with db.reading() as session:
        found = conversations.by_key(session, key)
        return [] if found is None else [turn.question for turn in conversations.prepared(session, found)]


def test_a_killed_worker_prepares_its_questions_all_the_same(
    config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    key = started("cosy mysteries")
    asker = Asker()
    with teacher(monkeypatch, asker) as service:
        service._delay = 1.0
        with running(config, tmp_path / "calls"):
            until(lambda: client.prepare_questions("ana", key) or service.completions)
        assert prepared(key) == []
        service._delay = 0.0
        with running(config, tmp_path / "calls"):
            until(lambda: len(prepared(key)) == conversations.AHEAD)
        assert set(prepared(key)) <= set(QUESTIONS)


def test_an_example_asked_for_before_there_was_a_worker_is_written(
    config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    turn = asked(started())
    with teacher(monkeypatch, "ok"):
        client.ask_for_example("ana", turn.id or 0)
        with running(config, tmp_path / "calls"):
            until(lambda: row(turn.id or 0)[0].example)
    assert row(turn.id or 0)[0].example_by == NAME
