"""Tables and results that commands print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zega_core.cli.frame import plain, print_json, say


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


def done(facts: Mapping[str, object], said: str, as_json: bool) -> None:
    """The result, as JSON or in a sentence."""
    if as_json:
        print_json(facts)
    else:
        say(said)
