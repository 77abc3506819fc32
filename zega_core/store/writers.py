"""Writers: local profiles. Everything else belongs to one of them."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.errors import InvalidInput, NotFound
from zega_core.tables import Writer, now

_BY_USE = select(Writer.id).order_by(col(Writer.last_used_at).desc(), col(Writer.id))


def ensure(session: Session, writer_id: str) -> Writer:
    """The writer, created if new; raises InvalidInput for an id that is no slug."""
    check_writer_id(writer_id)
    writer = session.get(Writer, writer_id)
    if writer is not None:
        return writer
    try:
        with session.begin_nested():
            session.add(writer := Writer(id=writer_id))
    except IntegrityError:  # another process was first
        return session.get_one(Writer, writer_id)
    return writer


def add(session: Session, writer_id: str) -> Writer:
    """A new writer; raises InvalidInput if the id is no slug or is taken."""
    check_writer_id(writer_id)
    if session.get(Writer, writer_id) is not None:
        raise InvalidInput(f"There is already a writer called {writer_id}. Choose them in the list, or another name.")
    return ensure(session, writer_id)


def get(session: Session, writer_id: str) -> Writer:
    writer = session.get(Writer, writer_id)
    if writer is None:
        raise NotFound("There is no such writer. Choose one in the sidebar.")
    return writer


def ids(session: Session) -> list[str]:
    """All writers, the one last used first; never empty."""
    return list(session.exec(_BY_USE).all()) or [ensure(session, DEFAULT_WRITER).id]


def last_used(session: Session) -> str | None:
    """The writer that was used last; None while there is none."""
    return session.exec(_BY_USE.limit(1)).first()


def lock(session: Session, writer_id: str) -> None:
    """Until the end of the transaction nobody else changes what belongs to this writer. SQLite's
    transactions do that by themselves."""
    session.exec(select(Writer.id).where(Writer.id == writer_id).with_for_update()).one()


def touch(session: Session, writer_id: str) -> None:
    """Note that this writer was chosen: the next visit opens with them."""
    writer = get(session, writer_id)
    writer.last_used_at = now()
    session.add(writer)
