"""From the very first visit to the finished session in History, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.app import Server, Visitor, serving
from tests.support.worker import running
from zega_core import db
from zega_core.jobs import launcher
from zega_core.settings import Settings
from zega_core.store import examples, sessions

pytestmark = pytest.mark.browser
ROUTES = {"/": "Auto-Train", "/auto_train": "Auto-Train", "/fine_tune": "Fine-Tune", "/history": "History"}
ROUTES |= {"/settings": "Settings", "/privacy": "Privacy", "/quality": "Quality"}
ROUTES |= {"/conversational_trainer": "Conversation", "/examples": "Examples"}


@pytest.mark.parametrize("path", [path for path in (*ROUTES, "/history?session=0") if path not in ("/", "/auto_train")])
def test_every_deep_link_opens_on_a_fresh_server(chromium: Browser, fresh_server: Server, path: str):
    visitor = Visitor(chromium, fresh_server)
    visitor.open(path)
    page = visitor.page
    expect(page.get_by_role("heading", level=1)).to_have_text(ROUTES[path.split("?")[0]])
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(9)
    assert page.url.endswith(path)
    visitor.close()


def test_start_watch_close_come_back_and_find_it_in_history(chromium: Browser, fresh_server: Server):
    visitor = Visitor(chromium, fresh_server)
    visitor.open()
    expect(visitor.page.get_by_text("Nothing has been written yet")).to_be_visible()
    visitor.page.get_by_role("button", name="Start writing").click()
    expect(visitor.page.get_by_role("heading", name="Last run")).to_be_visible(timeout=60_000)
    expect(visitor.page.get_by_text("20 of 20 examples")).to_be_visible()
    visitor.close()
    later = Visitor(chromium, fresh_server)
    later.open("/history")
    expect(later.page.get_by_test_id("stMetric").first).to_contain_text("1")
    later.page.locator("[class*=st-key-history-row-]").get_by_role("button").first.click()
    expect(later.page.get_by_role("heading", name="Pieces")).to_be_visible()
    assert "session=" in later.page.url
    later.page.reload()
    later.idle()
    expect(later.page.get_by_role("heading", name="Pieces")).to_be_visible()
    later.close()


def test_a_double_click_makes_one_run(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    with running(settings, tmp_path / "calls.txt", delay=2, in_flight=2), serving(settings) as server:
        visitor = Visitor(chromium, server)
        visitor.open()
        visitor.page.get_by_role("button", name="Start writing").dblclick()
        expect(visitor.page.get_by_role("heading", name="Writing now")).to_be_visible()
        visitor.page.wait_for_timeout(1500)
        with db.reading(settings) as session:
            assert len(sessions.page(session, "default")) == 1
        visitor.close()


def test_a_run_survives_refresh_shows_in_another_tab_and_can_be_stopped_and_continued(
    chromium: Browser, tmp_path: Path
):
    settings = Settings(home=tmp_path / "home")
    with running(settings, tmp_path / "calls.txt", delay=2, in_flight=2), serving(settings) as server:
        first, idle = Visitor(chromium, server), Visitor(chromium, server)
        idle.open()
        first.open()
        slider = first.page.get_by_role("slider", name=re.compile("How many examples"))
        slider.fill("29")
        slider.press("ArrowRight")
        first.idle()
        first.page.get_by_role("button", name="Start writing").click()
        expect(first.page.get_by_role("progressbar")).to_be_visible()
        expect(first.page.get_by_text(re.compile(r"[1-9]\d* of 30"))).to_be_visible()
        expect(idle.page.get_by_text(re.compile(r"[1-9]\d* of 30"))).to_be_visible()
        idle.close()
        first.page.reload()
        expect(first.page.get_by_text(re.compile(r"[1-9]\d* of 30"))).to_be_visible()
        second = Visitor(chromium, server)
        second.page.goto("/")
        expect(second.page.get_by_text(re.compile(r"[1-9]\d* of 30"))).to_be_visible()
        expect(second.page.get_by_text(re.compile(r"\d kept|\d set aside")).first).to_be_visible()
        second.page.get_by_role("button", name="Stop writing").click()
        expect(first.page.get_by_role("heading", name="Last run, stopped early")).to_be_visible()
        expect(second.page.get_by_role("heading", name="Last run, stopped early")).to_be_visible()
        first.page.get_by_role("button", name=re.compile("Continue with the other")).click()
        expect(first.page.get_by_role("heading", name="Last run", exact=True)).to_be_visible(timeout=120_000)
        expect(first.page.get_by_text("30 of 30 examples")).to_be_visible()
        first.close()
        second.close()
        with db.reading(settings) as session:
            row = sessions.latest(session, "default")
            assert row is not None
            assert examples.settled_indexes(session, row.id or 0) == set(range(30))
        assert "Traceback" not in server.said


def test_a_piece_that_is_being_read_stays_open_while_others_arrive(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    with running(settings, tmp_path / "calls.txt", delay=2, in_flight=1), serving(settings) as server:
        visitor = Visitor(chromium, server)
        visitor.open()
        visitor.page.get_by_role("button", name="Start writing").click()
        written = visitor.page.get_by_text(re.compile(r"[1-9]\d* of 20"))
        expect(written).to_be_visible()
        card = visitor.page.locator('[class*="st-key-feed-"]').first
        key = next(name for name in (card.get_attribute("class") or "").split() if name.startswith("st-key-feed-"))
        mine = visitor.page.locator(f".{key}")
        mine.get_by_text("Read it, and why it scored so").click()
        expect(mine.get_by_text("Asked for: ")).to_be_visible()
        later = range(int(written.inner_text().split()[0]) + 2, 21)
        expect(written).to_have_text(re.compile(rf"^({'|'.join(map(str, later))}) of 20"))
        expect(mine.get_by_text("Asked for: ")).to_be_visible()
        visitor.close()


def test_the_app_starts_a_worker_when_there_is_none(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    with serving(settings) as server:
        visitor = Visitor(chromium, server)
        visitor.open()
        visitor.page.wait_for_timeout(500)
        assert launcher.worker_is_alive(settings) or _soon(visitor, settings)
        visitor.close()


def _soon(visitor: Visitor, settings: Settings) -> bool:
    for _ in range(600):  # a minute at most, on a busy machine
        visitor.page.wait_for_timeout(100)
        if launcher.worker_is_alive(settings):
            return True
    return False
