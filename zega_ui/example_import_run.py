"""An import in a thread of its own: a page that is drawn again, closed or opened twice loses nothing of it. Knows no
Streamlit. Where the app ends in the middle, what is stored stays, and the same file again completes it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from logging import getLogger

from zega_core import importing
from zega_core.errors import InvalidInput, ZegaError
from zega_core.importing import Imported
from zega_core.jobs import client
from zega_core.settings import Settings

log = getLogger(__name__)
AT_ONCE = 2
"""Imports at a time in one app: each keeps its file in memory and a processor busy."""


@dataclass
class Import:
    """``lines`` makes the lines anew, ``of`` is how many there are (0 where that is not
    known), each ``called`` a row or a line."""

    writer: str
    name: str
    lines: Callable[[], Iterable[str]]
    own: bool
    of: int
    called: str = "row"
    read: int = 0
    outcome: Imported | None = None
    error: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def ended(self) -> bool:
        return self.thread is None or not self.thread.is_alive()

    @property
    def share(self) -> float:
        return min(1.0, self.read / self.of) if self.of else 0.0

    def run(self, settings: Settings) -> None:
        try:
            self.outcome = importing.import_pairs(
                self.writer, self._counted(), settings, own=self.own, name=self.name, stop=self.stopped
            )
            client.refresh_memory(self.writer, settings)
        except ZegaError as error:
            self.error = str(error)
        except Exception:
            log.exception("an import ended early")
            self.error = "The import ended early. What is stored is safe; import the same file again to go on."

    def _counted(self) -> Iterator[str]:
        for line in self.lines():
            self.read += 1
            yield line


_imports: dict[str, Import] = {}
_lock = threading.Lock()


def start(wanted: Import, settings: Settings) -> None:
    """Raises InvalidInput while the writer's last one, or too many of others, are under way."""
    with _lock:
        if (going := _imports.get(wanted.writer)) is not None and not going.ended:
            raise InvalidInput(f"{going.name} is being imported. Wait until it is done, or stop it.")
        if sum(not one.ended for one in _imports.values()) >= AT_ONCE:
            raise InvalidInput("Other writers are importing just now. Wait a minute and press Import again.")
        wanted.thread = threading.Thread(target=wanted.run, args=(settings,), name="import", daemon=True)
        _imports[wanted.writer] = wanted
        wanted.thread.start()


def latest(writer: str) -> Import | None:
    """The writer's last one: under way, or ended and not put away yet."""
    return _imports.get(writer)


def put_away(writer: str) -> None:
    """What came of the last one has been read."""
    with _lock:
        if (last := _imports.get(writer)) is not None and last.ended:
            del _imports[writer]
