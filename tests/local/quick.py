"""The server's process with a writer that needs no torch, so that it starts at once: ``python -m tests.local.quick``.

It writes ``WORD`` as often as asked, one every ``ZEGA_TEST_DELAY`` seconds. "crash" as the prompt ends the process,
"breaks" the text, those in ``FAULTS`` raise. ``ZEGA_TEST_CODE`` makes it one of other code.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from zega_core.errors import InvalidInput, NotFound, ProviderUnavailable
from zega_core.local import process, server
from zega_core.local.protocol import Begun, Writing, Written
from zega_core.settings import Settings

WORD = "wörd “🙂” "
FAULTS: dict[str, Exception] = {
    "no version": NotFound("There is no version v9 of your model. Choose another version."),
    "damaged": InvalidInput("v3's file adapter_model.safetensors is damaged. Restore it from a backup."),
    "no memory": ProviderUnavailable("There is not enough memory to write with this model."),
    "fault": KeyError("/some/secret/path"),
}


class QuickWriter:
    """Notes how many texts were stopped and how many were written at once."""

    def __init__(self, settings: Settings | None = None, delay: float | None = None) -> None:
        self.delay = float(os.environ.get("ZEGA_TEST_DELAY", "0.01")) if delay is None else delay
        self.seen: list[Writing] = []
        self.stopped = threading.Event()
        self.at_once = self.most = 0

    def prepare(self) -> None:
        pass

    def write(self, writing: Writing, tell: Callable[[Begun | str], None], stop: threading.Event) -> Written:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            return self._write(writing, tell, stop)
        finally:
            self.at_once -= 1

    def _write(self, writing: Writing, tell: Callable[[Begun | str], None], stop: threading.Event) -> Written:
        if stop.is_set():
            self.stopped.set()
            return Written(0, "stop")
        self.seen.append(writing)
        if writing.prompt in FAULTS:
            raise FAULTS[writing.prompt]
        tell(Begun(7, 5))
        for number in range(writing.max_tokens):
            if writing.prompt == "crash" and number == 3:
                os._exit(9)
            if writing.prompt == "breaks" and number == 3:
                raise FAULTS["no memory"]
            if stop.is_set():
                self.stopped.set()
                return Written(number, "stop")
            tell(WORD)
            time.sleep(self.delay)
        return Written(writing.max_tokens, "length")


if __name__ == "__main__":
    engine: Any = ModuleType("zega_core.local.engine")
    engine.Engine = QuickWriter
    sys.modules["zega_core.local.engine"] = engine
    if "ZEGA_TEST_CODE" in os.environ:
        known = process.code_version
        process.code_version = lambda: f"{known()}-{os.environ['ZEGA_TEST_CODE']}"
    sys.exit(server.main())
