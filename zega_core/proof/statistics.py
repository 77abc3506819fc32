"""How sure a figure is: intervals of counted duels and of paired changes. Pure and repeatable.

Every interval is at ``LEVEL``. It is wider than the usual 95 %, because a version has several ways to come out better
and one that is no better must hardly ever do so: ``docs/proof.md`` has the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zega_core.proof.figures import LEVEL, Change, Duel

RESAMPLES = 4_000
NORMAL = 2.5758293035489
"""Quantile of the normal distribution that leaves 0.5 % above it, as ``LEVEL`` is 99 %."""

Floats = NDArray[np.float64]
Draws = NDArray[np.int64]
Numbers = Sequence[float] | NDArray[Any]


def duel(outcomes: Sequence[int]) -> Duel:
    """Of outcomes 1 (won), 0 (tie) and -1 (lost). A tie is half a win. The interval is that of a share by Wilson 1927,
    "Probable inference, the law of succession, and statistical inference": unlike the textbook one it stays inside 0 to
    1 and holds its level with few duels and lopsided ones (Brown, Cai & DasGupta 2001). Ties spread less than wins and
    losses, so with ties it is wider than it need be. Without a duel it is 0 to 1."""
    wins, losses = sum(one > 0 for one in outcomes), sum(one < 0 for one in outcomes)
    ties = len(outcomes) - wins - losses
    share = (wins + ties / 2) / len(outcomes) if outcomes else 0.5
    low, high = wilson(share, len(outcomes))
    return Duel(wins, losses, ties, share, low, high)


def wilson(share: float, number: int, z: float = NORMAL) -> tuple[float, float]:
    """The interval of a ``share`` (0 to 1) seen in ``number`` trials."""
    if not number:
        return 0.0, 1.0
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    return max(0.0, middle - half), min(1.0, middle + half)


def draws(number: int, seed: int) -> Draws:
    """Which of ``number`` prompts are drawn, with replacement, in each resample: shape ``(RESAMPLES, number)``."""
    return np.random.default_rng(seed).integers(0, max(1, number), size=(RESAMPLES, number))


def between(before: float, after: float, differences: Floats) -> Change:
    """From the differences in all resamples: the percentile interval (Efron 1979). Without any, it is all 0."""
    if not len(differences):
        return Change(before, after, 0.0, 0.0)
    low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Change(before, after, float(low), float(high))


def change(before: Numbers, after: Numbers, *, seed: int) -> Change:
    """Of a mean: one value a prompt on each side, in the same order. Both sides of a prompt are drawn together, as they
    answer the same. Raises ValueError where the sides are not of one length."""
    ones = np.ones(len(before))
    return change_of_share(before, ones, after, np.ones(len(after)), seed=seed)


def change_of_share(
    before: Numbers, of_before: Numbers, after: Numbers, of_after: Numbers, *, seed: int, scale: float = 1.0
) -> Change:
    """Of a sum over another sum (words in 1,000, nats a token), each given by prompt; ``scale`` multiplies it."""
    parts = [np.asarray(one, dtype=np.float64) for one in (before, of_before, after, of_after)]
    if len({len(one) for one in parts}) != 1:
        raise ValueError("Both sides need a value for each prompt.")
    if not len(parts[0]):
        return Change(0.0, 0.0, 0.0, 0.0)
    drawn = draws(len(parts[0]), seed)
    sums = [one[drawn].sum(1) for one in parts]
    resampled = scale * (_share(sums[2], sums[3]) - _share(sums[0], sums[1]))
    whole = [np.array([one.sum()]) for one in parts]
    first, second = (scale * float(_share(*two)[0]) for two in (whole[:2], whole[2:]))
    return between(first, second, resampled)


def change_of_median(before: Numbers, after: Numbers, *, seed: int) -> Change:
    """Of a median; else as ``change``."""
    one, two = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if len(one) != len(two):
        raise ValueError("Both sides need a value for each prompt.")
    if not len(one):
        return Change(0.0, 0.0, 0.0, 0.0)
    drawn = draws(len(one), seed)
    resampled = np.median(two[drawn], axis=1) - np.median(one[drawn], axis=1)
    return between(float(np.median(one)), float(np.median(two)), resampled)


def _share(some: Floats, total: Floats) -> Floats:
    """0 where there is nothing to have a share of."""
    return np.divide(some, total, out=np.zeros_like(some), where=total > 0)
