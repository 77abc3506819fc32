"""Writing with a model: a request is stored, and threads of this process write its takes. A page, or another process,
only looks at rows."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from datetime import timedelta
from random import SystemRandom

from sqlmodel import Session

from zega_core import db, writing_authors
from zega_core.configs import checked
from zega_core.errors import InvalidInput, NotFound
from zega_core.settings import Settings
from zega_core.store import writers, writings
from zega_core.tables import now
from zega_core.writing_authors import Asked, Author
from zega_core.writing_configs import WriteRequest
from zega_core.writing_keeping import choose as choose
from zega_core.writing_keeping import edit as edit
from zega_core.writing_keeping import keep as keep
from zega_core.writing_keeping import rate as rate
from zega_core.writing_keeping import save_story as save_story
from zega_core.writing_keeping import unkeep as unkeep
from zega_core.writing_requests import brief_of, subject
from zega_core.writing_tables import Take, TakeState, Writing
from zega_core.writing_takes import Job, running

SILENT = timedelta(seconds=30)
"""Without a sign of life for so long, a text is written by nobody any more."""
MOST_UNDER_WAY = 4
"""Texts of one writer that are being written at the same time."""
LOOK = 0.1
LEFT = "ZEGA ended while this was being written. What was there by then is kept; ask for another text to go on."


def authors(session: Session, writer_id: str, settings: Settings) -> list[Author]:
    """Who can be asked, best first. Their own model is among them also where there is none yet: its ``note`` says who
    stands in then."""
    return writing_authors.authors(session, writer_id, settings)


def start(request: WriteRequest, settings: Settings, *, noted: db.Noted | None = None) -> Writing:
    """Store a request with a take for each of its authors, and have them written; returns at once. ``noted`` is called
    with its key in the transaction that makes it. Raises InvalidInput, and NotFound for a version or a story that there
    is not."""
    brief_of(request)  # names of an element and a style are looked at
    request = request.model_copy(update={"brief": subject(request, secrets.randbits(31))})
    with db.session(settings) as session:
        writers.ensure(session, request.writer_id)
        writers.lock(session, request.writer_id)
        row = writings.create(session, request)
        takes = _add(session, row, request, request.authors, settings)
        if noted is not None:
            noted(session, row.key)
    Job(row.key, request, takes, settings).start()
    return row


def again(writer_id: str, writing_key: str, settings: Settings, *, authors: Sequence[str] = ()) -> Take:
    """Another take of the same request, by the same authors or by others; the older ones stay. Where one is being
    written, that one is returned: a second press of a button asks for nothing. Of two side by side the first is
    returned. Raises InvalidInput, NotFound."""
    with db.session(settings) as session:
        writings.get(session, writer_id, writing_key)
        writers.lock(session, writer_id)
        row, takes = state(session, writer_id, writing_key)
        under_way = [take for take in takes if take.state == TakeState.writing]
        if under_way:
            return under_way[0]
        request = writings.request_of(row)
        if authors:
            request = checked(WriteRequest, **request.model_dump() | {"authors": tuple(authors)})
        added = _add(session, row, request, request.authors, settings)
    Job(row.key, request, added, settings).start()
    return min((take for take, _ in added), key=lambda take: take.number)


def stop(writer_id: str, writing_key: str, settings: Settings) -> None:
    """End what is being written, in whatever process; its text stays. Raises NotFound."""
    with db.session(settings) as session:
        writings.stop_all(session, writings.get(session, writer_id, writing_key))
    for job in running(writing_key):
        job.stopped.set()


def wait(writing_key: str, seconds: float) -> bool:
    """Until all that this process writes for a request is stored; whether that was so within these seconds."""
    until = time.monotonic() + seconds
    return all(job.wait(until) for job in running(writing_key))


def state(session: Session, writer_id: str, writing_key: str) -> tuple[Writing, list[Take]]:
    """A request and its takes as they are now, in their order. One that nobody writes any more is shown as stopped.
    They are for reading: what is changed in them is not stored. Raises NotFound."""
    row = writings.get(session, writer_id, writing_key)
    session.flush()
    takes = writings.takes(session, row)
    before = now() - SILENT
    for take in takes:
        session.expunge(take)
        if take.state == TakeState.writing and take.heartbeat_at < before:
            take.state, take.error = TakeState.stopped, LEFT
    return row, takes


def is_under_way(session: Session, writer_id: str, writing_key: str) -> bool:
    """Whether a text of it is being written now; false for one that is not there any more, too."""
    try:
        return any(take.state == TakeState.writing for take in state(session, writer_id, writing_key)[1])
    except NotFound:
        return False


def tidy(settings: Settings) -> int:
    """Mark the texts as stopped that nobody writes any more, of all writers; how many they were."""
    before = now() - SILENT
    with db.reading(settings) as session:
        if not writings.silent(session, before):
            return 0
    with db.session(settings) as session:
        return writings.stop_silent(session, before, LEFT)


def delete(session: Session, writer_id: str, writing_key: str) -> None:
    """Delete a request with all its takes. Examples and stories that were made of them stay. Raises NotFound."""
    row = writings.get(session, writer_id, writing_key)
    writers.lock(session, writer_id)
    for job in running(writing_key):
        job.stopped.set()
    writings.remove(session, row)


def _add(
    session: Session, row: Writing, request: WriteRequest, names: Sequence[str], settings: Settings
) -> list[tuple[Take, Asked]]:
    """The rows of the takes in the order in which they are written, which is by chance where the choice is blind."""
    if writings.being_written(session, row.user_id, now() - SILENT) + len(names) > MOST_UNDER_WAY:
        raise InvalidInput(
            f"{MOST_UNDER_WAY} texts can be written at the same time. Wait for one of them, or press Stop."
        )
    asked = [writing_authors.asked(session, row.user_id, name, settings) for name in names]
    blind = request.blind and len(asked) > 1
    if blind:
        SystemRandom().shuffle(asked)
    before = len({take.pair or -take.number for take in writings.takes(session, row)})
    seed = secrets.randbits(31) if request.seed is None else (request.seed + before) % 2**31
    values = [
        {
            "asked": one.name,
            "model": one.model[:120],
            "label": one.label[:120],
            "note": one.note,
            "blind": blind,
            "seed": seed,
        }
        for one in asked
    ]
    return list(zip(writings.add_takes(session, row, values), asked, strict=True))
