"""Training data as other tools read it: a JSON object a line, with the keys of its format and no others, since tools
stumble over more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Pair:
    prompt: str
    completion: str


def _jsonl(pair: Pair) -> dict[str, Any]:
    return {"prompt": pair.prompt, "completion": pair.completion}


def _chat(pair: Pair) -> dict[str, Any]:
    said = {"user": pair.prompt, "assistant": pair.completion}
    return {"messages": [{"role": role, "content": text} for role, text in said.items()]}


def _alpaca(pair: Pair) -> dict[str, Any]:
    return {"instruction": pair.prompt, "input": "", "output": pair.completion}


def _sharegpt(pair: Pair) -> dict[str, Any]:
    said = {"human": pair.prompt, "gpt": pair.completion}
    return {"conversations": [{"from": who, "value": text} for who, text in said.items()]}


SHAPES: Mapping[str, Callable[[Pair], dict[str, Any]]] = {
    "jsonl": _jsonl,
    "chat": _chat,
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
}
"""By the keys of ``formats.FORMATS``."""


def write(form: str, pairs: Iterable[Pair], target: Path) -> int:
    """Write the new file ``target`` in UTF-8; how many lines. Raises OSError."""
    number = 0
    with target.open("xb") as file:
        for number, line in enumerate(lines(form, pairs), 1):  # noqa: B007
            file.write(line)
    return number


def lines(form: str, pairs: Iterable[Pair]) -> Iterator[bytes]:
    """The same, a line at a time."""
    return (_line(SHAPES[form](pair)) for pair in pairs)


def _line(values: Mapping[str, Any]) -> bytes:
    text = json.dumps(values, ensure_ascii=False)
    for seen_as_line_end in ("\u0085", "\u2028", "\u2029"):  # by some readers
        text = text.replace(seen_as_line_end, f"\\u{ord(seen_as_line_end):04x}")
    # Half of a pair of surrogates is no character in UTF-8; as \udc00 it is one in JSON.
    return text.encode("utf-8", "backslashreplace") + b"\n"
