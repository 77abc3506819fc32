"""Training pairs in a table (CSV) or in JSON lines whose fields are called otherwise: looked at, and turned into lines
that ``pairs`` reads. Nothing in the file is trusted; a row that cannot be used is told by its number. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zega_core.analytics import plural
from zega_core.errors import InvalidInput
from zega_core.fine_tune.file_text import LARGEST, text_of
from zega_core.fine_tune.written import FORMULA, GUARD

SHOWN, MOST_COLUMNS = 5, 200
CHAT = "messages"
"""The field of JSON lines that are chats."""
PARTS = ("prompt", "completion", "genre", "element", "tags")
NEEDED = PARTS[:2]
_CALLED: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt", "instruction", "question", "query", "input", "ask", "user"),
    "completion": ("completion", "response", "answer", "output", "text", "story", "assistant"),
    "genre": ("genre",),
    "element": ("element",),
    "tags": ("tags", "tag", "labels", "keywords"),
}
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 200_000
"""Characters by which the delimiter is found out."""
_SEP = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
_SHORT, _LONG = 40, 60
"""Characters: names of columns have at most ``_SHORT``, where some cell has ``_LONG`` or more."""
csv.field_size_limit(LARGEST)


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file is: ``names`` of its columns, each once, its ``first`` rows, how many ``rows`` there are, and by part
    (``PARTS``) the column that is likely to be it. ``form`` is ``csv`` or ``jsonl``. ``notes`` are sentences on the
    whole."""

    names: tuple[str, ...]
    first: list[list[str]]
    guess: dict[str, str]
    rows: int
    form: str
    notes: list[str] = field(default_factory=list)


def look(data: bytes, name: str) -> Columns:
    """Find out what a file is. Raises InvalidInput for what is no table and has no JSON lines."""
    text, encoding = text_of(data, name)
    if _is_jsonl(text, name):
        return _look_at_lines(text, name)
    table = _Table(text)
    first: list[list[str]] = []
    rows, ragged = 0, 0
    for _, row in table.rows():
        rows += 1
        ragged += len(row) != len(table.names)
        if len(first) < SHOWN:
            first.append((row + [""] * len(table.names))[: len(table.names)])
    if not rows:
        raise InvalidInput(f"{name} has no rows. Choose a file with a prompt and a text in each row.")
    if len(table.names) < len(NEEDED):
        raise InvalidInput(f"{name} has only one column. It needs one with the prompts and one with the texts.")
    notes = [] if encoding.startswith("utf") else [f"It is not in UTF-8; it was read as {encoding}. Look at the rows."]
    if ragged:
        notes.append(f"{plural(ragged, 'row')} with more or fewer cells than there are columns.")
    return Columns(tuple(table.names), first, _guess(table.names, first, table.headed), rows, "csv", notes)


def lines(data: bytes, name: str, mapping: Mapping[str, str]) -> Iterator[str]:
    """One JSON line for each row of the file, blank ones and the names included, for ``importing.import_pairs``:
    so what is said of a line has the number that a spreadsheet shows. ``mapping`` says by part (``PARTS``) which column
    is it; prompt and completion must be there, but for JSON lines that are chats, which need none. Raises InvalidInput.
    """
    text, _ = text_of(data, name)
    jsonl = _is_jsonl(text, name)
    names = _look_at_lines(text, name).names if jsonl else tuple(_Table(text).names)
    if not (jsonl and not mapping and CHAT in names):
        _check(mapping, names)
    yield from _mapped_lines(text, mapping) if jsonl else _mapped_rows(_Table(text), mapping)


def _check(mapping: Mapping[str, str], names: Sequence[str]) -> None:
    for part in NEEDED:
        if not mapping.get(part):
            raise InvalidInput(f"Say which column has the {part}.")
    for part, column in mapping.items():
        if part not in PARTS or (column and column not in names):
            raise InvalidInput("The columns do not fit this file. Choose them again.")
    if mapping["prompt"] == mapping["completion"]:
        raise InvalidInput("The prompt and the completion cannot be the same column. Choose another for one of them.")


def _is_jsonl(text: str, name: str) -> bool:
    if name.lower().endswith((".jsonl", ".ndjson", ".json")):
        return True
    return not name.lower().endswith((".csv", ".tsv")) and text.lstrip().startswith("{")


class _Table:
    """A table read cell by cell, with the names of its columns: those of its first row, where that looks like names."""

    def __init__(self, text: str) -> None:
        said = _SEP.match(text)
        self._text = (text if said is None else text[said.end() :]).replace("\x00", "")
        self._delimiter = _delimiter(self._text[:_SAMPLE]) if said is None else said[1]
        begun = [row for _, row in zip(range(SHOWN + 1), self._filled(), strict=False)]
        first = begun[0][1] if begun else []
        if len(first) > MOST_COLUMNS:
            raise InvalidInput(f"A table can have {MOST_COLUMNS} columns, and this has {len(first):,}.")
        self.headed = _is_heading(first, [row for _, row in begun[1:]])
        width = len(first) if self.headed else min(MOST_COLUMNS, max((len(row) for _, row in begun), default=0))
        self.names = _once(first if self.headed else [f"Column {number + 1}" for number in range(width)])

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row that is not blank, with its number in the table, the names being the first."""
        found = self._filled()
        if self.headed:
            next(found, None)
        return found

    def _filled(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter)
        for number, row in enumerate(reader, start=1):
            if any(cell.strip() for cell in row):
                yield number, row


def _delimiter(sample: str) -> str:
    """The one that splits the first rows into most columns, as many in each."""

    def fit(delimiter: str) -> tuple[int, int]:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        widths: list[int] = []
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    widths.append(len(row))
                if len(widths) == 2 * SHOWN:
                    break
        except csv.Error:
            return 0, 0
        common = max(set(widths), key=widths.count) if widths else 0
        return (widths.count(common), common) if common > 1 else (0, 0)

    return max(_DELIMITERS, key=fit)


def _is_heading(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """By a name that is known, or because it has short words only where what follows is long."""
    known = {name for names in _CALLED.values() for name in names}
    if any(_plain(cell) in known for cell in first):
        return True
    short = all(cell.strip() and len(cell) <= _SHORT and cell.strip()[-1] not in ".!?" for cell in first)
    return short and len(set(first)) == len(first) and any(len(cell) >= _LONG for row in others for cell in row)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]+", " ", name.lower()).strip()


def _once(names: Sequence[str]) -> list[str]:
    """Every column by another name."""
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        name = name.strip()[:80] or f"Column {number}"
        while name in found:
            name = f"{name} ({number})"
        found.append(name)
    return found


def _guess(names: Sequence[str], first: Sequence[Sequence[str]], headed: bool) -> dict[str, str]:
    """By the names; without names, the column with the longest texts is the completion and the one before it the
    prompt."""
    if not headed:
        sizes = [sum(len(row[at]) for row in first) for at in range(len(names))]
        longest = sizes.index(max(sizes))
        return {"prompt": names[0 if longest else 1], "completion": names[longest]}
    found: dict[str, str] = {}
    for part, called in _CALLED.items():
        for wanted in called:
            match = next((one for one in names if _plain(one) == wanted and one not in found.values()), None)
            if match is not None:
                found[part] = match
                break
    return found


def _mapped_rows(table: _Table, mapping: Mapping[str, str]) -> Iterator[str]:
    places = {part: table.names.index(name) for part, name in mapping.items() if name}
    written = 0
    for number, row in table.rows():
        yield from [""] * (number - written - 1)
        yield _line({part: _unguarded(row[at]) for part, at in places.items() if at < len(row)})
        written = number


def _line(values: Mapping[str, Any]) -> str:
    tags = values.get("tags")
    if isinstance(tags, str):
        values = {**values, "tags": [one.strip() for one in re.split(r"[,;]", tags) if one.strip()]}
    return json.dumps(values, ensure_ascii=False)


def _unguarded(cell: str) -> str:
    """Without the mark that ``written`` puts before what a spreadsheet would take for a formula."""
    return cell[len(GUARD) :] if cell.startswith(GUARD) and cell[len(GUARD) :].startswith(FORMULA) else cell


def _objects(text: str) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Each line, and the object that it is; None for what is none."""
    for line in io.StringIO(text):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        yield line, found if isinstance(found, dict) else None


def _look_at_lines(text: str, name: str) -> Columns:
    names: list[str] = []
    good: list[dict[str, Any]] = []
    rows = 0
    for line, found in _objects(text):
        rows += bool(line.strip())
        if found is None:
            continue
        names += [one for one in found if one not in names][: MOST_COLUMNS - len(names)]
        if len(good) < SHOWN:
            good.append(found)
    if not good:
        raise InvalidInput(
            f'{name} has no JSON lines. Each must be an object, such as {{"prompt": "…", "completion": "…"}}.'
        )
    first = [["" if one.get(key) is None else _shown(one[key]) for key in names] for one in good]
    guess = _guess(names, first, True)
    chats = CHAT in names and not all(part in guess for part in NEEDED)
    notes = ["It has chats: every answer makes a pair with what was asked before it."] if chats else []
    return Columns(tuple(names), first, {} if chats else guess, rows, "jsonl", notes)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _mapped_lines(text: str, mapping: Mapping[str, str]) -> Iterator[str]:
    for line, found in _objects(text):
        if found is None or not mapping:
            yield line  # a chat, or something of which whoever reads it says what is wrong
        else:
            yield _line({part: found[key] for part, key in mapping.items() if key in found})
