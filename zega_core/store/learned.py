"""What a writer's model is to learn from, and how fast it has learned so far."""

from __future__ import annotations

from statistics import median
from typing import Any

from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from zega_core.tables import Example, ExampleStatus, RunStatus
from zega_core.version_tables import FineTune

NEWEST = 5
"""Fine-tunes of one base whose pace is looked at, among this many times as many of the writer's newest."""
COLUMNS = ("id", "source", "genre", "element", "modifier", "prompt", "completion", "quality", "origin", "original")


def kept(session: Session, writer_id: str) -> list[tuple[Any, ...]]:
    """``COLUMNS`` of all that the writer has kept, oldest first; nothing in them is checked."""
    query = sql_select(*(getattr(Example, name) for name in COLUMNS)).where(
        col(Example.user_id) == writer_id, col(Example.status) == ExampleStatus.kept
    )
    rows = session.exec(query.order_by(col(Example.id))).all()  # type: ignore[call-overload]
    return [tuple(row) for row in rows]


def kinds(session: Session, writer_id: str) -> dict[int, tuple[str, str]]:
    """Genre and element of all of the writer's examples by id."""
    query = select(Example.id, Example.genre, Example.element).where(col(Example.user_id) == writer_id)
    return {identity: (genre, element) for identity, genre, element in session.exec(query) if identity is not None}


def pace(session: Session, writer_id: str, base: str) -> float | None:
    """Tokens a second in the writer's newest finished fine-tunes of a base (its name, empty for the built-in one); None
    where there are none."""
    query = (
        select(FineTune.tokens_per_second, FineTune.config)
        .where(FineTune.user_id == writer_id, FineTune.status == RunStatus.done)
        .order_by(col(FineTune.id).desc())
        .limit(NEWEST * NEWEST)
    )
    found = [
        float(rate)
        for rate, config in session.exec(query)
        if isinstance(rate, int | float) and 0 < rate < float("inf") and _base(config) == base
    ]
    return median(found[:NEWEST]) if found else None


def _base(config: object) -> object:
    return config.get("base", "") if isinstance(config, dict) else None
