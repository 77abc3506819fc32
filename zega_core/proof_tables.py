"""What is stored of proofs, of the texts that they rest on, and of exports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field

from zega_core.tables import RunStatus, Table, UTCDateTime, now


class Proof(Table, table=True):
    """One version against another (or the base model) on the same held-out prompts, as a run."""

    __tablename__ = "proof"  # type: ignore[assignment]
    __table_args__ = (
        Index("ix_proof_user", "user_id", "id"),
        Index("ix_proof_status", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    run_id: str = Field(unique=True, max_length=32)
    trigger: str = Field(max_length=16)
    """``fine_tune``, ``writer``, ``command_line`` or ``api``."""
    version_number: int
    against: int | None = None
    """Number of the version that it is compared with; None for the base model."""
    promote: bool = False
    """Whether the version is put in use by itself when it is better and ``against`` is still in use; of one that has
    ended, whether it was."""
    judge: str = Field(default="", max_length=100)
    """The teacher to be asked, such as groq/llama-3.3-70b-versatile; empty for none."""

    job: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """``proof.job.Job`` without its texts; None until it is prepared."""
    phase: str = Field(default="", max_length=16)
    """``preparing``, ``writing``, ``measuring`` or ``judging``."""
    done: int = 0
    total: int = 0
    """Texts written, or pairs judged, of how many in this phase."""
    seconds_left: float | None = None
    losses: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """``before`` and ``after``: for each held-out text its nats and tokens."""
    figures: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """``proof.figures.Figures``."""
    verdict: str = Field(default="", max_length=16)
    """``better``, ``not_shown`` or ``worse``; empty until it is done."""
    reasons: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Why, in sentences with their figures."""
    notes: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """What the writer should know of how it went, in sentences."""

    status: str = Field(default=RunStatus.queued, max_length=16)
    attempt: int = 1
    lease: str | None = Field(default=None, max_length=32)
    heartbeat_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    begun_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    active_seconds: float = 0.0
    error: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)


class ProofText(Table, table=True):
    """What both wrote on one prompt. Kept, so that another judge can be asked without writing again."""

    __tablename__ = "proof_text"  # type: ignore[assignment]
    __table_args__ = (UniqueConstraint("proof_id", "place"),)

    id: int | None = Field(default=None, primary_key=True)
    proof_id: int = Field(foreign_key="proof.id")
    place: int
    """From 0, in the order in which they are written."""
    prompt: str
    """As the models are asked (``catalog.request`` or the writer's own words)."""
    genre: str = Field(default="", max_length=32)
    element: str = Field(default="", max_length=32)
    source: str = Field(max_length=16)
    """``held_out`` (one of the writer's) or ``shipped``."""
    seed: int
    before: str | None = None
    after: str | None = None
    before_ended: bool = False
    after_ended: bool = False
    """Whether the model ended by itself, rather than at the limit of tokens."""
    score_before: float | None = None
    score_after: float | None = None
    """Quality score 0 to 10."""
    judged: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """By judge: ``winner`` (before, after or tie), ``agreed``, ``first`` (what it named when ``before`` came first),
    ``reason``."""
    flipped: bool = False
    """Whether the writer, not knowing which is which, is shown ``after`` first."""
    choice: str = Field(default="", max_length=8)
    """The writer's: before, after or tie."""
    chosen_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)


class Export(Table, table=True):
    """One way out of ZEGA, as a run. Its files are in ``ZEGA_HOME/exports/{writer}/{folder}``."""

    __tablename__ = "export"  # type: ignore[assignment]
    __table_args__ = (
        Index("ix_export_user", "user_id", "id"),
        Index("ix_export_status", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    run_id: str = Field(unique=True, max_length=32)
    trigger: str = Field(max_length=16)
    """``writer``, ``command_line`` or ``api``."""
    format: str = Field(max_length=16)
    """Key of ``exports.formats.FORMATS``."""
    version_number: int | None = None
    """None for training data as it is kept now."""
    phase: str = Field(default="", max_length=16)
    folder: str = Field(default="", max_length=120)
    files: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """SHA-256 of each file by its name."""
    size_bytes: int = 0
    report: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """``exports.verify.Report``: what was checked in Ollama; None where it was not asked."""
    notes: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """What to do next, and what the writer should know, in sentences."""

    status: str = Field(default=RunStatus.queued, max_length=16)
    attempt: int = 1
    lease: str | None = Field(default=None, max_length=32)
    heartbeat_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    begun_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    active_seconds: float = 0.0
    error: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
