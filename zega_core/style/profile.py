"""What a writer's texts have in common: genres, five axes of style, themes and kinds of character, and what is said of
that to a reader and to a model. Pure: texts in, numbers and sentences out."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from zega_core.catalog import GENRES, load_catalog
from zega_core.style import axes as measures
from zega_core.style import themes as motifs
from zega_core.style.axes import AXES, Axis
from zega_core.style.counting import Floats
from zega_core.style.record import (
    MEASURE,
    Corrections,
    Piece,
    Profile,
    acting,
    acting_themes,
    comes_back,
    read_profile,
)
from zega_core.style.themes import Embed, Theme, load_motifs

__all__ = [
    "AXES",
    "MEASURE",
    "Axis",
    "Corrections",
    "Piece",
    "Profile",
    "Theme",
    "acting",
    "acting_themes",
    "comes_back",
    "hints",
    "profile",
    "read_profile",
    "summary",
]

LEAST_PIECES, LEAST_WORDS = 10, 1500
"""What a profile needs: with less, chance says more than the writer (docs/benchmarks.md, on fingerprints)."""
CLEAR = 20.0
"""Points from the middle from which on an axis is worth saying."""
CHANCE = 14.0
"""Points by which an axis measured on ``LEAST_WORDS`` of one book differs from another such lot of it: the standard
deviation over lots of eight passages, the mean of 14 books and five axes (11 for pace to 17 for tone)."""
SURE = 1.64
"""Standard deviations that an axis must lie off the middle: by chance alone one in twenty does, to that side."""
SAID = 2
"""Themes named in a sentence at most."""


@dataclass(frozen=True, slots=True)
class _Look:
    piece: Piece
    counts: Floats
    motifs: frozenset[str]

    @property
    def words(self) -> int:
        return int(measures.words_in(self.counts))


def profile(pieces: Iterable[Piece], *, embed: Embed | None = None) -> Profile:
    """Of any pieces. ``embed`` gives vectors of length one and decides where words leave a theme open."""
    looks = _looked([one for one in pieces if one.weight > 0 and one.text.strip()], embed)
    own = [look for look in looks if look.piece.own]
    words, own_words = (sum(look.words for look in some) for some in (looks, own))
    from_own = _suffices(own)
    basis = own if from_own else looks
    themes, archetypes = motifs.tally((look.motifs, look.piece.weight) for look in looks)
    return Profile(
        genres=_genres(looks),
        axes=measures.axes_of(_pooled(basis), sum(look.words for look in basis)),
        themes=themes,
        archetypes=archetypes,
        pieces=len(looks),
        own_pieces=len(own),
        words=words,
        own_words=own_words,
        enough=_suffices(looks),
        from_own=from_own,
        by_genre=_axes_by_genre(basis) if from_own else {},
        themes_by_genre=_themes_by_genre(looks),
    )


def _looked(pieces: Sequence[Piece], embed: Embed | None) -> list[_Look]:
    found = [motifs.find(one.text) for one in pieces]
    texts = [one.text for one in pieces]
    has = [one.sure for one in found] if embed is None else motifs.confirmed(texts, found, embed)
    return [_Look(one, measures.count(one.text), keys) for one, keys in zip(pieces, has, strict=True)]


def _suffices(looks: Sequence[_Look]) -> bool:
    return len(looks) >= LEAST_PIECES and sum(look.words for look in looks) >= LEAST_WORDS


def _pooled(looks: Sequence[_Look]) -> Floats:
    if not looks:
        return np.zeros(len(measures.COUNTED))
    return np.sum([look.piece.weight * look.counts for look in looks], axis=0)


def _genres(looks: Sequence[_Look]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for look in looks:
        if look.piece.genre in GENRES:
            weights[look.piece.genre] = weights.get(look.piece.genre, 0.0) + look.piece.weight
    total = sum(weights.values())
    ordered = sorted(weights.items(), key=lambda one: (-one[1], one[0]))
    return {genre: round(100 * weight / total, 1) for genre, weight in ordered}


def _of_genre(looks: Sequence[_Look]) -> dict[str, list[_Look]]:
    found: dict[str, list[_Look]] = {}
    for look in looks:
        if look.piece.genre in GENRES:
            found.setdefault(look.piece.genre, []).append(look)
    return found


def _axes_by_genre(looks: Sequence[_Look]) -> dict[str, dict[str, float]]:
    return {
        genre: {axis.key: axis.value for axis in measures.axes_of(_pooled(some))}
        for genre, some in _of_genre(looks).items()
        if _suffices(some)
    }


def _themes_by_genre(looks: Sequence[_Look]) -> dict[str, tuple[str, ...]]:
    found = {
        genre: motifs.tally((look.motifs, look.piece.weight) for look in some)
        for genre, some in _of_genre(looks).items()
    }
    back = {genre: [one.key for kind in both for one in kind if comes_back(one)] for genre, both in found.items()}
    return {genre: tuple(keys) for genre, keys in back.items() if keys}


_WITH = {
    "descriptiveness": ("short, concrete descriptions", "long, atmospheric descriptions"),
    "character_focus": ("plot before people", "a close look at what people think and feel"),
}
_MANNER = {
    "pacing": ("a slow pace", "a fast pace"),
    "tone": ("a dark, serious tone", "a light tone"),
    "vocabulary": ("plain words of today", "formal, rare words"),
}
_ASK = {
    "descriptiveness": (
        "Keep descriptions short and go on with what happens.",
        "Describe places and things at length, with what can be seen, heard, smelled and touched.",
    ),
    "character_focus": (
        "Keep to what happens; say little of what people think.",
        "Stay close to what the characters think and feel.",
    ),
    "pacing": ("Keep the sentences long and the pace slow.", "Keep the sentences short and the pace fast."),
    "tone": ("Keep the tone dark and serious.", "Keep the tone light, with humour."),
    "vocabulary": (
        "Use plain words of today and contractions.",
        "Use a formal, rich vocabulary, with an old word here and there.",
    ),
}


def chance(words: int) -> float:
    """Points by which an axis may be off by chance, as a standard deviation."""
    return CHANCE * sqrt(LEAST_WORDS / max(words, 1))


def _clear(
    values: Mapping[str, float], keys: Iterable[str], words: int, by_hand: Container[str] = ()
) -> list[tuple[str, bool]]:
    """Of these axes those that clearly differ from the middle, given so many words, and whether they are high: what was
    set by hand first, then the most different."""
    least = max(CLEAR, SURE * chance(words))
    some = [key for key in keys if abs(values[key] - 50) >= (CLEAR if key in by_hand else least)]
    some.sort(key=lambda key: (key not in by_hand, -abs(values[key] - 50)))
    return [(key, values[key] > 50) for key in some]


def _words(found: Profile | None) -> int:
    return found.axes[0].words if found is not None and found.axes else 0


def _sayable(found: Profile | None, corrections: Corrections) -> list[str]:
    """The axes that may be said: those of the writer's own words, and those set by hand. What teachers wrote has the
    teachers' voice."""
    return [key for key in AXES if key in corrections.axes or (found is not None and found.enough and found.from_own)]


def summary(found: Profile | None, corrections: Corrections) -> str:
    """The profile in one or two sentences; empty where there is too little to say anything."""
    if (found is None or not found.enough) and not corrections:
        return ""
    values, keys = acting(found, corrections), _sayable(found, corrections)
    known = load_motifs()
    genres = _liked(found)
    figures = [known[key].hint for key in acting_themes(found, corrections, archetypes=True)[:SAID]]
    clear = _clear(values, keys, _words(found), corrections.axes)
    ways = [_WITH[key][high] for key, high in clear if key in _WITH]
    manner = [_MANNER[key][high] for key, high in clear if key in _MANNER]
    back = [known[key].hint for key in acting_themes(found, corrections, archetypes=False)[:SAID]]
    first = _listed(genres)
    if ways or figures:
        first = f"{first}{', ' if first else ''}with {_listed([*ways, *figures])}"
    second = _listed(manner)
    if back:
        second = f"{second}{'; what comes back is ' if second else 'what comes back is '}{_listed(back)}"
    return " ".join(f"{one[:1].upper()}{one[1:]}." for one in (first, second) if one)


def _liked(found: Profile | None) -> list[str]:
    """Genres that are a fifth of it or more, at most three, in words."""
    if found is None or not found.enough:
        return []
    labels = {genre.key: genre.label.lower() for genre in load_catalog().genres}
    most = [labels[key] for key, percent in found.genres.items() if percent >= 20 and key in labels][:3]
    return [f"mostly {most[0]}", *most[1:]] if most else []


def hints(found: Profile | None, corrections: Corrections, *, genre: str = "", most: int = 4) -> tuple[str, ...]:
    """Sentences for a prompt, the clearest first: only what differs clearly from the middle of published fiction or
    comes back often. Empty where there is too little. In a genre of which there is enough, the values are those of it;
    in another the tone is left to the genre."""
    values, words = dict(acting(found, corrections)), _words(found)
    keys = _sayable(found, corrections)
    if genre and found is not None and found.from_own:
        of_genre = found.by_genre.get(genre)
        if of_genre is None:
            keys = [key for key in keys if key != "tone" or key in corrections.axes]
        else:
            words = LEAST_WORDS
            values |= {key: value for key, value in of_genre.items() if key in AXES and key not in corrections.axes}
    said = [_ASK[key][high] for key, high in _clear(values, keys, words, corrections.axes)]
    themes = _themes_said(found, corrections, genre)
    room = max(0, most - len(themes))
    return tuple([*said[:room], *themes][:most]) if most > 0 else ()


def _themes_said(found: Profile | None, corrections: Corrections, genre: str) -> list[str]:
    known = load_motifs()
    in_genre = None if not genre or found is None else found.themes_by_genre.get(genre, ())
    sentences: list[str] = []
    for archetypes, words in ((False, "Let {} come in where it fits."), (True, "Where it fits, write of {}.")):
        keys = acting_themes(found, corrections, archetypes=archetypes)
        keys = [key for key in keys if in_genre is None or key in in_genre or key in corrections.added][:SAID]
        if keys:
            sentences.append(words.format(_listed([known[key].hint for key in keys], "or")))
    return sentences


def _listed(parts: Sequence[str], word: str = "and") -> str:
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}" if len(parts) > 1 else "".join(parts)
