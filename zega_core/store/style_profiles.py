"""A writer's style as it was measured, what they corrected, and the texts that it is measured from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from zega_core.store import writers
from zega_core.tables import Example, ExampleStatus, Source, Story, now
from zega_core.writing_tables import StyleProfile

_OWN = col(Example.source).in_((Source.conversation, Source.manuscript)) | col(Example.edited_at).is_not(None)


@dataclass(frozen=True, slots=True)
class Text:
    """One text as stored. ``edited``: the writer changed it with their own hand."""

    text: str
    genre: str
    source: str
    edited: bool
    rating: int | None
    decision: str | None


def load(session: Session, writer_id: str) -> StyleProfile | None:
    return session.get(StyleProfile, writer_id)


def _row(session: Session, writer_id: str) -> StyleProfile:
    writers.ensure(session, writer_id)
    return session.get(StyleProfile, writer_id) or StyleProfile(user_id=writer_id)


def save_measured(session: Session, writer_id: str, measured: Mapping[str, Any], stamp: str) -> None:
    """Store what was measured from the data of that stamp; what the writer corrected stays."""
    row = _row(session, writer_id)
    row.measured, row.stamp, row.measured_at, row.asked_at = dict(measured), stamp, now(), None
    session.add(row)


def save_corrections(session: Session, writer_id: str, corrections: Mapping[str, Any]) -> None:
    row = _row(session, writer_id)
    row.corrections = dict(corrections)
    session.add(row)


def ask(session: Session, writer_id: str, *, anew: bool = False) -> datetime:
    """Note that the style is to be measured; the moment names the request. One that waits already is given again,
    unless it is asked ``anew``."""
    row = _row(session, writer_id)
    if row.asked_at is None or anew:
        row.asked_at = now()
    session.add(row)
    return row.asked_at


def asked(session: Session) -> list[tuple[str, datetime]]:
    """Whose style is to be measured, and since when."""
    query = select(StyleProfile.user_id, StyleProfile.asked_at).where(col(StyleProfile.asked_at).is_not(None))
    return [(writer_id, asked_at) for writer_id, asked_at in session.exec(query).all() if asked_at is not None]


def stamp(session: Session, writer_id: str, measure: int) -> str:
    """Another one whenever other texts are kept, one was edited or rated, or the ``measure`` is another one."""
    mine = (col(Example.user_id) == writer_id) & (col(Example.status) == ExampleStatus.kept)
    identity, rating = col(Example.id), col(Example.rating)
    queries = (
        select(func.count(), func.max(identity), func.sum(identity)).where(mine),
        select(func.max(col(Example.edited_at)), func.max(col(Example.rated_at))).where(mine),
        select(func.sum(rating), func.count(rating)).where(mine),
        select(func.count(), func.max(col(Story.updated_at)), func.sum(col(Story.id))).where(
            Story.user_id == writer_id, col(Story.example_id).is_(None)
        ),
    )
    found = [str(one) for query in queries for one in session.exec(query).one()]
    return blake2b(f"{measure}|{'|'.join(found)}".encode(), digest_size=16).hexdigest()


def texts(session: Session, writer_id: str, most: int) -> list[Text]:
    """What the style is measured from, at most so many: the writer's own words first, then what has more stars, then
    the newest. Stories that belong to no example follow where there is room; one that the writer changed comes first.
    """
    names = ("completion", "genre", "source", "edited_at", "rating", "decision")
    query = (
        select(*(getattr(Example, name) for name in names))
        .where(Example.user_id == writer_id, Example.status == ExampleStatus.kept, Example.completion != "")
        .order_by(case((_OWN, 0), else_=1), func.coalesce(col(Example.rating), 0).desc(), col(Example.id).desc())
        .limit(most)
    )
    found = [
        Text(text, genre, source, edited_at is not None, rating, decision)
        for text, genre, source, edited_at, rating, decision in session.exec(query).all()
    ]
    room = most - len(found)
    stories = (
        select(Story.body, Story.genre, Story.updated_at)
        .where(Story.user_id == writer_id, col(Story.example_id).is_(None), Story.body != "")
        .order_by(case((col(Story.updated_at).is_not(None), 0), else_=1), col(Story.id).desc())
        .limit(room)
    )
    more = session.exec(stories).all() if room > 0 else []
    return [*found, *(Text(body, genre, "story", changed is not None, None, None) for body, genre, changed in more)]
