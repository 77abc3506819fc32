"""Questions that a teacher prepares while the writer still answers, and examples of an answer that they ask to see.

Nothing waits for a teacher: where none is there, or what it says cannot be used, the page asks by the grammar.
"""

from __future__ import annotations

from datetime import timedelta
from logging import getLogger
from zlib import crc32

from sqlmodel import Session

from zega_core import db, staffing, teacher_checks, teachers
from zega_core.conversation_tables import Conversation, Turn
from zega_core.covering import covered
from zega_core.errors import BadAnswer, ProviderError, ZegaError
from zega_core.pieces import storable
from zega_core.providers.base import Call, ChatModel
from zega_core.questions.ask import Past, Question, example_by_storyteller
from zega_core.questions.by_teacher import by_teacher, example_by_teacher
from zega_core.questions.coverage import Coverage
from zega_core.questions.likeness import Asked
from zega_core.questions.purpose import read_purpose
from zega_core.settings import Settings
from zega_core.store import conversations, ledger, shown, teaching
from zega_core.store.conversations import AHEAD
from zega_core.tables import now

log = getLogger(__name__)

ASKS = 2
"""How often a teacher is asked for one question: once, and once more when it answered with none."""
STORYTELLER = "storyteller"
A_DAY = timedelta(days=1)


def teacher_may_ask(session: Session, writer_id: str, settings: Settings) -> bool:
    """Whether any teacher but the storyteller is set up and on, and none of them known to be away just now. Asks
    nobody."""
    config = teaching.load(session, writer_id)
    places = [place for place in teachers.places(settings, config) if not place.absent]
    looks = (teacher_checks.recent_look(session, writer_id, place.key) for place in places)
    return any(look is None or look.state == "ready" for look in looks)


def prepare(conversation_key: str, settings: Settings) -> None:
    """Have up to ``AHEAD`` questions by a teacher wait in a conversation. Fewer, or none, when nobody can be asked or
    nothing usable comes: that is no error."""
    for number in range(AHEAD):
        if not _prepare_one(conversation_key, number, settings):
            return


def ask_for_example(writer_id: str, turn_id: int, settings: Settings) -> Turn | None:
    """Note that the writer wants to see an example of an answer. Where no teacher is set up, the storyteller's is there
    at once. The turn when a worker is to write it, None when nothing is left to do. Raises NotFound."""
    with db.reading(settings) as session:
        turn = conversations.turn(session, writer_id, turn_id)
        by_worker = teacher_may_ask(session, writer_id, settings)
    at_once = "" if by_worker or turn.example or shown.is_waited_for(turn) else _by_storyteller(turn)
    with db.session(settings) as session:  # nobody waits for the storyteller
        turn = conversations.hold_turn(session, writer_id, turn_id)
        if turn.example:
            return None
        if not shown.is_waited_for(turn):
            turn.example_asked_at = now()
            if at_once:
                turn.example, turn.example_by = at_once, STORYTELLER
            session.add(turn)
            session.flush()
        return None if turn.example else turn


def write_example(turn_id: int, settings: Settings) -> None:
    """Write the example that a writer asked to see: by a teacher, else by the storyteller. One that nobody waits for,
    or that is there, is left alone."""
    with db.reading(settings) as session:
        turn = shown.by_id(session, turn_id)
        if turn is None or turn.example_asked_at is None or turn.example:
            return
        spent = _spent(session, session.get_one(Conversation, turn.conversation_id))
    text, by = _example(turn, spent, settings)
    with db.session(settings) as session:
        there = shown.by_id(session, turn_id)
        if there is not None and not there.example and there.question == turn.question:
            there.example, there.example_by = text, by[:100]
            session.add(there)


def _prepare_one(key: str, number: int, settings: Settings) -> bool:
    """Whether a question was stored, so that another may be wanted."""
    with db.reading(settings) as session:
        row = conversations.by_key(session, key)
        if row is None or row.paused or len(conversations.prepared(session, row)) >= AHEAD:
            return False
        past, found = conversations.past(session, row), covered(session, row.user_id, settings)
        spent = _spent(session, row)
    model = _teachers(row.user_id, settings, spent, own_form=True)
    question = _ask(model, row, found, past, number, settings) if model is not None else None
    if question is None:
        return False
    with db.session(settings) as session:
        there = conversations.by_key(session, key)
        if there is None or _is_asked(session, there, question):
            return False
        return conversations.add_prepared(session, there, question, purpose=row.purpose) is not None


def _is_asked(session: Session, row: Conversation, question: Question) -> bool:
    """Whether the conversation has one like it by now; what the purpose is about is in all of them."""
    about = " ".join(read_purpose(row.purpose).topics)
    before = Asked((one.question for one in conversations.past(session, row)), about)
    return before.has(question.text)


def _teachers(writer_id: str, settings: Settings, spent: float, *, own_form: bool = False) -> ChatModel | None:
    try:
        return staffing.beside_sessions(writer_id, settings, spent=spent, own_form=own_form)
    except ZegaError as error:
        log.info("no teacher can be asked: %s", type(error).__name__)
        return None


def _ask(
    model: ChatModel, row: Conversation, found: Coverage, past: list[Past], number: int, settings: Settings
) -> Question | None:
    """The teacher's question. Every call is in the ledger, whatever came of it."""
    seed = crc32(f"{row.key}|{len(past)}|{number}".encode())
    for attempt in range(ASKS):
        try:
            question, calls = by_teacher(model, row.purpose, found, past, seed=seed + attempt)
        except BadAnswer as error:
            _note(row.user_id, error.calls, settings)
        except ProviderError as error:
            _note(row.user_id, error.calls, settings)
            return None
        else:
            _note(row.user_id, calls, settings)
            return question
    return None


def _example(turn: Turn, spent: float, settings: Settings) -> tuple[str, str]:
    model = _teachers(turn.user_id, settings, spent)
    if model is not None:
        try:
            seed = crc32(f"{turn.id}|{turn.example_asked_at}".encode())
            text, by, calls = example_by_teacher(model, turn.question, turn.genre, turn.element, seed=seed)
        except ProviderError as error:
            _note(turn.user_id, error.calls, settings)
        except Exception:  # somebody looks at the page and waits
            log.exception("an example by a teacher failed")
        else:
            _note(turn.user_id, calls, settings)
            return storable(text), by
    return _by_storyteller(turn), STORYTELLER


def _by_storyteller(turn: Turn) -> str:
    return example_by_storyteller(turn.question, turn.genre, turn.element, seed=turn.id or 0)


def _spent(session: Session, row: Conversation) -> float:
    """Of the budget, which a conversation has like a session, but anew every day: it may go on for months."""
    return ledger.spent_beside(session, row.user_id, max(row.created_at, now() - A_DAY))


def _note(writer_id: str, calls: tuple[Call, ...], settings: Settings) -> None:
    with db.session(settings) as session:
        ledger.add(session, writer_id, calls, role="teacher")
