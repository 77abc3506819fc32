"""What a writer's kept examples cover, kept in mind by this process: only what is new is counted."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from itertools import chain, repeat

from sqlmodel import Session

from zega_core.questions.coverage import Coverage, coverage
from zega_core.settings import Settings
from zega_core.store import conversations, kept
from zega_core.store.kept import State

WRITERS = 16
"""Of how many writers."""


@dataclass(frozen=True, slots=True)
class _Counted:
    state: State
    rows: Counter[tuple[str, str, str | None, int]]


_counted: OrderedDict[tuple[Settings, str], _Counted] = OrderedDict()
_lock = threading.Lock()


def covered(session: Session, writer_id: str, settings: Settings) -> Coverage:
    """Of all that the writer has kept. It is counted anew where other pieces are kept, or some were edited."""
    key = settings, writer_id
    with _lock:
        before = _counted.get(key)
    state, only_more = kept.since(session, writer_id, None if before is None else before.state)
    if before is None or before.state != state:
        known, after = (before.rows, before.state.newest) if before is not None and only_more else (Counter(), 0)
        before = _Counted(state, known + Counter(conversations.coverage_rows(session, writer_id, after=after)))
        with _lock:
            _counted[key] = before
            _counted.move_to_end(key)
            while len(_counted) > WRITERS:
                _counted.popitem(last=False)
    return coverage(chain.from_iterable(repeat(row, number) for row, number in before.rows.items()))
