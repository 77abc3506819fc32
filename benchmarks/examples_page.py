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


def timed(action: Callable[[], None]) -> float:
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
                for name, took in one_visit(visitor, round_).items():
                    if round_ >= 0:
                        found.setdefault(name, []).append(took)
                visitor.close()
    return found


def one_visit(visitor: Visitor, round_: int) -> dict[str, float]:
    page, times = visitor.page, {}

    def rows_change(action: Callable[[], object], sign: str) -> Callable[[], None]:
        """``sign`` is text that is there only afterwards."""

        def run() -> None:
            action()
            page.get_by_text(sign).first.wait_for()

        return run

    def open_page() -> None:
        page.goto("/examples", wait_until="commit")
        page.locator(".st-key-example-list button").first.wait_for()

    times["open the page"] = timed(open_page)
    visitor.idle()
    times["next page"] = timed(rows_change(lambda: page.get_by_role("button", name="Next page").click(), "26–50 of"))
    visitor.idle()
    page.locator(".st-key-examples-filter button").click()
    page.get_by_text("Only what you edited").wait_for()
    visitor.idle()
    page.get_by_role("combobox", name="State").click()
    option = page.get_by_role("option", name="Set aside")
    option.wait_for()
    times["change a filter"] = timed(rows_change(option.click, "examples: Set aside"))
    visitor.idle()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    with visitor.rerun():
        page.get_by_role("button", name="Show all").click()
    search = page.get_by_role("searchbox").or_(page.get_by_role("textbox", name="Search")).first
    search.fill(f'"lamp {WORDS[round_ % len(WORDS)]}"')
    times["search two words in a row"] = timed(rows_change(lambda: search.press("Enter"), "examples: with"))
    visitor.idle()
    with visitor.rerun():
        page.get_by_role("button", name="Show all").click()
    with visitor.rerun():
        page.locator(".st-key-example-list button").first.click()
    before = page.url

    def step() -> None:
        page.keyboard.press("j")
        page.wait_for_function(
            "before => location.href !== before && !document.querySelector('[data-stale=true]')", arg=before
        )

    page.evaluate("document.activeElement?.blur()")
    times["next example by key"] = timed(step)
    return times


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
