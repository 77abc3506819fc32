"""Word documents and EPUBs as programs write them, and as they should not be."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

import docx

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
PAGE = (
    '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml" '
    'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>Not read</title><style>p {{ x }}</style></head>'
    "<body>{}</body></html>"
)


def zipped(parts: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return out.getvalue()


def epub(bodies: Sequence[str], more: Mapping[str, str | bytes] | None = None, extra: str = "") -> bytes:
    """Pages in this order; ``more`` are other parts, ``extra`` goes into the list of parts."""
    items = "".join(
        f'<item id="p{number}" href="text/page%20{number}.xhtml" media-type="application/xhtml+xml"/>'
        for number in range(len(bodies))
    )
    spine = "".join(f'<itemref idref="p{number}"/>' for number in range(len(bodies)))
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/>'
        f"<manifest>{items}{extra}</manifest><spine>{spine}</spine></package>"
    )
    parts: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/content.opf": package,
    }
    for number, body in enumerate(bodies):
        parts[f"OEBPS/text/page {number}.xhtml"] = PAGE.format(body)
    return zipped(parts | dict(more or {}))


def word(paragraphs: Sequence[tuple[str, str]]) -> bytes:
    """Style and text of each paragraph."""
    document = docx.Document()
    for style, text in paragraphs:
        document.add_paragraph(text, style=style or None)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def changed(data: bytes, part: str, before: str, after: str) -> bytes:
    """A packed file with a part of its text changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        parts: dict[str, str | bytes] = {name: file.read(name) for name in file.namelist()}
    text = parts[part]
    text = text.decode() if isinstance(text, bytes) else text
    assert before in text
    parts[part] = text.replace(before, after)
    return zipped(parts)
