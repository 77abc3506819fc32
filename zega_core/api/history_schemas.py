"""What the endpoints of the training history take and answer, in the seeds' names."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from math import ceil, isfinite
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from zega_core.configs import GenreKey
from zega_core.history import Recommendation
from zega_core.history_reports import as_genre, as_written, in_utc
from zega_core.quality.validation import number
from zega_core.store.history import LONGEST, ConversationStatus, Filter, Kind
from zega_core.store.history_totals import Totals
from zega_core.tables import RunStatus, TrainingSession


def _zulu(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z" if value.microsecond else f"{value:%Y-%m-%dT%H:%M:%S}Z"


Moment = Annotated[datetime, PlainSerializer(_zulu, return_type=str, when_used="json")]


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Record(Camel):
    """A training session. ``genresSelected`` and what ends in ``Json`` are texts that hold JSON."""

    id: int
    user_id: str
    session_id: str
    num_examples_requested: int
    num_examples_successful: int
    num_examples_failed: int
    genres_selected: str
    stored_in_memory: bool
    saved_to_database: bool
    stories_saved_count: int
    average_quality: float | None
    min_quality: float | None
    max_quality: float | None
    best_performing_model: str | None
    model_performance_json: str
    genre_distribution_json: str
    total_time_seconds: int
    training_examples_before: int
    training_examples_after: int
    finetuning_triggered: bool
    started_at: Moment
    completed_at: Moment | None
    created_at: Moment
    status: RunStatus
    archived: bool
    reported: bool
    error: str | None

    @classmethod
    def of(cls, row: TrainingSession) -> Record:
        plain = (
            *("user_id", "session_id", "num_examples_requested", "num_examples_successful", "num_examples_failed"),
            *("stored_in_memory", "saved_to_database", "stories_saved_count", "best_performing_model"),
            *("training_examples_before", "training_examples_after", "started_at", "completed_at", "created_at"),
            *("reported", "error"),
        )
        texts = ("genres_selected", "model_performance_json", "genre_distribution_json")
        scores = ("average_quality", "min_quality", "max_quality")
        told: dict[str, Any] = {name: getattr(row, name) for name in plain}
        told |= {name: _text(getattr(row, name)) for name in texts}
        told |= {name: number(getattr(row, name), 0, 10) for name in scores}
        return cls(
            id=row.id or 0,
            total_time_seconds=round(number(row.total_time_seconds, 0, LONGEST) or 0),
            finetuning_triggered=bool(row.fine_tuning_triggered),
            status=RunStatus(row.status),
            archived=row.archived_at is not None,
            **told,
        )


class PageOfRecords(Camel):
    """A page as Spring has it."""

    content: list[Record]
    total_pages: int
    total_elements: int
    number: int
    size: int
    first: bool
    last: bool
    number_of_elements: int
    empty: bool

    @classmethod
    def of(cls, content: list[Record], *, total: int, number: int, size: int) -> PageOfRecords:
        pages = ceil(total / size)
        return cls(
            content=content,
            total_pages=pages,
            total_elements=total,
            number=number,
            size=size,
            first=number == 0,
            last=number >= pages - 1,
            number_of_elements=len(content),
            empty=not content,
        )


class Stats(Camel):
    """``totalExamplesGenerated`` are the examples that were kept; ``fineTuningSessionsCount`` of the sessions set off a
    fine-tune."""

    total_sessions: int
    total_examples_generated: int
    total_stories_saved: int
    average_quality: float | None
    total_training_time_seconds: int
    fine_tuning_sessions_count: int

    @classmethod
    def of(cls, found: Totals) -> Stats:
        return cls(
            total_sessions=found.sessions,
            total_examples_generated=found.kept,
            total_stories_saved=found.stories,
            average_quality=found.average_quality,
            total_training_time_seconds=round(found.seconds),
            fine_tuning_sessions_count=found.fine_tunes,
        )


class Evidence(Camel):
    """``kept`` of ``made`` pieces; with 95 % certainty the share lies from ``low`` to ``high``."""

    genre: GenreKey
    teacher: str
    sessions: int
    made: int
    kept: int
    share: float
    low: float
    high: float
    quality: float | None


class Recommended(Camel):
    """A sentence, and what it stands on; null where there is not enough yet."""

    message: str
    evidence: Evidence | None

    @classmethod
    def of(cls, found: Recommendation | None, message: str) -> Recommended:
        if found is None:
            return cls(message=message, evidence=None)
        names = ("teacher", "sessions", "made", "kept", "share", "low", "high", "quality")
        told = {name: getattr(found, name) for name in names}
        return cls(message=message, evidence=Evidence(genre=GenreKey(found.genre), **told))


class Compared(Camel):
    """One line of two sessions; ``part`` is settings, figures, teachers or genres."""

    part: str
    label: str
    first: str
    second: str
    same: bool


class Said(Camel):
    """What was done, in a sentence."""

    message: str


def _readable(value: str) -> str:
    return value.replace("\x00", "")


Genre = Annotated[GenreKey, BeforeValidator(as_genre)]
Time = Annotated[datetime, BeforeValidator(as_written), AfterValidator(in_utc)]
Words = Annotated[str, AfterValidator(_readable)]


async def _as_told(
    since: Annotated[Time | None, Query(description="Begun then or later; without a zone it is UTC.")] = None,
    until: Annotated[Time | None, Query(description="Begun before then.")] = None,
    genre: Annotated[list[Genre] | None, Query(max_length=8, description="Of one of these.")] = None,
    low: Annotated[float, Query(ge=0, le=10, description="Lowest average quality.")] = 0,
    high: Annotated[float, Query(ge=0, le=10, description="Highest average quality.")] = 10,
    teacher: Annotated[Words, Query(max_length=100, description="That was asked, or wrote most of it.")] = "",
    status: Annotated[list[RunStatus | ConversationStatus] | None, Query(max_length=8)] = None,
    kind: Annotated[list[Kind] | None, Query(max_length=3, description="What it was.")] = None,
    text: Annotated[Words, Query(max_length=200, description="In id, genre, teacher, error or name.")] = "",
    archived: Annotated[bool | None, Query(description="Only what was archived, or only the rest.")] = None,
) -> Filter:
    """What to look for; everything that is left out is left open."""
    return Filter(
        since=since,
        until=until,
        genres=tuple(genre or ()),
        quality=None if (low, high) == (0, 10) else (low, high),
        teacher=teacher.strip(),
        statuses=tuple(status or ()),
        kinds=tuple(kind or ()),
        text=text,
        archived=archived,
    )


async def _of_sessions(found: Annotated[Filter, Depends(_as_told)]) -> Filter:
    return replace(found, kinds=(Kind.auto_train,))


AsTold = Annotated[Filter, Depends(_as_told)]
"""A filter over everything that is in the history."""
Looked = Annotated[Filter, Depends(_of_sessions)]
"""A filter over training sessions."""


def _text(stored: object) -> str:
    """As JSON, which holds no NaN."""
    return json.dumps(_finite(stored), ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value
