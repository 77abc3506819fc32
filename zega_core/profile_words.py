"""A writer's style, in their words. Pure: values in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from zega_core.analytics import plural
from zega_core.catalog import load_catalog
from zega_core.style.axes import AXES, ENDS, LENGTHS, Axis
from zega_core.style.profile import CLEAR, LEAST_PIECES, LEAST_WORDS, Corrections, Profile, acting, chance
from zega_core.style.themes import Theme, load_motifs

PURPOSE = (
    "How your texts are written, measured by counting words. While you write with a model, it is told what stands out."
)
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "descriptiveness": "Description",
        "character_focus": "Character",
        "pacing": "Pace",
        "tone": "Tone",
        "vocabulary": "Vocabulary",
    }
)
FEATURES: Mapping[str, str] = MappingProxyType(
    {
        "adjectives": "adjectives",
        "sensory": "words of seeing, hearing, smelling, tasting and touching",
        "things": "names of things",
        "inner": "words of thinking and feeling",
        "persons": "I, he, she, they",
        "names": "names",
        "speech": "spoken words",
        "sentence_length": "words in a sentence",
        "action": "words of action",
        "paragraph_length": "words in a paragraph",
        "dark": "dark words",
        "light": "light words",
        "humour": "signs of humour",
        "rare": "rare words",
        "archaic": "old-fashioned words",
        "word_length": "letters in a word",
        "casual": "casual words and contractions",
    }
)
SCALE = (
    "0 to 100. 50 is the middle of 22 books of published fiction; at 70, about 70 of 100 of their passages lie below."
)
NAMES = MappingProxyType({"usual": "Published fiction", "measured": "Your texts", "acting": "As you set it"})


def rests_on(found: Profile) -> str:
    """What it was measured on, and how much of that is the writer's."""
    if not found.own_pieces:
        return f"Measured on {_amount(found.pieces, found.words)}, none of it written by you."
    if found.own_pieces == found.pieces:
        return f"Measured on {_amount(found.pieces, found.words)}, all of it yours."
    return (
        f"Measured on {_amount(found.pieces, found.words)}. Of that {_amount(found.own_pieces, found.own_words)} are "
        "yours: your answers, your own pages and what you edited."
    )


def whose(found: Profile) -> str:
    """Whose voice the five sides are."""
    if found.from_own:
        off = chance(found.own_words)
        return f"The five sides are those of your own words alone. By chance each may be about {off:.0f} points off."
    return (
        f"You have {found.own_words:,} of the {LEAST_WORDS:,} words and {found.own_pieces} of the {LEAST_PIECES} texts "
        "of your own that the five sides need. So they are those of all you keep, in good part the voice of your "
        "teachers, and no model is told of them."
    )


def too_little(found: Profile | None) -> str:
    """What there is too little of, and what to do; empty where there is enough."""
    if found is not None and found.enough:
        return ""
    pieces, words = (0, 0) if found is None else (found.pieces, found.words)
    return (
        f"There is too little yet: {pieces:,} of {LEAST_PIECES} texts and {words:,} of {LEAST_WORDS:,} words. With "
        "less, chance says more than you do. Answer questions under Conversation, or add pages of your own."
    )


def part_done(found: Profile | None) -> float:
    """How far it is to enough, 0..1."""
    if found is None:
        return 0.0
    return min(1.0, found.pieces / LEAST_PIECES, found.words / LEAST_WORDS)


def side(key: str, value: float) -> str:
    """'Pace: 81, fast', 'Tone: 52, in the middle'."""
    return f"{LABELS[key]}: {value:.0f}, {manner(key, value)}"


def manner(key: str, value: float) -> str:
    """What a value of an axis means."""
    apart, (low, high) = abs(value - 50), ENDS[key]
    if apart < CLEAR / 2:
        return "in the middle"
    end = high if value > 50 else low
    return f"rather {end}" if apart < CLEAR else end


def measured_from(axis: Axis) -> str:
    """The features of an axis with their values."""
    in_hundred = [f"{FEATURES[name]} {value:.1f}" for name, value in axis.measured_from if name not in LENGTHS]
    lengths = [f"{value:.1f} {FEATURES[name]}" for name, value in axis.measured_from if name in LENGTHS]
    parts = [f"in 100 words: {', '.join(in_hundred)}" if in_hundred else "", ", ".join(lengths)]
    told = "; ".join(part for part in parts if part)
    return f"{told[:1].upper()}{told[1:]}."


def in_numbers(found: Profile, corrections: Corrections) -> str:
    """The radar for who does not see it."""
    values = acting(found, corrections)
    told = [
        side(axis.key, axis.value) + (f" (set by you: {values[axis.key]:.0f})" if axis.key in corrections.axes else "")
        for axis in found.axes
    ]
    return f"Your style from 0 to 100, published fiction being 50. {'; '.join(told)}."


def genres(found: Profile) -> list[tuple[str, float, str]]:
    """Label, percent and colour of each genre, the most first."""
    known = {genre.key: genre for genre in load_catalog().genres}
    return [(known[key].label, percent, known[key].color) for key, percent in found.genres.items() if key in known]


def genres_in_words(found: Profile) -> str:
    told = ", ".join(f"{label} {percent:.0f} percent" for label, percent, _ in genres(found))
    return f"Your genres: {told or 'none known'}."


def how_often(theme: Theme, pieces: int) -> str:
    return f"in {theme.count:,} of {plural(pieces, 'text')}"


def motif_label(key: str) -> str:
    motif = load_motifs().get(key)
    return key if motif is None else motif.label


def motif_choices(*, archetypes: bool, without: Sequence[str]) -> list[str]:
    """Keys that can be added, by the order of the catalog."""
    return [key for key, one in load_motifs().items() if one.archetype == archetypes and key not in without]


def corrected(corrections: Corrections) -> str:
    """What the writer set by hand, in a sentence; empty where that is nothing."""
    sides = [LABELS[key].lower() for key in AXES if key in corrections.axes]
    parts = [
        f"{', '.join(sides)} set by you" if sides else "",
        _put_in(len(corrections.added)),
        f"{len(corrections.removed):,} taken off" if corrections.removed else "",
    ]
    told = "; ".join(part for part in parts if part)
    return f"{told[:1].upper()}{told[1:]}. What you set stays when it is measured again." if told else ""


def _put_in(number: int) -> str:
    if not number:
        return ""
    return "1 theme or character put in" if number == 1 else f"{number:,} themes or characters put in"


def _amount(pieces: int, words: int) -> str:
    return f"{plural(pieces, 'text')} with {plural(words, 'word')}"
