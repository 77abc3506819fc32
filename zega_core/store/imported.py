"""Pairs that a writer brings along: which of them are there already."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import load_only
from sqlmodel import Session, col, select

from zega_core.tables import Example, ExampleStatus, Source

BROUGHT = (Source.imported, Source.manuscript)
_NEEDED = ("id", "user_id", "source", "status", "reason", "duplicate_of", "decision", "text_hash", "completion")


def present(session: Session, writer_id: str, hashes: Collection[str]) -> dict[str, Example]:
    """By ``text_hash``: what the writer has kept with these words, else what they brought along with them earlier.
    Reports are not read: a broken one is no reason not to find the piece."""
    there = (col(Example.status) == ExampleStatus.kept) | (
        (col(Example.status) == ExampleStatus.set_aside) & col(Example.source).in_(BROUGHT)
    )
    query = select(Example).where(Example.user_id == writer_id, there, col(Example.text_hash).in_(hashes))
    found: dict[str, Example] = {}
    for example in session.exec(query.options(load_only(*(getattr(Example, name) for name in _NEEDED)))):
        if example.text_hash not in found or example.status == ExampleStatus.kept:
            found[example.text_hash] = example
    return found
