"""Examples of an answer that a writer asked to be shown, and what a worker needs of turns."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from zega_core.conversation_tables import Conversation, Turn
from zega_core.tables import now

GIVEN_UP = timedelta(minutes=6)
"""An example that is not there by then is no longer waited for."""


def waiting(session: Session) -> list[Turn]:
    """Everybody's turns whose example somebody may still wait for."""
    query = select(Turn).where(
        col(Turn.example_asked_at).is_not(None), col(Turn.example_asked_at) > now() - GIVEN_UP, Turn.example == ""
    )
    return list(session.exec(query).all())


def by_id(session: Session, turn_id: int) -> Turn | None:
    """Whoever's it is, as it is now: for workers."""
    query = select(Turn).where(Turn.id == turn_id)
    return session.exec(query.execution_options(populate_existing=True)).first()


def is_waited_for(turn: Turn) -> bool:
    asked_at = turn.example_asked_at
    return not turn.example and asked_at is not None and asked_at > now() - GIVEN_UP


def newest_turn(session: Session, conversation: Conversation) -> int:
    """The id of the conversation's newest turn, 0 without any."""
    query = select(func.max(Turn.id)).where(Turn.conversation_id == conversation.id)
    return session.exec(query).one() or 0
