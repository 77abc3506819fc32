"""What a writer has kept, by genre, element, mood and length, and what of it is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from zega_core.catalog import load_catalog
from zega_core.questions.book import load_book

SHORT, LONG = 60, 180
"""Words below which a text is short, and from which on it is long."""
FEW = 0.5
"""Of what its neighbours have on average: with less, there is too little of something."""
VISIT, VISIT_SHARE = 4, 0.1
"""Examples in a genre, and their share of all, from which on a writer works in it."""
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of what a writer has kept. ``cells`` counts by genre and element, "" where they are not known; ``moods`` by the
    catalog's modifiers; ``lengths`` are ``short``, ``middle`` and ``long``."""

    cells: Mapping[tuple[str, str], int]
    moods: Mapping[str, int]
    lengths: Mapping[str, int]
    total: int


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is missing: a genre's element (any genre's where ``genre`` is empty), a mood or a length; the
    other fields are empty. ``count`` is what there is of it."""

    genre: str = ""
    element: str = ""
    modifier: str = ""
    length: str = ""
    words_for_it: str = ""
    count: int = 0


def coverage(rows: Iterable[tuple[str, str, str | None, int]]) -> Coverage:
    """Of genre, element, modifier and number of words of each example."""
    cells, moods, lengths, total = Counter[tuple[str, str]](), Counter[str](), Counter[str](), 0
    for genre, element, modifier, words in rows:
        total += 1
        cells[genre, element] += 1
        lengths[length_of(words)] += 1
        if modifier:
            moods[modifier] += 1
    return Coverage(cells, moods, lengths, total)


def length_of(words: int) -> str:
    return "short" if words < SHORT else "long" if words >= LONG else "middle"


def works_in(found: Coverage) -> list[str]:
    """The genres that a writer works in, most first: a few examples of one are a visit."""
    counts = Counter[str]()
    for (genre, _), number in found.cells.items():
        if genre and number:
            counts[genre] += number
    least = max(VISIT, VISIT_SHARE * sum(counts.values()))
    return [genre for genre, number in counts.most_common() if number >= least]


def in_words(found: Coverage) -> str:
    """The map of genres and elements as a sentence, for those who cannot see it."""
    catalog = load_catalog()
    parts = []
    for genre in catalog.genres:
        numbers = [(found.cells.get((genre.key, one.key), 0), one.label.lower()) for one in catalog.elements]
        there = ", ".join(f"{number} {label}" for number, label in numbers if number)
        parts.append(f"{genre.label}: {there or 'nothing yet'}")
    return "; ".join(parts) + "."


def lacks(found: Coverage, *, genres: Sequence[str] = ()) -> list[Lack]:
    """What is missing, most wanted first: what there is none of before what there is too little of, and in ``genres``
    (else those that the writer works in) before the others. An unknown genre "" in ``genres`` stands for elements of
    whatever genre. Empty where everything is there."""
    first = list(genres) or works_in(found)
    others = [genre.key for genre in load_catalog().genres if genre.key not in first] if "" not in first else []
    return [*_cells(found, first), *_moods(found), *_lengths(found), *_cells(found, others)]


def _cells(found: Coverage, genres: Sequence[str]) -> list[Lack]:
    catalog = load_catalog()
    counts = {(genre, one.key): _number(found, genre, one.key) for genre in genres for one in catalog.elements}
    labels = {genre.key: f"{genre.label.lower()} " for genre in catalog.genres}
    return [
        Lack(genre, element, words_for_it=_of_cell(f"{labels.get(genre, '')}{element}", number), count=number)
        for (genre, element), number in _too_few(counts)
    ]


def _number(found: Coverage, genre: str, element: str) -> int:
    if genre:
        return found.cells.get((genre, element), 0)
    return sum(number for (_, one), number in found.cells.items() if one == element)


def _of_cell(what: str, number: int) -> str:
    if not number:
        return f"You have no {what} yet."
    return f"You have only {number} {what}{'s' if number > 1 else ''} so far."


def _moods(found: Coverage) -> list[Lack]:
    counts = {one.key: found.moods.get(one.key, 0) for one in load_catalog().modifiers}
    words = load_book().mood_words
    return [
        Lack(modifier=key, words_for_it=f"You have {_how_much(number)} {words[key]}{_end(number)}", count=number)
        for key, number in _too_few(counts)
    ]


def _lengths(found: Coverage) -> list[Lack]:
    counts = {key: found.lengths.get(key, 0) for key in ("short", "middle", "long")}
    words = {
        "short": f"of fewer than {SHORT} words",
        "middle": f"of {SHORT} to {LONG - 1} words",
        "long": f"of {LONG} words or more",
    }
    return [
        Lack(length=key, words_for_it=f"You have {_how_much(number)} {words[key]}{_end(number)}", count=number)
        for key, number in _too_few(counts)
    ]


def _how_much(number: int) -> str:
    return f"only {number} {'text' if number == 1 else 'texts'}" if number else "nothing"


def _end(number: int) -> str:
    return " so far." if number else " yet."


def _too_few(counts: Mapping[Key, int]) -> list[tuple[Key, int]]:
    """Those that have none, or less than ``FEW`` of the average; fewest first."""
    least = max(1.0, FEW * sum(counts.values()) / max(len(counts), 1))
    return sorted(((key, number) for key, number in counts.items() if number < least), key=lambda one: one[1])
