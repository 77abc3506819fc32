"""What is stored about teaching: choices, favourite genres, the ledger, limits, votes, checks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field

from zega_core.tables import Table, UTCDateTime, now


class AutoTrainingConfig(Table, table=True):
    """How a writer wants to be taught (``configs.TeachingConfig``): teachers in order, limits, budget, votes."""

    __tablename__ = "auto_training_config"  # type: ignore[assignment]

    user_id: str = Field(primary_key=True, foreign_key="writer.id", max_length=64)
    config: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class ProviderCall(Table, table=True):
    """The ledger: one request to a teacher, judge or test. ``cost`` is in euros, None when the price is unknown."""

    __tablename__ = "provider_call"  # type: ignore[assignment]
    __table_args__ = (
        Index("ix_provider_call_session", "session_id"),
        Index("ix_provider_call_user_model", "user_id", "provider", "model", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    session_id: int | None = Field(default=None, foreign_key="training_session.id")
    role: str = Field(max_length=16)
    provider: str = Field(max_length=32)
    model: str = Field(max_length=200)
    reported: str = Field(default="", max_length=200)
    outcome: str = Field(max_length=16)
    status: int | None = None
    latency_ms: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    sent_chars: int = 0
    remote: bool = False
    """Whether what was sent left this machine."""
    at: datetime = Field(sa_type=UTCDateTime)


class RateLimit(Table, table=True):
    """What all workers together have asked of one service with one key. ``scope`` holds a hash of the key, never
    the key."""

    __tablename__ = "rate_limit"  # type: ignore[assignment]

    scope: str = Field(primary_key=True, max_length=64)
    usage: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class Candidate(Table, table=True):
    """The voting record: what each teacher wrote for one prompt, and which won."""

    __table_args__ = (
        UniqueConstraint("session_id", "idx", "model"),
        Index("ix_candidate_user_model", "user_id", "model"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    session_id: int = Field(foreign_key="training_session.id")
    idx: int
    model: str = Field(max_length=100)
    completion: str
    quality: float
    won: bool
    counted: bool = True
    """False for an answer that is a near duplicate of another: the two count as one vote."""


class SessionTeacher(Table, table=True):
    """What one model did in one session, in sums that the history adds up: written with the session's record, from its
    examples, votes and calls. ``genre`` empty is all of them, and ``model`` empty in a session that was handed in
    without saying whose pieces of a genre were kept."""

    __tablename__ = "session_teacher"  # type: ignore[assignment]
    __table_args__ = (
        Index(
            "ix_session_teacher_sums",
            *("user_id", "genre", "model", "session_id", "made", "kept", "scored", "quality_sum", "votes", "wins"),
            *("cost", "unpriced"),
        ),
    )

    session_id: int = Field(primary_key=True, foreign_key="training_session.id", ondelete="CASCADE")
    model: str = Field(primary_key=True, max_length=100)
    genre: str = Field(default="", primary_key=True, max_length=16)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    made: int | None = None
    """Pieces that it wrote, kept or set aside; None where that was not said."""
    kept: int = 0
    scored: int = 0
    quality_sum: float = 0.0
    """Of the scores, 0 to 10, of the ``scored`` pieces."""
    votes: int = 0
    """Choices between several teachers that it took part in, and of those the ones it won."""
    wins: int = 0
    cost: float = 0.0
    """Euros of its calls whose price is known; ``unpriced`` is the number of the others that were answered."""
    unpriced: int = 0


class SessionDay(Table, table=True):
    """The sessions that a writer began on one day (UTC), in sums that the history adds up. The database keeps them
    itself, by triggers (migration 0008), whoever writes a session."""

    __tablename__ = "session_day"  # type: ignore[assignment]

    user_id: str = Field(primary_key=True, max_length=64)
    """No foreign key: to look at the writer's row a trigger would wait for whoever has locked it and waits for this."""
    recorded: bool = Field(primary_key=True)
    day: str = Field(primary_key=True, max_length=10)
    """2026-11-27."""
    sessions: int
    kept: int
    scored: int
    """Pieces that were kept or set aside."""
    stories: int
    rated: int
    """Sessions with an average quality, 0 to 10; ``quality_sum`` weighs each by its pieces, which ``quality_weight``
    adds up, one without any as if it had one."""
    quality_sum: float
    quality_weight: int
    seconds: float
    fine_tunes: int
    """Sessions that set one off."""


class TeacherCheck(Table, table=True):
    """A look at a service, or a test of one model, asked for by a page and done by a worker."""

    __tablename__ = "teacher_check"  # type: ignore[assignment]
    __table_args__ = (Index("ix_teacher_check_user", "user_id", "provider", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    provider: str = Field(max_length=32)
    model: str = Field(default="", max_length=200)
    """Empty for a look: is it there, and which models does it list."""
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    asked_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)


class Favourite(Table, table=True):
    """A combination of genres that the writer wants to use again."""

    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    name: str = Field(max_length=60)
    genres: list[str] = Field(sa_column=Column(JSON, nullable=False))
    num_examples: int
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
