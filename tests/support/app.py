"""The real app on a free loopback port, and a real Chromium to open it with."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Error, Page, Playwright
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from zega_core.settings import ROOT, Settings

IDLE = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  return app && app.getAttribute('data-test-connection-state') === 'CONNECTED'
    && app.getAttribute('data-test-script-state') === 'notRunning'
    && document.querySelector('[data-testid="stMainBlockContainer"] [data-testid="stElementContainer"]')
    && !document.querySelector('[data-stale="true"], [data-testid="stSkeleton"], [data-testid="stAppSkeleton"]');
}"""
PATIENCE = 60  # seconds; a busy machine takes its time
OVERFLOW = """() => {
  const main = document.querySelector('#stMain');
  return main.scrollWidth - document.documentElement.clientWidth;
}"""


@dataclass(frozen=True)
class Server:
    url: str
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")


@contextmanager
def serving(settings: Settings, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """``streamlit run app.py`` as a user would, ready to answer; ended with all it started."""
    settings.prepare_home()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", settings.home / "logs" / "app.log")
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env={**os.environ, "ZEGA_HOME": str(settings.home), **(environment or {})},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(server, process)
        yield server
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while True:
        assert process.poll() is None, server.said
        assert time.monotonic() < end, server.said
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)


def chromium_of(playwright: Playwright) -> Browser | str:
    """A headless Chromium, Debian's or Playwright's own; or why there is none. The one without a window is looked for
    first: it draws pages in the same way and takes far less of the processor."""
    arguments = ["--disable-gpu", "--disable-background-networking", "--no-first-run"]
    if os.getuid() == 0:
        arguments.append("--no-sandbox")
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    path = next((found for name in names if (found := shutil.which(name))), None)
    try:
        return playwright.chromium.launch(executable_path=path, args=arguments)
    except Error as error:
        return f"no Chromium could be started: {error.message.splitlines()[0]}"


class Visitor:
    """One browser window, and what it must never see: outside requests, script errors."""

    def __init__(self, browser: Browser, server: Server, *, dark: bool = False, phone: bool = False) -> None:
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800}
        self.context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            device_scale_factor=2 if phone else 1,
            is_mobile=phone,
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            base_url=server.url,
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.finished = 0
        """Runs of the page's script that have ended. The page's attributes do not tell: a short run may come and go
        between two paintings."""
        self.page.on("websocket", lambda stream: stream.on("framereceived", self._count))
        self.outside: list[str] = []
        self.page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname != "127.0.0.1":
            self.outside.append(url)

    def _count(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            message = ForwardMsg.FromString(frame)
            ended = message.WhichOneof("type") == "script_finished"
            self.finished += ended and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def open(self, path: str = "/") -> None:
        self.page.goto(path, wait_until="commit")
        self.idle()

    def idle(self) -> None:
        self.page.wait_for_function(IDLE)
        self.page.wait_for_timeout(150)
        self.page.wait_for_function(IDLE)

    @contextmanager
    def rerun(self) -> Iterator[None]:
        """Around an action: returns when the run of the script that it causes has finished."""
        before, end = self.finished, time.monotonic() + PATIENCE
        yield
        while self.finished == before:
            assert time.monotonic() < end, "the script did not run"
            self.page.wait_for_timeout(20)
        self.idle()

    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return self.page.evaluate(OVERFLOW)

    def close(self) -> None:
        self.context.close()
        assert not self.outside, self.outside
