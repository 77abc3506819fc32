"""Memory: which texts belong in it by what the writer chose, their numbers, and what is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, false, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from zega_core.errors import NotFound
from zega_core.store import writing_choices
from zega_core.tables import Example, ExampleStatus, Memory, Story, TrainingSession, now
from zega_core.writing_configs import WritingConfig, used_sources

LONGEST = 2_000
"""Characters of a text that are remembered: about as much as one embedding can stand for."""
MOST = 100_000
"""Texts of a writer that are compared one by one, the newest."""
STORY = "story"
_CHUNK = 500
_UNSYNCHRONIZED = {"synchronize_session": False}
_REAL = col(Memory.body) != ""
"""What has no text is a mark that something was forgotten."""


@dataclass(frozen=True, slots=True)
class Found:
    """A remembered text and what it belongs to. ``place`` is its number in a manuscript."""

    id: int
    body: str
    genre: str | None
    source: str
    created_at: datetime
    embedding: bytes | None
    embedder: str
    session_id: int | None = None
    manuscript_id: int | None = None
    place: int | None = None
    origin: str = ""
    """The file or the title."""


@dataclass(frozen=True, slots=True)
class Count:
    """Of one source: ``there`` are texts that could be remembered, ``texts`` are remembered, ``embedded`` of these have
    today's numbers."""

    there: int = 0
    texts: int = 0
    embedded: int = 0


def any_of(session: Session, writer_id: str) -> bool:
    """Whether anything is remembered."""
    return session.exec(select(Memory.id).where(Memory.user_id == writer_id, _REAL).limit(1)).first() is not None


def belonging(session: Session, writer_id: str, ids: Collection[int]) -> set[int]:
    """Of these examples those that belong in memory: kept, and of a source or a session that is to be remembered."""
    wanted = _wanted(writing_choices.load(session, writer_id))
    found: set[int] = set()
    for some in _in_chunks(sorted(ids)):
        query = select(Example.id).where(Example.user_id == writer_id, wanted, col(Example.id).in_(some))
        found |= {one or 0 for one in session.exec(query)}
    return found


def behind(session: Session, writer_id: str, embedder: str) -> bool:
    """Whether something is to be put in, taken out or embedded."""
    config = writing_choices.load(session, writer_id)
    lacking = select(Memory.id).where(Memory.user_id == writer_id, _REAL, col(Memory.embedder) != embedder).limit(1)
    if session.exec(lacking).first() is not None:
        return True
    if any_of(session, writer_id):
        mine = (col(Memory.user_id) == writer_id) & _REAL & _unwanted(config)
        if session.exec(select(Memory.id).where(mine).limit(1)).first() is not None:
            return True
    return bool(_missing_examples(session, writer_id, config, 1) or _missing_stories(session, writer_id, config, 1))


def take_out(session: Session, writer_id: str) -> int:
    """What is not to be remembered any more, is not kept, or reads otherwise now; how many texts."""
    config = writing_choices.load(session, writer_id)
    mine = (col(Memory.user_id) == writer_id) & _REAL & _unwanted(config)
    return session.execute(delete(Memory).where(mine), execution_options=_UNSYNCHRONIZED).rowcount  # type: ignore[attr-defined]


def put_in(session: Session, writer_id: str, limit: int) -> int:
    """Up to ``limit`` texts that belong in memory and are not in it, the oldest first, so that the newest have the
    highest numbers; how many they were."""
    config, moment = writing_choices.load(session, writer_id), now()
    rows = [
        {"example_id": one.id, "body": first_part(one.completion), "genre": one.genre or None}
        for one in _missing_examples(session, writer_id, config, limit)
    ]
    if not rows:
        rows = [
            {"story_id": one.id, "body": first_part(one.body), "genre": one.genre or None}
            for one in _missing_stories(session, writer_id, config, limit)
        ]
    add(session, [{"user_id": writer_id, "created_at": moment, "embedder": "", **row} for row in rows])
    return len(rows)


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of ``Memory``; of what is there, or was forgotten, nothing changes."""
    if rows:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(insert(Memory).on_conflict_do_nothing(), [dict(row) for row in rows])


def first_part(text: str) -> str:
    """What of a text is remembered: all of it, or its beginning up to a space."""
    if len(text) <= LONGEST:
        return text
    part = text[:LONGEST]
    space = max(part.rfind(" "), part.rfind("\n"))
    return part[:space].rstrip() if space > LONGEST // 2 else part


def without_numbers(session: Session, writer_id: str, embedder: str, limit: int) -> list[tuple[int, str]]:
    """Id and text of what this embedder has not seen, the newest first."""
    query = select(Memory.id, Memory.body).where(Memory.user_id == writer_id, _REAL, col(Memory.embedder) != embedder)
    rows = session.exec(query.order_by(col(Memory.id).desc()).limit(limit))
    return [(identity or 0, body) for identity, body in rows]


def writers_lacking(session: Session, embedder: str) -> list[str]:
    """Of whom something is remembered that this embedder has not seen."""
    query = select(Memory.user_id).where(_REAL, col(Memory.embedder) != embedder).distinct()
    return list(session.exec(query))


def set_numbers(session: Session, embedder: str, rows: Sequence[tuple[int, bytes]]) -> None:
    """By id; what was forgotten meanwhile stays so."""
    table: Any = Memory.__table__  # type: ignore[attr-defined]
    query = update(table).where(table.c.id == bindparam("one"), table.c.body != "").values(
        embedding=bindparam("numbers"), embedder=embedder
    )  # fmt: skip
    session.connection().execute(query, [{"one": identity, "numbers": numbers} for identity, numbers in rows])


def stamp(session: Session, writer_id: str, embedder: str) -> tuple[int, int, int]:
    """Another one means that there are other numbers. An index answers it; ids are never given twice."""
    mine = (col(Memory.user_id) == writer_id) & (col(Memory.embedder) == embedder)
    count, newest, total = session.exec(
        select(func.count(), func.max(col(Memory.id)), func.sum(col(Memory.id))).where(mine)
    ).one()
    return count, newest or 0, int(total or 0)


def ids_with_numbers(session: Session, writer_id: str, embedder: str) -> list[int]:
    """The newest ``MOST``, oldest first."""
    query = select(Memory.id).where(Memory.user_id == writer_id, Memory.embedder == embedder)
    found = session.exec(query.order_by(col(Memory.id).desc()).limit(MOST)).all()
    return [one or 0 for one in reversed(found)]


def numbers(session: Session, writer_id: str, ids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Of these texts, those that are there still, in no order."""
    for some in _in_chunks(ids):
        query = select(Memory.id, Memory.embedding).where(Memory.user_id == writer_id, col(Memory.id).in_(some))
        yield from ((identity or 0, found) for identity, found in session.exec(query) if found is not None)


def newest_texts(session: Session, writer_id: str, limit: int) -> list[tuple[int, str]]:
    query = select(Memory.id, Memory.body).where(Memory.user_id == writer_id, _REAL)
    return [(one or 0, body) for one, body in session.exec(query.order_by(col(Memory.id).desc()).limit(limit))]


def details(session: Session, writer_id: str, ids: Collection[int]) -> dict[int, Found]:
    """By id; of another writer's, and of what was forgotten, nothing."""
    query = (
        select(Memory, Example, Story)
        .outerjoin(Example, col(Memory.example_id) == col(Example.id))
        .outerjoin(Story, col(Memory.story_id) == col(Story.id))
        .where(Memory.user_id == writer_id, _REAL, col(Memory.id).in_(list(ids)))
    )
    found: dict[int, Found] = {}
    for memory, example, story in session.exec(query):
        common = (memory.id or 0, memory.body, memory.genre)
        numbers = (memory.embedding, memory.embedder)
        if story is not None:
            written = story.updated_at or story.created_at
            found[common[0]] = Found(*common, STORY, written, *numbers, origin=story.title)
        elif example is not None:
            belongs = (example.session_id, example.manuscript_id, example.idx, example.origin or "")
            written = example.edited_at or example.created_at
            found[common[0]] = Found(*common, example.source, written, *numbers, *belongs)
    return found


def counts(session: Session, writer_id: str, embedder: str) -> dict[str, Count]:
    """By source (``writing_configs.MEMORY_SOURCES``); those of which there is something."""
    kept = select(Example.source, func.count()).where(Example.user_id == writer_id, _kept()).group_by(Example.source)
    there = {str(source): number for source, number in session.exec(kept)}
    stories = session.exec(select(func.count()).select_from(Story).where(Story.user_id == writer_id)).one()
    if stories:
        there[STORY] = stories
    source = func.coalesce(col(Example.source), STORY)
    embedded = func.count().filter(col(Memory.embedder) == embedder)
    held = (
        select(source, func.count(), embedded)
        .select_from(Memory)
        .outerjoin(Example, col(Memory.example_id) == col(Example.id))
        .where(col(Memory.user_id) == writer_id, _REAL)
        .group_by(source)
    )
    found = {name: Count(number) for name, number in there.items()}
    for name, texts, done in session.exec(held):
        found[str(name)] = Count(there.get(str(name), 0), texts, done)
    return found


def forget_one(session: Session, writer_id: str, memory_id: int) -> None:
    """The text and its numbers go; a mark stays, so that it is not remembered again. Raises NotFound."""
    mine = (col(Memory.user_id) == writer_id) & (col(Memory.id) == memory_id) & _REAL
    values = {"body": "", "embedding": None, "embedder": "", "genre": None}
    done = session.execute(update(Memory).where(mine).values(**values), execution_options=_UNSYNCHRONIZED)
    if not done.rowcount:  # type: ignore[attr-defined]
        raise NotFound("There is no such text in your memory. It may have been forgotten; open the page again.")


def forget_all(session: Session, writer_id: str) -> int:
    """Every text and its numbers, and no session of the writer is remembered any more; how many texts went."""
    query = update(TrainingSession).where(
        col(TrainingSession.user_id) == writer_id, col(TrainingSession.stored_in_memory)
    )
    session.execute(query.values(stored_in_memory=False), execution_options=_UNSYNCHRONIZED)
    mine = (col(Memory.user_id) == writer_id) & _REAL
    return session.execute(delete(Memory).where(mine), execution_options=_UNSYNCHRONIZED).rowcount  # type: ignore[attr-defined]


def _kept() -> ColumnElement[bool]:
    return and_(col(Example.status) == ExampleStatus.kept, col(Example.completion) != "")


def _wanted(config: WritingConfig) -> ColumnElement[bool]:
    """Of examples."""
    remembered = select(TrainingSession.id).where(
        TrainingSession.user_id == Example.user_id, TrainingSession.stored_in_memory
    )
    by_session = col(Example.session_id).in_(remembered.correlate(Example))
    return and_(_kept(), or_(col(Example.source).in_(used_sources(config)), by_session))


def _unwanted(config: WritingConfig) -> ColumnElement[bool]:
    """Of what is remembered."""
    as_it_reads = or_(col(Example.edited_at).is_(None), col(Example.edited_at) <= col(Memory.created_at))
    example = select(Example.id).where(Example.id == Memory.example_id, _wanted(config), as_it_reads)
    good_example = example.correlate(Memory).exists()
    fresh = or_(col(Story.updated_at).is_(None), col(Story.updated_at) <= col(Memory.created_at))
    story = select(Story.id).where(Story.id == Memory.story_id, fresh, ~_said_already())
    good_story = story.correlate(Memory).exists() if STORY in config.memory else false()
    return and_(~good_example, ~good_story)


def _said_already() -> ColumnElement[bool]:
    """Of stories: whether the example that it was saved from is remembered with the same words."""
    other = aliased(Memory)
    query = select(other.id).join(Example, col(other.example_id) == col(Example.id))
    same = query.where(
        col(other.example_id) == col(Story.example_id), other.body != "", col(Example.completion) == col(Story.body)
    )
    return same.correlate(Story).exists()


def _missing_examples(session: Session, writer_id: str, config: WritingConfig, limit: int) -> Sequence[Example]:
    there = select(Memory.id).where(Memory.example_id == Example.id).correlate(Example).exists()
    query = select(Example).where(Example.user_id == writer_id, _wanted(config), ~there)
    return session.exec(query.order_by(col(Example.id)).limit(limit)).all()


def _missing_stories(session: Session, writer_id: str, config: WritingConfig, limit: int) -> Sequence[Story]:
    if STORY not in config.memory:
        return ()
    there = select(Memory.id).where(Memory.story_id == Story.id).correlate(Story).exists()
    query = select(Story).where(Story.user_id == writer_id, col(Story.body) != "", ~there, ~_said_already())
    return session.exec(query.order_by(col(Story.id)).limit(limit)).all()


def _in_chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
