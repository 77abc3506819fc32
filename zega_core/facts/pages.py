"""A writer's own pages as programs see them."""

from __future__ import annotations

from datetime import datetime

from zega_core import db, own_pages_words
from zega_core.conversation_tables import Manuscript
from zega_core.facts.base import Facts
from zega_core.settings import Settings
from zega_core.store import manuscripts
from zega_core.store.manuscripts import Stored


class PagesFacts(Facts):
    """``message`` says how far it is. ``kept`` of ``passages`` are learned from."""

    run_id: str
    name: str
    format: str
    genre: str | None
    status: str
    words: int
    chapters: int
    done: int
    passages: int
    kept: int
    set_aside: int
    message: str
    notes: list[str]
    error: str | None
    created_at: datetime
    completed_at: datetime | None


def of_pages(row: Manuscript, stored: Stored) -> PagesFacts:
    return PagesFacts(
        run_id=row.run_id,
        name=row.name,
        format=row.format,
        genre=row.genre or None,
        status=row.status,
        words=row.words,
        chapters=row.chapters,
        done=row.done,
        passages=row.passages,
        kept=stored.kept,
        set_aside=stored.set_aside,
        message=own_pages_words.stands(row, stored),
        notes=row.notes,
        error=row.error,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


def pages_facts(writer: str, run_id: str, settings: Settings) -> PagesFacts:
    """Raises NotFound."""
    with db.reading(settings) as session:
        row = manuscripts.get(session, writer, run_id)
        return of_pages(row, manuscripts.stored(session, writer).get(row.id or 0, Stored()))


def every_pages(writer: str, settings: Settings) -> list[PagesFacts]:
    """Newest first."""
    with db.reading(settings) as session:
        stored = manuscripts.stored(session, writer)
        rows = manuscripts.of_writer(session, writer)
    return [of_pages(row, stored.get(row.id or 0, Stored())) for row in rows]
