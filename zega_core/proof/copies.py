"""What an answer took over from the texts that a model was trained on: runs of words, and names. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zega_core.dataset import words
from zega_core.proof.figures import Bleed, Copies
from zega_core.quality.names import NameSpotter

GRAM = 8
"""Words of a run that counts as taken over: a power of two. Two people hardly ever write the same eight words (of real
held-out texts 0 to 1 % are shared with the rest of the same book), a grammar that both texts come from does."""
SHOWN_CHARS = 300
MOST_NAMES = 5

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")

Numbers = NDArray[np.int64]
Texts = Sequence[Sequence[str]]


def copies(training: Sequence[str], before: Sequence[str], after: Sequence[str], held: Sequence[str]) -> Copies:
    """How much of the answers (``before`` and ``after``) and of ``held`` texts stands in the ``training`` texts too.

    Exact, not by hashes: every run of words gets a number that is the same for the same words, for lengths 1, 2, 4, …
    (Karp, Miller & Rosenberg 1972); any length is a pair of these. A run inside an answer is a run of its parts, so the
    longest is found by halving.
    """
    sides = [[words(text) for text in texts] for texts in (training, before, after, held)]
    runs = _Runs(sides)
    longest_before, _ = runs.longest(1)
    longest, start = runs.longest(2)
    return Copies(
        longest_before=longest_before,
        longest=longest,
        share_before=runs.share(1) or 0.0,
        share=runs.share(2) or 0.0,
        real=runs.share(3),
        run=" ".join(runs.spelled(start, longest))[:SHOWN_CHARS],
    )


class _Runs:
    """All texts as one row of numbers, a number of its own after each text so that no run goes across. Side 0 is what
    the others are held against."""

    def __init__(self, sides: Sequence[Texts]) -> None:
        numbers: dict[str, int] = {}
        row: list[int] = []
        self._words: list[str] = []
        self._sides: list[slice] = []
        for texts in sides:
            begin = len(row)
            for text in texts:
                row += [numbers.setdefault(word, len(numbers)) for word in text]
                row.append(-1)
                self._words += [*text, ""]
            self._sides.append(slice(begin, len(row)))
        self._size = max((len(text) for texts in sides[1:] for text in texts), default=0)
        first = np.array(row, dtype=np.int64)
        ends = np.flatnonzero(first < 0)
        first[ends] = len(numbers) + np.arange(len(ends))
        self._doubled = [first]

    def _named(self, length: int) -> Numbers:
        """A number for the run of ``length`` words that begins at each place; the same for the same words."""
        level = length.bit_length() - 1
        while len(self._doubled) <= level:
            self._doubled.append(_paired(self._doubled[-1], 1 << (len(self._doubled) - 1)))
        names, rest = self._doubled[level], length - (1 << level)
        return _paired(names, rest) if rest else names

    def _shared(self, length: int, side: int) -> NDArray[np.bool_]:
        """For each place of a side whether the run of ``length`` that begins there is in side 0."""
        names = self._named(length)
        return np.isin(names[self._sides[side]], names[self._sides[0]])

    def longest(self, side: int) -> tuple[int, int]:
        """Words of the longest run that a side has in common with side 0, and where in the row it begins."""
        known, start, beyond = 0, 0, self._size + 1
        while known + 1 < beyond:
            length = min((known + beyond) // 2, 2 * known + 2)  # long runs are rare: no need to begin in the middle
            places = np.flatnonzero(self._shared(length, side))
            if len(places):
                known, start = length, self._sides[side].start + int(places[0])
            else:
                beyond = length
        return known, start

    def share(self, side: int) -> float | None:
        """Of the side's runs of ``GRAM`` words, the part that is in side 0; None where it has no such run."""
        begin, end = self._sides[side].start, self._sides[side].stop
        gaps = np.flatnonzero(np.array([not word for word in self._words[begin:end]], dtype=bool))
        lengths = np.diff(np.concatenate(([-1], gaps))) - 1
        total = int(np.maximum(lengths - GRAM + 1, 0).sum())
        return int(self._shared(GRAM, side).sum()) / total if total else None

    def spelled(self, start: int, length: int) -> list[str]:
        return self._words[start : start + length]


def _paired(names: Numbers, apart: int) -> Numbers:
    """Numbers for the pairs of what begins at a place and ``apart`` places further on."""
    if len(names) <= apart:
        return names[:0]
    first, second = names[: len(names) - apart], names[apart:]
    return np.unique(first * (int(names.max()) + 1) + second, return_inverse=True)[1].reshape(-1)


def bleed(training: Sequence[str], prompts: Sequence[str], before: Sequence[str], after: Sequence[str]) -> Bleed:
    """Persons' names out of the ``training`` texts in answers whose prompt does not name them. That ``before`` uses
    them, too, tells how much is common stock."""
    known = _names(training)
    asked = [{token.lower() for token in _tokens(prompt)} for prompt in prompts]

    def foreign(answers: Sequence[str]) -> list[set[str]]:
        return [
            {name for name in known & _tokens(answer) if name.lower() not in own}
            for answer, own in zip(answers, asked, strict=True)
        ]

    first, second = foreign(before), foreign(after)
    counts: Counter[str] = Counter(name for names in second for name in names)
    most = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_NAMES]
    return Bleed(_filled(first), _filled(second), most)


def _names(texts: Sequence[str]) -> set[str]:
    spotter, seen = NameSpotter(), Counter[str]()
    for number, text in enumerate(texts):
        plain = text.replace("’", "'")
        seen.update(set(_TOKEN.findall(plain)))
        spotter.add(number, plain)
    return set(spotter.names(seen, least=1))


def _tokens(text: str) -> set[str]:
    """Words as they are written, and those with 's without it."""
    found = set(_TOKEN.findall(text.replace("’", "'")))
    return found | {token.removesuffix("'s") for token in found}


def _filled(groups: Sequence[set[Any]]) -> float:
    return sum(map(bool, groups)) / len(groups) if groups else 0.0
