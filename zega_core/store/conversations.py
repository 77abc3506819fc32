"""Conversations and their turns: each writer their own."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from itertools import repeat

from sqlalchemy import case, delete, func, text, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from zega_core.conversation_tables import Conversation, ExampleChange, Turn, TurnState
from zega_core.dataset import words
from zega_core.errors import InvalidInput, NotFound
from zega_core.questions.ask import Past, Question
from zega_core.store import writers
from zega_core.tables import Example, ExampleStatus, now

AHEAD = 2
"""Questions of a conversation that are prepared before they are wanted."""
LENGTHS = (40, 120, 220)
"""Words that stand for the pieces below 60, below 180, and above."""

MAX_NAME, MAX_PURPOSE = 80, 2_000
"""Characters."""

_KEY = re.compile(r"[0-9a-f]{32}")


def checked_name(name: str) -> str:
    """Raises InvalidInput for one that cannot be read, or is too long."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidInput(f"Give the conversation a name of 1 to {MAX_NAME} letters.")
    return name


def checked_purpose(purpose: str) -> str:
    """On one line, without what cannot be read. Raises InvalidInput for one that is too long."""
    purpose = " ".join("".join(one if one.isprintable() else " " for one in purpose).split())
    if len(purpose) > MAX_PURPOSE:
        raise InvalidInput(
            f"Say in {MAX_PURPOSE:,} characters what your model should be able to do; these are {len(purpose):,}."
        )
    return purpose


def called_by(purpose: str) -> str:
    """A name for a conversation that got none; empty without a purpose."""
    return purpose if len(purpose) <= MAX_NAME // 2 else purpose[: MAX_NAME // 2].rsplit(" ", 1)[0] + "…"


def create(session: Session, writer_id: str, *, name: str, purpose: str = "") -> Conversation:
    writers.ensure(session, writer_id)
    row = Conversation(key=secrets.token_hex(16), user_id=writer_id, name=name, purpose=purpose)
    session.add(row)
    session.flush()
    return row


def get(session: Session, writer_id: str, key: str) -> Conversation:
    """The writer's conversation; another writer's is not found, exactly like one that does not exist."""
    row = by_key(session, key)
    if row is None or row.user_id != writer_id:
        raise NotFound("There is no such conversation. It may have been deleted; choose another, or start a new one.")
    return row


def by_key(session: Session, key: str) -> Conversation | None:
    """Whoever's it is: for workers."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return None
    query = select(Conversation).where(Conversation.key == key)
    return session.exec(query.execution_options(populate_existing=True)).first()


def hold(session: Session, writer_id: str, key: str) -> Conversation:
    """The same as ``get``, and until the end of the transaction nobody else changes what belongs to the writer."""
    get(session, writer_id, key)
    writers.lock(session, writer_id)
    return get(session, writer_id, key)  # it may have been deleted while we waited


def of_writer(session: Session, writer_id: str) -> list[Conversation]:
    """The one used last first."""
    query = select(Conversation).where(Conversation.user_id == writer_id)
    return list(session.exec(query.order_by(col(Conversation.used_at).desc(), col(Conversation.id).desc())).all())


def answered(session: Session, writer_id: str) -> dict[str, int]:
    """How many answers each of the writer's conversations holds, by key. Those that hold none are not in it."""
    query = (
        select(Conversation.key, func.count())
        .join(Turn, col(Turn.conversation_id) == col(Conversation.id))
        .where(Conversation.user_id == writer_id, col(Turn.example_id).is_not(None))
        .group_by(Conversation.key)
    )
    return dict(session.exec(query).all())


def turns(
    session: Session, writer_id: str, key: str, *, before: int | None = None, limit: int = 20
) -> list[tuple[Turn, Example | None]]:
    """The newest ``limit`` turns that were asked (the open one, and skipped ones, too), with a number below ``before``
    where that is given, and the answer of each; oldest first."""
    conversation = get(session, writer_id, key)
    query = (
        select(Turn, Example)
        .join(Example, col(Turn.example_id) == col(Example.id), isouter=True)
        .where(Turn.conversation_id == conversation.id, col(Turn.number).is_not(None))
    )
    if before is not None:
        query = query.where(col(Turn.number) < before)
    found = session.exec(query.order_by(col(Turn.number).desc()).limit(limit)).all()
    return [(turn, example) for turn, example in reversed(found)]


def turn(session: Session, writer_id: str, turn_id: int, *, locked: bool = False) -> Turn:
    """The writer's turn; another writer's is not found, exactly like one that does not exist. ``locked``: no draft is
    put into it until the end of the transaction."""
    found = None
    if isinstance(turn_id, int) and not isinstance(turn_id, bool) and 0 < turn_id < 2**31:
        query = select(Turn).where(Turn.user_id == writer_id, Turn.id == turn_id)
        query = query.with_for_update() if locked else query
        found = session.exec(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound("There is no such question. Its conversation may have been deleted; open another one.")
    return found


def hold_turn(session: Session, writer_id: str, turn_id: int) -> Turn:
    """The same, and until the end of the transaction nobody else changes what belongs to the writer."""
    turn(session, writer_id, turn_id)
    writers.lock(session, writer_id)
    return turn(session, writer_id, turn_id, locked=True)


def open_turn(session: Session, conversation: Conversation) -> Turn | None:
    """The question that waits for its answer."""
    query = select(Turn).where(Turn.conversation_id == conversation.id, Turn.state == TurnState.asked)
    return session.exec(query.order_by(col(Turn.number)).limit(1)).first()


def prepared(session: Session, conversation: Conversation) -> list[Turn]:
    """Questions that wait until their turn comes, oldest first."""
    query = select(Turn).where(Turn.conversation_id == conversation.id, Turn.state == TurnState.prepared)
    return list(session.exec(query.order_by(col(Turn.id))).all())


def add_prepared(
    session: Session, conversation: Conversation, question: Question, *, purpose: str | None = None
) -> Turn | None:
    """Store a question for later. None, and nothing is stored, where there are ``AHEAD`` already, where the
    conversation is gone, or where its purpose is not (any more) the one that the question was made for."""
    writers.lock(session, conversation.user_id)
    there = by_key(session, conversation.key)
    if there is None or (purpose is not None and there.purpose != purpose):
        return None
    if len(prepared(session, there)) >= AHEAD:
        return None
    return add_turn(session, there, question)


def add_turn(session: Session, conversation: Conversation, question: Question) -> Turn:
    """Store a question, not yet asked."""
    row = Turn(
        conversation_id=conversation.id or 0,
        user_id=conversation.user_id,
        question=question.text,
        kind=question.kind,
        context=question.context,
        difficulty=question.difficulty,
        genre=question.genre,
        element=question.element,
        modifier=question.modifier,
        words=question.words,
        lack=question.lack,
        asked_by=question.asked_by,
    )
    session.add(row)
    session.flush()
    return row


def ask(session: Session, turn: Turn) -> None:
    """The question's turn has come. Call it with the writer's row locked."""
    query = select(func.max(Turn.number)).where(Turn.conversation_id == turn.conversation_id)
    turn.number = (session.exec(query).one() or 0) + 1
    turn.state, turn.asked_at = TurnState.asked, now()
    session.add(turn)
    session.flush()


def leave_one_open(session: Session, writer_id: str) -> None:
    """Where taking an answer back has opened an older question again, the newer one waits until its turn comes. Its
    draft stays with it. Call it with the writer's row locked."""
    query = (
        select(Turn.conversation_id, func.min(Turn.number))
        .where(Turn.user_id == writer_id, Turn.state == TurnState.asked)
        .group_by(col(Turn.conversation_id))
        .having(func.count() > 1)
    )
    for conversation_id, number in session.exec(query).all():
        later = select(Turn).where(
            Turn.conversation_id == conversation_id, Turn.state == TurnState.asked, col(Turn.number) > number
        )
        for turn in session.exec(later).all():
            turn.state, turn.number, turn.asked_at = TurnState.prepared, None, None
            session.add(turn)
    session.flush()


def questions_since(session: Session, turn: Turn) -> list[str]:
    """What was asked in the turn's conversation, and when: the questions asked since this one was prepared."""
    query = select(Turn.question).where(
        Turn.conversation_id == turn.conversation_id,
        col(Turn.asked_at) >= turn.created_at,
        Turn.id != turn.id,
        col(Turn.number).is_not(None),
    )
    return list(session.exec(query).all())


def past(session: Session, conversation: Conversation) -> list[Past]:
    """What was asked, oldest first, and what came of it; then what is prepared or open. The answer that was deleted
    counts as skipped."""
    columns = (Turn.question, Turn.difficulty, Turn.state, Turn.words, Example.completion, Example.status)
    query = (
        sql_select(*(col(column) for column in columns))
        .join(Example, col(Turn.example_id) == col(Example.id), isouter=True)
        .where(col(Turn.conversation_id) == conversation.id)
        .order_by(case((col(Turn.number).is_(None), 1), else_=0), col(Turn.number), col(Turn.id))
    )
    return [
        Past(
            question=question,
            difficulty=difficulty,
            state=TurnState.skipped if state == TurnState.answered and answer is None else state,
            kept=status == ExampleStatus.kept,
            words=len(words(answer or "")),
            asked_words=asked_words,
        )
        for question, difficulty, state, asked_words, answer, status in session.exec(query)  # type: ignore[call-overload]
    ]


def set_draft(session: Session, turn: Turn, draft: str) -> None:
    """Unless the turn is answered: a draft that comes late is the answer's own beginning."""
    session.exec(
        update(Turn)
        .where(col(Turn.id) == turn.id, col(Turn.state) != TurnState.answered)
        .values(draft=draft)
        .execution_options(synchronize_session=False)
    )
    session.expire(turn, ["draft"])


def drop_draft(session: Session, writer_id: str, turn_id: int) -> None:
    """Raises NotFound."""
    found = hold_turn(session, writer_id, turn_id)
    found.draft = ""
    session.add(found)


def remove_prepared(session: Session, conversation: Conversation) -> None:
    """But not what the writer has begun to answer."""
    mine = (col(Turn.conversation_id) == conversation.id) & (col(Turn.state) == TurnState.prepared)
    session.exec(delete(Turn).where(mine, col(Turn.draft) == ""))


def remove(session: Session, conversation: Conversation) -> None:
    """The conversation and its turns; its examples stay. What can be undone does not bring its turns back: their ids
    may belong to others by then."""
    turns_of = select(Turn.id).where(Turn.conversation_id == conversation.id)
    session.exec(
        update(ExampleChange)
        .where(col(ExampleChange.user_id) == conversation.user_id, col(ExampleChange.turn_id).in_(turns_of))
        .values(turn_id=None)
        .execution_options(synchronize_session=False)
    )
    session.exec(delete(Turn).where(col(Turn.conversation_id) == conversation.id))
    session.delete(conversation)
    session.flush()


def coverage_rows(session: Session, writer_id: str, *, after: int = 0) -> Iterator[tuple[str, str, str | None, int]]:
    """Genre, element, modifier and about how many words (``LENGTHS``) of each example that the writer has kept, or of
    those with an id above ``after``. Counted in the database, by the spaces between words; ``covering`` keeps it."""
    spaces = func.length(Example.completion) - func.length(func.replace(Example.completion, " ", ""))
    length = case((spaces < 59, 0), (spaces < 179, 1), else_=2).label("band")
    query = (
        sql_select(col(Example.genre), col(Example.element), col(Example.modifier), length, func.count())
        .where(col(Example.user_id) == writer_id, col(Example.status) == ExampleStatus.kept, col(Example.id) > after)
        .group_by(col(Example.genre), col(Example.element), col(Example.modifier), text("band"))
    )
    for genre, element, modifier, band, number in session.exec(query):  # type: ignore[call-overload]
        yield from repeat((genre, element, modifier, LENGTHS[band]), number)
