"""What repeats in many pieces: names, beginnings, endings and phrases. Counts of pieces, never of mentions.

Something is told when at least ``LEAST`` pieces share it, and ``SHARE`` of all of them. What a piece's prompt asked for
does not count for that piece. The same pieces give the same report on every machine.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from zega_core.catalog import STARTS, Avoid
from zega_core.quality.features import FUNCTION_WORDS, MAX_CHARS, word_set
from zega_core.quality.names import NameSpotter
from zega_core.quality.phrases import Words, repeated_runs, shared_edges, told_of

LEAST, SHARE = 3, 0.02
KIND_SHARE = 0.1
"""Of the pieces, for a kind of beginning: weather and waking are common in good prose, too."""
OPENINGS, ENDINGS = (5, 4, 3, 2), (6, 5, 4, 3)
"""Words of a beginning and of an ending."""
MOST_AVOIDED = {"person": 6, "opening": 3, "start": 2, "ending": 2, "phrase": 4}
"""How much of each kind goes into a prompt; ``AVOIDED`` in all."""
AVOIDED = 12
_AVOIDED_WORDS = 8

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.!?…\n]+")
_EDGE = 8
_WEATHER = word_set(
    """rain rained raining rains storm stormy thunder lightning wind winds snow snowed fog mist drizzle clouds sleet
    hail frost downpour gale blizzard"""
)
_WAKING = word_set("woke awoke wakes waking awakened awake")
_START_WORDS = {"weather": _WEATHER, "waking": _WAKING}
_SAYS_I = {"i": "I", "i'm": "I'm", "i'd": "I'd", "i'll": "I'll", "i've": "I've"}


class Kind(StrEnum):
    person = "person"
    opening = "opening"
    start = "start"
    ending = "ending"
    phrase = "phrase"


@dataclass(frozen=True, slots=True)
class Written:
    """A piece as the report needs it."""

    id: int
    text: str
    prompt: str = ""
    genre: str = ""
    element: str = ""
    model: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Repetition:
    """``words`` as a writer reads them (for ``start``: weather or waking), and the ids of the pieces, oldest first."""

    kind: Kind
    words: str
    ids: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.ids)

    @property
    def sentence(self) -> str:
        match self.kind:
            case Kind.person:
                return f"{self.count:,} characters are called {self.words}."
            case Kind.opening:
                return f"{self.count:,} pieces begin with “{self.words}”."
            case Kind.start:
                return f"{self.count:,} pieces begin with {STARTS[self.words]}."
            case Kind.ending:
                return f"{self.count:,} pieces end with “{self.words}”."
        return f"{self.count:,} pieces say “{self.words}”."


def least_of(number: int) -> int:
    """In how many of ``number`` pieces something must be to be told."""
    return max(LEAST, ceil(number * SHARE))


def repetitions(pieces: Iterable[Written]) -> tuple[Repetition, ...]:
    """What repeats, most repeated first. Any text is accepted, nothing is raised; linear in the text."""
    read = _Read(pieces)
    found = [
        *(read.told(Kind.person, name, numbers) for name, numbers in read.names.items()),
        *(read.told(Kind.opening, *one) for one in read.edges(read.first, OPENINGS)),
        *(read.told(Kind.start, kind, numbers) for kind, numbers in read.starts()),
        *(read.told(Kind.ending, *one) for one in read.edges(read.last, ENDINGS, end=True)),
    ]
    edges = [one for one in found if one.kind in (Kind.opening, Kind.ending)]
    phrases = (read.told(Kind.phrase, *one) for one in read.phrases())
    found += [one for one in phrases if not any(_told_by(edge, one, read.least) for edge in edges)]
    remarkable = [one for one in found if one.count >= read.least]
    return tuple(sorted(remarkable, key=lambda one: (-one.count, list(Kind).index(one.kind), one.words)))


def avoid(found: Sequence[Repetition]) -> Avoid:
    """What the next prompts should keep away from: the most repeated, ``AVOIDED`` in all."""
    taken: dict[str, list[str]] = {kind: [] for kind in Kind}
    for one in found:
        if len(taken[one.kind]) < MOST_AVOIDED[one.kind] and sum(map(len, taken.values())) < AVOIDED:
            taken[one.kind].append(_short(one))
    return Avoid(
        names=tuple(taken[Kind.person]),
        openings=tuple(taken[Kind.opening]),
        starts=tuple(taken[Kind.start]),
        endings=tuple(taken[Kind.ending]),
        phrases=tuple(taken[Kind.phrase]),
    )


def _short(one: Repetition) -> str:
    """Enough of it to be known again: a request is no place for whole sentences."""
    words = one.words.split()
    if one.kind in (Kind.person, Kind.start) or len(words) <= _AVOIDED_WORDS:
        return one.words
    return " ".join(words[-_AVOIDED_WORDS:] if one.kind == Kind.ending else words[:_AVOIDED_WORDS])


class _Read:
    """All pieces taken apart once; words are numbers from then on."""

    def __init__(self, pieces: Iterable[Written]) -> None:
        self.ids: list[int] = []
        self.prompts: list[str] = []
        self.elements: list[str] = []
        self.first: list[Words] = []
        self.last: list[Words] = []
        self._texts: list[array[int]] = []
        self._numbers: dict[str, int] = {}
        self._pieces_with: Counter[int] = Counter()
        seen: Counter[str] = Counter()
        spotter = NameSpotter()
        for piece in pieces:
            text = piece.text[:MAX_CHARS].replace("’", "'")
            tokens = _TOKEN.findall(text)
            seen.update(set(tokens))
            spotter.add(len(self.ids), text)
            self._add(piece, tokens)
        self.least = least_of(len(self.ids))
        self.names = spotter.names(seen, LEAST)

    def _add(self, piece: Written, tokens: list[str]) -> None:
        numbers = self._numbers
        words = array("l", [numbers.setdefault(token.lower(), len(numbers)) for token in tokens])
        self._pieces_with.update(set(words))
        self._texts.append(words)
        self.ids.append(piece.id)
        self.prompts.append(_spaced(piece.prompt))
        self.elements.append(piece.element)
        self.first.append(tuple(_sentence(tokens)[:_EDGE]))
        self.last.append(tuple(_sentence(tokens[::-1])[:_EDGE][::-1]))

    def told(self, kind: Kind, words: str, numbers: Sequence[int]) -> Repetition:
        """Without the pieces whose prompt has these very words."""
        asked = _spaced(words)
        return Repetition(kind, words, tuple(self.ids[n] for n in numbers if asked not in self.prompts[n]))

    def edges(
        self, edges: Sequence[Words], lengths: Sequence[int], *, end: bool = False
    ) -> Iterable[tuple[str, Sequence[int]]]:
        lower = [tuple(word.lower() for word in edge) for edge in edges]
        for words, numbers in shared_edges(lower, lengths, self.least, end=end).items():
            edge = edges[numbers[0]]
            yield " ".join(edge[-len(words) :] if end else edge[: len(words)]), numbers

    def starts(self) -> Iterable[tuple[str, list[int]]]:
        """Kinds of beginning, told by a word of the first sentence. A setting may begin with its weather."""
        for kind, words in _START_WORDS.items():
            numbers = [
                number
                for number, edge in enumerate(self.first)
                if self.elements[number] != "setting" and not words.isdisjoint(word.lower() for word in edge)
            ]
            if len(numbers) >= KIND_SHARE * len(self.ids):
                yield kind, numbers

    def phrases(self) -> Iterable[tuple[str, Sequence[int]]]:
        words = list(self._numbers)
        alive = [self._pieces_with[n] >= self.least and word[0].isalnum() for word, n in self._numbers.items()]
        runs = repeated_runs(self._texts, alive.__getitem__, self.least)
        spelled = {tuple(words[n] for n in run): numbers for run, numbers in runs.items()}
        spelled = {run: numbers for run, numbers in spelled.items() if _says_enough(run)}
        capital = {name.lower(): name for name in self.names} | _SAYS_I
        for run, numbers in told_of(spelled, self.least).items():
            yield " ".join(capital.get(word, word) for word in run), numbers


def _says_enough(run: Words) -> bool:
    """A phrase needs two words that say something: "the way to the" is only English."""
    return sum(word not in FUNCTION_WORDS for word in run) >= 2


def _told_by(edge: Repetition, phrase: Repetition, least: int) -> bool:
    """Whether a phrase is only the beginning or ending that is told already."""
    one, other = _spaced(edge.words), _spaced(phrase.words)
    return (one in other or other in one) and len(set(phrase.ids) - set(edge.ids)) < least


def _sentence(tokens: Sequence[str]) -> list[str]:
    """The words up to the first end of a sentence; ends before the first word are passed over."""
    found: list[str] = []
    for token in tokens:
        if token[0].isalnum():
            found.append(token)
        elif found:
            break
    return found


def _spaced(text: str) -> str:
    return f" {' '.join(_TOKEN.findall(text.replace('’', chr(39)).lower()))} "
