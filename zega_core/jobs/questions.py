"""Asking for questions that a teacher prepares, and for an example of an answer: part of ``client``."""

from __future__ import annotations

from zlib import crc32

from zega_core import asking, db
from zega_core.conversation_tables import Turn
from zega_core.jobs import queues
from zega_core.settings import Settings, get_settings
from zega_core.store import conversations, shown


def prepare_questions(writer_id: str, conversation_key: str, settings: Settings | None = None) -> None:
    """Have a worker prepare the next questions of a conversation by a teacher, where there is one to ask. Twice between
    two questions is once. Raises NotFound."""
    settings = settings or get_settings()
    with db.reading(settings) as session:
        row = conversations.get(session, writer_id, conversation_key)
        if row.paused or not asking.teacher_may_ask(session, writer_id, settings):
            return
        waiting = len(conversations.prepared(session, row))
        newest = shown.newest_turn(session, row)
    if waiting < conversations.AHEAD:
        identity = f"questions:{row.key}:{newest}:{waiting}:{crc32(row.purpose.encode()):08x}"
        queues.hand_over(settings, "prepare_questions", queues.QUESTIONS, identity, row.key)


def ask_for_example(writer_id: str, turn_id: int, settings: Settings | None = None) -> None:
    """Have a worker write an example of an answer. It is there at once where no teacher is set up; while one is waited
    for, a second press changes nothing. Raises NotFound."""
    settings = settings or get_settings()
    turn = asking.ask_for_example(writer_id, turn_id, settings)
    if turn is not None:
        enqueue_example(turn, settings)


def enqueue_example(turn: Turn, settings: Settings) -> None:
    """Hand it to the workers. The same request twice is done once."""
    identity = f"example:{turn.id}:{turn.example_asked_at:%Y%m%dT%H%M%S%f}"
    queues.hand_over(settings, "write_example", queues.QUESTIONS, identity, turn.id)
