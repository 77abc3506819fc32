"""Five axes of a writer's style, each from features that are counted in the texts and named beside it.

An axis is the weighted mean of its features in standard deviations of published fiction, set to that fiction's own
spread and shown from 0 to 100: at 70, about 70 of 100 passages of 1,000 words there lie below. ``data/style/axes.json``
holds those figures (``scripts/axes_reference.py`` makes it).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from math import erf, sqrt
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zega_core.catalog import DATA
from zega_core.errors import ConfigError
from zega_core.quality.features import FIELDS, FUNCTION_WORDS, MAX_CHARS, plain_marks, stem, words_of
from zega_core.style import axis_words as lists
from zega_core.style.counting import PLACE, Floats
from zega_core.style.counting import measure as measure_counts
from zega_core.style.reference import Spread

PATH = DATA.parent / "style" / "axes.json"
LEAST_LENGTH = 4
"""Letters of a word that can be rare at least."""

COUNTED = (
    *("words", "sentences", "paragraphs", "spoken", "persons", "names", "adjectives", "sensory", "things", "inner"),
    *("action", "dark", "light", "humour", "marks", "rare", "archaic", "casual", "letters"),
)
"""What is counted in a text: sums, so that those of many texts add up."""
_AT = {name: number for number, name in enumerate(COUNTED)}

LENGTHS = ("sentence_length", "paragraph_length", "word_length")
"""Features that are lengths, in words or letters; all others are per 100 words."""
WEIGHTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "descriptiveness": {"adjectives": 1.0, "sensory": 1.0, "things": 1.0},
        "character_focus": {"inner": 1.0, "persons": 0.7, "names": 0.4, "speech": 0.4},
        "pacing": {"sentence_length": -1.0, "action": 1.0, "paragraph_length": -0.5},
        "tone": {"dark": -1.0, "light": 1.0, "humour": 0.7},
        "vocabulary": {"rare": 1.0, "archaic": 0.8, "word_length": 0.8, "casual": -1.0},
    }
)
"""The features of each axis and what they count there; with a minus, more of it moves the axis down."""
ENDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "descriptiveness": ("concise", "descriptive"),
        "character_focus": ("plot", "character"),
        "pacing": ("slow", "fast"),
        "tone": ("dark and serious", "light"),
        "vocabulary": ("modern and casual", "formal and archaic"),
    }
)
"""What 0 and 100 mean, by axis."""
AXES = tuple(WEIGHTS)
FEATURES = tuple(dict.fromkeys(name for weights in WEIGHTS.values() for name in weights))

_CAPITAL = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")
_LOWER = re.compile(r"(?<![^\W\d_'])[a-z]+(?![^\W\d_])")


@dataclass(frozen=True, slots=True)
class Axis:
    """``value`` is 0..100, 50 being the middle of published fiction; ``measured_from`` the features with their natural
    values (per 100 words, or a length); ``words`` what it was measured on."""

    key: str
    value: float
    low: str
    high: str
    measured_from: tuple[tuple[str, float], ...]
    words: int


class _Scale(BaseModel):
    model_config = ConfigDict(extra="forbid")

    middle: float = Field(allow_inf_nan=False)
    spread: float = Field(gt=0, allow_inf_nan=False)


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid")

    made_by: str
    source: str
    books: int
    chunks: int
    chunk_words: int
    features: dict[str, Spread]
    axes: dict[str, _Scale]
    common_words: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Published fiction: features after ``bent`` and axes before they are scaled."""

    features: Mapping[str, Spread]
    axes: Mapping[str, _Scale]


@cache
def load_axes(path: Path = PATH) -> Reference:
    """Raises ConfigError where the shipped file is missing or broken."""
    stored = _read(path)
    if set(stored.features) != set(FEATURES) or set(stored.axes) != set(AXES):
        raise _broken(path)
    return Reference(stored.features, stored.axes)


@cache
def _read(path: Path) -> _Stored:
    try:
        return _Stored.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError, RecursionError) as error:
        raise _broken(path) from error


def _broken(path: Path) -> ConfigError:
    return ConfigError(f"{path.name}, which comes with ZEGA, cannot be read. Install ZEGA again.")


@cache
def _common() -> frozenset[str]:
    return frozenset(stem(word) for word in _read(PATH).common_words.split()) | frozenset(map(stem, lists.MODERN))


def count(text: str, common: frozenset[str] | None = None) -> Floats:
    """Counts of one text by ``COUNTED``, of its first ``MAX_CHARS`` characters; any string is accepted. ``common`` are
    stems that do not count as rare, those of the shipped reference unless others are handed in."""
    text = text[:MAX_CHARS]
    plain = plain_marks(text)
    words = words_of(plain)
    told = measure_counts(text).numbers
    known = _common() if common is None else common
    small = set(_LOWER.findall(plain))
    found = dict.fromkeys(COUNTED, 0.0)
    for name in ("words", "sentences", "paragraphs", "spoken"):
        found[name] = float(told[PLACE[name]])
    found["persons"] = float(told[PLACE["first"]] + told[PLACE["third"]])
    found["marks"] = float(told[PLACE["exclamations"]] + told[PLACE["parentheses"]])
    found["names"] = float(sum(one.lower() not in FUNCTION_WORDS for one in _CAPITAL.findall(plain)))
    for word in words:
        for name in _kinds(word[:60]):
            found[name] += 1
        found["letters"] += len(word)
        found["rare"] += word in small and _may_be_rare(word[:60]) and stem(word[:60]) not in known
    return np.array([found[name] for name in COUNTED])


def _may_be_rare(word: str) -> bool:
    return len(word) >= LEAST_LENGTH and "'" not in word and word not in FUNCTION_WORDS


@lru_cache(maxsize=20_000)
def _kinds(word: str) -> tuple[str, ...]:
    """Which of the lists a word is in."""
    bare = word.removesuffix("'s")
    ends = len(word) > 5 and word.endswith(lists.ADJECTIVE_ENDS) and word not in lists.NO_ADJECTIVES
    is_casual = word in lists.CASUAL or any(word.endswith(end) for end in lists.CONTRACTIONS)
    tests = {
        "adjectives": ends or word in lists.ADJECTIVES,
        "sensory": bare in lists.SENSORY,
        "things": word not in FUNCTION_WORDS and stem(word) in FIELDS,
        "inner": bare in lists.INNER,
        "action": word in lists.ACTION,
        "dark": bare in lists.DARK,
        "light": bare in lists.LIGHT,
        "humour": word in lists.HUMOUR,
        "archaic": word in lists.ARCHAIC,
        "casual": is_casual,
    }
    return tuple(name for name, holds in tests.items() if holds)


def natural(numbers: Floats) -> dict[str, float]:
    """Features from counts: lengths, and for the rest how many per 100 words. All 0 where there are no words."""
    of = {name: float(numbers[at]) for name, at in _AT.items()}
    words = max(of["words"], 1.0)
    found = {name: 100 * of[name] / words for name in FEATURES if name in of}
    found["speech"] = 100 * of["spoken"] / words
    found["humour"] = 100 * (of["humour"] + of["marks"] / 3) / words
    found["sentence_length"] = of["words"] / max(of["sentences"], 1.0)
    found["paragraph_length"] = of["words"] / max(of["paragraphs"], 1.0)
    found["word_length"] = of["letters"] / words
    return {name: found[name] for name in FEATURES}


def bent(name: str, value: float) -> float:
    """A feature on the scale on which its spread is even: the logarithm of lengths, the root of the rest."""
    return float(np.log(max(value, 0.1))) if name in LENGTHS else sqrt(max(value, 0.0))


def raw_axes(values: Mapping[str, float], features: Mapping[str, Spread]) -> dict[str, float]:
    """Each axis as the weighted mean of its features in standard deviations, none counting for more than 4."""
    scaled = {
        name: min(4.0, max(-4.0, (bent(name, value) - features[name].mean) / features[name].deviation))
        for name, value in values.items()
    }
    return {
        key: sum(weight * scaled[name] for name, weight in weights.items()) / sum(map(abs, weights.values()))
        for key, weights in WEIGHTS.items()
    }


def axes_of(numbers: Floats, words: int | None = None) -> tuple[Axis, ...]:
    """The five axes of pooled counts, which may be weighted; ``words`` is what to say they were measured on. Without a
    word each is 50. Raises ConfigError where the shipped reference is broken."""
    values, reference = natural(numbers), load_axes()
    raw = raw_axes(values, reference.features)
    nothing = numbers[_AT["words"]] <= 0
    return tuple(
        Axis(
            key=key,
            value=50.0 if nothing else _shown(raw[key], reference.axes[key]),
            low=ENDS[key][0],
            high=ENDS[key][1],
            measured_from=tuple((name, round(values[name], 2)) for name in WEIGHTS[key]),
            words=int(numbers[_AT["words"]]) if words is None else words,
        )
        for key in AXES
    )


def _shown(raw: float, scale: _Scale) -> float:
    """From 0 to 100: the share of a normal distribution that lies below."""
    return round(50 * (1 + erf((raw - scale.middle) / scale.spread / sqrt(2))), 1)


def words_in(numbers: Floats) -> float:
    return float(numbers[_AT["words"]])
