"""What a writer thinks of the pieces: their ratings, and the pieces that have none yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from zega_core.errors import NotFound
from zega_core.quality.spread import Scored
from zega_core.store import runs
from zega_core.tables import Example, ExampleStatus, TrainingSession

NEWEST = 2_000
"""How many ratings, or pieces that wait for one, are looked at, newest first."""
OPENING = 160
"""Characters of a text by which a writer knows it again."""

_RATED = col(Example.rated_at).is_not(None)
_HAS_TEXT = col(Example.status).in_((ExampleStatus.kept, ExampleStatus.set_aside)) & (col(Example.completion) != "")


def get(session: Session, writer_id: str, example_id: int) -> Example:
    """The writer's example; another writer's is not found, exactly like one that does not exist."""
    row = session.exec(select(Example).where(Example.user_id == writer_id, Example.id == example_id)).first()
    if row is None:
        raise NotFound("There is no such piece. It may have been deleted; choose one in History.")
    return row


def count(session: Session, writer_id: str) -> int:
    return session.exec(select(func.count()).where(col(Example.user_id) == writer_id, _RATED)).one()


@dataclass(frozen=True, slots=True)
class Row:
    """One rated piece as stored; nothing in it is checked."""

    example_id: int
    prompt: str
    report: Any
    judge_score: float | None
    stars: int | None
    decision: str | None
    opening: str


def newest(session: Session, writer_id: str) -> list[Row]:
    query = (
        select(
            Example.id,
            Example.prompt,
            Example.quality_report,
            Example.judge_score,
            Example.rating,
            Example.decision,
            func.substr(Example.completion, 1, OPENING),
        )  # type: ignore[call-overload]
        .where(Example.user_id == writer_id, _RATED)
        .order_by(col(Example.rated_at).desc(), col(Example.id).desc())
        .limit(NEWEST)
    )
    return [Row(*row) for row in session.exec(query)]


def judged(session: Session, writer_id: str) -> list[tuple[Any, float | None]]:
    """Report and judge's score of the newest pieces that a judge has seen, rated or not."""
    query = select(Example.quality_report, Example.judge_score).where(
        Example.user_id == writer_id, col(Example.judge_score).is_not(None)
    )
    return [tuple(row) for row in session.exec(query.order_by(col(Example.id).desc()).limit(NEWEST))]  # type: ignore[misc]


def scored(session: Session, writer_id: str, *, rated: bool) -> list[Scored]:
    """The newest scored pieces that have a rating, or that have none."""
    query = select(Example.id, Example.genre, Example.quality).where(
        Example.user_id == writer_id, col(Example.quality).is_not(None), _HAS_TEXT, _RATED if rated else ~_RATED
    )
    return [Scored(*row) for row in session.exec(query.order_by(col(Example.id).desc()).limit(NEWEST))]  # type: ignore[arg-type]


def is_kept(session: Session, writer_id: str, example_id: int) -> bool:
    query = select(Example.id).where(
        Example.user_id == writer_id, Example.id == example_id, Example.status == ExampleStatus.kept
    )
    return session.exec(query).first() is not None


def hold_session(session: Session, example: Example) -> None:
    """The session of the example stays as it is until the end of the transaction."""
    session.exec(select(TrainingSession.id).where(TrainingSession.id == example.session_id).with_for_update()).first()


def renew_record(session: Session, example: Example) -> None:
    """The record of the example's session counts what was kept: written again after that changed."""
    if example.session_id is None:
        return
    row = session.get(TrainingSession, example.session_id)
    if row is not None and row.recorded:
        session.flush()
        runs.write_record(session, row.session_id)
