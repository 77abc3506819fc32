"""The history at 100, 10,000 and 100,000 sessions: every query, the totals of the API, and with ``--browser`` the page.

    python benchmarks/history.py [--sizes 100 10000 100000] [--rounds 30] [--browser] [--keep FOLDER]

Named alternative in the same run: the same figures by pandas over all rows, loaded as a page that knows no queries
would load them. Two writers have as many sessions each, and for every ten thousand three conversations and three
fine-tunes. Milliseconds, median and 95th of a hundred; what the processor spent stands beside, for the machine may be
busy.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pandas as pd
from sqlalchemy import insert, text
from sqlmodel import Session, col, select

from zega_core import db, history, history_files
from zega_core.conversation_tables import Conversation
from zega_core.settings import Settings, get_settings
from zega_core.store import history as rows
from zega_core.store import history_totals, sessions, writers
from zega_core.store.history import Filter, Kind, Order
from zega_core.tables import RunStatus, TrainingSession, now
from zega_core.teacher_tables import SessionTeacher
from zega_core.version_tables import FineTune

WRITERS = ("ana", "ben")
GENRES = "fantasy dark_fantasy sci_fi mystery horror romance adventure thriller".split()
TEACHERS = ("groq/llama-3.3-70b-versatile", "gemini/gemini-2.5-flash", "ollama/llama3.2", "storyteller")
AT_ONCE = 2_000


def fill(settings: Settings, number: int) -> None:
    """Sessions of the last ``number`` times ten minutes."""
    settings.prepare_home()
    draw = random.Random(7)
    with db.session(settings) as session:
        for writer in WRITERS:
            writers.ensure(session, writer)
        writers.touch(session, WRITERS[0])
    for start in range(0, number, AT_ONCE):
        with db.session(settings) as session:
            some = [
                _session(draw, writer, number - one)
                for one in range(start, min(number, start + AT_ONCE))
                for writer in WRITERS
            ]
            ids = session.execute(
                insert(TrainingSession).returning(col(TrainingSession.id), sort_by_parameter_order=True), some
            )  # type: ignore[call-overload]
            sums = [sum_ for (identity,), row in zip(ids.all(), some, strict=True) for sum_ in _sums(identity, row)]
            session.execute(insert(SessionTeacher), sums)
    with db.session(settings) as session:
        for one in range(max(1, number * 3 // 10_000)):
            for writer in WRITERS:
                at = now() - timedelta(minutes=30 * one)
                session.add(
                    Conversation(key=f"{draw.getrandbits(128):032x}", user_id=writer, name="Tides", created_at=at)
                )
                session.add(
                    FineTune(
                        user_id=writer,
                        run_id=f"{draw.getrandbits(128):032x}",
                        trigger="writer",
                        config={},
                        status=RunStatus.stopped,  # nothing that a worker would take up beside what is measured
                        created_at=at,
                    )
                )
        session.execute(text("ANALYZE"))


def _session(draw: random.Random, writer: str, ago: int) -> dict[str, Any]:
    best, other = draw.sample(TEACHERS, 2)
    made = draw.randint(5, 20)
    kept, score = draw.randint(2, made), round(draw.uniform(5, 9.5), 2)
    genres = sorted(draw.sample(GENRES, draw.choice([1, 2, 3, 8])), key=GENRES.index)
    at = now() - timedelta(minutes=10 * ago)
    status = draw.choices([RunStatus.done, RunStatus.stopped, RunStatus.failed], [90, 6, 4])[0]
    return {
        "user_id": writer,
        "session_id": f"{draw.getrandbits(128):032x}",
        "num_examples_requested": made,
        "num_examples_successful": kept,
        "num_examples_set_aside": made - kept,
        "genres_selected": genres,
        "seed": 1,
        "order_seed": 1,
        "draw_from": {},
        "teacher": f"{best}, {other}",
        "best_performing_model": best,
        "stories_saved_count": draw.randint(0, 2),
        "average_quality": score,
        "min_quality": score - 1,
        "max_quality": score + 0.5,
        "model_performance_json": {
            best: {"count": kept - 1, "avg_quality": score},
            other: {"count": 1, "avg_quality": score},
        },
        "genre_distribution_json": {genre: kept // len(genres) for genre in genres},
        "total_time_seconds": round(draw.uniform(10, 600), 2),
        "fine_tuning_triggered": ago % 7 == 0,
        "recorded": True,
        "started_at": at,
        "completed_at": at + timedelta(minutes=3),
        "status": status,
        "error": "The worker was gone." if status == RunStatus.failed else None,
    }


def _sums(identity: int, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """As a record writes them: of each model in all, and by genre."""
    for model, figures in row["model_performance_json"].items():
        kept, score = figures["count"], figures["avg_quality"]
        for genre in ("", *row["genres_selected"]):
            part = kept if not genre else kept // len(row["genres_selected"])
            yield {
                "session_id": identity,
                "user_id": row["user_id"],
                "model": model,
                "genre": genre,
                "made": part + 1,
                "kept": part,
                "scored": part + 1,
                "quality_sum": (part + 1) * score,
                "votes": 0 if genre else 1,
                "wins": 0 if genre else int(model == row["best_performing_model"]),
                "cost": 0.0,
                "unpriced": 0,
            }


def queries(session: Session, number: int) -> dict[str, Callable[[], object]]:
    writer, at = WRITERS[0], now()
    middle = max(1, number // 40)
    narrow = Filter(genres=("horror", "mystery"), quality=(7, 8), teacher=TEACHERS[0], statuses=(RunStatus.done,))

    def page(found: Filter, order: Order = Order.newest, at_page: int = 1) -> Callable[[], object]:
        return lambda: rows.page(session, writer, found, order, number=at_page, size=20)

    return {
        "page, newest first": page(Filter()),
        "page in the middle": page(Filter(), at_page=middle),
        "page, best first": page(Filter(), Order.best),
        "page, most kept first, of a genre": page(Filter(genres=("horror",)), Order.most_kept),
        "page, four filters": page(narrow),
        "page, a text": page(Filter(text="worker was")),
        "page, a text that is nowhere": page(Filter(text="nowhere at all")),
        "count": lambda: rows.count(session, writer, Filter()),
        "count, a genre": lambda: rows.count(session, writer, Filter(genres=("horror",))),
        "count, four filters": lambda: rows.count(session, writer, narrow),
        "cards with trends": lambda: history.cards(session, writer, Filter(), at),
        "cards of a genre": lambda: history.cards(session, writer, Filter(genres=("horror",)), at),
        "totals": lambda: history_totals.totals(session, writer, recorded=True),
        "recent": lambda: sessions.completed(session, writer, 5),
        "quality over time": lambda: history.quality_over_time(session, writer, Filter()),
        "teachers": lambda: history.teachers_of(session, writer, Filter()),
        "genres": lambda: history.genres_of(session, writer, Filter()),
        "recommendation": lambda: history.recommendation(session, writer),
    }


def by_pandas(session: Session) -> object:
    """Every row of the writer into a frame, and the figures of the cards, the course, teachers and genres from it."""
    found = session.exec(select(TrainingSession).where(TrainingSession.user_id == WRITERS[0])).all()
    frame = pd.DataFrame([row.model_dump() for row in found])
    session.expunge_all()
    scored = frame.num_examples_successful + frame.num_examples_set_aside
    weighted = (frame.average_quality * scored).sum() / scored.sum()
    by_day = frame.groupby(frame.started_at.dt.date).average_quality.mean()
    by_teacher = frame.groupby("best_performing_model").num_examples_successful.sum()
    by_genre = pd.DataFrame(list(frame.genre_distribution_json)).sum()
    newest = frame.sort_values("started_at", ascending=False).head(20)
    return weighted, by_day, by_teacher, by_genre, newest


def timed(do: Callable[[], object], rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds by the clock, and of the processor; the first does not count."""
    do()
    clock, processor = [], []
    for _ in range(rounds):
        began, worked = time.perf_counter(), time.process_time()
        do()
        clock.append(1000 * (time.perf_counter() - began))
        processor.append(1000 * (time.process_time() - worked))
    return clock, processor


def late(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def told(name: str, times: tuple[list[float], list[float]]) -> None:
    clock, processor = times
    print(
        f"| {name} | {median(clock):.1f} | {late(clock):.1f} | {median(processor):.1f} | {late(processor):.1f} |",
        flush=True,
    )


def endpoint(settings: Settings, rounds: int) -> tuple[list[float], list[float]]:
    """``GET /api/training-history/user/{id}/stats`` in this process, from request to parsed answer."""
    from fastapi.testclient import TestClient

    from zega_core.api.app import create_app

    os.environ["ZEGA_HOME"] = str(settings.home)
    get_settings.cache_clear()
    here = {"base_url": "http://127.0.0.1:8002", "client": ("127.0.0.1", 50_000)}
    with TestClient(create_app(), **here) as client:  # type: ignore[arg-type]
        return timed(
            lambda: client.get(f"/api/training-history/user/{WRITERS[0]}/stats").raise_for_status().json(), rounds
        )


def measure(settings: Settings, number: int, rounds: int) -> None:
    print(f"\n{number:,} sessions, load {os.getloadavg()[0]:.1f}\n")
    print("| | median | 95th | processor, median | 95th |\n|---|---|---|---|---|")
    with db.reading(settings) as session:
        for name, do in queries(session, number).items():
            told(name, timed(do, rounds))
        few = max(2, rounds // 10)
        told("alternative: all rows by pandas", timed(lambda: by_pandas(session), few))
        for form, write in history_files.FORMS.items():
            told(f"export as {form}", timed(lambda write=write: _drained(write, session), 2))
    told("stats by the API, in process", endpoint(settings, rounds))


def _drained(write: Callable[[Any], Iterator[bytes]], session: Session) -> int:
    return sum(map(len, write(rows.every(session, WRITERS[0], Filter(kinds=(Kind.auto_train,))))))


def in_browser(settings: Settings, rounds: int) -> list[float]:
    """From asking for the page to its last chart and row, a new visitor each time."""
    from playwright.sync_api import sync_playwright

    from tests.support.app import Visitor, chromium_of, serving

    with sync_playwright() as playwright:
        browser = chromium_of(playwright)
        if isinstance(browser, str):
            raise SystemExit(browser)
        times = []
        with serving(settings, {"ZEGA_FINE_TUNE_EVERY": "1000000"}) as server:
            for _ in range(rounds + 1):
                visitor = Visitor(browser, server)
                visitor.page.set_default_timeout(180_000)
                began = time.perf_counter()
                visitor.page.goto("/history", wait_until="commit")
                visitor.page.locator(".st-key-history-list").wait_for()
                visitor.idle()
                times.append(1000 * (time.perf_counter() - began))
                visitor.close()
        return times[1:]  # the first warms the server up


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--browser", action="store_true", help="time the page instead of the queries")
    parser.add_argument("--keep", type=Path, help="a folder for the homes, to be used again")
    asked = parser.parse_args()
    pages: dict[int, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in asked.sizes:
            settings = Settings(home=(asked.keep or Path(folder)) / f"sessions-{number}")
            if not (settings.home / "zega.db").exists():
                fill(settings, number)
            if asked.browser:
                pages[number] = in_browser(settings, max(3, asked.rounds // 5))
            else:
                measure(settings, number, asked.rounds)
            db.forget()
    for number, times in pages.items():
        print(f"page at {number:,}: median {median(times):,.0f} ms, slowest {max(times):,.0f} ms")
    if len(pages) > 1:
        first, last = median(pages[asked.sizes[0]]), median(pages[asked.sizes[-1]])
        print(f"ratio {last / first:.2f}")


if __name__ == "__main__":
    main()
