"""Cutting a document into passages: never across a chapter or a scene break, at the ends of paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from zega_core.manuscripts.blocks import Document, Kind, count_words

LEAST, MOST, AIM = 80, 220, 150
"""Words of a passage."""
REST = 60
"""What is shorter is no passage: it joins its neighbour of the same scene, or is left out where it has none."""
_LONGEST = MOST + 2 * REST
_ATOMS = 400
"""Paragraphs of a passage, at most: there may be some without words."""
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s+[\"'“‘«(\[—–-]*[^\W\d_a-z])|[。！？؟۔]\s*")
_ABBREVIATED = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|Rev|Capt|Col|Gen|Lt|Sgt|Jr|Sr|vs|etc|No|Vol)|\b[A-Z])\.\Z")


@dataclass(frozen=True, slots=True)
class Passage:
    """``chapter`` is its title and may be empty; ``scene`` counts the scenes of the whole from 0."""

    idx: int
    chapter: str
    scene: int
    text: str
    words: int


@dataclass(slots=True)
class Split:
    """``chapters`` is 1 where there are no headings. ``left_out`` are scenes too short to be passages."""

    passages: list[Passage] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    chapters: int = 0
    words: int = 0


@dataclass(frozen=True, slots=True)
class _Atom:
    """What is not cut any more. ``inside`` when it goes on in the paragraph of the one before."""

    text: str
    words: int
    inside: bool = False


def split(document: Document) -> Split:
    """Each word of the body is in one passage, or in one text that is left out."""
    found = Split()
    for scene, (chapter, paragraphs) in enumerate(_scenes(document, found)):
        atoms = [atom for paragraph in paragraphs for atom in _atoms(paragraph)]
        words = sum(atom.words for atom in atoms)
        found.words += words
        if words < REST:
            found.left_out.append(_text(atoms))
            continue
        for part in _parts(atoms):
            size = sum(atom.words for atom in part)
            found.passages.append(Passage(len(found.passages), chapter, scene, _text(part), size))
    return found


def _scenes(document: Document, found: Split) -> Iterator[tuple[str, list[str]]]:
    chapter, paragraphs = "", list[str]()
    for block in document.blocks:
        if block.kind == Kind.paragraph:
            paragraphs.append(block.text)
            continue
        if paragraphs:
            yield chapter, paragraphs
            paragraphs = []
        if block.kind == Kind.heading:
            chapter = block.text
            found.chapters += 1
    if paragraphs:
        yield chapter, paragraphs
    found.chapters = max(found.chapters, 1 if document.blocks else 0)


def _atoms(paragraph: str) -> list[_Atom]:
    words = count_words(paragraph)
    if words <= MOST:
        return [_Atom(paragraph, words)]
    pieces = [piece for sentence in _sentences(paragraph) for piece in _halved(sentence)]
    return [_Atom(piece, count_words(piece), inside=number > 0) for number, piece in enumerate(pieces)]


def _sentences(paragraph: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(paragraph):
        if _ABBREVIATED.search(paragraph, max(start, end.end() - 8), end.end()):
            continue
        piece = paragraph[start : end.end()].strip()
        if piece:
            yield piece
        start = end.end()
    if rest := paragraph[start:].strip():
        yield rest


def _halved(sentence: str) -> Iterable[str]:
    """A sentence that is itself too long, cut between words."""
    if count_words(sentence) <= MOST:
        return [sentence]
    pieces, size = list[list[str]]([[]]), 0
    for token in sentence.split():
        grows = count_words(token)
        if size + grows > AIM and pieces[-1]:
            pieces.append([])
            size = 0
        pieces[-1].append(token)
        size += grows
    return [" ".join(piece) for piece in pieces]


def _parts(atoms: Sequence[_Atom]) -> list[Sequence[_Atom]]:
    """The cheapest way to cut a scene, by dynamic programming over where the passages end."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(atoms) + 1):
        words, start, choice = 0, end, (float("inf"), end - 1)
        while start > 0:
            start -= 1
            words += atoms[start].words
            if (words > _LONGEST and start < end - 1) or end - start > _ATOMS:
                break
            cost = best[start][0] + _cost(words) + (0.5 if atoms[start].inside else 0.0)
            if cost < choice[0]:
                choice = cost, start
        best.append(choice)
    cuts, end = [len(atoms)], len(atoms)
    while end > 0:
        end = best[end][1]
        cuts.append(end)
    cuts.reverse()
    return [atoms[start:end] for start, end in pairwise(cuts)]


def _cost(words: int) -> float:
    """Of a passage of so many words: little near ``AIM``, much outside ``LEAST`` to ``MOST``, very much below
    ``REST``."""
    off = ((words - AIM) / (MOST - AIM)) ** 2
    if words < REST:
        return off + 1000.0
    return off if LEAST <= words <= MOST else off + 10.0


def _text(atoms: Sequence[_Atom]) -> str:
    text = atoms[0].text if atoms else ""
    for atom in atoms[1:]:
        text += (" " if atom.inside else "\n\n") + atom.text
    return text
