"""What a writer does with sessions of the history: archives them, brings them back, deletes them. Ids of others'
sessions are like those of none."""

from __future__ import annotations

from collections.abc import Collection

from zega_core import changes, collection, db
from zega_core.analytics import plural
from zega_core.errors import InvalidInput, NotFound
from zega_core.settings import Settings
from zega_core.store import history_records as rows
from zega_core.store.sessions import NOT_THERE
from zega_core.tables import UNFINISHED, ExampleStatus

UNDER_WAY = "A session that is still written cannot be deleted. Stop it first; what is written stays until then."


def archive(writer_id: str, keys: Collection[str], settings: Settings) -> str:
    """Put sessions out of sight; they count all the same. Says what was done. Raises NotFound."""
    number = _set_archived(writer_id, keys, settings, away=True)
    if not number:
        return "Nothing was archived: it was already."
    return f"{plural(number, 'session')} archived. {'It counts' if number == 1 else 'They count'} all the same."


def unarchive(writer_id: str, keys: Collection[str], settings: Settings) -> str:
    """Bring them back into the list. Raises NotFound."""
    number = _set_archived(writer_id, keys, settings, away=False)
    return f"{plural(number, 'session')} brought back." if number else "Nothing was brought back: it was there."


def delete(writer_id: str, keys: Collection[str], settings: Settings, *, with_examples: bool = False) -> str:
    """Delete sessions for good, with what was set aside in them or never answered. What was kept stays among the
    examples, unless ``with_examples``: then every piece with a text is deleted as on the page Examples, where that can
    be undone. Each session is done for itself. Raises NotFound, and InvalidInput where all are still written."""
    with db.reading(settings) as session:
        found = rows.of_keys(session, writer_id, keys)
    if not found:
        raise NotFound(NOT_THERE)
    ended = [row.session_id for row in found if row.status not in UNFINISHED]
    if not ended:
        raise InvalidInput(UNDER_WAY)
    done = kept = 0
    for key in ended:
        left = _delete(writer_id, key, settings, with_examples)
        done += left is not None
        kept += left or 0
    return _deleted(done, kept, len(found) - done, with_examples)


def _set_archived(writer_id: str, keys: Collection[str], settings: Settings, *, away: bool) -> int:
    with db.session(settings) as session:
        if not rows.of_keys(session, writer_id, keys):
            raise NotFound(NOT_THERE)
        return rows.set_archived(session, writer_id, keys, away=away)


def _delete(writer_id: str, key: str, settings: Settings, with_examples: bool) -> int | None:
    """How many kept examples of it are left; None where it could not be deleted."""
    with db.session(settings) as session:
        row = next(iter(rows.of_keys(session, writer_id, [key])), None)
        if row is None or row.id is None:
            return None
        session.refresh(row, with_for_update=True)
        changes.hold(session, writer_id, [row.id])
        if row.status in UNFINISHED:  # it was continued meanwhile
            return None
        pieces = rows.pieces_of(session, writer_id, row.id)
        if with_examples:
            texts = [one for one, status in pieces.items() if status != ExampleStatus.failed]
            collection.delete(session, writer_id, texts, settings)
        session.expunge(row)
        rows.remove(session, writer_id, row.id)
        return 0 if with_examples else sum(status == ExampleStatus.kept for status in pieces.values())


def _deleted(done: int, kept: int, left: int, with_examples: bool) -> str:
    said = [f"{plural(done, 'session')} deleted."]
    if with_examples:
        said.append("Their examples can be brought back on the page Examples for 7 days.")
    elif kept:
        said.append(f"{plural(kept, 'kept example')} {'stays' if kept == 1 else 'stay'} on the page Examples.")
    if left:
        said.append(f"{plural(left, 'session')} that {'is' if left == 1 else 'are'} still written stayed.")
    return " ".join(said)
