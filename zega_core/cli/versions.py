"""``zega versions [rename | delete | compare] | promote | roll-back``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zega_core import db, fine_tune_words, versions
from zega_core.cli.frame import cli, print_json, say, screen
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.errors import InvalidInput
from zega_core.facts.models import InUse, VersionFacts, of_difference, of_version
from zega_core.settings import get_settings
from zega_core.store import versions as rows
from zega_core.store import writers
from zega_core.version_tables import Version

WRITER = typer.Option(help="Whose model.")
AS_JSON = typer.Option("--json", help="Print one JSON object.")
NUMBER = typer.Argument(min=1, max=2**31 - 1, help="Number of the version.")
group = typer.Typer(name="versions", help="The versions of a writer's model.", invoke_without_command=True)
cli.add_typer(group, epilog="Example: zega versions --writer ana --json")


@group.callback()
def list_versions(
    context: typer.Context,
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Every version of a writer's model, newest first, and which one is in use."""
    if context.invoked_subcommand is not None:
        return
    with db.reading(get_settings()) as session:
        writers.get(session, check_writer_id(writer))
        found, in_use = rows.all_of(session, writer), rows.promoted(session, writer)
    facts = [of_version(version, in_use) for version in found]
    if as_json:
        print_json([fact.as_json() for fact in facts])
    elif found:
        Console().print(_table(found, facts))
    else:
        screen.print(
            f"There is no version yet; {versions.model_name(writer)} is the base model.",
            highlight=False,
            soft_wrap=True,
        )


def _table(found: list[Version], facts: list[VersionFacts]) -> Table:
    table = Table("Version", "Name", "In use", "From", "Examples", "Own words", "Perplexity", "Made", box=None)
    for version, fact in zip(found, facts, strict=True):
        measured = fine_tune_words.measured(version)
        change = "–"
        if measured is not None:
            change = " → ".join(fine_tune_words.perplexity(one) for one in (measured.before, measured.after))
        table.add_row(
            f"v{version.number}",
            Text(version.name),  # the writer's words, not marks of the terminal
            "yes" if fact.promoted else "",
            "base" if version.parent is None else f"v{version.parent}",
            f"{version.examples:,}",
            "–" if fact.own_share is None else f"{fact.own_share:.0%}",
            change,
            f"{version.created_at:%Y-%m-%d %H:%M}",
        )
    return table


@group.command(epilog='Example: zega versions rename 3 "Harbour voice" --writer ana')
def rename(
    number: Annotated[int, NUMBER],
    name: Annotated[str, typer.Argument(help='Up to 60 characters; "" takes the name away.')],
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Give a version a name."""
    versions.rename(check_writer_id(writer), number, name, get_settings())
    with db.reading() as session:
        version, in_use = rows.get(session, writer, number), rows.promoted(session, writer)
    if as_json:
        print_json(of_version(version, in_use).as_json())
    else:
        say(f"It is {versions.in_words(version)} now.")


@group.command(epilog="Example: zega versions delete 2 --writer ana --yes")
def delete(
    number: Annotated[int, NUMBER],
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Delete a version with its files, for good. The one in use stays."""
    check_writer_id(writer)
    with db.reading() as session:
        version = rows.get(session, writer, number)
    if not yes:
        say(f"{versions.in_words(version)} and its files will be gone for good.")
        typer.confirm("Delete it?", abort=True, err=True)
    versions.delete(writer, number, get_settings())
    if as_json:
        print_json({"deleted": number})
    else:
        say("It is deleted.")


@group.command(epilog="Example: zega versions compare 2 3 --writer ana")
def compare(
    first: Annotated[int, NUMBER],
    second: Annotated[int, NUMBER],
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Two versions side by side; what differs is marked."""
    check_writer_id(writer)
    with db.reading() as session:
        found = versions.compare(rows.get(session, writer, first), rows.get(session, writer, second))
    if as_json:
        print_json([of_difference(one).as_json() for one in found])
        return
    table = Table("", f"v{first}", f"v{second}", "", box=None)
    for one in found:
        table.add_row(one.label, Text(one.first), Text(one.second), "differs" if one.differs else "")
    Console().print(table)


@cli.command(epilog="Example: zega promote --writer ana --version 3, or --base for the base model")
def promote(
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    version: Annotated[int | None, typer.Option(min=1, max=2**31 - 1, help="Number of the version to use.")] = None,
    base: Annotated[bool, typer.Option("--base", help="Use the base model.")] = False,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Choose which version writes."""
    if (version is None) != base:
        raise InvalidInput("Say which version: --version 3, or --base for the base model.")
    versions.promote(check_writer_id(writer), version, get_settings())
    name = "the base model" if base else f"v{version}"
    _tell(InUse(promoted=version, message=f"{versions.model_name(writer)} is {name} now."), as_json)


@cli.command("roll-back", epilog="Example: zega roll-back --writer ana")
def roll_back(writer: Annotated[str, WRITER] = DEFAULT_WRITER, as_json: Annotated[bool, AS_JSON] = False) -> None:
    """Use again what was in use before."""
    earlier = versions.roll_back(check_writer_id(writer), get_settings())
    now_used = "the base model" if earlier is None else f"v{earlier}"
    _tell(InUse(promoted=earlier, message=f"{versions.model_name(writer)} is {now_used} again."), as_json)


def _tell(found: InUse, as_json: bool) -> None:
    if as_json:
        print_json(found.as_json())
    else:
        screen.print(found.message, highlight=False, soft_wrap=True)
