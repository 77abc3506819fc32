"""How well memory recalls what is meant, and how long it takes.

    python benchmarks/memory.py [--passages 1000 100000] [--rounds 100] [--database postgresql://... --there 110000]

Recall: the passages and queries of recall.toml, precision among the first five. Time: numbers spread as those of the
passages are, searched for the 64 likest, against a scan in pandas in the same run. With a database that has pgvector
and may be filled: the same search there, and how many of the likest it finds.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd
from pydantic import SecretStr

from zega_core import db, meaning, nearest
from zega_core.dataset import words
from zega_core.embedders import HashingEmbedder, Matrix
from zega_core.local import process
from zega_core.recalling import search
from zega_core.settings import Settings, get_settings
from zega_core.store import writers
from zega_core.tables import Memory

FIRST = 5
LIKEST = 64


def bm25(texts: Sequence[str]) -> Callable[[str], Matrix]:
    """Robertson and Walker 1994, with the usual k1 = 1.5 and b = 0.75."""
    found = [Counter(words(text)) for text in texts]
    lengths = np.array([one.total() for one in found])
    held = Counter(word for one in found for word in one)

    def scores(query: str) -> Matrix:
        total = np.zeros(len(texts))
        for word in set(words(query)):
            rarity = math.log(1 + (len(texts) - held[word] + 0.5) / (held[word] + 0.5))
            often = np.array([one[word] for one in found])
            total += rarity * often * 2.5 / (often + 1.5 * (0.25 + 0.75 * lengths / lengths.mean()))
        return total.astype(np.float32)

    return scores


def recalling(topics: Sequence[dict[str, Any]], rows: dict[str, Matrix]) -> None:
    texts = [passage for topic in topics for passage in topic["passages"]]
    belongs = np.repeat(np.arange(len(topics)), [len(topic["passages"]) for topic in topics])
    plain = bm25(texts)
    for kind in ("query", "theme"):
        asked = [topic[kind] for topic in topics]
        found = {"BM25": np.stack([plain(query) for query in asked])}
        for name in [name for name in rows if name.endswith("texts")]:
            found[name.removesuffix(" texts")] = rows[name.replace("texts", kind)] @ rows[name].T
        for name, scores in found.items():
            order = np.argsort(-scores, axis=1, kind="stable")
            right = belongs[order] == np.arange(len(topics))[:, None]
            print(
                f"{kind}, {name}: precision at {FIRST} {right[:, :FIRST].mean():.2f}, the first one right "
                f"{right[:, 0].mean():.2f}, one of the first {FIRST} right {right[:, :FIRST].any(axis=1).mean():.2f}"
            )
    print(f"by chance: {FIRST / len(texts):.3f}")


def spread_as(rows: Matrix, number: int, seed: int) -> Matrix:
    """Made-up rows with the mean and the covariance of these."""
    random = np.random.default_rng(seed)
    within = np.linalg.cholesky(np.cov(rows.T) + 1e-4 * np.eye(rows.shape[1]))
    made = rows.mean(0) + random.standard_normal((number, rows.shape[1])) @ within.T
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def _likeness(query: Matrix, row: Any) -> float:
    return float(row @ query)


def searching(rows: Matrix, queries: Matrix, rounds: int) -> None:
    frame = pd.DataFrame({"numbers": list(rows)})
    ways: dict[str, Callable[[Matrix], object]] = {
        "memory": lambda query: search(rows, query, LIKEST),
        "a scan in pandas": lambda query: frame["numbers"].map(partial(_likeness, query)).nlargest(LIKEST),
    }
    wall: dict[str, list[float]] = {name: [] for name in ways}
    busy: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        query = queries[number % len(queries)]
        for name, way in ways.items():
            if name == "a scan in pandas" and number % 5:
                continue
            started, cpu = time.perf_counter(), time.process_time()
            way(query)
            wall[name].append(1000 * (time.perf_counter() - started))
            busy[name].append(1000 * (time.process_time() - cpu))
    print(f"{len(rows):,} passages")
    for name in ways:
        median, late = np.percentile(wall[name], [50, 95])
        cpu_median, cpu_late = np.percentile(busy[name], [50, 95])
        print(f"  {name}: median {median:.2f} ms, p95 {late:.2f} ms; CPU {cpu_median:.2f} and {cpu_late:.2f} ms")
    ratio = np.median(wall["a scan in pandas"]) / np.median(wall["memory"])
    print(f"  {ratio:.0f} times as fast as the scan in pandas")


def in_database(rows: Matrix, queries: Matrix, rounds: int, settings: Settings) -> None:
    """What PostgreSQL does where a writer has more texts than are compared one by one."""
    writer, embedder = f"benchmark-{int(time.time())}", meaning.embedder(settings)
    with db.session(settings) as session:
        writers.ensure(session, writer)
        for row in rows:
            session.add(Memory(user_id=writer, body="-", embedder=embedder.name, embedding=row.astype("<f4").tobytes()))
    started = time.perf_counter()
    if why_not := nearest.hand_over(writer, embedder, settings):
        sys.exit(why_not)
    print(f"{len(rows):,} passages in PostgreSQL: indexed in {time.perf_counter() - started:.0f} s")
    took: list[float] = []
    found: dict[int, list[float]] = {FIRST: [], LIKEST: []}
    with db.reading(settings) as session:
        texts = nearest.texts(session, writer, embedder, settings)
        for number in range(rounds):
            query = queries[number % len(queries)]
            started = time.perf_counter()
            got = [score for _, score, _ in texts.nearest(query, LIKEST)]
            took.append(1000 * (time.perf_counter() - started))
            _, exact = search(rows, query, LIKEST)
            for most, shares in found.items():
                shares.append(float(np.mean(np.array(got[:most]) >= exact[most - 1] - 1e-5)))
    median, late = np.percentile(took, [50, 95])
    print(f"  pgvector: median {median:.2f} ms, p95 {late:.2f} ms; ", end="")
    print(", ".join(f"{np.mean(shares):.1%} of the {most} likest" for most, shares in found.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--database", help="a PostgreSQL with pgvector; what is put in stays there")
    parser.add_argument("--there", type=int, default=110_000, help="passages to put into it")
    options = parser.parse_args()
    topics = tomllib.loads((Path(__file__).parent / "recall.toml").read_text(encoding="utf-8"))["topic"]
    texts = [passage for topic in topics for passage in topic["passages"]]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZEGA_HOME"] = folder
        settings = get_settings()
        rows: dict[str, Matrix] = {}
        try:
            for embedder in (HashingEmbedder(), meaning.embedder(settings)):
                embedder.embed(texts[:1])
                started = time.perf_counter()
                rows[f"{embedder.name} texts"] = embedder.embed(texts)
                took = time.perf_counter() - started
                print(f"{embedder.name}: {1000 * took / len(texts):.1f} ms a passage")
                for kind in ("query", "theme"):
                    rows[f"{embedder.name} {kind}"] = embedder.embed([topic[kind] for topic in topics])
                started = time.perf_counter()
                embedder.embed([topics[0]["query"]])
                print(f"{embedder.name}: {1000 * (time.perf_counter() - started):.0f} ms for one query")
        finally:
            process.end(settings)
        recalling(topics, rows)
        real = rows[f"{meaning.today()} texts"]
        for number in options.passages:
            searching(spread_as(real, number, 1), rows[f"{meaning.today()} query"], options.rounds)
        if options.database:
            there = settings.model_copy(update={"database_url": SecretStr(options.database)})
            in_database(spread_as(real, options.there, 1), rows[f"{meaning.today()} query"], options.rounds, there)


if __name__ == "__main__":
    main()
