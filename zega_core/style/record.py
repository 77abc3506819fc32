"""What is known of a writer's style, and what they corrected by hand: as it is stored, and as it acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from zega_core.style.axes import AXES, Axis
from zega_core.style.themes import Theme, load_motifs

MEASURE = 1
"""Raised whenever the same texts would give another profile: stored ones are then out of date."""
OWN_SOURCES = ("conversation", "manuscript", "edited")
"""Of ``Piece.source``: what the writer wrote, or changed with their own hand."""
OFTEN, TWICE = 0.12, 2
"""Share of the texts, and number of them, from which on a theme comes back."""


@dataclass(frozen=True, slots=True)
class Piece:
    """``weight`` is what it counts: the writer's own words most, then what they gave many stars."""

    text: str
    genre: str
    source: str
    weight: float = 1.0

    @property
    def own(self) -> bool:
        return self.source in OWN_SOURCES


@dataclass(frozen=True, slots=True)
class Corrections:
    """What the writer set by hand: values of axes, 0..100, and keys of themes and archetypes taken off or put in."""

    axes: Mapping[str, float] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.axes or self.removed or self.added)

    def to_json(self) -> dict[str, Any]:
        return {"axes": dict(self.axes), "removed": sorted(self.removed), "added": sorted(self.added)}

    @classmethod
    def read(cls, data: object) -> Corrections:
        """What is stored, without whatever this version does not know; it may be anything."""
        if not isinstance(data, Mapping):
            return cls()
        axes, known = data.get("axes"), load_motifs()
        values = axes.items() if isinstance(axes, Mapping) else ()
        keys = {
            name: frozenset(one for one in (data.get(name) or ()) if isinstance(one, str) and one in known)
            for name in ("removed", "added")
            if isinstance(data.get(name), list)
        }
        return cls(
            {key: float(value) for key, value in values if key in AXES and _in_range(value)},
            keys.get("removed", frozenset()),
            keys.get("added", frozenset()) - keys.get("removed", frozenset()),
        )


def _in_range(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100


@dataclass(frozen=True, slots=True)
class Profile:
    """``genres`` in percent of what counts, ``pieces`` and ``words`` what it rests on, ``own_…`` the writer's part.
    ``from_own``: the axes are those of the writer's own words alone, of which there were enough. ``by_genre`` has the
    values of the axes where a genre alone had enough, ``themes_by_genre`` what comes back there."""

    genres: Mapping[str, float]
    axes: tuple[Axis, ...]
    themes: tuple[Theme, ...]
    archetypes: tuple[Theme, ...]
    pieces: int
    own_pieces: int
    words: int
    own_words: int
    enough: bool
    from_own: bool = False
    by_genre: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    themes_by_genre: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "genres": dict(self.genres),
            "by_genre": {genre: dict(values) for genre, values in self.by_genre.items()},
            "themes_by_genre": {genre: list(keys) for genre, keys in self.themes_by_genre.items()},
        }


class _Read(BaseModel):
    """A stored profile: another version's, or a broken one, is not read."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    genres: dict[str, float]
    axes: tuple[Axis, ...] = Field(min_length=len(AXES), max_length=len(AXES))
    themes: tuple[Theme, ...]
    archetypes: tuple[Theme, ...]
    pieces: int
    own_pieces: int
    words: int
    own_words: int
    enough: bool
    from_own: bool
    by_genre: dict[str, dict[str, float]]
    themes_by_genre: dict[str, tuple[str, ...]]


_STORED = TypeAdapter(_Read)


def read_profile(data: object) -> Profile | None:
    """What ``to_json`` gave; None for anything else."""
    try:
        read = _STORED.validate_python(data)
    except (ValidationError, RecursionError):
        return None
    if tuple(axis.key for axis in read.axes) != AXES:
        return None
    return Profile(**{name: getattr(read, name) for name in _Read.model_fields})


def comes_back(theme: Theme) -> bool:
    """Whether it is in so many texts that it is the writer's and no chance."""
    return theme.count >= TWICE and theme.share >= OFTEN


def acting(found: Profile | None, corrections: Corrections) -> Mapping[str, float]:
    """The value of each axis that holds: the writer's, else the measured one; without either 50."""
    measured = {} if found is None else {axis.key: axis.value for axis in found.axes}
    return MappingProxyType({key: corrections.axes.get(key, measured.get(key, 50.0)) for key in AXES})


def acting_themes(found: Profile | None, corrections: Corrections, *, archetypes: bool) -> list[str]:
    """Keys of what comes back: what the writer put in first, then the most frequent, without what they took off."""
    known = load_motifs()
    kinds = () if found is None or not found.enough else (found.archetypes if archetypes else found.themes)
    added = [key for key, one in known.items() if key in corrections.added and one.archetype == archetypes]
    held = [one.key for one in kinds if comes_back(one) and one.key not in corrections.removed and one.key in known]
    return [*added, *(key for key in held if key not in added)]
