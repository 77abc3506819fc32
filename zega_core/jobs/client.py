"""How the app, the command line and the API ask for runs. They write a row; a worker does the rest."""

from __future__ import annotations

import time
from datetime import datetime
from functools import lru_cache
from logging import getLogger
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from zega_core import auto_train, db, triggers
from zega_core.configs import AutoTrainConfig, FineTuneConfig
from zega_core.settings import Settings, get_settings
from zega_core.store import checks, fine_tunes, leases, runs, scores, sessions, writers
from zega_core.tables import RunStatus, TrainingSession
from zega_core.version_tables import FineTune

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

log = getLogger(__name__)

QUEUE = "runs"
CHECKS = "checks"
"""Looks and tests have a queue of their own: they do not wait for runs."""
RESCORES = "rescores"
"""One at a time in a worker: scoring keeps a processor busy that runs need, too."""
FINE_TUNES = "fine_tunes"
"""One at a time in a worker, for the same reason."""
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


def start_auto_train(
    config: AutoTrainConfig, *, teacher: str, one_at_a_time: bool = False, settings: Settings | None = None
) -> str:
    """Queue a session and return its id. With ``one_at_a_time`` (a page's button) a second press gets the
    session of the first."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        order = auto_train.order_seed(config.writer_id)
        row = sessions.pressed_already(session, config) if one_at_a_time else None
        row = row or sessions.create(session, config, teacher=teacher, order_seed=order)
    enqueue(row, settings)
    return row.session_id


def check_teacher(writer_id: str, provider: str, model: str = "", settings: Settings | None = None) -> None:
    """Have a worker look at a service, or with ``model`` ask that model for a sentence."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = checks.ask(session, writer_id, provider, model)
    enqueue_check(row.id or 0, settings)


def enqueue_check(check_id: int, settings: Settings) -> None:
    """Hand a check to the workers. The same check twice is done once."""
    options: EnqueueOptions = {
        "workflow_name": "check_teacher",
        "queue_name": CHECKS,
        "workflow_id": f"check:{check_id}",
        "app_version": VERSION,
    }
    _hand_over(options, settings, check_id)


def rescore(writer_id: str, settings: Settings | None = None) -> None:
    """Have a worker score a writer's outdated pieces again. While that waits or goes on, a second press changes
    nothing."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        asked_at = scores.ask(session, writer_id)
    enqueue_rescore(writer_id, asked_at, settings)


def rescore_id(writer_id: str, asked_at: datetime) -> str:
    return f"rescore:{writer_id}:{asked_at:%Y%m%dT%H%M%S%f}"


def enqueue_rescore(writer_id: str, asked_at: datetime, settings: Settings) -> None:
    """Hand a request to the workers. The same request twice is done once."""
    options: EnqueueOptions = {
        "workflow_name": "rescore",
        "queue_name": RESCORES,
        "workflow_id": rescore_id(writer_id, asked_at),
        "app_version": VERSION,
    }
    _hand_over(options, settings, writer_id)


def stop(writer_id: str, session_id: str, settings: Settings | None = None) -> None:
    """Stop a run; everything written stays. It takes about a second."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = runs.ask_to_stop(session, writer_id, session_id)
    if row.status == RunStatus.stopped and not row.recorded:
        auto_train.record(session_id, settings)


def resume(writer_id: str, session_id: str, settings: Settings | None = None) -> None:
    """Continue a stopped or failed run with what it still lacks. A run under way is left alone."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = runs.ask_to_continue(session, writer_id, session_id)
    if row is not None:
        enqueue(row, settings)


def fine_tune(
    writer_id: str,
    *,
    trigger: str = "writer",
    config: FineTuneConfig | None = None,
    one_at_a_time: bool = False,
    settings: Settings | None = None,
) -> str:
    """Queue a fine-tune as the writer has set it up, or by ``config``, and return its id. Those of one writer are
    done one after the other. With ``one_at_a_time`` (a page's button) a second press gets the one under way. Raises
    InvalidInput when there is too little to learn from."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        writers.ensure(session, writer_id)
        writers.lock(session, writer_id)
        under_way = fine_tunes.under_way(session, writer_id) if one_at_a_time else []
        if under_way:
            row = under_way[-1]
        else:
            config = config or fine_tunes.load_config(session, writer_id)
            triggers.check(session, writer_id)
            row = fine_tunes.create(session, writer_id, config, trigger)
    enqueue_fine_tune(row, settings)
    return row.run_id


def fine_tune_if_due(writer_id: str, settings: Settings | None = None) -> str | None:
    """Queue the automatic fine-tune when enough new examples are kept, and return its id. Two that ask at once, from
    two tabs or workers, get one."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        if not triggers.is_due(session, writer_id, settings):
            return None
        writers.lock(session, writer_id)
        if not triggers.is_due(session, writer_id, settings):  # another was first
            return None
        row = fine_tunes.create(session, writer_id, fine_tunes.load_config(session, writer_id), "automatic")
        sessions.note_fine_tune(session, writer_id)
    enqueue_fine_tune(row, settings)
    return row.run_id


def stop_fine_tune(writer_id: str, run_id: str, settings: Settings | None = None) -> None:
    """Stop one: it ends with the best so far as its version. One that waits does not begin."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        leases.ask_to_stop(session, fine_tunes.get(session, writer_id, run_id))
    enqueue_next_fine_tune(writer_id, settings)


def resume_fine_tune(writer_id: str, run_id: str, settings: Settings | None = None) -> None:
    """Go on with a stopped or failed one from its last checkpoint. One under way is left alone."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = fine_tunes.ask_to_continue(session, fine_tunes.get(session, writer_id, run_id))
    if row is not None:
        enqueue_fine_tune(row, settings)


def enqueue_fine_tune(row: FineTune, settings: Settings) -> None:
    """Hand the row's attempt to the workers. The same attempt twice is one run."""
    options: EnqueueOptions = {
        "workflow_name": "fine_tune",
        "queue_name": FINE_TUNES,
        "workflow_id": fine_tune_id(row),
        "app_version": VERSION,
    }
    _hand_over(options, settings, row.run_id, row.attempt)


def enqueue_next_fine_tune(writer_id: str, settings: Settings) -> None:
    """After one of the writer's has ended: the oldest that waits. It has been handed over once, and found that it was
    not its turn; so this is a new attempt."""
    with db.session(settings) as session:
        waiting = next(iter(fine_tunes.under_way(session, writer_id)), None)
        if waiting is None or waiting.status != RunStatus.queued:
            return
        row = fine_tunes.take_over(session, waiting)
    if row is not None:
        enqueue_fine_tune(row, settings)


def fine_tune_id(row: FineTune) -> str:
    return f"fine-tune:{row.run_id}:{row.attempt}"


def workflow_id(row: TrainingSession) -> str:
    return f"{row.session_id}:{row.attempt}"


def enqueue(row: TrainingSession, settings: Settings) -> None:
    """Hand the row's attempt to the workers. The same attempt twice is one run. If the queue cannot be
    reached (on the very first start there is none yet), the workers find the row by reconciling."""
    options: EnqueueOptions = {
        "workflow_name": "auto_train",
        "queue_name": QUEUE,
        "workflow_id": workflow_id(row),
        "app_version": VERSION,
    }
    _hand_over(options, settings, row.session_id, row.attempt)


def _hand_over(options: EnqueueOptions, settings: Settings, *arguments: object) -> None:
    try:
        dbos_client(settings).enqueue(options, *arguments)
    except SQLAlchemyError as error:
        log.info("%s waits for a worker to find it (%s)", options["workflow_name"], type(error).__name__)
