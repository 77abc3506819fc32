"""Rows of writings as their threads leave them, without a model."""

from __future__ import annotations

import secrets
from typing import Any

from zega_core import db
from zega_core.settings import Settings
from zega_core.store import writers
from zega_core.writing_tables import Take, TakeState, Writing

WRITER = "default"
TEXT = (
    "The keeper wound the clock twice that night. Below him the sea went on with its argument, and out past the reef a "
    "light answered his own, patiently, as if it had been waiting for someone to count with."
)
CONTEXT: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Keep the sentences long.\n\nWrite a scene about a lighthouse."}],
    "asked": "Write a scene about a lighthouse.",
    "hints": ["Keep the sentences long.", "Stay close to one person."],
    "recalled": [{"memory_id": 7, "text": "The tide came in like a debt.", "from_": "Your answer of 3 March"}],
    "left_out": ["Your brief is longer than this model can read at once: a part of it was left out."],
    "no_room": ["There was no room for 1 more text like it."],
}


def writing(
    brief: str = "A lighthouse keeper finds a light that answers", *, into: Settings | None = None, **more: Any
):
    """A request, with as many takes as ``takes`` says of each."""
    owner = more.pop("writer", WRITER)
    texts: list[dict[str, Any]] = more.pop("takes", [{}])
    fields: dict[str, Any] = {"key": secrets.token_hex(16), "user_id": owner, "task": "write", "request": {}, **more}
    with db.session(into) as session:
        writers.ensure(session, owner)
        row = Writing(brief=brief, **fields)
        session.add(row)
        session.flush()
        for number, values in enumerate(texts, 1):
            take: dict[str, Any] = {
                "key": secrets.token_hex(16),
                "writing_id": row.id,
                "user_id": owner,
                "number": number,
                "asked": "base",
                "model": "local/base",
                "label": "Base model",
                "text": TEXT,
                "state": TakeState.done,
                "seconds": 4.2,
            }
            session.add(Take(**take | values))
    return row
