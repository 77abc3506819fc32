"""What is stored of conversations, the writer's own pages, automatic training, and what there is to tell the writer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from zega_core.tables import RunStatus, Table, UTCDateTime, now


class TurnState(StrEnum):
    prepared = "prepared"
    """A question that waits until its turn comes."""
    asked = "asked"
    answered = "answered"
    skipped = "skipped"


class Conversation(Table, table=True):
    """A chat in which ZEGA asks and the writer answers."""

    __table_args__ = (Index("ix_conversation_user", "user_id", "used_at"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=32)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    name: str = Field(max_length=80)
    purpose: str = ""
    """What the writer's model should be able to do, in their words; empty when they did not say."""
    paused: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    used_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class Turn(Table, table=True):
    """One question of a conversation, and through ``example_id`` its answer."""

    __table_args__ = (
        UniqueConstraint("conversation_id", "number"),
        Index("ix_turn_user_state", "user_id", "state"),
        Index("ix_turn_example", "example_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    conversation_id: int = Field(foreign_key="conversation.id")
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    number: int | None = None
    """From 1 in the order in which they were asked; None while it is prepared."""
    state: str = Field(default=TurnState.prepared, max_length=16)

    question: str
    kind: str = Field(default="", max_length=32)
    context: str = ""
    difficulty: str = Field(default="easy", max_length=8)
    """``easy``, ``medium`` or ``hard``."""
    genre: str = Field(default="", max_length=16)
    element: str = Field(default="", max_length=16)
    modifier: str = Field(default="", max_length=32)
    words: int = 0
    """About how many it asks for; 0 leaves it open."""
    lack: str = ""
    """What the writer's data lacks that this question was chosen for, in words; may be empty."""
    asked_by: str = Field(default="", max_length=100)
    """``storyteller`` or the teacher's name."""

    draft: str = ""
    example: str = ""
    """What *Show me an example* brought: never the writer's own."""
    example_by: str = Field(default="", max_length=100)
    example_asked_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    example_id: int | None = Field(default=None, foreign_key="example.id")
    """The stored pair; None before it is answered and after the answer was deleted."""
    asked_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    answered_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    seconds: float = 0.0
    """That the writer spent on it: pauses are not counted."""
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class Manuscript(Table, table=True):
    """Pages that the writer brought along, kept as they came, and the run that makes examples of them: example ``idx``
    of it is its passage of that number."""

    __table_args__ = (
        UniqueConstraint("user_id", "content_hash"),
        Index("ix_manuscript_status", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(unique=True, max_length=32)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    name: str = Field(max_length=200)
    format: str = Field(max_length=8)
    """``pasted``, ``txt``, ``md``, ``docx`` or ``epub``."""
    original: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    content_hash: str = Field(max_length=64)
    genre: str = Field(default="", max_length=16)
    """What the writer says it is; empty when they did not."""
    ask_teacher: bool = False
    """Whether a teacher may read the passages to write their prompts."""
    words: int = 0
    chapters: int = 0
    passages: int = 0
    done: int = 0
    """Passages that are stored."""
    phase: str = Field(default="", max_length=16)
    notes: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))

    status: str = Field(default=RunStatus.queued, max_length=16)
    attempt: int = 1
    lease: str | None = Field(default=None, max_length=32)
    heartbeat_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    begun_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    active_seconds: float = 0.0
    error: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)


class TrainingTrigger(Table, table=True):
    """When a writer's fine-tunes begin by themselves (``configs.TriggerConfig``)."""

    __tablename__ = "training_trigger"  # type: ignore[assignment]

    user_id: str = Field(primary_key=True, foreign_key="writer.id", max_length=64)
    config: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class Notification(Table, table=True):
    """Something that happened and that the writer should hear of once."""

    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_notification_user", "user_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    key: str = Field(max_length=100)
    """Of what happened: the same twice is told once."""
    kind: str = Field(max_length=16)
    """``threshold``, ``finished``, ``verdict``, ``failed`` or ``waiting``."""
    text: str
    page: str = Field(default="", max_length=32)
    """File name in ``pages`` where there is more; empty for none."""
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    """When a page popped it up."""
    seen_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)


class ExampleChange(Table, table=True):
    """What one example was before a change, so that it can be undone. Those of one ``batch`` belong together. Gone
    after ``changes.UNDO_DAYS``: until then a deleted example is only here."""

    __tablename__ = "example_change"  # type: ignore[assignment]
    __table_args__ = (
        Index("ix_example_change_user", "user_id", "id"),
        Index("ix_example_change_batch", "user_id", "batch", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    batch: str = Field(max_length=32)
    action: str = Field(max_length=16)
    """``edit``, ``rate``, ``tag``, ``include``, ``exclude``, ``delete`` or ``answer``."""
    example_id: int
    turn_id: int | None = None
    before: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """The row as it was, for JSON; None when it was not there."""
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
