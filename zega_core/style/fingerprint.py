"""How a set of texts is written, in numbers, and how near two sets are to each other.

    theirs = fingerprint(pool([measure(text) for text in texts]))
    distance(theirs, fingerprint(measure(other)))

Function words are compared by Burrows' Delta (J. Burrows, "Delta: a measure of stylistic difference and a guide to
likely authorship", Literary and Linguistic Computing 17, 2002). Everything is counted in standard deviations of
published prose (``style.reference``). M. Eder ("Does size matter? Authorship attribution, small samples, big problem",
Digital Scholarship in the Humanities 30, 2015) found that attribution by frequent words wants about 5,000 words of
prose and comes apart well below that; what was measured here decides ``LEAST_WORDS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
"""Words of text below which a fingerprint says more about chance than about its author."""
MOST = 4.0
"""No feature counts for more than this many standard deviations, however odd the text."""
AXES: Mapping[str, str] = MappingProxyType(
    {
        "sentences": "Sentence length",
        "rhythm": "Uneven sentences",
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
        "function words": (0.5, FUNCTION_WORDS),
        "sentences": (0.1, ("sentence_length", "sentence_spread", "short_sentences", "long_sentences")),
        "punctuation": (0.1, MARKS),
        "form": (0.1, ("dialogue", "paragraph_length")),
        "telling": (0.1, ("first_person", "second_person", "third_person", "past_tense")),
        "words": (0.1, ("variety", "adverbs")),
    }
)
"""The groups of ``distance``: weight, and the features that share it equally. Weights add up to 1."""


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

    It is how many standard deviations of published prose the two lie apart, averaged over the features of each group
    and then over ``GROUPS`` by their weights; for the function words that average is Burrows' Delta."""
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

    Raises IndexError for a place that is not in ``texts``."""
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


def _weights() -> Floats:
    """What each feature and function word counts in ``distance``, shape ``(features + function words,)``."""
    place = {name: number for number, name in enumerate((*FEATURES, *FUNCTION_WORDS))}
    weights = np.zeros(len(place))
    for weight, names in GROUPS.values():
        weights[[place[name] for name in names]] = weight / len(names)
    return weights


def _distances(rows: Floats, other: Floats) -> Floats:
    return np.abs(rows - other) @ _weights()
