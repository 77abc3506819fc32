"""How a writer wants to write, and what may be remembered."""

from __future__ import annotations

from datetime import datetime
from logging import getLogger

from pydantic import ValidationError
from sqlmodel import Session, col, select

from zega_core.store import writers
from zega_core.tables import now
from zega_core.writing_configs import WritingConfig
from zega_core.writing_tables import WritingChoice

log = getLogger(__name__)


def load(session: Session, writer_id: str) -> WritingConfig:
    """The writer's choices, or the defaults. A row that cannot be read (another version's) remembers nothing."""
    row = session.get(WritingChoice, writer_id)
    if row is None:
        return WritingConfig()
    try:
        return WritingConfig.model_validate(row.config)
    except ValidationError as error:
        log.warning("a writer's choices for writing cannot be read: %d mistakes", error.error_count())
        return WritingConfig()


def save(session: Session, writer_id: str, config: WritingConfig) -> None:
    writers.ensure(session, writer_id)
    row = session.get(WritingChoice, writer_id) or WritingChoice(user_id=writer_id)
    row.config, row.updated_at = config.model_dump(mode="json"), now()
    session.add(row)


def ask_for_memory(session: Session, writer_id: str) -> datetime:
    """Note that memory is to be brought up to date; the moment names the request."""
    writers.ensure(session, writer_id)
    row = session.get(WritingChoice, writer_id) or WritingChoice(user_id=writer_id)
    row.memory_asked_at = now()
    session.add(row)
    return row.memory_asked_at


def memory_done(session: Session, writer_id: str, asked_at: datetime) -> None:
    """The request of that moment is answered; a later one stays."""
    row = session.get(WritingChoice, writer_id)
    if row is not None and row.memory_asked_at == asked_at:
        row.memory_asked_at = None
        session.add(row)


def memory_asked(session: Session) -> list[tuple[str, datetime]]:
    """Whose memory is to be brought up to date, and since when."""
    query = select(WritingChoice.user_id, WritingChoice.memory_asked_at)
    rows = session.exec(query.where(col(WritingChoice.memory_asked_at).is_not(None))).all()
    return [(writer_id, asked_at) for writer_id, asked_at in rows if asked_at is not None]
