"""What examples were before a writer changed them, and the writes by which a change is undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, update
from sqlmodel import Session, col, select

from zega_core.conversation_tables import ExampleChange, Manuscript, Turn, TurnState
from zega_core.store import memories
from zega_core.tables import Example, ExampleStatus, Memory, Story, TrainingSession

_UNSYNCHRONIZED = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that were made together."""

    key: str
    action: str
    number: int


@dataclass(slots=True)
class Links:
    """What hangs on an example: its turn, whether it is in memory, and the story that was saved from it."""

    turn: int | None = None
    story: int | None = None
    memory: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class There:
    """What of a set of stored rows is in the database now: ids of examples, places in sessions and manuscripts that are
    taken, sessions and manuscripts that are still there, and what is kept by its ``text_hash``."""

    examples: set[int] = field(default_factory=set)
    places: set[tuple[int, int]] = field(default_factory=set)
    passages: set[tuple[int, int]] = field(default_factory=set)
    sessions: set[int] = field(default_factory=set)
    manuscripts: set[int] = field(default_factory=set)
    kept: dict[str, int] = field(default_factory=dict)


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of ``ExampleChange``, stored in the order given."""
    if rows:
        session.execute(insert(ExampleChange), [dict(row) for row in rows])


def newest(session: Session, writer_id: str) -> Batch | None:
    query = (
        select(ExampleChange.batch, ExampleChange.action)
        .where(ExampleChange.user_id == writer_id)
        .order_by(col(ExampleChange.id).desc())
    )
    found = session.exec(query.limit(1)).first()
    if found is None:
        return None
    mine = (col(ExampleChange.user_id) == writer_id) & (col(ExampleChange.batch) == found[0])
    return Batch(*found, session.exec(select(func.count()).select_from(ExampleChange).where(mine)).one())


def of_batch(session: Session, writer_id: str, batch: str, limit: int) -> list[ExampleChange]:
    """The newest rows of a batch, newest first."""
    query = select(ExampleChange).where(ExampleChange.user_id == writer_id, ExampleChange.batch == batch)
    return list(session.exec(query.order_by(col(ExampleChange.id).desc()).limit(limit)))


def drop(session: Session, writer_id: str, ids: Collection[int]) -> None:
    """Rows of changes by their own ids."""
    mine = (col(ExampleChange.user_id) == writer_id) & col(ExampleChange.id).in_(ids)
    session.execute(delete(ExampleChange).where(mine), execution_options=_UNSYNCHRONIZED)


def drop_of_examples(session: Session, writer_id: str, example_ids: Collection[int]) -> None:
    mine = (col(ExampleChange.user_id) == writer_id) & col(ExampleChange.example_id).in_(example_ids)
    session.execute(delete(ExampleChange).where(mine), execution_options=_UNSYNCHRONIZED)


def drop_before(session: Session, moment: datetime, limit: int) -> int:
    """The oldest changes of all writers as far as they are from before a moment; how many went. They are looked at in
    the order in which they were made, so that it takes no time where there is nothing to do."""
    query = select(ExampleChange.id, ExampleChange.created_at).order_by(col(ExampleChange.id)).limit(limit)
    old = [identity for identity, created in session.exec(query) if created < moment]
    if old:
        session.execute(delete(ExampleChange).where(col(ExampleChange.id).in_(old)), execution_options=_UNSYNCHRONIZED)
    return len(old)


def sessions_of(session: Session, writer_id: str, batch: str, limit: int) -> set[int]:
    """The training sessions whose examples the newest changes of a batch are of, deleted ones included."""
    mine = (col(ExampleChange.user_id) == writer_id) & (col(ExampleChange.batch) == batch)
    stored = col(ExampleChange.before)["session_id"].as_integer()
    newest = select(ExampleChange.example_id, ExampleChange.action, stored.label("stored")).where(mine)
    part = newest.order_by(col(ExampleChange.id).desc()).limit(limit).subquery()
    there = select(Example.session_id).join(part, col(Example.id) == part.c.example_id).distinct()
    gone = select(part.c.stored).where(part.c.action == "delete").distinct()
    return {one for query in (there, gone) for one in session.exec(query) if one is not None}


def links(session: Session, writer_id: str, ids: Collection[int]) -> dict[int, Links]:
    """By id of the example; those on which something hangs."""
    found: dict[int, Links] = {}
    for identity, turn in session.exec(
        select(Turn.example_id, Turn.id).where(Turn.user_id == writer_id, col(Turn.example_id).in_(ids))
    ):
        found.setdefault(identity or 0, Links()).turn = turn
    for identity, story in session.exec(
        select(Story.example_id, Story.id).where(Story.user_id == writer_id, col(Story.example_id).in_(ids))
    ):
        found.setdefault(identity or 0, Links()).story = story
    for memory in session.exec(select(Memory).where(Memory.user_id == writer_id, col(Memory.example_id).in_(ids))):
        values = {"body": memory.body, "genre": memory.genre, "created_at": memory.created_at.isoformat()}
        found.setdefault(memory.example_id or 0, Links()).memory = values
    return found


def there(session: Session, writer_id: str, rows: Collection[Mapping[str, Any]]) -> There:
    """Of rows as they were stored (``ExampleChange.before`` with ``id``)."""

    def values(name: str) -> set[Any]:
        return {row[name] for row in rows if row.get(name) is not None}

    mine = col(Example.user_id) == writer_id
    ids, sessions, manuscripts = values("id"), values("session_id"), values("manuscript_id")
    kept = mine & (col(Example.status) == ExampleStatus.kept) & col(Example.text_hash).in_(values("text_hash"))
    places = select(Example.session_id, Example.idx).where(
        col(Example.session_id).in_(sessions), col(Example.idx).in_(values("idx"))
    )
    passages = select(Example.manuscript_id, Example.idx).where(
        col(Example.manuscript_id).in_(manuscripts), col(Example.idx).in_(values("idx"))
    )
    return There(
        examples={one or 0 for one in session.exec(select(Example.id).where(mine, col(Example.id).in_(ids)))},
        places={(one or 0, idx or 0) for one, idx in session.exec(places)} if sessions else set(),
        passages={(one or 0, idx or 0) for one, idx in session.exec(passages)} if manuscripts else set(),
        sessions=_own(session, TrainingSession, writer_id, sessions),
        manuscripts=_own(session, Manuscript, writer_id, manuscripts),
        kept={words: one or 0 for words, one in session.exec(select(Example.text_hash, Example.id).where(kept))},
    )


def _own(
    session: Session, table: type[TrainingSession] | type[Manuscript], writer_id: str, ids: Collection[int]
) -> set[int]:
    if not ids:
        return set()
    query = select(table.id).where(table.user_id == writer_id, col(table.id).in_(ids))
    return {one or 0 for one in session.exec(query)}


def hashes(session: Session, writer_id: str, ids: Collection[int]) -> dict[int, str]:
    query = select(Example.id, Example.text_hash).where(Example.user_id == writer_id, col(Example.id).in_(ids))
    return {identity or 0: words for identity, words in session.exec(query)}


def texts(session: Session, writer_id: str, ids: Collection[int]) -> dict[int, str]:
    query = select(Example.id, Example.completion).where(Example.user_id == writer_id, col(Example.id).in_(ids))
    return {identity or 0: text for identity, text in session.exec(query)}


def put_back(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Deleted examples, whole rows with their ids."""
    if rows:
        session.execute(insert(Example), [dict(row) for row in rows])


def set_values(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Columns of examples that are there; each row has its ``id``. Rows with the same columns are written together."""
    alike: dict[frozenset[str], list[dict[str, Any]]] = {}
    for row in rows:
        alike.setdefault(frozenset(row), []).append(dict(row))
    for found in alike.values():
        session.execute(update(Example), found, execution_options=_UNSYNCHRONIZED)


def remove(session: Session, writer_id: str, ids: Collection[int]) -> int:
    """Delete examples; nothing hangs on them any more afterwards. How many there were."""
    for table in (Story, Turn):
        mine = (col(table.user_id) == writer_id) & col(table.example_id).in_(ids)
        session.execute(update(table).where(mine).values(example_id=None), execution_options=_UNSYNCHRONIZED)
    held = (col(Memory.user_id) == writer_id) & col(Memory.example_id).in_(ids)
    session.execute(delete(Memory).where(held), execution_options=_UNSYNCHRONIZED)
    mine = (col(Example.user_id) == writer_id) & col(Example.id).in_(ids)
    return session.execute(delete(Example).where(mine), execution_options=_UNSYNCHRONIZED).rowcount  # type: ignore[attr-defined]


def forget(session: Session, writer_id: str, ids: Collection[int]) -> None:
    """Take out of memory what was put there from these examples. That one was forgotten stays noted."""
    mine = (col(Memory.user_id) == writer_id) & col(Memory.example_id).in_(ids) & (col(Memory.body) != "")
    session.execute(delete(Memory).where(mine), execution_options=_UNSYNCHRONIZED)


def remember(session: Session, writer_id: str, held: Mapping[int, Mapping[str, Any]]) -> None:
    """By id of the example: what memory held of it; what it holds now goes. Only what belongs in it comes in, and not
    what was forgotten."""
    forget(session, writer_id, held.keys())
    belong = memories.belonging(session, writer_id, held.keys())
    rows = [
        {"user_id": writer_id, "example_id": one, "embedder": "", **values}
        for one, values in held.items()
        if one in belong or not values["body"]
    ]
    memories.add(session, rows)


def link_story(session: Session, writer_id: str, story: int, example_id: int) -> None:
    mine = (col(Story.user_id) == writer_id) & (col(Story.id) == story) & col(Story.example_id).is_(None)
    session.execute(update(Story).where(mine).values(example_id=example_id), execution_options=_UNSYNCHRONIZED)


def link_turn(session: Session, writer_id: str, turn: int, example_id: int) -> None:
    """Unless the turn has another answer by now."""
    mine = (col(Turn.user_id) == writer_id) & (col(Turn.id) == turn) & col(Turn.example_id).is_(None)
    values = {"example_id": example_id, "state": TurnState.answered}
    session.execute(update(Turn).where(mine).values(**values), execution_options=_UNSYNCHRONIZED)


def ask_again(session: Session, writer_id: str, turn: int, draft: str) -> None:
    """A turn as before its answer, whose words become the draft."""
    mine = (col(Turn.user_id) == writer_id) & (col(Turn.id) == turn)
    values = {"example_id": None, "state": TurnState.asked, "answered_at": None, "draft": draft}
    session.execute(update(Turn).where(mine).values(**values), execution_options=_UNSYNCHRONIZED)


def renew(session: Session) -> None:
    """What this session has loaded of examples and what hangs on them is read anew when it is looked at."""
    for row in list(session.identity_map.values()):
        if isinstance(row, Example | Memory | Story | Turn):
            session.expire(row)
