"""A writer keeps or discards many examples at once: what ``rating.rate`` does to one, done in parts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from zega_core import changes
from zega_core.quality.agreement import KEEP
from zega_core.rating import decide, undecide
from zega_core.settings import Settings
from zega_core.store import changes as change_rows
from zega_core.store import collection
from zega_core.store.memories import first_part
from zega_core.tables import Example, ExampleStatus, now
from zega_core.taste import Taste, taste_of


@dataclass(frozen=True, slots=True)
class Decided:
    """``twins`` are those of the ``decided`` that stay set aside, because another with their words is kept."""

    decided: int
    twins: int


def decide_all(session: Session, writer_id: str, ids: Sequence[int], settings: Settings, decision: str) -> Decided:
    """Note the decision (``keep`` or ``discard``) for each example of the writer that does not have it, as one change
    that can be undone, and do what it says."""
    batch, number, twins = secrets.token_hex(16), 0, 0
    for part in in_parts(session, writer_id, ids):
        taste = taste_of(session, writer_id, settings)
        for some in changes.in_chunks(part):
            rows = collection.rows(session, writer_id, some)
            open_ones = [row for row in rows if row.decision != decision and row.completion]
            changes.note(session, writer_id, "include" if decision == KEEP else "exclude", open_ones, batch=batch)
            twins += _decide(session, writer_id, open_ones, decision, taste)
            number += len(open_ones)
            let_go(session, rows)
    return Decided(number, twins)


def in_parts(session: Session, writer_id: str, ids: Sequence[int], *, records: bool = True) -> Iterator[list[int]]:
    """``changes.AT_ONCE`` of the ids at a time, what has to be held being held. Each part but the last is committed
    before the next begins, so that nobody waits long for a change of very many; what is done when it ends early is done
    and can be undone. ``records`` where what the records of sessions count may change."""
    for start in range(0, len(ids), changes.AT_ONCE):
        if start:
            changes.let_others(session)
        part = list(ids[start : start + changes.AT_ONCE])
        ended = changes.hold(session, writer_id, sessions_of(session, writer_id, part) if records else ())
        yield part
        changes.renew_records(session, ended)


def sessions_of(session: Session, writer_id: str, ids: Sequence[int]) -> set[int]:
    """The training sessions of these examples."""
    found: set[int] = set()
    for some in changes.in_chunks(ids):
        found |= collection.sessions_of(session, writer_id, some)
    return found


def follow_in_memory(session: Session, writer_id: str, rows: Sequence[Example]) -> None:
    """Memory has of these what is kept, as far as their source or their session is remembered."""
    session.flush()
    change_rows.forget(session, writer_id, [row.id or 0 for row in rows])
    change_rows.remember(
        session,
        writer_id,
        {
            row.id or 0: {"body": first_part(row.completion), "genre": row.genre or None, "created_at": now()}
            for row in rows
            if row.status == ExampleStatus.kept
        },
    )


def let_go(session: Session, rows: Sequence[Example]) -> None:
    """Write what was changed, and keep these in memory no longer."""
    session.flush()
    for row in rows:
        session.expunge(row)


def _decide(session: Session, writer_id: str, rows: list[Example], decision: str, taste: Taste) -> int:
    """How many stay set aside as twins."""
    kept = collection.kept_with(session, writer_id, {row.text_hash for row in rows})
    repeated = collection.kept_of(
        session, writer_id, {row.duplicate_of for row in rows if row.duplicate_of is not None}
    )
    before = {row.id: row.status for row in rows}
    moment, twins = now(), 0
    with session.no_autoflush:
        for row in rows:
            twin = kept.get(row.text_hash)
            if row.decision is not None:
                undecide(row, twin, repeats=row.duplicate_of in repeated, taste=taste)
            row.decision, row.rated_at = decision, moment
            twins += bool(decide(row, twin))
            if row.status == ExampleStatus.kept:
                kept[row.text_hash] = row.id or 0
            elif kept.get(row.text_hash) == row.id:
                del kept[row.text_hash]
    session.flush()
    follow_in_memory(session, writer_id, [row for row in rows if row.status != before[row.id]])
    return twins
