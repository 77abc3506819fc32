"""What a writer's kept examples cover, kept in mind by this process: only what is new is counted."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict

from sqlmodel import Session

from zega_core.questions.coverage import Coverage, coverage
from zega_core.settings import Settings
from zega_core.store import conversations, kept
from zega_core.store.kept import State

WRITERS = 16
"""Of how many writers."""


_covered: OrderedDict[tuple[Settings, str], tuple[State, Coverage]] = OrderedDict()
_lock = threading.Lock()
_NOTHING = Coverage({}, {}, {}, 0)


def covered(session: Session, writer_id: str, settings: Settings) -> Coverage:
    """Of all that the writer has kept. It is counted anew where other pieces are kept, or some were edited."""
    key = settings, writer_id
    with _lock:
        before, found = _covered.get(key, (None, _NOTHING))
    state, only_more = kept.since(session, writer_id, before)
    if state == before:
        return found
    found, after = (found, before.newest) if before is not None and only_more else (_NOTHING, 0)
    found = _together(found, coverage(conversations.coverage_rows(session, writer_id, after=after)))
    with _lock:
        _covered[key] = state, found
        _covered.move_to_end(key)
        while len(_covered) > WRITERS:
            _covered.popitem(last=False)
    return found


def _together(one: Coverage, other: Coverage) -> Coverage:
    return Coverage(
        Counter(one.cells) + Counter(other.cells),
        Counter(one.moods) + Counter(other.moods),
        Counter(one.lengths) + Counter(other.lengths),
        one.total + other.total,
    )
