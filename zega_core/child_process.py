"""A process that trains or writes, as the worker sees it: what it says, asking it to stop, how it ended.

It ends when this process does: its standard input closes then.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Literal

from zega_core.settings import ROOT, Settings

log = getLogger(__name__)

MOST_KILLS = 2
"""How often the process may be killed without having come further before the run is given up."""
KILLED = (
    "The process that computes was ended by the system {times} times at the same place, most likely for want of "
    "memory. Close other programs{advice}; then {then}."
)


@dataclass(frozen=True, slots=True)
class Ended:
    """``error`` is a sentence, empty when all went well."""

    error: str = ""
    kind: Literal["", "refused", "home", "unexpected"] = ""


class ChildProcess:
    """A context: the process is gone when it is left. ``module`` is what it runs, given ``folder``, which ``lay_out``
    fills before each start. A process that was killed is started again, and goes on from what it has. ``advice`` says
    what else helps against want of memory, ``then`` what comes of it."""

    def __init__(
        self,
        module: str,
        folder: Path,
        settings: Settings,
        *,
        advice: str = "",
        then: str = "Continue goes on where it stood",
        lay_out: Callable[[], object] = lambda: None,
    ) -> None:
        self._module, self._folder, self._settings = module, folder, settings
        self._advice, self._then, self._lay_out = advice, then, lay_out
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._last_words: list[dict[str, Any]] = []
        self._end: Ended | None = None
        self._reached = self._reached_at_last_kill = -1
        self._kills = 0

    def __enter__(self) -> ChildProcess:
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _start(self) -> None:
        self._lay_out()
        command = [sys.executable, "-m", self._module, str(self._folder)]
        environment = {**os.environ, "ZEGA_HOME": str(self._settings.home), "OMP_WAIT_POLICY": "PASSIVE"}
        with self._settings.home_errors(), (self._settings.home / "logs" / "children.out").open("ab") as out:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, env=environment
            )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                log.warning("%s printed what is no event: %r", self._module, line[:200])
                continue
            if isinstance(event, dict):
                self._said.put(event)

    def events(self, seconds: float) -> list[dict[str, Any]]:
        """What was said since the last call; waits up to ``seconds`` for something."""
        found, self._last_words = self._last_words, []
        deadline = monotonic() + (0 if found else seconds)
        while True:
            try:
                event = self._said.get(timeout=max(0.0, deadline - monotonic()))
            except queue.Empty:
                return found
            found.append(event)
            self._note(event)
            if len(found) == 1:  # what is said in one breath is stored in one transaction
                deadline = min(deadline, monotonic() + 0.1)

    def _note(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "done":
            self._end = Ended()
        elif kind == "error":
            self._end = Ended(str(event.get("message"))[:1000], event.get("kind", "unexpected"))
        elif kind == "step":
            self._reached = int(event.get("step", 0))
        elif kind in ("text", "losses"):
            self._reached += 1

    def ask_to_stop(self) -> None:
        """The best so far is kept; the process ends by itself soon after."""
        with self._settings.home_errors():
            (self._folder / "stop").touch()

    def ended(self) -> Ended | None:
        """How it ended; None while it works. One that ended without a word is started again."""
        status = self._process.poll()
        if status is None:
            return None
        self._reader.join(5)
        self._last_words = self.events(0)  # for the next who asks: a process that goes on does not say them again
        if self._end is not None:
            return self._end
        log.warning("%s ended with status %s, %d on", self._module, status, self._reached)
        self._kills = self._kills + 1 if self._reached <= self._reached_at_last_kill else 1
        self._reached_at_last_kill = self._reached
        if self._kills > MOST_KILLS:
            return Ended(KILLED.format(times=self._kills, advice=self._advice, then=self._then), "refused")
        self.__exit__(None, None, None)
        self._start()
        return None
