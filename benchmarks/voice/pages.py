"""Pages of a book as a writer brings them along, each with a prompt that a plain rule makes of it.

A page is whole paragraphs of one chapter, 120 to 220 words. Its prompt has its most frequent names (words with a
capital within a sentence) and its first nouns (as ``scripts.pretrain.mined`` finds them in the book), two of each where
there are names: "A scene with Holmes, Crown Inn, a bedroom and the upper floor".
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from scripts.pretrain.mined import mine
from scripts.pretrain.texts import straight

VOICES = ("poe", "austen", "conan-doyle", "howard", "stevenson")
END = (".", "!", "?", '"', "'", "-", "—", ")")
LEAST, MOST = 120, 220
"""Words of a page: those of the catalog's scene, nearly."""
NOT_FICTION = re.compile(r"## (?:Edgar Allan Poe|The (?:Life|Death) of Edgar Allan Poe)\n")
_NAME = re.compile(r"(?<=[a-z,;] )(?:(?:Mr|Mrs|Dr)\. )?[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})?\b")
_NO_NAMES = frozenset("God Heaven English French German Latin Lord Sir Madam Miss Lady Captain Doctor Colonel".split())
_NOUN = re.compile(
    r"\b(a|an|the|his|her|my) ((?:[a-z]+ )?[a-z]{3,12})(?=[.,;:?!]| (?:of|and|in|on|with|was|had|from)\b)"
)


@dataclass(frozen=True, slots=True)
class Page:
    genre: str
    prompt: str
    text: str


def pages(book: Path) -> list[Page]:
    """All of a book, in an order of their own that is always the same."""
    source = straight(book.read_text(encoding="utf-8"))
    genre, nouns = book.name.split("__")[0], {word for found in mine([source]).values() for word in found}
    found = []
    for chapter in re.split(r"(?m)^(?=## )", source):
        if not NOT_FICTION.match(chapter):
            found += [Page(genre, prompt_of(text, nouns), text) for text in _cut(chapter)]
    random.Random(book.name).shuffle(found)
    return [page for page in found if page.prompt]


def _cut(chapter: str) -> list[str]:
    found, kept, count = [], [], 0
    for line in (one.strip() for one in chapter.splitlines()[1:]):
        if line[-1:] not in END:  # a heading, a break, a line of verse
            kept, count = [], 0
            continue
        kept.append(line)
        count += len(line.split())
        if count >= LEAST:
            found += ["\n\n".join(kept)] if count <= MOST else []
            kept, count = [], 0
    return found


def prompt_of(text: str, nouns: set[str]) -> str:
    """Empty where the page has neither names nor nouns enough: three together."""
    names = [name for name in _NAME.findall(text) if name not in _NO_NAMES]
    chosen = [name for name, _ in Counter(names).most_common(2)]
    for article, noun in _NOUN.findall(text):
        if noun in nouns and not noun.endswith("self") and len(chosen) < 4 and not any(noun in one for one in chosen):
            chosen.append(f"{article if article in ('a', 'an') else 'the'} {noun}")
    if len(chosen) < 3:
        return ""
    return f"A scene with {', '.join(chosen[:-1])} and {chosen[-1]}"
