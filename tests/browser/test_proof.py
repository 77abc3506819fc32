"""Proofs and exports in a real browser: whole and accessible in every state, chosen blind, taken out as a file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_fine_tune import accessible, opened, without_worker
from tests.support import fine_tuned, proved
from tests.support.app import Server, Visitor
from tests.support.fine_tuned import keep, promote, version
from tests.support.proved import export, figures, judged, proof
from zega_core import db, exporting
from zega_core.proof.figures import Change, Duel
from zega_core.settings import Settings
from zega_core.store import exports, proofs
from zega_core.tables import RunStatus, now

pytestmark = pytest.mark.browser
TABS = ("Style", "Choose blind", "Judge", "Before and after")
LONG = "w" * 300 + " * * * $5 <b>bold</b> :red[x] " + "and then the lamp went out again " * 100


def better(settings: Settings) -> None:
    keep(54, own=12, into=settings)
    for number in (1, 2):
        version(number, into=settings)
        promote(number, into=settings)
    proof(1, "not_shown", into=settings, figures=figures(style=None, missing=["Too few words."]).as_dict())
    found = figures(judged=[judged()], blind=Duel(7, 3, 0, 0.7, 0.4, 0.9))
    proof(2, against=1, into=settings, figures=found.as_dict())
    export("ollama", 2, into=settings, report=proved.report(ok=False))
    export("gguf", 2, into=settings)
    export("peft", 2, status=RunStatus.failed, error="The disk is full.", into=settings)
    export("jsonl", into=settings)


def worse(settings: Settings) -> None:
    keep(54, into=settings)
    version(1, into=settings)
    found = figures(length=Change(150.0, 20.0, -140.0, -120.0))
    proof(
        1, "worse", into=settings, figures=found.as_dict(), text_values={"before": LONG, "after": LONG, "prompt": LONG}
    )


def proving(settings: Settings) -> None:
    version(1, into=settings)
    proof(1, status=RunStatus.running, phase="writing", done=12, total=72, seconds_left=40.0, texts=0, into=settings)
    export("merged", 1, status=RunStatus.running, phase="merging", into=settings)


STATES = {"better": better, "worse": worse, "proving": proving}


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


def test_every_state_is_whole(looker: Visitor, state: str):
    opened(looker, "Last fine-tune")
    page = looker.page
    for folded in page.get_by_text("The figures", exact=True).all():
        folded.click()
    for tab in TABS if state != "proving" else ():
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(1200)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert looker.overflow() <= 0
        accessible(looker)
    page.get_by_role("tab", name="Training data").click()
    page.wait_for_timeout(800)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert looker.overflow() <= 0
    accessible(looker)


def test_from_proving_to_the_verdict_without_a_reload(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    version(1, into=settings)
    row = proof(1, status=RunStatus.running, phase="writing", done=12, total=72, seconds_left=40.0, into=settings)
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        opened(visitor, "Last fine-tune")
        page = visitor.page
        expect(page.get_by_text("Proving it: 12 of 72 texts written · 40 s left")).to_be_visible()
        change(settings, row.run_id, done=60, seconds_left=8.0)
        expect(page.get_by_text("Proving it: 60 of 72 texts written · 8 s left")).to_be_visible()
        ended = {"verdict": "better", "reasons": [proved.BETTER], "figures": figures().as_dict()}
        promote(1, into=settings)
        change(settings, row.run_id, status=RunStatus.done, completed_at=now(), **ended)
        expect(page.get_by_text("So v1 was put in use by itself.")).to_be_visible()
        expect(page.get_by_role("heading", name="Is it better?")).to_be_visible()
        expect(page.get_by_text("Stop the proof")).to_have_count(0)
        visitor.close()


def change(settings: Settings, run_id: str, **values: object) -> None:
    """What a worker would write."""
    with db.session(settings) as session:
        found = proofs.get(session, fine_tuned.WRITER, run_id)
        for name, value in {"heartbeat_at": now(), **values}.items():
            setattr(found, name, value)
        session.add(found)


def texts_shown(page: Page) -> list[str]:
    return [page.locator(f".st-key-prose-blind-{side}").inner_text().split(".")[0] for side in ("This", "That")]


def test_a_choice_is_blind_goes_on_to_the_next_pair_and_can_be_taken_back(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    version(1, into=settings)
    row = proof(1, texts=32, into=settings)
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server, phone=True)
        page = visitor.page
        page.goto("/fine_tune?proof_tab=Choose+blind", wait_until="commit")
        expect(page.get_by_text("Which do you like better?")).to_be_visible()
        assert texts_shown(page) == ["Before 0", "After 0"]
        page.get_by_role("button", name="That one").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("You chose v1 1 of 1 times")).to_be_visible()
        assert texts_shown(page) == ["After 1", "Before 1"]
        expect(page.get_by_text("Which do you like better?")).to_be_in_viewport()
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_text("You chose v1")).to_have_count(0)
        assert texts_shown(page) == ["Before 0", "After 0"]
        with db.reading(settings) as session:
            assert not [text for text in proofs.texts(session, row) if text.choice]
        visitor.close()


def test_training_data_is_made_and_downloaded(chromium: Browser, tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    settings.prepare_home()
    keep(20, into=settings)
    with without_worker(settings) as server:
        visitor = Visitor(chromium, server)
        opened(visitor, "Take it with you")
        page = visitor.page
        page.get_by_role("tab", name="Training data").click()
        page.get_by_role("button", name="Make the pairs").click()
        expect(page.get_by_text("Waiting for the worker")).to_be_visible()
        with db.reading(settings) as session:
            (row,) = exports.of_writer(session, fine_tuned.WRITER)
        exporting.run(row.run_id, row.attempt, settings=settings)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Download").click()
        waiting.value.save_as(tmp_path / "taken.zip")
        with zipfile.ZipFile(tmp_path / "taken.zip") as packed:
            (name,) = packed.namelist()
            lines = packed.read(name).decode().splitlines()
        assert len(lines) == 20
        assert set(json.loads(lines[0])) == {"prompt", "completion"}
        expect(page.get_by_text("from datasets import load_dataset")).to_be_visible()
        visitor.close()
