"""What is stored of fine-tunes and of the versions that come of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field

from zega_core.tables import RunStatus, Table, UTCDateTime, now


class FineTuning(Table, table=True):
    """How a writer wants to be learned from (``configs.FineTuneConfig``)."""

    __tablename__ = "fine_tuning"  # type: ignore[assignment]

    user_id: str = Field(primary_key=True, foreign_key="writer.id", max_length=64)
    config: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class FineTune(Table, table=True):
    """One fine-tune as a run. ``phase`` to ``seconds_left`` are what its process last said."""

    __tablename__ = "fine_tune"  # type: ignore[assignment]
    __table_args__ = (
        Index("ix_fine_tune_user", "user_id", "id"),
        Index("ix_fine_tune_status", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    run_id: str = Field(unique=True, max_length=32)
    trigger: str = Field(max_length=16)
    """``writer``, ``automatic``, ``pairs``, ``schedule``, ``command_line`` or ``api``."""
    config: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """``configs.FineTuneConfig`` as it was when the fine-tune was asked for."""
    kept_before: int = 0
    """Kept examples when it was asked for: the next automatic one counts from here."""
    pairs_before: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Of those, answers that the writer gave in conversations."""

    plan: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """``fine_tune.plan.Plan``; None until the data is prepared."""
    data: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """``fine_tune.data.Summary``: what it learns from; None until then."""
    phase: str = Field(default="", max_length=16)
    step: int = 0
    steps: int = 0
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    notes: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """What the writer should know of how it went, in sentences."""
    version_number: int | None = None
    """The version that came of it; stays when that is deleted, so that no number is given twice."""

    status: str = Field(default=RunStatus.queued, max_length=16)
    attempt: int = 1
    lease: str | None = Field(default=None, max_length=32)
    heartbeat_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    begun_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    active_seconds: float = 0.0
    error: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)


class TrainingMetric(Table, table=True):
    """One optimizer step of a fine-tune; losses are nats a token, weighted. Step 0 has a validation loss only."""

    __tablename__ = "training_metric"  # type: ignore[assignment]
    __table_args__ = (UniqueConstraint("fine_tune_id", "step"),)

    id: int | None = Field(default=None, primary_key=True)
    fine_tune_id: int = Field(foreign_key="fine_tune.id")
    step: int
    epoch: float
    loss: float | None = None
    validation_loss: float | None = None
    learning_rate: float | None = None
    tokens_per_second: float | None = None


class Version(Table, table=True):
    """One immutable fine-tune of a writer's model; only ``name`` may change. Its files are in
    ``ZEGA_HOME/versions/{writer}/v{number}``."""

    __table_args__ = (UniqueConstraint("user_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    number: int
    name: str = Field(default="", max_length=60)
    fine_tune_id: int = Field(foreign_key="fine_tune.id")
    parent: int | None = None
    """Number of the version that it went on from; None for one that begins at the base model."""
    base: str = Field(max_length=300)
    """Empty for the built-in one, else its id on Hugging Face or its folder."""
    base_hash: str = Field(max_length=64)
    """Of the base's weights, as hexadecimal SHA-256: an adapter fits no other."""
    data_hash: str = Field(max_length=64)
    """Fingerprint of the exact examples, weights and split."""
    examples: int
    own_share: float
    """Share of the trained words that the writer wrote, 0 to 1."""
    settings: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    metrics: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    files: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    """SHA-256 of each file by name."""
    size_bytes: int
    seconds: float
    """Time that training took, pauses and what a crash lost not counted."""
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class Promotion(Table, table=True):
    """The writer's choices of the version that writes for them; the newest row holds. Without a version it is the
    base model."""

    __table_args__ = (Index("ix_promotion_user", "user_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    version_id: int | None = Field(default=None, foreign_key="version.id")
    at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
