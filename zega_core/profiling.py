"""A writer's style: measured from what they keep, corrected by hand, and said to a model."""

from __future__ import annotations

from datetime import datetime
from logging import getLogger

from sqlmodel import Session

from zega_core import db, meaning
from zega_core.errors import InvalidInput, ProviderUnavailable
from zega_core.settings import Settings
from zega_core.store import style_profiles, writers
from zega_core.store.style_profiles import Text
from zega_core.style import profile as profiles
from zega_core.style.axes import AXES
from zega_core.style.profile import MEASURE, Corrections, Piece, Profile
from zega_core.style.themes import Embed, load_motifs

log = getLogger(__name__)

MOST = 1_000
"""Texts that are measured at most."""
OWN_WEIGHT, EDITED_WEIGHT, USUAL_WEIGHT = 3.0, 2.0, 1.0
STAR_WEIGHTS = {1: 0.25, 2: 0.5, 3: 1.0, 4: 1.5, 5: 2.0}
"""By which a text's weight is multiplied, by the writer's stars."""
KEPT_WEIGHT = 1.5
"""The same for what the writer said to keep without stars."""


def piece_of(text: Text) -> Piece:
    """A stored text with what it counts: the writer's own words most, then what they changed, then what they gave many
    stars."""
    own = text.source in ("conversation", "manuscript")
    source = text.source if own or not text.edited else "edited"
    weight = OWN_WEIGHT if own else EDITED_WEIGHT if text.edited else USUAL_WEIGHT
    if text.rating is not None:
        weight *= STAR_WEIGHTS.get(text.rating, 1.0)
    elif text.decision == "keep":
        weight *= KEPT_WEIGHT
    return Piece(text.text, text.genre, source, weight)


def profile_of(session: Session, writer_id: str) -> tuple[Profile | None, Corrections, datetime | None]:
    """What is stored: the profile and when it was measured, both None while nothing was, and the writer's corrections.
    Quick."""
    row = style_profiles.load(session, writer_id)
    if row is None:
        return None, Corrections(), None
    found = profiles.read_profile(row.measured)
    return found, Corrections.read(row.corrections), None if found is None else row.measured_at


def style_hints(session: Session, writer_id: str, genre: str = "") -> tuple[str, ...]:
    """Sentences on the writer's style for a prompt; empty where there is too little. Quick."""
    found, corrections, _ = profile_of(session, writer_id)
    return profiles.hints(found, corrections, genre=genre)


def style_summary(session: Session, writer_id: str) -> str:
    """The writer's style in one or two sentences; empty where there is too little."""
    found, corrections, _ = profile_of(session, writer_id)
    return profiles.summary(found, corrections)


def due(session: Session, writer_id: str) -> bool:
    """Whether there is something that was not measured yet."""
    row = style_profiles.load(session, writer_id)
    present = style_profiles.stamp(session, writer_id, MEASURE)
    if row is None or row.measured is None:
        return bool(style_profiles.texts(session, writer_id, 1))
    return row.stamp != present


def measure(writer_id: str, settings: Settings, *, embed: Embed | None = None) -> None:
    """Measure and store, in a worker. ``embed`` decides where words leave a theme open; where it cannot be had now,
    words decide alone."""
    with db.reading(settings) as session:
        stamp = style_profiles.stamp(session, writer_id, MEASURE)
        texts = style_profiles.texts(session, writer_id, MOST)
    pieces = [piece_of(text) for text in texts]
    try:
        found = profiles.profile(pieces, embed=embed)
    except ProviderUnavailable as error:
        log.warning("themes are told by words alone: %s", error)
        found = profiles.profile(pieces)
    with db.session(settings) as session:
        style_profiles.save_measured(session, writer_id, found.to_json(), stamp)


def by_meaning(settings: Settings) -> Embed | None:
    """For ``measure``: the embedder that knows what texts mean; None where there is none."""
    return None if meaning.why_not() else meaning.embedder(settings).embed


def correct(session: Session, writer_id: str, key: str, value: float | bool) -> Corrections:
    """Set an axis by hand (0 to 100), or put a theme or archetype in (True) or take it off (False). Raises
    InvalidInput."""
    before = _locked(session, writer_id)
    if key in AXES:
        after = Corrections({**before.axes, key: _checked(value)}, before.removed, before.added)
    elif key in load_motifs() and isinstance(value, bool):
        removed, added = before.removed - {key}, before.added - {key}
        after = Corrections(before.axes, removed if value else removed | {key}, added | {key} if value else added)
    else:
        raise InvalidInput("There is no such side of style or theme. Choose one on the page Write, under Your style.")
    style_profiles.save_corrections(session, writer_id, after.to_json())
    return after


def _checked(value: float | bool) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise InvalidInput("A side of style is a number from 0 to 100. Choose one in between.")
    return float(value)


def reset(session: Session, writer_id: str, key: str = "") -> Corrections:
    """Take back what the writer set by hand for ``key``, or with none all of it: then what is measured holds again."""
    before = _locked(session, writer_id)
    after = Corrections()
    if key:
        axes = {name: value for name, value in before.axes.items() if name != key}
        after = Corrections(axes, before.removed - {key}, before.added - {key})
    style_profiles.save_corrections(session, writer_id, after.to_json())
    return after


def _locked(session: Session, writer_id: str) -> Corrections:
    """The writer's corrections, which nobody else changes until the end of the transaction."""
    writers.ensure(session, writer_id)
    session.flush()
    writers.lock(session, writer_id)
    row = style_profiles.load(session, writer_id)
    if row is not None:
        session.refresh(row)
    return Corrections() if row is None else Corrections.read(row.corrections)
