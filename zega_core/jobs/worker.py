"""The worker: runs everything long. ``python -m zega_core.jobs.worker [--slot N] [--parent PID]``.

One process a slot, held by a file lock that ends with the process, however it ends. A worker that is
killed loses nothing: the next one on its slot takes its runs up again.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import time
from hashlib import blake2b
from logging.handlers import RotatingFileHandler

from dbos import DBOS, DBOSConfig
from filelock import FileLock, Timeout

from zega_core import db
from zega_core.errors import ZegaError
from zega_core.jobs import queues, workflows
from zega_core.jobs.launcher import SLOT_TAKEN, lock_path
from zega_core.jobs.reconcile import reconcile
from zega_core.settings import Settings, get_settings

log = logging.getLogger(__name__)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m zega_core.jobs.worker", description=__doc__)
    parser.add_argument("--slot", type=int, default=0, help="which of several workers of this ZEGA_HOME this one is")
    parser.add_argument("--parent", type=int, default=0, help="end when this process is no longer our parent")
    options = parser.parse_args()
    try:
        settings = get_settings()
        settings.prepare_home()
        lock = FileLock(lock_path(settings, options.slot))
        with settings.home_errors():
            lock.acquire(timeout=2)  # whoever only asks whether a worker is alive holds it for a moment
        with lock:
            _serve(settings, options.slot, options.parent)
    except Timeout:
        print(f"Another worker already has slot {options.slot} of this ZEGA_HOME.", file=sys.stderr)  # noqa: T201
        return SLOT_TAKEN
    except ZegaError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _serve(settings: Settings, slot: int, parent: int) -> None:
    _log_to_file(settings, slot)
    for stop in (signal.SIGINT, signal.SIGTERM):
        # Not DBOS.destroy(): it would record live runs as failed. A process that is gone leaves them resumable.
        signal.signal(stop, lambda *_: os._exit(0))
    db.prepare(settings)
    queues.put_damaged_books_aside(settings)
    _launch_dbos(settings, slot)
    log.info("worker %d is ready", slot)
    due = 0.0
    while not parent or os.getppid() == parent:
        if time.monotonic() >= due:
            _reconcile(settings)
            due = time.monotonic() + settings.reconcile_every
        time.sleep(min(1.0, settings.reconcile_every))
    log.info("the process that started worker %d is gone", slot)
    os._exit(0)


def _launch_dbos(settings: Settings, slot: int) -> None:
    for name in [name for name in os.environ if name.startswith(("DBOS__", "DBOS_CONDUCTOR"))]:
        del os.environ[name]
    config: DBOSConfig = {
        "name": queues.APPLICATION,
        "application_version": queues.VERSION,
        "executor_id": _executor_id(settings, slot),
        "system_database_engine": queues.jobs_engine(settings),
        "max_executor_threads": 32,
        "scheduler_polling_interval_sec": 5.0,
        "enable_otlp": False,
        "log_level": "WARNING",
    }
    DBOS(config=config)
    DBOS.launch()
    # Each look is three queries, also while there is nothing to do: as often as somebody waits for the answer.
    DBOS.register_queue(queues.QUEUE, worker_concurrency=settings.runs_at_once, polling_interval_sec=0.2)
    DBOS.register_queue(queues.QUESTIONS, worker_concurrency=4, polling_interval_sec=0.2)
    DBOS.register_queue(queues.CHECKS, worker_concurrency=8, polling_interval_sec=0.5)
    for alone in (queues.FINE_TUNES, queues.RESCORES, queues.EXPORTS, queues.PAGES, queues.MEMORY):
        DBOS.register_queue(alone, worker_concurrency=1, polling_interval_sec=1.0)


def _executor_id(settings: Settings, slot: int) -> str:
    """The same after a restart, and another's nowhere: DBOS gives a worker back what its id had begun."""
    home = blake2b(str(settings.home.resolve()).encode(), digest_size=4).hexdigest()
    return f"{socket.gethostname()}-{home}-{slot}"


def _reconcile(settings: Settings) -> None:
    try:
        reconcile(settings)
    except Exception:  # the disk may be full, the database away: the next round tries again
        log.exception("reconciling failed")


def _log_to_file(settings: Settings, slot: int) -> None:
    path = settings.home / "logs" / f"worker-{slot}.log"
    handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("alembic", "dbos"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


assert workflows  # imported for its registrations

if __name__ == "__main__":
    sys.exit(main())
