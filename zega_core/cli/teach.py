"""``zega auto-train | rescore | teachers``."""

from __future__ import annotations

import signal
import threading
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zega_core import db, providers, run_results, teacher_checks, teachers
from zega_core import rescore as rescoring
from zega_core.analytics import no_sign_of_life
from zega_core.cli.frame import Worker, cli, follow, print_json, screen
from zega_core.configs import DEFAULT_WRITER, AutoTrainConfig, check_writer_id, checked
from zega_core.jobs import client
from zega_core.rescore_words import outcome_in_words
from zega_core.settings import get_settings
from zega_core.store import examples, sessions
from zega_core.tables import UNFINISHED, RunStatus, TrainingSession, now


@cli.command("auto-train", epilog="Example: zega auto-train --writer ana --examples 20 --genre fantasy --json")
def auto_train(
    examples_wanted: Annotated[str, typer.Option("--examples", help="How many examples, 1 to 500.")] = "20",
    writer: Annotated[str, typer.Option(help="Whose model this is for; created if new.")] = DEFAULT_WRITER,
    genre: Annotated[list[str] | None, typer.Option(help="May be given several times; none means all eight.")] = None,
    memory: Annotated[bool, typer.Option(help="Also put kept examples into memory.")] = False,
    stories: Annotated[
        bool, typer.Option(help="Also save the best examples as stories (8.0 or more unless set otherwise).")
    ] = False,
    seed: Annotated[str | None, typer.Option(help="The same seed asks for the same pieces again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when done.")] = False,
) -> None:
    """Let the teacher write examples, score them and keep the good ones."""
    settings = get_settings()
    config = checked(
        AutoTrainConfig,
        writer_id=writer,
        num_examples=examples_wanted,
        genres=tuple(genre or ()),
        store_in_memory=memory,
        save_to_database=stories,
        seed=seed,
    )
    with Worker(settings) as helper:
        session_id = client.start_auto_train(config, teacher=teachers.lineup(settings, writer))
        row = _follow(writer, session_id, helper)
    if as_json:
        with db.reading() as session:
            print_json(run_results.of_session(session, row, settings))
    else:
        _print_result(row)
    raise typer.Exit({RunStatus.done: 0, RunStatus.stopped: 130}.get(RunStatus(row.status), 1))


def _follow(writer: str, session_id: str, helper: Worker) -> TrainingSession:
    """Wait for the end of the run. Ctrl-C stops the run and keeps what there is."""

    def look() -> tuple[TrainingSession, examples.Tally]:
        with db.reading() as session:
            row = sessions.get(session, writer, session_id)
            return row, examples.tally(session, row.id or 0)

    def show(found: tuple[TrainingSession, examples.Tally]) -> dict[str, Any]:
        row, tally = found
        text = f"{tally.kept} kept, {tally.set_aside} set aside"
        if row.status != RunStatus.queued:
            text = no_sign_of_life(row.heartbeat_at, now()) or text
        return {"total": row.num_examples_requested, "completed": tally.done, "description": text}

    def stop() -> None:
        screen.print("Stopping; what was written is kept.")
        client.stop(writer, session_id)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return follow(
        helper, look, show, lambda found: found[0].status not in UNFINISHED and found[0].recorded, stop, *columns
    )[0]


def _print_result(row: TrainingSession) -> None:
    out = Console()
    out.print(
        f"{row.num_examples_successful} kept, {row.num_examples_set_aside} set aside, "
        f"{row.num_examples_failed} without an answer, of {row.num_examples_requested}."
    )
    if row.average_quality is not None:
        out.print(f"Quality {row.average_quality:.1f} on average, {row.min_quality:.1f} to {row.max_quality:.1f}.")
    if row.error:
        out.print(row.error)


@cli.command(epilog="Example: zega rescore --writer ana --dry-run")
def rescore(
    writer: Annotated[str, typer.Option(help="Whose pieces.")] = DEFAULT_WRITER,
    everything: Annotated[bool, typer.Option("--all", help="Also those whose score is up to date.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when done.")] = False,
) -> None:
    """Score stored pieces again, without writing them again: those of older rules, or from before your taste changed.

    No text changes, and your own decisions stay. Ctrl-C keeps what is done; the next call goes on with the rest."""
    settings, stop = get_settings(), threading.Event()
    check_writer_id(writer)
    signal.signal(signal.SIGINT, lambda *_: stop.set())  # the batch under way is dropped, not torn
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:
        bar = progress.add_task("Scoring again", total=None)
        outcome = rescoring.rescore(
            writer,
            settings,
            everything=everything,
            dry_run=dry_run,
            progress=lambda done, of: progress.update(bar, completed=done, total=of),
            stop=stop,
        )
    if not outcome.finished and not dry_run:
        screen.print("Stopped; what is scored is kept. The next `zega rescore` goes on with the rest.")
    if as_json:
        print_json({"writer": writer, **outcome.as_dict()})
    else:
        Console().print(outcome_in_words(outcome), highlight=False, soft_wrap=True)
    raise typer.Exit(0 if outcome.finished else 130)


@cli.command("teachers", epilog="Example: zega teachers --writer ana --test groq/openai/gpt-oss-20b --json")
def who_teaches(
    writer: Annotated[str, typer.Option(help="Whose choices of teachers.")] = DEFAULT_WRITER,
    test: Annotated[str | None, typer.Option(help="Ask this teacher for a sentence: groq/openai/gpt-oss-20b.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look at every service now: is it there, does it take the key, which models does it list."""
    settings = get_settings()
    found = teacher_checks.try_out(settings, check_writer_id(writer), test) if test else None
    if found is None:
        found = teacher_checks.survey(settings, check_writer_id(writer))
    if as_json:
        print_json(found)
    else:
        out = Console()
        for name, result in found.items():
            words = [str(result.get("message") or result.get("text") or ""), ", ".join(result.get("models", []))]
            out.print(f"{providers.label_of(name)}: {result['state']}", " ".join(filter(None, words)), markup=False)
    raise typer.Exit(0 if any(result["state"] == "ready" for result in found.values()) else 1)
