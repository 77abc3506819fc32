"""What each writer wants of the score, and what was fitted to their ratings."""

from __future__ import annotations

from collections.abc import Callable
from logging import getLogger
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, select

from zega_core.configs import TasteConfig
from zega_core.store import writers
from zega_core.tables import Taste, now

log = getLogger(__name__)


def load(session: Session, writer_id: str) -> TasteConfig:
    """The writer's choices, or the defaults where there are none that can be read (another version's)."""
    row = session.get(Taste, writer_id)
    if row is None:
        return TasteConfig()
    try:
        return TasteConfig.model_validate(row.config)
    except ValidationError as error:
        log.warning("the quality choices of a writer cannot be used: %d mistakes", error.error_count())
        return TasteConfig()


def save(session: Session, writer_id: str, config: TasteConfig, *, moves: bool | None = None) -> None:
    """``moves``: whether pieces are worth something else now; None where any change of what bears on it counts."""
    row = _row(session, writer_id)
    if moves is None:
        moves = _bearing(load(session, writer_id)) != _bearing(config)
    row.config = config.model_dump(mode="json")
    row.updated_at = now() if moves else row.updated_at
    session.add(row)


def change(session: Session, writer_id: str, changed: Callable[[TasteConfig], TasteConfig]) -> None:
    """Take over what ``changed`` makes of the choices as they are now. Nobody else changes them from the reading on, so
    of two tabs at once neither loses its change."""
    _row(session, writer_id)
    save(session, writer_id, changed(load(session, writer_id)))


def _bearing(config: TasteConfig) -> dict[str, Any]:
    return config.model_dump(exclude={"avoid", "worn", "not_worn"})


def _row(session: Session, writer_id: str) -> Taste:
    """Ours until the end of the transaction. The writer's row first, as everywhere."""
    writers.ensure(session, writer_id)
    session.flush()
    writers.lock(session, writer_id)
    return session.get(Taste, writer_id) or Taste(user_id=writer_id)


def fitted(session: Session, writer_id: str) -> dict[str, Any]:
    """What was fitted to the writer's ratings, as stored; empty where there is none."""
    found = session.exec(select(Taste.fitted).where(Taste.user_id == writer_id)).first()
    return found if isinstance(found, dict) else {}


def save_fitted(session: Session, writer_id: str, fitted: dict[str, Any], *, moves: bool = True) -> None:
    row = _row(session, writer_id)
    row.fitted = fitted
    row.updated_at = now() if moves else row.updated_at
    session.add(row)
