"""What a writer's model has learned from, and fine-tuning it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from zega_core import db, run_results, triggers, versions
from zega_core.api import following, once, problems
from zega_core.api.access import Asking
from zega_core.api.fields import RunId, UserId
from zega_core.jobs import client
from zega_core.settings import get_settings
from zega_core.store import fine_tunes, training_stats, writers
from zega_core.tables import UNFINISHED
from zega_core.version_tables import FineTune

router = APIRouter(route_class=once.Route)


class Scores(BaseModel):
    average: float | None
    highest: float | None
    lowest: float | None


class TrainingStats(BaseModel):
    """Over what is kept. Genres are counted by their keys, what has none as ``other``."""

    user_id: str
    training_examples: int
    examples_until_next_training: int
    last_fine_tune: datetime | None
    quality_scores: Scores
    genre_preferences: dict[str, int]
    total_training_steps: int
    custom_model_exists: bool
    custom_model_name: str | None


class FineTuned(BaseModel):
    """``status`` is ``success`` once there is a version. Its proof follows; it is put in use if it is better."""

    status: str
    message: str
    run_id: str
    version: int | None
    promoted: bool
    training_examples_used: int | None
    training_time_seconds: float
    model_size_mb: float | None
    step: int
    steps: int
    notes: list[str]


@router.get(
    "/user/{user_id}/training-stats",
    tags=["training"],
    operation_id="training_stats",
    summary="What a writer's model has learned from",
    responses=problems.documented(404),
)
def stats(user_id: UserId, asking: Asking) -> TrainingStats:
    writer, settings = asking.checked(user_id), get_settings()
    with db.reading(settings) as session:
        writers.get(session, writer)
        kept = training_stats.kept(session, writer)
        exists = training_stats.has_version(session, writer)
        return TrainingStats(
            user_id=writer,
            training_examples=kept.number,
            examples_until_next_training=triggers.until_next(session, writer, settings).left,
            last_fine_tune=training_stats.last_fine_tune(session, writer),
            quality_scores=Scores(average=kept.average, highest=kept.highest, lowest=kept.lowest),
            genre_preferences={genre or "other": number for genre, number in kept.genres.items()},
            total_training_steps=training_stats.steps(session, writer),
            custom_model_exists=exists,
            custom_model_name=versions.model_name(writer) if exists else None,
        )


@router.post(
    "/user/{user_id}/trigger-finetuning",
    tags=["training"],
    operation_id="trigger_finetuning",
    summary="Train a new version on what is kept",
    response_model=FineTuned,
    responses={202: {"model": following.Queued, "description": "It is under way"}, **following.STARTS},
    dependencies=[once.HONOURED],
)
async def trigger_finetuning(
    request: Request,
    user_id: UserId,
    asking: Asking,
    begun: once.Begun,
    background: Annotated[bool, Query(description="Answer at once, with where to look.")] = False,
) -> Any:
    """Answers when it is trained; where one is under way already, when that is. With too little to learn from it says
    how much is missing."""

    def start() -> tuple[str, str]:
        writer = asking.checked(user_id)
        with db.reading() as session:
            writers.get(session, writer)
        if begun.earlier:
            return writer, begun.earlier
        return writer, client.fine_tune(writer, trigger="api", one_at_a_time=True, noted=begun.note)

    writer, run_id = await run_in_threadpool(start)
    if background:
        return following.accepted(
            following.Queued(run_id=run_id, location=f"/user/{writer}/trigger-finetuning/{run_id}")
        )

    def look() -> FineTune:
        with db.reading() as session:
            return fine_tunes.get(session, writer, run_id)

    row = await following.until(request, look, lambda row: row.status not in UNFINISHED)
    return following.GONE if row is None else await run_in_threadpool(_trained, writer, run_id)


@router.get(
    "/user/{user_id}/trigger-finetuning/{run_id}",
    tags=["training"],
    operation_id="finetuning_state",
    summary="What a fine-tune has come to by now",
    responses=problems.documented(404),
)
def finetuning_state(user_id: UserId, run_id: RunId, asking: Asking) -> FineTuned:
    return _trained(asking.checked(user_id), run_id)


def _trained(writer: str, run_id: str) -> FineTuned:
    with db.reading() as session:
        return FineTuned(**run_results.of_fine_tune(session, fine_tunes.get(session, writer, run_id)))
