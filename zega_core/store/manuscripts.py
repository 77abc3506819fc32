"""Pages that writers brought along, and the examples that are passages of them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, delete, select

from zega_core.conversation_tables import ExampleChange, Manuscript
from zega_core.errors import NotFound
from zega_core.store import leases
from zega_core.tables import RESUMABLE, UNFINISHED, Example, ExampleStatus, Story

_LIGHT: Any = defer(Manuscript.original)  # type: ignore[arg-type]
"""The file itself is read only where it is needed."""
_CHUNK = 500
"""Ids in one statement."""


def create(session: Session, writer_id: str, **values: Any) -> Manuscript:
    """Queued pages with these columns."""
    row = Manuscript(user_id=writer_id, run_id=secrets.token_hex(16), **values)
    session.add(row)
    session.flush()
    return row


def get(session: Session, writer_id: str, run_id: str) -> Manuscript:
    """The writer's pages; another writer's are not found, exactly like ones that do not exist."""
    query = select(Manuscript).where(Manuscript.user_id == writer_id, Manuscript.run_id == run_id)
    row = session.exec(query.options(_LIGHT)).first()
    if row is None:
        raise NotFound("There are no such pages. They may have been erased; add the file again.")
    return row


def by_run_id(session: Session, run_id: str) -> Manuscript | None:
    """Whoever's they are: for workers."""
    return session.exec(select(Manuscript).where(Manuscript.run_id == run_id).options(_LIGHT)).first()


def original(session: Session, manuscript_id: int) -> bytes:
    """The file as it came; NotFound when it was erased meanwhile."""
    found = session.exec(select(Manuscript.original).where(Manuscript.id == manuscript_id)).first()
    if found is None:
        raise NotFound("These pages were erased.")
    return found


def same(session: Session, writer_id: str, content_hash: str) -> Manuscript | None:
    query = select(Manuscript).where(Manuscript.user_id == writer_id, Manuscript.content_hash == content_hash)
    return session.exec(query.options(_LIGHT)).first()


def of_writer(session: Session, writer_id: str) -> list[Manuscript]:
    """Newest first, without the files themselves."""
    query = select(Manuscript).where(Manuscript.user_id == writer_id).order_by(col(Manuscript.id).desc())
    return list(session.exec(query.options(_LIGHT)).all())


def unfinished(session: Session) -> list[int]:
    """Row ids of everybody's, oldest first."""
    query = select(Manuscript.id).where(col(Manuscript.status).in_(UNFINISHED)).order_by(col(Manuscript.id))
    return [identity for identity in session.exec(query) if identity is not None]


def by_id(session: Session, row_id: int) -> Manuscript:
    return session.exec(select(Manuscript).where(Manuscript.id == row_id).options(_LIGHT)).one()


def take_over(session: Session, row: Manuscript) -> Manuscript | None:
    """Make a new attempt of one that nobody works on any more; None if somebody was faster."""
    return leases.queue_again(session, row, UNFINISHED)


def ask_to_continue(session: Session, row: Manuscript) -> Manuscript | None:
    """Queue a stopped or failed one again; None if there is nothing to continue, or another press was first."""
    return leases.queue_again(session, row, RESUMABLE)


@dataclass(frozen=True, slots=True)
class Stored:
    kept: int = 0
    set_aside: int = 0

    @property
    def passages(self) -> int:
        return self.kept + self.set_aside


def stored(session: Session, writer_id: str) -> dict[int, Stored]:
    """By id of the pages: how many passages there are, and how many of them are kept."""
    kept = func.count().filter(col(Example.status) == ExampleStatus.kept)
    query = (
        select(Example.manuscript_id, kept, func.count())
        .where(Example.user_id == writer_id, col(Example.manuscript_id).is_not(None))
        .group_by(col(Example.manuscript_id))
    )
    return {one or 0: Stored(mine, number - mine) for one, mine, number in session.exec(query)}


def count(session: Session, writer_id: str, manuscript_id: int) -> int:
    query = select(func.count()).select_from(Example)
    mine = (col(Example.user_id) == writer_id) & (col(Example.manuscript_id) == manuscript_id)
    return session.exec(query.where(mine)).one()


def page(session: Session, writer_id: str, manuscript_id: int, *, number: int = 1, size: int = 25) -> list[Example]:
    """Page ``number`` (from 1) of the passages, in the order of the text."""
    query = select(Example).where(Example.user_id == writer_id, Example.manuscript_id == manuscript_id)
    query = query.order_by(col(Example.idx)).offset((number - 1) * size).limit(size)
    return list(session.exec(query).all())


def newest(session: Session, writer_id: str, manuscript_id: int) -> Example | None:
    """The passage that was stored last."""
    query = select(Example).where(Example.user_id == writer_id, Example.manuscript_id == manuscript_id)
    return session.exec(query.order_by(col(Example.id).desc()).limit(1)).first()


def passage_ids(session: Session, writer_id: str, manuscript_id: int) -> list[int]:
    query = select(Example.id).where(Example.user_id == writer_id, Example.manuscript_id == manuscript_id)
    return [identity for identity in session.exec(query) if identity is not None]


def deleted(session: Session, row: Manuscript) -> tuple[list[int], list[int]]:
    """Of passages that the writer deleted and that could still come back: their ids, and those of their stories."""
    before = col(ExampleChange.before)
    story = before["links"]["story"].as_integer()
    query = select(ExampleChange.example_id, story).where(
        ExampleChange.user_id == row.user_id,
        ExampleChange.action == "delete",
        before["manuscript_id"].as_integer() == row.id,
    )
    found = session.exec(query).all()
    return [one for one, _ in found], [one for _, one in found if one is not None]


def remove_stories(session: Session, writer_id: str, example_ids: Sequence[int], ids: Sequence[int]) -> None:
    """Stories of these examples, and those with these ids of their own that no example has any more."""
    for column, wanted in ((col(Story.example_id), example_ids), (col(Story.id), ids)):
        for start in range(0, len(wanted), _CHUNK):
            mine = (col(Story.user_id) == writer_id) & column.in_(wanted[start : start + _CHUNK])
            if wanted is ids:
                mine &= col(Story.example_id).is_(None)
            session.exec(delete(Story).where(mine).execution_options(synchronize_session=False))


def remove(session: Session, row: Manuscript) -> None:
    """The pages as they came."""
    session.exec(delete(Manuscript).where(col(Manuscript.id) == row.id).execution_options(synchronize_session=False))
    session.expunge(row)


def repeating(session: Session, writer_id: str, ids: Collection[int], limit: int) -> list[Example]:
    """Examples that were set aside because they repeat one of these, and that the writer has not decided on."""
    query = (
        select(Example)
        .where(
            Example.user_id == writer_id,
            Example.status == ExampleStatus.set_aside,
            col(Example.duplicate_of).in_(ids),
            col(Example.decision).is_(None),
        )
        .order_by(col(Example.id))
        .limit(limit)
    )
    return list(session.exec(query).all())
