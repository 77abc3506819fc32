"""How far a score agrees with a writer, and the threshold that would decide most like them. Pure and repeatable."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ENOUGH = 10
"""Ratings below which nothing is said: with fewer, chance alone looks like agreement."""
FEWEST_GROUPS = 5
"""Prompts below which nothing is said about others: resamples of so few are nearly the same, which looks like
certainty."""
RESAMPLES = 400
STEPS = 101
"""Thresholds looked at: 0.0, 0.1, … 10.0, as scores have one decimal."""
KEEP, DISCARD = "keep", "discard"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Rating:
    """What a writer said of a piece: 1 to 5 stars, ``keep`` or ``discard``, or both."""

    stars: int | None = None
    decision: str | None = None

    @classmethod
    def read(cls, stars: object, decision: object) -> Rating | None:
        """From stored values; what is no rating is left out, None when nothing is left."""
        known = stars if isinstance(stars, int) and not isinstance(stars, bool) and 1 <= stars <= 5 else None
        said = decision if decision in (KEEP, DISCARD) else None
        return None if known is None and said is None else cls(known, said)  # type: ignore[arg-type]

    @property
    def opinion(self) -> float:
        """1..5 for ranking. Kept or discarded without stars counts as 4 or 2."""
        return float(self.stars if self.stars is not None else 4 if self.decision == KEEP else 2)

    @property
    def wanted(self) -> bool | None:
        """Keep or not: the decision, else 4 stars and more or 2 and fewer. Three stars leave it open: None."""
        if self.decision is not None:
            return self.decision == KEEP
        return None if self.stars is None or self.stars == 3 else self.stars > 3


@dataclass(frozen=True, slots=True)
class Decided:
    """How a threshold decides beside the writer: ``right`` of ``of`` decided alike, ``by_chance`` of them to be
    expected from the two shares alone. ``kappa`` (-1..1) is what lies beyond chance: Cohen 1960, "A coefficient of
    agreement for nominal scales". None where the writer, or both, said only one thing."""

    threshold: float
    right: int
    of: int
    by_chance: float
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """The threshold that would decide most like the writer, and the present one."""

    best: Decided
    present: Decided


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Rank correlation, -1..1, ties sharing their mean rank (Spearman 1904). None where either has only one value."""
    if len(one) != len(other) or len(one) < 2:
        return None
    value = float(correlations(np.asarray(one, float), np.asarray(other, float), np.ones((1, len(one))))[0])
    return None if np.isnan(value) else value


def interval(
    one: Sequence[float], other: Sequence[float], groups: Sequence[Hashable] | None = None, level: float = 0.95
) -> tuple[float, float] | None:
    """In which ``level`` of resamples the rank correlation lies (percentile bootstrap, Efron 1979), from a fixed seed.

    ``groups`` (pieces of one prompt) are drawn together, as they are not independent. None where there is too little
    to draw from.
    """
    together = range(len(one)) if groups is None else groups
    if len(one) != len(other) or len(set(together)) < FEWEST_GROUPS:
        return None
    found = correlations(np.asarray(one, float), np.asarray(other, float), weights(together))
    return bounds(found, level)


def bounds(found: Array, level: float) -> tuple[float, float] | None:
    """The middle ``level`` of the resamples that have a value; None where fewer than half have one."""
    known = found[~np.isnan(found)]
    if 2 * len(known) < len(found):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def weights(groups: Sequence[Hashable], resamples: int = RESAMPLES) -> Array:
    """How often each item is drawn, one row a resample; whole groups are drawn with replacement."""
    number = {group: at for at, group in enumerate(dict.fromkeys(groups))}
    members = np.array([number[group] for group in groups])
    drawn = np.random.default_rng(0).integers(0, len(number), size=(resamples, len(number)))
    numbered = drawn + len(number) * np.arange(resamples)[:, None]
    counts = np.bincount(numbered.ravel(), minlength=resamples * len(number)).reshape(resamples, -1)
    return counts[:, members].astype(float)


def correlations(one: Array, other: Array, drawn: Array) -> Array:
    """Spearman's coefficient in every row of ``drawn`` (how often each item counts); NaN where it has none."""
    if len(drawn) > 1:
        one, other, drawn = _pooled(one, other, drawn)
    first, second = _ranks(one, drawn), _ranks(other, drawn)
    total = drawn.sum(axis=1, keepdims=True)
    first -= (drawn * first).sum(axis=1, keepdims=True) / total
    second -= (drawn * second).sum(axis=1, keepdims=True) / total
    weighted = drawn * first
    shared = (weighted * second).sum(axis=1)
    spread = np.sqrt((weighted * first).sum(axis=1) * (drawn * second * second).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 1e-9, shared / spread, np.nan)


def mean_ranks(values: Array) -> Array:
    """1 for the smallest; ties share their mean rank."""
    return _ranks(values, np.ones((1, len(values))))[0]


def _pooled(one: Array, other: Array, drawn: Array) -> tuple[Array, Array, Array]:
    """Items with the same two values taken together: stars and scores have few, and resampling is the slow part."""
    pairs, pair = np.unique(one + 1j * other, return_inverse=True)
    order = np.argsort(pair, kind="stable")
    starts = np.searchsorted(pair[order], np.arange(len(pairs)))
    return pairs.real, pairs.imag, np.add.reduceat(drawn[:, order], starts, axis=1)


def _ranks(values: Array, drawn: Array) -> Array:
    """The mean rank of each item within every resample."""
    order = np.argsort(values, kind="stable")
    sorted_values = values[order]
    starts = np.flatnonzero(np.r_[True, sorted_values[1:] != sorted_values[:-1]])
    counts = np.add.reduceat(drawn[:, order], starts, axis=1)
    level = np.empty(len(values), int)
    level[order] = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(values)]))
    return (counts.cumsum(axis=1) - (counts - 1) / 2)[:, level]


def decided(scores: Sequence[float], wanted: Sequence[bool | None], threshold: float) -> Decided:
    """What a threshold does with pieces that the writer wants or not; undecided ones are left out."""
    clear = [(score, want) for score, want in zip(scores, wanted, strict=True) if want is not None]
    kept = np.array([[score >= threshold for score, _ in clear]])
    return _decided(kept, np.array([want for _, want in clear], bool), [threshold])[0]


def propose(scores: Sequence[float], wanted: Sequence[bool | None], present: float) -> Proposal | None:
    """The threshold with the best kappa; of equals the one nearest to the ``present`` one, which stays if none is
    better. None with fewer than ten ratings that say keep or discard, or when all say the same."""
    clear = [(score, want) for score, want in zip(scores, wanted, strict=True) if want is not None]
    wants = np.array([want for _, want in clear], bool)
    if len(clear) < ENOUGH or wants.all() or not wants.any():
        return None
    levels = [step / 10 for step in range(STEPS)]
    kept = np.array([score for score, _ in clear])[None, :] >= np.array([*levels, present])[:, None]
    found = _decided(kept, wants, [*levels, present])
    now = found[-1]
    best = max(found, key=lambda one: (round(one.kappa or 0.0, 9), -abs(one.threshold - present)))
    return Proposal(best, now)


def _decided(kept: Array, wants: Array, thresholds: Sequence[float]) -> list[Decided]:
    """One for every row of ``kept``."""
    number = len(wants)
    if not number:
        return [Decided(threshold, 0, 0, 0.0, None) for threshold in thresholds]
    right = (kept == wants).sum(axis=1)
    both, want = kept.sum(axis=1), int(wants.sum())
    chance = (both * want + (number - both) * (number - want)) / number
    return [
        Decided(
            threshold,
            int(hits),
            number,
            float(expected),
            None if want in (0, number) or expected == number else float((hits - expected) / (number - expected)),
        )
        for threshold, hits, expected in zip(thresholds, right, chance, strict=True)
    ]


def apart(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """How far each item lies higher in ``one`` than in ``other``, as a share of the whole ranking, -1..1."""
    if len(one) < 2:
        return [0.0] * len(one)
    difference = mean_ranks(np.asarray(one, float)) - mean_ranks(np.asarray(other, float))
    return (difference / (len(one) - 1)).tolist()
