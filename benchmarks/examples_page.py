"""The Examples page in Chromium with 100 and with 100,000 examples: opened, filtered, turned, searched, gone through.

    python benchmarks/examples_page.py [--rounds 7]

Named alternative in the same run: the same page with 100 examples. From the press to the new rows on the screen, in
milliseconds; the writer is one of two, the other has as many.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import insert

from tests.support.app import Visitor, chromium_of, serving
from zega_core import db
from zega_core.catalog import load_catalog
from zega_core.dataset import text_hash
from zega_core.settings import Settings
from zega_core.store import writers
from zega_core.tables import Example, ExampleStatus, Source

SIZES = (100, 100_000)
WORDS = "lamp river coat gate salt winter bell stair orchard ash letter harbour glass thread owl mill".split()
Timed = dict[str, list[float]]


def fill(settings: Settings, number: int) -> None:
    """Examples of two writers with texts of about 120 words, each its own."""
    settings.prepare_home()
    draw, catalog = random.Random(7), load_catalog()
    with db.session(settings) as session:
        for writer in ("default", "ana"):
            writers.ensure(session, writer)
        writers.touch(session, "default")
        for start in range(0, number, 2_000):
            rows = []
            for one in range(start, min(number, start + 2_000)):
                for writer in ("default", "ana"):
                    text = f"{writer} {one}: " + " ".join(draw.choices(WORDS, k=118)) + "."
                    rows.append(
                        {
                            "user_id": writer,
                            "source": draw.choice([Source.auto, Source.auto, Source.conversation, Source.imported]),
                            "genre": draw.choice(catalog.genres).key,
                            "element": draw.choice(catalog.elements).key,
                            "model": draw.choice(["storyteller", "groq/a"]),
                            "prompt": f"Write about a {draw.choice(WORDS)}.",
                            "completion": text,
                            "text_hash": text_hash(text),
                            "status": draw.choices([ExampleStatus.kept, ExampleStatus.set_aside], [9, 1])[0],
                            "quality": round(draw.uniform(4, 9.5), 2),
                        }
                    )
            session.execute(insert(Example), rows)


def timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def measure(browser: Browser, number: int, rounds: int) -> Timed:
    found: Timed = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        fill(settings, number)
        with serving(settings, {"ZEGA_FINE_TUNE_EVERY": "1000000"}) as server:
            for round_ in range(-1, rounds):  # the first warms the server up and does not count
                visitor = Visitor(browser, server)
                visitor.page.set_default_timeout(180_000)
                for name, took in one_visit(visitor, round_).items():
                    if round_ >= 0:
                        found.setdefault(name, []).append(took)
                visitor.close()
    return found


def one_visit(visitor: Visitor, round_: int) -> dict[str, float]:
    """Each from a page that has come to rest to the first sign of what was asked for."""
    page = visitor.page
    rows = page.locator(".st-key-example-list button")
    times: dict[str, float] = {}

    def measure_from(address: str, name: str, action: Callable[[], object], sign: str) -> None:
        if address:
            visitor.open(address)
        times[name] = timed(lambda: (action(), page.get_by_text(sign).first.wait_for()))

    def open_page() -> None:
        page.goto("/examples", wait_until="commit")
        rows.first.wait_for()

    times["open the page"] = timed(open_page)
    visitor.idle()
    measure_from("", "next page", page.get_by_role("button", name="Next page").click, "26–50 of")
    visitor.open("/examples")
    page.locator(".st-key-examples-filter button").click()
    page.get_by_role("combobox", name="State").click()
    option = page.get_by_role("option", name="Set aside")
    option.wait_for()
    visitor.idle()
    measure_from("", "change a filter", option.click, "examples: Set aside")
    visitor.open("/examples")
    search = page.get_by_label("Search")
    search.fill(f'"lamp {WORDS[round_ % len(WORDS)]}"')
    measure_from("", "search two words in a row", lambda: search.press("Enter"), "with “")
    visitor.open("/examples")
    rows.first.click()
    page.get_by_text("Asked for").wait_for()
    visitor.idle()
    asked = page.url
    times["next example by key"] = timed(lambda: _step(visitor, asked))
    return times


def _step(visitor: Visitor, before: str) -> None:
    visitor.page.keyboard.press("j")
    there = "before => location.href !== before && !document.querySelector('[data-stale=true]')"
    visitor.page.wait_for_function(there, arg=before)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with sync_playwright() as playwright:
        browser = chromium_of(playwright)
        if isinstance(browser, str):
            raise SystemExit(browser)
        few, many = (measure(browser, size, rounds) for size in SIZES)
    print(f"{rounds} visits each, load {os.getloadavg()[0]:.1f}; median (slowest) in ms")
    print("| | 100 examples | 100,000 examples | ratio |\n|---|---|---|---|")
    for name, times in few.items():
        more = many[name]
        ratio = median(more) / median(times)
        print(
            f"| {name} | {median(times):,.0f} ({max(times):,.0f}) | {median(more):,.0f} ({max(more):,.0f}) "
            f"| {ratio:.2f} |"
        )


if __name__ == "__main__":
    main()
