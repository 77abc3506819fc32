"""Each page in light and dark, on a desk and on a phone: complete, inside the window, accessible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.app import Server, Visitor, serving
from tests.support.axe import violations
from zega_core import auto_train, db, profiling, providers, rating, shelf
from zega_core.catalog import load_catalog
from zega_core.configs import AutoTrainConfig
from zega_core.settings import Settings
from zega_core.store import sessions

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app whose writer has run sessions, has a story on the shelf, and knows their style."""
    settings = Settings(home=tmp_path_factory.mktemp("used") / "home")
    teacher, catalog = providers.storyteller(), load_catalog()
    for seed in range(12):
        config = AutoTrainConfig(num_examples=24, seed=seed)
        with db.session(settings) as session:
            row = sessions.create(session, config, teacher=teacher.name, order_seed=seed)
        auto_train.run(row.session_id, 1, settings=settings, catalog=catalog, teacher=teacher)
        (settings.home / "one.txt").write_text(row.session_id, encoding="utf-8")
    for number in range(12):
        with db.session(settings) as session:
            waiting = rating.waiting(session, "default")
            rating.rate(session, "default", waiting[0], settings, stars=1 + number * 7 % 5)
    with db.session(settings) as session:
        shelf.save(session, "default", "The harbour", "A boat came home. " * 30, genre="mystery")
    profiling.measure("default", settings)
    with serving(settings, {"ZEGA_FINE_TUNE_EVERY": "100000"}) as running:  # no training beside the tests
        yield running
        assert "Traceback" not in running.said
        assert "Please replace" not in running.said


def session_of(server: Server) -> str:
    return (server.log.parents[1] / "one.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/history",
        "/history?page=2",
        "/history?session=ONE",
        "/fine_tune",
        *("/quality", "/quality?tab=Agreement", "/quality?tab=Your correction", "/quality?tab=Judge"),
        "/quality?tab=Sameness",
        "/conversational_trainer",
        *("/write?tab=Your+stories", "/write?tab=Your+style", "/write?tab=Memory"),
    ],
)
@pytest.mark.parametrize("visitor", ["light", "phone-dark"], indirect=True)  # both widths and both themes
def test_a_page_is_whole(visitor: Visitor, server: Server, path: str):
    visitor.open(path.replace("ONE", session_of(server)))
    page = visitor.page
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert visitor.overflow() <= 0
    assert violations(page) == []


def test_the_form_can_be_used_with_the_keyboard(visitor: Visitor):
    visitor.open("/")
    page = visitor.page
    horror = page.get_by_role("button", name="Horror").first
    horror.focus()
    with visitor.rerun():
        page.keyboard.press("Enter")
    expect(horror).to_have_attribute("aria-pressed", "true")
    box = page.get_by_role("checkbox", name="Also put kept pieces into memory")
    box.focus()
    with visitor.rerun():
        page.keyboard.press("Space")
    expect(box).to_be_checked()


def test_all_that_was_written_can_be_read(visitor: Visitor, server: Server):
    visitor.open("/")
    reader = visitor.page.get_by_text("Read it, and why it scored so").first
    reader.click()
    expect(visitor.page.get_by_text("Asked for: ").first).to_be_visible()
