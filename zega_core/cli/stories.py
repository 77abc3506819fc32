"""``zega stories list | show | add | edit | export | delete``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zega_core import after_saving, db, shelf, story_files
from zega_core.analytics import plural
from zega_core.cli.frame import cli, print_json, say, text_of, write_new
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.facts.stories import StoryPage, of_story, whole
from zega_core.settings import get_settings
from zega_core.store import stories as rows

AT_ONCE = 500
"""Stories that are read at a time."""
stories = typer.Typer(name="stories", help="The stories on a writer's shelf.", no_args_is_help=True)
cli.add_typer(stories, epilog="Example: zega stories list --writer ana")
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
        print_json(StoryPage(stories=[of_story(one) for one in found], total=total, page=page, size=size).as_json())
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
        print_json(whole(story).as_json())
        return
    say(story.title)
    say("")
    say(story.body)


@stories.command(epilog="Example: zega stories add tale.txt --title Harbour --genre mystery --writer ana")
def add(
    file: Annotated[Path, typer.Argument(help="A text file; - reads standard input.")],
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    title: Annotated[str, typer.Option(help="Its first words if left out.")] = "",
    genre: Annotated[str, typer.Option(help="One of the eight genres.")] = "",
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Put a text on the shelf as a story."""
    body, settings = text_of(file, shelf.MAX_BODY), get_settings()
    with db.session(settings) as session:
        found = whole(shelf.save(session, check_writer_id(writer), title, body, genre=genre))
    after_saving.remember(writer, settings)
    if as_json:
        print_json(found.as_json())
    else:
        say(f"{found.id}  {found.title}")


@stories.command(epilog='Example: zega stories edit 3 --title "The last ferry" --text-from tale.txt --writer ana')
def edit(
    number: Annotated[int, NUMBER],
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    title: Annotated[str | None, typer.Option(help="Its new title.")] = None,
    text_from: Annotated[Path | None, typer.Option(help="A file with its new text; - reads standard input.")] = None,
    genre: Annotated[str | None, typer.Option(help="Its new genre; empty for none.")] = None,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Change a story. What is left out stays."""
    body, settings = None if text_from is None else text_of(text_from, shelf.MAX_BODY), get_settings()
    with db.session(settings) as session:
        found = whole(shelf.edit(session, check_writer_id(writer), number, title, body, genre=genre))
    after_saving.remember(writer, settings)
    if as_json:
        print_json(found.as_json())
    else:
        say("It is saved.")


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
    with db.reading() as session:
        found = [shelf.get(session, writer, one) for one in dict.fromkeys(numbers or ())]
        if not numbers:
            ids = rows.ids(session, writer, text, genre, order)
            found = [story for some in rows.in_chunks(session, writer, ids, AT_ONCE) for story in some]
    data, name = story_files.exported(found, form)
    path = write_new(to, name, data)
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
