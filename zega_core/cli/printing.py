"""What commands print and write: sentences, tables, new files. Nothing of it steers the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zega_core.cli.frame import print_json
from zega_core.errors import InvalidInput


def plain(text: str) -> str:
    """Without what would steer a terminal."""
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one) != "Cc")


def say(text: str) -> None:
    Console().print(plain(text), highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """On a terminal as wide as that; elsewhere each line is whole."""
    console = Console()
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for line in lines:
        table.add_row(*(Text(plain(cell)) for cell in line))
    if console.is_terminal:
        console.print(table)
        return
    Console(width=10_000).print(table, soft_wrap=False)


def write_new(path: Path, parts: Iterable[bytes], option: str = "--to") -> Path:
    """A new file; what is there stays as it is. Raises InvalidInput."""
    if "\0" in str(path):
        raise InvalidInput("A file's name cannot hold a NUL character. Name another file.")
    path = path.expanduser().absolute()
    try:
        with path.open("xb") as file:
            for part in parts:
                file.write(part)
    except FileExistsError:
        raise InvalidInput(f"{path} is there already and stays as it is. Name another file with {option}.") from None
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written ({error.strerror or error}). Name another with {option}."
        ) from error
    return path


def done(facts: Mapping[str, object], said: str, as_json: bool) -> None:
    """The result, as JSON or in a sentence."""
    if as_json:
        print_json(facts)
    else:
        say(said)
