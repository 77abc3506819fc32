"""The history as a file: a table for spreadsheets, JSON, or Parquet. Rows are read as they are written, so that a long
history takes no more memory than a short one. Pure."""

from __future__ import annotations

import csv as csv_format
import io
import json as json_format
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from zega_core.fine_tune.written import cell
from zega_core.store.history import Row

AT_ONCE = 1_000
"""Rows of a part."""
_WHOLE = ("kept", "requested", "version")
_REAL = ("quality", "lowest", "highest", "seconds")
_YES_OR_NO = ("fine_tuned", "archived", "reported")
FIELDS = (
    *("kind", "id", "started_at", "status", "kept", "requested", "quality", "lowest", "highest", "genres", "teacher"),
    *("seconds", "fine_tuned", "archived", "reported", "error", "version", "name"),
)
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}


def fields(row: Row) -> dict[str, Any]:
    """By the names of ``FIELDS``; ``started_at`` is in UTC, ``seconds`` with three digits."""
    return {
        "kind": row.kind.value,
        "id": row.key,
        "started_at": f"{row.started_at:%Y-%m-%dT%H:%M:%SZ}",
        "status": str(row.status),
        "kept": row.kept,
        "requested": row.requested,
        "quality": row.quality,
        "lowest": row.low,
        "highest": row.high,
        "genres": list(row.genres),
        "teacher": row.teacher,
        "seconds": round(row.seconds, 3),
        "fine_tuned": row.fine_tuned,
        "archived": row.archived,
        "reported": row.reported,
        "error": row.error,
        "version": row.version,
        "name": row.name,
    }


def csv(rows: Iterable[Row]) -> Iterator[bytes]:
    """RFC 4180 in UTF-8, with the mark by which spreadsheets know it; genres in one cell with commas between them. A
    cell that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO(newline="")
    text.write("\ufeff")
    writer = csv_format.writer(text)
    writer.writerow(FIELDS)
    for some in _parts(rows):
        writer.writerows([cell(value) for value in fields(row).values()] for row in some)
        yield text.getvalue().encode(errors="replace")
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode(errors="replace")


def json(rows: Iterable[Row]) -> Iterator[bytes]:
    """One array, an object a line."""
    before = b"[\n"
    for some in _parts(rows):
        lines = (json_format.dumps(fields(row), ensure_ascii=False).encode(errors="replace") for row in some)
        yield before + b",\n".join(lines)
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def parquet(rows: Iterable[Row]) -> Iterator[bytes]:
    """With types: a moment in UTC, whole numbers, a list of genres."""
    import pyarrow  # takes a third of a second that nobody else should wait for
    from pyarrow.parquet import ParquetWriter

    schema = pyarrow.schema([(name, _type(pyarrow, name)) for name in FIELDS])
    written = _Written()
    with ParquetWriter(pyarrow.PythonFile(written, mode="w"), schema) as writer:
        for some in _parts(rows):
            told = [fields(row) | {"started_at": row.started_at} for row in some]
            writer.write_table(pyarrow.Table.from_pylist(told, schema))
            yield written.take()
    yield written.take()


FORMS: Mapping[str, Callable[[Iterable[Row]], Iterator[bytes]]] = {"csv": csv, "json": json, "parquet": parquet}


class _Written(io.RawIOBase):
    """Where a file is written to that is taken away in parts."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def _type(pyarrow: Any, name: str) -> Any:
    if name == "started_at":
        return pyarrow.timestamp("us", tz="UTC")
    if name == "genres":
        return pyarrow.list_(pyarrow.string())
    if name in _WHOLE:
        return pyarrow.int64()
    if name in _REAL:
        return pyarrow.float64()
    return pyarrow.bool_() if name in _YES_OR_NO else pyarrow.string()
