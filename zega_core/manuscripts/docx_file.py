"""Word documents, opened by python-docx. The text is taken from all runs, those of tracked insertions included; what
was deleted stays out."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree  # type: ignore[attr-defined]

from zega_core.errors import InvalidInput
from zega_core.manuscripts.blocks import Raw, count_words
from zega_core.manuscripts.mending import mend, one_line
from zega_core.manuscripts.zipped import Zipped

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_OUT = {f"{_W}{name}" for name in ("del", "moveFrom", "instrText", "delText", "txbxContent", "pPr", "rPr")} | {
    _FALLBACK
}
_NEW_LINE = {f"{_W}br", f"{_W}cr"}
_HEADING = re.compile(r"(?:heading [1-6]|title|subtitle|chapter(?: ?title| ?heading)?|part(?: ?title)?)\Z", re.I)
_CONTENTS = re.compile(r"(?:toc|table of figures|index) ?\d*(?: heading)?\Z", re.I)
_NOT_BODY = re.compile(r"(?:header|footer|caption|footnote text|endnote text)\Z", re.I)
_DECLARES = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)


def read(data: bytes, name: str) -> tuple[list[Raw], Counter[str]]:
    """Paragraphs in order, and words that were left out. Raises InvalidInput for what is no Word document."""
    import docx  # whoever reads no Word document starts without it
    from docx.opc.exceptions import OpcError

    _check(data, name)
    try:
        document = docx.Document(io.BytesIO(data))
        body = document.element.body
        styles = {style.style_id: str(style.name or "") for style in document.styles}
    except (
        OpcError,
        etree.XMLSyntaxError,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        AttributeError,
        TypeError,
    ) as error:
        raise InvalidInput(f"{name} is no Word document that can be read. Save it as docx or txt again.") from error
    left_out: Counter[str] = Counter()
    return _with_gaps(list(_paragraphs(body, styles, left_out))), left_out


def _check(data: bytes, name: str) -> None:
    """Unpack every part once within the bounds, and refuse XML that declares things: Word writes none."""
    parts = Zipped(data, name)
    for part in parts.names:
        read = parts.read(part)  # pictures, too: python-docx unpacks all of them, and trusts the sizes that are said
        declares = _DECLARES.search(read) or _DECLARES.search(read[:4000].replace(b"\0", b""))
        if part.endswith((".xml", ".rels")) and declares:
            raise InvalidInput(f"{name} holds instructions that no Word document needs, so it was not opened.")


def _paragraphs(body: Any, styles: dict[str, str], left_out: Counter[str]) -> Iterator[tuple[str, bool]]:
    """Text, and whether it is a heading."""
    for paragraph in body.iter(f"{_W}p"):
        if any(parent.tag in _OUT for parent in paragraph.iterancestors()):
            continue
        style = _style(paragraph, styles)
        text = "\n".join(filter(None, map(one_line, mend("".join(_text(paragraph))).split("\n"))))
        if _CONTENTS.match(style) or _in_contents(paragraph):
            left_out["contents"] += count_words(text)
        elif _NOT_BODY.match(style):
            left_out["notes" if "note" in style.lower() else "other"] += count_words(text)
        else:
            yield text, bool(text) and (bool(_HEADING.match(style)) or _has_level(paragraph))


def _style(paragraph: Any, styles: dict[str, str]) -> str:
    named = paragraph.find(f"{_W}pPr/{_W}pStyle")
    key = "" if named is None else named.get(f"{_W}val") or ""
    return styles.get(key, key)


def _has_level(paragraph: Any) -> bool:
    level = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
    return level is not None and (level.get(f"{_W}val") or "9") in "012345"


def _in_contents(paragraph: Any) -> bool:
    for control in paragraph.iterancestors(f"{_W}sdt"):
        gallery = control.find(f"{_W}sdtPr/{_W}docPartObj/{_W}docPartGallery")
        if gallery is not None and gallery.get(f"{_W}val") == "Table of Contents":
            return True
    return False


def _text(node: Any) -> Iterator[str]:
    """Depth of the tree is bounded by the parser (256)."""
    for child in node:
        if child.tag in _OUT or child.tag == f"{_W}p":
            continue
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag == f"{_W}tab":
            yield " "
        elif child.tag == f"{_W}noBreakHyphen":
            yield "-"
        elif child.tag in _NEW_LINE:
            yield " " if child.get(f"{_W}type") in ("page", "column") else "\n"
        else:
            yield from _text(child)


def _with_gaps(paragraphs: list[tuple[str, bool]]) -> list[Raw]:
    """Empty paragraphs are blank lines. Where there are few, each parts two scenes."""
    empty = sum(not text for text, _ in paragraphs)
    few = 0 < empty <= max(3, len(paragraphs) // 12)
    raws, gap = list[Raw](), 0
    for text, heading in paragraphs:
        if not text:
            gap += 1
            continue
        raws.append(Raw(text, heading, gap=3 if gap and few else gap))
        gap = 0
    return raws
