"""What goes before a request, looked up once for all who write it: hints on the writer's style, and recalled texts."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from logging import getLogger

from zega_core import db, memory, profiling
from zega_core.context import Recalled
from zega_core.errors import Cancelled
from zega_core.settings import Settings
from zega_core.writing_configs import WriteRequest
from zega_core.writing_requests import subject

log = getLogger(__name__)

QUERY_CHARS = 2_000
MOST_RECALLED = 5
NOT_READ = "Your style and memory could not be looked up just now, so it was written without them."


class Material:
    """Looked up when it is first asked for, which may take a moment. What cannot be had is done without."""

    def __init__(self, wanted: WriteRequest, settings: Settings, stop: threading.Event) -> None:
        self._wanted, self._settings, self._stop = wanted, settings, stop
        self._lock, self._known = threading.Lock(), False
        self._hints: tuple[str, ...] = ()
        self._recalled: Sequence[Recalled] = ()
        self._note = ""

    @property
    def hints(self) -> tuple[str, ...]:
        self._look()
        return self._hints

    @property
    def recalled(self) -> Sequence[Recalled]:
        self._look()
        return self._recalled

    @property
    def note(self) -> str:
        """What the writer should know of it, may be empty."""
        self._look()
        return self._note

    def _look(self) -> None:
        with self._lock:
            if self._known:
                return
            self._known = True
            wanted = self._wanted
            try:
                with db.reading(self._settings) as session:
                    if wanted.hints:
                        self._hints = profiling.style_hints(session, wanted.writer_id, wanted.genre)
                    if wanted.recall:
                        self._recalled = self._remembered(session)
            except Cancelled:
                raise
            except Exception:  # a text without them is better than none
                log.exception("what goes before a request could not be looked up")
                self._note = NOT_READ

    def _remembered(self, session: db.Session) -> Sequence[Recalled]:
        """What is in the text to work on anyway is not recalled as well."""
        wanted, settings = self._wanted, self._settings
        found = memory.recall(
            session,
            wanted.writer_id,
            self.query,
            settings,
            genre=wanted.genre,
            most=MOST_RECALLED,
            stop=self._stop,
        )
        if found:
            self._note = memory.embedder_note(settings)
        given = _words(wanted.given)
        return [one for one in found if not given or _words(one.text) not in given][:MOST_RECALLED]

    @property
    def query(self) -> str:
        """What to recall by: the brief, and the end of the text to work on."""
        brief = subject(self._wanted)
        return "\n".join(filter(None, [brief, self._wanted.given[-QUERY_CHARS:]]))[-2 * QUERY_CHARS :]


def _words(text: str) -> str:
    return " ".join(text.split())
