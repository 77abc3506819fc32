"""What there is to tell a writer, once."""

from __future__ import annotations

from sqlalchemy import delete, func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from zega_core.conversation_tables import Manuscript, Notification
from zega_core.proof_tables import Proof
from zega_core.tables import UNFINISHED, now
from zega_core.version_tables import FineTune

KEPT = 200
"""Of a writer's; older ones are deleted."""
SHOWN = 20


def add(session: Session, notification: Notification) -> bool:
    """Store it unless the writer has one of the same key, and delete what is too old. Whether it is new."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = notification.model_dump(exclude={"id"})
    statement = insert(Notification).values(**values).on_conflict_do_nothing().returning(col(Notification.id))
    if session.exec(statement).first() is None:  # type: ignore[call-overload]
        return False
    oldest = session.exec(_of(notification.user_id).offset(KEPT).limit(1)).first()
    if oldest is not None:
        mine = col(Notification.user_id) == notification.user_id
        session.exec(delete(Notification).where(mine, col(Notification.id) <= oldest.id))
    return True


def recent(session: Session, writer_id: str, limit: int = SHOWN) -> list[Notification]:
    """Newest first."""
    return list(session.exec(_of(writer_id).limit(limit)).all())


def new(session: Session, writer_id: str) -> list[Notification]:
    """Those that no page has popped up yet, oldest first."""
    query = select(Notification).where(Notification.user_id == writer_id, col(Notification.told_at).is_(None))
    return list(session.exec(query.order_by(col(Notification.id))).all())


def unseen(session: Session, writer_id: str) -> int:
    query = select(func.count()).where(col(Notification.user_id) == writer_id, col(Notification.seen_at).is_(None))
    return session.exec(query).one()


def mark_told(session: Session, writer_id: str) -> list[Notification]:
    """Those that no page has popped up yet, oldest first: whoever calls does so now. Of two that call at once each gets
    what the other does not."""
    taken = session.exec(
        update(Notification)
        .where(col(Notification.user_id) == writer_id, col(Notification.told_at).is_(None))
        .values(told_at=now())
        .returning(col(Notification.id))
        .execution_options(synchronize_session=False)
    ).all()
    ids = [row[0] for row in taken]
    query = select(Notification).where(col(Notification.id).in_(ids)).order_by(col(Notification.id))
    return list(session.exec(query).all()) if ids else []


def mark_seen(session: Session, writer_id: str) -> list[int]:
    """The writer has opened the list: ids of those that they had not seen."""
    seen = session.exec(
        update(Notification)
        .where(col(Notification.user_id) == writer_id, col(Notification.seen_at).is_(None))
        .values(seen_at=now())
        .returning(col(Notification.id))
        .execution_options(synchronize_session=False)
    ).all()
    return [row[0] for row in seen]


def expects(session: Session, writer_id: str) -> bool:
    """Whether something of the writer's waits or goes on whose end they will be told of."""
    kinds = (FineTune, Proof, Manuscript)
    return any(
        session.exec(
            select(kind.id).where(kind.user_id == writer_id, col(kind.status).in_(UNFINISHED)).limit(1)
        ).first()
        for kind in kinds
    )


def _of(writer_id: str) -> SelectOfScalar[Notification]:
    return select(Notification).where(Notification.user_id == writer_id).order_by(col(Notification.id).desc())
