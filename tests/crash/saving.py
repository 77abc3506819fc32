"""A tab that saves an answer, as a process: ``python -m tests.crash.saving WRITER FIRST``. It says "ready", waits for a
line, keeps the answers from ``FIRST`` on that are missing for a training, and asks whether one is due, ten times."""

from __future__ import annotations

import sys

from tests.support import tuned
from zega_core import db
from zega_core.jobs import client
from zega_core.settings import get_settings
from zega_core.tables import Source


def main(writer: str, first: int) -> None:
    settings = get_settings()
    with db.reading(settings):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
    sys.stdin.readline()
    for number in range(first, first + 10):
        tuned.keep(settings, writer, 1, first=number, source=Source.conversation)
        client.fine_tune_if_due(writer, settings)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
