"""EPUB: a ZIP with a list of its pages in reading order. Read with lxml; nothing in it is run, fetched or shown."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from html.entities import html5
from typing import Any
from urllib.parse import unquote

from lxml import etree, html  # type: ignore[attr-defined]

from zega_core.errors import InvalidInput
from zega_core.manuscripts import xhtml
from zega_core.manuscripts.blocks import Raw, count_words
from zega_core.manuscripts.zipped import Zipped

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_LOCKS = ("META-INF/rights.xml", "META-INF/sinf.xml", "META-INF/license.lcpl")
_FONT_METHODS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_FONTS = (".otf", ".ttf", ".woff", ".woff2")
_PAGES = ("application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31};)")
_XML_OWN = frozenset(("amp;", "lt;", "gt;", "quot;", "apos;"))
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]{0,1000}(?:\[[^\]]{0,10000}\])?[^>]{0,1000}>", re.I)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,300}\?>")
_ENCODING = re.compile(rb"encoding=[\"']([A-Za-z0-9_.-]{2,40})[\"']")
_ASIDE = {"toc": "contents", "cover": "front", "title-page": "front", "copyright-page": "front", "index": "back"}
_MOST_PAGES = 3_000


def read(data: bytes, name: str) -> tuple[list[Raw], Counter[str]]:
    """Paragraphs in reading order, and words that were left out. Raises InvalidInput for what is no EPUB, is protected,
    or holds pictures only."""
    book = Zipped(data, name)
    _check_locks(book, name)
    left_out: Counter[str] = Counter()
    raws: list[Raw] = []
    pictures = 0
    for path, aside in _spine(book, name):
        root = _page(book, path)
        if root is None:
            continue
        found = xhtml.read(root, left_out)
        pictures += found.pictures
        if aside:
            left_out[aside] += sum(count_words(raw.text) for raw in found.raws)
            continue
        if raws and found.raws:
            raws.append(Raw("* * *"))
        raws += found.raws
    if pictures and not any(count_words(raw.text) for raw in raws):
        raise InvalidInput(f"{name} holds pictures of pages and no text, and ZEGA cannot read pictures.")
    return raws, left_out


def _check_locks(book: Zipped, name: str) -> None:
    locked = any(lock in book for lock in _LOCKS)
    if _ENCRYPTION in book:
        root = _xml(book.read(_ENCRYPTION), name)
        for entry in root.iter("{*}EncryptedData"):
            method, place = entry.find("{*}EncryptionMethod"), entry.find("{*}CipherData/{*}CipherReference")
            algorithm = "" if method is None else method.get("Algorithm") or ""
            uri = "" if place is None else (place.get("URI") or "").lower()
            locked = locked or not (algorithm in _FONT_METHODS or uri.endswith(_FONTS))
    if locked:
        raise InvalidInput(
            f"{name} is protected against copying (DRM), so its text cannot be read. Export your own manuscript from "
            "the program that you wrote it in."
        )


def _xml(data: bytes, name: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _damaged(name) from error
    if root is None:
        raise _damaged(name)
    return root


def _damaged(name: str) -> InvalidInput:
    return InvalidInput(f"{name} is damaged: it does not say what its pages are. Save or download it again.")


def _spine(book: Zipped, name: str) -> Iterator[tuple[str, str]]:
    """Path of each page in reading order, and what it is left out as; empty for the body."""
    container = _xml(book.read(_CONTAINER), name)
    roots = [one.get("full-path") for one in container.iter("{*}rootfile") if one.get("full-path")]
    if not roots:
        raise _damaged(name)
    package = _xml(book.read(roots[0]), name)
    folder = posixpath.dirname(roots[0])
    guide = {_path(folder, one.get("href") or ""): one.get("type") or "" for one in package.iter("{*}reference")}
    items = {one.get("id"): one for one in package.iter("{*}item")}
    seen: set[str] = set()
    for number, reference in enumerate(package.iter("{*}itemref")):
        item = items.get(reference.get("idref"))
        if item is None or number >= _MOST_PAGES or reference.get("linear") == "no":
            continue
        path = _path(folder, item.get("href") or "")
        properties, media = (item.get("properties") or "").split(), item.get("media-type") or ""
        if path in seen or path not in book or media not in _PAGES:
            continue
        seen.add(path)
        yield path, "contents" if "nav" in properties else _ASIDE.get(guide.get(path, ""), "")
    if not seen:
        raise _damaged(name)


def _path(folder: str, href: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))


def _page(book: Zipped, path: str) -> Any:
    """The root of a page; None for one that nothing can be made of."""
    text = _decoded(book.read(path))
    text = _DECLARATION.sub("", _DOCTYPE.sub("", text, count=1), count=1)
    text = _ENTITY.sub(lambda found: found[0] if found[1] in _XML_OWN else html5.get(found[1], found[0]), text)
    strict = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(text.strip(), strict)
    except (etree.XMLSyntaxError, ValueError):
        pass
    try:  # what was never checked is read as browsers read it
        return html.document_fromstring(text, parser=html.HTMLParser(no_network=True, huge_tree=False))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    declared = _ENCODING.search(data[:300])
    encoding = declared[1].decode("ascii") if declared else "utf-8"
    try:
        return data.decode(encoding).lstrip("\ufeff")
    except (UnicodeDecodeError, LookupError):
        return data.decode("utf-8", "replace").lstrip("\ufeff")
