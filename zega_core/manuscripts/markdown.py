"""Markdown, read by markdown-it-py. What writers mean by it wins: ``---`` and ``~~~`` part scenes, indented lines are
paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from zega_core.manuscripts import marks
from zega_core.manuscripts.blocks import Raw, count_words
from zega_core.manuscripts.mending import one_line

_OFF = ("code", "fence", "lheading", "html_block", "html_inline", "reference", "autolink")
_HEADER = re.compile(r"\A---[ \t]*\n(?:[^\n]*\n){0,60}?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_UNDERLINED = re.compile(r"^(?=\S)([^\n]{1,90})\n=+[ \t]*$", re.M)
_RULED = re.compile(r"^(?=\S)([^\n]{1,90})\n(-{3,})[ \t]*$", re.M)
_NOTE = re.compile(r"^\[\^[^\]\n]{1,40}\]:[^\n]*(?:\n(?:[ ]{4}|\t)[^\n]*)*", re.M)
_NOTE_MARK = re.compile(r"\[\^[^\]\n]{1,40}\]")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]\n]{1,80}\]:[ \t]*\S+[^\n]*$", re.M)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_BREAK_TAG = re.compile(r"^\s*<(?:hr|br) ?/?>\s*$", re.M | re.I)
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,300}>")
_LISTED = re.compile(r"^(\s{0,3})(\d{1,9})([.)])(?=[ \t]|$)", re.M)
_BULLET = re.compile(r"^(\s{0,3})([-+])(?=[ \t])", re.M)
_INDENTED = re.compile(r"^[ \t]+", re.M)


def read(text: str) -> tuple[list[Raw], Counter[str]]:
    """Paragraphs in order, and words that were left out. ``text`` is mended."""
    left_out: Counter[str] = Counter()
    header = _HEADER.match(text)
    if header and ":" in header[0]:
        left_out["other"] += count_words(header[0])
        text = text[header.end() :]
    for pattern, name in ((_NOTE, "notes"), (_REFERENCE, "other"), (_COMMENT, "other")):
        left_out[name] += sum(count_words(found[0]) for found in pattern.finditer(text))
        text = pattern.sub("", text)
    text = _TAG.sub("", _BREAK_TAG.sub("\n* * *\n", _NOTE_MARK.sub("", text)))
    text = _RULED.sub(_ruled, _UNDERLINED.sub(r"# \1", text))
    text = _INDENTED.sub("", text.replace("\f", "\n\n"))
    text = _BULLET.sub(r"\1\\\2", _LISTED.sub(r"\1\2\\\3", text))  # a date or a dash of speech begins no list
    tokens = MarkdownIt("commonmark").disable(list(_OFF)).parse(text)
    return list(_raws(tokens)), left_out


def _ruled(found: re.Match[str]) -> str:
    """A line that is underlined is a heading only where it reads like one; else the rule parts scenes."""
    if marks.is_division(found[1]) or marks.is_numeral(found[1]):
        return f"# {found[1]}"
    return f"{found[1]}\n\n{found[2]}"


def _raws(tokens: Sequence[Token]) -> list[Raw]:
    found: list[Raw] = []
    heading, last = False, -1
    for token in tokens:
        begin, end = token.map or (last, last)
        gap = max(0, begin - last) if last >= 0 else 0
        if token.type == "heading_open":
            heading = True
        elif token.type == "hr":
            found.append(Raw("* * *", gap=gap))
            last = end
        elif token.type == "inline":
            text = _text(token.children or [])
            found.append(Raw(text, heading=heading and bool(text.strip()), gap=gap))
            heading, last = False, end
    return found


def _text(children: Sequence[Token]) -> str:
    parts: list[str] = []
    for child in children:
        if child.type == "softbreak":
            parts.append(" ")
        elif child.type == "hardbreak":
            parts.append("\n")
        elif child.type != "image":
            parts.append(child.content)
    return "\n".join(filter(None, map(one_line, "".join(parts).split("\n"))))
