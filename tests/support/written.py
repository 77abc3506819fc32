"""Examples as they lie in the database, for what looks through them."""

from __future__ import annotations

from itertools import count
from typing import Any

from zega_core import db
from zega_core.dataset import text_hash
from zega_core.settings import Settings
from zega_core.store import writers
from zega_core.tables import Example, ExampleStatus, Source

_numbers = count()


def written(number: int, writer: str = "default", settings: Settings | None = None, **values: Any) -> list[int]:
    """Store ``number`` examples, each with words of its own unless ``completion`` is given; their ids, oldest first."""
    with db.session(settings) as session:
        writers.ensure(session, writer)
        rows = [_example(writer, index, values) for _, index in zip(range(number), _numbers, strict=False)]
        session.add_all(rows)
        session.flush()
        return [row.id or 0 for row in rows]


def stored(example_id: int) -> Example | None:
    with db.reading() as session:
        return session.get(Example, example_id)


def _example(writer: str, index: int, values: dict[str, Any]) -> Example:
    told = {
        "source": Source.auto,
        "genre": "fantasy",
        "element": "scene",
        "model": "storyteller",
        "prompt": f"Write about lamp {index}.",
        "completion": f"Lamp {index} burned in the window all night, and nobody came to put it out.",
        "status": ExampleStatus.kept,
        "quality": 7.5,
    } | values
    told.setdefault("text_hash", text_hash(told["completion"]))
    return Example(user_id=writer, **told)
