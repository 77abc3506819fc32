"""A server and a browser for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.app import Server, Visitor, chromium_of, serving
from zega_core.settings import Settings

expect.set_options(timeout=60_000)  # a busy machine takes its time; what comes at once is not waited for


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = chromium_of(playwright)
        if isinstance(browser, str):
            pytest.skip(f"BROWSER TESTS SKIPPED: {browser}")
        yield browser
        browser.close()


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own for one test, which nobody has visited."""
    with serving(Settings(home=tmp_path / "fresh")) as server:
        yield server
        assert "Traceback" not in server.said
        assert "Please replace" not in server.said


@pytest.fixture(params=["light", "dark", "phone", "phone-dark"])
def visitor(request: pytest.FixtureRequest, chromium: Browser, server: Server) -> Iterator[Visitor]:
    one = Visitor(chromium, server, dark="dark" in request.param, phone="phone" in request.param)
    yield one
    one.close()
