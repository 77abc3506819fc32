"""A writer's style as programs see it."""

from __future__ import annotations

from datetime import datetime

from zega_core import db, profile_words, profiling
from zega_core.facts.base import Facts
from zega_core.settings import Settings
from zega_core.style.profile import Corrections, Profile, acting, acting_themes, summary


class AxisFacts(Facts):
    """From 0 to 100; 50 is the middle of published fiction. ``value`` holds: the writer's, else what was
    ``measured``."""

    key: str
    label: str
    value: float
    measured: float | None
    by_hand: bool
    meaning: str


class MotifFacts(Facts):
    """``share`` of the texts, 0 to 1, and how many: None where the writer put it in."""

    key: str
    label: str
    share: float | None
    texts: int | None
    by_hand: bool


class StyleFacts(Facts):
    """``lacking`` says what there is too little of, where there is. ``measuring``: something new waits to be
    measured."""

    summary: str
    lacking: str | None
    texts: int
    words: int
    own_words: int
    genres: dict[str, float]
    axes: list[AxisFacts]
    themes: list[MotifFacts]
    archetypes: list[MotifFacts]
    taken_off: list[str]
    measured_at: datetime | None
    measuring: bool


def of_style(found: Profile | None, corrections: Corrections, at: datetime | None, due: bool) -> StyleFacts:
    measured = {} if found is None else {axis.key: axis.value for axis in found.axes}
    return StyleFacts(
        summary=summary(found, corrections),
        lacking=profile_words.too_little(found) or None,
        texts=0 if found is None else found.pieces,
        words=0 if found is None else found.words,
        own_words=0 if found is None else found.own_words,
        genres={} if found is None else dict(found.genres),
        axes=[
            AxisFacts(
                key=key,
                label=profile_words.LABELS[key],
                value=value,
                measured=measured.get(key),
                by_hand=key in corrections.axes,
                meaning=profile_words.manner(key, value),
            )
            for key, value in acting(found, corrections).items()
        ],
        themes=_motifs(found, corrections, archetypes=False),
        archetypes=_motifs(found, corrections, archetypes=True),
        taken_off=sorted(corrections.removed),
        measured_at=at,
        measuring=due,
    )


def _motifs(found: Profile | None, corrections: Corrections, *, archetypes: bool) -> list[MotifFacts]:
    counted = {} if found is None else {one.key: one for one in (found.archetypes if archetypes else found.themes)}
    return [
        MotifFacts(
            key=key,
            label=profile_words.motif_label(key),
            share=counted[key].share if key in counted else None,
            texts=counted[key].count if key in counted else None,
            by_hand=key in corrections.added,
        )
        for key in acting_themes(found, corrections, archetypes=archetypes)
    ]


def style_facts(writer: str, settings: Settings) -> StyleFacts:
    """As it is stored now."""
    with db.reading(settings) as session:
        found, corrections, at = profiling.profile_of(session, writer)
        return of_style(found, corrections, at, profiling.due(session, writer))
