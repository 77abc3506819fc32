"""A record of a training session that a program hands in (``POST /api/training-history``): checked, and made a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator
from pydantic.alias_generators import to_camel
from sqlmodel import Session

from zega_core.configs import GenreKey, check_writer_id
from zega_core.errors import InvalidInput
from zega_core.store import history_records
from zega_core.store.session_teachers import LONGEST_NAME, Sums
from zega_core.tables import RunStatus, TrainingSession

MOST = 1_000_000
"""Examples of a session."""
LONGEST_TIME = 10 * 366 * 86_400
"""Seconds."""
LONGEST_JSON = 20_000
"""Characters of a text that holds JSON."""
MOST_MODELS = 64
OWN_ORDER = -1
"""In place of the seed of an order: these drew no combinations."""
SESSION_ID = r"^[A-Za-z0-9._:-]{1,100}$"


def as_writer(value: object) -> str:
    """A writer's id; a whole number is taken as its digits. Raises ValueError."""
    try:
        return check_writer_id(str(value) if type(value) is int else value)
    except InvalidInput as error:
        raise ValueError(str(error)) from error


def in_utc(value: datetime) -> datetime:
    """Without a zone it is UTC. Raises ValueError for what is not of our time."""
    if not 1970 <= value.year <= 9000:
        raise ValueError("Use a moment from 1970 to 9000.")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def as_written(value: object) -> object:
    """A moment is written out, not counted in seconds. Raises ValueError."""
    if isinstance(value, str) and "-" in value.strip()[1:]:
        return value
    if isinstance(value, datetime):
        return value
    raise ValueError("A moment looks like 2026-11-01T18:30:00Z.")


def as_genre(value: object) -> object:
    """The seeds' ``sci-fi`` is our ``sci_fi``."""
    return value.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(value, str) else value


def _held(value: str, kind: type[Any], example: str) -> Any:
    """What a text holds as JSON: a list or an object, without what is no number."""

    def none(name: str) -> float:
        raise ValueError(f"{name} is no number in JSON.")

    try:
        found = json.loads(value, parse_constant=none)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, kind):
        raise ValueError(f"This is a text that holds JSON, such as {example}.")
    return found


def _genre(value: object) -> str:
    known = as_genre(value)
    if known not in [*GenreKey]:
        raise ValueError(f"A genre is one of: {', '.join(GenreKey)}.")
    return str(known)


def _genres(value: str) -> str:
    return json.dumps(list(dict.fromkeys(map(_genre, _held(value, list, '["fantasy", "mystery"]')))))


def _distribution(value: str) -> str:
    found: dict[str, int] = {}
    for key, number in _held(value, dict, '{"fantasy": 6}').items():
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST:
            raise ValueError(f"Each genre has a whole number of examples from 0 to {MOST:,}.")
        found[_genre(key)] = found.get(_genre(key), 0) + number
    return json.dumps(found)


def _performance(value: str) -> str:
    found = _held(value, dict, '{"gemini-2.0": {"count": 8, "avg_quality": 8.9}}')
    if len(found) > MOST_MODELS:
        raise ValueError(f"At most {MOST_MODELS} models.")
    return json.dumps({_name(model): _figures(figures) for model, figures in found.items()})


def _name(model: str) -> str:
    if not 1 <= len(model) <= LONGEST_NAME or not model.isprintable():
        raise ValueError(f"A model has a name of 1 to {LONGEST_NAME} letters.")
    return model


def _figures(value: object) -> dict[str, Any]:
    limits = {"count": MOST, "avg_quality": 10, "total_quality": 10 * MOST}
    if not isinstance(value, dict) or "count" not in value or not value.keys() <= limits.keys():
        raise ValueError("A model has a count, and may have avg_quality and total_quality.")
    for name, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= limits[name]:
            raise ValueError(f"{name} is a number from 0 to {limits[name]:,}.")
    if value["count"] != int(value["count"]):
        raise ValueError("count is a whole number.")
    return value | {"count": int(value["count"])}


def _readable(value: str | None) -> str | None:
    return _name(value) if value else None


Number = Annotated[int, Field(strict=True, ge=0, le=MOST)]
Score = Annotated[float, Field(strict=True, ge=0, le=10, allow_inf_nan=False)]
Moment = Annotated[datetime, BeforeValidator(as_written), AfterValidator(in_utc)]
Text = Annotated[str, Field(max_length=LONGEST_JSON)]


class Report(BaseModel):
    """A session as the program that ran it tells it. Times without a zone are UTC."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    user_id: Annotated[
        str,
        BeforeValidator(as_writer, json_schema_input_type=str | int),
        Field(description="Whose it is; a whole number is taken as its digits."),
    ]
    session_id: Annotated[str, Field(pattern=SESSION_ID, description="Its own, such as a UUID.")]
    num_examples_requested: Number
    num_examples_successful: Number
    num_examples_failed: Number
    genres_selected: Annotated[Text, AfterValidator(_genres), Field(description="A text that holds a list.")] = "[]"
    stored_in_memory: StrictBool = False
    saved_to_database: StrictBool = False
    stories_saved_count: Number = 0
    average_quality: Score | None = None
    min_quality: Score | None = None
    max_quality: Score | None = None
    best_performing_model: Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_readable)] | None = None
    model_performance_json: Annotated[Text, AfterValidator(_performance)] = "{}"
    genre_distribution_json: Annotated[Text, AfterValidator(_distribution)] = "{}"
    total_time_seconds: Annotated[float, Field(strict=True, ge=0, le=LONGEST_TIME, allow_inf_nan=False)] = 0
    training_examples_before: Number = 0
    training_examples_after: Number = 0
    finetuning_triggered: StrictBool = False
    started_at: Moment
    completed_at: Moment

    @model_validator(mode="after")
    def _in_order(self) -> Report:
        if self.completed_at < self.started_at:
            raise ValueError("completedAt: It is not before startedAt.")
        scores = [one for one in (self.min_quality, self.average_quality, self.max_quality) if one is not None]
        if scores != sorted(scores):
            raise ValueError("averageQuality: It lies between minQuality and maxQuality.")
        return self


@dataclass(frozen=True, slots=True)
class Stored:
    row: TrainingSession
    new: bool


COMPARED = (
    *("num_examples_requested", "num_examples_successful", "num_examples_failed", "genres_selected"),
    *("stored_in_memory", "saved_to_database", "stories_saved_count", "average_quality", "min_quality", "max_quality"),
    *("best_performing_model", "model_performance_json", "genre_distribution_json", "total_time_seconds"),
    *("training_examples_before", "training_examples_after", "fine_tuning_triggered", "started_at", "completed_at"),
)
"""Two reports that agree in these are the same one, sent twice."""


def hand_in(session: Session, writer_id: str, report: Report) -> Stored:
    """Store it as a session that was reported. The same again changes nothing; raises ChangedElsewhere where the
    writer has another of that id."""
    row, new = history_records.report(session, _row(writer_id, report), _teachers(report), COMPARED)
    return Stored(row, new)


def _row(writer_id: str, report: Report) -> TrainingSession:
    told = report.model_dump(exclude={"user_id", "finetuning_triggered"})
    for name in ("genres_selected", "model_performance_json", "genre_distribution_json"):
        told[name] = json.loads(told[name])
    return TrainingSession(
        **told,
        user_id=writer_id,
        fine_tuning_triggered=report.finetuning_triggered,
        seed=0,
        order_seed=OWN_ORDER,
        draw_from={},
        teacher=report.best_performing_model or "",
        status=RunStatus.done,
        active_seconds=report.total_time_seconds,
        recorded=True,
        reported=True,
    )


def _teachers(report: Report) -> Mapping[tuple[str, str], Sums]:
    """What it says of models and genres. How much a model wrote in all is not in it, nor whose pieces of a genre were
    kept."""
    found: dict[tuple[str, str], Sums] = {}
    for model, figures in json.loads(report.model_performance_json).items():
        kept, mean = figures["count"], figures.get("avg_quality")
        scored = kept if mean is not None else 0
        found[model, ""] = Sums(made=None, kept=kept, scored=scored, quality_sum=scored * (mean or 0.0))
    for genre, kept in json.loads(report.genre_distribution_json).items():
        found["", genre] = Sums(made=None, kept=kept)
    return found
