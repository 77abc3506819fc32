"""The warm process with torch: finding it, and starting it when it is not there.

While it runs it holds ``local.lock`` in ZEGA_HOME; ``local.json`` says where it listens, and the secret that it wants.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock, Timeout

from zega_core.errors import Cancelled, ProviderUnavailable
from zega_core.providers.service import Access
from zega_core.settings import ROOT, Settings

HOST = "127.0.0.1"
MODULE = "zega_core.local.server"
TAKEN = 3
"""Exit status of a process that found another one running."""
IDLE_SECONDS = 600.0
"""After so long without a request the process ends and gives its memory back."""
START_SECONDS = 60.0
"""How long a start may take; most of it is loading torch."""
LEAVE_SECONDS = 10.0
FIRST_TOKEN_SECONDS = 300.0
"""Until the first word, which may wait for other texts and for a large model to load."""
TOTAL_SECONDS = 900.0
LOOK = 0.05
STARTING = "Your model is being loaded. The first time takes a few seconds."
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",  # it writes with what is on this machine
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # on a shared machine spinning threads cost more than half
    "TOKENIZERS_PARALLELISM": "false",
}
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,128}", re.ASCII)
_children: dict[Path, subprocess.Popen[bytes]] = {}
_starting = threading.Lock()


@dataclass(frozen=True, slots=True)
class Running:
    """What ``local.json`` holds. ``code`` is the fingerprint of the code that it runs."""

    pid: int
    port: int
    secret: str
    code: str


def lock_path(settings: Settings) -> Path:
    return settings.home / "local.lock"


def state_path(settings: Settings) -> Path:
    return settings.home / "local.json"


def log_path(settings: Settings) -> Path:
    return settings.home / "logs" / "local.out"


def access(
    settings: Settings,
    *,
    stop: threading.Event | None = None,
    tell: Callable[[str], None] | None = None,
    patience: float = START_SECONDS,
) -> Access:
    """Where the process listens, started first if it does not run. ``tell`` gets a sentence if that takes time.
    Raises ProviderUnavailable, HomeError when ZEGA_HOME cannot be used, or Cancelled when ``stop`` is set meanwhile."""
    until, told = time.monotonic() + patience, False
    child: subprocess.Popen[bytes] | None = None
    while True:
        found = running(settings)
        if found is not None and found.code == code_version():
            return Access(
                f"http://{HOST}:{found.port}/v1",
                found.secret,
                local_only=True,
                first_token=FIRST_TOKEN_SECONDS,
                total=TOTAL_SECONDS,
            )
        if found is not None:
            end(settings)
        elif child is None or child.poll() is not None:
            if child is not None and child.returncode not in (0, TAKEN):
                raise _failed(settings, child.returncode)
            child = start(settings) or child
        if tell is not None and not told:
            tell(STARTING)
            told = True
        if stop is not None and stop.is_set():
            raise Cancelled("The run was stopped.")
        if time.monotonic() > until:
            raise ProviderUnavailable(
                f"Your model could not be loaded within {patience:.0f} seconds. Close other programs and try again."
            )
        time.sleep(LOOK)


def running(settings: Settings) -> Running | None:
    """The process that is ready to be asked, if there is one."""
    state = read_state(settings)
    if state is None or not is_locked(settings):
        return None
    try:
        socket.create_connection((HOST, state.port), timeout=5).close()
    except OSError:
        return None
    return state


def start(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Start the process and do not wait for it. None when there is one, be it ready or not. Raises HomeError when
    ZEGA_HOME cannot be used."""
    with _starting:
        child = _children.get(settings.home)
        if child is not None and child.poll() is None:
            return None
        settings.prepare_home()
        if is_locked(settings):
            return None
        child = _children[settings.home] = _spawn(settings)
        return child


def end(settings: Settings, seconds: float = LEAVE_SECONDS) -> None:
    """Have the process end, and wait for that. It does by itself once its file is gone; its id in that file is not
    relied on, since by now it may be another's."""
    found = running(settings)
    if found is None:
        return
    with settings.home_errors():
        if read_state(settings) == found:  # not that of one that was started meanwhile
            state_path(settings).unlink(missing_ok=True)
    until = time.monotonic() + seconds
    while is_locked(settings) and time.monotonic() < until:
        time.sleep(LOOK)
    child = _children.get(settings.home)
    if child is not None:
        child.poll()


def is_locked(settings: Settings) -> bool:
    """Whether such a process lives, be it ready or not. Raises HomeError."""
    try:
        with settings.home_errors(), FileLock(lock_path(settings)).acquire(timeout=0):
            return False
    except Timeout:
        return True


def code_version() -> str:
    """A fingerprint of the code that the process runs: one with other code is not asked, but replaced."""
    digest = blake2b(digest_size=8)
    for folder in ("local", "fine_tune"):
        for path in sorted((ROOT / "zega_core" / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def read_state(settings: Settings) -> Running | None:
    """What ``local.json`` says, None when there is none or it makes no sense."""
    try:
        state = Running(**json.loads(state_path(settings).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    numbers = type(state.pid) is int and state.pid > 1 and type(state.port) is int and 0 < state.port < 65536
    words = isinstance(state.secret, str) and isinstance(state.code, str)
    return state if numbers and words and _SECRET.fullmatch(state.secret) else None


def write_state(settings: Settings, state: Running) -> None:
    """In one step, readable by its owner only from its first moment; raises HomeError."""
    fresh = state_path(settings).with_suffix(".new")
    with settings.home_errors():
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(state), file)
        fresh.replace(state_path(settings))


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    with settings.home_errors(), log_path(settings).open("ab") as out:
        # A session of its own: it stays for other pages and processes when the one that needed it first is gone.
        return subprocess.Popen(
            [sys.executable, "-m", MODULE, "--idle", f"{IDLE_SECONDS:g}"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **ENVIRONMENT, "ZEGA_HOME": str(settings.home)},
            start_new_session=True,
        )


def _failed(settings: Settings, status: int) -> ProviderUnavailable:
    settings.prepare_home()  # a full disk is said in its own words
    return ProviderUnavailable(
        f"Your model's process ended while it was being loaded (status {status}). Try again; if that does not help, "
        f"{log_path(settings)} says why."
    )
