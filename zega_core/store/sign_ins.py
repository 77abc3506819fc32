"""Whose writer a person is who signs in: by who vouches for them and what that one calls them."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from zega_core.door_tables import SignIn
from zega_core.errors import InvalidInput, NotFound
from zega_core.store import writers
from zega_core.tables import Writer


def find(session: Session, issuer: str, subject: str) -> SignIn | None:
    return session.exec(select(SignIn).where(SignIn.issuer == issuer, SignIn.subject == subject)).first()


def of_writer(session: Session, writer_id: str) -> SignIn | None:
    return session.exec(select(SignIn).where(SignIn.user_id == writer_id)).first()


def every(session: Session) -> list[tuple[Writer, SignIn | None]]:
    """All writers by their ids, each with the person whose writer it is, if it is anybody's."""
    query = select(Writer, SignIn).outerjoin(SignIn, col(SignIn.user_id) == col(Writer.id)).order_by(col(Writer.id))
    return [(writer, person) for writer, person in session.exec(query).all()]


def add(session: Session, writer_id: str, issuer: str, subject: str, email: str) -> bool:
    """A new writer for a new person. Does nothing and says False when the writer, or the person, is there already."""
    if session.get(Writer, writer_id) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Writer(id=writer_id))
            session.flush()
            session.add(SignIn(user_id=writer_id, issuer=issuer, subject=subject, email=email))
    except IntegrityError:  # another tab was first
        return False
    return True


def assign(session: Session, writer_id: str, issuer: str, subject: str) -> str | None:
    """From now on this writer is that person's; the writer that was theirs until now, if there was one, is left
    nobody's. Raises NotFound without such a writer, InvalidInput when it is somebody else's."""
    writers.get(session, writer_id)
    writers.lock(session, writer_id)
    owner = of_writer(session, writer_id)
    person = find(session, issuer, subject)
    if owner is not None and (owner.issuer, owner.subject) != (issuer, subject):
        raise InvalidInput(
            f"{writer_id} is the writer of another person who signs in. Take it from them first: "
            f"zega writers release --writer {writer_id}"
        )
    before = None if person is None else person.user_id
    row = person or SignIn(user_id=writer_id, issuer=issuer, subject=subject)
    row.user_id = writer_id
    session.add(row)
    session.flush()
    return before if before != writer_id else None


def release(session: Session, writer_id: str) -> None:
    """Nobody who signs in has this writer any more; what is written stays. Raises NotFound when nobody had."""
    writers.get(session, writer_id)
    row = of_writer(session, writer_id)
    if row is None:
        raise NotFound(f"{writer_id} is nobody's who signs in. zega writers list shows who has which writer.")
    session.delete(row)
