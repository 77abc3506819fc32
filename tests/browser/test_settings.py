"""Settings and Privacy in a real browser: whole, accessible, and used with the keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.app import Server, Visitor, serving
from tests.support.axe import violations
from tests.support.worker import until
from zega_core import db, keys, teachers
from zega_core.configs import TeachingConfig
from zega_core.providers.base import Call
from zega_core.providers.limits import Pause, Usage
from zega_core.settings import Settings
from zega_core.store import checks, ledger, limits, teaching
from zega_core.tables import CallOutcome
from zega_core.teacher_checks import Look

pytestmark = pytest.mark.browser
KEY = "gsk_never-to-be-shown-0123456789"
LONG = "a-very/long-model-name.with-many-parts_and:no@end+in-sight-0123456789-instruct"
NOWHERE = {
    "OLLAMA_HOST": "http://127.0.0.1:9",
    "GROQ_BASE_URL": "http://127.0.0.1:9",
    "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9",
    "ZEGA_HF_BASE_URL": "http://127.0.0.1:9",
}
"""No service is asked by a test: at these addresses nobody answers."""


def teach(settings: Settings) -> None:
    """Services in different states, with what looks and tests have found."""
    for provider in ("groq", "gemini"):
        keys.save_key(settings, provider, KEY)
    chosen = [{"provider": "groq", "models": ["llama-3.1-8b-instant", LONG]}, {"provider": "ollama"}]
    server = [{"provider": "openai_compatible", "base_url": "http://127.0.0.1:9/v1", "models": ["tiny"]}]
    config = TeachingConfig.model_validate({"teachers": [*chosen, *server], "budget": 2.5, "min_votes": 2})
    gone: dict[str, str | None] = {LONG: "llama-3.1-8b-instant"}
    looks = {
        "groq": Look("ready", "", ["llama-3.1-8b-instant"], ["llama-3.1-8b-instant"], gone),
        "gemini": Look("refused", "Gemini refused the key. Copy it again."),
        "ollama": Look("unreachable", "Ollama cannot be reached. Start it with the command ollama serve."),
    }
    with db.session(settings) as session:
        teaching.save(session, "default", config)
        for provider, found in looks.items():
            checks.finish(session, checks.ask(session, "default", provider).id or 0, asdict(found))
        written = {"text": "The tide never came back. " * 77, "message": "", "seconds": 1.2, "reported": "another"}
        test = checks.ask(session, "default", "groq", "llama-3.1-8b-instant")
        checks.finish(session, test.id or 0, written)
        place = teachers.place(settings, config, "openai_compatible")
        row = limits.locked(session, place.scope)
        limits.save(session, row, Usage(pauses={model: Pause(time.time() + 3600) for model in place.models()}))
        calls = [Call("groq", "llama-3.1-8b-instant", CallOutcome.ok, sent_chars=640, remote=True) for _ in range(40)]
        ledger.add(session, "default", calls, role="teacher")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(home=tmp_path_factory.mktemp("taught") / "home")
    teach(settings)
    with serving(settings, NOWHERE) as running:
        yield running
        assert "Traceback" not in running.said
        assert "Please replace" not in running.said
        assert KEY not in running.said


def whole(visitor: Visitor) -> None:
    page = visitor.page
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert visitor.overflow() <= 0
    assert KEY not in page.content()
    assert violations(page) == []


def test_settings_are_whole(visitor: Visitor):
    visitor.open("/settings")
    expect(visitor.page.get_by_role("heading", level=3)).to_have_count(6)
    more = visitor.page.get_by_text("Limits, price, address")
    for number in range(more.count()):
        more.nth(number).click()
    expect(visitor.page.get_by_label("Requests at once").first).to_be_visible()
    visitor.page.get_by_text("Read all of it").click()
    whole(visitor)


def test_a_key_of_the_api_is_made_copied_and_revoked(visitor: Visitor, server: Server):
    visitor.open("/settings")
    page = visitor.page
    page.get_by_label("What the key is for").fill("laptop & <b>phone</b>")
    page.get_by_role("button", name="Make a key").click()
    shown = page.locator(".st-key-api-key-shown")
    expect(shown).to_contain_text("It is not shown again")
    clear = shown.locator("code").inner_text().strip()
    assert len(clear) == 48
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown.get_by_role("button", name="Copy", exact=True).last.click()
    expect(shown.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == clear
    whole(visitor)
    with visitor.rerun():
        page.get_by_text("I have copied it").click()
    assert clear not in page.content()
    expect(page.get_by_text("laptop & <b>phone</b>", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Revoke").first.click()
    with visitor.rerun():
        page.get_by_role("button", name="Yes, revoke it").first.click()
    page.get_by_text(re.compile("revoked key")).click()
    whole(visitor)
    assert clear not in server.said


def test_privacy_is_whole(visitor: Visitor):
    visitor.open("/privacy")
    expect(visitor.page.get_by_text("40 requests with 25,600 characters elsewhere so far")).to_be_visible()
    whole(visitor)


@pytest.mark.parametrize(("path", "title"), [("/settings", "Settings"), ("/privacy", "Privacy")])
def test_a_deep_link_opens_on_a_fresh_server(chromium: Browser, tmp_path: Path, path: str, title: str):
    with serving(Settings(home=tmp_path / "fresh"), NOWHERE) as fresh:
        visitor = Visitor(chromium, fresh)
        visitor.page.goto(path, wait_until="commit")
        expect(visitor.page.get_by_role("heading", level=1)).to_have_text(title)
        expect(visitor.page.get_by_role("dialog")).to_have_count(0)
        expect(visitor.page.get_by_test_id("stSidebarNavLink")).to_have_count(9)
        if path == "/settings":  # the worker starts with the app, and finds what was asked of it before
            unreachable = visitor.page.get_by_text("Unreachable")
            expect(unreachable).to_be_visible()
        visitor.close()
        assert "Traceback" not in fresh.said


def test_a_key_is_typed_saved_and_gone_and_a_teacher_is_moved(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    with serving(settings, NOWHERE) as running:
        visitor = Visitor(chromium, running)
        visitor.page.goto("/settings", wait_until="commit")
        page = visitor.page
        field = page.get_by_label("Enter the key for Hugging Face")
        expect(field).to_be_visible()
        expect(field).to_have_attribute("type", "password")
        field.click()
        page.keyboard.type(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_text("A key is stored.")).to_be_visible()
        expect(field).to_have_count(0)
        values = page.evaluate("[...document.querySelectorAll('input')].map(input => input.value).join()")
        assert KEY not in values + page.content()
        assert keys.key_of(settings, "huggingface") == KEY

        for place in (3, 2, 1):
            # Focused anew: on a busy machine the browser may draw the card at both places for a moment, and loses it.
            with visitor.rerun():
                page.get_by_role("button", name="Move Hugging Face up").press("Enter")
            expect(page.get_by_role("heading", name=f"{place}. Hugging Face")).to_be_visible()
        expect(page.get_by_role("button", name="Move Hugging Face up")).to_be_disabled()
        page.reload()
        expect(page.get_by_role("heading", level=3).first).to_have_text("1. Hugging Face")
        visitor.close()
        for log in (settings.home / "logs").iterdir():
            assert KEY not in log.read_text(encoding="utf-8")


def budget_of(settings: Settings) -> float | None:
    with db.reading(settings) as session:
        return teaching.load(session, "default").budget


def test_what_is_being_typed_survives_news(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    with serving(settings, NOWHERE) as running:
        visitor = Visitor(chromium, running)
        visitor.page.goto("/settings", wait_until="commit")
        field = visitor.page.get_by_label("Budget for a session, in euros")
        expect(field).to_be_visible()
        field.click()
        visitor.page.keyboard.type("12.5")
        expect(visitor.page.get_by_text("Unreachable")).to_be_visible()
        expect(field).to_have_value("12.5")
        visitor.page.keyboard.press("Tab")
        until(lambda: budget_of(settings) == 12.5)
        visitor.page.reload()
        expect(visitor.page.get_by_label("Budget for a session, in euros")).to_have_value("12.50")
        visitor.close()
