"""Text as it should have come: one encoding, one kind of line end, no characters that are not seen."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Container

from charset_normalizer import from_bytes

from zega_core.errors import InvalidInput
from zega_core.quality.words import load_words

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_WESTERN = frozenset("‘’“”–—…‚„†•€£§©®°½¼«»¡¿´`·\u00a0\u00adàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿœßš")
_ACCENTED_CAPITALS = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜŒŠ")
_BREAKS = re.compile("\r\n?|[\u2028\u2029\x85\v]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_UNSEEN = re.compile("[\u00ad\ufeff\u200b\u2060]")
_SPACES = re.compile("[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_SAMPLE = 200_000
_BROKEN_WORD = re.compile(r"([^\W\d_]+)-\Z")
_FIRST_WORD = re.compile(r"[^\W\d_]+")


def decode(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file and the encoding it was read with, as a writer knows it. Raises InvalidInput for what is no
    text."""
    for bom, codec, label in _BOMS:
        if data.startswith(bom):
            return data.decode(codec, "replace"), label
    zeros = data[:_SAMPLE].count(0)
    if zeros > len(data[:_SAMPLE]) // 5:
        return _wide(data, name)
    if zeros:
        raise InvalidInput(f"{name} is not a text file. Save it as txt, md, docx or epub and add that.")
    try:
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return _old(data)


def _wide(data: bytes, name: str) -> tuple[str, str]:
    """UTF-16 without its mark: the zeros of Latin letters stand at even or at odd places."""
    sample = data[:_SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(data) % 2 or min(even, odd) * 4 > max(even, odd):
        raise InvalidInput(f"{name} is not a text file. Save it as txt, md, docx or epub and add that.")
    return data.decode("utf-16-be" if even > odd else "utf-16-le", "replace"), "UTF-16"


def _old(data: bytes) -> tuple[str, str]:
    text = data.decode("cp1252", "replace")
    foreign = [mark for mark in text[:_SAMPLE] if mark > "\x7f"]
    western = sum(mark in _WESTERN for mark in foreign)
    capitals = sum(mark in _ACCENTED_CAPITALS for mark in foreign)
    if western + capitals >= 0.97 * len(foreign) and western >= 4 * capitals and 2.2 * len(foreign) < len(text):
        return text, "Windows-1252"
    found = from_bytes(data[:_SAMPLE]).best()
    if found is None:
        return text, "Windows-1252"
    return data.decode(found.encoding, "replace"), found.encoding.replace("_", "-")


def mend(text: str) -> str:
    """One kind of line end, composed accents, no soft hyphens, no unseen or control characters; form feeds stay."""
    return unicodedata.normalize("NFC", _UNSEEN.sub("", _CONTROL.sub("", _BREAKS.sub("\n", text))))


def one_line(text: str) -> str:
    """Runs of spaces as one."""
    return _SPACES.sub(" ", text).strip()


def join_lines(lines: list[str], vocabulary: Container[str]) -> str:
    """Lines that a typewriter or program has broken, as one; a word broken by a hyphen is made whole where it is a word
    (``vocabulary`` are those of the document)."""
    joined = lines[0] if lines else ""
    for line in lines[1:]:
        broken = _BROKEN_WORD.search(joined[-60:])
        follows = _FIRST_WORD.match(line) if broken else None
        if broken and follows:
            joined = _mended(joined, broken[1], follows[0], vocabulary) + line
        elif joined.endswith(("--", "—")):
            joined += line
        else:
            joined += " " + line
    return joined


def _mended(joined: str, first: str, second: str, vocabulary: Container[str]) -> str:
    """``joined`` with its last hyphen or without."""
    whole, parts = (first + second).lower(), (first.lower(), second.lower())
    known = load_words().index
    if second[:1].isupper() or f"{parts[0]}-{parts[1]}" in vocabulary:
        return joined
    if whole in vocabulary or whole in known:
        return joined[:-1]
    return joined if all(part in known for part in parts) else joined[:-1]
