"""``zega history list | show | stats | compare | export | share | archive | delete | recommend``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from zega_core import db, history, history_files, history_share, history_words, providers
from zega_core.analytics import took
from zega_core.cli.frame import cli, print_json, say, write_new
from zega_core.cli.history_options import (
    Archived,
    AsJson,
    Genres,
    High,
    Kinds,
    Low,
    SessionId,
    SessionIds,
    Since,
    Statuses,
    Teacher,
    Until,
    Words,
    Writer,
    history_filter,
)
from zega_core.cli.printing import done, print_table
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.errors import InvalidInput, NotFound
from zega_core.history import Detail
from zega_core.history_detail import genre_names
from zega_core.settings import get_settings
from zega_core.store import history as rows
from zega_core.store.history import Order, Row
from zega_core.tables import now

asked = typer.Typer(name="history", help="What was run, what came of it, and what worked best.", no_args_is_help=True)
cli.add_typer(asked, epilog="Example: zega history list --writer ana --json")


@asked.command("list", epilog="Example: zega history list --writer ana --genre mystery --low 8 --order best --json")
def list_them(
    writer: Writer = DEFAULT_WRITER,
    since: Since = "",
    until: Until = "",
    genre: Genres = None,
    low: Low = 0,
    high: High = 10,
    teacher: Teacher = "",
    status: Statuses = None,
    kind: Kinds = None,
    text: Words = "",
    archived: Archived = False,
    order: Annotated[Order, typer.Option(help="Of the list.")] = Order.newest,
    page: Annotated[int, typer.Option(min=1, max=10**7, help="Of the list.")] = 1,
    size: Annotated[int, typer.Option(min=1, max=1000, help="Rows on a page.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Sessions, conversations and fine-tunes, a page at a time."""
    wanted = history_filter(since, until, genre, (low, high), teacher, status, kind, text, archived)
    with db.reading() as session:
        total = rows.count(session, check_writer_id(writer), wanted)
        found = rows.page(session, writer, wanted, order, number=page, size=size)
    if as_json:
        print_json({"rows": [history_files.fields(row) for row in found], "total": total, "page": page})
        return
    if found:
        print_table(("When", "What", "Kept", "Quality", "Genres", "Teacher", "Took", "Status", "Id"), map(_line, found))
    say(f"{len(found):,} of {total:,}." if total else "There is nothing like this in the history.")


@asked.command(epilog="Example: zega history show 0f1e2d3c4b5a69788796a5b4c3d2e1f0 --writer ana")
def show(session_id: SessionId, writer: Writer = DEFAULT_WRITER, as_json: AsJson = False) -> None:
    """One session: what was chosen, what came of it, who wrote, what went wrong, and when."""
    with db.reading() as session:
        found = history.detail(session, check_writer_id(writer), session_id)
    if as_json:
        print_json(_facts(found))
        return
    say(f"{found.row.started_at:%Y-%m-%d %H:%M} UTC  {history_words.status(found.row.status)}")
    print_table(("Chosen", ""), found.options)
    models = [(providers.label_of(one.model), f"{one.kept}", _score(one.quality)) for one in found.performance]
    if models:
        print_table(("Teacher", "Kept", "Quality"), models)
    if found.votes:
        votes = [(providers.label_of(one.model), f"{one.wins} of {one.votes}") for one in found.votes]
        print_table(("Votes", "Won"), votes)
    for why, number in found.unanswered.items():
        say(f"{number} without an answer: {why}")
    if found.row.error:
        say(found.row.error)
    print_table(("When", "What"), [(f"{event.at:%Y-%m-%d %H:%M:%S}", event.what) for event in found.timeline])


@asked.command(epilog="Example: zega history stats --writer ana --since 2026-11-01 --json")
def stats(
    writer: Writer = DEFAULT_WRITER,
    since: Since = "",
    until: Until = "",
    genre: Genres = None,
    teacher: Teacher = "",
    as_json: AsJson = False,
) -> None:
    """Figures of the training sessions, those that were archived included: in all, by teacher, by genre."""
    wanted = history_filter(since, until, genre, (0, 10), teacher, None, None, "", False)
    with db.reading() as session:
        cards = history.cards(session, check_writer_id(writer), wanted, now())
        teachers = history.teachers_of(session, writer, wanted)
        genres = history.genres_of(session, writer, wanted)
    if as_json:
        shares = [asdict(one) | {"share": one.share, "cost_per_kept": one.cost_per_kept} for one in teachers]
        print_json(asdict(cards) | {"share": cards.share, "teachers": shares, "genres": genres})
        return
    trends = history_words.trends(cards)
    figures = {
        "sessions": ("Sessions", f"{cards.sessions:,}, {cards.fine_tunes:,} of them set off a fine-tune"),
        "kept": ("Kept", f"{cards.kept:,} of {cards.made:,}"),
        "stories": ("Saved as stories", f"{cards.stories:,}"),
        "quality": ("Average quality", _score(cards.quality)),
        "seconds": ("Time spent", took(cards.seconds)),
    }
    print_table(("Figure", "", "Trend"), [(*told, trends.get(name, "")) for name, told in figures.items()])
    if teachers:
        shares = [
            (providers.label_of(one.model), f"{one.kept:,}", _share(one.share), _score(one.quality), f"{one.wins:,}")
            for one in teachers
        ]
        print_table(("Teacher", "Kept", "Share kept", "Quality", "Votes won"), shares)
    if genres:
        print_table(("Genre", "Kept"), [(genre_names([key]), f"{number:,}") for key, number in genres.items()])


@asked.command(epilog="Example: zega history compare FIRST SECOND --writer ana")
def compare(
    first: SessionId,
    second: SessionId,
    writer: Writer = DEFAULT_WRITER,
    only: Annotated[bool, typer.Option("--differences", help="Leave out what is the same.")] = False,
    as_json: AsJson = False,
) -> None:
    """Two sessions beside each other. What differs is marked with *."""
    with db.reading() as session:
        lines = history.difference(session, check_writer_id(writer), first, second)
    lines = [line for line in lines if not (only and line.same)]
    if as_json:
        print_json({"lines": [asdict(line) | {"same": line.same} for line in lines]})
        return
    told = [("" if line.same else "*", line.label, line.first, line.second) for line in lines]
    print_table(("", "", "First", "Second"), told)


@asked.command(epilog="Example: zega history export --writer ana --format parquet --to ./history.parquet")
def export(
    writer: Writer = DEFAULT_WRITER,
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(history_files.FORMS)}.")] = "csv",
    to: Annotated[Path | None, typer.Option(help="A new file; history.csv and so on, here, if left out.")] = None,
    since: Since = "",
    until: Until = "",
    genre: Genres = None,
    low: Low = 0,
    high: High = 10,
    teacher: Teacher = "",
    status: Statuses = None,
    kind: Kinds = None,
    text: Words = "",
    archived: Archived = False,
    as_json: AsJson = False,
) -> None:
    """Write what the filters leave into a file."""
    wanted = history_filter(since, until, genre, (low, high), teacher, status, kind, text, archived)
    check_writer_id(writer)
    if form not in history_files.FORMS:
        raise InvalidInput(f"The history can be exported as {', '.join(history_files.FORMS)}.")
    with db.reading() as session:
        total = rows.count(session, writer, wanted)
        if not total:
            raise NotFound("There is nothing like this in the history to export. Look for something else.")
        path = write_new(to, f"history.{form}", history_files.FORMS[form](rows.every(session, writer, wanted)))
    done({"file": str(path), "rows": total}, f"{total:,} in {path}", as_json)


@asked.command(epilog="Example: zega history share 0f1e2d3c4b5a69788796a5b4c3d2e1f0 --writer ana --to ./session.html")
def share(
    session_id: SessionId,
    writer: Writer = DEFAULT_WRITER,
    to: Annotated[Path, typer.Option(help="A new file.")] = Path("session.html"),
    texts: Annotated[bool, typer.Option("--texts", help="Add what was written; it is left out otherwise.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write one session as a page to give away."""
    with db.reading() as session:
        page = history_share.page(session, check_writer_id(writer), session_id, with_texts=texts)
    path = write_new(to, "session.html", page)
    done({"file": str(path), "texts": texts}, f"It is in {path}", as_json)


@asked.command(epilog="Example: zega history archive ID ID --writer ana")
def archive(
    session_ids: SessionIds,
    writer: Writer = DEFAULT_WRITER,
    back: Annotated[bool, typer.Option("--back", help="Bring them back instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put sessions out of sight; they count all the same."""
    do = history.unarchive if back else history.archive
    said = do(check_writer_id(writer), session_ids, get_settings())
    done({"message": said}, said, as_json)


@asked.command(epilog="Example: zega history delete ID --writer ana --yes")
def delete(
    session_ids: SessionIds,
    writer: Writer = DEFAULT_WRITER,
    with_examples: Annotated[
        bool, typer.Option("--with-examples", help="Their examples, too; that can be undone for 7 days.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete sessions for good. Kept examples stay unless you say otherwise."""
    check_writer_id(writer)
    if not yes:
        typer.confirm(f"Delete {len(set(session_ids))} of the sessions for good?", abort=True, err=True)
    said = history.delete(writer, session_ids, get_settings(), with_examples=with_examples)
    done({"message": said}, said, as_json)


@asked.command(epilog="Example: zega history recommend --writer ana --json")
def recommend(writer: Writer = DEFAULT_WRITER, as_json: AsJson = False) -> None:
    """What has worked best so far, with the evidence."""
    with db.reading() as session:
        found = history.recommendation(session, check_writer_id(writer))
    said = history_words.recommended(found)
    if as_json:
        print_json({"message": said, "evidence": None if found is None else asdict(found)})
        return
    say(said)
    if found is not None:
        say(history_words.evidence(found))


def _line(row: Row) -> tuple[str, ...]:
    what = row.name or history_words.KINDS[row.kind]
    if row.version is not None:
        what += f", version {row.version}"
    return (
        f"{row.started_at:%Y-%m-%d %H:%M}",
        what,
        "" if row.kept is None else f"{row.kept} of {row.requested}",
        "" if row.quality is None else f"{row.quality:.1f}",
        genre_names(row.genres),
        providers.label_of(row.teacher) if row.teacher else "",
        took(row.seconds),
        history_words.status(row.status),
        row.key,
    )


def _facts(found: Detail) -> dict[str, Any]:
    return history_files.fields(found.row) | {
        "options": dict(found.options),
        "performance": [asdict(one) for one in found.performance],
        "votes": [asdict(one) for one in found.votes],
        "unanswered": found.unanswered,
        "calls_without_a_piece": found.calls,
        "timeline": [{"at": f"{event.at:%Y-%m-%dT%H:%M:%SZ}", "what": event.what} for event in found.timeline],
    }


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
