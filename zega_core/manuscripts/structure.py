"""From paragraphs to a document: which of them are headings and breaks, and which are no part of the story."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from zega_core.manuscripts import marks
from zega_core.manuscripts.blocks import Block, Document, Kind, Raw, count_words

_CONTENTS = re.compile(
    r"(?:table of )?contents\W*\Z|inhalt(?:sverzeichnis)?\W*\Z|table des matières\W*\Z|índice\W*\Z", re.I
)
_ASIDE = re.compile(
    r"(?:copyright(?: page| notice)?|imprint|uncopyright|colophon|title ?page|half ?title(?: page)?|dedication|epigraph"
    r"|acknowledge?ments?|about the authors?|also by\b.{0,60}|(?:other )?books by\b.{0,60}|(?:foot|end)?notes|index"
    r"|bibliography|glossary|list of illustrations|illustrations|transcriber['’]s notes?|credits|permissions"
    r"|praise for\b.{0,60}|newsletter|landmarks)\W*\Z",
    re.I,
)
_RIGHTS = re.compile(
    r"\ball rights reserved\b|\bisbn\b|©|\(c\) ?\d{4}|\bcopyright\b.{0,40}\d{4}|\bfirst published\b|\bpublished by\b"
    r"|\bno part of this (?:book|publication)\b|\bwork of fiction\b.{0,80}\bcoincidental\b",
    re.I | re.S,
)
_FRONT = 700
"""Words before the first chapter that may be front matter."""
_SHORT = 12
"""Words of a line on a title page, at most."""
_GAP = 3
"""Blank lines that part two scenes."""


def document(raws: Sequence[Raw], form: str, left_out: Counter[str] | None = None) -> Document:
    """The paragraphs of a file as a document."""
    found = Document(form, left_out=Counter(left_out or {}))
    blocks = _classified(_without_entries(raws, found.left_out))
    found.blocks = _joined(_body(_sections(blocks), found.left_out))
    return found


def _without_entries(raws: Sequence[Raw], left_out: Counter[str]) -> list[Raw]:
    """Without lines that are of a table of contents by their dots or pages, and blocks of them."""
    kept: list[Raw] = []
    listed = [marks.has_leaders(raw.text) and not raw.heading for raw in raws]
    for number, raw in enumerate(raws):
        lines = raw.text.split("\n")
        entries = sum(map(marks.is_entry, lines)) if len(lines) > 2 else 0
        beside = listed[max(0, number - 1) : number + 2].count(True) >= 2
        if (entries >= 3 and 10 * entries >= 6 * len(lines)) or (listed[number] and beside):
            left_out["contents"] += count_words(raw.text)
        else:
            kept.append(raw)
    return kept


def _classified(raws: Sequence[Raw]) -> list[Block]:
    gap = _scene_gap(raws)
    shouted = _shouted(raws)
    blocks: list[Block] = []
    last_number = 0
    for raw in raws:
        if raw.gap >= gap and blocks and blocks[-1].kind == Kind.paragraph:
            blocks.append(Block(Kind.scene_break))
        before = blocks[-1] if blocks else None
        if not raw.text.strip() or marks.is_break(raw.text):
            kind = Kind.scene_break
        elif marks.is_bare_number(raw.text) and not raw.heading:
            number = int(raw.text.strip(" ."))
            kind = Kind.heading if number in (1, last_number + 1) else Kind.paragraph
            last_number = number if kind == Kind.heading else last_number
        else:
            kind = _kind(raw, before, shouted)
        blocks.append(Block(kind, marks.without_marks(raw.text) if kind == Kind.heading else raw.text))
    return blocks


def _shouted(raws: Sequence[Raw]) -> frozenset[str]:
    """Lines in capitals that are headings: where nothing else is, the first line, and others that stand apart if there
    are several. A single one is more likely what a sign says."""
    if sum(raw.heading or marks.is_division(raw.text) or marks.is_marked(raw.text) for raw in raws) >= 2:
        return frozenset()
    gaps = [*(raw.gap for raw in raws[1:]), _GAP]
    usual = sorted(gaps)[(len(gaps) - 1) // 2]
    first = {raw.text for raw in raws[:1] if marks.is_shouted(raw.text)}
    apart = {
        raw.text
        for raw, after in zip(raws[1:], gaps[1:], strict=False)
        if min(raw.gap, after) >= usual and marks.is_shouted(raw.text)
    }
    return frozenset(first | apart if len(first | apart) > 1 else first)


def _kind(raw: Raw, before: Block | None, shouted: Collection[str]) -> Kind:
    text = raw.text
    surely = raw.heading or marks.is_marked(text) or marks.is_division(text) or marks.is_numeral(text)
    after_heading = before is not None and before.kind == Kind.heading
    if surely or marks.is_titled_numeral(text):
        return Kind.heading
    if _CONTENTS.match(text.strip()) or (after_heading and (marks.is_title(text) or marks.is_shouted(text))):
        return Kind.heading
    if _ASIDE.match(text.strip()) and len(text) <= marks.LONGEST_HEADING and text.strip()[:1].isupper():
        return Kind.heading
    return Kind.heading if text in shouted else Kind.paragraph


def _scene_gap(raws: Sequence[Raw]) -> int:
    """How many blank lines part scenes: three, or more where paragraphs themselves are that far apart."""
    gaps = sorted(raw.gap for raw in raws[1:])
    usual = gaps[(len(gaps) - 1) // 2] if gaps else 0
    return max(_GAP, usual + 2)


@dataclass(slots=True)
class _Section:
    """What stands under one heading, or under several that follow each other."""

    headings: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    @property
    def words(self) -> int:
        return sum(count_words(block.text) for block in self.blocks)

    @property
    def name(self) -> str:
        return self.headings[-1].strip() if self.headings else ""


def _sections(blocks: Sequence[Block]) -> list[_Section]:
    sections = [_Section()]
    for block in blocks:
        if block.kind == Kind.heading:
            if any(one.kind == Kind.paragraph for one in sections[-1].blocks):
                sections.append(_Section())
            sections[-1].headings.append(block.text)
        else:
            sections[-1].blocks.append(block)
    return sections


def _body(sections: list[_Section], left_out: Counter[str]) -> list[_Section]:
    total, before = sum(section.words for section in sections), 0
    kept: list[_Section] = []
    for number, section in enumerate(sections):
        at_edge = before <= 0.15 * total or before + section.words >= 0.8 * total
        before += section.words
        if _CONTENTS.match(section.name):
            section = _after_contents(section, left_out)
        elif _ASIDE.match(section.name) and at_edge and section.words < total:
            left_out["back"] += section.words
            continue
        elif not kept and _is_front(section, sections[number + 1 :]):
            left_out["front"] += section.words
            continue
        kept.append(_without_rights(section, left_out) if number < 4 else section)
    return kept


def _after_contents(section: _Section, left_out: Counter[str]) -> _Section:
    """A table of contents ends where the first paragraph of some length begins."""
    long = (number for number, block in enumerate(section.blocks) if count_words(block.text) > 2 * _SHORT)
    start = next(long, len(section.blocks))
    left_out["contents"] += sum(count_words(block.text) for block in section.blocks[:start])
    return _Section([], section.blocks[start:])


def _is_front(section: _Section, rest: Sequence[_Section]) -> bool:
    """A title page: short lines, or rights, before the first chapter."""
    if section.words > _FRONT or not any(one.words > 150 for one in rest) or marks.is_division(section.name):
        return False
    lines = [block for block in section.blocks if block.kind == Kind.paragraph]
    short = sum(count_words(block.text) <= _SHORT for block in lines)
    rights = any(_RIGHTS.search(block.text[:2000]) for block in lines)
    return rights or (short == len(lines) and section.words <= 120)


def _without_rights(section: _Section, left_out: Counter[str]) -> _Section:
    """Without notices among the first paragraphs of a file that has no title page of its own."""
    gone = [block for block in section.blocks[:12] if len(block.text) < 2000 and _RIGHTS.search(block.text)]
    left_out["front"] += sum(count_words(block.text) for block in gone)
    return _Section(section.headings, [block for block in section.blocks if block not in gone])


def _joined(sections: Sequence[_Section]) -> list[Block]:
    """As one run of blocks: headings only where something stands under them, breaks only between paragraphs."""
    blocks: list[Block] = []
    for section in sections:
        if not any(block.kind == Kind.paragraph for block in section.blocks):
            continue
        names = [name.strip() for name in section.headings if name.strip() and not _CONTENTS.match(name.strip())]
        while blocks and blocks[-1].kind != Kind.paragraph:
            blocks.pop()
        if names:
            blocks.append(Block(Kind.heading, ". ".join(dict.fromkeys(name.rstrip(".") for name in names[-2:]))))
        elif blocks:
            blocks.append(Block(Kind.scene_break))
        broken = True
        for block in section.blocks:
            if block.kind == Kind.paragraph or not broken:
                blocks.append(block)
            broken = block.kind == Kind.scene_break
    while blocks and blocks[-1].kind != Kind.paragraph:
        blocks.pop()
    return blocks
