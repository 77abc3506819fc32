"""The text of a table or of JSON lines that a writer brings, whatever its encoding. Pure."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from zega_core.errors import InvalidInput

LARGEST = 20_000_000
"""Bytes of a file."""
_SAMPLE = 200_000
"""Bytes by which the encoding is found out."""
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ZIP = b"PK\x03\x04"
_NO_TEXT = re.compile(r"[\x01-\x08\x0e-\x1f\x7f]")


def text_of(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file called ``name``, and its encoding. Raises InvalidInput for what is too large or no text."""
    if len(data) > LARGEST:
        raise InvalidInput(f"{name} is larger than {LARGEST // 1_000_000} MB. Split it into smaller files.")
    if not data.strip():
        raise InvalidInput(f"{name} is empty.")
    if data.startswith(_ZIP):
        raise InvalidInput(f"{name} is a workbook or an archive. Save it as CSV, and choose that file.")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding, name).removeprefix("\ufeff"), encoding
    if encoding := _without_mark(data):
        return _decoded(data, encoding, name), "utf-16"
    try:
        return _readable(data.decode("utf-8"), name), "utf-8"
    except UnicodeDecodeError:
        found = from_bytes(data[:_SAMPLE]).best()
    encoding = "cp1252" if found is None else found.encoding
    return _decoded(data, encoding, name), encoding


def _without_mark(data: bytes) -> str:
    """UTF-16 that does not say so: every other byte of plain letters is zero."""
    sample = data[:2_000]
    zeros = [sample[start::2].count(0) for start in (0, 1)]
    if max(zeros) < 0.3 * len(sample) / 2:
        return ""
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _decoded(data: bytes, encoding: str, name: str) -> str:
    for one in (encoding, "cp1252"):
        try:
            return _readable(data.decode(one), name)
        except (UnicodeDecodeError, LookupError):
            continue
    raise InvalidInput(f"{name} is in no encoding that ZEGA can read. Save it as UTF-8 and choose it again.")


def _readable(text: str, name: str) -> str:
    sample = text[:10_000]
    if len(_NO_TEXT.findall(sample)) > 0.02 * len(sample):
        raise InvalidInput(f"{name} is no text. Choose a CSV or JSONL file.")
    return text
