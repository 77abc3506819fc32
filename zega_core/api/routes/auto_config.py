"""When training begins by itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from zega_core import db, training_choices
from zega_core.api import problems
from zega_core.api.access import Asking
from zega_core.api.fields import Line, Sent, UsedSettings
from zega_core.facts.conversations import TrainingChoices, choices_of

router = APIRouter(prefix="/auto-config")


class AutoConfig(Sent):
    """What is left out stays. ``automatic`` is the switch for all of it; ``pairs`` new answers begin a training (null:
    the usual number), or the ``schedule``, at ``at`` in ``zone``, weekly on ``weekday`` (0 is Monday)."""

    automatic: bool | None = None
    by_pairs: bool | None = None
    pairs: Annotated[int, Field(ge=5, le=10_000)] | None = None
    schedule: Literal["off", "daily", "weekly"] | None = None
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    zone: Line | None = None
    least_hours: Annotated[float, Field(ge=0, le=24 * 90, allow_inf_nan=False)] | None = None
    least_score: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = None
    least_variety: Annotated[int, Field(ge=1, le=12)] | None = None
    least_own_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None

    def wanted(self) -> dict[str, Any]:
        sent = self.model_dump(exclude_unset=True)
        return {name: value for name, value in sent.items() if value is not None or name == "pairs"}


@router.get("/{id}", operation_id="get_auto_config", responses=problems.documented(404, 422))
def get_auto_config(id: str, asking: Asking, settings: UsedSettings) -> TrainingChoices:
    """When training begins by itself. ``id`` is the writer's."""
    writer = asking.checked(id)
    with db.reading(settings) as session:
        return choices_of(session, writer, settings)


@router.put("/{id}", operation_id="set_auto_config", responses=problems.documented(404, 422))
def set_auto_config(id: str, wanted: AutoConfig, asking: Asking, settings: UsedSettings) -> TrainingChoices:
    """Choose when training begins by itself. ``id`` is the writer's."""
    writer = asking.checked(id)
    with db.session(settings) as session:
        training_choices.change(session, writer, wanted.wanted())
        session.flush()
        return choices_of(session, writer, settings)
