"""A pair that a program adds to a conversation: a question of its own, and the writer's answer."""

from __future__ import annotations

from sqlmodel import Session

from zega_core import conversation
from zega_core.answering import checked_text
from zega_core.conversation import Saved
from zega_core.errors import InvalidInput
from zega_core.questions.ask import Question
from zega_core.settings import Settings
from zega_core.store import answers, conversations

LONGEST_QUESTION = 4_000
"""Characters."""
BY_PROGRAM = "api"
"""Who asked."""


def add_pair(
    session: Session, writer_id: str, key: str, question: str, text: str, settings: Settings, *, seconds: float = 0.0
) -> Saved:
    """Save an answer to this question, asked if it was not asked in this conversation before; a question is answered
    once (``conversation.answer``). The open question stays open. Raises InvalidInput, NotFound."""
    question = _checked(question)
    row = conversations.hold(session, writer_id, key)
    turn = answers.turn_with(session, row, question)
    if turn is None:
        text = checked_text(text)  # nothing is asked for an answer that cannot be saved
        asked = Question(question, "", "", "medium", "", "", "", 0, "", BY_PROGRAM)
        turn = conversations.add_turn(session, row, asked)
        conversations.ask(session, turn)
    return conversation.answer(session, writer_id, key, turn.id or 0, text, settings, seconds=seconds)


def _checked(question: str) -> str:
    try:
        plain = checked_text(question)
    except InvalidInput as error:
        raise InvalidInput(f"A question needs 1 to {LONGEST_QUESTION:,} characters.") from error
    if len(plain) > LONGEST_QUESTION:
        raise InvalidInput(f"A question can have {LONGEST_QUESTION:,} characters, and this has {len(plain):,}.")
    return plain
