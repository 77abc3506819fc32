"""What is stored. Input was checked in ``configs``: ``table=True`` models do not validate."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, TypeDecorator, UniqueConstraint, false, text
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite drops zones, so they are taken off on the way in and put back on the way out."""

    impl = SqlDateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class RunStatus(StrEnum):
    queued = "queued"
    running = "running"
    stopping = "stopping"
    stopped = "stopped"
    done = "done"
    failed = "failed"


UNFINISHED = (RunStatus.queued, RunStatus.running, RunStatus.stopping)
RESUMABLE = (RunStatus.stopped, RunStatus.failed)


class ExampleStatus(StrEnum):
    kept = "kept"
    set_aside = "set_aside"
    failed = "failed"


class Source(StrEnum):
    auto = "auto"
    conversation = "conversation"
    manuscript = "manuscript"
    rating = "rating"
    imported = "import"


class CallOutcome(StrEnum):
    """How one call of a teacher ended. Everything from ``empty`` to ``garbled`` was answered, but is no piece."""

    ok = "ok"
    empty = "empty"
    refusal = "refusal"
    cut_off = "cut_off"
    safety = "safety"
    language = "language"
    too_long = "too_long"
    garbled = "garbled"
    rate_limited = "rate_limited"
    busy = "busy"
    unavailable = "unavailable"
    refused = "refused"
    cancelled = "cancelled"


class Table(SQLModel, registry=registry()):
    """Base of every table. Its own registry survives a re-import of this module by a hot reload."""


def _moment(nullable: bool = False) -> Any:
    return Field(default=None if nullable else ..., sa_type=UTCDateTime, nullable=nullable)


def _where(condition: str, on_sqlite: str = "") -> dict[str, Any]:
    """Of an index of some rows. An index is used by a query whose words for the condition are the same."""
    return {"sqlite_where": text(on_sqlite or condition), "postgresql_where": text(condition)}


class Writer(Table, table=True):
    id: str = Field(primary_key=True, max_length=64)
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    last_used_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class TrainingSession(Table, table=True):
    """One session of the history. ``num_examples_successful`` to ``completed_at`` are its record: written
    when the run ends (``recorded``), and again by reconcile if that failed."""

    __tablename__ = "training_session"  # type: ignore[assignment]
    __table_args__ = (
        UniqueConstraint("user_id", "session_id"),
        Index("ux_training_session_run", "session_id", unique=True, **_where("NOT reported", "reported = 0")),
        Index("ix_training_session_writer_started", "user_id", "started_at"),
        Index("ix_training_session_writer_completed", "user_id", "completed_at"),
        Index("ix_training_session_status", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    session_id: str = Field(max_length=100)
    """Of what ZEGA ran unlike any other's; of what was handed in unlike any other of its writer's."""

    num_examples_requested: int
    genres_selected: list[str] = Field(sa_column=Column(JSON, nullable=False))
    stored_in_memory: bool = False
    saved_to_database: bool = False
    seed: int
    order_seed: int
    """Seed of the order in which combinations are drawn."""
    draw_from: dict[str, int] = Field(sa_column=Column(JSON, nullable=False))
    """Per genre: how many combinations of that order earlier sessions have taken."""
    teacher: str = Field(max_length=100)

    num_examples_successful: int = 0
    """Examples kept: the seeds count as successful what passed the quality filter."""
    num_examples_failed: int = 0
    """Examples without a usable answer."""
    num_examples_set_aside: int = 0
    stories_saved_count: int = 0
    average_quality: float | None = None
    min_quality: float | None = None
    max_quality: float | None = None
    best_performing_model: str | None = Field(default=None, max_length=100)
    model_performance_json: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    genre_distribution_json: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    total_time_seconds: float = 0.0
    training_examples_before: int = 0
    training_examples_after: int = 0
    fine_tuning_triggered: bool = False
    recorded: bool = False

    started_at: datetime = _moment()
    completed_at: datetime | None = _moment(nullable=True)
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)

    status: str = Field(default=RunStatus.queued, max_length=16)
    attempt: int = 1
    lease: str | None = Field(default=None, max_length=32)
    heartbeat_at: datetime | None = _moment(nullable=True)
    begun_at: datetime | None = _moment(nullable=True)
    """When the attempt that holds the lease began; None between attempts."""
    active_seconds: float = 0.0
    """Seconds that earlier attempts of this run worked; a stopped run's pause does not count."""
    error: str | None = None

    min_votes: int = 1
    budget: float | None = None
    """Euros that the whole session may cost; None is no limit."""
    archived_at: datetime | None = _moment(nullable=True)
    """When the writer put it out of sight; it counts all the same."""
    reported: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether the record was handed in by a program of the writer's: ZEGA ran no such session."""


class Example(Table, table=True):
    __table_args__ = (
        UniqueConstraint("session_id", "idx"),
        Index("ux_example_kept_text", "user_id", "text_hash", unique=True, **_where("status = 'kept'")),
        Index("ix_example_user_text", "user_id", "text_hash"),
        Index("ix_example_user_newest", "user_id", "id", "status"),
        Index("ix_example_user_quality", "user_id", "quality", "id", "status"),
        Index("ix_example_manuscript", "manuscript_id", "idx", unique=True),
        Index(
            "ix_example_filter",
            *("user_id", "status", "genre", "source", "element", "model", "quality", "rated_at", "edited_at", "id"),
        ),
        {"sqlite_autoincrement": True},  # a number is given once
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    session_id: int | None = Field(default=None, foreign_key="training_session.id")
    idx: int | None = None
    source: str = Field(default=Source.auto, max_length=16)
    genre: str = Field(max_length=16)
    element: str = Field(max_length=16)
    """Genre and element are empty where they are not known, as in an imported pair."""
    origin: str | None = Field(default=None, max_length=200)
    """Which file or story it was taken from."""
    prompt: str
    modifier: str | None = Field(default=None, max_length=32)
    completion: str = ""
    status: str = Field(max_length=16)
    reason: str | None = None
    """Why it was set aside, or why there was no answer."""
    duplicate_of: int | None = None
    quality: float | None = None
    quality_report: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    quality_version: int | None = None
    catalog_version: int | None = None
    model: str | None = Field(default=None, max_length=100)
    seed: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_ms: int = 0
    text_hash: str = Field(default="", max_length=32)
    judge_score: float | None = None
    """What a teacher in the role of judge gave, 0 to 10: beside the measured quality, never in its place."""
    judge_report: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    votes: int = 1
    """How many different answers it was chosen from."""
    rating: int | None = None
    """The writer's stars, 1 to 5."""
    decision: str | None = Field(default=None, max_length=8)
    """The writer's own word, ``keep`` or ``discard``: it outweighs every score."""
    rated_at: datetime | None = _moment(nullable=True)
    manuscript_id: int | None = None
    """The pages (``conversation_tables.Manuscript``) that it is a passage of, its number there being ``idx``."""
    original: str | None = None
    """The text before the writer's first edit: the two are a preference pair, the edit being preferred."""
    edited_at: datetime | None = _moment(nullable=True)
    tags: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]"))
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class ExampleTag(Table, table=True):
    """``Example.tags`` to look examples up by: the database keeps it in step, nothing else writes it."""

    __tablename__ = "example_tag"  # type: ignore[assignment]
    __table_args__ = (Index("ix_example_tag_example", "example_id"),)

    user_id: str = Field(primary_key=True, max_length=64)
    name: str = Field(primary_key=True, max_length=40)
    example_id: int = Field(primary_key=True, foreign_key="example.id", ondelete="CASCADE")


class Story(Table, table=True):
    """A piece that the writer asked to keep for reading, apart from training."""

    __table_args__ = ({"sqlite_autoincrement": True},)  # a number is given once

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64, index=True)
    example_id: int | None = Field(default=None, foreign_key="example.id", unique=True)
    title: str = Field(max_length=200)
    genre: str = Field(max_length=16)
    body: str
    quality: float | None = None
    element: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    updated_at: datetime | None = _moment(nullable=True)
    """When the writer last changed it; None as long as it is as it was saved."""
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class Memory(Table, table=True):
    """A text that writing may recall: a kept example, or a story that says something else than its example. One without
    a text is a mark: the writer had it forgotten, and it is not remembered again."""

    __table_args__ = (
        Index("ux_memory_story", "story_id", unique=True),
        Index("ix_memory_embedder", "user_id", "embedder", "id"),
        {"sqlite_autoincrement": True},  # a number is given once, so it can stand for its text
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64, index=True)
    example_id: int | None = Field(default=None, foreign_key="example.id", unique=True)
    story_id: int | None = Field(default=None, foreign_key="story.id", ondelete="CASCADE")
    body: str
    genre: str | None = Field(default=None, max_length=16)
    embedding: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Numbers of 32 bits, little endian, of length one; None until a worker has seen to it."""
    embedder: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    """Whose numbers they are: those of two embedders cannot be compared."""
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class Taste(Table, table=True):
    """What a writer wants of the score (``configs.TasteConfig``), what was fitted to their ratings, and whether their
    pieces are being scored again."""

    user_id: str = Field(primary_key=True, foreign_key="writer.id", max_length=64)
    config: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    fitted: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    updated_at: datetime = Field(default=LONG_AGO, sa_type=UTCDateTime)
    """When what a piece is worth to the writer last changed."""
    rescore_asked_at: datetime | None = _moment(nullable=True)
    rescored_at: datetime | None = _moment(nullable=True)
    rescore_result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
