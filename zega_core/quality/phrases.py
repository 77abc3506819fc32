"""Runs of words that come back in several texts, and how texts begin and end alike.

Longer runs are only looked for where shorter ones came back (Agrawal & Srikant, "Fast algorithms for mining association
rules", 1994, for sequences): the work grows with the text, and memory with what repeats.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from zega_core.quality.features import FUNCTION_WORDS

SHORTEST, LONGEST = 4, 12
"""Words of a phrase."""
ALIKE = 0.8
MOST = 200
"""Runs that are told: more nobody reads, and it keeps the comparing of runs in bounds."""

Words = tuple[str, ...]
Holders = Mapping[Words, Sequence[int]]


def repeated_runs(
    texts: Sequence[array[int]], alive: Callable[[int], bool], least: int
) -> dict[tuple[int, ...], list[int]]:
    """Runs of ``SHORTEST`` to ``LONGEST`` words that stand in ``least`` texts or more, with the numbers of these texts.

    A text is the numbers of its words; a run holds only words that are ``alive``.
    """
    rows: list[tuple[int, Sequence[int]]] = [
        (number, [word if alive(word) else -1 for word in words]) for number, words in enumerate(texts)
    ]
    size = max((max(row, default=0) for _, row in rows), default=0) + 1
    found: dict[tuple[int, ...], list[int]] = {}
    for length in range(2, LONGEST + 1):
        counts: Counter[int] = Counter()
        for _, row in rows:
            counts.update({a * size + b for a, b in pairwise(row) if a >= 0 <= b})
        known = {pair: number for number, pair in enumerate(pair for pair, n in counts.items() if n >= least)}
        if not known:
            break
        rows = [(number, _joined(row, known, size)) for number, row in rows]
        rows = [(number, row) for number, row in rows if max(row) >= 0]
        size = len(known)
        if length >= SHORTEST:
            found |= _held(rows, texts, length)
    return found


def _joined(row: Sequence[int], known: Mapping[int, int], size: int) -> list[int]:
    return [known.get(a * size + b, -1) if a >= 0 <= b else -1 for a, b in pairwise(row)] or [-1]


def _held(
    rows: Iterable[tuple[int, Sequence[int]]], texts: Sequence[array[int]], length: int
) -> dict[tuple[int, ...], list[int]]:
    holders: dict[int, list[int]] = {}
    words: dict[int, tuple[int, ...]] = {}
    for number, row in rows:
        for run in set(row) - {-1}:
            holders.setdefault(run, []).append(number)
            if run not in words:
                start = row.index(run)
                words[run] = tuple(texts[number][start : start + length])
    return {words[run]: numbers for run, numbers in holders.items()}


def told_of(candidates: Holders, least: int) -> dict[Words, list[int]]:
    """What to tell of runs that contain or overlap each other, most frequent first: each in its longest form that still
    stands in ``ALIKE`` of its texts, and none that is in fewer than ``least`` texts without a told one that shares two
    neighbouring words with it; the ``MOST`` most frequent. Runs of function words alone are passed over."""
    candidates = {words: texts for words, texts in candidates.items() if _says_something(words)}
    told: dict[Words, list[int]] = {}
    by_pair: dict[Words, list[set[int]]] = {}
    longer = _longer(candidates)
    for start in sorted(candidates, key=lambda words: (-len(candidates[words]), -len(words), words)):
        if len(told) == MOST:
            break
        words = _grown(start, candidates, longer)
        texts = set(candidates[start])
        pairs = list(pairwise(start))
        if all(len(texts - others) >= least for pair in pairs for others in by_pair.get(pair, ())):
            told[words] = sorted(candidates[words])
            for pair in pairwise(words):
                by_pair.setdefault(pair, []).append(texts)
    return told


def _longer(candidates: Holders) -> dict[Words, list[Words]]:
    """By each run, those that have one word more."""
    found: dict[Words, list[Words]] = {}
    for words in candidates:
        for part in {words[1:], words[:-1]} & candidates.keys():
            found.setdefault(part, []).append(words)
    return found


def _grown(words: Words, candidates: Holders, longer: Mapping[Words, Sequence[Words]]) -> Words:
    enough = ALIKE * len(candidates[words])
    while more := [one for one in longer.get(words, ()) if len(candidates[one]) >= enough]:
        words = max(more, key=lambda one: (len(candidates[one]), one))
    return words


def shared_edges(edges: Sequence[Words], lengths: Sequence[int], least: int, *, end: bool = False) -> Holders:
    """Beginnings (or ends) of one of the ``lengths`` that ``least`` or more of the ``edges`` share."""
    holders: dict[Words, list[int]] = {}
    for number, edge in enumerate(edges):
        for length in lengths:
            if len(edge) >= length:
                holders.setdefault(edge[-length:] if end else edge[:length], []).append(number)
    return told_of({words: numbers for words, numbers in holders.items() if len(numbers) >= least}, least)


def _says_something(words: Words) -> bool:
    return any(word not in FUNCTION_WORDS for word in words)
