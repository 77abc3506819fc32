"""A session's examples as they come in, for who follows it."""

from __future__ import annotations

from sqlmodel import Session, col, select

from zega_core.tables import Example

MOST = 100


def after(session: Session, row_id: int, example_id: int, limit: int = MOST) -> list[Example]:
    """Those of the session that were stored after the one with this id, in the order in which they were stored. A
    session's examples are stored one after the other and an id is never given twice, so none is left out or comes
    again."""
    query = select(Example).where(Example.session_id == row_id, col(Example.id) > example_id)
    return list(session.exec(query.order_by(col(Example.id)).limit(limit)).all())
