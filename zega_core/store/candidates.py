"""The voting record: which teachers wrote for the same prompt, and whose piece won."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from zega_core.teacher_tables import Candidate


@dataclass(frozen=True, slots=True)
class Wins:
    model: str
    votes: int
    wins: int
    average_quality: float


def wins(session: Session, writer_id: str, session_id: int | None = None) -> list[Wins]:
    """Per model, most wins first: in how many votes it took part and how many it won. Of one session or of all."""
    won = func.sum(case((col(Candidate.won), 1), else_=0))
    query = select(Candidate.model, func.count(), won, func.avg(Candidate.quality)).where(
        Candidate.user_id == writer_id, col(Candidate.counted)
    )
    if session_id is not None:
        query = query.where(Candidate.session_id == session_id)
    query = query.group_by(Candidate.model).order_by(won.desc(), col(Candidate.model))
    return [
        Wins(model, votes, int(number), round(float(mean or 0), 2))
        for model, votes, number, mean in session.exec(query)
    ]


def of_example(session: Session, writer_id: str, session_id: int, idx: int) -> list[Candidate]:
    """What was written for one prompt, best first."""
    query = (
        select(Candidate)
        .where(Candidate.user_id == writer_id, Candidate.session_id == session_id, Candidate.idx == idx)
        .order_by(col(Candidate.won).desc(), col(Candidate.quality).desc())
    )
    return list(session.exec(query).all())
