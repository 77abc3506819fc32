"""Stories on a writer's shelf: found by words, in an order, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from zega_core.db import TITLE_KEY
from zega_core.errors import InvalidInput, NotFound
from zega_core.store.word_search import Indexed, holds, vector
from zega_core.tables import Memory, Story
from zega_core.writing_tables import Take, Writing

ORDERS = ("newest", "oldest", "title", "score", "longest")
UNKNOWN = "unknown"
"""As a genre to look for: that of stories whose genre is not known."""
_INDEXED = Indexed("story_words", col(Story.id), (col(Story.body), col(Story.title)), vector("title", "body"))


@dataclass(frozen=True, slots=True)
class Hanging:
    """What hangs on a story: whether it is remembered (apart from its example), requests that go on from it, and the
    example it belongs to."""

    remembered: bool = False
    writings: int = 0
    example: int | None = None


def is_id(value: object) -> bool:
    """Whether it could be the number of a story."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def get(session: Session, writer_id: str, story_id: int, *, to_change: bool = False) -> Story:
    """The writer's story, as it is now; another writer's is not found, exactly like one that does not exist. One that
    is read to be changed is nobody else's to change until the end of the transaction."""
    row = None
    if is_id(story_id):
        query = select(Story).where(Story.user_id == writer_id, Story.id == story_id)
        query = query.execution_options(populate_existing=True)
        row = session.exec(query.with_for_update() if to_change else query).first()
    if row is None:
        raise NotFound("There is no such story. It may have been deleted; choose one on the shelf.")
    return row


def of_example(session: Session, writer_id: str, example_id: int) -> Story | None:
    return session.exec(select(Story).where(Story.user_id == writer_id, Story.example_id == example_id)).first()


def add(session: Session, story: Story) -> Story:
    session.add(story)
    session.flush()
    return story


def remove(session: Session, writer_id: str, story_id: int) -> None:
    """The database takes what is remembered of it with it; what was written from it stays, and names it no more."""
    mine = (col(Story.user_id) == writer_id) & (col(Story.id) == story_id)
    session.execute(delete(Story).where(mine), execution_options={"synchronize_session": "fetch"})


def count(session: Session, writer_id: str, genre: str = "") -> int:
    query = sql_select(func.count()).select_from(Story).where(*_conditions(session, writer_id, "", genre))
    return session.execute(query).scalar_one()


def page(
    session: Session, writer_id: str, text: str, genre: str, order: str, number: int, size: int
) -> tuple[list[Story], int]:
    """Page ``number`` (from 1) of what matches, empty where there is no such page, and how many match. Words are looked
    for once: where a short one begins many words, that is what takes its time. Raises InvalidInput for another
    order."""
    before = max(0, number - 1) * size
    if text.strip():
        found = ids(session, writer_id, text, genre, order)
        return rows(session, writer_id, found[before : before + size]), len(found)
    query = sql_select(col(Story.id)).where(*_conditions(session, writer_id, "", genre))
    wanted = query.order_by(*_order(session, order)).offset(before).limit(size)
    return rows(session, writer_id, list(session.execute(wanted).scalars())), count(session, writer_id, genre)


def ids(session: Session, writer_id: str, text: str = "", genre: str = "", order: str = "newest") -> list[int]:
    """All that match. Raises InvalidInput for another order."""
    query = (
        sql_select(col(Story.id)).where(*_conditions(session, writer_id, text, genre)).order_by(*_order(session, order))
    )
    return list(session.execute(query).scalars())


def rows(session: Session, writer_id: str, wanted: Sequence[int]) -> list[Story]:
    """Those of the stories that are this writer's, in the order of ``wanted``."""
    query = select(Story).where(Story.user_id == writer_id, col(Story.id).in_(wanted))
    by_id = {row.id: row for row in session.exec(query)} if wanted else {}
    return [by_id[one] for one in wanted if one in by_id]


def in_chunks(session: Session, writer_id: str, wanted: Sequence[int], size: int) -> Iterator[list[Story]]:
    """``size`` in memory at a time."""
    for start in range(0, len(wanted), size):
        chunk = rows(session, writer_id, wanted[start : start + size])
        yield chunk
        for row in chunk:
            session.expunge(row)


def genres(session: Session, writer_id: str) -> list[str]:
    """The genres that the writer's stories have, ``""`` among them where that of any is not known."""
    return sorted(session.exec(select(Story.genre).where(Story.user_id == writer_id).distinct()))


def hanging(session: Session, writer_id: str, story: Story) -> Hanging:
    """On one of the writer's stories."""
    memory = select(Memory.id).where(Memory.user_id == writer_id, Memory.story_id == story.id)
    writings = select(func.count()).select_from(Writing)
    writings = writings.where(col(Writing.user_id) == writer_id, col(Writing.story_id) == story.id)
    return Hanging(
        remembered=session.exec(memory).first() is not None,
        writings=session.exec(writings).one(),
        example=story.example_id,
    )


def forget(session: Session, writer_id: str, story_id: int) -> None:
    """Take out of memory what was put there from this story, not from its example."""
    mine = (col(Memory.user_id) == writer_id) & (col(Memory.story_id) == story_id)
    session.execute(delete(Memory).where(mine), execution_options={"synchronize_session": "fetch"})


def take(session: Session, writer_id: str, take_id: int | None) -> Take:
    """As it is now, and nobody else's to change until the end of the transaction. Raises NotFound."""
    query = select(Take).where(Take.user_id == writer_id, Take.id == take_id).with_for_update()
    row = session.exec(query.execution_options(populate_existing=True)).first() if is_id(take_id) else None
    if row is None:
        raise NotFound("There is no such text. It may have been deleted; write another one.")
    return row


def _conditions(session: Session, writer_id: str, text: str, genre: str) -> list[ColumnElement[bool]]:
    conditions = [col(Story.user_id) == writer_id]
    if genre:
        conditions.append(col(Story.genre) == ("" if genre == UNKNOWN else genre))
    if text.strip():
        conditions.append(holds(session, _INDEXED, text))
    return conditions


def _order(session: Session, order: str) -> list[Any]:
    if order not in ORDERS:
        raise InvalidInput(f"Stories can be sorted by: {', '.join(ORDERS)}.")
    newest = col(Story.id).desc()  # numbers are given in the order in which stories come
    sqlite = session.get_bind().dialect.name == "sqlite"
    title = getattr(func, TITLE_KEY if sqlite else "lower")(col(Story.title))
    return {
        "newest": [newest],
        "oldest": [col(Story.id).asc()],
        "title": [title.asc(), newest],
        "score": [col(Story.quality).desc().nulls_last(), newest],
        "longest": [func.length(col(Story.body)).desc(), newest],
    }[order]
