"""Makes the pictures of the documents: docs/images/*.png, from a fresh home and a real browser.

.venv/bin/python scripts/screenshots.py [NAME ...]

Without names all of them are made. With names only these, and a version is trained only where one is to be seen.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright

from tests.support.app import Visitor, chromium_of, serving
from tests.support.services import FakeService
from zega_core import (
    auto_train,
    conversation,
    db,
    fine_tuning,
    memory,
    own_pages,
    profiling,
    providers,
    proving,
    shelf,
    writing,
)
from zega_core.catalog import load_catalog
from zega_core.configs import DEFAULT_WRITER, AutoTrainConfig, FineTuneConfig
from zega_core.providers.base import GenerationOptions
from zega_core.settings import ROOT, Settings
from zega_core.store import fine_tunes, proofs, sessions
from zega_core.writing_configs import CUSTOM, STORYTELLER, WriteRequest
from zega_core.writing_requests import brief_of

IMAGES = ROOT / "docs" / "images"
PAGES = {
    "auto-train": "/",
    "history": "/history",
    "session": "/history?session={session}",
    "settings": "/settings",
    "fine-tune": "/fine_tune",
    "quality": "/quality",
    "conversation": "/conversational_trainer",
    "examples": "/examples",
    "write": "/write?writing={writing}",
    "story": "/write?tab=Your+stories&story={story}",
    "style": "/write?tab=Your+style",
    "memory": "/write?tab=Memory",
}
TRAINED = {"fine-tune", "quality", "auto-train"}
"""Which of them show a version."""
BRIEF = "Two sisters meet at a ferry after twenty years"
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


def fill_the_shelf(settings: Settings) -> int:
    """Stories and own pages of a writer who does not exist (the storyteller's words), which are remembered and
    measured; the number of a story."""
    teller, catalog = providers.storyteller(), load_catalog()

    def told(seed: int) -> str:
        brief = brief_of(WriteRequest(brief=catalog.prompts[seed % len(catalog.prompts)].text))
        return teller.complete([], GenerationOptions(seed=seed, brief=brief)).text

    pages = "\n\n* * *\n\n".join(told(seed) for seed in range(1_000, 1_040))
    with db.session(settings) as session:
        run_id = own_pages.add(session, DEFAULT_WRITER, "Harbour notes.txt", pages.encode(), settings).run_id
    own_pages.run(run_id, 1, settings=settings)
    with db.session(settings) as session:
        shelf.save(session, DEFAULT_WRITER, "The mill", ANSWERS[1], element="setting")
        shelf.save(session, DEFAULT_WRITER, "Ladders", ANSWERS[0], genre="mystery", element="scene")
        story = shelf.save(session, DEFAULT_WRITER, "The last ferry", told(2_000), genre="mystery", element="scene")
        memory.choose(session, DEFAULT_WRITER, ["story", "conversation", "manuscript"])
    memory.refresh(DEFAULT_WRITER, settings)
    profiling.measure(DEFAULT_WRITER, settings)
    return story.id or 0


def write_a_pair(settings: Settings) -> str:
    """The key of a request with two texts side by side."""
    request = WriteRequest(brief=BRIEF, authors=(CUSTOM, STORYTELLER), seed=11, hints=False, recall=False)
    row = writing.start(request, settings)
    if not writing.wait(row.key, 600):
        sys.exit("Writing took longer than ten minutes.")
    return row.key


def main(names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in PAGES]:
        sys.exit(f"There is no picture {unknown[0]!r}. Choose from: {', '.join(PAGES)}.")
    wanted = {name: path for name, path in PAGES.items() if not names or name in names}
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = chromium_of(playwright)
        if isinstance(browser, str):
            sys.exit(browser)
        settings = Settings(home=Path(folder))
        one = write_some(settings)
        if TRAINED & wanted.keys():
            train_one(settings)
        talk(settings)
        places = {"session": one, "story": fill_the_shelf(settings), "writing": write_a_pair(settings)}
        with FakeService("ollama") as ollama, serving(settings, {"OLLAMA_HOST": ollama.url}) as server:
            for name, path in wanted.items():
                visitor = Visitor(browser, server)
                visitor.page.set_default_timeout(120_000)
                visitor.open("/settings")  # a fresh server answers a deep link before its frame stands
                visitor.open(path.format(**places))
                visitor.page.wait_for_timeout(4000)  # a look at the services has been answered by then
                visitor.page.screenshot(path=str(IMAGES / f"{name}.png"))
                visitor.close()
        db.forget()


if __name__ == "__main__":
    main(sys.argv[1:])
