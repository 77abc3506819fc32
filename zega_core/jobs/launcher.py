"""Starts workers and the app as processes, and keeps them alive: ``zega up``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path

from filelock import FileLock, Timeout

from zega_core.errors import ConfigError, ZegaError
from zega_core.local import process as writing
from zega_core.settings import ROOT, Settings

log = getLogger(__name__)

SLOT_TAKEN = 3
"""Exit status of a worker whose slot another one holds."""
LOOK = 0.5
QUICK = 10.0
"""A worker that ends within so many seconds is started again only after as many."""


def lock_path(settings: Settings, slot: int) -> Path:
    return settings.home / f"worker-{slot}.lock"


def worker_is_alive(settings: Settings, slot: int = 0) -> bool:
    try:
        with settings.home_errors(), FileLock(lock_path(settings, slot)).acquire(timeout=0):
            return False
    except Timeout:
        return True


def start_worker(settings: Settings, slot: int = 0) -> subprocess.Popen[bytes]:
    """A worker process that ends with this one. What it prints goes to ``logs/``."""
    command = [sys.executable, "-m", "zega_core.jobs.worker", "--slot", str(slot), "--parent", str(os.getpid())]
    with settings.home_errors(), (settings.home / "logs" / f"worker-{slot}.out").open("ab") as out:
        # A session of its own: Ctrl-C is for the one who follows a run, who then asks the worker to stop it.
        return subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment(settings),
            start_new_session=True,
        )


def ensure_worker(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Start a worker unless one is there; the started process, if any."""
    settings.prepare_home()
    return None if worker_is_alive(settings) else start_worker(settings)


class Worker:
    """One that is there, or one of ours that is started again when it dies."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._settings, self._say = settings, say
        self._process, self._started = ensure_worker(settings), time.monotonic()

    def look(self) -> None:
        """Start it again if it is gone; one that ended at once cannot work here, and is not started without end."""
        if (self._process is not None and self._process.poll() is None) or worker_is_alive(self._settings):
            return
        if time.monotonic() - self._started >= QUICK:
            self._say("The worker has ended; starting it again.")
            self._process, self._started = ensure_worker(self._settings), time.monotonic()

    def end(self) -> None:
        _end(self._process)


@contextmanager
def kept_worker(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """A worker as long as this lasts, looked after by a thread."""
    worker, over = Worker(settings, say), threading.Event()

    def keep() -> None:
        while not over.wait(LOOK):
            try:
                worker.look()
            except ZegaError as error:  # the disk may be full: the next look tries again
                log.warning("a worker could not be started: %s", error)

    thread = threading.Thread(target=keep, name="worker-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        worker.end()


def check_port(port: int) -> None:
    """Raises ConfigError when something else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigError(
                f"Port {port} is in use by another program, perhaps by a ZEGA that is already running at "
                f"http://localhost:{port}. Open that address, or choose another port: ZEGA_PORT={port + 1} make run"
            ) from error


def up(settings: Settings, say: Callable[[str], None]) -> int:
    """Run worker and app until interrupted; a worker that dies is started again. The app's exit status."""
    settings.prepare_home()
    check_port(settings.port)
    signal.signal(signal.SIGTERM, _interrupt)
    app = worker = None
    try:
        app = _start_app(settings)
        worker = Worker(settings, say)
        while app.poll() is None and not _answers(settings.port):
            time.sleep(0.05)
        if app.poll() is None:
            say(f"ZEGA is at http://localhost:{settings.port}  (Ctrl-C ends it; runs go on at the next start)")
        while app.poll() is None:
            time.sleep(LOOK)
            worker.look()
        say(f"The app has ended with status {app.returncode}; {settings.home / 'logs' / 'app.log'} says why.")
        return app.returncode
    except KeyboardInterrupt:
        return 0
    finally:
        _end(app)
        if worker is not None:
            worker.end()
        writing.end(settings)


def _answers(port: int) -> bool:
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex(("127.0.0.1", port)) == 0


def _start_app(settings: Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(settings.port)]
    with settings.home_errors(), (settings.home / "logs" / "app.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(settings)
        )


def environment(settings: Settings) -> dict[str, str]:
    """For our processes, which begin in another folder than the one a relative ZEGA_HOME is meant from."""
    return {**os.environ, "ZEGA_HOME": str(settings.home)}


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
