"""Which of many texts to recall: the likest, and among those not the same thing over and over. Numbers only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
HALF_LIFE = 90.0
"""Days after which what a text has of newness is half of it."""
NEW = 0.03
"""Likeness that a text of today has above an old one."""
ALIKE = 0.9
"""Likeness from which on two texts tell the same."""
VARIETY = 0.3
"""How much of the likeness to what is chosen already is taken off."""
SAME_GROUP = 0.04
"""What is taken off for each that is chosen of the same session or manuscript."""
NEIGHBOURS = 1
"""Passages of a manuscript that are no farther apart than this are one scene."""


def search(rows: Matrix, query: Matrix, k: int) -> tuple[NDArray[np.intp], Matrix]:
    """Places and likenesses of the ``k`` rows that are likest to the query, the likest first, of equal ones the
    earlier. All are compared: ``rows`` (n, size) and ``query`` (size) have the length one."""
    scores, k = rows @ query, min(k, len(rows))
    if k < 1:
        return np.zeros(0, np.intp), np.zeros(0, np.float32)
    places = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
    places = places[np.lexsort((places, -scores[places]))[:k]]
    return places, scores[places]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be recalled: how ``like`` it is, how many days old, and of which session or manuscript (``group``, empty
    for neither) it is which piece. ``bonus`` is likeness that it has for another reason."""

    like: float
    days: float
    group: str = ""
    place: int | None = None
    neighbours: bool = False
    """Whether the pieces beside it in its group are the same scene."""
    bonus: float = 0.0

    @property
    def worth(self) -> float:
        return self.like + self.bonus + NEW * 0.5 ** (max(0.0, self.days) / HALF_LIFE)


def varied(candidates: Sequence[Candidate], rows: Matrix, most: int) -> list[int]:
    """Places of up to ``most`` candidates, the best first: each the best that is left once what is like those chosen
    before counts for less (maximal marginal relevance, Carbonell and Goldstein 1998). What tells the same as a chosen
    one, or stands beside it in a manuscript, is not chosen."""
    chosen: list[int] = []
    likeness = rows @ rows.T
    groups = Counter[str]()
    left = list(range(len(candidates)))
    while left and len(chosen) < most:
        left = [one for one in left if not any(_same_scene(candidates, likeness, one, other) for other in chosen)]
        if not left:
            break

        def value(one: int) -> float:
            near = max((float(likeness[one, other]) for other in chosen), default=0.0)
            often = groups[candidates[one].group] if candidates[one].group else 0
            return candidates[one].worth - VARIETY * max(0.0, near) - SAME_GROUP * often

        best = max(left, key=lambda one: (value(one), -one))
        chosen.append(best)
        left.remove(best)
        if candidates[best].group:
            groups[candidates[best].group] += 1
    return chosen


def _same_scene(candidates: Sequence[Candidate], likeness: Matrix, one: int, other: int) -> bool:
    if likeness[one, other] >= ALIKE:
        return True
    first, second = candidates[one], candidates[other]
    if not (first.neighbours and first.group and first.group == second.group):
        return False
    if first.place is None or second.place is None:
        return False
    return abs(first.place - second.place) <= NEIGHBOURS
