"""What a writer has answered in conversations, and how far they have come."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import case, func, text
from sqlmodel import Session, col, select

from zega_core.conversation_tables import Conversation, Turn, TurnState
from zega_core.tables import Example, Source


def of_conversation(session: Session, conversation: Conversation) -> list[Example]:
    """The examples that came of it, oldest first."""
    query = select(Example).join(Turn, col(Turn.example_id) == col(Example.id))
    return list(session.exec(query.where(Turn.conversation_id == conversation.id).order_by(col(Example.id))).all())


def turn_of(session: Session, example: Example) -> Turn | None:
    """The question that an example answers, None where that is gone."""
    query = select(Turn).where(Turn.example_id == example.id, Turn.user_id == example.user_id)
    return session.exec(query).first()


def turn_with(session: Session, conversation: Conversation, question: str) -> Turn | None:
    """The first turn of a conversation with exactly this question."""
    query = select(Turn).where(Turn.conversation_id == conversation.id, Turn.question == question)
    return session.exec(query.order_by(col(Turn.id)).limit(1)).first()


def of_writer(session: Session, writer_id: str) -> Iterator[Example]:
    """All that the writer has given and not deleted, oldest first, those of deleted conversations, too."""
    query = select(Example).where(Example.user_id == writer_id, Example.source == Source.conversation)
    yield from session.exec(query.order_by(col(Example.id)).execution_options(yield_per=500))


def counts(
    session: Session, writer_id: str, conversation: Conversation | None = None
) -> tuple[int, dict[str, int], float]:
    """How many conversations the writer has, how many turns of them (or of one of them) by state (``deleted`` where the
    answer was), and seconds spent on them."""
    conversations = session.exec(select(func.count()).where(col(Conversation.user_id) == writer_id)).one()
    gone = (col(Turn.state) == TurnState.answered) & col(Turn.example_id).is_(None)
    state = case((gone, "deleted"), else_=col(Turn.state)).label("stands")
    query = select(state, func.count(), func.sum(Turn.seconds)).where(Turn.user_id == writer_id)
    if conversation is not None:
        query = query.where(Turn.conversation_id == conversation.id)
    found = session.exec(query.group_by(text("stands"))).all()
    seconds = float(sum(seconds or 0.0 for _, _, seconds in found))
    return conversations, {state: number for state, number, _ in found}, seconds
