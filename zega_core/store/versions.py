"""Versions of writers' models, and which of them is in use. Their files are ``zega_core.versions``' care."""

from __future__ import annotations

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from zega_core.errors import NotFound
from zega_core.store import proofs
from zega_core.tables import now
from zega_core.version_tables import FineTune, Promotion, Version


def all_of(session: Session, writer_id: str) -> list[Version]:
    """Newest first."""
    query = select(Version).where(Version.user_id == writer_id).order_by(col(Version.number).desc())
    return list(session.exec(query).all())


def everybodys(session: Session) -> list[tuple[str, int]]:
    """Writer and number of all there are."""
    return [(writer, number) for writer, number in session.exec(select(Version.user_id, Version.number))]


def find(session: Session, writer_id: str, number: int) -> Version | None:
    return session.exec(select(Version).where(Version.user_id == writer_id, Version.number == number)).first()


def get(session: Session, writer_id: str, number: int) -> Version:
    """The writer's version; another writer's is not found, exactly like one that does not exist."""
    row = find(session, writer_id, number)
    if row is None:
        raise NotFound(f"There is no version v{number}. Choose one of those on the Fine-Tune page.")
    return row


def next_number(session: Session, writer_id: str) -> int:
    """One more than any that was ever given. Call it with the writer's row locked."""
    query = select(func.max(FineTune.version_number)).where(FineTune.user_id == writer_id)
    return (session.exec(query).one() or 0) + 1


def promoted(session: Session, writer_id: str) -> Version | None:
    """The version in use; None for the base model."""
    row = _last(session, writer_id)
    return None if row is None or row.version_id is None else session.get(Version, row.version_id)


def before_this(session: Session, writer_id: str) -> tuple[bool, Version | None]:
    """Whether something else was in use before what is now, and the version it was (None: the base model)."""
    query = select(Promotion).where(Promotion.user_id == writer_id).order_by(col(Promotion.id).desc())
    rows = list(session.exec(query).all())
    current = rows[0].version_id if rows else None
    earlier = next((row for row in rows if row.version_id != current), None)
    if earlier is None or earlier.version_id is None:
        return current is not None, None
    return True, session.get(Version, earlier.version_id)


def promote(session: Session, writer_id: str, version: Version | None) -> None:
    session.add(Promotion(user_id=writer_id, version_id=None if version is None else version.id, at=now()))
    session.flush()


def take_back_last(session: Session, writer_id: str) -> None:
    """Undo promotions down to the last one of another version."""
    current = _last(session, writer_id)
    while current is not None:
        session.delete(current)
        session.flush()
        earlier = _last(session, writer_id)
        if earlier is None or earlier.version_id != current.version_id:
            return
        current = earlier


def remove(session: Session, version: Version) -> None:
    """The row and what points at it, its proofs included."""
    proofs.remove_of(session, version.user_id, version.number)
    session.exec(delete(Promotion).where(col(Promotion.version_id) == version.id))
    session.delete(version)


def _last(session: Session, writer_id: str) -> Promotion | None:
    query = select(Promotion).where(Promotion.user_id == writer_id).order_by(col(Promotion.id).desc())
    return session.exec(query).first()
