"""What a writer's model has learned from, in a few figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from zega_core.tables import Example, ExampleStatus
from zega_core.version_tables import FineTune, Version


@dataclass(frozen=True, slots=True)
class Kept:
    """Over what is kept; the scores are None where nothing has one. ``genres`` by key, empty for what has none."""

    number: int
    average: float | None
    highest: float | None
    lowest: float | None
    genres: dict[str, int]


def kept(session: Session, writer_id: str) -> Kept:
    quality = col(Example.quality)
    query = (
        sql_select(
            col(Example.genre),
            func.count(),
            func.count(quality),
            func.sum(quality),
            func.max(quality),
            func.min(quality),
        )
        .where(col(Example.user_id) == writer_id, col(Example.status) == ExampleStatus.kept)
        .group_by(col(Example.genre))
    )
    rows = session.connection().execute(query).all()
    scored = sum(with_score for _, _, with_score, _, _, _ in rows)
    total = sum(float(added or 0) for _, _, _, added, _, _ in rows)
    highest = [most for _, _, _, _, most, _ in rows if most is not None]
    lowest = [least for _, _, _, _, _, least in rows if least is not None]
    return Kept(
        number=sum(number for _, number, _, _, _, _ in rows),
        average=round(total / scored, 2) if scored else None,
        highest=max(highest, default=None),
        lowest=min(lowest, default=None),
        genres={genre: number for genre, number, *_ in sorted(rows, key=lambda row: (-row[1], row[0]))},
    )


def steps(session: Session, writer_id: str) -> int:
    """Of all fine-tunes of the writer."""
    return int(session.exec(select(func.sum(FineTune.step)).where(FineTune.user_id == writer_id)).one() or 0)


def last_fine_tune(session: Session, writer_id: str) -> datetime | None:
    """When the newest version was made, also of those deleted since."""
    made = select(func.max(FineTune.completed_at)).where(
        FineTune.user_id == writer_id, col(FineTune.version_number).is_not(None)
    )
    return session.exec(made).one()


def has_version(session: Session, writer_id: str) -> bool:
    return session.exec(select(Version.id).where(Version.user_id == writer_id).limit(1)).first() is not None
