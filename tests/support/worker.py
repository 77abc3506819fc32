"""A real worker with a scripted teacher: ``python -m tests.support.worker [the worker's options]``.

``ZEGA_TEST_DELAY`` (seconds a piece) and ``ZEGA_TEST_IN_FLIGHT`` set the teacher's pace. Every call is
noted in ``ZEGA_TEST_CALLS``, one line each: seed of the piece, process. With ``ZEGA_TEST_PROVER``
``tests.support.prover`` writes the texts of proofs, with ``ZEGA_TEST_TRAINER`` ``tests.support.trainer`` trains; with
``ZEGA_TEST_STAFF`` the writer's own teachers write.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.teachers import ScriptedTeacher, catalog
from zega_core.jobs import launcher, worker, workflows
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.settings import ROOT, Settings
from zega_core.staffing import Staff


class NotedTeacher(ScriptedTeacher):
    """Takes ``ZEGA_TEST_DELAY`` +- 20 % and leaves a line for every call."""

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        line = f"{options.seed} {os.getpid()}\n".encode()
        handle = os.open(os.environ["ZEGA_TEST_CALLS"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
        os.write(handle, line)
        os.close(handle)
        time.sleep(float(os.environ["ZEGA_TEST_DELAY"]) * random.uniform(0.8, 1.2))
        return super().complete(messages, options)


def main() -> int:
    if not os.environ.get("ZEGA_TEST_STAFF"):
        teacher = NotedTeacher(in_flight=int(os.environ["ZEGA_TEST_IN_FLIGHT"]))
        tiny = catalog()
        workflows.staffing.staff_of = lambda session_id, settings: Staff(teacher)
        workflows.load_catalog = lambda: tiny
    if os.environ.get("ZEGA_TEST_TRAINER"):
        workflows.fine_tuning.CHILD = "tests.support.trainer"
    if os.environ.get("ZEGA_TEST_PROVER"):
        workflows.proving.CHILD = "tests.support.prover"
    return worker.main()


@contextmanager
def running(
    settings: Settings,
    calls: Path,
    *,
    slot: int = 0,
    delay: float = 0.02,
    in_flight: int = 8,
    wait: bool = True,
    fine_tune_every: int = 100_000,
) -> Iterator[subprocess.Popen[bytes]]:
    """Such a worker as a process, killed at the end; ready when ``wait`` is set. As it is no training begins by itself
    beside what a test is about."""
    environment = {
        **os.environ,
        "ZEGA_HOME": str(settings.home),
        "ZEGA_TEST_CALLS": str(calls),
        "ZEGA_TEST_DELAY": str(delay),
        "ZEGA_TEST_IN_FLIGHT": str(in_flight),
        "ZEGA_FINE_TUNE_EVERY": str(fine_tune_every),
    }
    if settings.database_url is not None:
        environment["ZEGA_DATABASE_URL"] = settings.database_url.get_secret_value()
    settings.prepare_home()
    with (settings.home / "logs" / f"test-worker-{slot}.out").open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.worker", "--slot", str(slot), "--parent", str(os.getpid())],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        )
    try:
        if wait:
            until(lambda: launcher.worker_is_alive(settings, slot) or process.poll() is not None)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def until(condition: Callable[[], object], seconds: float = 300) -> None:
    """Wait for a condition; AssertionError when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
