"""Examples: what was written, what it scored, and whether it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Delete, delete, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from zega_core.store import memories
from zega_core.tables import Example, ExampleStatus, Memory, Source, Story


def insert_once(session: Session, example: Example) -> bool:
    """Insert unless this index of the session is there already, or the writer has kept this very text.

    A failed row of the same index is replaced: a failed example is tried again whenever its run starts
    again. Returns whether it was stored; sets ``example.id`` then.
    """
    session.exec(_delete_failed(example))
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = example.model_dump(exclude={"id"})
    row = session.exec(insert(Example).values(**values).on_conflict_do_nothing().returning(col(Example.id))).first()  # type: ignore[call-overload]
    if row is None:
        return False
    example.id = row[0]
    return True


def _delete_failed(example: Example) -> Delete:
    return delete(Example).where(
        col(Example.session_id) == example.session_id,
        col(Example.idx) == example.idx,
        col(Example.status) == ExampleStatus.failed,
    )


def kept_with_hash(session: Session, writer_id: str, text_hash: str) -> int | None:
    query = select(Example.id).where(
        Example.user_id == writer_id, Example.text_hash == text_hash, Example.status == ExampleStatus.kept
    )
    return session.exec(query).first()


def has_index(session: Session, session_id: int, idx: int) -> bool:
    query = select(Example.id).where(
        Example.session_id == session_id, Example.idx == idx, Example.status != ExampleStatus.failed
    )
    return session.exec(query).first() is not None


def settled_indexes(session: Session, session_id: int) -> set[int]:
    """The indexes of a session that need no more work. Failed ones do."""
    query = select(Example.idx).where(Example.session_id == session_id, Example.status != ExampleStatus.failed)
    return {idx for idx in session.exec(query) if idx is not None}


def kept_texts(session: Session, writer_id: str, after: int, limit: int) -> list[tuple[int, str]]:
    """Id and text of the writer's newest kept examples with an id above ``after``, newest first."""
    query = (
        select(Example.id, Example.completion)
        .where(Example.user_id == writer_id, Example.status == ExampleStatus.kept, col(Example.id) > after)
        .order_by(col(Example.id).desc())
        .limit(limit)
    )
    return [(identity, completion) for identity, completion in session.exec(query) if identity is not None]


def count_kept(session: Session, writer_id: str, until: datetime | None = None) -> int:
    """Of now, or of an earlier moment."""
    query = select(func.count()).where(col(Example.user_id) == writer_id, col(Example.status) == ExampleStatus.kept)
    return session.exec(query if until is None else query.where(col(Example.created_at) <= until)).one()


def count_kept_answers(session: Session, writer_id: str) -> int:
    """How many of the kept examples the writer gave as answers in conversations."""
    query = select(func.count()).where(
        col(Example.user_id) == writer_id,
        col(Example.status) == ExampleStatus.kept,
        col(Example.source) == Source.conversation,
    )
    return session.exec(query).one()


def count_kept_prompts(session: Session, writer_id: str, most: int) -> int:
    """How many different prompts the kept examples answer, counted up to ``most``: it looks at no more than it must."""
    prompts = select(Example.prompt).where(Example.user_id == writer_id, Example.status == ExampleStatus.kept)
    query = select(func.count()).select_from(prompts.distinct().limit(most).subquery())
    return session.exec(query).one()


def kept_by_writer(session: Session) -> dict[str, int]:
    query = select(Example.user_id, func.count()).where(Example.status == ExampleStatus.kept).group_by(Example.user_id)
    return dict(session.exec(query).all())


@dataclass(frozen=True, slots=True)
class Tally:
    """What a session has come to so far, counted from its examples."""

    kept: int = 0
    set_aside: int = 0
    failed: int = 0
    stories: int = 0
    average: float | None = None
    lowest: float | None = None
    highest: float | None = None
    genres: dict[str, int] = field(default_factory=dict)
    models: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def done(self) -> int:
        return self.kept + self.set_aside + self.failed

    @property
    def best_model(self) -> str | None:
        """The model with the most kept examples; quality decides between equals."""
        if not self.models:
            return None
        return max(self.models, key=lambda name: (self.models[name]["count"], self.models[name]["avg_quality"]))


def tally(session: Session, session_id: int) -> Tally:
    """Counts by status, quality over everything that was scored, genres and models over what was kept."""
    mine = col(Example.session_id) == session_id
    by_status = dict(session.exec(select(Example.status, func.count()).where(mine).group_by(Example.status)).all())
    quality = col(Example.quality)
    average, lowest, highest = session.exec(
        select(func.avg(quality), func.min(quality), func.max(quality)).where(mine)
    ).one()
    kept = mine & (col(Example.status) == ExampleStatus.kept)
    genres = dict(session.exec(select(Example.genre, func.count()).where(kept).group_by(Example.genre)).all())
    models = session.exec(
        select(Example.model, func.count(), func.avg(quality), func.sum(quality)).where(kept).group_by(Example.model)
    ).all()
    stories = session.exec(
        select(func.count()).select_from(Story).join(Example, col(Story.example_id) == col(Example.id)).where(mine)
    ).one()
    return Tally(
        kept=by_status.get(ExampleStatus.kept, 0),
        set_aside=by_status.get(ExampleStatus.set_aside, 0),
        failed=by_status.get(ExampleStatus.failed, 0),
        stories=stories,
        average=_rounded(average),
        lowest=_rounded(lowest),
        highest=_rounded(highest),
        genres=genres,
        models={
            str(name): {"count": count, "avg_quality": _rounded(mean) or 0.0, "total_quality": _rounded(total) or 0.0}
            for name, count, mean, total in models
        },
    )


def newest(session: Session, writer_id: str, session_id: int, limit: int) -> list[Example]:
    query = (
        select(Example)
        .where(Example.user_id == writer_id, Example.session_id == session_id)
        .order_by(col(Example.id).desc())
        .limit(limit)
    )
    return list(session.exec(query).all())


def page(
    session: Session, writer_id: str, session_id: int, *, status: str | None = None, number: int = 1, size: int = 10
) -> list[Example]:
    """Page ``number`` (from 1) of a session's examples in the order they were asked for."""
    query = select(Example).where(Example.user_id == writer_id, Example.session_id == session_id)
    if status is not None:
        query = query.where(Example.status == status)
    query = query.order_by(col(Example.idx)).offset((number - 1) * size).limit(size)
    return list(session.exec(query).all())


def latest_moments(session: Session, session_id: int, number: int = 20) -> list[datetime]:
    """When the newest examples of a session were stored."""
    query = select(Example.created_at).where(Example.session_id == session_id)
    return list(session.exec(query.order_by(col(Example.id).desc()).limit(number)).all())


def qualities(session: Session, session_id: int) -> list[float]:
    query = select(Example.quality).where(Example.session_id == session_id, col(Example.quality).is_not(None))
    return [quality for quality in session.exec(query) if quality is not None]


def add_story(session: Session, example: Example, title: str) -> None:
    session.add(
        Story(
            user_id=example.user_id,
            example_id=example.id,
            title=title,
            genre=example.genre,
            body=example.completion,
            quality=example.quality,
        )
    )


def remember(session: Session, example: Example) -> None:
    """Put a kept example into memory; once is enough, and not if the writer had it forgotten."""
    if session.exec(select(Memory.id).where(Memory.example_id == example.id)).first() is None:
        session.add(
            Memory(
                user_id=example.user_id,
                example_id=example.id,
                body=memories.first_part(example.completion),
                genre=example.genre or None,
            )
        )


def belongs_in_memory(session: Session, example: Example) -> bool:
    """Whether it is kept, and the writer wanted what is kept of its source or its session in memory."""
    session.flush()
    return bool(memories.belonging(session, example.user_id, [example.id or 0]))


def remember_as_it_is(session: Session, example: Example) -> None:
    """Memory has the words that it has now, or nothing of it where it does not belong there."""
    forget(session, example)
    if belongs_in_memory(session, example):
        remember(session, example)


def forget(session: Session, example: Example) -> None:
    """Take out of memory what was put there from this example."""
    mine = (col(Memory.example_id) == example.id) & (col(Memory.user_id) == example.user_id) & (col(Memory.body) != "")
    session.exec(delete(Memory).where(mine))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 2)
