"""Your style and Memory in a real browser: remembered, found and forgotten; set by hand and taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_conversation import accessible, without_worker
from tests.support.app import Server, Visitor
from tests.support.labelled import MOTIFS, PAIRS
from tests.support.written import written
from zega_core import db, meaning, memory, profiling, shelf
from zega_core.settings import Settings
from zega_core.style.profile import Corrections
from zega_core.tables import Source

pytestmark = pytest.mark.browser
WRITER = "default"
FERRY = "The old ferry never comes to the pier, and Ida waits there with her lantern until the morning. " * 8
BAKER = "A baker in the hills counts his loaves and finds one too many for the village."


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A writer with two stories, and pages of their own that are measured."""
    settings = Settings(home=tmp_path_factory.mktemp("used") / "home")
    settings.prepare_home()
    with db.session(settings) as session:
        shelf.save(session, WRITER, "The ferry", FERRY, genre="mystery")
        shelf.save(session, WRITER, "The baker", BAKER)
    texts = [low for low, _ in PAIRS["tone"]]
    for at in range(14):
        text = f"{at}. {texts[at % 2]} {MOTIFS['haunting']}"
        written(1, WRITER, settings, source=Source.manuscript, completion=text, genre="horror")
    profiling.measure(WRITER, settings)
    return settings


@pytest.fixture(scope="module")
def server(used: Settings) -> Iterator[Server]:
    with without_worker(used) as running:
        yield running


def opened(visitor: Visitor, tab: str) -> Page:
    visitor.page.goto(f"/write?tab={tab}", wait_until="commit")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Write", timeout=60_000)
    return visitor.page


def whole(visitor: Visitor) -> None:
    visitor.idle()
    expect(visitor.page.get_by_test_id("stException")).to_have_count(0)
    expect(visitor.page.get_by_text("could not be drawn")).to_have_count(0)
    assert visitor.overflow() <= 0
    accessible(visitor.page)


def test_a_text_is_remembered_found_and_forgotten(
    chromium: Browser, server: Server, used: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(meaning, "why_not", lambda: "Texts are compared by their words here.")  # no torch beside this
    visitor = Visitor(chromium, server, phone=True, dark=True)
    page = opened(visitor, "Memory")
    expect(page.get_by_text("Nothing is remembered yet.")).to_be_visible()
    with visitor.rerun():
        page.get_by_role("checkbox", name="Stories on your shelf").press("Space")
    memory.refresh(WRITER, used)
    expect(page.get_by_text("2 texts, 2 remembered.")).to_be_visible()
    expect(page.get_by_text("Your story “The baker”")).to_be_visible()
    box = page.get_by_role("textbox", name="Search by what it means")
    box.fill("Ida waits for the ferry with her lantern")
    box.press("Enter")
    expect(page.get_by_text("The likest first.")).to_be_visible()
    expect(page.get_by_text("Your story “The baker”")).to_have_count(0)
    expect(page.get_by_text("Your story “The ferry”")).to_be_visible()
    page.get_by_text("All that is remembered of it").click()
    expect(page.get_by_text(FERRY.strip(), exact=True)).to_be_visible()
    page.get_by_role("button", name="Forget", exact=True).click()
    expect(page.get_by_text("2 texts, 1 remembered.")).to_be_visible()
    with db.reading(used) as session:
        assert [one.text for one in memory.newest(session, WRITER)] == [BAKER]
    page.get_by_role("button", name="Forget everything").click()
    expect(page.get_by_text("nothing is remembered until you choose it again")).to_be_visible()
    whole(visitor)
    page.get_by_role("button", name="Forget all of it").click()
    expect(page.get_by_text("Nothing is remembered yet.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Stories on your shelf")).not_to_be_checked()
    visitor.close()


def test_a_side_is_set_by_hand_and_taken_back(chromium: Browser, server: Server, used: Settings):
    def corrections() -> Corrections:
        with db.reading(used) as session:
            return profiling.profile_of(session, WRITER)[1]

    visitor = Visitor(chromium, server)
    page = opened(visitor, "Your+style")
    expect(page.get_by_text("The dead return, in 14 of 16 texts")).to_be_visible()
    page.get_by_text("Set it by hand").click()
    tone = page.get_by_role("slider", name="Tone: dark and serious to light")
    measured = int(tone.input_value())
    with visitor.rerun():
        tone.press("End")
    back = page.get_by_role("button", name="Tone as measured")
    expect(back).to_be_visible()
    assert corrections().axes == {"tone": 100.0}
    expect(page.get_by_text("tone set by you", exact=False)).to_be_visible()
    whole(visitor)
    page.reload()
    page.get_by_text("Set it by hand").click()
    expect(tone).to_have_value("100")
    back.click()
    expect(back).to_have_count(0)
    expect(tone).to_have_value(str(measured))
    assert corrections() == Corrections()
    visitor.close()
