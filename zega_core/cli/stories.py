"""``zega stories list | show | export | delete``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zega_core import db, shelf, story_files
from zega_core.analytics import plural
from zega_core.cli.frame import cli, print_json
from zega_core.cli.printing import say, write_new
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.errors import InvalidInput, NotFound
from zega_core.store import stories as rows
from zega_core.tables import Story

AT_ONCE = 500
"""Stories that are read at a time."""
stories = typer.Typer(name="stories", help="The stories on a writer's shelf.", no_args_is_help=True)
cli.add_typer(stories)
WRITER = typer.Option(help="Whose stories.")
TEXT = typer.Option(help='Words that title or text have, or "a phrase" in quotes.')
GENRE = typer.Option(help="Only of this genre; unknown for those without one.")
ORDER = typer.Option(help=f"One of {', '.join(shelf.ORDERS)}.")
NUMBER = typer.Argument(min=1, max=2**31 - 1, help="Number of the story, as `zega stories list` has it.")
AS_JSON = typer.Option("--json", help="Print one JSON object.")


@stories.command("list", epilog="Example: zega stories list --writer ana --text harbour --order longest --json")
def list_them(
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    text: Annotated[str, TEXT] = "",
    genre: Annotated[str, GENRE] = "",
    order: Annotated[str, ORDER] = "newest",
    page: Annotated[int, typer.Option(min=1, max=10**6, help="Of the list.")] = 1,
    size: Annotated[int, typer.Option(min=1, max=1000, help="Stories on a page.")] = shelf.PAGE,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """What is on the shelf, a page at a time."""
    with db.reading() as session:
        found, total = shelf.search(session, check_writer_id(writer), text, genre, order, page, size)
    if as_json:
        print_json({"stories": [_facts(story) for story in found], "total": total, "page": page})
        return
    for story in found:
        say(f"{story.id}  {story.title}  ({plural(story_files.words(story.body), 'word')})")
    say(f"{story_files.counted(total)}." if total else "There is no such story.")


@stories.command(epilog="Example: zega stories show 3 --writer ana")
def show(
    number: Annotated[int, NUMBER],
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Print one story."""
    with db.reading() as session:
        story = shelf.get(session, check_writer_id(writer), number)
    if as_json:
        print_json(_facts(story) | {"body": story.body})
        return
    say(story.title)
    say("")
    say(story.body)


@stories.command(epilog="Example: zega stories export --writer ana --format docx --to ./stories.docx")
def export(
    numbers: Annotated[list[int] | None, typer.Argument(help="Of stories; all that match if left out.")] = None,
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(story_files.AS)}.")] = "txt",
    to: Annotated[Path | None, typer.Option(help="A new file; named by its title, here, if left out.")] = None,
    text: Annotated[str, TEXT] = "",
    genre: Annotated[str, GENRE] = "",
    order: Annotated[str, ORDER] = "newest",
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Write one story, or several with a table of their titles, into a file."""
    check_writer_id(writer)
    if form not in story_files.AS:
        raise InvalidInput(f"Stories can be exported as {', '.join(story_files.AS)}.")
    with db.reading() as session:
        found = [shelf.get(session, writer, one) for one in dict.fromkeys(numbers or ())]
        if not numbers:
            ids = rows.ids(session, writer, text, genre, order)
            found = [story for some in rows.in_chunks(session, writer, ids, AT_ONCE) for story in some]
    if not found:
        raise NotFound("There is no story to export. Save one first, or look for another.")
    data = story_files.AS[form](found)
    path = write_new(_target(to, found, form), [data])
    if as_json:
        print_json({"file": str(path), "stories": len(found), "size_bytes": len(data)})
    else:
        say(f"{story_files.counted(len(found))} in {path}")


@stories.command(epilog="Example: zega stories delete 3 --writer ana --yes")
def delete(
    number: Annotated[int, NUMBER],
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Delete one story for good. What it was saved from, and what was written from it, stay."""
    check_writer_id(writer)
    with db.reading() as session:
        story = shelf.get(session, writer, number)
    if not yes:
        say(f"{story.title} ({plural(story_files.words(story.body), 'word')}) will be gone for good.")
        typer.confirm("Delete it?", abort=True, err=True)
    with db.session() as session:
        shelf.delete(session, writer, number)
    if as_json:
        print_json({"deleted": number, "title": story.title})
    else:
        say("It is deleted.")


def _facts(story: Story) -> dict[str, Any]:
    return {
        "id": story.id,
        "title": story.title,
        "genre": story.genre or None,
        "element": story.element or None,
        "words": story_files.words(story.body),
        "quality": story.quality,
        "example_id": story.example_id,
        "created_at": story.created_at.isoformat(),
        "updated_at": None if story.updated_at is None else story.updated_at.isoformat(),
    }


def _target(to: Path | None, found: list[Story], form: str) -> Path:
    if to is not None:
        return to
    name = story_files.file_name(found[0], form) if len(found) == 1 else f"stories.{form}"
    return Path(name)
