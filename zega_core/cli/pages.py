"""``zega pages list | add | erase``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zega_core import db, own_pages, own_pages_words
from zega_core.catalog import load_catalog
from zega_core.cli.frame import Worker, bytes_of, cli, print_json, say
from zega_core.cli.runs import follow_run
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.facts.personal import every_pages, pages_facts
from zega_core.jobs import client
from zega_core.manuscripts.reading import MOST_BYTES
from zega_core.settings import get_settings
from zega_core.store import manuscripts
from zega_core.store.manuscripts import Stored
from zega_core.tables import RunStatus

pages = typer.Typer(name="pages", help="Your own pages: stories, chapters, drafts.", no_args_is_help=True)
cli.add_typer(pages, epilog="Example: zega pages add novel.docx --writer ana")
Writer = Annotated[str, typer.Option(help="Whose pages.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@pages.command("list", epilog="Example: zega pages list --writer ana --json")
def list_them(
    writer: Writer = DEFAULT_WRITER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """All pages that were brought, newest first."""
    told = every_pages(check_writer_id(writer), get_settings())
    if as_json:
        print_json([one.as_json() for one in told])
        return
    for one in told:
        say(f"{one.run_id}  {one.status}  {one.name}: {one.message}")
    if not told:
        say("There are no pages yet. `zega pages add FILE` brings some.")


@pages.command(epilog="Example: zega pages add novel.docx --genre fantasy --writer ana --json")
def add(
    file: Annotated[Path, typer.Argument(help="A Word document, EPUB, Markdown or plain text.")],
    writer: Annotated[str, typer.Option(help="Whose pages; created if new.")] = DEFAULT_WRITER,
    genre: Annotated[str, typer.Option(help="One of the eight genres; by its words if left out.")] = "",
    ask_teacher: Annotated[
        bool, typer.Option("--ask-teacher", help="A teacher may read the passages to write their prompts.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring pages and wait until they are read. Ctrl-C stops it; every passage that is stored stays."""
    settings = get_settings()
    check_writer_id(writer)
    if genre:
        load_catalog().genre(genre)
    data = bytes_of(file, MOST_BYTES)
    with Worker(settings) as helper:
        run_id = client.add_pages(writer, file.name, data, genre=genre, ask_teacher=ask_teacher, settings=settings)
        run = follow_run(writer, run_id, helper, settings)
    told = pages_facts(writer, run_id, settings)
    if as_json:
        print_json(told.as_json())
    else:
        for line in (f"{told.name}: {told.message}", *told.notes, *filter(None, [told.error])):
            say(line)
    raise typer.Exit(0 if run.row.status == RunStatus.done else 130 if run.row.status == RunStatus.stopped else 1)


@pages.command(epilog="Example: zega pages erase 4f0c9a2be1d34e7c8a50b6f1d2c3e4a5 --writer ana --yes")
def erase(
    run_id: Annotated[str, typer.Argument(help="Their id, as `zega pages list` has it.")],
    writer: Writer = DEFAULT_WRITER,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: Json = False,
) -> None:
    """Erase pages and everything made of them, for good."""
    settings = get_settings()
    with db.reading(settings) as session:
        row = manuscripts.get(session, check_writer_id(writer), run_id)
        stored = manuscripts.stored(session, writer).get(row.id or 0, Stored())
    if not yes:
        say(own_pages_words.erase_warning(row, stored))
        typer.confirm("Erase them?", abort=True, err=True)
    with db.session(settings) as session:
        number = own_pages.erase(session, writer, run_id, settings)
    if as_json:
        print_json({"erased": run_id, "name": row.name, "passages": number})
    else:
        say(own_pages_words.erased(row.name, number))
