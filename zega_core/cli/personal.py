"""``zega memory | style | notifications``."""

from __future__ import annotations

from typing import Annotated

import typer

from zega_core import after_saving, db, memory, memory_words, profile_words, profiling
from zega_core.cli.frame import cli, print_json, say
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.errors import InvalidInput
from zega_core.facts.personal import (
    MemoryFacts,
    NotificationList,
    memory_facts,
    of_notification,
    of_recalled,
)
from zega_core.facts.style import StyleFacts, style_facts
from zega_core.settings import get_settings
from zega_core.store import notifications as news
from zega_core.writing_configs import MEMORY_SOURCES

Writer = Annotated[str, typer.Option(help="Whose.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Array = Annotated[bool, typer.Option("--json", help="Print one JSON array.")]
remembered = typer.Typer(name="memory", help="What may be recalled while your model writes.", no_args_is_help=True)
cli.add_typer(remembered, epilog="Example: zega memory show --writer ana")
style = typer.Typer(name="style", help="Your style, as it is measured and as you set it.", no_args_is_help=True)
cli.add_typer(style, epilog="Example: zega style show --writer ana")


@remembered.command("show", epilog="Example: zega memory show --writer ana --json")
def show_memory(writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """How much is remembered of each source."""
    _tell_memory(memory_facts(check_writer_id(writer), get_settings()), as_json)


@remembered.command("choose", epilog="Example: zega memory choose story conversation --writer ana")
def choose_memory(
    sources: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(MEMORY_SOURCES)}; none: nothing.")] = None,
    writer: Writer = DEFAULT_WRITER,
    as_json: Json = False,
) -> None:
    """Remember these sources and no others. What is not chosen any more is forgotten at once."""
    settings = get_settings()
    with db.session(settings) as session:
        memory.choose(session, check_writer_id(writer), sources or [])
    after_saving.remember(writer, settings)
    _tell_memory(memory_facts(writer, settings), as_json)


@remembered.command("search", epilog='Example: zega memory search "two old friends meet again" --writer ana --json')
def search_memory(
    query: Annotated[str, typer.Argument(help="What it is like; the newest if left out.")] = "",
    writer: Writer = DEFAULT_WRITER,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 10,
    as_json: Array = False,
) -> None:
    """What is remembered that is like a description, the likest first."""
    settings, asked = get_settings(), query.strip()[: memory.LONGEST_QUERY]
    with db.reading(settings) as session:
        check_writer_id(writer)
        found = (
            memory.find(session, writer, asked, settings, most=limit)
            if asked
            else memory.newest(session, writer, most=limit)
        )
    told = [of_recalled(one, likeness=bool(asked)) for one in found]
    if as_json:
        print_json([one.as_json() for one in told])
        return
    for one in told:
        say(f"{one.memory_id}  {one.from_where}\n{one.text}\n")
    if not told:
        say(memory_words.NOTHING_LIKE_IT if asked else memory_words.EMPTY)


@remembered.command("forget", epilog="Example: zega memory forget 12 --writer ana, or --all for everything")
def forget_memory(
    memory_id: Annotated[int | None, typer.Argument(min=1, max=2**31 - 1, help="As `search` prints it.")] = None,
    writer: Writer = DEFAULT_WRITER,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything; nothing is remembered until you choose.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Forget a text; it is not remembered again. The text itself stays."""
    if (memory_id is None) != everything:
        raise InvalidInput("Say what to forget: its number, or --all for everything.")
    with db.session() as session:
        check_writer_id(writer)
        if memory_id is not None:
            memory.forget(session, writer, memory_id)
        number = memory.forget_all(session, writer) if everything else 1
    if as_json:
        print_json({"forgotten": number})
    else:
        say(memory_words.forgotten(number) if everything else memory_words.FORGOTTEN)


@style.command("show", epilog="Example: zega style show --writer ana --json")
def show_style(writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """What was measured, and what you set by hand."""
    _tell_style(style_facts(check_writer_id(writer), get_settings()), as_json)


@style.command(
    "correct", epilog="Example: zega style correct pacing 70 --writer ana, or: zega style correct revenge no"
)
def correct_style(
    key: Annotated[str, typer.Argument(help="A side of style, or a theme or archetype.")],
    value: Annotated[str, typer.Argument(help="0 to 100 for a side, yes or no for a theme, measured to take it back.")],
    writer: Writer = DEFAULT_WRITER,
    as_json: Json = False,
) -> None:
    """Say how it is: your word outweighs what was measured."""
    settings = get_settings()
    with db.session(settings) as session:
        if value == "measured":
            profiling.reset(session, check_writer_id(writer), key)
        else:
            profiling.correct(session, check_writer_id(writer), key, _value(value))
    _tell_style(style_facts(writer, settings), as_json)


def _value(text: str) -> float | bool:
    if text in ("yes", "no"):
        return text == "yes"
    try:
        return float(text)
    except ValueError:
        raise InvalidInput("Give a number from 0 to 100, yes, no, or measured.") from None


@style.command("reset", epilog="Example: zega style reset --writer ana")
def reset_style(writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """Take back all that you set by hand."""
    with db.session() as session:
        profiling.reset(session, check_writer_id(writer))
    _tell_style(style_facts(writer, get_settings()), as_json)


@style.command("measure", epilog="Example: zega style measure --writer ana")
def measure_style(writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """Measure what is new, now."""
    settings = get_settings()
    profiling.measure(check_writer_id(writer), settings)
    _tell_style(style_facts(writer, settings), as_json)


@cli.command("notifications", epilog="Example: zega notifications --writer ana --seen --json")
def notifications(
    writer: Writer = DEFAULT_WRITER,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    seen: Annotated[bool, typer.Option("--seen", help="Mark them as read.")] = False,
    as_json: Json = False,
) -> None:
    """What happened, newest first."""
    with db.reading() as session:
        rows = news.recent(session, check_writer_id(writer), limit)
        told = NotificationList(
            unseen=news.unseen(session, writer), notifications=[of_notification(row) for row in rows]
        )
    if seen:
        with db.session() as session:
            news.mark_seen(session, writer)
    if as_json:
        print_json(told.as_json())
        return
    for one in told.notifications:
        say(f"{one.created_at:%Y-%m-%d %H:%M}  {'new  ' if one.new else ''}{one.text}")
    if not told.notifications:
        say("Nothing has happened yet.")


def _tell_memory(told: MemoryFacts, as_json: bool) -> None:
    if as_json:
        print_json(told.as_json())
        return
    for one in told.sources:
        chosen = ", chosen" if one.chosen else ""
        say(f"{one.source}: {one.label}. {one.remembered:,} of {one.there:,} remembered{chosen}.")
    say(told.message)


def _tell_style(told: StyleFacts, as_json: bool) -> None:
    if as_json:
        print_json(told.as_json())
        return
    for line in filter(None, (told.summary, told.lacking)):
        say(line)
    for axis in told.axes:
        say(f"{profile_words.side(axis.key, axis.value)}{' (set by you)' if axis.by_hand else ''}")
    for motif in (*told.themes, *told.archetypes):
        say(f"{motif.key}: {motif.label}{' (put in by you)' if motif.by_hand else ''}")
