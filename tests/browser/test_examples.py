"""The Examples page in a real browser: whole on every screen, gone through by keys, imported into, exported from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.app import Server, Visitor, serving
from tests.support.axe import violations
from tests.support.written import written
from zega_core import db
from zega_core.settings import Settings
from zega_core.store import collection
from zega_core.tables import Example, ExampleStatus, Source

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)> :red[x] **b** * * * $5 -- -> " + "w" * 300 + " שלום"
LONG = ("The night was long, and nobody counted it. " * 500)[:20_000].strip()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("examples") / "home")


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    """An app whose writer has examples of every kind."""
    settings.prepare_home()
    written(50, settings=settings)
    written(
        8, settings=settings, genre="horror", status=ExampleStatus.set_aside, quality=5.0, reason="Its score is low."
    )
    written(1, settings=settings, completion=LONG, genre="thriller", tags=["long"])
    written(
        1,
        settings=settings,
        completion=HOSTILE,
        prompt=HOSTILE,
        tags=["<b>", ":red[t]"],
        origin=HOSTILE,
        genre="mystery",
    )
    written(1, settings=settings, original="It was dark.", completion="No lamp was lit.", source=Source.conversation)
    with serving(settings, {"ZEGA_FINE_TUNE_EVERY": "100000"}) as running:
        yield running
        assert "Traceback" not in running.said
        assert "Please replace" not in running.said


def found(settings: Settings, **wanted: object) -> list[Example]:
    with db.reading(settings) as session:
        return collection.page(session, "default", collection.Filter(**wanted), "newest", 1, 100)  # type: ignore[arg-type]


def one_of(settings: Settings, genre: str) -> int:
    return found(settings, genre=(genre,))[0].id or 0


@pytest.fixture
def desk(chromium: Browser, server: Server) -> Iterator[Visitor]:
    one = Visitor(chromium, server)
    yield one
    one.close()


@pytest.mark.parametrize("view", ["list", "long", "hostile", "edited", "no match", "all chosen", "filters", "import"])
@pytest.mark.parametrize("visitor", ["light", "phone-dark"], indirect=True)  # both widths and both themes
def test_a_view_is_whole(visitor: Visitor, settings: Settings, view: str):
    page = visitor.page
    page.on("dialog", lambda dialog: pytest.fail(f"a text ran as a script: {dialog.message}"))
    address = {
        "long": f"/examples?example={one_of(settings, 'thriller')}",
        "hostile": f"/examples?example={one_of(settings, 'mystery')}",
        "edited": f"/examples?example={found(settings, source=(Source.conversation,))[0].id}",
        "no match": "/examples?text=nowheretobefound",
        "import": "/examples?tab=Import",
    }
    visitor.open(address.get(view, "/examples"))
    if view == "all chosen":
        page.get_by_text("All on this page").click()
        expect(page.get_by_text("25 chosen")).to_be_visible()
    if view == "filters":
        page.locator(".st-key-examples-filter button").click()
        expect(page.get_by_text("Only what you edited")).to_be_visible()
    if view == "hostile":
        expect(page.locator(".st-key-example-detail").get_by_text(HOSTILE).last).to_be_visible()
    visitor.idle()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert visitor.overflow() <= 0
    assert violations(page) == []


def test_examples_can_be_gone_through_by_keys_alone(desk: Visitor, settings: Settings):
    page = desk.page
    first, second = (row.id for row in found(settings, genre=("fantasy",), source=("auto",))[:2])
    desk.open("/examples?genre=fantasy&source=auto")
    page.keyboard.press("j")
    page.wait_for_url(f"**example={first}*")
    desk.idle()
    page.keyboard.press("j")
    page.wait_for_url(f"**example={second}*")
    desk.idle()
    page.keyboard.press("4")
    expect(page.get_by_text("1 example rated with 4 stars.")).to_be_visible()
    desk.idle()
    page.keyboard.press("x")
    expect(page.get_by_text("1 example excluded.")).to_be_visible()
    changed = _of(settings, second)
    assert (changed.rating, changed.status) == (4, ExampleStatus.set_aside)
    desk.idle()
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="Undo the rating")).to_be_visible()
    assert _of(settings, second).status == ExampleStatus.kept
    desk.idle()
    page.keyboard.press("u")
    expect(page.locator(".st-key-undo")).to_have_count(0)
    assert _of(settings, second).rating is None
    desk.idle()
    page.keyboard.press("?")
    expect(page.get_by_text("undo the last change")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**example={first}*")


def _of(settings: Settings, identity: int | None) -> Example:
    with db.reading(settings) as session:
        return collection.get(session, "default", identity or 0)


def test_a_view_comes_back_with_its_address(desk: Visitor):
    page = desk.page
    desk.open("/examples")
    page.locator(".st-key-examples-filter button").click()
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="Set aside").click()
    expect(page.get_by_text("8 examples: Set aside")).to_be_visible()
    page.reload()
    desk.idle()
    expect(page.get_by_text("8 examples: Set aside")).to_be_visible()
    expect(page.get_by_role("button", name="Filter (1)")).to_be_visible()


def test_on_a_phone_what_is_opened_comes_into_view(chromium: Browser, server: Server):
    visitor = Visitor(chromium, server, phone=True)
    visitor.open("/examples")
    visitor.page.locator(".st-key-example-list button").nth(3).click()
    expect(visitor.page.get_by_role("button", name="Next", exact=True)).to_be_in_viewport()
    visitor.close()


def test_what_matches_can_be_taken_along(desk: Visitor):
    page = desk.page
    desk.open("/examples?state=set_aside&genre=horror")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="JSONL").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 8
    assert {"prompt", "completion"} <= set(json.loads(lines[0]))


def pairs(path: Path, number: int) -> Path:
    texts = (f"In the harbour of year {one} a boat called {one} came home without its lamp." for one in range(number))
    path.write_text("prompt,text\n" + "".join(f'What came home?,"{text}"\n' for text in texts), encoding="utf-8")
    return path


def begin_import(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text("Somebody else wrote them").click()
    page.get_by_role("button", name="Import", exact=True).click()


def test_an_import_goes_on_while_the_page_is_loaded_anew(desk: Visitor, settings: Settings, tmp_path: Path):
    page = desk.page
    desk.open("/examples?tab=Import")
    begin_import(page, pairs(tmp_path / "boats.csv", 400))
    expect(page.get_by_text("of 400 rows read")).to_be_visible()
    page.reload()
    expect(page.get_by_text("See your imported examples")).to_be_visible(timeout=120_000)
    assert len(found(settings, source=(Source.imported,))) == 100
    with db.reading(settings) as session:
        assert collection.count(session, "default", collection.Filter(source=(Source.imported,))) == 400


def test_keys_are_letters_while_a_text_is_being_edited(desk: Visitor, settings: Settings):
    (one,) = written(1, settings=settings, genre="romance", completion="He waited at the gate until it rained.")
    page = desk.page
    desk.open(f"/examples?example={one}")
    page.keyboard.press("e")
    field = page.get_by_role("textbox", name="The text")
    field.fill("")
    field.press_sequentially("jinx, 5 exits: she left at dusk and did not look round.")
    page.get_by_role("button", name="Save").click()
    expect(field).to_have_count(0)
    expect(page.get_by_text("He waited at the gate until it rained.")).to_be_visible()
    changed = _of(settings, one)
    assert changed.completion == "jinx, 5 exits: she left at dusk and did not look round."
    assert changed.rating is None
    assert changed.decision is None
