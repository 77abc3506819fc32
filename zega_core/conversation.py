"""A conversation in which ZEGA asks and the writer answers. What it says is saved is in the caller's transaction."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from math import isfinite
from zlib import crc32

from sqlmodel import Session

from zega_core import changes, triggers
from zega_core.answering import MAX_CHARS, checked_text, may_insist, write
from zega_core.conversation_tables import Conversation, Turn, TurnState
from zega_core.covering import covered
from zega_core.errors import InvalidInput, NotFound
from zega_core.pieces import SAME_WORDS, set_aside_as_duplicate, storable
from zega_core.quality.agreement import KEEP
from zega_core.questions.ask import by_grammar
from zega_core.questions.likeness import ALIKE, Asked
from zega_core.questions.purpose import read_purpose
from zega_core.rating import rate
from zega_core.settings import Settings
from zega_core.store import answers, conversations, examples, fine_tunes, writers
from zega_core.store import changes as change_rows
from zega_core.tables import Example, ExampleStatus, Source, now

MAX_SECONDS = 3_600.0
"""The most that one answer counts as time spent."""
ECHO = timedelta(seconds=2)
"""A second press of Start within it is the first one's echo."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of an answer. ``left_out`` says why it is not learned from, empty where it is ``kept``;
    ``may_insist`` when the writer can have it learned from. ``pairs`` of ``goal`` answers (0: answers begin none) are
    there for the next training. ``again``: the question had been answered otherwise before, which stands."""

    turn_id: int
    example_id: int
    kept: bool
    left_out: str
    may_insist: bool
    pairs: int
    goal: int
    score: float | None
    again: bool = False


def start(session: Session, writer_id: str, settings: Settings, *, purpose: str = "", name: str = "") -> Conversation:
    """A new conversation with its first question asked. Raises InvalidInput for a name or purpose that is too long."""
    purpose = conversations.checked_purpose(purpose)
    name = conversations.checked_name(name) if name.strip() else ""
    writers.ensure(session, writer_id)
    writers.lock(session, writer_id)
    there = conversations.of_writer(session, writer_id)
    if there and _is_echo(session, there[0], purpose, name):
        return there[0]
    name = name or conversations.called_by(purpose) or f"Conversation {len(there) + 1}"
    row = conversations.create(session, writer_id, name=name, purpose=purpose)
    _ask_next(session, row, settings)
    return row


def question(session: Session, writer_id: str, key: str, settings: Settings) -> Turn:
    """The question that waits for its answer. Where there is none, the next is asked: one that was prepared, else one
    by the grammar. Two tabs get the same. Raises NotFound."""
    row = conversations.hold(session, writer_id, key)
    return conversations.open_turn(session, row) or _ask_next(session, row, settings)


def answer(
    session: Session, writer_id: str, key: str, turn_id: int, text: str, settings: Settings, *, seconds: float = 0.0
) -> Saved:
    """Save an answer as an example, kept or left out. ``seconds`` is what the page measured.

    A question is answered once: the second time gets what came of the first, and another text is the turn's draft. One
    that was skipped can be answered. Raises NotFound, and InvalidInput for no text, one of more than 20,000 characters,
    and a question whose answer was deleted.
    """
    text = checked_text(text)
    turn = _turn(session, writer_id, key, turn_id)
    if turn.state == TurnState.answered:
        return _again(session, turn, text, settings)
    if turn.number is None:  # another tab took an answer back, and this question waits once more
        conversations.ask(session, turn)
    example = Example(
        user_id=writer_id,
        source=Source.conversation,
        genre=turn.genre,
        element=turn.element,
        prompt=turn.question,
        modifier=turn.modifier or None,
        status=ExampleStatus.kept,
    )
    write(session, example, text, settings, asked_words=turn.words, shown=turn.example)
    session.add(example)
    session.flush()
    turn.example_id, turn.state, turn.answered_at = example.id, TurnState.answered, now()
    turn.draft, turn.seconds = "", min(MAX_SECONDS, max(0.0, seconds)) if isfinite(seconds) else 0.0
    session.add(turn)
    _touch(session, writer_id, key)
    session.flush()
    changes.note(session, writer_id, "answer", [example], batch=secrets.token_hex(16))
    return _saved(session, turn, example, settings)


def insist(session: Session, writer_id: str, turn_id: int, settings: Settings) -> Saved:
    """Learn from an answer that was left out. The very words of a kept piece stay left out, and the result says so.
    Raises InvalidInput where there is no answer, NotFound."""
    turn = conversations.hold_turn(session, writer_id, turn_id)
    example = _answer_of(session, turn)
    twin = examples.kept_with_hash(session, writer_id, example.text_hash)
    if example.status != ExampleStatus.kept and twin is None:
        changes.note(session, writer_id, "include", [example], batch=secrets.token_hex(16))
        rate(session, writer_id, example.id or 0, settings, decision=KEEP)
    elif twin not in (None, example.id):
        set_aside_as_duplicate(example, twin or 0, SAME_WORDS)
        session.add(example)
    session.flush()
    return _saved(session, turn, example, settings)


def skip(session: Session, writer_id: str, key: str, turn_id: int) -> None:
    """Leave a question unanswered; its draft stays. What is answered already stays answered. Raises NotFound."""
    turn = _turn(session, writer_id, key, turn_id)
    if turn.state == TurnState.asked:
        turn.state = TurnState.skipped
        session.add(turn)
        _touch(session, writer_id, key)


def ask_after_all(session: Session, writer_id: str, key: str, turn_id: int) -> None:
    """A question that was skipped is the open one again, with its draft. Raises NotFound."""
    turn = _turn(session, writer_id, key, turn_id)
    if turn.state == TurnState.skipped:
        turn.state = TurnState.asked
        conversations.leave_one_open(session, writer_id)
        _touch(session, writer_id, key)


def edit(session: Session, writer_id: str, turn_id: int, text: str, settings: Settings) -> Saved:
    """Change an answer: it is scored again, and kept or left out as a new one would be, unless the writer has decided.
    The first text stays beside it (``Example.original``); a draft of its edit goes. Raises InvalidInput, NotFound."""
    text = checked_text(text)
    turn = conversations.hold_turn(session, writer_id, turn_id)
    example = _answer_of(session, turn)
    turn.draft = ""  # what another tab had written for it
    session.add(turn)
    if text != example.completion:
        changes.note(session, writer_id, "edit", [example], batch=secrets.token_hex(16))
        original = example.completion if example.original is None else example.original
        example.original = None if text == original else original
        example.edited_at = None if example.original is None else now()
        example.judge_score = example.judge_report = None
        write(session, example, text, settings, asked_words=turn.words, shown=turn.example)
        session.add(example)
        examples.remember_as_it_is(session, example)
    session.flush()
    return _saved(session, turn, example, settings)


def delete(session: Session, writer_id: str, turn_id: int, settings: Settings) -> None:
    """Delete an answer; its question stays. Raises InvalidInput where there is none, NotFound."""
    turn = conversations.hold_turn(session, writer_id, turn_id)
    _remove(session, writer_id, [_answer_of(session, turn)])
    session.refresh(turn)


def undo(session: Session, writer_id: str, settings: Settings, *, batch: str = "") -> str:
    """Take back the writer's last change, wherever it was made (with ``batch`` only that one), and say what was taken
    back; empty where there is nothing. An answer that is taken back is the draft of its question again."""
    said = changes.undo(session, writer_id, settings, batch=batch)
    if said:
        conversations.leave_one_open(session, writer_id)
    return said


def save_draft(session: Session, writer_id: str, turn_id: int, text: str) -> bool:
    """Keep what is written so far, but not of a question that is answered. False when it is longer than an answer can
    be: its first 20,000 characters are kept, and the page must not throw the rest away. Raises NotFound."""
    draft = storable(text)
    conversations.set_draft(session, conversations.turn(session, writer_id, turn_id), draft[:MAX_CHARS])
    return len(draft) <= MAX_CHARS


def rename(session: Session, writer_id: str, key: str, name: str) -> None:
    """Raises InvalidInput for no name, or one that is too long; NotFound."""
    row = conversations.hold(session, writer_id, key)
    row.name = conversations.checked_name(name)
    session.add(row)


def pause(session: Session, writer_id: str, key: str, *, paused: bool = True) -> None:
    """Raises NotFound."""
    row = conversations.hold(session, writer_id, key)
    row.paused, row.used_at = paused, row.used_at if paused else now()
    session.add(row)


def go_on(session: Session, writer_id: str, key: str) -> None:
    """Raises NotFound."""
    pause(session, writer_id, key, paused=False)


def set_purpose(session: Session, writer_id: str, key: str, purpose: str) -> None:
    """What the model should be able to do. Questions that were prepared for another purpose go. Raises InvalidInput,
    NotFound."""
    purpose = conversations.checked_purpose(purpose)
    row = conversations.hold(session, writer_id, key)
    if purpose != row.purpose:
        row.purpose = purpose
        session.add(row)
        conversations.remove_prepared(session, row)


def delete_conversation(session: Session, writer_id: str, key: str, *, with_answers: bool = False) -> int:
    """Its questions and drafts go. Its answers stay examples, unless they go, too: ``undo`` brings those back, as
    examples. Returns how many went. Raises NotFound."""
    row = conversations.hold(session, writer_id, key)
    found = answers.of_conversation(session, row) if with_answers else []
    conversations.remove(session, row)
    _remove(session, writer_id, found)
    return len(found)


def _ask_next(session: Session, row: Conversation, settings: Settings) -> Turn:
    about = " ".join(read_purpose(row.purpose).topics)
    for turn in conversations.prepared(session, row):
        before = Asked(conversations.questions_since(session, turn), about=about)
        if turn.draft or before.likeness(turn.question) < ALIKE:
            conversations.ask(session, turn)
            return turn
        session.delete(turn)
    past = conversations.past(session, row)
    have = covered(session, row.user_id, settings)
    seed = crc32(f"{row.key}:{len(past)}".encode())
    turn = conversations.add_turn(session, row, by_grammar(row.purpose, have, past, seed=seed))
    conversations.ask(session, turn)
    return turn


def _turn(session: Session, writer_id: str, key: str, turn_id: int) -> Turn:
    """A turn of this conversation; nobody else changes what belongs to the writer."""
    row = conversations.hold(session, writer_id, key)
    turn = conversations.turn(session, writer_id, turn_id, locked=True)
    if turn.conversation_id != row.id:
        raise NotFound("There is no such question in this conversation. Load the page again and answer what it asks.")
    return turn


def _answer_of(session: Session, turn: Turn) -> Example:
    example = None if turn.example_id is None else session.get(Example, turn.example_id, populate_existing=True)
    if example is None:
        raise InvalidInput("This question has no answer any more. Undo brings back what you deleted last.")
    return example


def _again(session: Session, turn: Turn, text: str, settings: Settings) -> Saved:
    example = _answer_of(session, turn)
    if other := text not in (example.completion, example.original):
        turn.draft = text
        session.add(turn)
        session.flush()
    return replace(_saved(session, turn, example, settings), again=other)


def _saved(session: Session, turn: Turn, example: Example, settings: Settings) -> Saved:
    kept = example.status == ExampleStatus.kept
    return Saved(
        turn_id=turn.id or 0,
        example_id=example.id or 0,
        kept=kept,
        left_out="" if kept else str(example.reason or ""),
        may_insist=may_insist(example),
        pairs=fine_tunes.pairs_since(session, turn.user_id),
        goal=triggers.goal(session, turn.user_id, settings),
        score=example.quality,
    )


def _remove(session: Session, writer_id: str, found: list[Example]) -> None:
    changes.note(session, writer_id, "delete", found, batch=secrets.token_hex(16))
    change_rows.remove(session, writer_id, [example.id or 0 for example in found])
    for example in found:
        session.expunge(example)


def _touch(session: Session, writer_id: str, key: str) -> None:
    row = conversations.get(session, writer_id, key)
    row.used_at = now()
    session.add(row)


def _is_echo(session: Session, last: Conversation, purpose: str, name: str) -> bool:
    same = last.purpose == purpose and (not name or last.name == name) and now() - last.used_at < ECHO
    return same and not answers.of_conversation(session, last)
