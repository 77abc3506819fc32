"""Does the style fingerprint tell authors apart, by how many words, and in what time?

    python benchmarks/style.py --corpus FOLDER_OF_BOOKS              the five authors it was not made from
    python benchmarks/style.py --corpus FOLDER_OF_BOOKS --weights    what weights were chosen by: the other 21 authors

A passage goes to the nearest of the authors' fingerprints, each made of the half of that author's book in which the
passage is not; both halves take their turn. The named alternative is Burrows' Delta as it was published in 2002: the
mean of the absolute differences of the function words.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.pretrain.texts import clean, load_books
from zega_core.quality.features import plain_marks, words_of
from zega_core.style.counting import FUNCTION_WORDS
from zega_core.style.features import FEATURES
from zega_core.style.fingerprint import GROUPS, Counts, distances, fingerprint, measure

Floats = NDArray[np.float64]
Rows = Mapping[tuple[str, int, int], Floats]
"""Counts of passages by author, half (0 or 1) and words of a passage: shape ``(passages, counts)``."""
Rule = Callable[[Floats, Floats], Floats]
"""Distances of each row of one table to each of another."""

PASSAGES = (150, 500, 1500, 4000)
AMOUNTS = (150, 300, 500, 1000, 1500, 2000, 3000, 5000)
PROOF = 5000
PER_HALF, TRIALS, SEED = 100, 300, 1
_SENTENCE = re.compile(r".+?(?:[.!?…]+[”\"’)]*(?=\s)|$)\s*")
PLACE = {name: number for number, name in enumerate((*FEATURES, *FUNCTION_WORDS))}


def passages(text: str, words: int) -> list[str]:
    """The text in passages that end with the sentence in which they reach so many words; the rest is dropped."""
    found, some, size = list[str](), list[str](), 0
    for paragraph in text.split("\n\n"):
        for sentence in _SENTENCE.findall(paragraph):
            some.append(sentence)
            size += len(words_of(plain_marks(sentence)))
            if size >= words:
                found.append("".join(some))
                some, size = [], 0
        some.append("\n\n")
    return found


def halves(folder: Path, kept_out: bool) -> dict[str, tuple[str, str]]:
    """The two halves of each author's books, whole for the five authors."""
    texts: dict[str, list[str]] = {}
    for book in load_books(folder):
        if book.kept_out == kept_out:
            raw = (folder / f"{book.name}.txt").read_text(encoding="utf-8")
            texts.setdefault(author(book.name), []).append(clean(raw) if kept_out else "\n\n".join(book.train))
    found: dict[str, tuple[str, str]] = {}
    for name, own in sorted(texts.items()):
        cut = [text.find("\n\n", len(text) // 2) for text in own]
        both = zip(own, cut, strict=True)
        pairs = [(text[:at], text[at:]) for text, at in both]
        found[name] = ("\n\n".join(one for one, _ in pairs), "\n\n".join(two for _, two in pairs))
    return found


def author(book: str) -> str:
    return book.split("__")[1].split("_")[0]


def count(texts: Mapping[str, tuple[str, str]], most: int | None) -> Rows:
    rows: dict[tuple[str, int, int], Floats] = {}
    for name, parts in texts.items():
        for half, part in enumerate(parts):
            for size in PASSAGES:
                some = passages(part, size)
                if most is not None:
                    some = [some[at] for at in np.linspace(0, len(some) - 1, min(most, len(some))).astype(int)]
                rows[name, half, size] = np.stack([measure(one).numbers for one in some])
    return rows


def scaled(numbers: Floats) -> Floats:
    return np.stack([fingerprint(Counts(row)).scaled for row in numbers])


def weighted(shares: Mapping[str, float]) -> Rule:
    """The distance with other weights of ``GROUPS``."""
    weights = np.zeros(len(PLACE))
    for group, share in shares.items():
        names = GROUPS[group][1]
        weights[[PLACE[name] for name in names]] = share / len(names)
    return lambda rows, others: np.sqrt((rows[:, None] - others[None]) ** 2 @ weights)


def burrows(rows: Floats, others: Floats) -> Floats:
    return np.abs(rows[:, None] - others[None])[:, :, len(FEATURES) :].mean(2)


AS_SHIPPED = weighted({group: share for group, (share, _) in GROUPS.items()})
WORDS_ALONE = weighted({"function words": 1.0})


def attributed(names: list[str], rows: Rows, rules: Mapping[str, Rule], most: int = PER_HALF) -> None:
    """Prints the share of passages that go to their author, each author counting the same."""
    right: dict[tuple[str, int], list[float]] = {}
    number: dict[int, int] = {}
    for half in (0, 1):
        profiles = scaled(np.stack([rows[name, 1 - half, 1500].sum(0) for name in names]))
        for place, name in enumerate(names):
            for size in PASSAGES:
                some = rows[name, half, size]
                some = scaled(some[np.linspace(0, len(some) - 1, min(most, len(some))).astype(int)])
                number[size] = number.get(size, 0) + len(some)
                for label, rule in rules.items():
                    nearest = rule(some, profiles).argmin(1)
                    right.setdefault((label, size), []).append(float((nearest == place).mean()))
    print(f"{len(names)} authors; passages of {PASSAGES} words: {tuple(number.values())}; right, %:")
    for label in rules:
        print(f"  {label:52}", *(f"{100 * statistics.fmean(right[label, size]):5.1f}" for size in PASSAGES))


def some_of(rows: Floats, order: NDArray[np.intp], words: int) -> Floats:
    """The sum of the first passages in ``order`` that have so many words together."""
    many = int(np.searchsorted(np.cumsum(rows[order, 0]), words)) + 1
    return rows[order[:many]].sum(0)


def told_apart(names: list[str], rows: Rows) -> None:
    """Prints how often two lots of text by one author are nearer to each other than the first is to another's."""
    draw = np.random.default_rng(SEED)
    own = {name: np.concatenate([rows[name, half, 150] for half in (0, 1)]) for name in names}
    for label in ("pieces of 150 words", "one passage", f"pieces, the other lot {PROOF} words"):
        for amount in AMOUNTS:
            wins, same, other = list[bool](), list[float](), list[float]()
            for _ in range(TRIALS):
                lots = [two_lots(own[name], amount, label, draw) for name in names]
                one, two = (scaled(np.stack(side)) for side in zip(*lots, strict=True))
                found = AS_SHIPPED(one, two)
                mine = np.diagonal(found)
                rest = found[~np.eye(len(names), dtype=bool)].reshape(len(names), -1)
                wins += (mine[:, None] < rest).ravel().tolist()
                same += mine.tolist()
                other += rest.ravel().tolist()
            print(
                f"  {label}, {amount} words: nearer in {100 * statistics.fmean(wins):.1f} %; "
                f"own {statistics.fmean(same):.2f} (sd {statistics.pstdev(same):.2f}), "
                f"others' {statistics.fmean(other):.2f}",
                flush=True,
            )


def two_lots(rows: Floats, amount: int, label: str, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """Two lots of an author's text that have nothing in common."""
    half = len(rows) // 2
    if label != "one passage":
        order = draw.permutation(len(rows))
        return (
            some_of(rows, order[:half], PROOF if "other" in label else amount),
            some_of(rows, order[half:], amount),
        )
    need = amount // 150 + 1
    first, second = draw.integers(half - need), half + draw.integers(len(rows) - half - need)
    return some_of(rows, np.arange(first, half), amount), some_of(rows, np.arange(second, len(rows)), amount)


def timed(text: str) -> None:
    pieces = passages(text, 150)[:400]
    counted = [measure(one) for one in pieces]
    rounds: list[float] = []
    for _ in range(3):
        started = time.process_time()
        for one in pieces:
            measure(one)
        rounds.append(time.process_time() - started)
    words = sum(one.words for one in counted)
    print(f"measure: {1e6 * statistics.median(rounds) / words:.2f} ms of processor time for 1,000 words")
    writer, forty = fingerprint(Counts(np.sum([one.numbers for one in counted[40:]], axis=0))), counted[:40]
    draws = np.random.default_rng(SEED).integers(40, size=(2000, 40))
    started = time.process_time()
    distances(forty, draws, writer)
    print(f"distances: {1e3 * (time.process_time() - started):.0f} ms for 2,000 draws of 40 texts")


def weights_tried(names: list[str], rows: Rows) -> None:
    rest = [group for group in GROUPS if group not in ("function words", "punctuation")]
    tried: dict[str, Rule] = {"as shipped": AS_SHIPPED, "Burrows 2002": burrows, "function words alone": WORDS_ALONE}
    for words, marks in ((0.9, 0.02), (0.7, 0.06), (0.8, 0.1), (0.6, 0.18), (0.5, 0.1), (0.5, 0.25), (0.0, 0.2)):
        share = (1 - words - marks) / len(rest)
        label = f"words {words}, punctuation {marks}, others {share:.3f} each"
        tried[label] = weighted({"function words": words, "punctuation": marks, **dict.fromkeys(rest, share)})
    equal = np.array([len(names) for _, names in GROUPS.values()]) / sum(len(names) for _, names in GROUPS.values())
    tried["every feature the same"] = weighted(dict(zip(GROUPS, equal.tolist(), strict=True)))
    attributed(names, rows, tried)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--weights", action="store_true")
    options = parser.parse_args()
    texts = halves(options.corpus, kept_out=not options.weights)
    names = list(texts)
    if options.weights:
        weights_tried(names, count(texts, 80))
        return
    rows = count(texts, None)
    attributed(
        names,
        rows,
        {"whole distance": AS_SHIPPED, "function words alone": WORDS_ALONE, "Burrows' Delta (2002)": burrows},
    )
    timed(texts[names[0]][0])
    told_apart(names, rows)


if __name__ == "__main__":
    main()
