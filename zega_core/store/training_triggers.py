"""When a writer's fine-tunes begin by themselves, as they have chosen it."""

from __future__ import annotations

from datetime import datetime
from logging import getLogger

from pydantic import ValidationError
from sqlmodel import Session

from zega_core.configs import TriggerConfig
from zega_core.conversation_tables import TrainingTrigger
from zega_core.store import writers
from zega_core.tables import now

log = getLogger(__name__)

SCHEDULE = ("schedule", "at", "weekday", "zone")
"""What of the choices says when the schedule is due."""


def load(session: Session, writer_id: str) -> TriggerConfig:
    """The writer's choices, or the defaults. A row that cannot be read (another version's) starts nothing by itself."""
    row = session.get(TrainingTrigger, writer_id)
    if row is None:
        return TriggerConfig()
    try:
        return TriggerConfig.model_validate(row.config)
    except ValidationError as error:
        log.warning("what begins a writer's training cannot be read: %d mistakes", error.error_count())
        return TriggerConfig(by_pairs=False)


def save(session: Session, writer_id: str, config: TriggerConfig) -> None:
    """Store the choices. Another schedule counts from now on; other choices leave what is due by it as it is."""
    writers.ensure(session, writer_id)
    before = load(session, writer_id)
    row = session.get(TrainingTrigger, writer_id) or TrainingTrigger(user_id=writer_id)
    row.config = config.model_dump(mode="json")
    if any(getattr(before, name) != getattr(config, name) for name in SCHEDULE):
        row.updated_at = now()
    session.add(row)


def since(session: Session, writer_id: str) -> datetime | None:
    """From when on the schedule counts: what it would have said before was not asked for. None without a choice."""
    row = session.get(TrainingTrigger, writer_id)
    return None if row is None else row.updated_at


def begin_anew(session: Session, writer_id: str) -> None:
    """Training by itself was off until now: what the schedule would have said meanwhile is not made up for."""
    row = session.get(TrainingTrigger, writer_id)
    if row is not None:
        row.updated_at = now()
        session.add(row)
