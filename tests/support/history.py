"""Rows of a history, as runs and writers leave them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from zega_core import db
from zega_core.conversation_tables import Conversation, Turn, TurnState
from zega_core.store import session_teachers, writers
from zega_core.store.session_teachers import Sums
from zega_core.tables import Example, ExampleStatus, RunStatus, Source, TrainingSession
from zega_core.version_tables import FineTune

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def session_row(writer: str = "ana", *, days: float = 0, **more: Any) -> str:
    """A session with its record, ``days`` after noon; its id."""
    at = NOON + timedelta(days=days)
    values: dict[str, Any] = {
        "session_id": secrets.token_hex(16),
        "num_examples_requested": 10,
        "num_examples_successful": 6,
        "num_examples_set_aside": 4,
        "genres_selected": ["fantasy"],
        "draw_from": {},
        "seed": 1,
        "order_seed": 1,
        "teacher": "storyteller",
        "best_performing_model": "storyteller",
        "average_quality": 7.0,
        "min_quality": 5.0,
        "max_quality": 9.0,
        "total_time_seconds": 60.0,
        "status": RunStatus.done,
        "recorded": True,
        "started_at": at,
        "completed_at": at + timedelta(minutes=1),
        "created_at": at,
    }
    with db.session() as session:
        writers.ensure(session, writer)
        session.add(row := TrainingSession(user_id=writer, **values | more))
        session.flush()
        return row.session_id


def number_of(session_id: str) -> int:
    from sqlmodel import select

    with db.reading() as session:
        return session.exec(select(TrainingSession.id).where(TrainingSession.session_id == session_id)).one() or 0


def did(session_id: str, model: str, genre: str = "", writer: str = "ana", **sums: Any) -> None:
    """What one model did in the session, beside what others did."""
    from zega_core.teacher_tables import SessionTeacher

    with db.session() as session:
        row = {field: getattr(Sums(**sums), field) for field in Sums.__slots__}
        session.add(SessionTeacher(session_id=number_of(session_id), user_id=writer, model=model, genre=genre, **row))


def written(session_id: str, text: str, writer: str = "ana", **more: Any) -> int:
    """A piece of the session; its number. The record does not know of it until ``renewed``."""
    values: dict[str, Any] = {
        "genre": "fantasy",
        "element": "scene",
        "prompt": "A keeper mends a lantern",
        "source": Source.auto,
        "status": ExampleStatus.kept,
        "quality": 8.0,
        "model": "storyteller",
        "text_hash": secrets.token_hex(16),
    }
    with db.session() as session:
        row = Example(user_id=writer, session_id=number_of(session_id), completion=text, **values | more)
        session.add(row)
        session.flush()
        return row.id or 0


def renewed(session_id: str) -> None:
    with db.session() as session:
        session_teachers.renew(session, number_of(session_id))


def conversation_row(writer: str = "ana", *, days: float = 0, name: str = "Night shift", **more: Any) -> str:
    with db.session() as session:
        writers.ensure(session, writer)
        at = NOON + timedelta(days=days)
        row = Conversation(key=secrets.token_hex(16), user_id=writer, name=name, created_at=at, used_at=at, **more)
        session.add(row)
        return row.key


def answered(conversation: str, text: str, writer: str = "ana", *, number: int = 1, **more: Any) -> None:
    from zega_core.store import conversations

    values: dict[str, Any] = {"genre": "horror", "element": "scene", "prompt": "Why?", "quality": 8.0}
    values["text_hash"] = secrets.token_hex(16)
    with db.session() as session:
        row = conversations.get(session, writer, conversation)
        piece = Example(
            user_id=writer, completion=text, source=Source.conversation, status=ExampleStatus.kept, **values | more
        )
        session.add(piece)
        session.flush()
        session.add(
            Turn(
                conversation_id=row.id or 0,
                user_id=writer,
                number=number,
                state=TurnState.answered,
                question="Why?",
                genre=piece.genre,
                asked_by="groq/a",
                example_id=piece.id,
                seconds=30.0,
            )
        )


def fine_tune_row(writer: str = "ana", *, days: float = 0, **more: Any) -> str:
    values: dict[str, Any] = {"trigger": "writer", "config": {}, "status": RunStatus.done, "active_seconds": 90.0}
    with db.session() as session:
        writers.ensure(session, writer)
        at = NOON + timedelta(days=days)
        row = FineTune(user_id=writer, run_id=secrets.token_hex(16), created_at=at, **values | more)
        session.add(row)
        return row.run_id
