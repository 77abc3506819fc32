"""Keys of the REST API: each acts for one writer, is shown once, and is stored as its SHA-256 only."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from hashlib import sha256

from sqlmodel import Session, col, select

from zega_core.door_tables import ApiKey
from zega_core.errors import InvalidInput, NotFound
from zega_core.store import writers
from zega_core.tables import now

BEGINS_WITH = "zega_"
LENGTH = len(BEGINS_WITH) + 43
SHOWN = len(BEGINS_WITH) + 6
"""So many of its first letters are stored, to tell keys apart by; the other 37 say enough on their own."""
MOST = 20
"""Valid keys of one writer."""
MAX_NAME = 60
EVERY = timedelta(minutes=1)
"""A use is noted at most so often."""


def create(session: Session, writer_id: str, name: str) -> tuple[ApiKey, str]:
    """A new key and the key in clear, which is nowhere to be had again. The writer is created if new. Raises
    InvalidInput for a name that is none, and when the writer has enough keys."""
    name = _checked(name)
    writers.ensure(session, writer_id)
    writers.lock(session, writer_id)
    if sum(key.revoked_at is None for key in of_writer(session, writer_id)) >= MOST:
        raise InvalidInput(f"A writer can have {MOST} keys. Revoke one that is no longer used, then make a new one.")
    clear = BEGINS_WITH + secrets.token_urlsafe(32)
    row = ApiKey(user_id=writer_id, name=name, prefix=clear[:SHOWN], hash=_hash(clear))
    session.add(row)
    session.flush()
    return row, clear


def of_writer(session: Session, writer_id: str) -> list[ApiKey]:
    """Those that are valid first, then by age, newest first."""
    query = select(ApiKey).where(ApiKey.user_id == writer_id)
    return list(session.exec(query.order_by(col(ApiKey.revoked_at).is_not(None), col(ApiKey.id).desc())).all())


def revoke(session: Session, writer_id: str, key_id: int) -> None:
    """From now on nobody comes in with it; twice changes nothing. Another writer's is not found, exactly like one that
    does not exist."""
    row = session.get(ApiKey, key_id) if 0 < key_id < 2**31 else None
    if row is None or row.user_id != writer_id:
        raise NotFound("There is no such key. Choose one in the list of keys.")
    row.revoked_at = row.revoked_at or now()
    session.add(row)


def any_valid(session: Session) -> bool:
    """Whether anybody has a key that opens."""
    return session.exec(select(ApiKey.id).where(col(ApiKey.revoked_at).is_(None)).limit(1)).first() is not None


def find(session: Session, clear: str) -> ApiKey | None:
    """The valid key, compared in constant time: nothing is learned from how long a wrong one takes."""
    if len(clear) != LENGTH or not clear.isascii():
        return None
    hashed = _hash(clear)
    row = session.exec(select(ApiKey).where(ApiKey.hash == hashed)).first()
    stored = row.hash if row is not None else "0" * len(hashed)
    same = hmac.compare_digest(stored, hashed)
    return row if row is not None and same and row.revoked_at is None else None


def unnoted(key: ApiKey) -> bool:
    """Whether its last use was noted so long ago that this one is to be."""
    return key.last_used_at is None or now() - key.last_used_at >= EVERY


def touch(session: Session, key_id: int) -> None:
    """Note that it is used, unless that was just noted."""
    row = session.get(ApiKey, key_id)
    if row is not None and unnoted(row):
        row.last_used_at = now()
        session.add(row)


def _hash(clear: str) -> str:
    return sha256(clear.encode()).hexdigest()


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInput(f"Give the key a name of 1 to {MAX_NAME} characters that says what it is for: laptop.")
    return name
