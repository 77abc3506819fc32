"""Plain text, pasted or from a file: where its paragraphs begin, whatever broke its lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from zega_core.manuscripts import marks
from zega_core.manuscripts.blocks import Raw, count_words
from zega_core.manuscripts.mending import join_lines, one_line

_START = re.compile(r"^\W*(?:\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG|\*END\*? ?THE SMALL PRINT).*$", re.M | re.I)
_END = re.compile(
    r"^\W*(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the )?Project Gutenberg['’]s?).*$", re.M | re.I
)
_PRODUCED = re.compile(r"\A\s*(?:\[?(?:E-text|Etext) prepared|Produced by|Transcribed from)[^\n]*(?:\n[^\n]+)*", re.I)
_NOTE = re.compile(r"\s*\[(?:Footnote\s+)?(\d{1,3}|[A-Z]|\*)(?:\]|:)\s*\S", re.I)
_NOTE_MARK = re.compile(r"\[(?:\d{1,3}|[A-Z]|\*)\]")
_EMPHASIS = re.compile(r"(?<![\w_])_([^_\n]{1,400}(?:\n[^_\n]{1,400}){0,3})_(?![\w_])")
_TERMINAL = (".", "!", "?", "…", ":", ";", '"', "”", "’", "'", "»", ")", "]", "*", "—", "-")
WRAPPED = 110
"""Characters: text whose lines are all shorter may have been broken by a program; longer lines are paragraphs."""


def read(text: str) -> tuple[list[Raw], Counter[str]]:
    """Paragraphs in order, and how many words were left out as what (``blocks.NAMES``). ``text`` is mended."""
    left_out: Counter[str] = Counter()
    text = _without_licence(text, left_out)
    text = marks.ILLUSTRATION.sub("", marks.PAGE_MARK.sub("", text))
    text = _EMPHASIS.sub(r"\1", text)
    lines = _without_pages([line.rstrip(" \t\u00a0") for line in text.replace("\f", "\n\f\n").split("\n")], left_out)
    groups = list(_groups(lines))
    groups, noted = _without_notes(groups, left_out)
    width = _width([line for _, group in groups for line in group])
    wrapped = width <= WRAPPED and _is_wrapped(groups, width)
    vocabulary = _vocabulary(text) if wrapped else frozenset[str]()
    raws: list[Raw] = []
    for gap, group in groups:
        for number, paragraph in enumerate(_paragraphs(group, width if wrapped else 0, vocabulary)):
            paragraph = _NOTE_MARK.sub("", paragraph) if noted else paragraph
            raws.append(Raw(paragraph, gap=0 if number else gap))
    return raws, left_out


def _without_licence(text: str, left_out: Counter[str]) -> str:
    begin = _START.search(text)
    start = begin.end() if begin else 0
    end = _END.search(text, start)
    stop = end.start() if end else len(text)
    body = text[start:stop]
    if begin is None and end is None:
        return text
    left_out["licence"] += count_words(text[:start]) + count_words(text[stop:])
    produced = _PRODUCED.match(body)
    if produced:
        left_out["licence"] += count_words(produced[0])
        body = body[produced.end() :]
    return body


def _without_pages(lines: list[str], left_out: Counter[str]) -> list[str]:
    """Numbers of pages and running titles go; a paragraph that went on over the page is whole again."""
    edges = {number for number, line in enumerate(lines) if line == "\f"}
    near = {at for edge in edges for step in (-1, 1) for at in _near(lines, edge, step)}
    often = Counter(lines[at].strip() for at in near)
    gone = {at for at in near if marks.is_page(lines[at]) or _runs_on_top(lines[at], often)}
    gone |= _numbers(lines) if not edges else set()
    left_out["pages"] += sum(count_words(lines[at]) for at in gone)
    return _closed_up(lines, edges | gone) if edges | gone else lines


def _near(lines: Sequence[str], edge: int, step: int) -> list[int]:
    """The two lines next to the end of a page that hold something."""
    found, at = list[int](), edge + step
    while 0 <= at < len(lines) and len(found) < 2 and abs(at - edge) < 12 and lines[at] != "\f":
        if lines[at].strip():
            found.append(at)
        at += step
    return found


def _runs_on_top(line: str, often: Counter[str]) -> bool:
    return len(line) <= 80 and often[line.strip()] >= 3


def _numbers(lines: Sequence[str]) -> set[int]:
    """Lines that are numbers of pages. Bare numbers may be chapters': those of pages fall into sentences."""
    there = [at for at, line in enumerate(lines) if marks.is_page(line)]
    sure = {at for at in there if not marks.is_bare_number(lines[at])}
    bare = [at for at in there if at not in sure]
    within = sum(not _ends(_before(lines, at)) for at in bare)
    sure = sure if len(sure) >= 2 else set()
    return sure | set(bare) if len(bare) >= 3 and 4 * within >= len(bare) else sure


def _before(lines: Sequence[str], at: int) -> str:
    return next((lines[one] for one in range(at - 1, max(-1, at - 12), -1) if lines[one].strip()), ".")


def _ends(line: str) -> bool:
    return line.rstrip().endswith(_TERMINAL) or len(line.strip()) < 30


def _closed_up(lines: Sequence[str], gone: set[int]) -> list[str]:
    """Without those lines. Where a sentence goes on, no blank line is left in their place."""
    kept: list[str] = []
    closing = False
    for at, line in enumerate(lines):
        if at in gone:
            closing = True
        elif not line.strip():
            kept.append(line)
        else:
            if closing:
                blanks = 0
                while kept and not kept[-1].strip():
                    kept.pop()
                    blanks += 1
                goes_on = kept and not _ends(kept[-1]) and (line.lstrip()[:1].islower() or kept[-1].endswith("-"))
                kept += [] if goes_on else [""] * (1 if blanks < 6 else 3)
            closing = False
            kept.append(line)
    return kept


def _groups(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Lines that stand together, and how many blank lines are before them."""
    gap, group = 0, list[str]()
    for line in lines:
        if line.strip() and line != "\f":
            group.append(line)
            continue
        if group:
            yield gap, group
            gap, group = 0, []
        gap += 1
    if group:
        yield gap, group


def _without_notes(
    groups: Sequence[tuple[int, list[str]]], left_out: Counter[str]
) -> tuple[list[tuple[int, list[str]]], bool]:
    kept: list[tuple[int, list[str]]] = []
    noted = False
    for gap, group in groups:
        if _NOTE.match(group[0]):
            noted = True
            left_out["notes"] += sum(map(count_words, group))
        else:
            kept.append((gap, group))
    return kept, noted


def _width(lines: Sequence[str]) -> int:
    """Characters of a line that is longer than nineteen of twenty."""
    sizes = sorted(map(len, lines))
    return sizes[len(sizes) * 19 // 20] if sizes else 0


def _is_wrapped(groups: Sequence[tuple[int, list[str]]], width: int) -> bool:
    """Whether most lines that another follows are as long as a line can be."""
    inner = [len(line) for _, group in groups for line in group[:-1]]
    full = sum(size >= 0.75 * width for size in inner)
    return width >= 40 and len(inner) >= 2 and full >= 0.6 * len(inner)


def _paragraphs(group: Sequence[str], width: int, vocabulary: frozenset[str]) -> Iterator[str]:
    """Each line is one where ``width`` is 0. Otherwise a paragraph ends where the next line is indented; verse, whose
    lines are short, keeps its lines."""
    if not width:
        yield from filter(None, map(one_line, group))
        return
    if len(group) > 1 and _stands_apart(group, width):
        yield "\n".join(filter(None, map(one_line, group)))
        return
    margin = min(_indent(line) for line in group)
    lines: list[str] = []
    for line in group:
        if lines and _begins(line, margin, lines):
            yield join_lines(lines, vocabulary)
            lines = []
        lines.append(one_line(line))
    yield join_lines(lines, vocabulary)


def _begins(line: str, margin: int, before: Sequence[str]) -> bool:
    """Whether a new paragraph begins here, without a blank line."""
    return marks.is_break(line) or marks.is_break(before[-1]) or _indent(line) >= margin + 2


def _indent(line: str) -> int:
    return len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())


def _stands_apart(group: Sequence[str], width: int) -> bool:
    short = sum(len(line.strip()) < 0.6 * width for line in group[:-1])
    return short > 0.6 * (len(group) - 1)


def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"(?<![\w-])[^\W\d_]+(?:-[^\W\d_]+)*(?![\w-])", text.lower()))
