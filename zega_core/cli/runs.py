"""``zega runs | stop | continue``."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.table import Table

from zega_core import db, runs
from zega_core.cli.frame import Worker, cli, follow, print_json, say, screen
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.errors import InvalidInput
from zega_core.facts.runs import of_run
from zega_core.runs import Kind, Run
from zega_core.settings import Settings, get_settings
from zega_core.tables import UNFINISHED, RunStatus

KINDS = {
    Kind.auto_train: "Auto-Train",
    Kind.fine_tune: "Fine-tune",
    Kind.proof: "Proof",
    Kind.export: "Export",
    Kind.pages: "Own pages",
}
Writer = Annotated[str, typer.Option(help="Whose runs.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunId = Annotated[str, typer.Argument(help="Its id, as `zega runs` has it.")]


@cli.command("runs", epilog="Example: zega runs --writer ana --unfinished --json")
def list_runs(
    writer: Writer = DEFAULT_WRITER,
    kind: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(Kind)}; may be given several times.")] = None,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Only those that wait or are worked on.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """What a worker does and did for a writer, newest first."""
    if unknown := [one for one in kind or () if one not in list(Kind)]:
        raise InvalidInput(f"There is no kind {unknown[0][:40]!r}. Choose of {', '.join(Kind)}.")
    kinds = [Kind(one) for one in kind or ()]
    with db.reading() as session:
        found = runs.of_writer(session, check_writer_id(writer), kinds=kinds, unfinished=unfinished, limit=limit)
        told = [of_run(one) for one in found]
    if as_json:
        print_json([one.as_json() for one in told])
        return
    table = Table("Id", "Kind", "State", "Done", "Began", box=None)
    for one in told:
        done = f"{one.done:,} of {one.total:,}" if one.total else ""
        table.add_row(one.run_id, KINDS[Kind(one.kind)], one.status, done, f"{one.created_at:%Y-%m-%d %H:%M}")
    if told:
        Console().print(table)
    else:
        say("There is no such run.")


@cli.command(epilog="Example: zega stop 4f0c9a2be1d34e7c8a50b6f1d2c3e4a5 --writer ana")
def stop(run_id: RunId, writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """Stop a run: what is written stays. A fine-tune ends with the best so far; of an export nothing stays."""
    _tell(runs.stop(check_writer_id(writer), run_id, get_settings()), as_json)


@cli.command("continue", epilog="Example: zega continue 4f0c9a2be1d34e7c8a50b6f1d2c3e4a5 --writer ana")
def go_on(run_id: RunId, writer: Writer = DEFAULT_WRITER, as_json: Json = False) -> None:
    """Go on with a run that was stopped or has failed, and wait for its end. Ctrl-C stops it again."""
    settings = get_settings()
    with Worker(settings) as helper:
        runs.go_on(check_writer_id(writer), run_id, settings)
        run = follow_run(writer, run_id, helper, settings)
    _tell(run, as_json)
    raise typer.Exit(0 if run.row.status == RunStatus.done else 130 if run.row.status == RunStatus.stopped else 1)


def follow_run(writer: str, run_id: str, helper: Worker, settings: Settings) -> Run:
    """Wait for the end. Ctrl-C stops it."""

    def look() -> Run:
        with db.reading(settings) as session:
            return runs.find(session, writer, run_id)

    def show(run: Run) -> dict[str, Any]:
        said = "Waiting for the worker" if run.row.status == RunStatus.queued else KINDS[run.kind]
        return {"total": run.total or None, "completed": run.done, "description": said}

    def halt() -> None:
        screen.print("Stopping; what is written is kept.")
        runs.stop(writer, run_id, settings)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return follow(helper, look, show, lambda run: run.row.status not in UNFINISHED, halt, *columns)


def _tell(run: Run, as_json: bool) -> None:
    told = of_run(run)
    if as_json:
        print_json(told.as_json())
        return
    say(f"{KINDS[run.kind]} {told.run_id}: {told.status}, {told.done:,} of {told.total:,}.")
    if told.error:
        say(told.error)
