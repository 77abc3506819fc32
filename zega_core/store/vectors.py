"""Numbers of remembered texts where PostgreSQL can search them itself (the extension pgvector): for writers who have
more texts than are compared one by one. The table is made when the first writer needs it, and by no migration: the
extension may come to a server later than ZEGA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from zega_core.embedders import Matrix

SIZE = 384
"""Numbers of a text, as MiniLM gives them: the table has room for no others."""
LOOKED_AT = 400
"""Neighbours that the index looks at for one search: more find more and take longer (hnsw.ef_search)."""
_AT_A_TIME = 500
_THERE = text("SELECT to_regclass('memory_vector') IS NOT NULL")
_EXTENSION = text("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector' AND default_version >= '0.8'")
_COUNT = text("SELECT count(*) FROM memory_vector WHERE user_id = :writer AND embedder = :embedder")
_ADD = text(
    "INSERT INTO memory_vector (memory_id, user_id, embedder, numbers) "
    "SELECT id, user_id, embedder, CAST(:numbers AS vector) FROM memory "
    "WHERE id = :one AND embedder = :embedder AND body <> '' "
    "ON CONFLICT (memory_id) DO UPDATE SET embedder = excluded.embedder, numbers = excluded.numbers"
)
_LACKING = text(
    "SELECT id, embedding FROM memory WHERE user_id = :writer AND embedder = :embedder AND embedding IS NOT NULL "
    "AND id < :below "
    "AND NOT EXISTS (SELECT FROM memory_vector WHERE memory_id = memory.id AND embedder = :embedder) "
    "ORDER BY id DESC LIMIT :most"
)
# The numbers have the length one: the negative inner product orders them as their likeness does.
_NEAREST = text(
    "SELECT memory_vector.memory_id, -(numbers <#> CAST(:query AS vector)), embedding FROM memory_vector "
    "JOIN memory ON memory.id = memory_id AND memory.embedder = memory_vector.embedder AND body <> '' "
    "WHERE memory_vector.user_id = :writer AND memory_vector.embedder = :embedder "
    "ORDER BY numbers <#> CAST(:query AS vector) LIMIT :most"
)


def there(session: Session, size: int = SIZE) -> bool:
    """Whether this database has the table, with room for texts of so many numbers."""
    if size != SIZE or session.get_bind().dialect.name != "postgresql":
        return False
    return bool(session.execute(_THERE).scalar_one())


def make(session: Session) -> str:
    """Make the extension and the table, in a transaction of its own. What is missing when that cannot be done, as a
    sentence; empty when all is there."""
    if there(session):
        return ""
    if not session.execute(_EXTENSION).scalar_one():
        return "pgvector 0.8 or newer is not installed in PostgreSQL."
    try:
        session.execute(text("SELECT pg_advisory_xact_lock(7346342)"))  # two workers at once make one
        session.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        session.execute(
            text(
                "CREATE TABLE IF NOT EXISTS memory_vector ("
                "memory_id integer PRIMARY KEY REFERENCES memory(id) ON DELETE CASCADE, user_id varchar(64) NOT NULL, "
                f"embedder varchar(32) NOT NULL, numbers vector({SIZE}) NOT NULL)"
            )
        )
        session.execute(text("CREATE INDEX IF NOT EXISTS ix_memory_vector_user ON memory_vector (user_id, embedder)"))
        session.flush()
    except DBAPIError as error:
        session.rollback()
        return f"pgvector cannot be set up in this database ({str(error.orig).splitlines()[0]})."
    return ""


def index(session: Session) -> None:
    """So that a search need not look at every row. Made over what is there, it takes a fraction of the time that it
    would take to grow with each row."""
    session.execute(
        text("CREATE INDEX IF NOT EXISTS ix_memory_vector_numbers ON memory_vector USING hnsw (numbers vector_ip_ops)")
    )


def count(session: Session, writer_id: str, embedder: str) -> int:
    return int(session.execute(_COUNT, {"writer": writer_id, "embedder": embedder}).scalar_one())


def add(session: Session, embedder: str, rows: Sequence[tuple[int, bytes]]) -> None:
    """By id of the text, as ``Memory.embedding`` has them; what is forgotten meanwhile stays so."""
    values = [{"one": one, "embedder": embedder, "numbers": _written(packed)} for one, packed in rows]
    if values:
        session.connection().execute(_ADD, values)


def fill(session: Session, writer_id: str, embedder: str, below: int) -> int:
    """Take over some of the writer's numbers that are not in the table yet, of texts with an id below this, the newest
    first. The lowest id of them, 0 when there were none."""
    asked = {"writer": writer_id, "embedder": embedder, "below": below, "most": _AT_A_TIME}
    rows = [(one, bytes(packed)) for one, packed in session.execute(_LACKING, asked)]
    add(session, embedder, rows)
    return min((one for one, _ in rows), default=0)


def forget(session: Session, memory_id: int) -> None:
    """The numbers of a text of which a mark stays. Those of one that is deleted go by themselves."""
    session.execute(text("DELETE FROM memory_vector WHERE memory_id = :one"), {"one": memory_id})


def nearest(
    session: Session, writer_id: str, embedder: str, query: Matrix, most: int
) -> list[tuple[int, float, bytes]]:
    """Id, likeness and numbers of the writer's texts that are likest to the query, the likest first. The index finds
    most of them (Malkov and Yashunin 2016; docs/benchmarks.md), not surely each."""
    session.execute(text(f"SET LOCAL hnsw.ef_search = {max(LOOKED_AT, most):d}"))
    session.execute(text("SET LOCAL hnsw.iterative_scan = strict_order"))  # another writer's neighbours do not count
    asked: dict[str, Any] = {
        "writer": writer_id,
        "embedder": embedder,
        "query": _written(query.astype("<f4").tobytes()),
        "most": most,
    }
    rows = session.execute(_NEAREST.bindparams(bindparam("most")), asked)
    return [(one, float(score), bytes(packed)) for one, score, packed in rows]


def _written(packed: bytes) -> str:
    """The text form of a vector."""
    return "[" + ",".join(repr(float(one)) for one in np.frombuffer(packed, "<f4")) + "]"
