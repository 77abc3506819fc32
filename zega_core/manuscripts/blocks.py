"""What a manuscript is read into: paragraphs, headings and breaks, in order, and what of the file is no part of it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

WORD = re.compile(r"\w+(?:['’\-]\w+)*")


class Kind(StrEnum):
    paragraph = "paragraph"
    heading = "heading"
    scene_break = "break"


@dataclass(frozen=True, slots=True)
class Block:
    kind: Kind
    text: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """A paragraph as a file has it, before it is known what it is. ``heading`` where the file itself says so; ``gap``
    are the blank lines before it."""

    text: str
    heading: bool = False
    gap: int = 0


@dataclass(slots=True)
class Document:
    """``left_out`` counts words of what is in the file and no part of the body, by what it is: keys of ``NAMES``."""

    format: str
    blocks: list[Block] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def body(self) -> str:
        return "\n\n".join(block.text for block in self.blocks if block.kind == Kind.paragraph)


NAMES = {
    "licence": "the licence and notes of the publisher of the file",
    "contents": "a table of contents",
    "front": "front matter",
    "back": "what stands before or after the story, such as thanks and notices",
    "notes": "footnotes",
    "pages": "page numbers and running titles",
    "other": "tables of code and markup",
}
"""In a writer's words."""


def count_words(text: str) -> int:
    return sum(1 for _ in WORD.finditer(text))
