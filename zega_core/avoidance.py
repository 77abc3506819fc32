"""What the next pieces of a writer are asked to keep away from."""

from __future__ import annotations

from sqlmodel import Session

from zega_core.catalog import Avoid
from zega_core.quality import sameness
from zega_core.store import kept, tastes

LOOKED_AT = 500
"""The newest kept pieces: what repeated long ago is no habit any more."""


def avoid_list(session: Session, writer_id: str) -> Avoid:
    """What repeats most in the newest pieces that teachers wrote; nothing where the writer switched it off."""
    if not tastes.load(session, writer_id).avoid:
        return Avoid()
    return habits(session, writer_id)


def habits(session: Session, writer_id: str) -> Avoid:
    """The same, whether it is switched on or not."""
    return sameness.avoid(sameness.repetitions(kept.written(session, writer_id, taught=True, limit=LOOKED_AT)))
