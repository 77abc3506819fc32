"""All examples that a writer has, to be looked through: what a filter leaves of them, in an order, a page at a time.

Pieces without a text (their teacher failed) are not among them. What a filter leaves is found in one index, and only
the rows of a page are read; a search for words is answered by the database's own index of them (migration 0006).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from zega_core.errors import InvalidInput, NotFound
from zega_core.store.word_search import Indexed, holds, vector
from zega_core.tables import Example, ExampleStatus, ExampleTag, Source

SORTS = ("newest", "oldest", "best", "worst")
_THERE = (ExampleStatus.kept, ExampleStatus.set_aside)
_OWN = (Source.conversation, Source.manuscript)
_INDEXED = Indexed(
    "example_words", col(Example.id), (col(Example.completion), col(Example.prompt)), vector("prompt", "completion")
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for; empty or None leaves it open. ``teacher`` are names of models, ``low`` and ``high`` scores from
    0 to 10, both included. ``text`` are words, or beginnings of words, that must all be there in prompt or text, and
    phrases in quotes."""

    source: tuple[str, ...] = ()
    genre: tuple[str, ...] = ()
    element: tuple[str, ...] = ()
    teacher: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    tag: str = ""
    low: float | None = None
    high: float | None = None
    rated: bool | None = None
    edited: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of all that a writer has. ``own`` are answers and own pages, ``edited`` what they edited of the rest."""

    total: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    own: int = 0
    edited: int = 0


def count(session: Session, writer_id: str, found: Filter) -> int:
    query = sql_select(func.count()).select_from(Example).where(*_conditions(session, writer_id, found))
    return session.execute(query).scalar_one()


def page(session: Session, writer_id: str, found: Filter, sort: str, number: int, size: int) -> list[Example]:
    """Page ``number`` (from 1) in the order of ``sort`` (one of ``SORTS``); empty where there is no such page."""
    query = sql_select(col(Example.id)).where(*_conditions(session, writer_id, found)).order_by(*_order(found, sort))
    wanted = query.offset(max(0, number - 1) * size).limit(size)
    return rows(session, writer_id, list(session.execute(wanted).scalars()))


def ids(session: Session, writer_id: str, found: Filter, limit: int, *, before: int | None = None) -> list[int]:
    """Newest first; with ``before`` only those with a lower number than that."""
    query = sql_select(col(Example.id)).where(*_conditions(session, writer_id, found))
    if before is not None:
        query = query.where(col(Example.id) < before)
    return list(session.execute(query.order_by(*_order(found, "newest")).limit(limit)).scalars())


def get(session: Session, writer_id: str, example_id: int) -> Example:
    """The writer's example; another writer's is not found, exactly like one that does not exist."""
    row = None
    if isinstance(example_id, int) and not isinstance(example_id, bool) and 0 < example_id < 2**31:
        query = select(Example).where(
            Example.user_id == writer_id, Example.id == example_id, col(Example.status).in_(_THERE)
        )
        row = session.exec(query).first()
    if row is None:
        raise NotFound("There is no such example. It may have been deleted; choose one in the list.")
    return row


def teachers(session: Session, writer_id: str) -> list[str]:
    """Names of the models that wrote any of the writer's examples, in alphabetical order."""
    query = sql_select(col(Example.model)).where(*_conditions(session, writer_id, Filter())).distinct()
    return sorted({str(name) for name in session.execute(query).scalars() if name})


def tags(session: Session, writer_id: str) -> list[str]:
    """The tags that the writer uses, in alphabetical order."""
    query = select(ExampleTag.name).where(ExampleTag.user_id == writer_id).distinct()
    return sorted(session.exec(query), key=str.casefold)


def counts(session: Session, writer_id: str) -> Counts:
    # In the order of the index, so that nothing is sorted.
    order = (col(Example.status), col(Example.genre), col(Example.source))
    query = sql_select(*order, func.count(), func.count(col(Example.edited_at))).where(
        *_conditions(session, writer_id, Filter())
    )
    sources: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    changed = 0
    for status, _, source, number, edited in session.execute(query.group_by(*order)):
        sources[source] += number
        statuses[status] += number
        changed += edited if source not in _OWN else 0
    own = sum(sources[source] for source in _OWN)
    return Counts(sum(sources.values()), dict(sources), dict(statuses), own, changed)


def neighbours(
    session: Session, writer_id: str, found: Filter, sort: str, example_id: int
) -> tuple[int | None, int | None]:
    """The examples before and after one in the list, also where the filter does not leave that one in it any more; None
    at the ends, and for both where there is no such example."""
    query = sql_select(col(Example.quality)).where(col(Example.user_id) == writer_id, col(Example.id) == example_id)
    row = session.execute(query).first()
    if row is None:
        return None, None
    before, after = (
        sql_select(col(Example.id))
        .where(*_conditions(session, writer_id, found), _beyond(found, sort, (row[0], example_id), back=back))
        .order_by(*_order(found, sort, back=back))
        .limit(1)
        for back in (True, False)
    )
    return session.execute(before).scalars().first(), session.execute(after).scalars().first()


def in_chunks(session: Session, writer_id: str, found: Filter, size: int) -> Iterator[list[Example]]:
    """All that a filter leaves, newest first, ``size`` in memory at a time."""
    before: int | None = None
    while some := ids(session, writer_id, found, size, before=before):
        before = some[-1]
        chunk = rows(session, writer_id, some)
        yield chunk
        for row in chunk:
            session.expunge(row)


def rows(session: Session, writer_id: str, wanted: Sequence[int]) -> list[Example]:
    """Those of the examples that are this writer's, as they are now, in the order of ``wanted``."""
    query = select(Example).where(
        Example.user_id == writer_id, col(Example.id).in_(wanted), col(Example.status).in_(_THERE)
    )
    query = query.execution_options(populate_existing=True)
    by_id = {row.id: row for row in session.exec(query)} if wanted else {}
    return [by_id[one] for one in wanted if one in by_id]


def sessions_of(session: Session, writer_id: str, wanted: Sequence[int]) -> set[int]:
    """The training sessions of these examples."""
    query = select(Example.session_id).where(Example.user_id == writer_id, col(Example.id).in_(wanted)).distinct()
    return {one for one in session.exec(query) if one is not None}


def kept_with(session: Session, writer_id: str, hashes: Collection[str]) -> dict[str, int]:
    """What is kept with these words, by ``text_hash``."""
    query = select(Example.text_hash, Example.id).where(
        Example.user_id == writer_id, Example.status == ExampleStatus.kept, col(Example.text_hash).in_(hashes)
    )
    return {words: identity or 0 for words, identity in session.exec(query)}


def kept_of(session: Session, writer_id: str, wanted: Collection[int]) -> set[int]:
    """Which of these are kept."""
    query = select(Example.id).where(
        Example.user_id == writer_id, Example.status == ExampleStatus.kept, col(Example.id).in_(wanted)
    )
    return {identity or 0 for identity in session.exec(query)}


def _down(sort: str, back: bool) -> bool:
    if sort not in SORTS:
        raise InvalidInput(f"Examples can be sorted by: {', '.join(SORTS)}.")
    return (sort in ("newest", "best")) is not back


def _order(found: Filter, sort: str, *, back: bool = False) -> list[Any]:
    """Nothing is left out: the index of that order. Else ``+ 0`` keeps SQLite from walking along that index and reading
    every row to see what the filter says of it."""
    down, all_of_them = _down(sort, back), found == Filter()
    identity: Any = col(Example.id) if all_of_them else col(Example.id) + 0
    quality: Any = col(Example.quality) if all_of_them else col(Example.quality) + 0.0
    by_number = identity.desc() if down else identity.asc()
    if sort in ("newest", "oldest"):
        return [by_number]
    by_score = quality.desc() if down else quality.asc()  # what has no score comes last, from either end
    return [by_score.nulls_first() if back else by_score.nulls_last(), by_number]


def _beyond(found: Filter, sort: str, at: tuple[float | None, int], *, back: bool) -> ColumnElement[bool]:
    """Where ``_order`` comes after the example with this score and number."""
    down, (quality, identity) = _down(sort, back), at
    number: Any = col(Example.id) if found == Filter() else col(Example.id) + 0
    score: Any = col(Example.quality) if found == Filter() else col(Example.quality) + 0.0
    further: ColumnElement[bool] = number < identity if down else number > identity
    if sort in ("newest", "oldest"):
        return further
    unscored: ColumnElement[bool] = score.is_(None)
    if quality is None:
        same = and_(unscored, further)
        return or_(same, score.is_not(None)) if back else same
    beyond = or_(score < quality if down else score > quality, and_(score == quality, further))
    return beyond if back else or_(beyond, unscored)


def _conditions(session: Session, writer_id: str, found: Filter) -> list[ColumnElement[bool]]:
    statuses = [one for one in found.status if one in _THERE] if found.status else list(_THERE)
    conditions = [col(Example.user_id) == writer_id, col(Example.status).in_(statuses)]
    for column, wanted in (
        (Example.genre, found.genre),
        (Example.source, found.source),
        (Example.element, found.element),
        (Example.model, found.teacher),
    ):
        if wanted:
            conditions.append(col(column).in_(wanted))
    return [*conditions, *_by_score_and_use(found), *_by_words(session, writer_id, found)]


def _by_score_and_use(found: Filter) -> Iterator[ColumnElement[bool]]:
    if found.low is not None:
        yield col(Example.quality) + 0.0 >= found.low
    if found.high is not None:
        yield col(Example.quality) + 0.0 <= found.high
    if found.rated is not None:
        rated = col(Example.rated_at)
        yield rated.is_not(None) if found.rated else rated.is_(None)
    if found.edited:
        yield col(Example.edited_at).is_not(None)


def _by_words(session: Session, writer_id: str, found: Filter) -> Iterator[ColumnElement[bool]]:
    if found.tag.strip():
        yield _tagged(session, writer_id, found.tag.strip())
    if found.text.strip():
        yield holds(session, _INDEXED, found.text)


def _tagged(session: Session, writer_id: str, tag: str) -> ColumnElement[bool]:
    spelled = [one for one in tags(session, writer_id) if one.casefold() == tag.casefold()]
    tagged = select(ExampleTag.example_id).where(ExampleTag.user_id == writer_id, col(ExampleTag.name).in_(spelled))
    return col(Example.id).in_(tagged)
