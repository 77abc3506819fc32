"""Fine-Tune in a real browser: whole and accessible in every state, and alive without a reload."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, expect

from tests.support import fine_tuned
from tests.support.app import Server, Visitor, serving
from tests.support.axe import violations
from tests.support.fine_tuned import keep, promote, run, version
from zega_core import db
from zega_core.jobs import launcher
from zega_core.local import process
from zega_core.settings import Settings
from zega_core.store import fine_tunes, versions
from zega_core.tables import RunStatus, now
from zega_core.version_tables import FineTune, TrainingMetric

pytestmark = pytest.mark.browser
LONG = "a name as long as names may be, " + "w" * 28


@contextmanager
def without_worker(settings: Settings) -> Iterator[Server]:
    """The app with the place of its worker taken: rows change as the test changes them, and not otherwise."""
    settings.prepare_home()
    with FileLock(launcher.lock_path(settings, 0)), serving(settings) as server:
        yield server
        assert "Traceback" not in server.said
        assert "Please replace" not in server.said


def begun(settings: Settings) -> None:
    keep(54, own=12, into=settings)
    version(1, into=settings)
    promote(1, into=settings)
    run(RunStatus.running, step=34, notes=["Memory was short."], into=settings)
    run(RunStatus.queued, into=settings)


def made(settings: Settings) -> None:
    keep(54, own=12, into=settings)
    for number in range(1, 8):
        version(number, into=settings, parent=number - 1 or None, name=LONG if number == 7 else "")
    promote(6, into=settings)
    promote(7, into=settings)


def failed(settings: Settings) -> None:
    keep(54, into=settings)
    run(RunStatus.failed, step=25, error="The disk is full. Free some space, then press Continue.", into=settings)


STATES = {
    "few": lambda settings: keep(8, into=settings),
    "ready": lambda settings: keep(54, own=12, into=settings),
    "begun": begun,
    "made": made,
    "failed": failed,
}
FOLDED = (
    "Advanced",
    "Earlier versions (5)",
    "Compare two versions",
    "How they write",
    "Other ways: Whole model as GGUF, Adapter for Python, Whole model for Python",
    "Whose words, how good, of which genres",
)
SHOWN = {
    "few": "Not enough to learn from yet",
    "ready": "What it will learn from",
    "begun": "Learning",
    "made": "Last fine-tune",
    "failed": "Last fine-tune",
}


@pytest.fixture(scope="module", params=list(STATES))
def state(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def server(state: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(home=tmp_path_factory.mktemp(state) / "home")
    settings.prepare_home()
    STATES[state](settings)
    with without_worker(settings) as running:
        yield running


@pytest.fixture(params=["light", "phone-dark"])
def looker(request: pytest.FixtureRequest, chromium: Browser, server: Server) -> Iterator[Visitor]:
    """Both sizes and both themes, in two instead of four windows."""
    one = Visitor(chromium, server, dark="dark" in request.param, phone="phone" in request.param)
    yield one
    one.close()


def accessible(visitor: Visitor) -> None:
    assert violations(visitor.page) == []


def opened(visitor: Visitor, heading: str) -> None:
    visitor.page.goto("/fine_tune", wait_until="commit")
    expect(visitor.page.get_by_role("heading", name=heading, exact=True)).to_be_visible(timeout=120_000)
    visitor.page.wait_for_timeout(800)


def test_every_state_is_whole(looker: Visitor, state: str):
    opened(looker, SHOWN[state])
    page = looker.page
    for folded in FOLDED:
        if page.get_by_text(folded, exact=True).count():
            page.get_by_text(folded, exact=True).click()
    page.wait_for_timeout(800)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert looker.overflow() <= 0
    accessible(looker)


def change(settings: Settings, row: FineTune, step: int, **values: object) -> None:
    """What a worker would write."""
    with db.session(settings) as session:
        found = fine_tunes.get(session, fine_tuned.WRITER, row.run_id)
        for name, value in {"step": step, "heartbeat_at": now(), **values}.items():
            setattr(found, name, value)
        session.add(found)
        session.add(TrainingMetric(fine_tune_id=found.id or 0, step=step, epoch=1.0, loss=2.0, validation_loss=2.1))


def test_from_the_button_to_the_version_without_a_reload(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    keep(20, into=settings)
    with without_worker(settings) as server:
        visitor, idle = Visitor(chromium, server), Visitor(chromium, server, phone=True)
        opened(idle, "What it will learn from")
        opened(visitor, "What it will learn from")
        page = visitor.page
        page.get_by_role("button", name="Fine-tune my model").dblclick()
        for one in (page, idle.page):
            expect(one.get_by_role("heading", name="Waiting for the worker")).to_be_visible()
        with db.reading(settings) as session:
            (row,) = fine_tunes.recent(session, fine_tuned.WRITER, 5)
        expect(page.get_by_role("button", name="Do not start it")).to_be_visible()
        change(settings, row, 1, status=RunStatus.running, phase="training", steps=40, seconds_left=95.0)
        expect(page.get_by_text("Step 1 of 40 · about 2 minutes left")).to_be_visible()
        expect(page.get_by_role("button", name="Stop and keep the best so far")).to_be_visible()
        expect(page.locator(".js-plotly-plot")).to_be_visible()
        page.reload()
        expect(page.get_by_text("Step 1 of 40")).to_be_visible()
        change(settings, row, 20)
        expect(page.get_by_text("Step 20 of 40")).to_be_visible()
        page.get_by_role("button", name="Stop and keep the best so far").click()
        expect(page.get_by_role("heading", name="Stopping")).to_be_visible()
        version(1, into=settings)
        promote(1, into=settings)
        change(settings, row, 21, status=RunStatus.stopped, version_number=1, completed_at=now())
        for one in (page, idle.page):
            expect(one.get_by_text("v1 is in use: zega-default writes with it.")).to_be_visible()
            expect(one.get_by_role("heading", name="Versions")).to_be_visible()
        visitor.close()
        idle.close()


def test_deleting_asks_first_and_can_be_left_with_the_keyboard(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    made(settings)
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server, dark=True)
        opened(visitor, "Versions")
        page = visitor.page
        dialog = page.get_by_role("dialog")
        page.get_by_role("button", name="Delete v6").focus()
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        accessible(visitor)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.get_by_role("button", name="Delete v6").click()
        page.get_by_role("button", name="Keep it").click()
        expect(dialog).to_have_count(0)
        page.get_by_role("button", name="Delete v6").click()
        page.get_by_role("button", name="Delete v6 for good").click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("button", name="Delete v6")).to_have_count(0)
        page.get_by_text("Earlier versions (4)").click()
        expect(page.get_by_role("button", name="Delete v2")).to_be_visible()
        visitor.close()


def test_a_model_writes_while_the_page_stays_alive_and_one_that_is_damaged_says_so(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    version(1, into=settings)
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        try:
            opened(visitor, "Try it")
            page = visitor.page
            page.get_by_role("button", name="Write with both").click()
            expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
            first, other = page.locator(".st-key-prose-try-0"), page.locator(".st-key-prose-try-1")
            expect(first).to_contain_text(" ", timeout=90_000)
            expect(page.get_by_text("Written in")).to_be_visible(timeout=60_000)
            expect(page.get_by_text("It could not write")).to_be_visible(timeout=120_000)
            expect(other).to_have_count(0)
            expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
            accessible(visitor)
        finally:
            visitor.close()
            process.end(settings)


def test_a_name_is_there_when_it_is_to_be_changed_and_looking_at_it_changes_nothing(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    version(1, into=settings, name="autumn")
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        opened(visitor, "Versions")
        page = visitor.page
        use, back = page.locator(".st-key-use-1 button"), page.locator(".st-key-roll-back button")
        use.click()  # the page is drawn anew while the name is still out of sight
        expect(back).to_be_visible(timeout=60_000)
        back.click()
        expect(use).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Rename v1").click()
        name = page.get_by_role("textbox", name="Name", exact=True)
        expect(name).to_have_value("autumn", timeout=60_000)
        name.press("Tab")
        page.keyboard.press("Escape")
        use.click()
        expect(back).to_be_visible(timeout=60_000)
        visitor.close()
    with db.reading(settings) as session:
        assert [one.name for one in versions.all_of(session, "default")] == ["autumn"]
