"""What each model did in each session, in sums: what it wrote, what of that was kept, votes, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, insert
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from zega_core.store.history_filters import Filter, Kind, conditions, real
from zega_core.tables import CallOutcome, Example, ExampleStatus, TrainingSession
from zega_core.teacher_tables import Candidate, ProviderCall, SessionTeacher

LONGEST_NAME = 100
_SCORE = real(col(Example.quality), 10)


@dataclass(slots=True)
class Sums:
    """As the columns of ``SessionTeacher``."""

    made: int | None = 0
    kept: int = 0
    scored: int = 0
    quality_sum: float = 0.0
    votes: int = 0
    wins: int = 0
    cost: float = 0.0
    unpriced: int = 0


def renew(session: Session, row_id: int) -> None:
    """Write them anew from the session's examples, votes and calls."""
    session.flush()
    writer_id = session.execute(
        sql_select(col(TrainingSession.user_id)).where(col(TrainingSession.id) == row_id)
    ).scalar_one()
    found: dict[tuple[str, str], Sums] = {}
    for model, genre, made, kept, scored, quality in session.execute(_pieces(row_id)):
        for place in {(model, genre), (model, "")}:
            sums = found.setdefault(place, Sums())
            sums.made = (sums.made or 0) + made
            sums.kept += kept
            sums.scored += scored
            sums.quality_sum += float(quality or 0)
    votes = sql_select(col(Candidate.model), func.count(), func.sum(case((col(Candidate.won), 1), else_=0)))
    votes = votes.where(col(Candidate.session_id) == row_id, col(Candidate.counted)).group_by(col(Candidate.model))
    for model, number, won in session.execute(votes):
        sums = found.setdefault((model, ""), Sums())
        sums.votes, sums.wins = number, int(won)
    for provider, model, cost, unpriced in session.execute(_calls(row_id)):
        name = (f"{provider}/{model}" if model else provider)[:LONGEST_NAME]
        sums = found.setdefault((name, ""), Sums())
        sums.cost += float(cost or 0)
        sums.unpriced += int(unpriced or 0)
    write(session, row_id, writer_id, found)


def write(session: Session, row_id: int, writer_id: str, found: Mapping[tuple[str, str], Sums]) -> None:
    """By model and genre; what was there of the session goes."""
    session.execute(delete(SessionTeacher).where(col(SessionTeacher.session_id) == row_id))
    rows = [
        {"session_id": row_id, "user_id": writer_id, "model": model, "genre": genre, **asdict(sums)}
        for (model, genre), sums in found.items()
    ]
    if rows:
        session.execute(insert(SessionTeacher), rows)


@dataclass(frozen=True, slots=True)
class TeacherShare:
    """One model over many sessions. It won ``wins`` of ``votes`` choices between several; of ``made`` pieces, where
    that is known, ``kept_of_made`` were kept. ``quality`` is the average of its scored pieces. ``cost`` is in euros as
    far as prices are known: ``unpriced`` counts answers without a price."""

    model: str
    sessions: int
    wins: int
    votes: int
    quality: float | None
    kept: int
    made: int
    kept_of_made: int
    cost: float
    unpriced: int

    @property
    def share(self) -> float | None:
        """Of what it wrote, how much was kept, 0 to 1."""
        return self.kept_of_made / self.made if self.made else None

    @property
    def cost_per_kept(self) -> float | None:
        """Euros; None where nothing was kept, or a price is not known."""
        return self.cost / self.kept if self.kept and not self.unpriced else None


def shares(session: Session, writer_id: str, found: Filter) -> list[TeacherShare]:
    """Of the sessions that a filter leaves: who had most kept first."""
    row = SessionTeacher
    made_known = case((col(row.made).is_not(None), col(row.kept)), else_=0)
    query = (
        sql_select(
            col(row.model),
            func.count(),
            *(func.sum(one) for one in (row.wins, row.votes, row.quality_sum, row.scored, row.kept)),
            func.coalesce(func.sum(row.made), 0),
            func.sum(made_known),
            *(func.sum(one) for one in (row.cost, row.unpriced)),
        )
        .where(col(row.user_id) == writer_id, col(row.genre) == "", col(row.model) != "", *_of(writer_id, found))
        .group_by(col(row.model))
    )
    shares = [
        TeacherShare(
            model, number, int(wins), int(votes), _mean(total, scored), int(kept), int(made), int(of_made),
            float(cost), int(unpriced),
        )
        for model, number, wins, votes, total, scored, kept, made, of_made, cost, unpriced in session.execute(query)
    ]  # fmt: skip
    return sorted(shares, key=lambda one: (-one.kept, one.model))


def kept_by_genre(session: Session, writer_id: str, found: Filter) -> dict[str, int]:
    """Most first."""
    row = SessionTeacher
    query = (
        sql_select(col(row.genre), func.sum(row.kept))
        .where(col(row.user_id) == writer_id, col(row.genre) > "", *_of(writer_id, found))
        .group_by(col(row.genre))
    )
    kept = {genre: int(number) for genre, number in session.execute(query) if number}
    return dict(sorted(kept.items(), key=lambda one: (-one[1], one[0])))


@dataclass(frozen=True, slots=True)
class Pairing:
    """What a teacher did with a genre."""

    genre: str
    model: str
    sessions: int
    made: int
    kept: int
    quality: float | None


def pairings(session: Session, writer_id: str, last: int) -> list[Pairing]:
    """By genre and teacher, over the ``last`` sessions of the writer that have a record."""
    row = SessionTeacher
    newest = (
        sql_select(col(TrainingSession.id))
        .where(col(TrainingSession.user_id) == writer_id, col(TrainingSession.recorded))
        .order_by(col(TrainingSession.started_at).desc())
        .limit(last)
    )
    query = (
        sql_select(
            *(col(row.genre), col(row.model), func.count()),
            *(func.sum(one) for one in (row.made, row.kept, row.quality_sum, row.scored)),
        )
        .where(col(row.session_id).in_(newest), col(row.genre) != "", col(row.model) != "", col(row.made).is_not(None))
        .group_by(col(row.genre), col(row.model))
    )
    return [
        Pairing(genre, model, number, int(made), int(kept), _mean(total, scored))
        for genre, model, number, made, kept, total, scored in session.execute(query)
    ]


def _of(writer_id: str, found: Filter) -> list[ColumnElement[bool]]:
    """Rows of the sessions that a filter leaves, archived or not."""
    told = conditions(Kind.auto_train, writer_id, found, archived=False)
    if len(told) == 1:  # the writer's, all of them
        return []
    return [col(SessionTeacher.session_id).in_(sql_select(col(TrainingSession.id)).where(*told))]


def _mean(total: float | None, number: int | None) -> float | None:
    return round(float(total or 0) / int(number), 2) if number else None


def _pieces(row_id: int) -> Any:
    there = (ExampleStatus.kept, ExampleStatus.set_aside)
    columns = (col(Example.model), col(Example.genre))
    kept = func.sum(case((col(Example.status) == ExampleStatus.kept, 1), else_=0))
    query = sql_select(*columns, func.count(), kept, func.count(_SCORE), func.sum(_SCORE))
    of_it = col(Example.session_id) == row_id
    return query.where(of_it, col(Example.status).in_(there), col(Example.model).is_not(None)).group_by(*columns)


def _calls(row_id: int) -> Any:
    columns = (col(ProviderCall.provider), col(ProviderCall.model))
    unpriced = (col(ProviderCall.cost).is_(None)) & (col(ProviderCall.outcome) == CallOutcome.ok)
    query = sql_select(*columns, func.sum(ProviderCall.cost), func.sum(case((unpriced, 1), else_=0)))
    return query.where(col(ProviderCall.session_id) == row_id, col(ProviderCall.role) == "teacher").group_by(*columns)
