"""What of an answer can be shown while its teacher still writes: only what is certainly of the piece.

A beginning that may turn out to be thinking, a greeting, a title or a refusal is held back until that is known, and so
is an end that may yet be a mark, a tag or a remark. What is shown grows as the answer does; ``answers.accept`` has the
last word when it has ended.
"""

from __future__ import annotations

import re

from zega_core import quality
from zega_core.catalog import Element
from zega_core.wrapping import (
    FENCE,
    KIND,
    MARKED,
    MAX_CHARS,
    PASSES,
    any_case,
    fewest,
    holds,
    plain,
    tidy,
    without_preamble,
    without_rules,
    without_tags,
    without_thinking,
    without_title,
)

FIRST = 24
"""Characters of a line before which nothing is known of it."""
LONG_LINE = 300
"""Characters from which on a first line is neither a greeting nor a title."""
LONGEST_TAG, LONGEST_COUNT = 40, 60
READ = 400
"""Characters in which an answer that declines has said so."""

_HEADING = any_case(
    r"\W*(?:sure|certainly|of course|absolutely|okay|ok|alright|all right|great|got it|understood|gladly|no problem"
    r"|with pleasure|as|i['’](?:m|d|ve|ll)|i (?:am|can|can['’]t|cannot|would|have|will|won['’]t)|happy to|thanks?|here"
    r"|below|the following|sorry|unfortunately|my apologies|title|genre|prompt|assistant|model|response|answer|output"
    rf"|{KIND})\b|[^\w\"“”'‘’—–…(]"
)
_ALOUD = any_case(
    r"(?:(?:okay|ok|alright|all right|hmm|so|well|first)\b[,. ]*)*(?:the user(?:['’]s| (?:wants?|is|has|asks?|asked"
    r"|would|wrote|needs?|requests?|gave|provided))\b"
    r"|(?:i|we) (?:need|have) to (?:write|create|craft|produce|generate|come up)\b"
    r"|(?:let me|let['’]s|i should|we should) (?:think|write|start|begin|craft|create|plan|draft|brainstorm|try)\b)"
)
_REMARK = any_case(
    r"[*_(\[ \t]*(?:please\b|let me know\b|feel free\b|don['’]t hesitate\b|would you like\b|i can also\b|(?:do you )?"
    r"want me|if you\b|i hope\b|(?:this|that|it) (?:\w+ )?(?:meets|captures|fits|works|is what)\b|note\b"
    rf"|(?:the )?end of\b|(?:this|that) (?:\w+ )?{KIND}\b|(?:total )?word|approx|about \d|around \d|~?\d|\W*\Z)"
)
_COUNT = any_case(r"[ \t]*(?:[(\[]|\*\()[*_]*(?:total|words?|approx\w*|about|around|~|\d)?[^)\]\n]{0,40}[)\]]?[*_]*\Z")
_MARK = re.compile(r"[*_]+")


def certain(text: str, element: Element | None = None) -> str:
    """What of an unfinished answer is of the piece, without what stands around it; empty while that is not known, and
    where it is too long for one. Any string is accepted."""
    if len(text) > MAX_CHARS:
        return ""
    text = without_thinking(plain(_without_half_a_tag(text))).lstrip()
    if _ALOUD.match(text):
        return ""
    text = _without_heading(text, element)
    if _may_be_heading(text, fewest(element)):
        return ""
    shown = tidy(_without_open_end(text))
    return "" if quality.declines(shown[:READ]) else shown


def _without_half_a_tag(text: str) -> str:
    """Without a mark of the template, or a thinking tag, that has only begun."""
    opened = text.rfind("<", max(0, len(text) - LONGEST_TAG))
    return text if opened < 0 or ">" in text[opened:] else text[:opened]


def _without_heading(text: str, element: Element | None) -> str:
    few, spoken = fewest(element), bool(element and element.max_lines)
    for _ in range(PASSES):
        before = text
        text = without_rules(without_tags(text).strip()).strip()
        for step in (_without_open_fence, without_preamble, without_title):
            rest = step(text, spoken).strip()
            text = rest if holds(rest, few) else text
        if text == before:
            break
    return text


def _without_open_fence(text: str, spoken: bool) -> str:
    line, newline, rest = text.partition("\n")
    return rest if newline and len(line) < LONGEST_TAG and FENCE.match(line) else text


def _may_be_heading(text: str, few: int) -> bool:
    """Whether the first line may yet turn out to stand before the piece."""
    line, newline, rest = text.partition("\n")
    if not _HEADING.match(line):
        return not newline and len(line) < FIRST
    return len(line) <= LONG_LINE and not holds(rest, 2 * few)


def _without_open_end(text: str) -> str:
    """Without an end that may be taken off when the line has ended, or the answer."""
    before, newline, line = text.rpartition("\n")
    text = before if newline and len(line) < FIRST else before + newline + _without_open_mark(line)
    while (parts := text.rstrip().rpartition("\n"))[1] and _REMARK.match(parts[2]):
        text = parts[0].rstrip()
    return text.rstrip()


def _without_open_mark(line: str) -> str:
    """A mark that closes later will have stood for bold or italics; a count of words may stand in brackets."""
    spans = list[tuple[int, int]]()
    if _MARK.search(line):
        ended = (found for found in MARKED.finditer(line) if found.end() < len(line) or line[found.start()] in '"“')
        spans = [found.span() for found in ended]
    for mark in _MARK.finditer(line):
        if not any(start <= mark.start() < end for start, end in spans):
            return line[: mark.start()]
    end = max(0, len(line) - LONGEST_COUNT)
    return line[:end] + _COUNT.sub("", line[end:])
