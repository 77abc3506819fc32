"""What is stored of writing with a model: what was asked for, every text that came of it, the writer's style."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field

from zega_core.tables import LONG_AGO, Table, UTCDateTime, now


class TakeState(StrEnum):
    writing = "writing"
    done = "done"
    stopped = "stopped"
    """By the writer, or because the process that wrote it ended; its text stays."""
    failed = "failed"


class Writing(Table, table=True):
    """One request of a writer: the brief, the text to go on from, and how to write it. Each text for it is a take."""

    __table_args__ = (Index("ix_writing_user", "user_id", "used_at"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=32)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    task: str = Field(max_length=16)
    """``write``, ``continue`` or ``rewrite``."""
    brief: str = ""
    given: str = ""
    """The text to continue or to rewrite."""
    genre: str = Field(default="", max_length=16)
    element: str = Field(default="", max_length=16)
    request: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """``configs.WriteRequest`` as it was asked for."""
    story_id: int | None = Field(default=None, foreign_key="story.id", ondelete="SET NULL")
    """The story that it continues or rewrites a part of."""
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    used_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class Take(Table, table=True):
    """One text that a model wrote for a request. Its text is stored as it comes."""

    __table_args__ = (
        UniqueConstraint("writing_id", "number"),
        Index("ix_take_state", "state"),
        Index("ix_take_example", "example_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=32)
    writing_id: int = Field(foreign_key="writing.id")
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    number: int
    """From 1 in the order in which they were asked for."""
    pair: int = 0
    """Takes of the same pair were asked for side by side; 0 for one alone."""
    blind: bool = False
    """Its model is not named until the writer has chosen."""
    chosen: bool | None = None
    """Of a pair: whether the writer liked it better."""
    asked: str = Field(default="", max_length=120)
    """Who was asked: ``custom``, ``version:3``, ``base``, ``storyteller``, ``teachers`` or a teacher's name."""
    model: str = Field(default="", max_length=120)
    """What wrote it, as it is named in records; empty until that is known."""
    label: str = Field(default="", max_length=120)
    context: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """What the model was given beside the brief: ``writing.Context``."""
    note: str = ""
    """What the writer should know of it: who stood in and why, what was left out of the prompt."""
    seed: int = 0

    text: str = ""
    original: str | None = None
    """The text before the writer's first edit."""
    edited_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    """When the writer first changed it; None while it reads as the model wrote it."""
    state: str = Field(default=TakeState.writing, max_length=16)
    error: str = ""
    cut: bool = False
    """It had more to say than the length allowed."""
    quality: float | None = None
    rating: int | None = None
    """The writer's stars, 1 to 5."""
    example_id: int | None = Field(default=None, foreign_key="example.id", ondelete="SET NULL")
    story_id: int | None = Field(default=None, foreign_key="story.id", ondelete="SET NULL")
    first_ms: int | None = None
    """Milliseconds from the request to the first word."""
    seconds: float = 0.0
    """From the first word to the last."""
    heartbeat_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class WritingChoice(Table, table=True):
    """How a writer wants to write, and what may be remembered (``configs.WritingConfig``)."""

    __tablename__ = "writing_choice"  # type: ignore[assignment]

    user_id: str = Field(primary_key=True, foreign_key="writer.id", max_length=64)
    config: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    memory_asked_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    """When memory was last asked to be brought up to date; None when it is."""


class StyleProfile(Table, table=True):
    """What was measured of a writer's style (``style.profile.Profile``), and what the writer corrected."""

    __tablename__ = "style_profile"  # type: ignore[assignment]

    user_id: str = Field(primary_key=True, foreign_key="writer.id", max_length=64)
    measured: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    stamp: str = Field(default="", max_length=64)
    """Of the data that it was measured from: another stamp means that there is something new."""
    measured_at: datetime = Field(default=LONG_AGO, sa_type=UTCDateTime)
    asked_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    corrections: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
