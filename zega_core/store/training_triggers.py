"""When a writer's fine-tunes begin by themselves, as they have chosen it."""

from __future__ import annotations

from logging import getLogger

from pydantic import ValidationError
from sqlmodel import Session

from zega_core.configs import TriggerConfig
from zega_core.conversation_tables import TrainingTrigger
from zega_core.store import writers
from zega_core.tables import now

log = getLogger(__name__)


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
    writers.ensure(session, writer_id)
    row = session.get(TrainingTrigger, writer_id) or TrainingTrigger(user_id=writer_id)
    row.config, row.updated_at = config.model_dump(mode="json"), now()
    session.add(row)
