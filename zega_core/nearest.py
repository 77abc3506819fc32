"""The texts of a writer whose numbers are nearest to a query's: compared one by one in this process, or found by the
database where there are too many for that and it has pgvector."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from zega_core import db
from zega_core.embedders import Embedder, Matrix
from zega_core.recalling import search
from zega_core.settings import Settings
from zega_core.store import memories, vectors

WRITERS = 4
"""Of how many writers a process keeps the numbers in mind."""


class Texts(Protocol):
    """What a writer has that can be searched."""

    def __len__(self) -> int: ...

    def nearest(self, query: Matrix, most: int) -> list[tuple[int, float, Matrix]]:
        """Id of the text, its likeness and its numbers, the likest first."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """In this process: all are compared."""

    stamp: tuple[int, int, int]
    ids: NDArray[np.int64]
    rows: Matrix

    def __len__(self) -> int:
        return len(self.ids)

    def nearest(self, query: Matrix, most: int) -> list[tuple[int, float, Matrix]]:
        places, scores = search(self.rows, query, most)
        return [
            (int(self.ids[place]), float(score), self.rows[place]) for place, score in zip(places, scores, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class InDatabase:
    """In PostgreSQL, by its index."""

    session: Session
    writer_id: str
    embedder: str
    number: int

    def __len__(self) -> int:
        return self.number

    def nearest(self, query: Matrix, most: int) -> list[tuple[int, float, Matrix]]:
        found = vectors.nearest(self.session, self.writer_id, self.embedder, query, most)
        return [(one, score, np.frombuffer(packed, "<f4")) for one, score, packed in found]


_held: OrderedDict[tuple[str, str, str], Held] = OrderedDict()
_loading = threading.Lock()


def texts(session: Session, writer_id: str, embedder: Embedder, settings: Settings) -> Texts:
    """All that this writer has and that has numbers of this embedder; in this process at most ``memories.MOST``, the
    newest. What it knows already is not read again."""
    stamp = memories.stamp(session, writer_id, embedder.name)
    if stamp[0] > memories.MOST and vectors.there(session, embedder.size):
        number = vectors.count(session, writer_id, embedder.name)
        if number > memories.MOST:
            return InDatabase(session, writer_id, embedder.name, number)
    key = (str(db.database_url(settings)), writer_id, embedder.name)
    with _loading:
        known = _held.get(key)
        if known is None or known.stamp != stamp:
            known = _held[key] = _read(session, writer_id, embedder, stamp, known)
        _held.move_to_end(key)
        while len(_held) > WRITERS:
            _held.popitem(last=False)
        return known


def hand_over(writer_id: str, embedder: Embedder, settings: Settings) -> str:
    """In a worker: see that PostgreSQL can search the numbers of a writer who has more than are compared one by one.
    Why it cannot, as a sentence; empty where it can, or need not."""
    if not settings.uses_postgresql or embedder.size != vectors.SIZE:
        return ""
    with db.reading(settings) as session:
        if memories.stamp(session, writer_id, embedder.name)[0] <= memories.MOST:
            return ""
    with db.session(settings) as session:
        if why_not := vectors.make(session):
            return f"{why_not} The newest {memories.MOST:,} texts are searched, older ones are not."
    below = 2**31 - 1
    while below:
        with db.session(settings) as session:
            below = vectors.fill(session, writer_id, embedder.name, below)
    with db.session(settings) as session:
        vectors.index(session)
    return ""


def _read(
    session: Session, writer_id: str, embedder: Embedder, stamp: tuple[int, int, int], known: Held | None
) -> Held:
    ids = memories.ids_with_numbers(session, writer_id, embedder.name)
    old = {} if known is None else {int(one): place for place, one in enumerate(known.ids)}
    rows, there = np.zeros((len(ids), embedder.size), np.float32), np.zeros(len(ids), bool)
    places = {one: place for place, one in enumerate(ids)}
    if known is not None:
        same = [one for one in ids if one in old]
        rows[[places[one] for one in same]] = known.rows[[old[one] for one in same]]
        there[[places[one] for one in same]] = True
    for identity, packed in memories.numbers(session, writer_id, [one for one in ids if one not in old]):
        if len(packed) == 4 * embedder.size and identity in places:
            rows[places[identity]], there[places[identity]] = np.frombuffer(packed, "<f4"), True
    return Held(stamp, np.array(ids, np.int64)[there], rows[there])
