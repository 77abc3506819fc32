"""Sessions of the history one at a time: handed in by a program, archived, deleted, and looked at closely."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, update
from sqlalchemy import select as sql_select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from zega_core.errors import ChangedElsewhere
from zega_core.store import changes, session_teachers, writers
from zega_core.store.session_teachers import Sums
from zega_core.tables import Example, ExampleStatus, TrainingSession, now
from zega_core.teacher_tables import Candidate, ProviderCall

TAKEN = "You have another session with this sessionId already. Each session has its own: use a new one, such as a UUID."
OF_A_DELETED_SESSION = "session"
"""Role of a call in the ledger whose session is gone: it was not made beside sessions."""
_UNSYNCHRONIZED = {"synchronize_session": False}


def report(
    session: Session, row: TrainingSession, teachers: Mapping[tuple[str, str], Sums], compared: Collection[str]
) -> tuple[TrainingSession, bool]:
    """Store a record that was handed in: the row, and whether it is new. One that is there with the same in the columns
    ``compared`` is given back. Raises ChangedElsewhere where the writer has anything else of that id."""
    writers.ensure(session, row.user_id)
    there = _with_id(session, row)
    if there is None:
        try:
            with session.begin_nested():
                session.add(row)
            session_teachers.write(session, row.id or 0, row.user_id, teachers)
            return row, True
        except IntegrityError:  # another request was first
            there = _with_id(session, row)
    if there is None or not there.reported or any(getattr(there, name) != getattr(row, name) for name in compared):
        raise ChangedElsewhere(TAKEN)
    return there, False


def _with_id(session: Session, row: TrainingSession) -> TrainingSession | None:
    query = select(TrainingSession).where(
        TrainingSession.user_id == row.user_id, TrainingSession.session_id == row.session_id
    )
    return session.exec(query).first()


def of_keys(session: Session, writer_id: str, keys: Collection[str]) -> list[TrainingSession]:
    """The writer's sessions among these."""
    query = select(TrainingSession).where(
        TrainingSession.user_id == writer_id, col(TrainingSession.session_id).in_(list(keys))
    )
    return list(session.exec(query.order_by(col(TrainingSession.id))))


def set_archived(session: Session, writer_id: str, keys: Collection[str], *, away: bool) -> int:
    """How many were moved out of sight, or back."""
    archived = col(TrainingSession.archived_at)
    statement = (
        update(TrainingSession)
        .where(
            col(TrainingSession.user_id) == writer_id,
            col(TrainingSession.session_id).in_(list(keys)),
            archived.is_(None) if away else archived.is_not(None),
        )
        .values(archived_at=now() if away else None)
    )
    return session.execute(statement, execution_options=_UNSYNCHRONIZED).rowcount  # type: ignore[attr-defined]


def pieces_of(session: Session, writer_id: str, row_id: int) -> dict[int, str]:
    """Every piece of the session with its status, by number."""
    query = select(Example.id, Example.status).where(Example.user_id == writer_id, Example.session_id == row_id)
    return {identity or 0: status for identity, status in session.exec(query)}


def remove(session: Session, writer_id: str, row_id: int) -> None:
    """The session, its votes, and its pieces that are not kept. Kept ones stay and are of no session any more; so do
    its calls in the ledger."""
    gone = [one for one, status in pieces_of(session, writer_id, row_id).items() if status != ExampleStatus.kept]
    changes.drop_of_examples(session, writer_id, gone)
    changes.remove(session, writer_id, gone)
    of_it: dict[type[Any], dict[str, Any]] = {
        Example: {"session_id": None, "idx": None},
        ProviderCall: {"session_id": None, "role": OF_A_DELETED_SESSION},
    }
    for table, values in of_it.items():
        mine = (col(table.user_id) == writer_id) & (col(table.session_id) == row_id)
        session.execute(update(table).where(mine).values(**values), execution_options=_UNSYNCHRONIZED)
    session.execute(sql_delete(Candidate).where(col(Candidate.session_id) == row_id))
    mine = (col(TrainingSession.user_id) == writer_id) & (col(TrainingSession.id) == row_id)
    session.execute(sql_delete(TrainingSession).where(mine), execution_options=_UNSYNCHRONIZED)


@dataclass(frozen=True, slots=True)
class Moments:
    """When the first and the last piece was stored, and when the writer last rated one; None where there is none."""

    first: datetime | None = None
    last: datetime | None = None
    rated: datetime | None = None


def moments(session: Session, row_id: int) -> Moments:
    made = col(Example.created_at)
    query = sql_select(func.min(made), func.max(made), func.max(col(Example.rated_at)))
    return Moments(*session.execute(query.where(col(Example.session_id) == row_id)).one())


def unanswered(session: Session, row_id: int) -> dict[str, int]:
    """Why pieces have no text, and how many, most first."""
    query = (
        sql_select(func.coalesce(Example.reason, ""), func.count())
        .where(col(Example.session_id) == row_id, col(Example.status) == ExampleStatus.failed)
        .group_by(func.coalesce(Example.reason, ""))
        .order_by(func.count().desc())
    )
    return {str(reason): number for reason, number in session.execute(query)}
