"""From Save to the saved mark, and to the next question on screen, while the teacher takes five seconds for each.

    python benchmarks/conversation.py [--answers 20] [--think 6] [--delay 5]

In a real Chromium, with app and worker as `streamlit run app.py` starts them, and a stand-in for the teacher that waits
``--delay`` seconds before it answers. ``--think`` is what the writer takes for an answer. The named alternative is what
a page would wait that asks the same teacher for the next question before it draws: the same request through the same
adapter, three times in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Page, expect, sync_playwright

from tests.support.app import Visitor, chromium_of, serving
from tests.support.services import FakeService
from zega_core import conversation, db, keys, staffing
from zega_core.configs import TeachingConfig
from zega_core.errors import BadAnswer
from zega_core.questions.ask import by_grammar
from zega_core.questions.by_teacher import by_teacher
from zega_core.questions.coverage import coverage
from zega_core.settings import Settings
from zega_core.store import conversations, teaching

WRITER, MODEL = "default", "llama-3.1-8b-instant"
LIMITS = ("requests_per_minute", "requests_per_day", "tokens_per_minute", "tokens_per_day")
NOWHERE = "http://127.0.0.1:9"
PLACES = ("harbour", "orchard", "station", "laundry", "chapel", "bakery", "lighthouse", "attic", "ferry", "mill")
VERBS = ("went", "lost", "sold", "found under", "carried past", "forgot", "painted", "counted", "asked for", "mended")
THINGS = ("letter", "coat", "violin", "map", "kettle", "ladder", "ledger", "mirror", "key", "lantern")
PRESS = """async (turn) => {
  const box = document.querySelector(`.st-key-answer-${turn}`);
  const said = () => document.querySelector('.st-key-answer-actions')?.innerText ?? '';
  const before = said();
  const until = (there) => new Promise((done) => {
    const look = () => there() ? done(performance.now()) : requestAnimationFrame(look);
    look();
  });
  const began = performance.now();
  document.querySelector('.st-key-save-answer button').click();
  const next = until(() => !document.querySelector(`.st-key-answer-${turn}`)
    && document.querySelector('[class*="st-key-answer-"] textarea'));
  const saved = until(() => said() !== before && said().includes('Saved'));
  return [await saved - began, await next - began];
}"""
"""Presses Save and returns the milliseconds until the saved mark and until another question's box are there."""


def asked(number: int, request: str) -> str:
    """What the teacher says to its request of this number: each time another question, of a type that is wanted."""
    kind, difficulty = re.search(r"type, one of: (\w+)", request), re.search(r"difficulty, (\w+)", request)
    question = by_grammar("", coverage([]), [], seed=1000 + number).text
    form = {"question": question, "context": "For a reader who has an evening."}
    return json.dumps(form | {"type": kind[1] if kind else "", "difficulty": difficulty[1] if difficulty else ""})


def text(number: int) -> str:
    """Another one each time, in words and in their order: what repeats would be left out."""
    draw = random.Random(number)
    words = [word for phrase in (*PLACES, *THINGS, *VERBS) for word in phrase.split()]
    return " ".join(f"{' '.join(draw.choices(words, k=9)).capitalize()}." for _ in range(6))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def answer(page: Page, settings: Settings, key: str, number: int, think: float) -> tuple[float, float]:
    with db.reading(settings) as session:
        turn = conversations.open_turn(session, conversations.get(session, WRITER, key))
    assert turn is not None
    box = page.get_by_role("textbox", name="Your answer")
    box.fill(text(number))
    time.sleep(think)
    saved, following = page.evaluate(PRESS, turn.id)
    expect(box).to_have_value("")
    return saved, following


def in_the_page(writer_settings: Settings, rounds: int = 3) -> list[float]:
    """Milliseconds that a page waits which asks the teacher itself."""
    model = staffing.beside_sessions(WRITER, writer_settings, own_form=True)
    assert model is not None
    waited = []
    for number in range(rounds):
        began = time.perf_counter()
        with suppress(BadAnswer):  # it takes as long, whatever it says
            by_teacher(model, "", coverage([]), [], seed=number)
        waited.append(1000 * (time.perf_counter() - began))
    return waited


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--think", type=float, default=6.0)
    parser.add_argument("--delay", type=float, default=5.0)
    given = parser.parse_args()
    service = FakeService(
        "groq", lambda number: asked(number, str(service.completions[-1].json)), delay=given.delay, tells_limits=False
    )
    with service, tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        settings.prepare_home()
        keys.save_key(settings, "groq", "gsk_0123456789abcdefghijklmnopqrstuv")
        free = {
            "requests_per_minute": None,
            "requests_per_day": None,
            "tokens_per_minute": None,
            "tokens_per_day": None,
        }
        unlimited = TeachingConfig.model_validate(
            {"teachers": [{"provider": "groq", "models": [MODEL], "limits": free}]}
        )
        with db.session(settings) as session:
            teaching.save(session, WRITER, unlimited)  # what a free account may ask is not what is measured here
            key = conversation.start(session, WRITER, settings).key
        environment = dict.fromkeys(("OLLAMA_HOST", "GOOGLE_GEMINI_BASE_URL", "ZEGA_HF_BASE_URL"), NOWHERE)
        environment |= {"GROQ_BASE_URL": service.root, "ZEGA_CONVERSATION_PAIRS": "10000"}
        os.environ.update(environment)
        with serving(settings, environment) as server, sync_playwright() as playwright:
            browser = chromium_of(playwright)
            if isinstance(browser, str):
                sys.exit(browser)
            visitor = Visitor(browser, server)
            visitor.page.goto("/conversational_trainer", wait_until="commit")
            expect(visitor.page.get_by_role("textbox", name="Your answer")).to_be_visible(timeout=60_000)
            times = [answer(visitor.page, settings, key, number, given.think) for number in range(given.answers)]
            visitor.close()
            browser.close()
            waited = in_the_page(settings)
        with db.reading(settings) as session:
            row = conversations.get(session, WRITER, key)
            by = [turn.asked_by for turn, _ in conversations.turns(session, WRITER, row.key, limit=1000)]
    told = sum(who != "storyteller" for who in by)
    print(f"{given.answers} answers, {given.think:g} s for each; a teacher that takes {given.delay:g} s; ", end="")
    print(f"load {os.getloadavg()[0]:.1f}")
    for what, values in (("saved mark", [one for one, _ in times]), ("next question", [one for _, one in times])):
        print(f"{what}: median {percentile(values, 0.5):.0f} ms, 95 % {percentile(values, 0.95):.0f} ms")
    middle = percentile(waited, 0.5)
    print(f"asked in the page: median {middle:.0f} ms, {middle / percentile([one for _, one in times], 0.5):.0f} times")
    print(f"{told} of {len(by)} questions were the teacher's")


if __name__ == "__main__":
    main()
