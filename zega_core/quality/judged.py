"""How much a judge may say. Its weight is earned from the writer's own ratings and is 0 until then.

On the expert-rated development set of creative stories (CSG) the scores of three large language models correlate
negatively with those of the experts (Spearman about -.5), and on its human half they are weak. A model that judges
likes long and ornate texts; a writer may not. So a judge is a voice to be tested, never a referee: at most half of the
score, and nothing that a gate has stopped is lifted by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zega_core.quality.agreement import ENOUGH, FEWEST_GROUPS, Array, mean_ranks
from zega_core.quality.score import QualityReport
from zega_core.quality.stored import RatedPiece
from zega_core.quality.validation import Gain, folds, gain, number

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True, slots=True)
class JudgePart:
    """The part that the judge's score has, 0 to 0.5, for reports of ``version``; ``gain`` is what its part brought on
    held-out ratings, None where that could not be measured."""

    version: int
    weight: float
    ratings: int
    gain: Gain | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, value: object) -> JudgePart | None:
        """From stored JSON; None for what cannot be used."""
        if not isinstance(value, dict):
            return None
        version, weight = number(value.get("version"), 0, 10**9), number(value.get("weight"), 0, WEIGHTS[-1])
        ratings = number(value.get("ratings"), 0, 10**9)
        if version is None or weight is None or ratings is None:
            return None
        measured = Gain.read(value.get("gain"))
        shown = measured is not None and measured.shown
        return cls(int(version), weight if shown else 0.0, int(ratings), measured)


def blended(report: QualityReport, judge_score: object, weight: float) -> float:
    """``(1 - weight) * measured + weight * judge``, 0..10. A judge's score that is no number is ignored."""
    said = number(judge_score, 0, 10)
    if said is None or weight <= 0:
        return report.score
    part = min(weight, WEIGHTS[-1])
    value = (1 - part) * report.score + part * said
    return min(value, report.score) if report.gate is not None else value


def fit(pieces: Sequence[RatedPiece], version: int) -> JudgePart:
    """The weight that ranks the judged pieces most like the writer, if that holds on held-out prompts.

    Chosen in five folds, no prompt in two of them, and measured on the fold left out. 0 with fewer than ten judged
    ratings or five prompts, or where the gain is not shown.
    """
    known = [one for one in pieces if one.report.version == version and number(one.judged, 0, 10) is not None]
    prompts = [one.prompt for one in known]
    if len(known) < ENOUGH or len(set(prompts)) < FEWEST_GROUPS:
        return JudgePart(version, 0.0, len(known), None)
    opinions = np.array([one.rating.opinion for one in known])
    options = _options(known)
    fold, held_out = folds(prompts), options[0].copy()
    for left_out in set(fold.tolist()):
        inside = fold != left_out
        held_out[~inside] = options[_best(opinions[inside], options[:, inside])][~inside]
    found = gain(opinions, options[0], held_out, prompts)
    weight = WEIGHTS[_best(opinions, options)] if found is not None and found.shown else 0.0
    return JudgePart(version, weight, len(known), found)


def _options(known: Sequence[RatedPiece]) -> Array:
    """``blended`` for every weight (rows) and piece (columns)."""
    measured = np.array([one.report.score for one in known])
    said = np.array([one.judged or 0.0 for one in known])
    gated = np.array([one.report.gate is not None for one in known])
    part = np.array(WEIGHTS)[:, None]
    mixed = (1 - part) * measured + part * said
    return np.where(gated, np.minimum(mixed, measured), mixed)


def _best(opinions: Array, options: Array) -> int:
    """The first, so the smallest, weight of those that rank best."""
    ranked = np.array([mean_ranks(row) for row in (opinions, *options)])
    ranked -= ranked.mean(axis=1, keepdims=True)
    spread = np.maximum(np.sqrt((ranked**2).sum(axis=1)), 1e-9)
    return int(np.argmax(np.round(ranked[1:] @ ranked[0] / spread[1:], 6)))
