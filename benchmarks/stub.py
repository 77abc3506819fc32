"""What the benchmarks share: a worker with a stub teacher, and sessions larger than a page allows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen

from tests.support.worker import running
from zega_core import db
from zega_core.auto_train import order_seed
from zega_core.configs import DEFAULT_WRITER, AutoTrainConfig
from zega_core.jobs import client
from zega_core.settings import Settings
from zega_core.store import sessions
from zega_core.tables import UNFINISHED, TrainingSession


@contextmanager
def stub_worker(settings: Settings, *, in_flight: int, latency: float) -> Iterator[Popen[bytes]]:
    with running(settings, settings.home / "calls.txt", in_flight=in_flight, delay=latency) as process:
        yield process


def large_session(settings: Settings, number: int, *, enqueue: bool = True) -> TrainingSession:
    """A queued session of any size: it is made as one of 500 and enlarged before a worker sees it."""
    config = AutoTrainConfig(num_examples=500, seed=11)
    with db.session(settings) as session:
        row = sessions.create(session, config, teacher="stub", order_seed=order_seed(DEFAULT_WRITER))
        row.num_examples_requested = number
        session.add(row)
    if enqueue:
        client.enqueue(row, settings)
    return row


def until_done(settings: Settings, row: TrainingSession) -> TrainingSession:
    while True:
        with db.reading(settings) as session:
            found = sessions.get(session, row.user_id, row.session_id)
        if found.status not in UNFINISHED:
            return found
        time.sleep(0.05)
