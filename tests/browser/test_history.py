"""History in a real browser: a view is shared by its address, a row opens by the keyboard, all of it is whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.app import Server, Visitor, serving
from tests.support.axe import violations
from tests.support.past_sessions import past_sessions
from zega_core.settings import Settings
from zega_core.tables import RunStatus

pytestmark = pytest.mark.browser
LONG = "No answer came, and <b>nobody</b> said why. " * 40 + "w" * 300


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("history") / "home")


@pytest.fixture(scope="module")
def keys(settings: Settings) -> list[str]:
    """Sessions of every state, the last one with names and an error that are far too long."""
    settings.prepare_home()
    many = past_sessions(30, settings=settings, genres_selected=["fantasy"])
    some = past_sessions(2, settings=settings, genres_selected=["horror"], status=RunStatus.done)
    odd = past_sessions(
        1,
        settings=settings,
        status=RunStatus.failed,
        error=LONG,
        teacher="x" * 100,
        best_performing_model="x" * 100,
        genres_selected=["mystery"],
    )
    return [*many, *some, *odd]


@pytest.fixture(scope="module")
def server(settings: Settings, keys: list[str]) -> Iterator[Server]:
    with serving(settings, {"ZEGA_FINE_TUNE_EVERY": "100000"}) as running:
        yield running
        assert "Traceback" not in running.said
        assert "Please replace" not in running.said


@pytest.fixture
def desk(chromium: Browser, server: Server) -> Iterator[Visitor]:
    one = Visitor(chromium, server)
    yield one
    one.close()


@pytest.mark.parametrize(("dark", "phone"), [(False, True), (True, False)], ids=["phone", "dark"])
def test_every_view_is_whole(chromium: Browser, server: Server, keys: list[str], dark: bool, phone: bool):
    visitor = Visitor(chromium, server, dark=dark, phone=phone)
    page = visitor.page
    views = (
        "/history?chart=Teachers",
        "/history?chart=Cost&genre=mystery",
        "/history?text=nowheretobefound&low=x",
        f"/history?session={keys[-1]}",
        f"/history?compare={keys[-1]},{keys[0]}",
    )
    for view in views:
        visitor.open(view)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert visitor.overflow() <= 0, view
        assert violations(page) == [], view
    visitor.close()


def test_a_filter_survives_a_reload_and_is_shared_by_its_address(desk: Visitor, chromium: Browser, server: Server):
    page = desk.page
    desk.open("/history")
    page.locator(".st-key-history-filter button").click()
    page.get_by_role("combobox", name="Genre").click()
    page.get_by_role("option", name="Horror").click()
    expect(page.get_by_text("2 rows: Horror")).to_be_visible()
    page.reload()
    desk.idle()
    expect(page.get_by_text("2 rows: Horror")).to_be_visible()
    other = Visitor(chromium, server)
    other.open(page.url.removeprefix(server.url))
    expect(other.page.get_by_text("2 rows: Horror")).to_be_visible()
    other.close()


def test_a_row_opens_by_the_keyboard_and_two_are_compared(desk: Visitor, keys: list[str]):
    page = desk.page
    desk.open("/history?genre=horror")
    newest = page.locator(f".st-key-history-row-{keys[31]}")
    newest.get_by_role("checkbox").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**session={keys[31]}*")
    expect(page.get_by_text("The whole record")).to_be_visible()
    page.get_by_role("button", name="All sessions").click()
    expect(page.get_by_text("2 rows: Horror")).to_be_visible()
    desk.idle()
    page.get_by_text("All on this page").click()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    desk.idle()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**compare=**")
    expect(page.get_by_role("heading", name="Two sessions side by side")).to_be_visible()
