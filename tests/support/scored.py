"""Stored pieces for the tests of scoring again, and a score that does as the text says."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from tests.support.teachers import story
from zega_core import db
from zega_core.catalog import Element
from zega_core.dataset import text_hash
from zega_core.quality import QUALITY_VERSION, Criterion, QualityReport
from zega_core.store import writers
from zega_core.tables import Example, ExampleStatus, Source


def says(value: float, seed: int) -> str:
    """A text that ``told`` gives this score, different for every seed."""
    return f"{value} {story(seed)}"


def told(text: str, prompt: str, genre: str, element: Element) -> QualityReport:
    """In the place of the score: the number that the text begins with."""
    value = float(text.split()[0])
    return QualityReport(value, (Criterion("fit", "Length and form", value, ("It is as it is.",)),), None)


def add(text: str, *, writer: str = "ana", score: float | None = 5.0, kept: bool = True, **more: Any) -> int:
    """A piece as an older version of the score has left it; its id."""
    values: dict[str, Any] = {
        "genre": "fantasy",
        "element": "scene",
        "prompt": "A keeper mends a lantern",
        "source": Source.auto,
        "status": ExampleStatus.kept if kept else ExampleStatus.set_aside,
        "reason": None if kept else f"{score or 0:.1f} is below 7.0. It is as it was.",
        "quality": score,
        "quality_version": QUALITY_VERSION - 1,
        "text_hash": text_hash(text),
    }
    with db.session() as session:
        writers.ensure(session, writer)
        session.add(example := Example(user_id=writer, completion=text, **values | more))
        session.flush()
        return example.id or 0


def piece(example_id: int) -> Example:
    with db.reading() as session:
        return session.get_one(Example, example_id)


def all_pieces(writer: str = "ana") -> list[dict[str, Any]]:
    """Everything of a writer's pieces, in order, to compare."""
    with db.reading() as session:
        query = select(Example).where(Example.user_id == writer).order_by(col(Example.id))
        return [example.model_dump() for example in session.exec(query)]
