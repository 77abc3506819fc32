"""The warm process that writes: ``python -m zega_core.local.server [--idle SECONDS]``.

It listens on a free loopback port and says in ``local.json`` on which. It ends after idle minutes, and when ZEGA_HOME
is no longer there.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import socket
import sys
import threading

import uvicorn
from filelock import FileLock, Timeout

from zega_core.errors import ZegaError
from zega_core.local import process
from zega_core.local.chat import Chat
from zega_core.local.encoder import Encoder
from zega_core.settings import Settings, get_settings

LOOK = 0.5
"""Seconds between two looks whether it is still of use."""
LINGER = 0.3
"""Seconds in which somebody who has just read ``local.json`` may still come."""
GRACE = 1
"""Seconds that answers under way get when the process is asked to end."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m zega_core.local.server", description=__doc__)
    parser.add_argument("--idle", type=float, default=process.IDLE_SECONDS, help="seconds without a request")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = get_settings()
        settings.prepare_home()
        lock = FileLock(process.lock_path(settings))
        with settings.home_errors():
            lock.acquire(timeout=2)  # whoever only asks whether one lives holds it for a moment
            process.state_path(settings).unlink(missing_ok=True)  # of one that was killed
        with lock:
            _serve(settings, options.idle)
    except Timeout:
        print("Another process already writes for this ZEGA_HOME.", file=sys.stderr)  # noqa: T201
        return process.TAKEN
    except ZegaError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    os._exit(0)  # a text that nobody waits for any more keeps no process


def _serve(settings: Settings, idle: float) -> None:
    code = process.code_version()
    from zega_core.local.engine import Engine  # seconds: it brings torch

    engine, secret, prepared = Engine(settings), secrets.token_urlsafe(32), threading.Event()

    def prepare() -> None:
        try:
            engine.prepare()
        finally:
            prepared.set()

    threading.Thread(target=prepare, daemon=True).start()
    chat = Chat(settings.home, engine, secret, Encoder(prepared))
    with socket.socket() as listener:
        listener.bind((process.HOST, 0))
        state = process.Running(os.getpid(), listener.getsockname()[1], secret, code)
        asyncio.run(_until_done(settings, chat, state, listener, idle))


async def _until_done(
    settings: Settings, chat: Chat, state: process.Running, listener: socket.socket, idle: float
) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            chat.app,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
    await asyncio.gather(server.serve(sockets=[listener]), _watch(settings, chat, state, server, idle))


async def _watch(settings: Settings, chat: Chat, state: process.Running, server: uvicorn.Server, idle: float) -> None:
    """Say where it listens, and end the server when it is of no use any more."""
    while not server.started:
        await asyncio.sleep(0.01)
    process.write_state(settings, state)
    while not server.should_exit:
        await asyncio.sleep(min(LOOK, idle / 4))
        if process.read_state(settings) != state:  # nobody can find it: ZEGA_HOME, or its file, is gone
            break
        if chat.idle < idle:
            continue
        process.state_path(settings).unlink(missing_ok=True)
        await asyncio.sleep(LINGER)
        if chat.idle >= idle:
            break
        process.write_state(settings, state)
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main())
