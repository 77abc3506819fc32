"""What a file is, before anything of it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from zega_core.analytics import plural
from zega_core.errors import InvalidInput
from zega_core.manuscripts import reading
from zega_core.manuscripts.blocks import NAMES, Document, count_words
from zega_core.manuscripts.details import genre_of
from zega_core.manuscripts.splitting import REST, Split, split

FIRSTS = 12
"""Passages of which the beginning is shown."""
_OPENING = 140
"""Characters of such a beginning."""


@dataclass(frozen=True, slots=True)
class Look:
    """``firsts`` are chapter (may be empty) and beginning of the first passages; ``notes`` are sentences on what was
    left out or guessed. ``genre`` is what its words point to, empty for none."""

    name: str
    format: str
    words: int
    chapters: int
    passages: int
    firsts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    genre: str


def look(data: bytes, name: str) -> Look:
    """Raises InvalidInput, with a sentence, for what cannot be taken."""
    document, found = read(data, name)
    firsts = tuple((one.chapter, _beginning(one.text)) for one in found.passages[:FIRSTS])
    return Look(
        name,
        document.format,
        found.words,
        found.chapters,
        len(found.passages),
        firsts,
        tuple(notes(document, found)),
        genre_of([one.text for one in found.passages]),
    )


def read(data: bytes, name: str) -> tuple[Document, Split]:
    """The document and its passages, at least one. Raises InvalidInput like ``look``."""
    document = reading.read(data, name)
    found = split(document)
    if not found.passages:
        raise InvalidInput(
            f"{name} holds {plural(found.words, 'word')}, and a passage needs {REST} that belong together. Add more of "
            "it."
        )
    return document, found


def notes(document: Document, found: Split) -> list[str]:
    """What was left out, and how the file was read, a sentence each."""
    said = list(document.notes)
    left_out = [f"{NAMES[key]} ({plural(words, 'word')})" for key, words in document.left_out.items() if words]
    if left_out:
        said.append(f"Left out, as no part of the text: {', '.join(left_out)}.")
    if found.left_out:
        words = sum(map(count_words, found.left_out))
        said.append(
            f"Left out, as too short to learn from alone: {plural(len(found.left_out), 'scene')} "
            f"({plural(words, 'word')})."
        )
    return said


def _beginning(text: str) -> str:
    line = " ".join(text[: 2 * _OPENING].split())
    return line if len(line) <= _OPENING else f"{line[:_OPENING].rpartition(' ')[0]} …"
