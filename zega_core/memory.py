"""Memory: the texts of a writer that writing may recall, by what they mean. Nothing is remembered that the writer did
not choose, and what is erased is forgotten with it."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from logging import getLogger
from pathlib import Path

import numpy as np
from sqlmodel import Session

from zega_core import db, meaning, nearest
from zega_core.embedders import HashingEmbedder, Matrix
from zega_core.errors import Cancelled, InvalidInput, ProviderUnavailable
from zega_core.recalling import Candidate, search, varied
from zega_core.settings import Settings
from zega_core.store import memories, vectors, writers, writing_choices
from zega_core.store.memories import Count as Count
from zega_core.store.memories import Found
from zega_core.tables import Source, now
from zega_core.writing_configs import MEMORY_SOURCES, WritingConfig

log = getLogger(__name__)

AT_A_TIME = 32
"""Texts that are embedded, and stored, at a time."""
PUT_IN = 200
"""Texts that are put in in one transaction."""
LOOKED_AT = 64
"""The likest, from which what is recalled is chosen."""
BY_WORDS = 1_000
"""The newest texts, which are compared by their words while they have no numbers or their embedder cannot be had."""
SAME_GENRE = 0.04
"""Likeness that a text of the wanted genre has above the others."""
LEAST = {meaning.MiniLM.name: 0.25, HashingEmbedder.name: 0.12}
"""Likeness below which nothing is recalled."""
LONGEST_QUERY = memories.LONGEST


@dataclass(frozen=True, slots=True)
class Recalled:
    """A text that was recalled. ``score`` is how like it is to what was asked for, at most 1. ``from_`` says where it
    is from."""

    memory_id: int
    text: str
    genre: str | None
    source: str
    created_at: datetime
    score: float
    from_: str


_trouble: dict[Path, str] = {}


def recall(
    session: Session,
    writer_id: str,
    query: str,
    settings: Settings,
    *,
    genre: str = "",
    most: int = 5,
    stop: threading.Event | None = None,
) -> tuple[Recalled, ...]:
    """What the writer has that is like the query, the best first: newer before older, and no scene twice. Empty where
    nothing is remembered or nothing is like it, and when ``stop`` is set. Where texts cannot be compared by meaning,
    their words are (``embedder_note``)."""
    likest = _likest(session, writer_id, query, settings, LOOKED_AT, stop)
    if not likest or most < 1:
        return ()
    moment = now()
    candidates = [_candidate(found, score, genre, moment) for found, score, _ in likest]
    chosen = varied(candidates, np.stack([row for _, _, row in likest]), most)
    return tuple(_recalled(likest[place][0], likest[place][1], moment) for place in chosen)


def find(session: Session, writer_id: str, query: str, settings: Settings, *, most: int = 20) -> tuple[Recalled, ...]:
    """The likest of all that is remembered, for the writer to look at."""
    moment = now()
    likest = _likest(session, writer_id, query, settings, most, None)
    return tuple(_recalled(found, score, moment) for found, score, _ in likest)


def newest(session: Session, writer_id: str, *, most: int = 20) -> tuple[Recalled, ...]:
    """What was remembered last."""
    ids = [identity for identity, _ in memories.newest_texts(session, writer_id, most)]
    found, moment = memories.details(session, writer_id, ids), now()
    return tuple(_recalled(found[one], 0.0, moment) for one in ids if one in found)


def embedder_note(settings: Settings) -> str:
    """What the writer should know of how texts are compared; empty where they are compared by their meaning."""
    return meaning.why_not() or _trouble.get(settings.home, "")


def behind(session: Session, writer_id: str) -> bool:
    """Whether there is something to put in, to embed or to take out."""
    return memories.behind(session, writer_id, meaning.today())


def lacking(session: Session) -> list[str]:
    """Writers who have texts without numbers of today's embedder."""
    return memories.writers_lacking(session, meaning.today())


def chosen(session: Session, writer_id: str) -> tuple[str, ...]:
    """The sources that the writer has remembered."""
    return writing_choices.load(session, writer_id).memory


def counts(session: Session, writer_id: str) -> dict[str, Count]:
    """By source, for all of them: texts that there are, that are remembered, and that can be found by meaning."""
    found = memories.counts(session, writer_id, meaning.today())
    return {source: found.get(source, Count()) for source in MEMORY_SOURCES}


def choose(session: Session, writer_id: str, sources: Collection[str]) -> None:
    """Remember these sources and no others. What is not chosen any more is forgotten at once; what is new a worker puts
    in (``client.refresh_memory``). Raises InvalidInput."""
    unknown = [one for one in sources if one not in MEMORY_SOURCES]
    if unknown:
        raise InvalidInput(f"These can be remembered: {', '.join(MEMORY_SOURCES)}.")
    writers.ensure(session, writer_id)
    writers.lock(session, writer_id)
    config = writing_choices.load(session, writer_id)
    chosen = WritingConfig.model_validate({**config.model_dump(), "memory": tuple(sources)})
    writing_choices.save(session, writer_id, chosen)
    session.flush()
    memories.take_out(session, writer_id)


def forget(session: Session, writer_id: str, memory_id: int) -> None:
    """One text; it is not remembered again. Raises NotFound."""
    memories.forget_one(session, writer_id, memory_id)
    if vectors.there(session):
        vectors.forget(session, memory_id)


def forget_all(session: Session, writer_id: str) -> int:
    """Everything, and nothing is remembered from now on until the writer chooses it again. How many texts went."""
    number = memories.forget_all(session, writer_id)
    choose(session, writer_id, ())
    return number


def refresh(writer_id: str, settings: Settings) -> None:
    """In a worker: take out what does not belong in memory, put in what does, and embed what has no numbers of today's
    embedder. Each part is a transaction, so what is interrupted goes on where it stood. Raises ProviderUnavailable when
    the embedder cannot be had just now: the rest is done later."""
    with db.session(settings) as session:
        writers.ensure(session, writer_id)
        asked_at = dict(writing_choices.memory_asked(session)).get(writer_id)
        writers.lock(session, writer_id)
        memories.take_out(session, writer_id)
    number = 1
    while number:
        with db.session(settings) as session:
            writers.lock(session, writer_id)  # nobody erases or chooses otherwise meanwhile
            number = memories.put_in(session, writer_id, PUT_IN)
    _embed(writer_id, settings)
    if asked_at is not None:
        with db.session(settings) as session:
            writing_choices.memory_done(session, writer_id, asked_at)


def _embed(writer_id: str, settings: Settings) -> None:
    embedder = meaning.embedder(settings)
    while True:
        with db.reading(settings) as session:
            rows = memories.without_numbers(session, writer_id, embedder.name, AT_A_TIME)
        if not rows:
            break
        found = embedder.embed([body for _, body in rows])
        with db.session(settings) as session:
            packed = [(one, row.astype("<f4").tobytes()) for (one, _), row in zip(rows, found, strict=True)]
            memories.set_numbers(session, embedder.name, packed)
            if vectors.there(session, embedder.size):
                vectors.add(session, embedder.name, packed)
    if why_not := nearest.hand_over(writer_id, embedder, settings):
        log.warning("%s has more texts than are compared one by one. %s", writer_id, why_not)


def _likest(
    session: Session, writer_id: str, query: str, settings: Settings, most: int, stop: threading.Event | None
) -> list[tuple[Found, float, Matrix]]:
    """What is likest with its likeness and its numbers, the likest first."""
    asked = query.strip()[:LONGEST_QUERY]
    if not asked or not memories.any_of(session, writer_id):
        return []
    embedder = meaning.embedder(settings, stop=stop)
    texts = nearest.texts(session, writer_id, embedder, settings)
    try:
        if not len(texts):
            return _by_words(session, writer_id, asked, most)
        row = embedder.embed([asked])[0]
        _trouble.pop(settings.home, None)
    except Cancelled:
        return []
    except ProviderUnavailable as error:
        log.warning("texts are compared by their words for now: %s", error)
        _trouble[settings.home] = f"Texts are compared by their words for now. {error}"
        return _by_words(session, writer_id, asked, most)
    near = [one for one in texts.nearest(row, most) if one[1] >= LEAST[embedder.name]]
    found = memories.details(session, writer_id, [identity for identity, _, _ in near])
    return [(found[identity], score, numbers) for identity, score, numbers in near if identity in found]


def _by_words(session: Session, writer_id: str, query: str, most: int) -> list[tuple[Found, float, Matrix]]:
    texts, embedder = memories.newest_texts(session, writer_id, BY_WORDS), HashingEmbedder()
    rows = embedder.embed([body for _, body in texts])
    places, scores = search(rows, embedder.embed([query])[0], most)
    found = memories.details(session, writer_id, [texts[place][0] for place in places])
    return [
        (found[texts[place][0]], float(score), rows[place])
        for place, score in zip(places, scores, strict=True)
        if score >= LEAST[embedder.name] and texts[place][0] in found
    ]


def _candidate(found: Found, score: float, genre: str, moment: datetime) -> Candidate:
    group, neighbours = "", found.manuscript_id is not None
    if neighbours:
        group = f"manuscript {found.manuscript_id}"
    elif found.session_id is not None:
        group = f"session {found.session_id}"
    days = (moment - found.created_at).total_seconds() / 86_400
    bonus = SAME_GENRE if genre and found.genre == genre else 0.0
    return Candidate(score, days, group, found.place, neighbours, bonus)


def _recalled(found: Found, score: float, moment: datetime) -> Recalled:
    text = memories.first_part(found.body)
    return Recalled(found.id, text, found.genre, found.source, found.created_at, score, _from(found, moment))


def _from(found: Found, moment: datetime) -> str:
    day = f"{found.created_at.day} {found.created_at:%B}"
    if found.created_at.year != moment.year:
        day += f" {found.created_at.year}"
    name = " ".join(found.origin.split())[:80]
    match found.source:
        case memories.STORY:
            return f"Your story “{name}”"
        case Source.conversation:
            return f"Your answer of {day}"
        case Source.manuscript:
            return f"Your own pages, {name}" if name else f"Your own pages of {day}"
        case Source.rating:
            return f"A text you kept on {day}"
        case Source.imported:
            return f"Imported from {name}" if name else f"Imported on {day}"
    return f"A training piece of {day}"
