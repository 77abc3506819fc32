"""Which themes and kinds of character a text has, by the words of ``data/catalog/themes.toml``.

Every entry of that file is one sign, and counts once in a text however often it stands there. A sign of the core counts
two points, one that is only near counts one: four points and one sign of the core make a theme, so that no single word
does. Where one point is lacking the meaning can decide, if vectors are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zega_core.catalog import DATA
from zega_core.quality.features import MAX_CHARS
from zega_core.quality.worn import words_in
from zega_core.style.axis_words import forms
from zega_core.toml_tables import Table, read_toml

CORE, NEAR, WANTED = 2, 1, 4
"""Points of a sign of each kind, and those that make a theme in a text of up to ``USUAL_WORDS``."""
USUAL_WORDS, A_POINT_MORE = 300, 150
"""Longer texts have more of all words: they want a point more for each so many words beyond the usual."""
MOST_LEFT = 1
"""Points that may lack where the meaning has to decide."""
ALIKE = 0.30
"""Cosine of a text and the sentence of a theme from which on it has that theme, where words leave it open. With MiniLM,
of 42 texts each written for one theme, 60 % reach it with theirs, and 4 % of those with a theme that they have not."""
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Motif:
    """A theme or an archetype as the catalog has it. ``core`` and ``near`` are signs, each with its spellings."""

    key: str
    label: str
    hint: str
    meaning: str
    core: tuple[tuple[str, ...], ...]
    near: tuple[tuple[str, ...], ...]
    archetype: bool


@dataclass(frozen=True, slots=True)
class Theme:
    """``count`` is how many pieces have it, ``share`` which part of all they are, 0..1, weighted."""

    key: str
    label: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Found:
    """Keys of what a text has, and of what it nearly has: there the meaning may decide."""

    sure: frozenset[str]
    open: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Sign:
    motif: str
    number: int
    points: int


@cache
def load_motifs(folder: Path = DATA) -> Mapping[str, Motif]:
    """All of the catalog by key, the themes first; raises ConfigError naming file and line."""
    root = read_toml(folder / "themes.toml")
    root.only("theme", "archetype")
    found: dict[str, Motif] = {}
    for kind in ("theme", "archetype"):
        for table in root.tables(kind):
            motif = _motif(table, kind == "archetype")
            if motif.key in found:
                raise table.broken(f"'{motif.key}' is there twice.", "key", motif.key)
            found[motif.key] = motif
    return found


def _motif(table: Table, archetype: bool) -> Motif:
    table.only("key", "label", "hint", "meaning", "core", "near")
    return Motif(
        *(table.text(key) for key in ("key", "label", "hint", "meaning")),
        core=tuple(_spellings(table, "core", one) for one in table.texts("core", 3)),
        near=tuple(_spellings(table, "near", one) for one in table.texts("near", 3)),
        archetype=archetype,
    )


def _spellings(table: Table, key: str, entry: str) -> tuple[str, ...]:
    found: list[str] = []
    for one in entry.split("|"):
        regular = forms(one.removesuffix("+")) if one.endswith("+") else (one,)
        if any(not form or form != " ".join(form.lower().split()) for form in regular):
            raise table.broken(f"'{one}' must be words in small letters.", key, entry)
        found += regular
    return tuple(dict.fromkeys(found))


@cache
def _lexicon() -> Mapping[str, tuple[tuple[tuple[str, ...], _Sign], ...]]:
    """By first word: what must follow it, and what that is a sign of."""
    table: dict[str, list[tuple[tuple[str, ...], _Sign]]] = {}
    for motif in load_motifs().values():
        signs = [(one, CORE) for one in motif.core] + [(one, NEAR) for one in motif.near]
        for number, (spellings, points) in enumerate(signs):
            for spelling in spellings:
                first, *rest = words_in(spelling.replace("-", " "))
                table.setdefault(first, []).append((tuple(rest), _Sign(motif.key, number, points)))
    return {first: tuple(entries) for first, entries in table.items()}


def find(text: str) -> Found:
    """What a text has, by the words of its first ``MAX_CHARS`` characters. Any string is accepted; linear in its
    length."""
    tokens = words_in(text[:MAX_CHARS].replace("-", " "))
    lexicon, signs = _lexicon(), set[_Sign]()
    for at, word in enumerate(tokens):
        for rest, sign in lexicon.get(word, ()):
            if not rest or tuple(tokens[at + 1 : at + 1 + len(rest)]) == rest:
                signs.add(sign)
    points: dict[str, int] = {}
    has_core: set[str] = set()
    for sign in signs:
        points[sign.motif] = points.get(sign.motif, 0) + sign.points
        if sign.points == CORE:
            has_core.add(sign.motif)
    wanted = WANTED + max(0, len(tokens) - USUAL_WORDS) // A_POINT_MORE
    sure = frozenset(key for key in has_core if points[key] >= wanted)
    left = frozenset(key for key in has_core - sure if points[key] >= wanted - MOST_LEFT)
    return Found(sure, left)


def confirmed(texts: Sequence[str], found: Sequence[Found], embed: Embed) -> list[frozenset[str]]:
    """What each text has, where ``embed`` gives vectors of length one for texts: what words leave open is there when
    the text is at least ``ALIKE`` to the sentence that says what it means. Only texts with something open are asked
    for."""
    asked = [number for number, one in enumerate(found) if one.open]
    keys = sorted({key for one in found for key in one.open})
    if not asked:
        return [one.sure for one in found]
    vectors = embed([*(load_motifs()[key].meaning for key in keys), *(texts[number] for number in asked)])
    meanings, rows = dict(zip(keys, vectors, strict=False)), vectors[len(keys) :]
    near = {
        number: frozenset(key for key in found[number].open if float(meanings[key] @ row) >= ALIKE)
        for number, row in zip(asked, rows, strict=True)
    }
    return [one.sure | near.get(number, frozenset()) for number, one in enumerate(found)]


def tally(found: Iterable[tuple[frozenset[str], float]]) -> tuple[tuple[Theme, ...], tuple[Theme, ...]]:
    """Themes and archetypes of pieces, given the keys that each has and its weight; the most frequent first."""
    counts: dict[str, int] = {}
    weights: dict[str, float] = {}
    total = 0.0
    for keys, weight in found:
        total += weight
        for key in keys:
            counts[key] = counts.get(key, 0) + 1
            weights[key] = weights.get(key, 0.0) + weight
    motifs = load_motifs()
    themes = [
        Theme(key, motifs[key].label, number, round(weights[key] / total, 4) if total else 0.0)
        for key, number in counts.items()
        if key in motifs
    ]
    themes.sort(key=lambda one: (-one.share, -one.count, one.key))
    return (
        tuple(one for one in themes if not motifs[one.key].archetype),
        tuple(one for one in themes if motifs[one.key].archetype),
    )
