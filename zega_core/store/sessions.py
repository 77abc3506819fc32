"""Training sessions: the history, and the state of each run.

A run's status moves queued -> running -> done | failed, and by the writer's wish running -> stopping ->
stopped -> queued. Whoever works on a run holds its lease; a worker that lost it writes nothing more.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from zega_core.configs import AutoTrainConfig, check_genres
from zega_core.errors import NotFound
from zega_core.store import examples, writers
from zega_core.tables import UNFINISHED, RunStatus, TrainingSession, Writer, now

DOUBLE_PRESS = 2.0
"""Seconds within which a second press that asks for the same is taken for the first one's echo."""


def create(session: Session, config: AutoTrainConfig, *, teacher: str, order_seed: int) -> TrainingSession:
    """A queued session. Without a seed it continues the writer's own order of combinations where the last
    session ended; with one it begins that seed's order anew."""
    writers.ensure(session, config.writer_id)
    genres = check_genres(config.genres)
    row = TrainingSession(
        user_id=config.writer_id,
        session_id=secrets.token_hex(16),
        num_examples_requested=config.num_examples,
        genres_selected=list(genres),
        stored_in_memory=config.store_in_memory,
        saved_to_database=config.save_to_database,
        seed=secrets.randbelow(2**31) if config.seed is None else config.seed,
        order_seed=order_seed if config.seed is None else config.seed,
        draw_from=draws_taken(session, config.writer_id, order_seed) if config.seed is None else {},
        teacher=teacher,
        training_examples_before=examples.count_kept(session, config.writer_id),
        started_at=now(),
    )
    session.add(row)
    session.flush()
    return row


def pressed_already(session: Session, config: AutoTrainConfig) -> TrainingSession | None:
    """What an earlier press of the same button has made: the writer's unfinished session, or one that asked
    for the same a moment ago. The writer's row is locked, so two presses cannot both find nothing."""
    writers.ensure(session, config.writer_id)
    session.exec(select(Writer.id).where(Writer.id == config.writer_id).with_for_update()).one()
    row = latest(session, config.writer_id)
    if row is None:
        return None
    same = (row.num_examples_requested, tuple(row.genres_selected)) == (
        config.num_examples,
        check_genres(config.genres),
    )
    moment_ago = now() - row.created_at < timedelta(seconds=DOUBLE_PRESS)
    return row if row.status in UNFINISHED or (same and moment_ago) else None


def draws_taken(session: Session, writer_id: str, order_seed: int) -> dict[str, int]:
    """Per genre: how many combinations of this order the writer's sessions have taken."""
    query = select(TrainingSession.genres_selected, TrainingSession.num_examples_requested).where(
        TrainingSession.user_id == writer_id, TrainingSession.order_seed == order_seed
    )
    taken: dict[str, int] = {}
    for genres, number in session.exec(query):
        for position, genre in enumerate(genres):
            taken[genre] = taken.get(genre, 0) + len(range(position, number, len(genres)))
    return taken


def get(session: Session, writer_id: str, session_id: str) -> TrainingSession:
    """The writer's session; another writer's is not found, exactly like one that does not exist."""
    query = select(TrainingSession).where(
        TrainingSession.user_id == writer_id, TrainingSession.session_id == session_id
    )
    row = session.exec(query).first()
    if row is None:
        raise NotFound("There is no such session. It may have been deleted; choose one in History.")
    return row


def latest(session: Session, writer_id: str) -> TrainingSession | None:
    """The session that Auto-Train shows: the newest unfinished one, else the newest."""
    query = (
        select(TrainingSession)
        .where(TrainingSession.user_id == writer_id)
        .order_by(col(TrainingSession.status).in_(UNFINISHED).desc(), col(TrainingSession.id).desc())
    )
    return session.exec(query).first()


def count(session: Session, writer_id: str) -> int:
    query = select(func.count()).select_from(TrainingSession).where(col(TrainingSession.user_id) == writer_id)
    return session.exec(query).one()


def page(session: Session, writer_id: str, *, number: int = 1, size: int = 10) -> list[TrainingSession]:
    """Page ``number`` (from 1), newest first."""
    query = (
        select(TrainingSession)
        .where(TrainingSession.user_id == writer_id)
        .order_by(col(TrainingSession.started_at).desc(), col(TrainingSession.id).desc())
        .offset((number - 1) * size)
        .limit(size)
    )
    return list(session.exec(query).all())


@dataclass(frozen=True, slots=True)
class Totals:
    sessions: int
    requested: int
    kept: int
    scored: int
    stories: int
    average_quality: float | None
    seconds: float
    fine_tunes: int


def totals(session: Session, writer_id: str) -> Totals:
    """Over the finished sessions of a writer; the average weighs each session by what it scored."""
    scored = col(TrainingSession.num_examples_successful) + col(TrainingSession.num_examples_set_aside)
    query = sql_select(
        func.count(),
        func.coalesce(func.sum(TrainingSession.num_examples_requested), 0),
        func.coalesce(func.sum(TrainingSession.num_examples_successful), 0),
        func.coalesce(func.sum(scored), 0),
        func.coalesce(func.sum(TrainingSession.stories_saved_count), 0),
        func.sum(col(TrainingSession.average_quality) * scored),
        func.coalesce(func.sum(TrainingSession.total_time_seconds), 0.0),
        func.count().filter(col(TrainingSession.fine_tuning_triggered)),
    ).where(col(TrainingSession.user_id) == writer_id, col(TrainingSession.recorded))
    sessions, requested, kept, number, stories, weighted, seconds, fine_tunes = session.exec(query).one()  # type: ignore[call-overload]
    average = round(weighted / number, 2) if number and weighted is not None else None
    return Totals(sessions, requested, kept, number, stories, average, float(seconds), fine_tunes)


def seconds_per_example(session: Session, teacher: str, last: int = 20) -> float | None:
    """Median over the last finished runs with this teacher, whoever's they were; None without any."""
    query = (
        select(
            TrainingSession.total_time_seconds,
            TrainingSession.num_examples_successful
            + TrainingSession.num_examples_set_aside
            + TrainingSession.num_examples_failed,
        )
        .where(TrainingSession.teacher == teacher, col(TrainingSession.recorded))
        .order_by(col(TrainingSession.id).desc())
        .limit(last)
    )
    rates = sorted(seconds / number for seconds, number in session.exec(query) if number)
    return rates[len(rates) // 2] if rates else None


# --- the run -----------------------------------------------------------------------------------------------


def begin(session: Session, session_id: str, attempt: int) -> TrainingSession | None:
    """Take the run: a new lease, which ends every older one. None if it is not this attempt's to work on."""
    row = session.exec(
        select(TrainingSession).where(TrainingSession.session_id == session_id).with_for_update()
    ).first()
    if row is None or row.attempt != attempt or row.status not in UNFINISHED:
        return None
    if row.status != RunStatus.stopping:
        row.status = RunStatus.running
    row.lease = secrets.token_hex(16)
    row.heartbeat_at = now()
    row.error = None
    session.add(row)
    return row


def holds(session: Session, row: TrainingSession) -> RunStatus | None:
    """Heartbeat and fence in one statement: the run's status, or None when the lease is lost."""
    statement = (
        update(TrainingSession)
        .where(
            col(TrainingSession.id) == row.id,
            col(TrainingSession.lease) == row.lease,
            col(TrainingSession.status).in_((RunStatus.running, RunStatus.stopping)),
        )
        .values(heartbeat_at=now())
        .returning(col(TrainingSession.status))
        .execution_options(synchronize_session=False)
    )
    status = session.exec(statement).first()
    return None if status is None else RunStatus(status[0])


def ask_to_stop(session: Session, writer_id: str, session_id: str) -> TrainingSession:
    """Stop as soon as the pieces in flight are stored. A session that has ended stays as it is."""
    row = get(session, writer_id, session_id)
    statement = (
        update(TrainingSession)
        .where(
            col(TrainingSession.id) == row.id,
            col(TrainingSession.status).in_((RunStatus.queued, RunStatus.running)),
        )
        .values(status=RunStatus.stopping)
        .execution_options(synchronize_session=False)
    )
    session.exec(statement)
    session.refresh(row)
    return row


def ask_to_continue(session: Session, writer_id: str, session_id: str) -> TrainingSession | None:
    """Queue what an ended session still lacks, examples without an answer included; None if there is nothing
    to continue, or another press was first."""
    row = get(session, writer_id, session_id)
    ended = [RunStatus.stopped, RunStatus.failed]
    return _queue_again(session, row, [*ended, RunStatus.done] if row.num_examples_failed else ended)


def take_over(session: Session, row: TrainingSession) -> TrainingSession | None:
    """Make a new attempt of a run that nobody works on any more; None if somebody was faster."""
    return _queue_again(session, row, UNFINISHED)


def _queue_again(session: Session, row: TrainingSession, statuses: Sequence[RunStatus]) -> TrainingSession | None:
    statement = (
        update(TrainingSession)
        .where(
            col(TrainingSession.id) == row.id,
            col(TrainingSession.attempt) == row.attempt,
            col(TrainingSession.status).in_(statuses),
        )
        .values(
            status=RunStatus.stopping if row.status == RunStatus.stopping else RunStatus.queued,
            attempt=row.attempt + 1,
            lease=None,
            heartbeat_at=None,
            recorded=False,
            error=None,
        )
        .execution_options(synchronize_session=False)
    )
    if session.exec(statement).rowcount != 1:
        return None
    session.expire_all()
    return session.get(TrainingSession, row.id)


def end(session: Session, row: TrainingSession, status: RunStatus, seconds: float, error: str | None = None) -> bool:
    """Close the run, if its lease is still held. ``seconds`` is what this attempt worked."""
    statement = (
        update(TrainingSession)
        .where(col(TrainingSession.id) == row.id, col(TrainingSession.lease) == row.lease)
        .values(
            status=status,
            lease=None,
            completed_at=now(),
            active_seconds=col(TrainingSession.active_seconds) + seconds,
            error=error,
        )
        .execution_options(synchronize_session=False)
    )
    return session.exec(statement).rowcount == 1


def write_record(session: Session, session_id: str) -> None:
    """Fill in the history fields of an ended session from its examples. Writing it twice changes nothing."""
    row = session.exec(select(TrainingSession).where(TrainingSession.session_id == session_id)).one()
    tally = examples.tally(session, row.id or 0)
    row.num_examples_successful = tally.kept
    row.num_examples_failed = tally.failed
    row.num_examples_set_aside = tally.set_aside
    row.stories_saved_count = tally.stories
    row.average_quality, row.min_quality, row.max_quality = tally.average, tally.lowest, tally.highest
    row.best_performing_model = tally.best_model
    row.model_performance_json = tally.models
    row.genre_distribution_json = tally.genres
    row.total_time_seconds = round(row.active_seconds, 3)
    row.training_examples_after = examples.count_kept(session, row.user_id)
    row.recorded = True
    session.add(row)


def unfinished(session: Session) -> list[TrainingSession]:
    query = select(TrainingSession).where(col(TrainingSession.status).in_(UNFINISHED))
    return list(session.exec(query.order_by(col(TrainingSession.id))).all())


def unrecorded(session: Session) -> list[str]:
    """Ended sessions whose record could not be written."""
    query = select(TrainingSession.session_id).where(
        ~col(TrainingSession.status).in_(UNFINISHED), ~col(TrainingSession.recorded)
    )
    return list(session.exec(query).all())
