"""Exports: rows of runs. Their files are ``zega_core.exporting``'s care."""

from __future__ import annotations

import secrets

from sqlmodel import Session, col, select

from zega_core.errors import NotFound
from zega_core.proof_tables import Export
from zega_core.store import leases
from zega_core.tables import UNFINISHED


def create(session: Session, writer_id: str, form: str, version_number: int | None, trigger: str) -> Export:
    """A queued export of ``form`` (``exports.formats``), with the name of the folder that it will fill."""
    run_id = secrets.token_hex(16)
    of = "" if version_number is None else f"-v{version_number}"
    row = Export(
        user_id=writer_id,
        run_id=run_id,
        trigger=trigger,
        format=form,
        version_number=version_number,
        folder=f"{form}{of}-{run_id[:8]}",
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, writer_id: str, run_id: str) -> Export:
    """The writer's export; another writer's is not found, exactly like one that does not exist."""
    row = session.exec(select(Export).where(Export.user_id == writer_id, Export.run_id == run_id)).first()
    if row is None:
        raise NotFound("There is no such export. It may have been deleted; make a new one.")
    return row


def by_run_id(session: Session, run_id: str) -> Export | None:
    """Whoever's it is: for workers."""
    return session.exec(select(Export).where(Export.run_id == run_id)).first()


def of_writer(session: Session, writer_id: str) -> list[Export]:
    """Newest first."""
    query = select(Export).where(Export.user_id == writer_id).order_by(col(Export.id).desc())
    return list(session.exec(query).all())


def under_way(session: Session, writer_id: str, form: str, version_number: int | None) -> Export | None:
    """The newest of this format and version that waits or is worked on."""
    query = select(Export).where(
        Export.user_id == writer_id,
        Export.format == form,
        col(Export.version_number).is_not_distinct_from(version_number),
        col(Export.status).in_(UNFINISHED),
    )
    return session.exec(query.order_by(col(Export.id).desc())).first()


def unfinished(session: Session) -> list[int]:
    """Row ids of everybody's, oldest first."""
    query = select(Export.id).where(col(Export.status).in_(UNFINISHED)).order_by(col(Export.id))
    return [identity for identity in session.exec(query) if identity is not None]


def being_made(session: Session) -> set[tuple[str, str, int]]:
    """Writer, folder and attempt of everybody's that wait or are worked on."""
    query = select(Export.user_id, Export.folder, Export.attempt).where(col(Export.status).in_(UNFINISHED))
    return {(writer, folder, attempt) for writer, folder, attempt in session.exec(query)}


def take_over(session: Session, row: Export) -> Export | None:
    """Make a new attempt of one that nobody works on any more; None if somebody was faster."""
    return leases.queue_again(session, row, UNFINISHED)


def remove(session: Session, row: Export) -> None:
    session.delete(row)
    session.flush()
