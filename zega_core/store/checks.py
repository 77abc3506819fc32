"""Looks at services and tests of their models: asked for by a page, done by a worker, kept for the page to show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from zega_core.errors import NotFound
from zega_core.store import writers
from zega_core.tables import now
from zega_core.teacher_tables import TeacherCheck

GIVEN_UP = timedelta(minutes=6)
"""An unfinished check is no longer waited for: the worker that had it is gone."""


def ask(session: Session, writer_id: str, provider: str, model: str = "") -> TeacherCheck:
    """A new check, or the one that is under way already."""
    writers.ensure(session, writer_id)
    under_way = latest(session, writer_id, provider, model)
    if under_way is not None and under_way.done_at is None and now() - under_way.asked_at < GIVEN_UP:
        return under_way
    row = TeacherCheck(user_id=writer_id, provider=provider, model=model)
    session.add(row)
    session.flush()
    return row


def get(session: Session, check_id: int) -> TeacherCheck:
    row = session.get(TeacherCheck, check_id)
    if row is None:
        raise NotFound("There is no such check.")
    return row


def unanswered(session: Session) -> list[TeacherCheck]:
    """Everybody's checks that somebody may still wait for."""
    query = select(TeacherCheck).where(col(TeacherCheck.done_at).is_(None), TeacherCheck.asked_at > now() - GIVEN_UP)
    return list(session.exec(query).all())


def latest(session: Session, writer_id: str, provider: str, model: str = "") -> TeacherCheck | None:
    query = (
        select(TeacherCheck)
        .where(TeacherCheck.user_id == writer_id, TeacherCheck.provider == provider, TeacherCheck.model == model)
        .order_by(col(TeacherCheck.id).desc())
    )
    return session.exec(query).first()


def latest_done(session: Session, writer_id: str, provider: str, model: str = "") -> TeacherCheck | None:
    query = (
        select(TeacherCheck)
        .where(
            TeacherCheck.user_id == writer_id,
            TeacherCheck.provider == provider,
            TeacherCheck.model == model,
            col(TeacherCheck.done_at).is_not(None),
        )
        .order_by(col(TeacherCheck.id).desc())
    )
    return session.exec(query).first()


def newest(session: Session, writer_id: str) -> int:
    """The number of the writer's newest finished check; a page that has drawn an older one can be drawn anew."""
    query = select(func.max(TeacherCheck.id)).where(
        TeacherCheck.user_id == writer_id, col(TeacherCheck.done_at).is_not(None)
    )
    return session.exec(query).one() or 0


def finish(session: Session, check_id: int, result: Mapping[str, Any]) -> None:
    """Keep the result, and no older check of the same."""
    row = get(session, check_id)
    row.result, row.done_at = dict(result), now()
    session.add(row)
    older = select(TeacherCheck).where(
        TeacherCheck.user_id == row.user_id,
        TeacherCheck.provider == row.provider,
        TeacherCheck.model == row.model,
        col(TeacherCheck.id) < row.id,
    )
    for found in session.exec(older).all():
        session.delete(found)
