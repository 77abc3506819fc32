"""How long it takes to look through a writer's examples, and to change many of them, at 100 and at 100,000.

    python benchmarks/examples.py [--many 100000] [--rounds 9] [--changed 3000] [--keep FOLDER]

A temporary home has one writer with 100 examples, one with 100,000, and another with a quarter as many. Texts are the
storyteller's, with their sentences in another order. Each query is asked in a transaction of its own, and told with the
time that passed and, for SQLite, the processor time of this process, which a busy machine does not lengthen. The
alternative is all rows of the writer in a pandas data frame. ``ZEGA_DATABASE_URL`` measures an empty PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pandas as pd
from sqlalchemy import insert, text

from zega_core import changes, collection, db
from zega_core.auto_train import plan
from zega_core.catalog import GENRES, load_catalog
from zega_core.dataset import text_hash
from zega_core.providers.base import GenerationOptions
from zega_core.providers.storyteller import Storyteller
from zega_core.quality import score
from zega_core.settings import Settings
from zega_core.store import collection as rows
from zega_core.store import writers
from zega_core.store.collection import Filter
from zega_core.tables import Example, now

FEW, MANY = "few", "many"
SIZE = 25
TEXTS = 200


def pieces() -> list[dict[str, Any]]:
    teller, found = Storyteller(), []
    for draw in plan(load_catalog(), GENRES, TEXTS, 1, {}):
        brief = draw.brief
        told = teller.complete([], GenerationOptions(seed=draw.idx, brief=brief)).text
        report = score(told, brief.prompt, brief.genre, brief.element)
        element = brief.element.key
        found.append(
            {
                "genre": brief.genre,
                "element": element,
                "prompt": brief.prompt,
                "completion": told,
                "quality_report": report.as_dict(),
                "quality_version": report.version,
            }
        )
    return found


def examples(writer: str, number: int, base: list[dict[str, Any]], draw: random.Random) -> Iterator[dict[str, Any]]:
    for at in range(number):
        one = draw.choice(base)
        sentences = one["completion"].split(". ")
        draw.shuffle(sentences)
        told, tagged = f"{'. '.join(sentences)} {at}", draw.random() < 0.1
        rated, edited = draw.random() < 0.05, draw.random() < 0.02
        yield {
            **one,
            "user_id": writer,
            "source": draw.choice(["auto", "auto", "conversation", "import"]),
            "completion": told,
            "text_hash": text_hash(told),
            "status": draw.choice(["kept", "kept", "set_aside"]),
            "quality": round(draw.uniform(3, 10), 1),
            "model": draw.choice(["storyteller", "groq/llama", "gemini/flash"]),
            "tags": [f"tag {draw.randrange(5)}"] if tagged else [],
            "rating": draw.randint(1, 5) if rated else None,
            "rated_at": now() if rated else None,
            "original": one["completion"] if edited else None,
            "edited_at": now() if edited else None,
            "created_at": now(),
        }


def fill(settings: Settings, many: int) -> None:
    base, draw = pieces(), random.Random(1)
    for writer, number in ((FEW, 100), ("other", many // 4), (MANY, many)):
        started = time.perf_counter()
        chunk: list[dict[str, Any]] = []
        with db.session(settings) as session:
            writers.ensure(session, writer)
        for one in [*examples(writer, number, base, draw), None]:
            if one is not None:
                chunk.append(one)
            if chunk and (one is None or len(chunk) == 2_000):
                with db.session(settings) as session:
                    session.execute(insert(Example), chunk)
                chunk = []
        print(f"{number} examples of {writer} stored in {time.perf_counter() - started:.1f} s", flush=True)
    if settings.uses_postgresql:
        with db.get_engine(settings).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE example"))


def queries() -> Iterator[tuple[str, Callable[[db.Session, str, int], Any]]]:
    """Each with what it is asked of: the writer and how many pages they have."""
    filters = {
        "nothing": Filter(),
        "source": Filter(source=("auto",)),
        "genre": Filter(genre=("horror",)),
        "element": Filter(element=("scene",)),
        "teacher": Filter(teacher=("groq/llama",)),
        "state": Filter(status=("kept",)),
        "tag": Filter(tag="TAG 1"),
        "score": Filter(low=7.0, high=9.0),
        "rated": Filter(rated=True),
        "edited": Filter(edited=True),
        "a word": Filter(text="lantern"),
        "a word in all": Filter(text="the"),
        "a phrase": Filter(text='"in the dark"'),
        "no word": Filter(text="zebra"),
    }
    for name, found in filters.items():
        yield f"count, filter by {name}", lambda session, writer, last, f=found: rows.count(session, writer, f)
        yield (
            f"first page, filter by {name}",
            lambda session, writer, last, f=found: rows.page(session, writer, f, "best", 1, SIZE),
        )
    for sort in rows.SORTS:
        for place in ("first", "middle", "last"):
            yield (
                f"{place} page, {sort}",
                lambda session, writer, last, s=sort, p=place: rows.page(
                    session, writer, Filter(), s, {"first": 1, "middle": last // 2, "last": last}[p], SIZE
                ),
            )
    some = Filter(source=("auto",))
    yield "neighbours", lambda session, writer, last: rows.neighbours(session, writer, some, "best", 101 + 13 * last)
    yield "counts", lambda session, writer, last: rows.counts(session, writer)
    yield "teachers", lambda session, writer, last: rows.teachers(session, writer)
    yield "tags", lambda session, writer, last: rows.tags(session, writer)


def timed(ask: Callable[[], Any], rounds: int) -> list[tuple[float, float]]:
    """Milliseconds that passed, and of the processor: median and 95 % of each."""
    passed, used = [], []
    for _ in range(rounds):
        started, worked = time.perf_counter(), time.process_time()
        ask()
        passed.append(1000 * (time.perf_counter() - started))
        used.append(1000 * (time.process_time() - worked))
    return [(sorted(took)[rounds // 2], sorted(took)[min(rounds - 1, round(0.95 * rounds))]) for took in (passed, used)]


def looking(settings: Settings, many: int, rounds: int) -> None:
    print(
        f"| query | 100 | {many:,} | processor, 100 | processor, {many:,} | ratio of these |\n|---|---|---|---|---|---|"
    )
    for name, ask in queries():
        found = []
        for writer, number in ((FEW, 100), (MANY, many)):

            def once(writer: str = writer, last: int = number // SIZE, ask: Any = ask) -> None:
                with db.reading(settings) as session:
                    ask(session, writer, last)

            once()
            found.append(timed(once, rounds))
        (few, few_used), (more, more_used) = found
        cells = " | ".join(f"{middle:.1f}, {most:.1f}" for middle, most in (few, more, few_used, more_used))
        print(f"| {name} | {cells} | {more_used[0] / few_used[0]:.1f} |", flush=True)
    in_pandas(settings)


def in_pandas(settings: Settings) -> None:
    columns = "id, source, genre, element, model, status, quality, prompt, completion"
    for writer in (FEW, MANY):
        started = time.process_time()
        with db.reading(settings) as session:
            query = text(f"SELECT {columns} FROM example WHERE user_id = :writer")
            frame = pd.read_sql(query, session.connection(), params={"writer": writer})
        loaded = time.process_time()
        found = frame[frame["completion"].str.contains("lantern", case=False, regex=False)]
        found.sort_values(["quality", "id"], ascending=False).head(SIZE)
        print(
            f"pandas, {len(frame):,} rows: loaded in {1000 * (loaded - started):.1f} ms, "
            f"searched and sorted in {1000 * (time.process_time() - loaded):.1f} ms (processor)"
        )


def changing(settings: Settings, many: int) -> None:
    """The newest of them, at once."""
    with db.reading(settings) as session:
        ids = rows.ids(session, MANY, Filter(), many)
    for name, change in (
        ("tag", lambda session: collection.tag(session, MANY, ids, ["new"])),
        ("exclude", lambda session: collection.exclude(session, MANY, ids, settings)),
        ("delete", lambda session: collection.delete(session, MANY, ids, settings)),
    ):
        for what, do in ((name, change), ("undo", lambda session: collection.undo(session, MANY, settings))):
            started, worked = time.perf_counter(), time.process_time()
            with db.session(settings) as session:
                do(session)
            used = time.process_time() - worked
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            took = f"{time.perf_counter() - started:.1f} s ({used:.1f} s of the processor)"
            print(f"{what} {len(ids):,}: {took}, at most {memory:.0f} MB", flush=True)
    with db.reading(settings) as session:
        assert changes.newest(session, MANY) is None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--changed", type=int, default=3_000, help="how many are changed at once")
    parser.add_argument("--keep", type=Path, help="a home to fill, or one that was filled before")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=asked.keep or Path(folder))
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        with db.session(settings) as session:
            empty = MANY not in writers.ids(session)
        if empty:
            fill(settings, asked.many)
        looking(settings, asked.many, asked.rounds)
        changing(settings, asked.changed)
        print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
