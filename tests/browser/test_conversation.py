"""Conversation in a real browser: whole in every state, and no word is lost, whatever happens while one writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.support import fine_tuned
from tests.support.app import Server, Visitor, serving
from tests.support.axe import violations
from tests.support.worker import until
from zega_core import conversation, db
from zega_core.conversation_tables import Turn
from zega_core.jobs import launcher
from zega_core.settings import Settings
from zega_core.store import conversations, fine_tunes
from zega_core.tables import RunStatus, now

pytestmark = pytest.mark.browser
WRITER = "default"
PATH = "/conversational_trainer"
NOWHERE = {
    "OLLAMA_HOST": "http://127.0.0.1:9",
    "GROQ_BASE_URL": "http://127.0.0.1:9",
    "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9",
    "ZEGA_HF_BASE_URL": "http://127.0.0.1:9",
}
HARBOUR = (
    "First the ropes, complaining. Then a cough, a lantern, the slap of something that had been alive an hour ago. "
    "You could hear the tide thinking it over, and nobody on the quay was in a hurry to be seen there."
)
STAIRS = (
    "My aunt counted the stairs aloud whenever she climbed them, and there was always one more than the night before. "
    "She never asked where it had come from. She only bought a longer carpet and told us to be polite to it."
)
LETTER = (
    "Dear Tom, the food is fine and so is the weather, and the man beside me has stopped asking for his mother. I have "
    "your gloves on as I write this. Keep the dog in at night. Do not come and look for me in the spring."
)
ORCHARD = (
    "Every pear on the north wall had been wrapped in newspaper, and each sheet carried the same date. Mother opened "
    "one and read it aloud to us as if it were the weather. By noon we had all read it, and nobody picked anything."
)
FERRY = (
    "The ferryman would take coins only from the left hand. He never said what had happened to those who paid with the "
    "right. His dog watched our pockets all the way over, and the far bank came towards us more slowly than it should."
)
MIRROR = (
    "Two of the mirrors in the hotel disagreed about the hallway. In one the carpet ran down to the sea door, in the "
    "other it turned upstairs. Guests chose early which one to believe, and were given their keys accordingly."
)
HOSTILE = "<img src=x onerror=alert(1)> :red[x] **bold** $5$ `code` # head\n* * *\n" + "w" * 300


@contextmanager
def without_worker(settings: Settings, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """The app with the place of its worker taken, and no service within reach."""
    settings.prepare_home()
    with FileLock(launcher.lock_path(settings, 0)), serving(settings, NOWHERE | (environment or {})) as server:
        yield server
        assert "Traceback" not in server.said
        assert "Please replace" not in server.said


def open_turn(settings: Settings) -> Turn:
    with db.reading(settings) as session:
        turn = conversations.open_turn(session, conversations.of_writer(session, WRITER)[0])
    assert turn is not None
    return turn


def answers(settings: Settings) -> list[str]:
    with db.reading(settings) as session:
        key = conversations.of_writer(session, WRITER)[0].key
        found = conversations.turns(session, WRITER, key, limit=100)
    return [example.completion for _, example in found if example is not None]


def begin(settings: Settings, texts: list[str]) -> None:
    """A conversation with these answers."""
    settings.prepare_home()
    with db.session(settings) as session:
        key = conversation.start(session, WRITER, settings, purpose="sea stories for winter").key
        for text in texts:
            turn = conversation.question(session, WRITER, key, settings)
            conversation.answer(session, WRITER, key, turn.id or 0, text, settings, seconds=40.0)


def box(page: Page):
    return page.get_by_role("textbox", name="Your answer")


def opened(visitor: Visitor) -> Page:
    visitor.page.goto(PATH, wait_until="commit")
    expect(box(visitor.page)).to_be_visible(timeout=60_000)
    return visitor.page


def accessible(page: Page) -> None:
    assert violations(page) == []


def none(settings: Settings) -> None:
    settings.prepare_home()


def used(settings: Settings) -> None:
    begin(settings, [HARBOUR, "Too short.", HOSTILE, STAIRS, LETTER])


def trained(settings: Settings) -> None:
    begin(settings, [HARBOUR, STAIRS])
    fine_tuned.version(1, into=settings)
    fine_tuned.promote(1, into=settings)
    fine_tuned.run(RunStatus.running, step=34, into=settings)


STATES = {"none": none, "used": used, "trained": trained}


@pytest.fixture(scope="module", params=list(STATES))
def state(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def server(state: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(home=tmp_path_factory.mktemp(state) / "home")
    STATES[state](settings)
    with without_worker(settings) as running:
        yield running


@pytest.mark.parametrize("tab", ["", "?tab=Your+own+pages", "?tab=Progress"])
@pytest.mark.parametrize("visitor", ["light", "phone-dark"], indirect=True)  # both widths and both themes
def test_every_state_is_whole(visitor: Visitor, tab: str):
    page = visitor.page
    page.goto(PATH + tab, wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Conversation", timeout=60_000)
    expect(page.get_by_role("tabpanel")).to_be_visible()
    page.wait_for_timeout(1500)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("could not be drawn")).to_have_count(0)
    expect(page.get_by_text("cannot be shown")).to_have_count(0)
    assert visitor.overflow() <= 0
    accessible(page)


@pytest.mark.parametrize("phone", [False, True])
def test_from_the_first_visit_to_three_answers(chromium: Browser, tmp_path: Path, phone: bool):
    settings = Settings(home=tmp_path / "home")
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server, phone=phone)
        page = visitor.page
        page.goto(PATH, wait_until="commit")
        purpose = page.get_by_role("textbox", name="What should your model be able to do?")
        expect(purpose).to_be_visible(timeout=60_000)
        purpose.fill("sea stories")
        page.get_by_role("button", name="Start", exact=True).dblclick()
        expect(box(page)).to_be_visible()
        for number, text in enumerate((HARBOUR, STAIRS, LETTER), 1):
            box(page).fill(text)
            expect(page.get_by_text(f"{len(text.split())} words of about")).to_be_visible()
            page.get_by_role("button", name="Save answer").click()
            expect(page.get_by_text(f"Saved, {number} of 20")).to_be_visible()
            expect(box(page)).to_have_value("")
            expect(box(page)).to_be_focused()
        assert answers(settings) == [HARBOUR, STAIRS, LETTER]
        with db.reading(settings) as session:
            assert len(conversations.of_writer(session, WRITER)) == 1
        assert visitor.overflow() <= 0
        visitor.close()


def test_ctrl_and_enter_save(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    begin(settings, [])
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor)
        expect(page.get_by_text("Ctrl+Enter saves")).to_be_visible()
        box(page).click()
        page.keyboard.insert_text(HARBOUR)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("Saved, 1 of 20")).to_be_visible()
        assert answers(settings) == [HARBOUR]
        with db.reading(settings) as session:
            assert (
                conversations.turns(session, WRITER, conversations.of_writer(session, WRITER)[0].key)[0][0].draft == ""
            )
        visitor.close()


def test_a_refresh_right_after_a_key_press_keeps_every_letter(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    begin(settings, [HARBOUR])
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor)
        expect(page.get_by_text("0 words of about")).to_be_visible()
        box(page).click()
        page.keyboard.type("The lamp went out, and")
        page.wait_for_timeout(50)
        assert open_turn(settings).draft == ""
        page.reload()
        expect(box(page)).to_have_value("The lamp went out, and")
        page.get_by_role("button", name="Save answer").click()
        expect(page.get_by_text("Saved", exact=False).first).to_be_visible()
        until(lambda: answers(settings) == [HARBOUR, "The lamp went out, and"])
        visitor.close()


def test_a_draft_reaches_the_app_by_itself_and_survives_its_restart(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    begin(settings, [])
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor)
        expect(page.get_by_text("0 words of about")).to_be_visible()
        box(page).click()
        page.keyboard.type("Nobody had asked the sea")
        until(lambda: open_turn(settings).draft == "Nobody had asked the sea")
        expect(box(page)).to_be_focused()
        page.keyboard.type(" anything")
        until(lambda: open_turn(settings).draft == "Nobody had asked the sea anything")
        visitor.close()
    with without_worker(settings) as again:
        another = Visitor(chromium, again)  # a browser that has kept nothing
        page = opened(another)
        expect(box(page)).to_have_value("Nobody had asked the sea anything")
        another.close()


def test_what_the_browser_has_kept_outlives_an_app_that_was_away(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    begin(settings, [])
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor)
        expect(page.get_by_text("0 words of about")).to_be_visible()
        visitor.context.set_offline(True)
        box(page).click()
        page.keyboard.type("Written while nothing answered")
        page.wait_for_timeout(1500)
        visitor.context.set_offline(False)
        page.reload()
        expect(box(page)).to_have_value("Written while nothing answered")
        until(lambda: open_turn(settings).draft == "Written while nothing answered")
        visitor.close()


def test_edit_delete_and_undo(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    begin(settings, [HARBOUR])
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = opened(visitor)
        page.get_by_role("button", name="Change").click()
        page.get_by_role("menuitem", name="Edit").or_(page.get_by_text("Edit", exact=True)).first.click()
        editor = page.get_by_role("textbox", name="Change your answer")
        editor.fill(STAIRS)
        page.get_by_role("button", name="Save the change").click()
        expect(page.get_by_text("The change is saved.")).to_be_visible()
        assert answers(settings) == [STAIRS]
        page.get_by_role("button", name="Change").click()
        page.get_by_text("Delete", exact=True).last.click()
        expect(page.get_by_text("You deleted this answer.")).to_be_visible()
        assert answers(settings) == []
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("My aunt counted the stairs")).to_be_visible()
        assert answers(settings) == [STAIRS]
        visitor.close()


def test_the_threshold_in_two_windows_at_once_begins_one_training(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home", conversation_pairs=5)
    fine_tuned.keep(20, into=settings)
    begin(settings, [HARBOUR, STAIRS, LETTER, ORCHARD])
    with without_worker(settings, {"ZEGA_CONVERSATION_PAIRS": "5", "ZEGA_FINE_TUNE_EVERY": "100000"}) as server:
        one, two = Visitor(chromium, server), Visitor(chromium, server, phone=True)
        for visitor, text in ((one, FERRY), (two, MIRROR)):
            box(opened(visitor)).fill(text)
        one.page.get_by_role("button", name="Save answer").click(no_wait_after=True)
        two.page.get_by_role("button", name="Save answer").click(no_wait_after=True)
        for visitor in (one, two):
            expect(visitor.page.get_by_text("Your model learns from your answers")).to_be_visible()
        stored = answers(settings)[-1]
        second = two if stored == FERRY else one
        expect(second.page.get_by_text("answered in another window")).to_be_visible()
        expect(second.page.get_by_role("textbox", name="Change your answer")).to_have_value(
            MIRROR if stored == FERRY else FERRY
        )
        with db.reading(settings) as session:
            assert len(fine_tunes.recent(session, WRITER, 5)) == 1
        one.close()
        two.close()


def test_hostile_words_are_shown_as_they_are(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    begin(settings, [])
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server, phone=True)
        page = opened(visitor)
        asked: list[str] = []

        def popped_up(dialog: Dialog) -> None:
            asked.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", popped_up)
        box(page).fill(HOSTILE)
        page.get_by_role("button", name="Save answer").click()
        expect(page.get_by_text("<img src=x onerror=alert(1)> :red[x] **bold** $5$ `code` # head")).to_be_visible()
        assert not asked
        assert visitor.overflow() <= 0
        visitor.close()


def test_what_is_opened_later_shows_what_is_stored_and_chooses_nothing(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    begin(settings, [HARBOUR])
    with db.session(settings) as session:
        older = conversations.of_writer(session, WRITER)[0].key
        answer_later = conversation.start(session, WRITER, settings, purpose="letters home", name="Letters")
        conversation.rename(session, WRITER, older, "By the sea")
        assert conversations.of_writer(session, WRITER)[0].key == answer_later.key
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        page = visitor.page
        page.goto(f"{PATH}?conversation={older}", wait_until="commit")
        expect(box(page)).to_be_visible(timeout=60_000)
        for _ in range(2):  # drawn anew while what is opened later is still closed
            before = page.locator("[class*='st-key-asked-']").last.inner_text()
            page.get_by_role("button", name="Skip").click()
            expect(page.locator("[class*='st-key-asked-']").last).not_to_have_text(before)
        page.get_by_role("button", name="Options").click()
        expect(page.get_by_role("textbox", name="Name")).to_have_value("By the sea")
        expect(page.get_by_role("textbox", name="What should your model")).to_have_value("sea stories for winter")
        page.keyboard.press("Escape")
        with db.session(settings) as session:
            conversations.get(session, WRITER, answer_later.key).used_at = now()
        page.get_by_role("button", name="Skip").click()
        page.get_by_role("button", name="Conversations").click()
        expect(page.get_by_role("radio", name="By the sea")).to_be_checked()
        expect(page.get_by_role("heading", name="By the sea")).to_be_visible()
        visitor.close()
    with db.reading(settings) as session:
        row = conversations.get(session, WRITER, older)
        assert (row.name, row.purpose) == ("By the sea", "sea stories for winter")
