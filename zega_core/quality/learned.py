"""What people's ratings taught: several judges, each fitted to one set of rated texts, and who of them is asked.

A judge for a kind of text is a weighted sum of up to five simple predictors. Which judges count, and how much, follows
from the text alone: softly, by how much it resembles what each of them was fitted to. All numbers are in
``data/quality/model.npz``, made by ``scripts/fit_quality.py``; the model card beside it says from what.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zega_core.catalog import DATA
from zega_core.quality import hashed, signals, syntax
from zega_core.quality.features import Piece, plain_marks
from zega_core.quality.words import closeness, load_words, meaning, surprise

Floats = NDArray[np.float64]

PATH = DATA.parent / "quality" / "model.npz"
MOST = 2.5
"""No measure counts for more than this many standard deviations, however odd the text."""
HEARD = 0.01
READ_CHARS = 6_000
"""How much of a text the measures read."""


_BRIEF = re.compile(r"\b(?:two|three|four|five|six|seven|eight|nine|ten|\d{1,2})[- ]sentences?\b", re.IGNORECASE)
OF_THE_PROMPT = ("asked", "prompt_")
"""How the names of measures begin that compare a piece with its prompt. They do not choose the judge: whether a prompt
came with a text says nothing of its kind."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the judges read of one text: ``dense`` the named measures, ``habits`` the syntax, the hashed counts, and
    ``brief``, 1 where the prompt asks for a few sentences only."""

    dense: Floats
    habits: Floats
    places: NDArray[np.int64]
    counts: Floats
    brief: float = 0.0


def named(piece: Piece, raw: str, prompt: Piece) -> dict[str, float]:
    """All named measures of a piece in a fixed order; finite for every text."""
    words = load_words()
    sentences = meaning(piece, words)
    asked = meaning(prompt, words).sum(0) if prompt.words else None
    if asked is not None:
        asked = asked / (np.sqrt(asked @ asked) + 1e-9)
    return {
        **signals.measure(piece, raw),
        **signals.answers(piece, prompt),
        **closeness(sentences, asked),
        **surprise(piece, words),
    }


def measured(piece: Piece, raw: str, prompt: Piece) -> Measured:
    raw = plain_marks(raw)
    where, counts = hashed.places(raw)
    dense = np.array([*named(piece, raw, prompt).values()])
    return Measured(
        np.nan_to_num(dense), syntax.habits(piece.text), where, counts, float(bool(_BRIEF.search(prompt.text)))
    )


def ranked(dense: Floats, knots: Floats) -> Floats:
    """Each measure as its place among the texts that ``knots`` (measures x quantiles) were taken from, on a scale like
    that of the normal distribution: the logit of its rank, times 0.6. Any shape ``(..., measures)``."""
    steps = knots.shape[1] - 1
    below = (knots < dense[..., None]).sum(-1)
    upto = (knots <= dense[..., None]).sum(-1)
    row = np.arange(len(knots))
    lower, upper = np.maximum(below - 1, 0), np.minimum(below, steps)
    left, right = knots[row, lower], knots[row, upper]
    apart = right > left
    between = np.where(apart, (dense - left) / np.where(apart, right - left, 1), 0.0)
    within = lower + np.minimum(np.maximum(between, 0), 1)
    place = np.where(upto > below, (below + upto - 1) / 2, within) / steps
    place = np.minimum(np.maximum(place, 0.005), 0.995)
    return np.minimum(np.maximum(0.6 * np.log(place / (1 - place)), -MOST), MOST)


@dataclass(frozen=True, slots=True)
class Trees:
    """Extremely randomised trees (Geurts et al. 2006) in one table; the left child of a node is the row after it."""

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    """-1 in a leaf."""
    threshold: Floats
    right: NDArray[np.int64]
    value: Floats

    _next: NDArray[np.int64] = field(init=False, repr=False)
    """The row after each, twice: where it stays below the threshold and where not; a leaf leads to itself."""

    def __post_init__(self) -> None:
        own = np.arange(len(self.feature))
        inner = self.feature >= 0
        both = np.stack((np.where(inner, own + 1, own), np.where(inner, self.right, own)), axis=1)
        object.__setattr__(self, "_next", both.ravel())

    def predict(self, row: Floats) -> float:
        at = self.roots
        while True:
            beyond = row.take(self.feature.take(at), mode="wrap") > self.threshold.take(at)
            after = self._next.take(2 * at + beyond)
            if (after == at).all():
                return float(self.value.take(at).mean())
            at = after


@dataclass(frozen=True, slots=True)
class Judge:
    """One set's judge. ``weights`` names the predictors that count; ``centres`` and ``spreads`` bring each to the same
    scale. ``level`` and ``slope`` put its opinion on the scale from 0 to 10."""

    knots: Floats
    usual: Floats
    spread: Floats
    plain: Floats
    full: Floats
    words: NDArray[np.float32]
    letters: NDArray[np.float32]
    trees: Trees | None
    weights: Mapping[str, float]
    centres: Mapping[str, float]
    spreads: Mapping[str, float]
    level: float
    slope: float

    def parts(self, text: Measured, place: Floats, rarity: Floats) -> Iterator[tuple[str, float]]:
        """What each predictor says, on its own scale; only those that count. ``place`` is among this judge's texts."""
        habit = np.minimum(np.maximum((text.habits - self.usual) / self.spread, -3), 3)
        whole = np.concatenate((place, 0.3 * habit))
        cut = int(np.searchsorted(text.places, hashed.PLACES))
        bags = {"words": (slice(0, cut), self.words, 0), "letters": (slice(cut, None), self.letters, hashed.PLACES)}
        for name in self.weights:
            if name in bags:
                part, learnt, offset = bags[name]
                telling = text.counts[part] * rarity[text.places[part]]
                length = float(np.sqrt(telling @ telling)) + 1e-9
                yield name, float(telling @ learnt[text.places[part] - offset]) / length
            elif name == "trees":
                yield name, self.trees.predict(whole) if self.trees else 0.0
            else:
                yield name, float(self.plain @ place) if name == "plain" else float(self.full @ whole)

    def opinion(self, text: Measured, place: Floats, rarity: Floats) -> float:
        """In standard deviations of what this judge says of the texts of its set; 0 is the middle one."""
        total = sum(
            self.weights[name] * (value - self.centres[name]) / self.spreads[name]
            for name, value in self.parts(text, place, rarity)
        )
        return min(max((total - self.centres["all"]) / self.spreads["all"], -MOST), MOST)


@dataclass(frozen=True, slots=True)
class Model:
    names: tuple[str, ...]
    judges: Mapping[str, Judge]
    rarity: Floats
    knots: Floats
    chooser: Floats
    """One row per judge, in their order, and a last one for published fiction, where the rules judge: a constant, one
    number per measure, and one for ``brief``."""
    relevance: Floats
    """A constant, then one number per measure: how far a piece answers its prompt, in standard deviations."""

    def shares(self, place: Floats, brief: float) -> Floats:
        """How much each judge is asked, in their order, and last the rules; they add up to 1."""
        force = self.chooser[:, 0] + self.chooser[:, 1:-1] @ place + self.chooser[:, -1] * brief
        force = np.exp(force - force.max())
        return force / force.sum()


@dataclass(frozen=True, slots=True)
class Verdict:
    """``value`` is the judges' part of a score from 0 to 10, without that of the rules, whose share is ``rules``;
    ``opinions`` are in standard deviations, ``places`` the measures among a judge's texts, by judge. One whose share
    is below ``HEARD`` is not asked: its opinion is 0, which changes the value by 0.03 at most."""

    value: float
    rules: float
    places: Mapping[str, Floats]
    opinions: Mapping[str, float]
    shares: Mapping[str, float]
    relevance: float


def verdict(text: Measured, model: Model) -> Verdict:
    place = ranked(text.dense, model.knots)
    shares = model.shares(place, text.brief)
    places, opinions = dict[str, Floats](), dict.fromkeys(model.judges, 0.0)
    for share, (name, judge) in zip(shares, model.judges.items(), strict=False):
        if share >= HEARD:
            places[name] = ranked(text.dense, judge.knots)
            opinions[name] = judge.opinion(text, places[name], model.rarity)
    value = sum(
        share * (judge.level + judge.slope * opinions[name])
        for share, (name, judge) in zip(shares, model.judges.items(), strict=False)
    )
    relevance = float(model.relevance[0] + model.relevance[1:] @ place)
    by_judge = dict(zip(model.judges, map(float, shares), strict=False))
    return Verdict(float(value), float(shares[-1]), places, opinions, by_judge, relevance)


@cache
def load_model(path: Path = PATH) -> Model:
    """The shipped model; numbers only, nothing in the file is ever run."""
    with np.load(path, allow_pickle=False) as stored:
        return from_arrays(dict(stored))


def from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> Model:
    about = json.loads(arrays["about"].tobytes())
    floats = {name: array.astype(np.float64) for name, array in arrays.items() if array.dtype.kind == "f"}
    judges = {name: _judge(name, about["judges"][name], arrays, floats) for name in about["judges"]}
    return Model(
        tuple(about["names"]), judges, floats["rarity"], floats["knots"], floats["chooser"], floats["relevance"]
    )


def _judge(
    name: str,
    about: Mapping[str, Mapping[str, float]],
    arrays: Mapping[str, NDArray[np.generic]],
    floats: Mapping[str, Floats],
) -> Judge:
    trees = None
    if "trees" in about["weights"]:
        trees = Trees(
            arrays[f"{name}.roots"].astype(np.int64),
            arrays[f"{name}.feature"].astype(np.int64),
            floats[f"{name}.threshold"],
            arrays[f"{name}.right"].astype(np.int64),
            floats[f"{name}.value"],
        )
    nothing = np.zeros(hashed.PLACES)
    return Judge(
        **{part: floats[f"{name}.{part}"] for part in ("knots", "usual", "spread", "plain", "full")},
        words=floats.get(f"{name}.words", nothing).astype(np.float32),
        letters=floats.get(f"{name}.letters", nothing).astype(np.float32),
        trees=trees,
        weights=about["weights"],
        centres=about["centres"],
        spreads=about["spreads"],
        level=about["scale"]["level"],
        slope=about["scale"]["slope"],
    )
