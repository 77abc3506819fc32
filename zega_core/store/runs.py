"""The state of each run: the rows of sessions as workers see them.

A status moves queued -> running -> done | failed, and by the writer's wish running -> stopping -> stopped
-> queued. Whoever works on a run holds its lease; a worker that lost it writes nothing more.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import case, update
from sqlmodel import Session, col, select

from zega_core.store import examples
from zega_core.store.sessions import get
from zega_core.tables import UNFINISHED, RunStatus, TrainingSession, now


def begin(session: Session, session_id: str, attempt: int) -> TrainingSession | None:
    """Take the run: a new lease, which ends every older one. None if it is not this attempt's to work on."""
    row = session.exec(
        select(TrainingSession).where(TrainingSession.session_id == session_id).with_for_update()
    ).first()
    if row is None or row.attempt != attempt or row.status not in UNFINISHED:
        return None
    if row.status != RunStatus.stopping:
        row.status = RunStatus.running
    if row.begun_at is not None and row.heartbeat_at is not None:  # an attempt that was killed worked, too
        row.active_seconds += max(0.0, (row.heartbeat_at - row.begun_at).total_seconds())
    row.lease = secrets.token_hex(16)
    row.begun_at = row.heartbeat_at = now()
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
    """Stop: a run that waits ends here, one under way by its worker. One that has ended stays as it is."""
    row = get(session, writer_id, session_id)
    waits = {"status": RunStatus.stopped, "completed_at": now()}
    for status, values in ((RunStatus.queued, waits), (RunStatus.running, {"status": RunStatus.stopping})):
        session.exec(
            update(TrainingSession)
            .where(col(TrainingSession.id) == row.id, col(TrainingSession.status) == status)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
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
            # Decided by the row as it is now: a Stop pressed since it was read must not be lost.
            status=case(
                (col(TrainingSession.status) == RunStatus.stopping, RunStatus.stopping.value),
                else_=RunStatus.queued.value,
            ),
            attempt=row.attempt + 1,
            lease=None,
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
            begun_at=None,
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
    row.training_examples_after = examples.count_kept(session, row.user_id, until=row.completed_at)
    row.recorded = True
    session.add(row)


def unfinished(session: Session) -> list[int]:
    """Row ids, oldest first."""
    query = select(TrainingSession.id).where(col(TrainingSession.status).in_(UNFINISHED))
    return [found for found in session.exec(query.order_by(col(TrainingSession.id))) if found is not None]


def unrecorded(session: Session) -> list[str]:
    """Ended sessions whose record could not be written."""
    query = select(TrainingSession.session_id).where(
        ~col(TrainingSession.status).in_(UNFINISHED), ~col(TrainingSession.recorded)
    )
    return list(session.exec(query).all())
