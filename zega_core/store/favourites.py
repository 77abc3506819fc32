"""Favourite combinations of genres."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from zega_core.configs import AutoTrainConfig, check_genres, checked
from zega_core.errors import InvalidInput
from zega_core.teacher_tables import Favourite

MAX_NAME = 60


def save(session: Session, writer_id: str, name: str, genres: Sequence[str], num_examples: int) -> Favourite:
    """Save under a name; the same name again replaces it. Raises InvalidInput."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidInput(f"Give the favourite a name of 1 to {MAX_NAME} letters.")
    checked(AutoTrainConfig, writer_id=writer_id, num_examples=num_examples, genres=tuple(genres))
    favourite = _named(session, writer_id, name) or Favourite(user_id=writer_id, name=name, genres=[], num_examples=1)
    favourite.genres = list(check_genres(tuple(genres)))
    favourite.num_examples = num_examples
    session.add(favourite)
    return favourite


def of_writer(session: Session, writer_id: str) -> list[Favourite]:
    query = select(Favourite).where(Favourite.user_id == writer_id).order_by(col(Favourite.name))
    return list(session.exec(query).all())


def remove(session: Session, writer_id: str, name: str) -> None:
    favourite = _named(session, writer_id, name)
    if favourite is not None:
        session.delete(favourite)


def _named(session: Session, writer_id: str, name: str) -> Favourite | None:
    return session.exec(select(Favourite).where(Favourite.user_id == writer_id, Favourite.name == name)).first()
