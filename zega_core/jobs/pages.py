"""How a door hands over a writer's own pages. ``client`` has these names, too."""

from __future__ import annotations

from zega_core import db, own_pages
from zega_core.conversation_tables import Manuscript
from zega_core.jobs import queues
from zega_core.settings import Settings, get_settings
from zega_core.store import leases, manuscripts


def add_pages(
    writer_id: str,
    name: str,
    data: bytes,
    *,
    genre: str = "",
    ask_teacher: bool = False,
    settings: Settings | None = None,
) -> str:
    """Queue pages and return their run's id; the same file again gives the one that is there. ``name`` ends as the file
    does; pasted text has no ending. Raises InvalidInput for what cannot be taken."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = own_pages.add(session, writer_id, name, data, settings, genre=genre, ask_teacher=ask_teacher)
    enqueue_pages(row, settings)
    return row.run_id


def stop_pages(writer_id: str, run_id: str, settings: Settings | None = None) -> None:
    """Stop reading; every passage that is stored stays, and Continue goes on from there."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        leases.ask_to_stop(session, manuscripts.get(session, writer_id, run_id))


def resume_pages(writer_id: str, run_id: str, settings: Settings | None = None) -> None:
    """Go on with stopped or failed ones. Those under way, or read, are left alone."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = manuscripts.ask_to_continue(session, manuscripts.get(session, writer_id, run_id))
    if row is not None:
        enqueue_pages(row, settings)


def enqueue_pages(row: Manuscript, settings: Settings) -> None:
    """Hand the row's attempt to the workers. The same attempt twice is one run."""
    queues.hand_over(settings, "read_pages", queues.PAGES, pages_id(row), row.run_id, row.attempt)


def pages_id(row: Manuscript) -> str:
    return f"pages:{row.run_id}:{row.attempt}"
