"""``zega keys``: keys of the REST API."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from zega_core import db
from zega_core.cli.frame import cli, print_json, screen
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.door_tables import ApiKey
from zega_core.store import api_keys

keys = typer.Typer(
    help="Keys with which programs reach a writer through the REST API.",
    no_args_is_help=True,
    epilog="Example: zega keys create --writer ana --name laptop",
)
cli.add_typer(keys, name="keys")


@keys.command(epilog="Example: zega keys create --writer ana --name laptop")
def create(
    name: Annotated[str, typer.Option(help="What it is for.")],
    writer: Annotated[str, typer.Option(help="Whose data it opens; created if new.")] = DEFAULT_WRITER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make a key and print it. It is not stored and cannot be shown again: put it where the program reads it."""
    with db.session() as session:
        row, clear = api_keys.create(session, writer, name)
    if as_json:
        print_json(_facts(row) | {"key": clear})
        return
    Console().print(clear, highlight=False, markup=False, soft_wrap=True)
    screen.print(
        f"It is not shown again. Send it as: Authorization: Bearer {row.prefix}…", highlight=False, markup=False
    )


@keys.command("list", epilog="Example: zega keys list --writer ana --json")
def list_keys(
    writer: Annotated[str, typer.Option(help="Whose.")] = DEFAULT_WRITER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """The keys of a writer, valid ones first."""
    with db.reading() as session:
        found = api_keys.of_writer(session, check_writer_id(writer))
    if as_json:
        print_json([_facts(row) for row in found])
        return
    table = Table("id", "name", "begins with", "made", "last used", "revoked")
    for row in found:
        table.add_row(
            str(row.id), row.name, row.prefix, *(_day(row, name) for name in ("created", "last_used", "revoked"))
        )
    Console().print(table if found else "No keys yet. Make one: zega keys create --name laptop")


@keys.command(epilog="Example: zega keys revoke 3 --writer ana")
def revoke(
    key_id: Annotated[int, typer.Argument(help="Its id, as in the list.")],
    writer: Annotated[str, typer.Option(help="Whose.")] = DEFAULT_WRITER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Let a key open nothing any more, from this moment on."""
    with db.session() as session:
        api_keys.revoke(session, check_writer_id(writer), key_id)
    if as_json:
        print_json({"id": key_id, "revoked": True})
    else:
        Console().print("Revoked: who comes with it is turned away.")


def _facts(row: ApiKey) -> dict[str, Any]:
    moments = {f"{name}_at": getattr(row, f"{name}_at") for name in ("created", "last_used", "revoked")}
    return {"id": row.id, "writer": row.user_id, "name": row.name, "prefix": row.prefix} | {
        name: None if moment is None else moment.isoformat() for name, moment in moments.items()
    }


def _day(row: ApiKey, name: str) -> str:
    moment = getattr(row, f"{name}_at")
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
