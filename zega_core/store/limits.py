"""The shared row of each service and key: what all workers have asked of it. Called in a transaction of its own."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from zega_core.providers.limits import Usage
from zega_core.tables import now
from zega_core.teacher_tables import RateLimit


def locked(session: Session, scope: str) -> RateLimit:
    """The row, made if there is none, and nobody else's until the transaction ends (on SQLite a transaction that
    writes is alone by itself)."""
    mine = select(RateLimit).where(RateLimit.scope == scope).with_for_update()
    row = session.exec(mine).first()
    if row is not None:
        return row
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.exec(insert(RateLimit).values(scope=scope, usage={}, updated_at=now()).on_conflict_do_nothing())  # type: ignore[call-overload]
    return session.exec(mine).one()


def save(session: Session, row: RateLimit, usage: Usage) -> None:
    row.usage, row.updated_at = usage.as_dict(), now()
    session.add(row)


def read(session: Session, scope: str) -> Usage:
    """As it is now, without a lock."""
    row = session.get(RateLimit, scope)
    return Usage.read(row.usage if row is not None else None)
