"""Runs of any kind as workers see them: rows with a status, a lease and a heartbeat.

A status moves queued -> running -> done | failed, and by the writer's wish running -> stopping -> stopped -> queued.
Whoever works on a run holds its lease; a worker that lost it writes nothing more. Every change is one statement that
is decided by the row as it is then.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import case, update
from sqlmodel import Session, col, select

from zega_core.conversation_tables import Manuscript
from zega_core.proof_tables import Export, Proof
from zega_core.tables import UNFINISHED, RunStatus, TrainingSession, now
from zega_core.version_tables import FineTune

Run = TypeVar("Run", TrainingSession, FineTune, Proof, Export, Manuscript)


def begin(session: Session, kind: type[Run], row_id: int | None, attempt: int) -> Run | None:
    """Take the run: a new lease, which ends every older one. None if it is not this attempt's to work on."""
    row = session.exec(select(kind).where(col(kind.id) == row_id).with_for_update()).first()
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


def under_way(session: Session, kind: type[Run], writer_id: str) -> list[Run]:
    """The writer's that wait or are worked on, newest first."""
    query = select(kind).where(col(kind.user_id) == writer_id, col(kind.status).in_(UNFINISHED))
    return list(session.exec(query.order_by(col(kind.id).desc())))


def holds(session: Session, row: Run, **values: Any) -> RunStatus | None:
    """Heartbeat and fence in one statement, with ``values`` for other columns: the run's status, or None when the
    lease is lost."""
    kind = type(row)
    statement = (
        update(kind)
        .where(
            col(kind.id) == row.id,
            col(kind.lease) == row.lease,
            col(kind.status).in_((RunStatus.running, RunStatus.stopping)),
        )
        .values(heartbeat_at=now(), **values)
        .returning(col(kind.status))
        .execution_options(synchronize_session=False)
    )
    status = session.exec(statement).first()
    return None if status is None else RunStatus(status[0])


def ask_to_stop(session: Session, row: Run) -> Run:
    """Stop: a run that waits ends here, one under way by its worker. One that has ended stays as it is."""
    kind = type(row)
    waits = {"status": RunStatus.stopped, "completed_at": now()}
    for status, values in ((RunStatus.queued, waits), (RunStatus.running, {"status": RunStatus.stopping})):
        session.exec(
            update(kind)
            .where(col(kind.id) == row.id, col(kind.status) == status)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
    session.refresh(row)
    return row


def queue_again(session: Session, row: Run, statuses: Sequence[RunStatus], **values: Any) -> Run | None:
    """Make a new attempt of a run whose status is one of these; None if somebody was faster."""
    kind = type(row)
    statement = (
        update(kind)
        .where(col(kind.id) == row.id, col(kind.attempt) == row.attempt, col(kind.status).in_(statuses))
        .values(
            # Decided by the row as it is now: a Stop pressed since it was read must not be lost.
            status=case(
                (col(kind.status) == RunStatus.stopping, RunStatus.stopping.value),
                else_=RunStatus.queued.value,
            ),
            attempt=row.attempt + 1,
            lease=None,
            error=None,
            **values,
        )
        .execution_options(synchronize_session=False)
    )
    if session.exec(statement).rowcount != 1:
        return None
    session.expire_all()
    return session.get(kind, row.id)


def end(session: Session, row: Run, status: RunStatus, seconds: float, error: str | None = None, **values: Any) -> bool:
    """Close the run, if its lease is still held. ``seconds`` is what this attempt worked."""
    kind = type(row)
    statement = (
        update(kind)
        .where(col(kind.id) == row.id, col(kind.lease) == row.lease)
        .values(
            status=status,
            lease=None,
            begun_at=None,
            completed_at=now(),
            active_seconds=col(kind.active_seconds) + seconds,
            error=error,
            **values,
        )
        .execution_options(synchronize_session=False)
    )
    return session.exec(statement).rowcount == 1
