"""A process that works for another one: it tells what it does as JSON lines on standard output, and ends when standard
input closes, since then nobody is there to listen."""

from __future__ import annotations

import json
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from zega_core.errors import HomeError, ZegaError

Tell = Callable[[Mapping[str, Any]], None]
LOCK_SECONDS = 30.0
"""How long the process of a killed worker may take to notice and end."""
NICE = 10
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait do not spin: the machine has other work
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def begin() -> IO[str]:
    """To be called before torch is imported. Returns what to tell events to: standard output is for them alone, what
    libraries print goes to standard error."""
    os.environ.update(ENVIRONMENT)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listener = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_input, daemon=True).start()
    return listener


def give_way() -> None:
    """To what the writer does meanwhile."""
    if hasattr(os, "nice"):
        os.nice(NICE)


def tell(listener: IO[str], event: Mapping[str, Any]) -> None:
    try:
        listener.write(json.dumps(event) + "\n")
        listener.flush()
    except BrokenPipeError:
        os._exit(0)


def guarded(work: Callable[[Tell], None], tell: Callable[..., None], unexpected: str) -> int:
    """The exit status; an error is told as a sentence, one that nobody foresaw as ``unexpected``."""
    try:
        work(tell)
    except HomeError as error:
        tell({"event": "error", "message": str(error), "kind": "home"})
    except ZegaError as error:
        tell({"event": "error", "message": str(error), "kind": "refused"})
    except Exception:
        traceback.print_exc()
        tell({"event": "error", "message": unexpected, "kind": "unexpected"})
    else:
        return 0
    return 1


@contextmanager
def alone(folder: Path, busy: str) -> Iterator[None]:
    """Nobody else works on ``folder`` meanwhile. Raises HomeError: with ``busy`` if somebody does, else for what the
    disk refuses."""
    try:
        with FileLock(folder / "lock", timeout=LOCK_SECONDS):
            yield
    except Timeout as error:
        raise HomeError(busy) from error
    except OSError as error:
        raise HomeError(f"ZEGA cannot use {folder}. Give yourself write access and free space there.") from error


def _end_with_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)
