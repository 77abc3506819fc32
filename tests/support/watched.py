"""A real worker that notes every address it looks up or connects to: ``python -m tests.support.watched [options]``.

One line each in ``ZEGA_TEST_SOCKETS``. The audit hook sees every socket of the interpreter, whoever opens it.
"""

from __future__ import annotations

import os
import sys

WATCHED = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def note(event: str, arguments: tuple[object, ...]) -> None:
    if event in WATCHED:
        where = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
        host = where[0] if isinstance(where, tuple) else where
        handle = os.open(os.environ["ZEGA_TEST_SOCKETS"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
        os.write(handle, f"{event} {host!s}\n".encode(errors="replace"))
        os.close(handle)


if __name__ == "__main__":
    sys.addaudithook(note)
    from zega_core.jobs import worker

    sys.exit(worker.main())
