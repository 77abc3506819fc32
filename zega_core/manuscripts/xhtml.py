"""The paragraphs of one page of XHTML or HTML."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from zega_core.manuscripts.blocks import Raw, count_words
from zega_core.manuscripts.mending import mend, one_line

_TYPE = "{http://www.idpf.org/2007/ops}type"
_BLOCKS = frozenset(
    """address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form
    header hgroup li main nav ol p pre section table tbody td tfoot th thead tr ul h1 h2 h3 h4 h5 h6""".split()
)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_UNSEEN = frozenset(
    """head script style template title svg math audio video object iframe canvas form button input select textarea rt
    rp""".split()
)
_PICTURES = frozenset(("img", "image", "svg"))
_ASIDES = {
    "contents": frozenset(("toc", "landmarks", "page-list", "lot", "loi")),
    "front": frozenset(
        ("cover", "titlepage", "halftitlepage", "copyright-page", "imprint", "imprimatur", "seriespage")
    ),
    "back": frozenset(
        ("colophon", "acknowledgments", "acknowledgements", "bibliography", "index", "glossary", "other-credits")
    ),
    "notes": frozenset(
        ("footnote", "footnotes", "endnote", "endnotes", "rearnote", "rearnotes", "noteref", "backlink")
    ),
    "pages": frozenset(("pagebreak",)),
}
_DEEPEST = 200
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class Page:
    raws: list[Raw] = field(default_factory=list)
    pictures: int = 0


def read(root: Any, left_out: Counter[str]) -> Page:
    """Words of what is no body are counted in ``left_out``."""
    reader = _Reader(left_out)
    reader.walk(root, 0)
    reader.flush()
    return reader.page


class _Reader:
    def __init__(self, left_out: Counter[str]) -> None:
        self.page, self.left_out = Page(), left_out
        self._parts: list[str] = []
        self._heading = 0

    def walk(self, node: Any, depth: int) -> None:
        tag = _tag(node)
        if tag in _PICTURES:
            self.page.pictures += 1
        if tag is None or tag in _UNSEEN or depth > _DEEPEST:
            return
        aside = _aside(node, tag)
        if aside:
            self.left_out[aside] += count_words(" ".join(node.itertext(with_tail=False)))
            return
        if tag == "br":
            self._parts.append("\x00")
            return
        if tag == "hr":
            self.flush()
            self.page.raws.append(Raw("* * *"))
            return
        self._inside(node, tag, depth)

    def _inside(self, node: Any, tag: str, depth: int) -> None:
        block = tag in _BLOCKS
        if block:
            self.flush()
        self._heading += tag in _HEADINGS
        self._parts.append(_SPACE.sub(" ", node.text or ""))
        for child in node:
            self.walk(child, depth + 1)
            self._parts.append(_SPACE.sub(" ", child.tail or ""))
        if block:
            self.flush()
        self._heading -= tag in _HEADINGS

    def flush(self) -> None:
        """What was read so far is a paragraph."""
        lines = "".join(self._parts).split("\x00")
        self._parts = []
        text = "\n".join(filter(None, (one_line(mend(line)) for line in lines)))
        if text:
            heading = self._heading > 0
            self.page.raws.append(Raw(text.replace("\n", " ") if heading else text, heading))


def _tag(node: Any) -> str | None:
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else None


def _aside(node: Any, tag: str) -> str:
    kinds = set((node.get(_TYPE) or node.get("epub:type") or "").lower().split())
    kinds |= {role.removeprefix("doc-") for role in (node.get("role") or "").lower().split() if role.startswith("doc-")}
    if tag == "nav":
        return "contents"
    return next((name for name, names in _ASIDES.items() if kinds & names), "")
