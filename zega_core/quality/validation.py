"""Was it an improvement? Gains are measured on pieces that nothing was fitted to, and believed only when shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from math import isfinite
from typing import Any

import numpy as np

from zega_core.quality.agreement import FEWEST_GROUPS, Array, bounds, correlations, spearman, weights

FOLDS = 5
LEVEL = 0.9
"""The gain counts as shown when its whole interval lies above 0. With 90 %, about one judge in twenty that follows
nothing passes by chance."""
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Gain:
    """Agreement with the writer (Spearman) without and with a change, on held-out pieces, and the interval of the
    difference."""

    before: float
    after: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        return self.low > 0 and self.after > self.before

    def as_dict(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def read(cls, value: object) -> Gain | None:
        if not isinstance(value, dict):
            return None
        found = {name: number(value.get(name), -2, 2) for name in ("before", "after", "low", "high")}
        return None if None in found.values() else cls(**found)  # type: ignore[arg-type]


def number(value: object, low: float, high: float) -> float | None:
    """A stored number within bounds; None for anything else, NaN included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value) if low <= value <= high else None


def folds(groups: Sequence[Hashable], number_of_folds: int = FOLDS) -> Array:
    """For each item the number of its fold. A group (a prompt) is never in two; folds are about equally large, and the
    order of the items does not matter."""
    sizes = Counter(groups)

    def mixed(group: Any) -> tuple[int, bytes]:
        return -sizes[group], blake2b(repr(group).encode("utf-8", "replace"), digest_size=8).digest()

    filled, of_group = [0] * min(number_of_folds, max(1, len(sizes))), {}
    for group in sorted(sizes, key=mixed):
        least = filled.index(min(filled))
        of_group[group], filled[least] = least, filled[least] + sizes[group]
    return np.array([of_group[group] for group in groups])


def gain(opinions: Array, before: Array, after: Array, groups: Sequence[Hashable], level: float = LEVEL) -> Gain | None:
    """Paired: both scores are compared on the same resamples of whole groups. None where there is nothing to rank,
    or too few groups to speak for others."""
    if len(set(groups)) < FEWEST_GROUPS:
        return None
    one, other = spearman(opinions, before), spearman(opinions, after)  # type: ignore[arg-type]
    if other is None:
        return None
    drawn = weights(groups, RESAMPLES)
    difference = correlations(opinions, after, drawn) - np.nan_to_num(correlations(opinions, before, drawn))
    found = bounds(difference, level)
    return None if found is None else Gain(one or 0.0, other, *found)
