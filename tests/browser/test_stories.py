"""The shelf in a real browser: whole in every state, read as written, files that can be opened, no word lost."""

from __future__ import annotations

import io
from collections.abc import Iterator

import docx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.test_conversation import accessible, without_worker
from tests.support.app import Server, Visitor
from zega_core import db, shelf
from zega_core.settings import Settings

pytestmark = pytest.mark.browser
SHELF = "/write?tab=Your+stories"
HOSTILE = "<img src=x onerror=alert(1)> :red[x] **bold** $5$ `code` # head -- -> "
BODY = f"{HOSTILE}\n\n* * *\n\n" + "w" * 300 + "\n\n" + "The tide came in, and nobody was there to see it. " * 60


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("used") / "home")
    settings.prepare_home()
    return settings


@pytest.fixture(scope="module")
def story(used: Settings) -> int:
    """The newest of thirty."""
    with db.session(used) as session:
        for number in range(29):
            shelf.save(session, "default", f"The harbour {number}", "A boat came home. " * 30, genre="mystery")
        return shelf.save(session, "default", HOSTILE, BODY, genre="horror", element="scene").id or 0


@pytest.fixture(scope="module")
def server(used: Settings, story: int) -> Iterator[Server]:
    with without_worker(used) as running:
        yield running


def opened(visitor: Visitor, more: str = "") -> Page:
    visitor.open(SHELF + more)
    page = visitor.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Write", timeout=60_000)
    return page


@pytest.mark.parametrize(
    ("more", "shows"),
    [
        ("", "30 stories on your shelf"),
        ("&words=nobody&story_genre=horror", "1 story found"),
        ("&words=zebra", "No story matches"),
        ("&story=STORY", "saved"),
        ("&story=new", "It stands on your shelf."),
        ("&story=99999", "This story is not there"),
    ],
)
@pytest.mark.parametrize("visitor", ["light", "phone-dark"], indirect=True)  # both widths and both themes
def test_every_state_is_whole(visitor: Visitor, story: int, more: str, shows: str):
    page = opened(visitor, more.replace("STORY", str(story)))
    expect(page.get_by_text(shows).first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("could not be drawn")).to_have_count(0)
    assert visitor.overflow() <= 0
    accessible(page)


@pytest.mark.parametrize("visitor", ["light", "phone-dark"], indirect=True)
def test_a_story_is_read_as_it_was_written_and_markup_is_never_rendered(visitor: Visitor, story: int):
    page = opened(visitor)
    page.get_by_role("button", name="<img src=x").click()
    text = page.locator("[class*='st-key-prose-story-'] [data-testid='stText']")
    expect(text).to_be_visible()
    assert text.text_content() == BODY.rstrip()
    assert f"story={story}" in page.url
    expect(page.get_by_role("heading", level=2)).to_contain_text("<img src=x onerror=alert(1)> :red[x] **bold** $5$")
    expect(page.locator("#stMain img[src='x']")).to_have_count(0)
    assert visitor.overflow() <= 0


def test_search_is_in_the_address_and_comes_back(chromium: Browser, server: Server):
    visitor = Visitor(chromium, server)
    page = opened(visitor)
    box = page.get_by_role("searchbox", name="Search").or_(page.get_by_role("textbox", name="Search"))
    box.fill('"harbour 17"')
    box.press("Enter")
    expect(page.get_by_text("1 story found")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 story found")).to_be_visible()
    expect(page.get_by_role("button", name="The harbour 17")).to_be_visible()
    visitor.close()


def test_a_story_is_taken_along_as_a_word_file(chromium: Browser, server: Server, story: int):
    visitor = Visitor(chromium, server)
    page = opened(visitor, f"&story={story}")
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Word (docx)").click()
    name = waiting.value.suggested_filename
    assert name.endswith(".docx")
    assert not set('<>:"/\\|?*') & set(name)
    document = docx.Document(io.BytesIO(waiting.value.path().read_bytes()))
    assert document.paragraphs[0].text == HOSTILE.strip()
    visitor.close()


def test_a_newer_change_in_another_window_is_not_overwritten(chromium: Browser, server: Server, used: Settings):
    with db.session(used) as session:
        number = shelf.save(session, "default", "Two windows", "As it was.").id or 0
    one, two = Visitor(chromium, server), Visitor(chromium, server)
    for visitor, text in ((one, "From the first."), (two, "From the second.")):
        page = opened(visitor, f"&story={number}")
        page.get_by_role("button", name="Edit", exact=True).click()
        page.get_by_role("textbox", name="Text").fill(text)
    one.page.get_by_role("button", name="Save", exact=True).click()
    expect(one.page.get_by_text("The change is saved.")).to_be_visible()
    two.page.get_by_role("button", name="Save", exact=True).click()
    expect(two.page.get_by_text("This story was changed in another window")).to_be_visible()
    expect(two.page.get_by_role("textbox", name="Text")).to_have_value("From the second.")
    accessible(two.page)
    with db.reading(used) as session:
        assert shelf.get(session, "default", number).body == "From the first."
    two.page.get_by_role("button", name="Save mine over it").click()
    expect(two.page.get_by_text("The change is saved.")).to_be_visible()
    with db.reading(used) as session:
        assert shelf.get(session, "default", number).body == "From the second."
    one.close()
    two.close()


def test_a_story_of_ones_own_outlives_a_refresh_and_is_deleted_when_confirmed(
    chromium: Browser, server: Server, used: Settings
):
    visitor = Visitor(chromium, server)
    page = opened(visitor)
    page.get_by_role("button", name="New story").click()
    page.get_by_role("textbox", name="Text").fill("Words of my own, and a refresh.")
    expect(page.get_by_text("7 words")).to_be_visible()
    title = page.get_by_role("textbox", name="Title")
    title.fill("My own")
    page.reload()
    expect(page.get_by_role("textbox", name="Text")).to_have_value("Words of my own, and a refresh.")
    expect(title).to_have_value("My own")
    page.get_by_role("button", name="Save the story").click()
    expect(page.get_by_role("heading", name="My own")).to_be_visible()
    page.get_by_role("button", name="Delete").first.click()
    expect(page.get_by_text("The story is gone for good.")).to_be_visible()
    page.get_by_role("button", name="Delete this story").click()
    expect(page.get_by_text("The story is deleted.")).to_be_visible()
    with db.reading(used) as session:
        assert not [one for one in shelf.search(session, "default")[0] if one.title == "My own"]
    visitor.close()


def test_what_is_typed_before_the_page_is_whole_outlives_a_refresh(chromium: Browser, server: Server):
    visitor = Visitor(chromium, server)
    page = visitor.page
    held: list[Route] = []
    page.route("**/BidiComponent*.js", lambda route: held.append(route))
    page.goto(f"{SHELF}&story=new", wait_until="commit")
    page.get_by_role("textbox", name="Text").fill("Typed at once.")
    assert held and not page.get_by_text("3 words").count()
    held[0].continue_()
    expect(page.get_by_text("3 words")).to_be_visible()
    page.unroute("**/BidiComponent*.js")
    page.reload()
    expect(page.get_by_role("textbox", name="Text")).to_have_value("Typed at once.")
    visitor.close()


def test_what_is_typed_into_a_story_outlives_a_refresh_and_is_gone_when_given_up(
    chromium: Browser, server: Server, used: Settings
):
    with db.session(used) as session:
        number = shelf.save(session, "default", "Changed", "As it was.").id or 0
    visitor = Visitor(chromium, server)
    page = opened(visitor, f"&story={number}")
    text = page.get_by_role("textbox", name="Text")
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(text).to_have_value("As it was.")
    title = page.get_by_role("textbox", name="Title")
    title.fill("Changed again")
    text.fill("As it was, and more.")
    expect(page.get_by_text("5 words")).to_be_visible()
    page.reload()
    expect(text).to_have_value("As it was, and more.")
    expect(title).to_have_value("Changed again")
    page.get_by_role("button", name="Leave it as it was").click()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    visitor.idle()  # the browser is told to forget the draft below the buttons
    page.reload()
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(text).to_have_value("As it was.")
    expect(title).to_have_value("Changed")
    text.fill("As it was, and a refresh while it is changed elsewhere.")
    expect(page.get_by_text("11 words")).to_be_visible()
    with db.session(used) as session:
        shelf.edit(session, "default", number, body="Newer.")
    page.reload()
    expect(text).to_have_value("As it was, and a refresh while it is changed elsewhere.")
    text.press("Control+Enter")
    expect(page.get_by_text("This story was changed in another window")).to_be_visible()
    page.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_text("The change is saved.")).to_be_visible()
    with db.reading(used) as session:
        assert shelf.get(session, "default", number).body == "As it was, and a refresh while it is changed elsewhere."
    visitor.close()


def test_going_on_from_a_story_opens_the_form(chromium: Browser, server: Server, story: int):
    visitor = Visitor(chromium, server)
    page = opened(visitor, f"&story={story}")
    page.get_by_role("button", name="Go on from here").click()
    expect(page.get_by_role("tab", name="Write")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".st-key-write-given textarea")).to_have_value(BODY.rstrip())
    visitor.close()
