"""Requests that are done once however often they are sent: who sent which key, and what it was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Update, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from zega_core.door_tables import OnceOnly
from zega_core.store import writers
from zega_core.tables import LONG_AGO, Writer, now

KEPT = timedelta(hours=24)
"""An answer is given again for so long."""
SILENT = timedelta(seconds=30)
"""Without a sign of life for so long, nobody works on a request any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """``row`` is as it is now. ``ours`` says that the caller is to do the request: ``row.location`` then names what was
    begun for it before, empty if nothing was."""

    row: OnceOnly
    ours: bool


def keeper(session: Session) -> str:
    """The writer under whom keys are kept that came without an API key: the one who was there first."""
    first = session.exec(select(Writer.id).order_by(col(Writer.created_at), col(Writer.id)).limit(1)).first()
    return first or writers.ids(session)[0]


def claim(session: Session, writer_id: str, key: str, request_hash: str) -> Claim:
    """Take the request, if nobody has: of two at once one does it. A key with another ``request_hash`` is nobody's."""
    tidy(session)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = OnceOnly(user_id=writer_id, key=key, request_hash=request_hash).model_dump()
    statement = insert(OnceOnly).values(**values).on_conflict_do_nothing().returning(col(OnceOnly.key))
    mine = select(OnceOnly).where(OnceOnly.user_id == writer_id, OnceOnly.key == key).with_for_update()
    made, row = False, None
    while row is None:  # one that was in the way may be let go before it can be looked at
        made = session.connection().execute(statement).first() is not None
        row = session.exec(mine.execution_options(populate_existing=True)).first()
    if made:
        return Claim(row, True)
    free = row.request_hash == request_hash and row.status is None and row.heartbeat_at < now() - SILENT
    if free:
        row.heartbeat_at = now()
        session.add(row)
    return Claim(row, free)


def beat(session: Session, writer_id: str, key: str) -> None:
    """A sign of life."""
    session.connection().execute(_mine(writer_id, key).where(col(OnceOnly.status).is_(None)).values(heartbeat_at=now()))


def begun(session: Session, writer_id: str, key: str, what: str) -> bool:
    """Note in the transaction that begins it what was begun. False when something has been begun for this request
    already: the caller then takes its own back."""
    query = _mine(writer_id, key).where(col(OnceOnly.status).is_(None), col(OnceOnly.location) == "")
    return session.connection().execute(query.values(location=what, heartbeat_at=now())).rowcount == 1


def answer(session: Session, writer_id: str, key: str, *, status: int, location: str, body: str) -> None:
    """From now on it is answered so."""
    values = {"status": status, "location": location, "body": body, "heartbeat_at": now()}
    session.connection().execute(_mine(writer_id, key).values(**values))


def let_go(session: Session, writer_id: str, key: str) -> None:
    """It came to no answer. What was begun for it stays noted, so that the next one goes on with that."""
    mine = (col(OnceOnly.user_id) == writer_id) & (col(OnceOnly.key) == key) & col(OnceOnly.status).is_(None)
    session.connection().execute(delete(OnceOnly).where(mine, col(OnceOnly.location) == ""))
    session.connection().execute(update(OnceOnly).where(mine).values(heartbeat_at=LONG_AGO))


def tidy(session: Session) -> None:
    """Forget what is too old to be asked for again."""
    old = now() - KEPT
    session.connection().execute(
        delete(OnceOnly).where(
            col(OnceOnly.created_at) < old,
            col(OnceOnly.status).is_not(None) | (col(OnceOnly.heartbeat_at) < now() - SILENT),
        )
    )


def _mine(writer_id: str, key: str) -> Update:
    return update(OnceOnly).where(col(OnceOnly.user_id) == writer_id, col(OnceOnly.key) == key)
