"""Makes the pictures of the documents: docs/images/*.png, from a fresh home and a real browser.

.venv/bin/python scripts/screenshots.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright

from tests.support.app import Visitor, chromium_of, serving
from tests.support.services import FakeService
from zega_core import auto_train, conversation, db, fine_tuning, providers, proving
from zega_core.catalog import load_catalog
from zega_core.configs import DEFAULT_WRITER, AutoTrainConfig, FineTuneConfig
from zega_core.settings import ROOT, Settings
from zega_core.store import fine_tunes, proofs, sessions

IMAGES = ROOT / "docs" / "images"
ANSWERS = (
    "The ferry was late again, and Ilse said so to nobody in particular. The man with the ladder looked at his boots. "
    "It was the third ladder this week; by Friday, she thought, somebody would have to ask him what was up there.",
    "You could hear the mill before you saw it, and you smelled it before that: wet grain, hot iron, the miller's "
    "pipe. Nothing in it was straight. The stairs leaned on the wall, the wall leaned on the hill, and the hill did "
    "as it liked.",
)


def write_some(settings: Settings) -> str:
    """A few finished sessions; the id of the last one."""
    teacher, session_id = providers.storyteller(), ""
    for seed, number in enumerate((20, 30, 20, 40, 60, 40, 120)):
        config = AutoTrainConfig(num_examples=number, seed=seed)
        with db.session(settings) as session:
            row = sessions.create(session, config, teacher=teacher.name, order_seed=seed)
        auto_train.run(row.session_id, 1, settings=settings, catalog=load_catalog(), teacher=teacher)
        session_id = row.session_id
    return session_id


def train_one(settings: Settings) -> None:
    """A real fine-tune and its proof, which take a few minutes."""
    with db.session(settings) as session:
        row = fine_tunes.create(session, DEFAULT_WRITER, FineTuneConfig(epochs=2), "writer")
    fine_tuning.run(row.run_id, 1, settings=settings)
    with db.reading(settings) as session:
        waiting = proofs.under_way(session, DEFAULT_WRITER)
    for proof in waiting:
        proving.run(proof.run_id, proof.attempt, settings=settings)


def talk(settings: Settings) -> None:
    """A conversation that has begun."""
    with db.session(settings) as session:
        key = conversation.start(session, DEFAULT_WRITER, settings, purpose="Quiet stories about small harbours").key
        for text in ANSWERS:
            turn = conversation.question(session, DEFAULT_WRITER, key, settings)
            conversation.answer(session, DEFAULT_WRITER, key, turn.id or 0, text, settings, seconds=90)
        conversation.question(session, DEFAULT_WRITER, key, settings)


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = chromium_of(playwright)
        if isinstance(browser, str):
            sys.exit(browser)
        settings = Settings(home=Path(folder))
        one = write_some(settings)
        train_one(settings)
        talk(settings)
        pages = {"auto-train": "/", "history": "/history", "session": f"/history?session={one}"}
        pages |= {"settings": "/settings", "fine-tune": "/fine_tune", "quality": "/quality"}
        pages |= {"conversation": "/conversational_trainer", "examples": "/examples"}
        with FakeService("ollama") as ollama, serving(settings, {"OLLAMA_HOST": ollama.url}) as server:
            for name, path in pages.items():
                visitor = Visitor(browser, server)
                visitor.open(path)
                visitor.page.wait_for_timeout(4000)  # a look at the services has been answered by then
                visitor.page.screenshot(path=str(IMAGES / f"{name}.png"))
                visitor.close()
        db.forget()


if __name__ == "__main__":
    main()
