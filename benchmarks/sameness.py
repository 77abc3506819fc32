"""How long it takes to see what repeats, what that costs a run, and how thick worn phrases stand in published fiction.

    python benchmarks/sameness.py [--pieces 10000] [--run 500] [--fiction FOLDER]

Pieces are the storyteller's. A run is timed with the avoid-list and without it, in turns. FOLDER holds text files; its
figures go into data/catalog/worn.toml, [reference].
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from zega_core import auto_train, db
from zega_core.auto_train import order_seed, plan
from zega_core.catalog import GENRES, load_catalog
from zega_core.configs import AutoTrainConfig, TasteConfig
from zega_core.providers.base import GenerationOptions
from zega_core.providers.storyteller import Storyteller
from zega_core.quality import worn
from zega_core.quality.sameness import Written, repetitions
from zega_core.settings import Settings
from zega_core.store import sessions, tastes

ROUNDS = 2


def pieces(number: int) -> list[Written]:
    teller = Storyteller()
    return [
        Written(
            draw.idx,
            teller.complete([], GenerationOptions(seed=draw.idx, brief=draw.brief)).text,
            draw.brief.prompt,
            draw.brief.genre,
            draw.brief.element.key,
        )
        for draw in plan(load_catalog(), GENRES, number, 1, {})
    ]


def seeing(number: int) -> None:
    all_ = pieces(number)
    for some in (all_[:500], all_):
        words = sum(len(piece.text.split()) for piece in some)
        started = time.perf_counter()
        found = repetitions(some)
        took = time.perf_counter() - started
        kinds = Counter(one.kind.value for one in found)
        print(f"{len(some)} pieces, {words} words: {took:.2f} s, {dict(kinds)}")
    started = time.perf_counter()
    for piece in all_:
        worn.find(piece.text)
    took = time.perf_counter() - started
    print(f"worn phrases: {1000 * took * 150 / words:.2f} ms for 150 words")


def running(number: int) -> None:
    seconds: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for avoid in (True, False, False, True):
            seconds[avoid].append(one_run(number, avoid))
    for avoid, times in seconds.items():
        wall, busy = (statistics.median(column) for column in zip(*times, strict=True))
        print(
            f"{number} pieces by the storyteller, avoid-list {'on' if avoid else 'off'}: medians of {len(times)}: "
            f"{wall:.2f} s, {busy:.2f} s of CPU"
        )


def one_run(number: int, avoid: bool) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        settings.prepare_home()
        with db.session(settings) as session:
            tastes.save(session, "default", TasteConfig(avoid=avoid))
            config = AutoTrainConfig(num_examples=number)
            row = sessions.create(session, config, teacher="storyteller", order_seed=order_seed("default"))
        started, busy = time.perf_counter(), time.process_time()
        auto_train.run(row.session_id, 1, settings=settings, catalog=load_catalog(), teacher=Storyteller())
        took = time.perf_counter() - started, time.process_time() - busy
        db.forget()
        return took


def reference(folder: Path) -> None:
    books = sorted(folder.glob("*.txt"))
    texts = [Written(n, book.read_text(encoding="utf-8"), model=book.stem) for n, book in enumerate(books)]
    counted = worn.report(texts, worn.worn_list())
    each = sorted(book.per_thousand for book in counted.models)
    print(
        f"{len(books)} books, {counted.total.words} words, {counted.total.times} worn phrases: "
        f"{counted.total.per_thousand:.3f} in 1,000 words; by book {each[0]:.2f} to {each[-1]:.2f}"
    )
    print(", ".join(f"{one.phrase} {one.times}" for one in counted.phrases[:12]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=10_000)
    parser.add_argument("--run", type=int, default=500)
    parser.add_argument("--fiction", type=Path)
    chosen = parser.parse_args()
    if chosen.fiction is not None:
        reference(chosen.fiction)
        return
    seeing(chosen.pieces)
    running(chosen.run)


if __name__ == "__main__":
    main()
