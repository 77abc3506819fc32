"""``zega talk``: ZEGA asks, the writer answers."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from zega_core import conversation, conversation_stats, conversation_words, db, talking, training_choices
from zega_core.answering import MAX_CHARS
from zega_core.cli.frame import cli, print_json, say, text_of
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.conversation import Saved
from zega_core.conversation_tables import Turn
from zega_core.errors import InvalidInput, NotFound
from zega_core.facts import conversations as facts
from zega_core.settings import Settings, get_settings
from zega_core.store import conversations as rows
from zega_core.store import writers

END, SKIP, LEAVE = ".", "/skip", "/quit"
talk = typer.Typer(name="talk", help="ZEGA asks, and you answer.", invoke_without_command=True)
cli.add_typer(talk, epilog="Example: zega talk --writer ana")
Writer = Annotated[str, typer.Option(help="Whose conversation; created if new.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Key = Annotated[str, typer.Option("--session", help="Its id; the one used last if left out.")]
Turns = Annotated[int, typer.Option("--turn", min=1, max=2**31 - 1, help="turn_id of the question.")]
Purpose = Annotated[str, typer.Option(help="What your model should be able to do, in your words.")]


@talk.callback()
def at_the_terminal(
    context: typer.Context, writer: Writer = DEFAULT_WRITER, session: Key = "", purpose: Purpose = ""
) -> None:
    """Talk at the terminal: a line with a dot alone saves your answer, /skip leaves a question, /quit ends it."""
    if context.invoked_subcommand is not None:
        return
    settings, key = get_settings(), session
    if purpose or not (key or _newest(check_writer_id(writer), settings)):
        begun = talking.begin(check_writer_id(writer), settings, purpose=purpose)
        key = begun.conversation.key
        say(begun.welcome)
    key = key or _newest(writer, settings) or ""
    while True:
        turn = talking.question(writer, key, settings)
        say(f"\n{turn.question}\n")
        started = time.monotonic()
        text, more = _typed()
        if text == SKIP:
            with db.session(settings) as store:
                conversation.skip(store, writer, key, turn.id or 0)
        elif text:
            _save(writer, key, turn, text, settings, time.monotonic() - started)
        if not more:
            return


def _save(writer: str, key: str, turn: Turn, text: str, settings: Settings, seconds: float) -> None:
    """A refused answer is kept as the draft of its question."""
    try:
        saved, training = talking.answer(writer, key, turn.id or 0, text, settings, seconds=seconds)
    except InvalidInput as error:
        with db.session(settings) as store:
            conversation.save_draft(store, writer, turn.id or 0, text)
        say(str(error))
        return
    say(_said(saved, training))


def _typed() -> tuple[str, bool]:
    """What was typed up to a dot, and whether there may be more; an end of input saves what is there."""
    lines: list[str] = []
    for line in iter(sys.stdin.readline, ""):
        word = line.strip()
        if word == END or (word == SKIP and not lines):
            return "\n".join(lines).strip() or (SKIP if word == SKIP else ""), True
        if word == LEAVE:
            return "\n".join(lines).strip(), False
        lines.append(line.rstrip("\r\n"))
    return "\n".join(lines).strip(), False


def _said(saved: Saved, training: str | None) -> str:
    begun = " Training begins by itself now." if training else ""
    return f"{conversation_words.saved(saved)}{begun}"


@talk.command("list", epilog="Example: zega talk list --writer ana --json")
def list_them(writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """Your conversations, the one used last first."""
    with db.reading() as session:
        found, answered = rows.of_writer(session, check_writer_id(writer)), rows.answered(session, writer)
    told = [facts.of_conversation(row, answered.get(row.key, 0)) for row in found]
    if as_json:
        print_json({"sessions": [one.as_json() for one in told]})
        return
    for one in told:
        say(f"{one.session_id}  {one.pairs} answers  {one.name}{' (paused)' if one.paused else ''}")
    if not told:
        say("There is no conversation yet. `zega talk` begins one.")


@talk.command(epilog='Example: zega talk start --writer ana --purpose "Ghost stories by the sea" --json')
def start(writer: Writer = DEFAULT_WRITER, purpose: Purpose = "", as_json: Json = False) -> None:
    """Begin another conversation, and get its first question."""
    begun = talking.begin(check_writer_id(writer), get_settings(), purpose=purpose)
    if as_json:
        session = facts.of_conversation(begun.conversation, begun.answers).as_json()
        question = facts.of_question(begun.question).as_json()
        print_json({"session": session, "welcome": begun.welcome, "question": question})
        return
    say(begun.welcome)
    say(f"\n{begun.question.question}")


@talk.command(epilog="Example: zega talk ask --writer ana --json")
def ask(writer: Writer = DEFAULT_WRITER, session: Key = "", as_json: Json = False) -> None:
    """The question that waits for your answer."""
    key, settings = _chosen(writer, session), get_settings()
    _print_question(talking.question(writer, key, settings), key, as_json)


@talk.command(epilog="Example: zega talk answer mine.txt --turn 7 --writer ana --json")
def answer(
    file: Annotated[Path, typer.Argument(help="A text file with your answer; - reads standard input.")],
    turn: Turns,
    writer: Writer = DEFAULT_WRITER,
    session: Key = "",
    as_json: Json = False,
) -> None:
    """Answer a question. It is answered once: sent again, nothing is stored twice."""
    key, settings = _chosen(writer, session), get_settings()
    saved, training = talking.answer(writer, key, turn, text_of(file, MAX_CHARS), settings)
    if as_json:
        following = facts.of_question(talking.question(writer, key, settings))
        told = {"saved": facts.of_saved(saved).as_json(), "training_run_id": training}
        print_json(told | {"session_id": key, "question": following.as_json()})
    else:
        say(_said(saved, training))


@talk.command(epilog="Example: zega talk skip --turn 7 --writer ana")
def skip(turn: Turns, writer: Writer = DEFAULT_WRITER, session: Key = "", as_json: Json = False) -> None:
    """Leave a question, and get another."""
    key, settings = _chosen(writer, session), get_settings()
    with db.session(settings) as store:
        conversation.skip(store, writer, key, turn)
    _print_question(talking.question(writer, key, settings), key, as_json)


@talk.command(epilog='Example: zega talk pair mine.txt --query "Describe the harbour at night." --writer ana')
def pair(
    file: Annotated[Path, typer.Argument(help="A text file with your answer; - reads standard input.")],
    query: Annotated[str, typer.Option(help="What was asked.")],
    writer: Writer = DEFAULT_WRITER,
    session: Key = "",
    as_json: Json = False,
) -> None:
    """Save a question of your own with its answer."""
    key, settings = _chosen(writer, session), get_settings()
    saved, training = talking.add_pair(writer, key, query, text_of(file, MAX_CHARS), settings)
    if as_json:
        told = {"saved": facts.of_saved(saved).as_json(), "training_run_id": training}
        print_json({"session_id": key} | told)
    else:
        say(_said(saved, training))


@talk.command(epilog="Example: zega talk stats --writer ana --json")
def stats(
    writer: Writer = DEFAULT_WRITER,
    session: Annotated[str, typer.Option("--session", help="Of one conversation; of all if left out.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone by which days are counted.")] = "UTC",
    as_json: Json = False,
) -> None:
    """How it goes: questions, answers, words, what is left out and why."""
    settings = get_settings()
    conversation_stats.check_zone(zone)
    with db.reading(settings) as store:
        writers.get(store, check_writer_id(writer))
        found = conversation_stats.stats(store, writer, zone, settings)
        one = conversation_stats.of_conversation(store, writer, session, zone, settings) if session else found
        pairs, goal = talking.standing(store, writer, settings)
    told = facts.of_stats(writer, session or None, found, one, pairs, goal)
    if as_json:
        print_json(told.as_json())
        return
    say(f"{told.answered} of {told.asked} questions answered, {told.skipped} skipped.")
    say(f"{told.pairs} answers are learned from: {told.words:,} words. {conversation_words.what_follows(goal)}")
    for reason, number in told.left_out.items():
        say(f"{number} left out. {conversation_words.left_out(reason)}")


@talk.command(
    epilog="Example: zega talk training --writer ana --pairs 30 --schedule weekly --at 03:00 --zone Europe/Vienna"
)
def training(
    writer: Writer = DEFAULT_WRITER,
    automatic: Annotated[bool | None, typer.Option("--on/--off", help="The switch for all of it.")] = None,
    pairs: Annotated[int | None, typer.Option(min=5, max=10_000, help="So many new answers begin one.")] = None,
    schedule: Annotated[str | None, typer.Option(help="off, daily or weekly.")] = None,
    at: Annotated[str | None, typer.Option(help="Time of day, such as 03:00.")] = None,
    weekday: Annotated[int | None, typer.Option(min=0, max=6, help="0 is Monday.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone, such as Europe/Vienna.")] = None,
    as_json: Json = False,
) -> None:
    """When training begins by itself; what is named is changed, the rest stays."""
    asked = {"automatic": automatic, "pairs": pairs, "schedule": schedule, "at": at, "weekday": weekday, "zone": zone}
    wanted = {name: value for name, value in asked.items() if value is not None}
    settings = get_settings()
    check_writer_id(writer)
    if wanted:
        with db.session(settings) as session:
            training_choices.change(session, writer, wanted)
    with db.reading(settings) as session:
        told = facts.choices_of(session, writer, settings)
    if as_json:
        print_json(told.as_json())
    else:
        say(told.next)


def _print_question(turn: Turn, key: str, as_json: bool) -> None:
    if as_json:
        print_json({"session_id": key, "question": facts.of_question(turn).as_json()})
    else:
        say(f"{turn.question}\n\nAnswer it: zega talk answer FILE --turn {turn.id}")


def _newest(writer: str, settings: Settings) -> str | None:
    with db.reading(settings) as session:
        return next((row.key for row in rows.of_writer(session, writer) if not row.paused), None)


def _chosen(writer: str, key: str) -> str:
    found = key or _newest(check_writer_id(writer), get_settings())
    if found is None:
        raise NotFound("There is no conversation yet. Begin one with `zega talk start`.")
    return found
