"""A worker that is done as soon as it is asked: what ``jobs.client`` hands over is completed in the database."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import tuned
from tests.support.teachers import story
from zega_core import db
from zega_core.dataset import text_hash
from zega_core.jobs import queues
from zega_core.settings import Settings
from zega_core.store import fine_tunes, runs, sessions
from zega_core.tables import Example, ExampleStatus, RunStatus, now

Step = Callable[[Settings, str], None]


def work(monkeypatch: pytest.MonkeyPatch, **instead: Step) -> list[str]:
    """From now on; the names of what was handed over. ``auto_train`` and ``fine_tune`` may be done in another way."""
    asked: list[str] = []
    steps = {"auto_train": write, "fine_tune": train} | instead

    def hand_over(settings: Settings, workflow: str, queue: str, identity: str, *arguments: object) -> None:
        asked.append(identity)
        if workflow in steps:
            steps[workflow](settings, str(arguments[0]))

    monkeypatch.setattr(queues, "hand_over", hand_over)
    return asked


def write(settings: Settings, session_id: str) -> None:
    """A session that kept all but every seventh piece."""
    store(settings, session_id)
    end(settings, session_id)


def store(settings: Settings, session_id: str, first: int = 0, number: int | None = None) -> None:
    """So many of a session's pieces, beginning with this one."""
    with db.session(settings) as session:
        row = sessions.by_id(session, session_id)
        if row.status == RunStatus.queued:
            row.status, row.heartbeat_at = RunStatus.running, now()
            session.add(row)
        last = row.num_examples_requested if number is None else first + number
        for index in range(first, last):
            kept, text = index % 7 != 6, f"{story(index)[1]} {session_id} {index}"
            session.add(
                Example(
                    user_id=row.user_id,
                    session_id=row.id,
                    idx=index,
                    genre=row.genres_selected[index % len(row.genres_selected)],
                    element="scene",
                    prompt=f"Prompt {index}",
                    completion=text,
                    status=ExampleStatus.kept if kept else ExampleStatus.set_aside,
                    reason=None if kept else "Below what you keep.",
                    quality=8.5 if kept else 5.0,
                    model="storyteller",
                    text_hash=text_hash(text),
                )
            )
            session.flush()


def end(settings: Settings, session_id: str, status: RunStatus = RunStatus.done) -> None:
    with db.session(settings) as session:
        row = sessions.by_id(session, session_id)
        row.status, row.completed_at, row.active_seconds = status, now(), 12.5
        session.add(row)
        session.flush()
        runs.write_record(session, session_id)


def train(settings: Settings, run_id: str) -> None:
    with db.reading(settings) as session:
        row = fine_tunes.by_run_id(session, run_id)
    assert row is not None
    made = tuned.version(settings, row.user_id)
    with db.session(settings) as session:
        row = fine_tunes.get(session, row.user_id, run_id)
        row.status, row.version_number, row.completed_at = RunStatus.done, made.number, now()
        row.active_seconds, row.step, row.steps = 75.0, 60, 60
        session.add(row)
