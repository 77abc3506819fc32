"""A file or pasted text as a document, whatever it is: by what it holds first, then by its name."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from zega_core.errors import InvalidInput
from zega_core.manuscripts import docx_file, epub_file, markdown, plain_text
from zega_core.manuscripts.blocks import Document
from zega_core.manuscripts.mending import decode, mend
from zega_core.manuscripts.structure import document
from zega_core.manuscripts.zipped import Zipped

MOST_BYTES = 30_000_000
MOST_CHARS = 12_000_000
"""Of text, some two million words."""
FORMATS = ("pasted", "txt", "md", "docx", "epub")
SUFFIXES = {".txt": "txt", ".text": "txt", ".md": "md", ".markdown": "md", ".docx": "docx", ".epub": "epub"}
_SUFFIX = re.compile(r"\.(?=[a-z0-9]{0,7}[a-z])[a-z0-9]{1,8}\Z")
_ADVICE = "Save it as txt, md, docx or epub and add that."
_OTHERS = (
    (b"%PDF", "a PDF, which says where letters stand and not what the paragraphs are"),
    (b"{\\rtf", "a rich text file (RTF)"),
    (b"\xd0\xcf\x11\xe0", "an old Word document (doc), or protected by a password"),
    (b"\x1f\x8b", "a packed file (gzip)"),
    (b"Rar!", "a packed file (RAR)"),
    (b"7z\xbc\xaf", "a packed file (7z)"),
)


def format_of(data: bytes, name: str) -> str:
    """One of ``FORMATS``. Raises InvalidInput for anything else, saying what it is where that can be told."""
    for start, what in _OTHERS:
        if data.startswith(start):
            raise InvalidInput(f"{name} is {what}. {_ADVICE}")
    suffix = PurePosixPath(name.lower()).suffix
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _packed(data, name)
    if suffix in (".docx", ".epub"):
        raise InvalidInput(f"{name} is damaged, or it is no {suffix[1:]} file at all. {_ADVICE}")
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if _SUFFIX.search(suffix):
        raise InvalidInput(f"ZEGA cannot read {suffix} files. {_ADVICE}")
    return "pasted"


def _packed(data: bytes, name: str) -> str:
    parts = Zipped(data, name)
    if "META-INF/container.xml" in parts:
        return "epub"
    if "[Content_Types].xml" in parts and any(part.startswith("word/") for part in parts.names):
        return "docx"
    raise InvalidInput(f"{name} is a packed file, and neither docx nor epub. {_ADVICE}")


def read(data: bytes, name: str) -> Document:
    """Raises InvalidInput, with a sentence, for what is too large, is broken or protected, or holds no text."""
    if not data:
        raise InvalidInput(f"{name} is empty.")
    if len(data) > MOST_BYTES:
        raise InvalidInput(f"{name} is larger than {MOST_BYTES // 1_000_000} MB. Split it, or save its text as txt.")
    form = format_of(data, name)
    encoding = ""
    if form == "docx":
        raws, left_out = docx_file.read(data, name)
    elif form == "epub":
        raws, left_out = epub_file.read(data, name)
    else:
        text, encoding = decode(data, name)
        if len(text) > MOST_CHARS:
            raise InvalidInput(f"{name} has more than {MOST_CHARS:,} letters. Split it into several files.")
        raws, left_out = (markdown if form == "md" else plain_text).read(mend(text))
    if sum(len(raw.text) for raw in raws) > MOST_CHARS:
        raise InvalidInput(f"{name} has more than {MOST_CHARS:,} letters. Split it into several files.")
    found = document(raws, form, left_out)
    if encoding not in ("", "UTF-8"):
        found.notes.append(f"It was read as {encoding}. If letters look wrong, save it as UTF-8 and add it again.")
    if not any(map(str.isalnum, found.body)):
        raise InvalidInput(f"{name} holds no text that can be read.")
    return found
