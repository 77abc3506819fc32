"""What was asked of models, and what they wrote for it: each writer their own."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from zega_core.errors import InvalidInput, NotFound
from zega_core.store import writers
from zega_core.tables import Story, now
from zega_core.writing_configs import WriteRequest
from zega_core.writing_tables import Take, TakeState, Writing

_KEY = re.compile(r"[0-9a-f]{32}")
_APART = {"writer_id", "task", "brief", "given", "genre", "element", "story_id"}
"""Parts of a request that have columns of their own."""


def create(session: Session, wanted: WriteRequest) -> Writing:
    """Raises NotFound where it is to continue a story that the writer does not have."""
    writers.ensure(session, wanted.writer_id)
    if wanted.story_id is not None:
        story = session.get(Story, wanted.story_id) if 0 < wanted.story_id < 2**31 else None
        if story is None or story.user_id != wanted.writer_id:
            raise NotFound("There is no such story. It may have been deleted; choose another on your shelf.")
    row = Writing(
        key=secrets.token_hex(16),
        user_id=wanted.writer_id,
        task=wanted.task,
        brief=wanted.brief,
        given=wanted.given,
        genre=wanted.genre,
        element=wanted.element,
        request=wanted.model_dump(mode="json", exclude=_APART),
        story_id=wanted.story_id,
    )
    session.add(row)
    session.flush()
    return row


def request_of(row: Writing) -> WriteRequest:
    """As it was asked for. Raises InvalidInput for a row that cannot be read."""
    apart = {name: getattr(row, name) for name in _APART - {"writer_id"}}
    try:
        return WriteRequest.model_validate({**row.request, **apart, "writer_id": row.user_id})
    except ValidationError as error:
        raise InvalidInput("This request was made by another version of ZEGA. Ask for the text anew.") from error


def get(session: Session, writer_id: str, key: str) -> Writing:
    """The writer's; another's is not found, exactly like one that does not exist."""
    row = None
    if isinstance(key, str) and _KEY.fullmatch(key):
        row = session.exec(select(Writing).where(Writing.key == key, Writing.user_id == writer_id)).first()
    if row is None:
        raise NotFound("There is no such text. It may have been deleted; choose another, or ask for a new one.")
    return row


def recent(session: Session, writer_id: str, limit: int = 20) -> list[Writing]:
    """Those used last first."""
    query = select(Writing).where(Writing.user_id == writer_id)
    return list(session.exec(query.order_by(col(Writing.used_at).desc(), col(Writing.id).desc()).limit(limit)).all())


def takes(session: Session, writing: Writing) -> list[Take]:
    """In the order in which they were asked for, as they are now."""
    query = select(Take).where(Take.writing_id == writing.id).order_by(col(Take.number))
    return list(session.exec(query.execution_options(populate_existing=True)).all())


def add_takes(session: Session, writing: Writing, values: Sequence[Mapping[str, Any]]) -> list[Take]:
    """One for each of the values, in their order; two or more are a pair. Call it with the writer's row locked."""
    before = takes(session, writing)
    number, pair = len(before) and before[-1].number, 0
    if len(values) > 1:
        pair = max((one.pair for one in before), default=0) + 1
    rows = [
        Take(
            **{
                "key": secrets.token_hex(16),
                "writing_id": writing.id,
                "user_id": writing.user_id,
                "number": number + place,
                "pair": pair,
                **one,
            }
        )
        for place, one in enumerate(values, start=1)
    ]
    session.add_all(rows)
    writing.used_at = now()
    session.add(writing)
    session.flush()
    return rows


def take(session: Session, writer_id: str, take_id: int) -> Take:
    """The writer's, as it is now; another's is not found, exactly like one that does not exist."""
    good = isinstance(take_id, int) and not isinstance(take_id, bool) and 0 < take_id < 2**31
    row = session.get(Take, take_id, populate_existing=True) if good else None
    if row is None or row.user_id != writer_id:
        raise NotFound("There is no such text. It may have been deleted; choose another, or ask for a new one.")
    return row


def writer_of_take(session: Session, take_id: int) -> str | None:
    """Whose text it is, for who has no more than its id; None if there is none."""
    return session.exec(select(Take.user_id).where(Take.id == take_id)).first()


def hold_take(session: Session, writer_id: str, take_id: int) -> Take:
    """The same, and until the end of the transaction nobody else changes what belongs to the writer."""
    take(session, writer_id, take_id)
    writers.lock(session, writer_id)
    return take(session, writer_id, take_id)


def of_pair(session: Session, row: Take) -> list[Take]:
    """The takes that were asked for side by side with this one, itself included."""
    query = select(Take).where(Take.writing_id == row.writing_id, Take.pair == row.pair).order_by(col(Take.number))
    return list(session.exec(query).all())


def writing_of(session: Session, row: Take) -> Writing:
    return session.get_one(Writing, row.writing_id)


def in_states(session: Session, ids: Collection[int]) -> dict[int, str]:
    """The states of these takes; what is deleted is not in it."""
    query = select(Take.id, Take.state).where(col(Take.id).in_(list(ids)))
    return {identity: state for identity, state in session.exec(query) if identity is not None}


def write_down(session: Session, take_id: int, values: Mapping[str, Any]) -> bool:
    """Store what is written so far; False, and nothing is stored, when it was stopped or deleted meanwhile."""
    query = update(Take).where(col(Take.id) == take_id, col(Take.state) == TakeState.writing)
    return session.connection().execute(query.values(**values)).rowcount > 0


def write_after_stop(session: Session, take_id: int, values: Mapping[str, Any]) -> None:
    """What was written before Stop was heard, unless the writer has used the text by then."""
    query = update(Take).where(
        col(Take.id) == take_id,
        col(Take.state) == TakeState.stopped,
        col(Take.edited_at).is_(None),
        col(Take.example_id).is_(None),
        col(Take.story_id).is_(None),
    )
    session.connection().execute(query.values(**values))


def stop_all(session: Session, writing: Writing) -> None:
    """Those that are being written are stopped; their text stays."""
    query = update(Take).where(col(Take.writing_id) == writing.id, col(Take.state) == TakeState.writing)
    session.connection().execute(query.values(state=TakeState.stopped))


def stop_silent(session: Session, before: datetime, said: str) -> int:
    """Everybody's takes that nobody has written since then are stopped, with a sentence; how many they were."""
    query = update(Take).where(col(Take.state) == TakeState.writing, col(Take.heartbeat_at) < before)
    return session.connection().execute(query.values(state=TakeState.stopped, error=said)).rowcount


def silent(session: Session, before: datetime) -> bool:
    query = select(Take.id).where(Take.state == TakeState.writing, col(Take.heartbeat_at) < before).limit(1)
    return session.exec(query).first() is not None


def being_written(session: Session, writer_id: str, since: datetime) -> int:
    """How many texts of the writer somebody writes, or waits to, with a sign of life since then."""
    query = select(func.count()).where(
        col(Take.user_id) == writer_id, col(Take.state) == TakeState.writing, col(Take.heartbeat_at) >= since
    )
    return session.exec(query).one()


def remove(session: Session, writing: Writing) -> None:
    """With its takes; examples and stories that were made of them stay."""
    session.exec(delete(Take).where(col(Take.writing_id) == writing.id))
    session.delete(writing)
