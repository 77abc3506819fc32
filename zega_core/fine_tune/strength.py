"""How much of what was learned a version keeps.

Between a base model and what training made of it lie models that have most of the new and have lost little of the old:
weights are averaged (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"); of an adapter that is a factor.
A small model that learned fifty pages of real prose at full strength writes broken sentences, at a quarter of it whole
ones that still lean to the writer. So a version is as strong as it can be while it writes about as well as its base on
prompts of the catalog. Which strength is best on the held-out prompts of a proof is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from zega_core.catalog import Brief, Catalog, request
from zega_core.fine_tune.data import TOKENS_A_WORD
from zega_core.quality import score

STRENGTHS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1)
TOLERANCE = 0.25
"""How much lower the mean score may be than the base model's. A proof holds a version back at 0.5."""
BATCH, TEXTS = 8, 24
"""Texts that are written together, and at most for each strength."""
CLEAR = 2.5
"""Standard errors from the tolerance at which no more texts are written."""


@dataclass(frozen=True, slots=True)
class Asked:
    """``genre`` and ``element`` are keys; ``max_tokens`` is the longest answer."""

    prompt: str
    genre: str
    element: str
    seed: int
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Drawn:
    temperature: float = 0.8
    top_p: float = 0.95
    repetition_penalty: float = 1.0


@dataclass(frozen=True, slots=True)
class Strength:
    """``score`` is the mean quality (0 to 10) of what was written at this strength, ``full`` at 1.0, ``base`` without
    the adapter; None where nothing was written to find it."""

    value: float
    score: float | None = None
    base: float | None = None
    full: float | None = None


def prompts(catalog: Catalog, seed: int) -> list[Asked]:
    """``TEXTS``, each batch with every genre and element. ``seed`` draws the texts, and which prompts of a genre they
    answer."""
    found: list[Asked] = []
    while len(found) < TEXTS:
        turn, place = divmod(len(found), len(catalog.genres))
        genre, element = catalog.genres[place].key, catalog.elements[(place + turn) % len(catalog.elements)]
        known = catalog.prompts_of(genre)
        asked = request(Brief(known[(seed + turn) % len(known)].text, genre, element), catalog)
        longest = round(element.max_words * TOKENS_A_WORD)
        found.append(Asked(asked, genre, element.key, seed * 1_000 + len(found), longest))
    return found


def strongest(asked: Sequence[Asked], write: Callable[[float, Sequence[Asked]], Sequence[str]]) -> Strength:
    """The largest of ``STRENGTHS`` at which the mean score is not lower than at 0 by more than ``TOLERANCE``, the least
    of them if it is so nowhere. The full strength is looked at first, then the rest by halves: the stronger, the
    further from the base. ``write(strength, some)`` writes a batch of ``asked``; where the first batches show enough,
    the others are not written."""
    scores = _Scores(asked, write)

    def found(value: float) -> Strength:
        return Strength(value, scores.mean(value), scores.mean(0.0), scores.mean(1.0))

    if scores.as_good(1.0):
        return found(1.0)
    rest, best = STRENGTHS[1:], len(STRENGTHS) - 2
    first, last = 0, len(rest) - 2
    while first <= last:
        middle = (first + last) // 2
        if scores.as_good(rest[middle]):
            best, last = middle, middle - 1
        else:
            first = middle + 1
    return found(rest[best])


class _Scores:
    """Quality scores by strength, written batch by batch as they are needed."""

    def __init__(self, asked: Sequence[Asked], write: Callable[[float, Sequence[Asked]], Sequence[str]]) -> None:
        self._asked, self._write = asked, write
        self._known: dict[float, list[float]] = {}

    def upto(self, strength: float, count: int) -> list[float]:
        known = self._known.setdefault(strength, [])
        while len(known) < min(count, len(self._asked)):
            some = self._asked[len(known) : len(known) + BATCH]
            texts = self._write(strength, some)
            known += [
                score(text, one.prompt, one.genre, one.element).score for one, text in zip(some, texts, strict=True)
            ]
        return known[:count]

    def mean(self, strength: float) -> float:
        known = self._known.get(strength) or self.upto(strength, BATCH)
        return fmean(known)

    def as_good(self, strength: float) -> bool:
        less = list[float]()
        for count in range(BATCH, len(self._asked) + 1, BATCH):
            pairs = zip(self.upto(strength, count), self.upto(0.0, count), strict=True)
            less = [one - base for one, base in pairs]
            if abs(fmean(less) + TOLERANCE) > CLEAR * stdev(less) / sqrt(count):
                break
        return fmean(less) >= -TOLERANCE


def in_words(found: Strength) -> str:
    """For the writer; empty where nothing was taken away."""
    if found.value == 1.0 or found.score is None or found.base is None or found.full is None:
        return ""
    return (
        f"At full strength it wrote worse than its base model: a quality score of {found.full:.1f} against "
        f"{found.base:.1f} on prompts of the catalog. So {found.value:.0%} of what it learned is kept, which scores "
        f"{found.score:.1f}. A larger base model can keep more."
    )
