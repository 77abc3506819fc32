"""Write in a real browser: whole in every state, what is being written is seen everywhere, and no word is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect
from sqlmodel import col, select

from tests.browser.test_conversation import accessible, without_worker
from tests.support import takes
from tests.support.app import Server, Visitor
from tests.support.services import MODELS, FakeService
from tests.support.takes import CONTEXT, TEXT
from tests.support.worker import until
from zega_core import db
from zega_core.configs import TeacherChoice, TeachingConfig
from zega_core.settings import Settings
from zega_core.store import teaching
from zega_core.tables import Example, ExampleStatus, Story, now
from zega_core.writing_tables import Take, TakeState, Writing

pytestmark = pytest.mark.browser
PATH = "/write"
BRIEF = "A lighthouse keeper finds a light that answers"
HOSTILE = "<img src=x onerror=alert(1)> :red[x] **bold** $5$ `code` # head\n* * *\n" + "w" * 300
PAIR: dict[str, Any] = {"pair": 1, "blind": True}
STATES: dict[str, dict[str, Any]] = {
    "text": {
        "genre": "mystery",
        "element": "scene",
        "takes": [{}, {"text": TEXT * 4, "context": CONTEXT, "cut": True}],
    },
    "writing": {"takes": [{"state": TakeState.writing, "text": "The keeper"}]},
    "loading": {"takes": [{"state": TakeState.writing, "text": ""}]},
    "blind": {"takes": [PAIR, PAIR | {"label": "Your model · v3", "text": TEXT * 3}]},
    "named": {"takes": [{"pair": 1, "chosen": True, "rating": 4}, {"pair": 1, "chosen": False}]},
    "failed": {"takes": [{"state": TakeState.failed, "text": "", "error": "The model's files are gone."}]},
    "hostile": {"brief": HOSTILE, "given": HOSTILE, "task": "rewrite", "takes": [{"text": HOSTILE, "note": HOSTILE}]},
}


def rows(settings: Settings, kind: type) -> list[Any]:
    with db.reading(settings) as session:
        return list(session.exec(select(kind).order_by(col(kind.id))))  # type: ignore[attr-defined]


def change(settings: Settings, **values: Any) -> None:
    """The newest take, as the thread that writes it would."""
    with db.session(settings) as session:
        take = session.get_one(Take, rows(settings, Take)[-1].id)
        for name, value in {"heartbeat_at": now(), **values}.items():
            setattr(take, name, value)
        session.add(take)


def opened(visitor: Visitor, key: str = "") -> Page:
    visitor.page.goto(f"{PATH}?writing={key}" if key else PATH, wait_until="commit")
    expect(brief(visitor.page)).to_be_visible(timeout=60_000)
    return visitor.page


def brief(page: Page):
    return page.get_by_role("textbox", name="What should it be about?")


def prose(page: Page, text: str):
    """While a page is drawn anew the old text and the new one may both be there for a moment."""
    return page.locator("[class*='st-key-prose-take']").get_by_text(text).first


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("used") / "home")
    settings.prepare_home()
    return settings


@pytest.fixture(scope="module")
def server(used: Settings) -> Iterator[Server]:
    with without_worker(used) as running:
        yield running


@pytest.mark.parametrize("name", ["", *STATES])
@pytest.mark.parametrize("visitor", ["light", "phone-dark"], indirect=True)  # both widths and both themes
def test_every_state_is_whole(visitor: Visitor, used: Settings, name: str):
    key = takes.writing(into=used, **STATES[name]).key if name else ""
    page = visitor.page
    page.goto(f"{PATH}?writing={key}", wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Write", timeout=60_000)
    expect(page.get_by_role("button", name="Write", exact=True)).to_be_visible()
    page.wait_for_timeout(1500)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("could not be drawn")).to_have_count(0)
    expect(page.get_by_text("cannot be shown")).to_have_count(0)
    assert visitor.overflow() <= 0
    accessible(page)
    if name:  # nothing is written beside the next state
        change(used, state=TakeState.stopped)


def test_the_base_model_writes(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor)
        expect(page.get_by_text("You have no trained version yet: the base model writes.")).to_be_visible()
        brief(page).fill(BRIEF)
        page.get_by_role("button", name="Write", exact=True).dblclick()
        expect(page.get_by_role("button", name="Keep as example")).to_be_visible(timeout=180_000)
        (take,) = rows(settings, Take)
        assert take.state == TakeState.done
        expect(prose(page, take.text[:40])).to_be_visible()
        assert [row.brief for row in rows(settings, Writing)] == [BRIEF]
        assert f"writing={rows(settings, Writing)[0].key}" in page.url
        visitor.close()


def test_a_teachers_words_arrive_while_it_writes_and_stop_keeps_them(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    others = tuple(one.model_copy(update={"on": False}) for one in TeachingConfig().in_order())
    mine = TeacherChoice(provider="openai_compatible", models=(MODELS["openai_compatible"][0],))  # type: ignore[arg-type]
    with db.session(settings) as session:
        chosen = (mine, *(one for one in others if one.provider != mine.provider))
        teaching.save(session, takes.WRITER, TeachingConfig(teachers=chosen))
    with (
        FakeService("openai_compatible", "hang_after_start") as service,
        without_worker(settings, {"ZEGA_OPENAI_BASE_URL": service.url}) as server,
    ):
        visitor = Visitor(chromium, server, phone=True)
        page = opened(visitor)
        page.get_by_role("combobox", name="Who writes").click()
        page.get_by_role("option", name="A teacher", exact=True).click()
        brief(page).fill(BRIEF)
        press(page, "Write")
        expect(prose(page, "Mara carried the lantern")).to_be_visible()
        press(page, "Stop")
        expect(page.get_by_role("button", name="Keep as example")).to_be_visible()
        expect(prose(page, "Mara carried the lantern")).to_be_visible()
        assert rows(settings, Take)[0].state == TakeState.stopped
        until(lambda: service.at_once == 0, 30)
        visitor.close()


def test_what_is_being_written_is_seen_after_a_refresh_and_in_a_second_tab_and_stop_keeps_it(
    chromium: Browser, tmp_path: Path
):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    key = takes.writing(into=settings, takes=[{"state": TakeState.writing, "text": ""}]).key
    with without_worker(settings) as server:
        one, two = Visitor(chromium, server), Visitor(chromium, server, phone=True)
        page = opened(one, key)
        expect(page.get_by_text("The first time takes some seconds.")).to_be_visible()
        change(settings, text="The keeper wound the clock")
        expect(prose(page, "The keeper wound the clock")).to_be_visible()
        page.reload()
        expect(prose(page, "The keeper wound the clock")).to_be_visible()
        change(settings, text="The keeper wound the clock twice that night")
        for visitor in (one, two):
            if visitor is two:
                opened(two, key)
            expect(prose(visitor.page, "twice that night")).to_be_visible()
        press(page, "Stop")
        for visitor in (one, two):
            expect(visitor.page.get_by_role("button", name="Keep as example")).to_be_visible()
            expect(prose(visitor.page, "twice that night")).to_be_visible()
        assert rows(settings, Take)[0].state == TakeState.stopped
        one.close()
        two.close()


def test_a_draft_survives_a_refresh_and_a_press_takes_every_letter(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor)
        page.get_by_text("Go on with my text").click()
        given = page.get_by_role("textbox", name="Your text")
        expect(given).to_be_visible()
        expect(page.get_by_text("0 words", exact=True)).to_have_count(2)
        given.click()
        page.keyboard.type("The lamp went out, and")
        page.wait_for_timeout(50)
        page.reload()
        expect(given).to_have_value("The lamp went out, and")
        given.click()
        page.keyboard.press("End")
        page.keyboard.type(" nobody")
        author = page.get_by_role("combobox", name="Who writes?")
        author.evaluate("one => one.scrollIntoView({block: 'center'})")
        author.click()
        page.get_by_role("option", name="Built-in storyteller").click()
        expect(page.get_by_text("Hand-written sentences, no AI.")).to_be_visible()
        expect(given).to_have_value("The lamp went out, and nobody")
        given.click()
        page.keyboard.press("End")
        page.keyboard.type(" lit it")
        page.keyboard.press("Control+Enter")
        until(lambda: [row.given for row in rows(settings, Writing)] == ["The lamp went out, and nobody lit it"])
        expect(page.get_by_role("button", name="Keep as example")).to_be_visible(timeout=60_000)
        visitor.close()


def test_rate_edit_and_put_it_on_the_shelf(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    key = takes.writing(into=settings).key
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor, key)
        page.get_by_role("radiogroup").get_by_role("radio").nth(3).click()
        expect(page.get_by_text("Kept as an example")).to_be_visible()
        press(page, "Edit")
        editor = page.get_by_role("textbox", name="Change the text")
        expect(editor).to_have_value(TEXT)
        expect(page.get_by_text("Ctrl+Enter saves")).to_be_visible()
        editor.fill("Nobody had asked the sea.")
        page.reload()
        expect(editor).to_have_value("Nobody had asked the sea.")
        press(page, "Leave it as it was")
        expect(prose(page, TEXT[:40])).to_be_visible()
        visitor.idle()
        page.reload()
        press(page, "Edit")
        expect(editor).to_have_value(TEXT)
        editor.fill("Nobody had asked the sea.")
        press(page, "Save the change")
        expect(page.get_by_text("The change is saved.")).to_be_visible()
        expect(prose(page, "Nobody had asked the sea.")).to_be_visible()
        (example,) = rows(settings, Example)
        assert (example.status, example.rating) == (ExampleStatus.kept, 4)
        assert (example.completion, example.original) == ("Nobody had asked the sea.", TEXT)
        press(page, "Save as story")
        page.get_by_role("textbox", name="Title").fill("The sea")
        press(page, "Save")
        expect(page.get_by_text("It stands on your shelf")).to_be_visible()
        (story,) = rows(settings, Story)
        assert (story.title, story.body) == ("The sea", "Nobody had asked the sea.")
        visitor.close()


def test_a_copy_is_the_text_itself(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    key = takes.writing(into=settings, takes=[{"text": HOSTILE}]).key
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = opened(visitor, key)
        press(page, "Copy")
        expect(page.get_by_text("Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == HOSTILE
        visitor.close()


def test_a_blind_pair_is_named_when_one_is_chosen(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    key = takes.writing(into=settings, takes=[PAIR | {"label": "Model A"}, PAIR | {"label": "Model B"}]).key
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server, phone=True)
        page = opened(visitor, key)
        expect(page.get_by_text("Which do you like better?")).to_be_visible()
        expect(page.get_by_text("Model A")).to_have_count(0)
        press(page, "Second text is better")
        expect(page.get_by_text("Model A")).to_be_visible()
        expect(page.get_by_text("Model B")).to_be_visible()
        expect(page.get_by_text("You liked this one better")).to_be_visible()
        assert [take.chosen for take in rows(settings, Take)] == [False, True]
        visitor.close()


def test_another_text_is_asked_for_and_both_can_be_flipped_to(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    key = takes.writing(into=settings, takes=[{}, {"text": "The second of them."}]).key
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor, key)
        expect(prose(page, "The second of them.")).to_be_visible()
        page.get_by_role("button", name="Previous page").click()
        expect(prose(page, "The keeper wound the clock")).to_be_visible()
        page.reload()
        expect(prose(page, "The keeper wound the clock")).to_be_visible()
        visitor.close()


def test_a_request_is_put_into_the_form_again_and_deleted(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    key = takes.writing(into=settings).key
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor)
        expect(brief(page)).to_have_value("")
        press(page, BRIEF)
        expect(prose(page, "The keeper wound the clock")).to_be_visible()
        assert key in page.url
        press(page, "More")
        page.get_by_text("Put it into the form again").click()
        expect(brief(page)).to_have_value(BRIEF)
        page.get_by_role("tab", name="Your stories").click()
        expect(brief(page)).to_have_count(0)
        page.get_by_role("tab", name="Write", exact=True).click()
        expect(brief(page)).to_have_value(BRIEF)
        press(page, "More")
        page.get_by_text("Delete", exact=True).click()
        press(page, "Delete it")
        expect(page.get_by_text("What you have written stays here")).to_be_visible()
        assert rows(settings, Take) == []
        assert "writing=" not in page.url
        visitor.close()


def test_hostile_words_are_shown_as_they_are(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    context = {"hints": [HOSTILE], "recalled": [{"text": HOSTILE, "from_": HOSTILE}], "left_out": [HOSTILE]}
    key = takes.writing(HOSTILE, into=settings, takes=[{"text": HOSTILE, "context": context, "note": HOSTILE}]).key
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server, phone=True)
        asked: list[str] = []

        def popped_up(dialog: Dialog) -> None:
            asked.append(dialog.message)
            dialog.dismiss()

        visitor.page.on("dialog", popped_up)
        page = opened(visitor, key)
        page.get_by_text("What it was given").click()
        expect(prose(page, "<img src=x onerror=alert(1)> :red[x] **bold** $5$ `code` # head")).to_be_visible()
        page.wait_for_timeout(500)
        assert not asked
        assert page.locator("#stMain img[src='x']").count() == 0
        assert visitor.overflow() <= 0
        visitor.close()
