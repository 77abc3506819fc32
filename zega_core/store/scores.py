"""Scoring again: which pieces, what came of it, and who asked for it. Queries of ``rescore`` and ``settling``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, update
from sqlalchemy import select as sql_select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import load_only
from sqlmodel import Session, col, select

from zega_core.store import examples, session_teachers, writers
from zega_core.tables import Example, ExampleStatus, Story, Taste, TrainingSession, now
from zega_core.teacher_tables import Candidate

SCORED = (ExampleStatus.kept, ExampleStatus.set_aside)


@dataclass(frozen=True, slots=True)
class Text:
    """A stored piece as far as the score asks for it."""

    id: int
    session_id: int | None
    status: str
    completion: str
    prompt: str
    genre: str
    element: str
    judge_score: float | None


def row(session: Session, writer_id: str, *, hold: bool = False) -> Taste:
    """The writer's row, created if new. ``hold`` lets nobody else change it until the end of the transaction; the row
    of the writer comes first then, as everywhere."""
    if hold:
        writers.ensure(session, writer_id)
        session.flush()
        writers.lock(session, writer_id)
    query = select(Taste).where(Taste.user_id == writer_id)
    query = query.with_for_update() if hold else query
    found = session.exec(query).first()
    if found is not None:
        return found
    writers.ensure(session, writer_id)
    try:
        with session.begin_nested():
            session.add(found := Taste(user_id=writer_id))
    except IntegrityError:  # another process was first
        return session.exec(query).one()
    return found


def peek(session: Session, writer_id: str) -> Taste:
    """The same for reading: a row that is not stored where there is none."""
    return session.get(Taste, writer_id) or Taste(user_id=writer_id)


def ask(session: Session, writer_id: str) -> datetime:
    """Ask for all that is outdated to be scored again; the moment of an earlier request that still waits."""
    taste = row(session, writer_id, hold=True)
    if taste.rescore_asked_at is None or not waits(taste):
        taste.rescore_asked_at = now()
        if error(taste):  # how far it came stays; that it failed does not
            taste.rescore_result = {**(taste.rescore_result or {}), "error": ""}
        session.add(taste)
    return taste.rescore_asked_at


def ask_again(session: Session, writer_id: str, asked_at: datetime) -> datetime | None:
    """Renew a request that nobody works on any more; None if somebody was faster."""
    moment = now()
    statement = (
        update(Taste)
        .where(col(Taste.user_id) == writer_id, col(Taste.rescore_asked_at) == asked_at)
        .values(rescore_asked_at=moment)
        .execution_options(synchronize_session=False)
    )
    return moment if session.exec(statement).rowcount == 1 else None


def waits(taste: Taste) -> bool:
    """Whether a request is neither answered nor given up with an error."""
    if taste.rescore_asked_at is None or error(taste):
        return False
    return taste.rescored_at is None or taste.rescore_asked_at > taste.rescored_at


def error(taste: Taste) -> str:
    """Why the last pass did not finish; empty where nothing is said, or nothing that can be read."""
    found = taste.rescore_result
    return str(found.get("error") or "") if isinstance(found, dict) else ""


def asked(session: Session) -> list[str]:
    """The writers, whoever they are, whose request has no answer. ``waits`` says of each whether it still waits."""
    since = col(Taste.rescored_at).is_(None) | (col(Taste.rescore_asked_at) > col(Taste.rescored_at))
    return list(session.exec(select(Taste.user_id).where(col(Taste.rescore_asked_at).is_not(None), since)))


def _mine(writer_id: str) -> ColumnElement[bool]:
    return (col(Example.user_id) == writer_id) & col(Example.status).in_(SCORED) & (col(Example.completion) != "")


def _not_of(version: int) -> ColumnElement[bool]:
    return col(Example.quality_version).is_(None) | (col(Example.quality_version) != version)


def count(session: Session, writer_id: str, *, not_of: int | None = None, after: int = 0) -> int:
    """Pieces with a text and an id above ``after``; with ``not_of`` those of other versions of the score."""
    query = select(func.count()).where(_mine(writer_id), col(Example.id) > after)
    return session.exec(query if not_of is None else query.where(_not_of(not_of))).one()


def count_outdated(session: Session, writer_id: str, version: int, elements: Sequence[str]) -> int:
    """Those of other versions that can be scored: their element is one that is known."""
    query = select(func.count()).where(_mine(writer_id), _not_of(version), col(Example.element).in_(elements))
    return session.exec(query).one()


def count_before(session: Session, writer_id: str, moment: datetime | None) -> int:
    """Pieces stored before a moment; with None all."""
    query = select(func.count()).where(_mine(writer_id))
    return session.exec(query if moment is None else query.where(col(Example.created_at) < moment)).one()


def texts(
    session: Session, writer_id: str, *, not_of: int | None, after: int, limit: int, rated: bool = False
) -> list[Text]:
    """The next pieces in the order of their ids; with ``rated`` only those that the writer has rated."""
    query = sql_select(
        col(Example.id),
        col(Example.session_id),
        col(Example.status),
        col(Example.completion),
        col(Example.prompt),
        col(Example.genre),
        col(Example.element),
        col(Example.judge_score),
    ).where(_mine(writer_id), col(Example.id) > after)
    if not_of is not None:
        query = query.where(_not_of(not_of))
    if rated:
        query = query.where(col(Example.rated_at).is_not(None))
    rows = session.exec(query.order_by(col(Example.id)).limit(limit)).all()  # type: ignore[call-overload]
    return [Text(*found) for found in rows]


def candidates(session: Session, writer_id: str, ids: Iterable[int]) -> list[tuple[int, int, str]]:
    """Of the votes on these pieces: id of the candidate, id of the piece, what was written."""
    query = (
        select(Candidate.id, Example.id, Candidate.completion)
        .join(Example, (col(Example.session_id) == Candidate.session_id) & (col(Example.idx) == Candidate.idx))
        .where(Candidate.user_id == writer_id, Example.user_id == writer_id, col(Example.id).in_(list(ids)))
    )
    return [(one, piece, text) for one, piece, text in session.exec(query) if one is not None and piece is not None]


def hold_records(session: Session, writer_id: str, session_ids: Iterable[int]) -> list[int]:
    """The ended sessions among these, theirs to stay as they are until the end of the transaction. Before the
    writer's row, as runs do it: nobody waits for one who waits for them."""
    query = select(TrainingSession.id).where(
        TrainingSession.user_id == writer_id, col(TrainingSession.id).in_(list(session_ids)), TrainingSession.recorded
    )
    found = session.exec(query.order_by(col(TrainingSession.id)).with_for_update()).all()
    return [one for one in found if one is not None]


def pieces(session: Session, writer_id: str, ids: Iterable[int], *, hold: bool) -> list[Example]:
    """These pieces as they are now; ``hold`` lets nobody change them until the end of the transaction. Reports and
    moments are not read: a broken one is no reason to leave the piece without a score."""
    wanted = load_only(
        *(getattr(Example, name) for name in ("id", "user_id", "session_id", "source", "status", "reason")),
        *(getattr(Example, name) for name in ("duplicate_of", "quality", "quality_version", "judge_score")),
        *(getattr(Example, name) for name in ("decision", "text_hash", "completion")),
    )
    query = select(Example).where(_mine(writer_id), col(Example.id).in_(list(ids)))
    query = query.options(wanted).order_by(col(Example.id))
    return list(session.exec(query.with_for_update() if hold else query))


def is_kept(session: Session, writer_id: str, example_id: int) -> bool:
    query = select(Example.status).where(Example.id == example_id, Example.user_id == writer_id)
    return session.exec(query).first() == ExampleStatus.kept


def set_reports(session: Session, writer_id: str, reports: Mapping[Text, dict[str, Any]]) -> None:
    """Of pieces whose text is still the one that was measured. Their scores stay."""
    for text, report in reports.items():
        session.exec(
            update(Example)
            .where(col(Example.id) == text.id, _mine(writer_id), col(Example.completion) == text.completion)
            .values(quality_report=report)
            .execution_options(synchronize_session=False)
        )


def set_vote_qualities(session: Session, writer_id: str, qualities: Mapping[int, float]) -> None:
    """By id of the candidate. Who won stays: that was decided then."""
    if not qualities:
        return
    query = select(Candidate).where(Candidate.user_id == writer_id, col(Candidate.id).in_(list(qualities)))
    columns: list[Any] = [Candidate.id, Candidate.quality]
    for candidate in session.exec(query.options(load_only(*columns))):
        candidate.quality = qualities[candidate.id or 0]
        session.add(candidate)


def set_story_qualities(session: Session, writer_id: str, qualities: Mapping[int, float]) -> None:
    """By id of the example that a story was saved from. A story without a score has words of its own by now."""
    mine = (col(Story.user_id) == writer_id) & col(Story.example_id).in_(list(qualities))
    for example_id in session.exec(select(Story.example_id).where(mine)).all():
        if example_id is not None:
            session.exec(
                update(Story)
                .where(
                    col(Story.example_id) == example_id,
                    col(Story.user_id) == writer_id,
                    col(Story.quality).is_not(None),
                )
                .values(quality=qualities[example_id])
                .execution_options(synchronize_session=False)
            )


def write_scores_of_record(session: Session, session_id: int) -> None:
    """What of an ended session's record follows from the scores of its pieces. Its times, what fine-tuning it set
    off and how many examples the writer had before and after it are of that day and stay."""
    tally = examples.tally(session, session_id)
    models = {
        name: {key: _finite(value) or 0.0 for key, value in figures.items()} for name, figures in tally.models.items()
    }
    session.exec(
        update(TrainingSession)
        .where(col(TrainingSession.id) == session_id)
        .values(
            num_examples_successful=tally.kept,
            num_examples_set_aside=tally.set_aside,
            average_quality=_finite(tally.average),
            min_quality=_finite(tally.lowest),
            max_quality=_finite(tally.highest),
            best_performing_model=tally.best_model,
            model_performance_json=models,
            genre_distribution_json=tally.genres,
        )
        .execution_options(synchronize_session=False)
    )
    session_teachers.renew(session, session_id)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
