"""Conversations for tests: one that is started, and answers that are long enough and all different."""

from __future__ import annotations

from tests.support.teachers import story
from zega_core import conversation, db
from zega_core.conversation import Saved
from zega_core.conversation_tables import Turn
from zega_core.questions.ask import Question
from zega_core.settings import Settings, get_settings
from zega_core.store import conversations
from zega_core.tables import Example


def started(purpose: str = "", *, writer: str = "ana", name: str = "") -> str:
    """Its key."""
    with db.session() as session:
        return conversation.start(session, writer, get_settings(), purpose=purpose, name=name).key


def asked(key: str, *, writer: str = "ana") -> Turn:
    with db.session() as session:
        return conversation.question(session, writer, key, get_settings())


def answered(key: str, text: str, *, writer: str = "ana", turn: int | None = None, seconds: float = 0.0) -> Saved:
    """The open question, or ``turn``, answered."""
    settings: Settings = get_settings()
    with db.session() as session:
        turn = turn or conversation.question(session, writer, key, settings).id
        return conversation.answer(session, writer, key, turn or 0, text, settings, seconds=seconds)


def own_words(seed: int) -> str:
    return f"I remember it well. {story(seed)}"


def row(turn_id: int, *, writer: str = "ana") -> tuple[Turn, Example | None]:
    """A turn and its answer as they are stored."""
    with db.reading() as session:
        turn = conversations.turn(session, writer, turn_id)
        return turn, None if turn.example_id is None else session.get(Example, turn.example_id)


def told(key: str, *, writer: str = "ana") -> list[tuple[int | None, str]]:
    """Number and state of all that was asked."""
    with db.reading() as session:
        return [(turn.number, turn.state) for turn, _ in conversations.turns(session, writer, key, limit=1_000)]


def a_question(text: str, **more: object) -> Question:
    values: dict[str, object] = {
        "kind": "scene",
        "context": "",
        "difficulty": "easy",
        "genre": "fantasy",
        "element": "scene",
        "modifier": "",
        "words": 60,
        "lack": "",
        "asked_by": "a teacher",
    }
    return Question(text=text, **(values | more))  # type: ignore[arg-type]
