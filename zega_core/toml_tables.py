"""TOML files that people edit by hand: each mistake is reported with file, line and what is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from zega_core.errors import ConfigError


class Table:
    """One table of a TOML file, with the headings that lead to it: enough to name a line."""

    def __init__(self, path: Path, source: str, data: dict[str, object], trail: Sequence[str] = ()) -> None:
        self.path, self.source, self.data, self.trail = path, source, data, tuple(trail)

    def broken(self, why: str, *near: str) -> ConfigError:
        """The error for something wrong at the last string of ``near`` that the file holds."""
        at = 0
        for needle in (*self.trail, *near):
            parts = [part for part in re.split(r'["\\\n]', needle) if part.strip()]
            key = re.compile(rf"^{needle} *=", re.MULTILINE).search(self.source, at) if needle.isidentifier() else None
            found = key.start() if key else self.source.find(max(parts, key=len), at) if parts else -1
            at = found + 1 if found >= 0 else at
        line = self.source.count("\n", 0, max(at - 1, 0)) + 1
        return ConfigError(f"{self.path}, line {line}: {why}")

    def only(self, *required: str, optional: Sequence[str] = ()) -> None:
        for key in self.data:
            if key not in required and key not in optional:
                raise self.broken(f"there is no key '{key}'. Known: {', '.join((*required, *optional))}.", key)
        for key in required:
            self.value(key)

    def value(self, key: str) -> object:
        if key not in self.data:
            raise self.broken(f"the key '{key}' is missing.")
        return self.data[key]

    def number(self, key: str) -> int:
        value = self.value(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.broken(f"'{key}' must be a whole number.", key)
        return value

    def decimal(self, key: str) -> float:
        """A number that is not negative."""
        value = self.value(key)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e9:
            raise self.broken(f"'{key}' must be a number, 0 or more.", key)
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.value(key)
        if not isinstance(value, bool):
            raise self.broken(f"'{key}' must be true or false.", key)
        return value

    def text(self, key: str) -> str:
        value = self.value(key)
        if not isinstance(value, str) or not value.strip() or value != value.strip():
            raise self.broken(f"'{key}' must be text, without spaces around it.", key)
        return value

    def texts(self, key: str, least: int = 1, most: int | None = None) -> tuple[str, ...]:
        items = self._list(key, least, most)
        texts = [item for item in items if isinstance(item, str) and item.strip()]
        if len(texts) < len(items):
            raise self.broken(f"'{key}' must hold texts only, none of them empty.", key)
        self.distinct(key, texts)
        return tuple(texts)

    def pairs(self, key: str, least: int = 1, most: int | None = None) -> tuple[tuple[str, str], ...]:
        pairs: list[tuple[str, str]] = []
        for item in self._list(key, least, most):
            match item:
                case [str() as one, str() as two] if one.strip() and two.strip():
                    pairs.append((one, two))
                case _:
                    raise self.broken(f"'{key}' must hold lists of two texts.", key)
        return tuple(pairs)

    def bounds(self, key: str) -> tuple[int, int]:
        match self.value(key):
            case [int() as low, int() as high] if 0 < low <= high:
                return low, high
        raise self.broken(f"'{key}' must be two whole numbers, the smaller first.", key)

    def table(self, key: str) -> Table:
        value = self.value(key)
        if not isinstance(value, dict):
            raise self.broken(f"'{key}' must be a table.", key)
        heading = f"[{key}]"
        return Table(self.path, self.source, value, (heading,) if heading in self.source else ())

    def tables(self, key: str, path: str | None = None) -> list[Table]:
        """The tables of an array, whose heading in the file is ``path``."""
        heading = f"[[{path or key}]]"
        items = self._list(key, 1, None)
        found: list[Table] = []
        for number, item in enumerate(items, start=1):
            if not isinstance(item, dict):
                raise self.broken(f"'{key}' must be written as {heading} tables.", key)
            found.append(Table(self.path, self.source, item, self.trail + (heading,) * number))
        return found

    def distinct(self, key: str, values: Sequence[str]) -> None:
        for index, value in enumerate(values):
            if value in values[:index]:
                raise self.broken(f"'{value}' is in '{key}' twice.", key, value, value)

    def _list(self, key: str, least: int, most: int | None) -> list[object]:
        value = self.value(key)
        if not isinstance(value, list) or not value:
            raise self.broken(f"'{key}' must be a list with something in it.", key)
        if len(value) < least or (most is not None and len(value) > most):
            wanted = str(least) if least == most else f"at least {least}" if most is None else f"{least} to {most}"
            raise self.broken(f"'{key}' must hold {wanted}, not {len(value)}.", key)
        return value


def read_toml(path: Path) -> Table:
    """The whole file as a table; raises ConfigError when it is missing or not TOML."""
    try:
        source = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path} is missing. Restore it from the distribution.") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: this is not UTF-8 text.") from error
    try:
        return Table(path, source, tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found[1]) if found else source.count("\n") + 1
        raise ConfigError(f"{path}, line {line}: this is not TOML: {error}.") from error
