"""Sessions as they lie in the database after a while, of every state, for what looks back at them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from zega_core import db
from zega_core.settings import Settings
from zega_core.store import session_teachers, writers
from zega_core.store.session_teachers import Sums
from zega_core.tables import RunStatus, TrainingSession

GENRES = ("fantasy", "dark_fantasy", "sci_fi", "mystery", "horror", "romance", "adventure", "thriller")
TEACHERS = ("groq/llama-3.3-70b", "gemini/gemini-2.5-flash", "storyteller")
LOSER = "ollama/llama3.2"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
ORDER = random.Random(7)
STATES = (*[RunStatus.done] * 7, RunStatus.stopped, RunStatus.failed, RunStatus.done)


def past_sessions(
    number: int, writer: str = "default", settings: Settings | None = None, *, start: datetime = START, **values: Any
) -> list[str]:
    """Store that many, one an hour from ``start``, oldest first; their ids. ``values`` are the same for all."""
    with db.session(settings) as session:
        writers.ensure(session, writer)
        rows = [_one(writer, start + timedelta(hours=place), place, values) for place in range(number)]
        session.add_all(rows)
        session.flush()
        for row in rows:
            _teachers(session, row)
        return [row.session_id for row in rows]


def _teachers(session: Session, row: TrainingSession) -> None:
    """What the record's teacher wrote of it, and one that lost every vote."""
    kept, made = row.num_examples_successful, row.num_examples_successful + row.num_examples_set_aside
    paid = 0.002 * made if row.teacher.startswith("gemini") else 0.0
    found = {(row.teacher, ""): Sums(made, kept, made, made * (row.average_quality or 0), made, made, paid)}
    for genre, number in row.genre_distribution_json.items():
        found[row.teacher, genre] = Sums(made // len(row.genre_distribution_json), number, made, made * 8.0)
    found[LOSER, ""] = Sums(votes=made)
    session_teachers.write(session, row.id or 0, row.user_id, found)


def _one(writer: str, moment: datetime, place: int, values: dict[str, Any]) -> TrainingSession:
    requested = ORDER.choice((10, 20, 50))
    kept = ORDER.randrange(requested // 2, requested - 1)
    quality = round(ORDER.uniform(6.5, 9.0), 2)
    genres = ORDER.sample(GENRES, ORDER.randrange(1, 4))
    teacher = TEACHERS[place % len(TEACHERS)]
    told: dict[str, Any] = {
        "num_examples_requested": requested,
        "num_examples_successful": kept,
        "num_examples_set_aside": requested - kept - 1,
        "num_examples_failed": 1,
        "genres_selected": genres,
        "genre_distribution_json": {genre: kept // len(genres) for genre in genres},
        "seed": place,
        "order_seed": 1,
        "draw_from": {},
        "teacher": teacher,
        "best_performing_model": teacher,
        "model_performance_json": {teacher: {"count": kept, "avg_quality": quality, "total_quality": kept * quality}},
        "average_quality": quality,
        "min_quality": round(quality - 1.4, 1),
        "max_quality": round(min(10.0, quality + 1.1), 1),
        "total_time_seconds": float(ORDER.randrange(20, 900)),
        "recorded": True,
        "started_at": moment,
        "completed_at": moment + timedelta(minutes=9),
        "created_at": moment,
        "status": STATES[place % len(STATES)],
    } | values
    if told["status"] == RunStatus.failed:
        told.setdefault("error", "Groq refused the last three requests: its free daily limit is used up.")
    return TrainingSession(user_id=writer, session_id=f"{ORDER.getrandbits(128):032x}", **told)
