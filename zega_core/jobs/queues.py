"""DBOS as we use it: its queues, its books (``jobs.db``, or a schema in PostgreSQL), and handing work over to it."""

from __future__ import annotations

import time
from functools import lru_cache
from logging import getLogger
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from zega_core import db
from zega_core.settings import Settings

if TYPE_CHECKING:
    from dbos import DBOSClient

log = getLogger(__name__)

QUEUE = "runs"
CHECKS = "checks"
"""Looks and tests have a queue of their own: they do not wait for runs."""
RESCORES = "rescores"
"""One at a time in a worker: scoring keeps a processor busy that runs need, too."""
FINE_TUNES = "fine_tunes"
"""One at a time in a worker, for the same reason; proofs, too."""
EXPORTS = "exports"
"""One at a time in a worker, beside fine-tunes: a file to take along does not wait for hours of training."""
QUESTIONS = "questions"
"""What a writer waits for on a page: several at once, and never behind a run."""
PAGES = "pages"
"""One at a time in a worker: reading a writer's own pages scores every passage."""
MEMORY = "memory"
"""One at a time in a worker: what writing may recall, and the measured style. It never waits for a run."""
APPLICATION = "zega"
VERSION = "jobs-1"
"""Pinned: DBOS would otherwise orphan pending runs at every edit. Raise it only for an incompatible change."""


def jobs_engine(settings: Settings) -> Engine:
    """Where DBOS keeps its own books: ``jobs.db``, or the PostgreSQL database in a schema of its own."""
    return db.get_engine(settings) if settings.uses_postgresql else db.sqlite_engine(settings.home / "jobs.db")


def put_damaged_books_aside(settings: Settings) -> None:
    """DBOS's books hold nothing that our rows do not: if they cannot be read, new ones are begun."""
    path = settings.home / "jobs.db"
    if settings.uses_postgresql or not path.exists() or books_are_sound(settings):
        return
    for damaged in sorted(settings.home.glob("jobs.db*")):
        damaged.rename(damaged.with_name(f"damaged-{int(time.time())}-{damaged.name}"))
    log.warning("jobs.db was damaged and is put aside; runs are taken up from our own rows")


def books_are_sound(settings: Settings) -> bool:
    """Whether DBOS's books can be read. Those in PostgreSQL are the server's care."""
    if settings.uses_postgresql:
        return True
    engine = jobs_engine(settings)
    try:
        with engine.connect() as connection:
            return connection.execute(text("PRAGMA quick_check")).scalar_one() == "ok"
    except OperationalError:
        return True  # busy or out of reach is not damaged, and must not be put aside
    except DatabaseError:
        return False
    finally:
        engine.dispose()


@lru_cache(maxsize=4)
def dbos_client(settings: Settings) -> DBOSClient:
    from dbos import DBOSClient  # a third of a second that only a press of a button needs, not the first page

    return DBOSClient(
        system_database_engine=jobs_engine(settings),
        application_name=APPLICATION,
        lazy=True,
        retry_connection_errors=False,
    )


def hand_over(settings: Settings, workflow: str, queue: str, identity: str, *arguments: object) -> None:
    """Enqueue a workflow; the same identity twice is one. If the queue cannot be reached (on the very first start
    there is none yet), the workers find the row by reconciling."""
    try:
        dbos_client(settings).enqueue(
            {"workflow_name": workflow, "queue_name": queue, "workflow_id": identity, "app_version": VERSION},
            *arguments,
        )
    except SQLAlchemyError as error:
        log.info("%s waits for a worker to find it (%s)", workflow, type(error).__name__)
