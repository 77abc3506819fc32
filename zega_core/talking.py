"""A conversation as a program leads it: each step is one call, with all that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from logging import getLogger

from sqlmodel import Session

from zega_core import after_saving, asking, conversation, conversation_words, db, pairing, triggers
from zega_core.analytics import plural
from zega_core.conversation import Saved
from zega_core.conversation_tables import Conversation, Turn
from zega_core.errors import ZegaError
from zega_core.jobs import client
from zega_core.settings import Settings
from zega_core.store import conversations, fine_tunes

log = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    conversation: Conversation
    answers: int
    welcome: str
    question: Turn


def begin(
    writer: str,
    settings: Settings,
    *,
    purpose: str = "",
    name: str = "",
    earlier: str = "",
    noted: db.Noted | None = None,
) -> Begun:
    """A new conversation, or the one with the key ``earlier``, with its open question. ``noted`` is called with the key
    in the transaction that makes it. Raises InvalidInput, and NotFound for an earlier one that was deleted."""
    with db.session(settings) as session:
        if earlier:
            row = conversations.get(session, writer, earlier)
        else:
            row = conversation.start(session, writer, settings, purpose=purpose, name=name)
            if noted is not None:
                noted(session, row.key)
        turn = conversation.question(session, writer, row.key, settings)
        answers = conversations.answered(session, writer).get(row.key, 0)
    ask_ahead(writer, row.key, settings)
    return Begun(row, answers, conversation_words.welcome(row.purpose), turn)


def question(writer: str, key: str, settings: Settings) -> Turn:
    """The open question, else the next. Raises NotFound."""
    with db.session(settings) as session:
        turn = conversation.question(session, writer, key, settings)
    ask_ahead(writer, key, settings)
    return turn


def answer(
    writer: str, key: str, turn_id: int, text: str, settings: Settings, *, seconds: float = 0.0
) -> tuple[Saved, str | None]:
    """Save an answer; with it the id of the training that it set off, if it did. Raises as ``conversation.answer``."""
    with db.session(settings) as session:
        saved = conversation.answer(session, writer, key, turn_id, text, settings, seconds=seconds)
    return saved, after_saving.see_to_it(writer, settings)


def add_pair(
    writer: str, key: str, asked: str, text: str, settings: Settings, *, seconds: float = 0.0
) -> tuple[Saved, str | None]:
    """The same for a question that is not ZEGA's (``pairing.add_pair``)."""
    with db.session(settings) as session:
        saved = pairing.add_pair(session, writer, key, asked, text, settings, seconds=seconds)
    return saved, after_saving.see_to_it(writer, settings)


def ask_ahead(writer: str, key: str, settings: Settings) -> None:
    """Have the next questions ready before they are needed, where a teacher may ask them."""
    try:
        with db.reading(settings) as session:
            may = asking.teacher_may_ask(session, writer, settings)
        if may:
            client.prepare_questions(writer, key, settings)
    except ZegaError as error:  # questions by rules are there all the same
        log.warning("no question was asked for ahead: %s", error)


def standing(session: Session, writer: str, settings: Settings) -> tuple[int, int]:
    """How many answers there are since the last training was asked for, and how many begin the next (0: none does)."""
    return fine_tunes.pairs_since(session, writer), triggers.goal(session, writer, settings)


def deleted(answers: int) -> str:
    """What became of a conversation that was deleted with so many of its answers."""
    if not answers:
        return "The conversation is deleted. Its answers stay among your examples."
    return f"The conversation is deleted, with {plural(answers, 'answer')}. Undo brings the answers back as examples."
