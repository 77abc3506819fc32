"""A small correction of the score towards one writer's taste, fitted to their ratings and tested on those left out.

Ridge regression (Hoerl and Kennard 1970) of what the ratings say beyond the score, on the sides of the quality only.
Few ratings speak softly: the penalty weighs as much as thirty of them. The correction is worth at most 1.5 points
either way and lifts nothing that a gate has stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zega_core.quality.agreement import FEWEST_GROUPS, Array
from zega_core.quality.judged import blended
from zega_core.quality.score import QualityReport
from zega_core.quality.stored import RatedPiece
from zega_core.quality.validation import Gain, folds, gain, number

ENOUGH = 30
"""Ratings from which on a correction is fitted."""
MOST = 1.5
"""Points by which it may move a score."""
PENALTY = 30.0
"""In ratings: with that many the fitted weights are halved, with ten times as many they are nearly whole."""
POINTS_A_STAR = 1.0
"""A rating that is one star above the writer's average asks for a score one point above the average."""
LEVEL = 0.98
"""Of the interval of the gain. It does not know how much the fit itself varies, so it is too narrow, and
with 90 % too many writers whose ratings follow nothing would get a correction."""
INPUTS = 12
"""Sides of the quality that are looked at, at most."""


@dataclass(frozen=True, slots=True)
class Side:
    """One criterion: how it lay over the rated pieces, and how many points one such spread more is worth."""

    name: str
    label: str
    mean: float
    spread: float
    points: float


@dataclass(frozen=True, slots=True)
class Correction:
    """Fitted to reports of ``version``; it acts on no others, and only where its gain was shown."""

    version: int
    ratings: int
    sides: tuple[Side, ...]
    gain: Gain | None

    @property
    def acts(self) -> bool:
        return self.gain is not None and self.gain.shown

    def points(self, report: QualityReport) -> float:
        """What it adds to a score, -1.5 to 1.5; 0 where a side is missing. Never above 0 behind a gate."""
        scores = {one.name: number(one.score, 0, 10) for one in report.criteria}
        added = 0.0
        for side in self.sides:
            score = scores.get(side.name)
            if score is None:
                return 0.0
            added += side.points * (score - side.mean) / side.spread
        added = max(-MOST, min(MOST, added))
        return min(0.0, added) if report.gate is not None else added

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, value: object) -> Correction | None:
        """From stored JSON; None where any of it cannot be used: half a correction is none."""
        if not isinstance(value, dict) or not isinstance(value.get("sides"), list | tuple):
            return None
        version, ratings = number(value.get("version"), 0, 10**9), number(value.get("ratings"), 0, 10**9)
        sides = [_side(one) for one in value["sides"][:INPUTS]]
        if version is None or ratings is None or None in sides:
            return None
        return cls(int(version), int(ratings), tuple(filter(None, sides)), Gain.read(value.get("gain")))


def _side(value: object) -> Side | None:
    if not isinstance(value, dict):
        return None
    mean, spread = number(value.get("mean"), 0, 10), number(value.get("spread"), 1e-6, 10)
    points = number(value.get("points"), -10, 10)
    if mean is None or spread is None or points is None:
        return None
    return Side(str(value.get("name", ""))[:60], str(value.get("label", ""))[:60], mean, spread, points)


def fit(pieces: Sequence[RatedPiece], version: int, judge_weight: float = 0.0) -> Correction | None:
    """The correction for reports of ``version``, with its gain over the score that has the judge's part in it.

    None with fewer than thirty usable ratings, or where no side of the quality differs between them. A piece whose
    report lacks a side that most have is left out.
    """
    current = [one for one in pieces if one.report.version == version]
    labels = _inputs(current)
    if len(current) < ENOUGH or not labels:
        return None
    sides = np.array([_scores(one.report, labels) for one in current])
    whole = np.flatnonzero(((sides >= 0) & (sides <= 10)).all(axis=1))  # never true of NaN
    known, sides = [current[at] for at in whole], sides[whole]
    if len(known) < ENOUGH:
        return None
    varied = sides.std(axis=0) > 0.05
    if not varied.any():
        return None
    sides, names = sides[:, varied], [name for name, differs in zip(labels, varied, strict=True) if differs]
    opinions = np.array([one.rating.opinion for one in known])
    base = np.array([blended(one.report, one.judged, judge_weight) for one in known])
    found = _held_out_gain(known, sides, opinions, base)
    means, spreads, points = _ridge(sides, opinions, base)
    return Correction(
        version,
        len(known),
        tuple(
            Side(name, labels[name], float(mean), float(spread), float(point))
            for name, mean, spread, point in zip(names, means, spreads, points, strict=True)
        ),
        found,
    )


def _inputs(pieces: Sequence[RatedPiece]) -> dict[str, str]:
    """Names and labels of the sides that most reports have."""
    counts = Counter(one.name for piece in pieces for one in piece.report.criteria)
    labels = {one.name: one.label for piece in pieces for one in piece.report.criteria}
    common = sorted(name for name in labels if 2 * counts[name] > len(pieces))
    return {name: labels[name] for name in common[:INPUTS]}


def _scores(report: QualityReport, names: Mapping[str, str]) -> list[float]:
    scores = {one.name: one.score for one in report.criteria}
    return [scores.get(name, np.nan) for name in names]


def _ridge(sides: Array, opinions: Array, base: Array) -> tuple[Array, Array, Array]:
    """Means and spreads of the sides, and the points that one spread is worth."""
    means, spreads = sides.mean(axis=0), np.maximum(sides.std(axis=0), 0.05)
    inputs = (sides - means) / spreads
    asked = POINTS_A_STAR * (opinions - opinions.mean()) - (base - base.mean())
    points = np.linalg.solve(inputs.T @ inputs + PENALTY * np.eye(inputs.shape[1]), inputs.T @ asked)
    return means, spreads, points


def _held_out_gain(known: Sequence[RatedPiece], sides: Array, opinions: Array, base: Array) -> Gain | None:
    prompts = [one.prompt for one in known]
    if len(set(prompts)) < FEWEST_GROUPS:
        return None
    fold, corrected = folds(prompts), base.copy()
    gated = np.array([one.report.gate is not None for one in known])
    for left_out in set(fold.tolist()):
        inside, outside = fold != left_out, fold == left_out
        means, spreads, points = _ridge(sides[inside], opinions[inside], base[inside])
        added = np.clip((sides[outside] - means) / spreads @ points, -MOST, MOST)
        corrected[outside] += np.where(gated[outside], np.minimum(added, 0), added)
    return gain(opinions, np.round(base, 1), np.round(np.clip(corrected, 0, 10), 1), prompts, LEVEL)
