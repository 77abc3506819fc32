"""How each writer wants to be taught: teachers in order, limits, votes, budget."""

from __future__ import annotations

from datetime import datetime
from logging import getLogger

from pydantic import ValidationError
from sqlmodel import Session, select

from zega_core.configs import TeachingConfig
from zega_core.store import writers
from zega_core.tables import now
from zega_core.teacher_tables import AutoTrainingConfig

log = getLogger(__name__)


def load(session: Session, writer_id: str) -> TeachingConfig:
    """The writer's choices, or the defaults. Of a row that cannot be read (another version's) nothing is taken but the
    budget, and nobody outside this machine is asked: a switch that protects must not open by mistake."""
    row = session.get(AutoTrainingConfig, writer_id)
    if row is None:
        return TeachingConfig()
    try:
        return TeachingConfig.model_validate(row.config)
    except ValidationError as error:
        log.warning("the teaching choices of a writer cannot be used: %d mistakes", error.error_count())
        budget = row.config.get("budget") if isinstance(row.config, dict) else None
        if isinstance(budget, int | float) and 0 < budget <= 100_000:
            return TeachingConfig(local_only=True, budget=budget)
        return TeachingConfig(local_only=True)


def changed_at(session: Session, writer_id: str) -> datetime | None:
    """When the writer last chose; None before the first time."""
    query = select(AutoTrainingConfig.updated_at).where(AutoTrainingConfig.user_id == writer_id)
    return session.exec(query).first()


def save(session: Session, writer_id: str, config: TeachingConfig) -> None:
    writers.ensure(session, writer_id)
    row = session.get(AutoTrainingConfig, writer_id) or AutoTrainingConfig(user_id=writer_id, config={})
    row.config, row.updated_at = config.model_dump(mode="json"), now()
    session.add(row)
