"""``zega api``: the REST API as a process, with a worker beside it."""

from __future__ import annotations

import errno
import logging
import re
import signal
import socket
from collections.abc import Callable
from logging.handlers import RotatingFileHandler

import uvicorn

from zega_core import callers, db
from zega_core.api import threads
from zega_core.api.app import create_app
from zega_core.errors import ConfigError
from zega_core.jobs import launcher
from zega_core.settings import Settings
from zega_core.store import api_keys

log = logging.getLogger("zega.api")
GRACE = 3
"""Seconds that requests under way are given when the server ends. Who is followed by a stream follows it on later."""
BACKLOG = 256
_KEY = re.compile(rf"{api_keys.BEGINS_WITH}[A-Za-z0-9_-]{{20,}}")


def serve(settings: Settings, host: str, port: int, say: Callable[[str], None]) -> None:
    """Until Ctrl-C or SIGTERM. Raises ConfigError where it must not or cannot listen, HomeError."""
    host = host.strip("[]")
    threads.share_heaps()
    settings.prepare_home()
    db.prepare(settings)
    callers.check_keys(settings, host)
    listening = listen(host, port)
    signal.signal(signal.SIGTERM, _interrupt)  # uvicorn passes it on when it has ended
    try:
        _log_to_file(settings)
        with launcher.kept_worker(settings, say):
            app = create_app(settings, host=host)
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
            say(f"The REST API is at {address(host, port)}, described at {address(host, port)}/docs  (Ctrl-C ends it)")
            uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        return
    finally:
        listening.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket there; raises ConfigError with what to do when it cannot be had."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"{host} is no address of this machine. Use 127.0.0.1, or 0.0.0.0 for all of them."
        ) from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigError(_refused(host, port, error)) from error
    listening.set_inheritable(False)  # a worker outlives us by a second, and must not keep the port
    return listening


def address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refused(host: str, port: int, error: OSError) -> str:
    other = f"ZEGA_API_PORT={port + 1 if port < 65535 else port - 1} or --port"
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program, perhaps by this API already. Choose another: {other}"
    if error.errno == errno.EACCES:
        return f"Port {port} is not for everybody to listen at. Choose one above 1023: {other}"
    return f"ZEGA cannot listen at {host} ({error.strerror}). Use 127.0.0.1, or 0.0.0.0 for all of its addresses."


class _WithoutKeys(logging.Formatter):
    """Whatever is logged, by whomever: a key in it is not."""

    def format(self, record: logging.LogRecord) -> str:
        return _KEY.sub(f"{api_keys.BEGINS_WITH}…", super().format(record))


def _log_to_file(settings: Settings) -> None:
    handler = RotatingFileHandler(
        settings.home / "logs" / "api.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8"
    )
    handler.setFormatter(_WithoutKeys("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("alembic", "dbos", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
