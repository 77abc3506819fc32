"""A process that writes a text without an end, to be killed or stopped: ``python -m tests.crash.writing``. It says the
request's key, and "ended" once its text is stopped."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from tests.support.author import Author
from zega_core import writing
from zega_core.local import models
from zega_core.settings import get_settings
from zega_core.writing_configs import WriteRequest


class Endless(Sequence[str]):
    """Pieces without an end, one every hundredth of a second."""

    def __iter__(self) -> Iterator[str]:
        return self._pieces()

    def _pieces(self) -> Generator[str, None, None]:
        for number in itertools.count():
            time.sleep(0.01)
            yield f"rain{number} "

    def __len__(self) -> int:
        return sys.maxsize

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError


def main() -> None:
    settings = get_settings()
    models.student = Author(Endless()).student  # type: ignore[assignment]
    key = writing.start(WriteRequest(writer_id="ana", brief="Rain."), settings).key
    print(key, flush=True)  # noqa: T201
    while not writing.wait(key, 60):
        pass
    print("ended", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
