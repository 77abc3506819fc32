"""All that a writer has kept, read for what can only be seen over many pieces."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from zega_core.conversation_tables import ExampleChange
from zega_core.quality.sameness import Written
from zega_core.tables import Example, ExampleStatus, Source


def written(session: Session, writer_id: str, *, taught: bool = False, limit: int | None = None) -> list[Written]:
    """The writer's newest kept pieces, oldest first. ``taught``: only those that teachers wrote, for a hero is meant to
    come back in the writer's own pages."""
    columns = ("id", "completion", "prompt", "genre", "element", "model", "source")
    query = select(*(getattr(Example, name) for name in columns)).where(
        Example.user_id == writer_id, Example.status == ExampleStatus.kept
    )
    if taught:
        query = query.where(Example.source == Source.auto)
    query = query.order_by(col(Example.id).desc()).limit(limit)
    return [
        Written(identity or 0, text, prompt, genre, element, model or "", source)
        for identity, text, prompt, genre, element, model, source in reversed(session.exec(query).all())
    ]


def stamp(session: Session, writer_id: str, after: int = 0) -> tuple[int, int, int]:
    """Another one whenever another set of pieces is kept: their number, the newest id and the sum of ids. Of those with
    an id above ``after``."""
    identity = col(Example.id)
    query = select(func.count(), func.max(identity), func.sum(identity)).where(
        Example.user_id == writer_id, Example.status == ExampleStatus.kept, identity > after
    )
    number, newest, total = session.exec(query).one()
    return number, newest or 0, int(total or 0)


@dataclass(frozen=True, slots=True)
class State:
    """Another one whenever other pieces are kept, or the writer has edited or deleted some: ``stamp``, and the newest
    such change."""

    number: int
    newest: int
    total: int
    change: int


def since(session: Session, writer_id: str, before: State | None) -> tuple[State, bool]:
    """How it is now, and whether since ``before`` pieces were only added."""
    changes = select(func.max(ExampleChange.id)).where(
        ExampleChange.user_id == writer_id, col(ExampleChange.action).in_(("edit", "delete"))
    )
    now = State(*stamp(session, writer_id), session.exec(changes).one() or 0)
    if before is None or before == now:
        return now, before == now
    number, _, total = stamp(session, writer_id, after=before.newest)
    more = (before.number + number, before.total + total) == (now.number, now.total)
    return now, more and before.change == now.change


def by_ids(session: Session, writer_id: str, ids: Collection[int]) -> list[Example]:
    """Those of the pieces that are this writer's and kept, in the order of ``ids``."""
    query = select(Example).where(
        Example.user_id == writer_id, Example.status == ExampleStatus.kept, col(Example.id).in_(ids)
    )
    found = {example.id: example for example in session.exec(query)}
    return [found[identity] for identity in ids if identity in found]


def mean_score(session: Session, writer_id: str) -> float | None:
    """Of all that is kept, whoever wrote it; None where nothing has a score."""
    query = select(func.avg(Example.quality)).where(
        Example.user_id == writer_id, Example.status == ExampleStatus.kept, col(Example.quality).is_not(None)
    )
    found = session.exec(query).one()
    return None if found is None else float(found)


def variety(session: Session, writer_id: str) -> int:
    """How many genres and elements, counted together, there are in what is kept."""
    query = select(Example.genre, Example.element).where(
        Example.user_id == writer_id, Example.status == ExampleStatus.kept
    )
    found = session.exec(query.distinct()).all()
    return len({genre for genre, _ in found if genre}) + len({element for _, element in found if element})


def share_of_words(session: Session, writer_id: str, sources: Collection[str]) -> float:
    """The share, 0 to 1, of the words of what is kept that is from these sources, or was edited. Words are counted by
    the spaces between them: in the database, and within a few in a hundred."""
    words = func.length(Example.completion) - func.length(func.replace(Example.completion, " ", "")) + 1
    theirs = col(Example.source).in_(sources) | col(Example.original).is_not(None)
    query = select(func.sum(words), func.sum(case((theirs, words), else_=0))).where(
        Example.user_id == writer_id, Example.status == ExampleStatus.kept
    )
    every, own = session.exec(query).one()
    return float(own or 0) / float(every) if every else 0.0
