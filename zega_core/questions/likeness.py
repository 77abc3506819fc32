"""Whether two questions ask for the same, by what they are about and by how they are worded.

Words that say the same count as one, words that only ask for something (describe, dialogue) count for little, and
lengths and small words for nothing. No list of words knows everything: a rewording in quite other words is not found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from zega_core.quality.features import FUNCTION_WORDS, stem
from zega_core.questions.book import load_book

ALIKE = 0.65
"""From which likeness (0 to 1) on two questions are alike."""
MAX_CHARS = 2_000
_ASKING = 0.35
"""What a word that asks for something weighs beside one that says what about."""
_ENOUGH = 2.5
"""Weight of the shorter question from which on it counts that the longer one holds it."""
_HELD = 0.75
_SUBJECT, _MOST_OF = 0.25, 4
"""A word in this share of the questions asked before, and in so many at least, is their common subject."""
_WORDED, _RUNS = 1.1, 12
"""The weight of the same wording, and runs of three words from which on a question is long enough to have one."""
_LENGTH = frozenset("word words some around sentence sentences paragraph paragraphs line lines".split())
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class _Read:
    meaning: Mapping[str, float]
    runs: frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Weighed:
    weights: Mapping[str, float]
    total: float
    runs: frozenset[tuple[str, ...]]


class Asked:
    """Questions asked before, to compare others with. What many of them name, or ``about`` does, is what they are all
    about: it does not make two of them alike."""

    def __init__(self, questions: Iterable[str], about: str = "") -> None:
        found = [_read(question) for question in questions]
        counts = Counter(word for one in found for word in one.meaning)
        enough = max(_MOST_OF, _SUBJECT * len(found))
        self._common = {word for word, number in counts.items() if number >= enough} | {*_read(about).meaning}
        self._asked = [self._weighed(one) for one in found]

    def likeness(self, text: str) -> float:
        """To the nearest of them, 0 to 1. Any string is accepted."""
        mine = self._weighed(_read(text))
        return max((_between(mine, one) for one in self._asked), default=0.0)

    def has(self, text: str) -> bool:
        """Whether one of them asks for what this does."""
        return self.likeness(text) >= ALIKE

    def _weighed(self, one: _Read) -> _Weighed:
        weights = {word: weight * (_ASKING if word in self._common else 1.0) for word, weight in one.meaning.items()}
        return _Weighed(weights, sum(weights.values()), one.runs)


def _between(one: _Weighed, other: _Weighed) -> float:
    shared = sum(one.weights[word] for word in one.weights.keys() & other.weights.keys())
    total, less = one.total + other.total, min(one.total, other.total)
    meant = 2 * shared / total if total else float(one.runs == other.runs)
    held = _HELD * shared / less if less >= _ENOUGH else 0.0
    runs = len(one.runs) + len(other.runs)
    told_at_length = min(len(one.runs), len(other.runs)) >= _RUNS
    worded = _WORDED * 2 * len(one.runs & other.runs) / runs if told_at_length else 0.0
    return min(1.0, max(meant, held, worded))


@lru_cache(maxsize=4096)
def _read(text: str) -> _Read:
    plain = " ".join(_WORD.findall(text[:MAX_CHARS].lower().replace("’", "'")))
    runs = plain.split()
    spelled, stems, asking = _same_words()
    words = [word for word in spelled.sub(lambda found: _first()[found[0]], plain).split() if word not in _LENGTH]
    found = [stem(word) for word in words if word not in FUNCTION_WORDS]
    meaning = {one: _ASKING if one in asking else 1.0 for one in (stems.get(word, word) for word in found)}
    threes = frozenset(zip(runs, runs[1:], runs[2:], strict=False)) or frozenset([tuple(runs)])
    return _Read(meaning, threes)


@cache
def _first() -> dict[str, str]:
    """What stands for each expression of several words."""
    book = load_book()
    return {words: group[0] for group in (*book.same, *book.asking) for words in group if not words.isalpha()}


@cache
def _same_words() -> tuple[re.Pattern[str], Mapping[str, str], frozenset[str]]:
    """Expressions of several words, what stands for each stem, and the stems that only ask."""
    book = load_book()
    several = sorted(_first(), key=len, reverse=True)
    stems = {stem(word): stem(group[0]) for group in (*book.same, *book.asking) for word in group if word.isalpha()}
    asking = frozenset(stem(group[0]) for group in book.asking)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, several))})\b"), stems, asking
