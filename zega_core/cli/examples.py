"""``zega examples list | show | edit | rate | tag | include | exclude | delete | undo | export``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from zega_core import collection, db
from zega_core.amending import Amendment, amend
from zega_core.answering import MAX_CHARS
from zega_core.cli.frame import cli, print_json, say, text_of, write_new
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.errors import InvalidInput
from zega_core.facts.base import Said
from zega_core.facts.examples import ExamplePage, of_example
from zega_core.settings import Settings, get_settings
from zega_core.store import collection as rows
from zega_core.store.collection import Filter
from zega_core.tables import ExampleStatus

BEGINNING = 70
"""Letters of a text that stand in the list."""
examples = typer.Typer(name="examples", help="What a writer's model learns from.", no_args_is_help=True)
cli.add_typer(examples, epilog="Example: zega examples list --writer ana --status kept --json")
Writer = Annotated[str, typer.Option(help="Whose examples.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Id = Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="Number of the example.")]
Ids = Annotated[list[int], typer.Argument(help="Numbers of examples, as `zega examples list` has them.")]
Several = "May be given several times."
Sources = Annotated[
    list[str] | None, typer.Option("--source", help=f"auto, conversation, manuscript, rating or import. {Several}")
]
Genres = Annotated[list[str] | None, typer.Option("--genre", help=f"A genre. {Several}")]
Elements = Annotated[
    list[str] | None, typer.Option("--element", help=f"scene, character, dialogue or setting. {Several}")
]
Teachers = Annotated[list[str] | None, typer.Option("--teacher", help=f"Name of the model that wrote it. {Several}")]
Statuses = Annotated[list[str] | None, typer.Option("--status", help=f"kept or set_aside. {Several}")]
Tag = Annotated[str, typer.Option("--tag", help="A tag that it has.")]
Low = Annotated[float | None, typer.Option(min=0, max=10, help="Lowest score.")]
High = Annotated[float | None, typer.Option(min=0, max=10, help="Highest score.")]
Edited = Annotated[bool, typer.Option("--edited", help="Only what the writer edited.")]
Words = Annotated[str, typer.Option("--text", help='Words that prompt or text have, or "a phrase" in quotes.')]


@examples.command("list", epilog="Example: zega examples list --writer ana --genre mystery --low 8 --sort best --json")
def list_them(
    writer: Writer = DEFAULT_WRITER,
    source: Sources = None,
    genre: Genres = None,
    element: Elements = None,
    teacher: Teachers = None,
    status: Statuses = None,
    tag: Tag = "",
    low: Low = None,
    high: High = None,
    edited: Edited = False,
    text: Words = "",
    sort: Annotated[str, typer.Option(help=f"One of {', '.join(rows.SORTS)}.")] = "newest",
    page: Annotated[int, typer.Option(min=1, max=10**6, help="Of the list.")] = 1,
    size: Annotated[int, typer.Option(min=1, max=1000, help="Examples on a page.")] = 20,
    as_json: Json = False,
) -> None:
    """Examples by the filters of the page Examples, a page at a time."""
    if sort not in rows.SORTS:
        raise InvalidInput(f"Examples are sorted by {', '.join(rows.SORTS)}.")
    wanted = _filter(source, genre, element, teacher, status, tag, low, high, edited, text)
    with db.reading() as session:
        total = rows.count(session, check_writer_id(writer), wanted)
        found = [of_example(one) for one in rows.page(session, writer, wanted, sort, page, size)]
    if as_json:
        print_json(ExamplePage(examples=found, total=total, page=page, size=size).as_json())
        return
    for one in found:
        quality = "   –" if one.quality is None else f"{one.quality:4.1f}"
        learned = "kept     " if one.status == ExampleStatus.kept else "set aside"
        say(f"{one.id}  {quality}  {learned}  {' '.join(one.completion.split())[:BEGINNING]}")
    say(f"{total:,} in all." if total else "There is no such example.")


def _filter(
    source: list[str] | None,
    genre: list[str] | None,
    element: list[str] | None,
    teacher: list[str] | None,
    status: list[str] | None,
    tag: str,
    low: float | None,
    high: float | None,
    edited: bool,
    text: str,
) -> Filter:
    return Filter(
        source=tuple(source or ()),
        genre=tuple(genre or ()),
        element=tuple(element or ()),
        teacher=tuple(teacher or ()),
        status=tuple(status or ()),
        tag=tag,
        low=low,
        high=high,
        edited=edited,
        text=text,
    )


@examples.command(epilog="Example: zega examples show 12 --writer ana --json")
def show(example_id: Id, writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """One example, whole."""
    with db.reading() as session:
        found = of_example(rows.get(session, check_writer_id(writer), example_id))
    if as_json:
        print_json(found.as_json())
        return
    for line in (f"Asked: {found.prompt}", "", found.completion, ""):
        say(line)
    say(f"Score {'–' if found.quality is None else f'{found.quality:.1f}'}. {found.reason or found.status}")


@examples.command(epilog="Example: zega examples edit 12 --text-from better.txt --writer ana")
def edit(
    example_id: Id,
    writer: Writer = DEFAULT_WRITER,
    text_from: Annotated[Path | None, typer.Option(help="A file with its new text; - reads standard input.")] = None,
    prompt: Annotated[str | None, typer.Option(help="What was asked.")] = None,
    seen: Annotated[str | None, typer.Option(help="`seen` as it was printed: refused if it changed since.")] = None,
    as_json: Json = False,
) -> None:
    """Change its text or its prompt; it is scored again, and Undo takes it back."""
    text = None if text_from is None else text_of(text_from, MAX_CHARS)
    settings = get_settings()
    with db.session(settings) as session:
        wanted = Amendment(completion=text, prompt=prompt)
        row, said = amend(session, check_writer_id(writer), example_id, wanted, settings, seen=seen)
        found = of_example(row)
    if as_json:
        print_json(found.as_json() | {"message": " ".join(said)})
    else:
        say(" ".join(said))


@examples.command(epilog="Example: zega examples rate 12 15 --stars 5 --writer ana")
def rate(
    ids: Ids,
    stars: Annotated[int, typer.Option(min=0, max=5, help="1 to 5; 0 takes them back.")],
    writer: Writer = DEFAULT_WRITER,
    as_json: Json = False,
) -> None:
    """Give stars."""
    _do(writer, as_json, lambda session, settings: collection.rate(session, writer, ids, stars or None, settings))


@examples.command(epilog="Example: zega examples tag 12 15 --add harbour --remove draft --writer ana")
def tag(
    ids: Ids,
    add: Annotated[list[str] | None, typer.Option(help=f"A tag to add. {Several}")] = None,
    remove: Annotated[list[str] | None, typer.Option(help=f"A tag to remove. {Several}")] = None,
    writer: Writer = DEFAULT_WRITER,
    as_json: Json = False,
) -> None:
    """Add tags, or remove them."""
    _do(writer, as_json, lambda session, _: collection.tag(session, writer, ids, add or (), remove or ()))


@examples.command(epilog="Example: zega examples include 12 15 --writer ana")
def include(ids: Ids, writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """Learn from them whatever their score."""
    _do(writer, as_json, lambda session, settings: collection.include(session, writer, ids, settings))


@examples.command(epilog="Example: zega examples exclude 12 15 --writer ana")
def exclude(ids: Ids, writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """Learn from them no more."""
    _do(writer, as_json, lambda session, settings: collection.exclude(session, writer, ids, settings))


@examples.command(epilog="Example: zega examples delete 12 15 --writer ana")
def delete(ids: Ids, writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """Delete them. `zega examples undo` brings them back, for some days."""
    _do(writer, as_json, lambda session, settings: collection.delete(session, writer, ids, settings))


@examples.command(epilog="Example: zega examples undo --writer ana")
def undo(writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """Take back the last change of examples, wherever it was made."""
    _do(writer, as_json, lambda session, settings: collection.undo(session, writer, settings) or collection.NOTHING)


@examples.command(epilog="Example: zega examples export --writer ana --format chat --status kept --to ./pairs.jsonl")
def export(
    writer: Writer = DEFAULT_WRITER,
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(collection.EXPORTED_AS)}.")] = "jsonl",
    to: Annotated[Path | None, typer.Option(help="A new file; examples.jsonl or .csv here if left out.")] = None,
    source: Sources = None,
    genre: Genres = None,
    element: Elements = None,
    teacher: Teachers = None,
    status: Statuses = None,
    tag: Tag = "",
    low: Low = None,
    high: High = None,
    edited: Edited = False,
    text: Words = "",
    as_json: Json = False,
) -> None:
    """Write all that the filters leave into a file."""
    if form not in collection.EXPORTED_AS:
        raise InvalidInput(f"Examples can be exported as {', '.join(collection.EXPORTED_AS)}.")
    wanted = _filter(source, genre, element, teacher, status, tag, low, high, edited, text)
    with db.reading() as session:
        total = rows.count(session, check_writer_id(writer), wanted)
        name = f"examples.{'csv' if form == 'csv' else 'jsonl'}"
        path = write_new(to, name, collection.export(session, writer, wanted, form))
    if as_json:
        print_json({"file": str(path), "examples": total, "format": form})
    else:
        say(f"{total:,} examples in {path}")


def _do(writer: str, as_json: bool, change: Callable[[Session, Settings], str]) -> None:
    check_writer_id(writer)
    settings = get_settings()
    with db.session(settings) as session:
        said = Said(message=change(session, settings))
    if as_json:
        print_json(said.as_json())
    else:
        say(said.message)
