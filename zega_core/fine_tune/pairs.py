"""Training pairs in a JSONL file, read line by line: nothing in it is trusted, and no bad line loses a good one.

A line is ``{"prompt": "…", "completion": "…"}``, optionally with ``"genre"`` and ``"element"`` (keys or labels of the
catalog) and ``"tags"`` (a list), or a chat, ``{"messages": [{"role": "user", "content": "…"}, {"role": "assistant",
"content": "…"}]}``, in which every answer makes a pair with the turn before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zega_core.catalog import Catalog
from zega_core.errors import InvalidInput

LONGEST = 2_000_000
"""Bytes of a line, some 300,000 words."""
MOST_TAGS, LONGEST_TAG = 20, 40
"""Tags of an example, and characters of one."""
_CHUNK = 65_536
_FORM = 'Each line must be one object, such as {"prompt": "…", "completion": "…"}.'
_NOT_UTF_8 = (
    "This line is not in UTF-8. Save the file with the encoding UTF-8 and import it again; what is there already is "
    "not taken twice."
)
_TOO_LONG = f"This line is longer than {LONGEST:,} bytes. Break its text into shorter pieces."
_KINDS = ((bool, "true or false"), (int | float, "a number"), (list, "a list"), (dict, "an object"))


@dataclass(frozen=True, slots=True)
class Pair:
    """``genre`` and ``element`` are keys of the catalog, or empty."""

    prompt: str
    completion: str
    genre: str = ""
    element: str = ""
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Line:
    """What one line holds: pairs, and a sentence for each thing in it that cannot be used. ``system`` when it has a
    system message, which is left out; ``unknown`` are genres and elements that the catalog does not have. ``end`` is
    how many bytes of the file are read."""

    number: int
    pairs: list[Pair] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    system: bool = False
    unknown: list[str] = field(default_factory=list)
    end: int = 0


def read(source: Path | Iterable[str | bytes], name: str, catalog: Catalog) -> Iterator[Line]:
    """Each line that is not blank, numbered from 1. Raises InvalidInput for what cannot be opened or is in UTF-16."""
    known = (
        _names((genre.key, genre.label) for genre in catalog.genres),
        _names((element.key, element.label) for element in catalog.elements),
    )
    end = 0
    for number, raw in enumerate(_from_file(source, name) if isinstance(source, Path) else source, start=1):
        end += len(raw)
        if number == 1:
            raw = _begun(raw, name)
        line = Line(number, end=end)
        _fill(line, raw, known)
        if line.pairs or line.faults:
            yield line


def _from_file(path: Path, name: str) -> Iterator[bytes]:
    """Lines with what ends them; of one that is too long, so much that it shows."""
    if not path.is_file():
        raise InvalidInput(f"There is no file {name}. Check its name.")
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST + 2):
                yield line
                while line and not line.endswith(b"\n") and len(line) >= _CHUNK:
                    line = file.readline(_CHUNK)
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read ({error.strerror or error}). Check it and try again.") from error


def _begun(raw: str | bytes, name: str) -> str | bytes:
    """The first line without the mark that some editors put before it."""
    if isinstance(raw, str):
        return raw.removeprefix("\ufeff")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in raw[:4]:
        raise InvalidInput(
            f"{name} is in UTF-16 or is no text. Open it in an editor, save it with the encoding UTF-8, and import it "
            "again."
        )
    return raw.removeprefix(b"\xef\xbb\xbf")


def _names(entries: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): key for key, label in entries for name in (key, label)}


def _fill(line: Line, raw: str | bytes, known: tuple[Mapping[str, str], Mapping[str, str]]) -> None:
    if len(raw) > LONGEST:
        line.faults.append(_TOO_LONG)
        return
    try:
        text = (raw.decode() if isinstance(raw, bytes) else raw).strip()
        data = json.loads(text) if text else None
    except UnicodeDecodeError:
        line.faults.append(_NOT_UTF_8)
        return
    except RecursionError:
        line.faults.append(f"This line is nested too deeply. {_FORM}")
        return
    except ValueError:  # also a number with too many digits
        line.faults.append(f"This line is not JSON. {_FORM}")
        return
    if not text:
        return
    if not isinstance(data, dict):
        line.faults.append(f"This line is {_kind(data)}. {_FORM}")
        return
    if "prompt" not in data and "completion" not in data:
        found = list(_turns(line, data["messages"])) if "messages" in data else []
        if "messages" not in data:
            line.faults.append('It has neither "prompt" and "completion" nor "messages".')
    else:
        found = [_pair(line, data.get("prompt"), data.get("completion"), '"prompt"', '"completion"')]
    genre, element = (_known(line, data, name, keys) for name, keys in zip(("genre", "element"), known, strict=True))
    tags = _tags(data.get("tags"))
    line.pairs = [Pair(prompt, completion, genre, element, tags) for prompt, completion in filter(None, found)]


def _tags(value: object) -> tuple[str, ...]:
    """Those that can be: short texts, each once whatever its case."""
    found: dict[str, str] = {}
    for one in value if isinstance(value, list) else ():
        plain = " ".join(one.replace(",", " ").split()) if isinstance(one, str) else ""
        if 1 <= len(plain) <= LONGEST_TAG and len(found) < MOST_TAGS:
            found.setdefault(plain.casefold(), plain)
    return tuple(found.values())


def _turns(line: Line, messages: object) -> Iterator[tuple[str, str] | None]:
    """Each answer with the user's turn right before it."""
    if not isinstance(messages, list) or not all(isinstance(turn, dict) for turn in messages):
        line.faults.append('"messages" must be a list of objects with "role" and "content".')
        return
    asked: Any = None
    answers = 0
    for turn in messages:
        role = turn.get("role")
        if role == "system":
            line.system = True
        elif role == "user":
            asked = turn.get("content")
        elif role == "assistant":
            answers += 1
            yield _pair(line, asked, turn.get("content"), f"what is asked before answer {answers}", f"answer {answers}")
            asked = None
        else:
            line.faults.append('The role of each message must be "user", "assistant" or "system".')
            asked = None
    if not answers:
        line.faults.append('It has no message with the role "assistant".')


def _pair(line: Line, prompt: object, completion: object, asked: str, answer: str) -> tuple[str, str] | None:
    """Both texts, or a sentence that says what is wrong."""
    for value, name in ((prompt, asked), (completion, answer)):
        shown = name[:1].upper() + name[1:]
        if value is None:
            line.faults.append(f"{shown} is missing.")
        elif not isinstance(value, str):
            line.faults.append(f"{shown} must be text, not {_kind(value)}.")
        elif not value.replace("\x00", "").strip():
            line.faults.append(f"{shown} is empty.")
        else:
            continue
        return None
    return str(prompt).strip(), str(completion).strip()


def _known(line: Line, data: Mapping[str, object], name: str, keys: Mapping[str, str]) -> str:
    value = data.get(name)
    if value is None or value == "":
        return ""
    key = keys.get(value.strip().lower(), "") if isinstance(value, str) else ""
    if not key:
        line.unknown.append(f"{name} {str(value)[:40]}")
    return key


def _kind(value: object) -> str:
    return next((said for kind, said in _KINDS if isinstance(value, kind)), "null" if value is None else "text")
