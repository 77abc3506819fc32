"""Examples as files: one JSON object a line, a table for spreadsheets, or preference pairs. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from zega_core.tables import Example, ExampleStatus

FIELDS = ("prompt", "completion", "genre", "element", "tags", "source", "teacher", "score", "stars", "kept", "original")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula: such a cell gets ``GUARD`` before it."""
GUARD = "'"
_AT_ONCE = 200


def _fields(example: Example) -> dict[str, Any]:
    return {
        "prompt": example.prompt,
        "completion": example.completion,
        "genre": example.genre,
        "element": example.element,
        "tags": list(example.tags),
        "source": example.source,
        "teacher": example.model or "",
        "score": example.quality,
        "stars": example.rating,
        "kept": example.status == ExampleStatus.kept,
        "original": example.original,
    }


def pairs_of(examples: Iterable[Example]) -> Iterator[dict[str, str]]:
    """Of those that were edited: the edit is preferred to what was there before."""
    for example in examples:
        if example.original is not None:
            yield {"prompt": example.prompt, "chosen": example.completion, "rejected": example.original}


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n"


def jsonl(examples: Iterable[Example]) -> Iterator[bytes]:
    return _lines(map(_fields, examples))


def preferences(examples: Iterable[Example]) -> Iterator[bytes]:
    return _lines(pairs_of(examples))


def table(examples: Iterable[Example]) -> Iterator[bytes]:
    """CSV in UTF-8 with the mark by which spreadsheets know it; tags in one cell, with commas between them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow(FIELDS)
    for number, example in enumerate(examples, start=1):
        writer.writerow([cell(value) for value in _fields(example).values()])
        if number % _AT_ONCE == 0:
            yield text.getvalue().encode(errors="replace")
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode(errors="replace")


def cell(value: Any) -> str:
    """As it stands in a table of text: what a spreadsheet would take for a formula is marked as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        value = ", ".join(value)
    if not isinstance(value, str):
        return str(value)
    return f"{GUARD}{value}" if value.startswith(FORMULA) else value


FORMS: Mapping[str, Callable[[Iterable[Example]], Iterator[bytes]]] = {
    "jsonl": jsonl,
    "csv": table,
    "preferences": preferences,
}
