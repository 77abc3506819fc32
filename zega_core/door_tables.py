"""What is stored of those who come in: keys of the API, requests that must run once, and who is signed in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from zega_core.tables import Table, UTCDateTime, now


class ApiKey(Table, table=True):
    """A key of the REST API. It is shown once and never stored: ``hash`` is its SHA-256 as hexadecimal."""

    __tablename__ = "api_key"  # type: ignore[assignment]
    __table_args__ = (Index("ix_api_key_user", "user_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64)
    name: str = Field(max_length=60)
    """What the writer calls it: what it is for."""
    prefix: str = Field(max_length=16)
    """Its first letters, to tell keys apart by."""
    hash: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime, nullable=True)


class OnceOnly(Table, table=True):
    """A request that came with an ``Idempotency-Key``, and its answer once there is one."""

    __tablename__ = "once_only"  # type: ignore[assignment]
    __table_args__ = (Index("ix_once_only_created", "created_at"),)

    user_id: str = Field(primary_key=True, foreign_key="writer.id", max_length=64)
    key: str = Field(primary_key=True, max_length=255)
    request_hash: str = Field(max_length=64)
    """SHA-256 of method, path and body: the same key for another request is refused."""
    status: int | None = None
    """Of the answer; None while the request is under way."""
    location: str = ""
    body: str = ""
    heartbeat_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
    """A request whose process is gone lets go of its key."""
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)


class SignIn(Table, table=True):
    """Whose writer a person is who signs in by OpenID Connect."""

    __tablename__ = "sign_in"  # type: ignore[assignment]
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="writer.id", max_length=64, unique=True)
    issuer: str = Field(max_length=300)
    subject: str = Field(max_length=255)
    email: str = Field(default="", max_length=254)
    """As the provider last gave it, to be recognised by; it grants nothing."""
    created_at: datetime = Field(default_factory=now, sa_type=UTCDateTime)
