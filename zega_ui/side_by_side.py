"""Two chat models on the same prompt, in a thread of its own: a page that is drawn again loses nothing, and Stop is
heard at once. Knows no Streamlit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from logging import getLogger
from typing import Literal, Protocol

from zega_core.errors import Cancelled, ZegaError
from zega_core.providers.base import GenerationOptions, Message

log = getLogger(__name__)


class Streaming(Protocol):
    """A chat model that writes piece by piece (``providers.service.ServiceModel``)."""

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, object]: ...


@dataclass
class Side:
    """One model's part. ``model`` is called in the thread, because it may have to start a process first; it is handed
    what tells ``note``, a sentence on what is waited for. ``seconds`` is how long the writing took, loading not
    counted."""

    label: str
    model: Callable[[Callable[[str], None]], Streaming]
    text: str = ""
    state: Literal["waiting", "loading", "writing", "done", "stopped", "failed"] = "waiting"
    note: str = ""
    error: str = ""
    seconds: float = 0.0
    cut: bool = False
    """It had more to say than the length allowed."""

    def tell(self, note: str) -> None:
        self.note = note


@dataclass
class Trial:
    """Both sides write one after the other: two at once would share the processor and show neither's pace."""

    sides: Sequence[Side]
    prompt: str
    options: GenerationOptions
    stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self.options = replace(self.options, stop=self.stopped)
        self._thread = threading.Thread(target=self._run, name="side-by-side", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """What is written by then stays."""
        self.stopped.set()

    def wait(self, seconds: float | None = None) -> None:
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        for side in self.sides:
            try:
                self._write(side)
            except Cancelled:
                side.state = "stopped"
            except ZegaError as error:
                side.state, side.error = "failed", str(error)
            except Exception:  # a thread has nobody above it that would say so
                log.exception("%s could not write", side.label)
                side.state, side.error = "failed", "It could not write. Try again; if that fails, run `zega doctor`."

    def _write(self, side: Side) -> None:
        if self.stopped.is_set():
            side.state = "stopped"
            return
        side.state = "loading"
        pieces = side.model(side.tell).stream([Message("user", self.prompt)], self.options)
        began: float | None = None
        try:
            while not self.stopped.is_set():
                piece = next(pieces)
                began = began if began is not None else time.monotonic()
                side.state, side.text = "writing", side.text + piece
                side.seconds = time.monotonic() - began
        except StopIteration as ended:
            side.cut = getattr(ended.value, "cut_off", False)
        finally:
            pieces.close()
        side.state = "stopped" if self.stopped.is_set() else "done"
