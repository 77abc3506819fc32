"""How each writer wants to be taught: teachers in order, limits, votes, budget."""

from __future__ import annotations

from logging import getLogger

from pydantic import ValidationError
from sqlmodel import Session

from zega_core.configs import TeachingConfig
from zega_core.store import writers
from zega_core.tables import now
from zega_core.teacher_tables import AutoTrainingConfig

log = getLogger(__name__)


def load(session: Session, writer_id: str) -> TeachingConfig:
    """The writer's choices, or the defaults. A row that cannot be read (another version's) counts as none."""
    row = session.get(AutoTrainingConfig, writer_id)
    if row is None:
        return TeachingConfig()
    try:
        return TeachingConfig.model_validate(row.config)
    except ValidationError as error:
        log.warning("the teaching choices of a writer cannot be used: %d mistakes", error.error_count())
        return TeachingConfig()


def save(session: Session, writer_id: str, config: TeachingConfig) -> None:
    writers.ensure(session, writer_id)
    row = session.get(AutoTrainingConfig, writer_id) or AutoTrainingConfig(user_id=writer_id, config={})
    row.config, row.updated_at = config.model_dump(mode="json"), now()
    session.add(row)
