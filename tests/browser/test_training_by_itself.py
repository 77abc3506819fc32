"""The bell and the choices of training by itself in a real browser: they disturb nobody and choose nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_conversation import (
    HARBOUR,
    PATH,
    STAIRS,
    WRITER,
    accessible,
    begin,
    box,
    without_worker,
)
from tests.support import tuned
from tests.support.app import Server, Visitor
from zega_core import db, notices
from zega_core.configs import FineTuneConfig, TriggerConfig
from zega_core.settings import Settings
from zega_core.store import fine_tunes, notifications, training_triggers
from zega_core.tables import RunStatus, now

pytestmark = pytest.mark.browser
LONG = 90_000
"""Milliseconds at most."""


@pytest.fixture
def server(config: Settings) -> Iterator[Server]:
    begin(config, [HARBOUR])
    with without_worker(config) as running:
        yield running


@pytest.fixture
def visitor(chromium: Browser, server: Server) -> Iterator[Visitor]:
    one = Visitor(chromium, server)
    yield one
    one.close()


def patient(visitor: Visitor) -> Page:
    visitor.page.set_default_timeout(LONG)
    visitor.page.goto(PATH, wait_until="commit")
    expect(box(visitor.page)).to_be_visible(timeout=LONG)
    return visitor.page


def test_a_choice_changes_itself_only_and_is_there_after_a_reload(config: Settings, visitor: Visitor):
    page = patient(visitor)
    page.get_by_role("button", name="Training by itself").click()
    page.get_by_role("combobox", name="By a schedule").click()
    page.get_by_role("option", name="Every week").click()
    expect(page.get_by_role("combobox", name="Day")).to_be_visible(timeout=LONG)
    page.get_by_role("combobox", name="Day").click()
    page.get_by_role("option", name="Wednesday").click()
    expect(page.get_by_text("Next by schedule: Wednesday 03:00.")).to_be_visible(timeout=LONG)
    page.reload()
    expect(box(page)).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Training by itself").click()
    expect(page.get_by_role("combobox", name="Day")).to_have_value("Wednesday", timeout=LONG)
    page.get_by_text("Begin by itself", exact=True).click()
    expect(page.get_by_text("Training by itself is off.")).to_be_visible(timeout=LONG)
    with db.reading(config) as session:
        chosen = training_triggers.load(session, WRITER)
        assert fine_tunes.load_config(session, WRITER) == FineTuneConfig(automatic=False)
    assert chosen == TriggerConfig(schedule="weekly", weekday=2, zone=chosen.zone)


def test_news_come_while_somebody_writes_and_leave_the_draft_and_the_cursor_alone(config: Settings, visitor: Visitor):
    tuned.fine_tune(config, WRITER, RunStatus.running, phase="training", step=40, steps=120, heartbeat_at=now())
    page = patient(visitor)
    box(page).click()
    page.keyboard.type(STAIRS[:40])
    with db.session(config) as session:
        notices.note(session, WRITER, "finished", "x", "Version 3 is <b>trained</b>.", "fine_tune.py")
    toast = page.get_by_test_id("stToast")
    expect(toast).to_be_visible(timeout=LONG)
    expect(toast).to_contain_text("Version 3 is <b>trained</b>.")
    page.keyboard.type(STAIRS[40:60])
    expect(box(page)).to_have_value(STAIRS[:60], timeout=LONG)
    bell = page.get_by_role("button", name="Notifications, 1 new")
    bell.click()
    expect(page.get_by_role("button", name="Hide notifications")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("just now · new")).to_be_visible(timeout=LONG)
    expect(box(page)).to_have_value(STAIRS[:60], timeout=LONG)
    accessible(page)
    with db.reading(config) as session:
        assert notifications.unseen(session, WRITER) == 0
    page.get_by_test_id("stSidebarUserContent").get_by_role("link", name="Fine-Tune").click()
    expect(page.get_by_role("heading", name="Fine-Tune", exact=True)).to_be_visible(timeout=LONG)


def test_the_choices_are_whole_on_a_phone_where_they_have_to_be_scrolled(
    config: Settings, chromium: Browser, server: Server
):
    with db.session(config) as session:
        training_triggers.save(session, WRITER, TriggerConfig(schedule="weekly", weekday=2, zone="Europe/Vienna"))
    one = Visitor(chromium, server, phone=True)
    page = patient(one)
    page.get_by_role("button", name="Training by itself").click()
    expect(page.get_by_role("combobox", name="Day")).to_have_value("Wednesday", timeout=LONG)
    accessible(page)
    page.get_by_role("slider", name="Your own words").scroll_into_view_if_needed()
    accessible(page)
    one.close()
