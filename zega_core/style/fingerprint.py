"""How a set of texts is written, in numbers, and how near two sets are to each other.

    theirs = fingerprint(pool([measure(text) for text in texts]))
    distance(theirs, fingerprint(measure(other)))

Function words are compared by Delta (J. Burrows, "'Delta': a measure of stylistic difference and a guide to likely
authorship", Literary and Linguistic Computing 17, 2002), everything in standard deviations of published prose
(``style.reference``). M. Eder ("Does size matter? Authorship attribution, small samples, big problem", Digital
Scholarship in the Humanities 30, 2015) found that Delta wants about 5,000 words of an English novel, and does much
better with words drawn from all over a text than with one passage; ``LEAST_WORDS`` says what was found here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from zega_core.style.counting import FUNCTION_WORDS, MARKS, SIZE, Counts, Floats, measure, pool
from zega_core.style.features import FEATURES, natural
from zega_core.style.reference import load_reference

__all__ = [
    "AXES",
    "FEATURES",
    "GROUPS",
    "LEAST_WORDS",
    "Counts",
    "Fingerprint",
    "distance",
    "distances",
    "enough",
    "fingerprint",
    "measure",
    "pool",
]

LEAST_WORDS = 1500
"""Words that a fingerprint needs. Measured on five authors that nothing was made from (``benchmarks/style.py``): of two
lots of 1,500 words in pieces of 150 from one author, the one is nearer to the other than to as much by somebody else in
97.7 % of cases (1,000 words: 93.7 %, 500: 83 %). A single passage of 1,500 words, all of one scene, is in 86 %."""
MOST = 4.0
"""No feature counts for more than this many standard deviations, however odd the text."""
AXES: Mapping[str, str] = MappingProxyType(
    {
        "sentences": "Sentence length",
        "rhythm": "Mix of sentence lengths",
        "paragraphs": "Paragraph length",
        "dialogue": "Dialogue",
        "person": "First person",
        "tense": "Past tense",
        "vocabulary": "Variety of words",
        "adverbs": "Adverbs",
        "pauses": "Pauses in sentences",
        "outbursts": "Questions, exclamations",
    }
)
"""Key and label of every axis, in an order that is good for a radar."""
_FEATURE_OF = {
    "sentences": "sentence_length",
    "rhythm": "sentence_spread",
    "paragraphs": "paragraph_length",
    "person": "first_person",
    "tense": "past_tense",
    "vocabulary": "variety",
}
"""Of the axes that are not called as their feature."""

GROUPS: Mapping[str, tuple[float, tuple[str, ...]]] = MappingProxyType(
    {
        "function words": (0.70, FUNCTION_WORDS),
        "punctuation": (0.14, MARKS),
        "sentences": (0.04, ("sentence_length", "sentence_spread", "short_sentences", "long_sentences")),
        "form": (0.04, ("dialogue", "paragraph_length")),
        "telling": (0.04, ("first_person", "second_person", "third_person", "past_tense")),
        "wording": (0.04, ("variety", "adverbs")),
    }
)
"""The groups of ``distance``: weight, and the features that share it equally. Weights add up to 1. Worn phrases have
none: in published prose most chunks of 1,000 words hold not one."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``values`` are in natural units by feature (see ``FEATURES``), ``axes`` in standard deviations of published prose
    from its mean, -4 to 4, by key of ``AXES``. What a text has nothing of to measure by (no pronoun, no word at all) is
    that of published prose, so its axis is 0."""

    words: int
    values: Mapping[str, float]
    axes: Mapping[str, float]
    scaled: Floats = field(compare=False, repr=False)
    """All features and then the function words in standard deviations, shape ``(features + function words,)``."""


def fingerprint(counts: Counts) -> Fingerprint:
    """Raises ConfigError where the shipped reference is broken, and nothing for any counts of ``measure``."""
    values = _values(counts.numbers[None])[0]
    scaled = _scaled(values[None])[0]
    place = {name: number for number, name in enumerate(FEATURES)}
    return Fingerprint(
        counts.words,
        MappingProxyType({name: float(values[place[name]]) for name in FEATURES}),
        MappingProxyType({axis: float(scaled[place[_FEATURE_OF.get(axis, axis)]]) for axis in AXES}),
        scaled,
    )


def enough(one: Fingerprint) -> bool:
    """Whether it was made of so much text that its distances mean something."""
    return one.words >= LEAST_WORDS


def distance(one: Fingerprint, other: Fingerprint) -> float:
    """How differently two sets of texts are written: 0 for the same, smaller is nearer.

    It is how many standard deviations of published prose (over chunks of 1,000 words) the two lie apart: the root of
    the mean square over all features, weighted by ``GROUPS``. For the function words that is Delta with squares, as
    S. Argamon put it ("Interpreting Burrows's Delta", Literary and Linguistic Computing 23, 2008).

    Chance adds to it, the more the less text there is: two lots of 1,500 words by one author are 0.87 apart and by two
    authors 1.11, of 5,000 words 0.49 and 0.84. So compare distances of like amounts only."""
    return float(_distances(one.scaled[None], other.scaled)[0])


def distances(
    texts: Sequence[Counts], draws: NDArray[np.intp] | Sequence[Sequence[int]], writer: Fingerprint
) -> Floats:
    """``distance`` to the writer of many draws from the same texts, shape ``(draws,)``.

    ``draws`` has shape ``(draws, texts in a draw)`` and holds places in ``texts``; a place may come more than once. The
    texts of a draw are pooled, which is one multiplication of matrices for all draws. For a paired bootstrap let
    ``before`` and ``after`` answer the same prompts in the same order, and use the same draws for both::

        draws = np.random.default_rng(seed).integers(len(before), size=(2000, len(before)))
        change = distances(after, draws, writer) - distances(before, draws, writer)
        low, high = np.percentile(change, (2.5, 97.5))

    Let both have about as many words, since chance alone moves those with more of them nearer (see ``distance``): where
    lengths differ, cut the longer answer to a prompt to the words of the shorter before it is measured. Raises
    IndexError for a place that is not in ``texts``."""
    drawn = np.asarray(draws, dtype=np.intp)
    numbers = np.array([one.numbers for one in texts]).reshape(len(texts), SIZE)
    times = np.zeros((len(drawn), len(texts)))
    if drawn.size:
        np.add.at(times, (np.arange(len(drawn))[:, None], drawn), 1)
    return _distances(_scaled(_values(times @ numbers)), writer.scaled)


def _values(numbers: Floats) -> Floats:
    """``features.natural``, with the mean of published prose where there was nothing to measure by."""
    found = natural(numbers)
    return np.where(np.isnan(found), load_reference(FEATURES, FUNCTION_WORDS).mean, found)


def _scaled(values: Floats) -> Floats:
    reference = load_reference(FEATURES, FUNCTION_WORDS)
    return np.clip((values - reference.mean) / reference.deviation, -MOST, MOST)


@cache
def _weights() -> Floats:
    """What each feature and function word counts in ``distance``, shape ``(features + function words,)``."""
    place = {name: number for number, name in enumerate((*FEATURES, *FUNCTION_WORDS))}
    weights = np.zeros(len(place))
    for weight, names in GROUPS.values():
        weights[[place[name] for name in names]] = weight / len(names)
    return weights


def _distances(rows: Floats, other: Floats) -> Floats:
    return np.sqrt((rows - other) ** 2 @ _weights())
