"""How unlike each other the storyteller's pieces are, how they score, and how long writing and scoring take.

    python benchmarks/storyteller.py [--sessions 20] [--examples 500] [--genre fantasy ...]

The alternative to compare the shares with is passages of one book, cut to the same lengths, when --book names a text
file: two pieces of one author's prose.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from zega_core.auto_train import plan
from zega_core.catalog import load_catalog
from zega_core.dataset import words
from zega_core.providers.base import GenerationOptions
from zega_core.providers.storyteller import Storyteller
from zega_core.quality import score

GRAM = 5


def shares(texts: list[str]) -> list[float]:
    """Shared 5-grams of every pair that has any, as a share of the shorter text; largest first."""
    grams = [{tuple(found[i : i + GRAM]) for i in range(len(found) - GRAM + 1)} for found in map(words, texts)]
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, gram in enumerate(grams):
        for run in gram:
            holders[run].append(number)
    common = Counter(pair for held in holders.values() for pair in combinations(held, 2))
    return sorted((n / min(len(grams[a]), len(grams[b])) for (a, b), n in common.items()), reverse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--examples", type=int, default=500)
    parser.add_argument("--genre", action="append", default=[])
    parser.add_argument("--book", type=Path)
    options = parser.parse_args()
    catalog, teacher = load_catalog(), Storyteller()
    genres = options.genre or [genre.key for genre in catalog.genres]
    worst: list[float] = []
    scores: defaultdict[str, list[float]] = defaultdict(list)
    writing = scoring = 0.0
    lengths: list[int] = []
    for seed in range(options.sessions):
        texts: list[str] = []
        for draw in plan(catalog, genres, options.examples, seed, {}):
            brief = draw.brief
            began = time.perf_counter()
            text = teacher.complete([], GenerationOptions(seed=seed * 10_007 + draw.idx, brief=brief)).text
            written = time.perf_counter()
            report = score(text, brief.prompt, brief.genre, brief.element)
            scoring += time.perf_counter() - written
            writing += written - began
            texts.append(text)
            scores[brief.element.key].append(report.score)
        lengths = [len(words(text)) for text in texts]
        found = shares(texts)
        worst.append(found[0] if found else 0.0)
        pairs = options.examples * (options.examples - 1) // 2
        median = 0.0 if len(found) < pairs / 2 else statistics.median(found)
        over = sum(share > 0.30 for share in found)
        print(f"session {seed}: largest share {worst[-1]:.3f}, pairs over 0.30: {over} of {pairs}, median {median:.3f}")
    every = [one for found in scores.values() for one in found]
    print(f"largest share over {options.sessions} sessions: {max(worst):.3f}")
    print(f"scores: mean {statistics.mean(every):.2f}, sd {statistics.stdev(every):.2f}; kept at 7.0 or more:")
    for name, found in {**scores, "all": every}.items():
        print(f"  {name}: {sum(one >= 7 for one in found) / len(found):.0%}")
    count = options.sessions * options.examples
    print(f"a piece: {1000 * writing / count:.2f} ms to write, {1000 * scoring / count:.2f} ms to score")
    if options.book:
        book, passages, start = options.book.read_text(encoding="utf-8").split(), [], 0
        for length in lengths:
            passages.append(" ".join(book[start : start + length]))
            start += length
        print(f"the same lengths of {options.book.name}: largest share {(shares(passages) or [0.0])[0]:.3f}")


if __name__ == "__main__":
    main()
