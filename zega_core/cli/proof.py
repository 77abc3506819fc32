"""``zega prove``, and what ``zega fine-tune`` says of the proof that follows it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from zega_core import db, versions
from zega_core.analytics import in_words, no_sign_of_life
from zega_core.cli.frame import Worker, cli, follow, print_json, screen
from zega_core.configs import DEFAULT_WRITER, check_judge, check_writer_id
from zega_core.errors import InvalidInput
from zega_core.jobs import client
from zega_core.proof.figures import read_figures
from zega_core.proof.printed import printed
from zega_core.proof.rule import Verdict
from zega_core.proof_tables import Proof
from zega_core.settings import Settings, get_settings
from zega_core.store import proofs, writers
from zega_core.store import versions as rows
from zega_core.tables import UNFINISHED, RunStatus, now

PHASES = {
    "preparing": "Preparing the prompts",
    "writing": "Both write",
    "measuring": "Measuring on texts that neither has seen",
    "judging": "The judge reads",
}


@cli.command(epilog="Example: zega prove --writer ana --version 3 --against base --json")
def prove(
    writer: Annotated[str, typer.Option(help="Whose model.")] = DEFAULT_WRITER,
    version: Annotated[int | None, typer.Option(min=1, max=2**31 - 1, help="The newest if left out.")] = None,
    against: Annotated[
        str | None, typer.Option(help="base, or the number of a version; what is in use if left out.")
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="A teacher that also compares the texts, such as groq/llama-3.3-70b-versatile.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when done.")] = False,
) -> None:
    """Find out whether a version is better: both write on the same prompts, and everything is measured.

    One that was stopped goes on. With --judge, texts that are there already are read, and nothing is written anew.
    Ctrl-C stops it and keeps what is written."""
    settings = get_settings()
    with Worker(settings) as helper:
        run_id = _ask(check_writer_id(writer), version, _opponent(against), judge and check_judge(judge), settings)
        row = wait_for(writer, run_id, helper)
        if judge and row.judge != judge and row.status == RunStatus.done:  # it was under way already, without this one
            client.ask_judge(writer, run_id, judge, settings)
            row = wait_for(writer, run_id, helper)
    with db.reading(settings) as session:
        in_use = rows.promoted(session, writer)
    found = result(row, in_use)
    if as_json:
        print_json(found)
    else:
        out = Console()
        for line in (f"{found['message']}", *_table(row), *row.notes):
            out.print(line, highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(0 if row.status == RunStatus.done else 130 if row.status == RunStatus.stopped else 1)


def _opponent(against: str | None) -> int | None:
    if against is None:
        return versions.ANY
    if against == "base":
        return None
    number = against.removeprefix("v")
    if not (number.isascii() and number.isdecimal() and 0 < int(number[:10]) < 2**31 and len(number) <= 10):
        raise InvalidInput("Say against what: --against base, or the number of a version, such as --against 2.")
    return int(number)


def _ask(writer: str, number: int | None, against: int | None, judge: str | None, settings: Settings) -> str:
    """The run to follow: one of the same two that is under way, was stopped or has failed, or, with a judge that has
    not read them, has its texts already; else a new one."""
    with db.reading(settings) as session:
        writers.get(session, writer)
        version, other = versions.pair(session, writer, number, against)
        opponent = None if other is None else other.number
        last = proofs.of_pair(session, writer, version.number, opponent)
    if last is not None and judge and last.verdict and last.status not in UNFINISHED:
        client.ask_judge(writer, last.run_id, judge, settings)
        return last.run_id
    if last is not None and last.status in (RunStatus.stopped, RunStatus.failed) and judge in (None, last.judge):
        client.resume_proof(writer, last.run_id, settings)
        return last.run_id
    return client.prove(
        writer,
        version.number,
        against=opponent,
        judge=judge,
        trigger="command_line",
        one_at_a_time=True,
        settings=settings,
    )


def wait_for(writer: str, run_id: str, helper: Worker) -> Proof:
    """Wait for the end. Ctrl-C stops it."""

    def look() -> Proof:
        with db.reading() as session:
            return proofs.get(session, writer, run_id)

    def show(row: Proof) -> dict[str, Any]:
        return {"total": row.total or None, "completed": row.done, "description": _said(row)}

    def stop() -> None:
        screen.print("Stopping the proof; what is written is kept.")
        client.stop_proof(writer, run_id)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return follow(helper, look, show, lambda row: row.status not in UNFINISHED, stop, *columns)


def _said(row: Proof) -> str:
    if row.status == RunStatus.queued:
        return "The proof waits for the worker"
    text = no_sign_of_life(row.heartbeat_at, now()) or PHASES.get(row.phase, "Proving")
    return f"{text}, {in_words(row.seconds_left)} left" if row.seconds_left and row.phase != "measuring" else text


def result(row: Proof, in_use: rows.Version | None) -> dict[str, Any]:
    """What came of a proof, for JSON. ``verdict`` is None where there is none."""
    who = "the base model" if row.against is None else f"v{row.against}"
    promoted = in_use is not None and in_use.number == row.version_number
    said = {
        "better": f"v{row.version_number} is better than {who}",
        "worse": f"v{row.version_number} is worse than {who}",
        "not_shown": f"It is not shown that v{row.version_number} is better than {who}",
    }.get(row.verdict)
    if row.status == RunStatus.stopped:
        against = "base" if row.against is None else row.against
        before = f"{row.judge} had read everything" if row.verdict else "there was a verdict"
        message = (
            f"Stopped before {before}. Continue with: "
            f"zega prove --writer {row.user_id} --version {row.version_number} --against {against}"
        )
    elif row.status != RunStatus.done or said is None:
        message = row.error or "The proof did not end. Try it again."
    else:
        message = f"{said}, and {'it is in use' if promoted else f'{versions.in_words(in_use)} writes'}."
    return {
        "status": "success" if row.status == RunStatus.done else str(row.status),
        "message": message,
        "run_id": row.run_id,
        "version": row.version_number,
        "against": row.against,
        "verdict": row.verdict or None,
        "reasons": row.reasons,
        "promoted": promoted,
        "figures": row.figures,
        "judge": row.judge or None,
        "seconds": round(row.active_seconds, 1),
        "notes": row.notes,
    }


def sentences(row: Proof) -> list[str]:
    """The reasons of the verdict, and what to know of how it went."""
    return [*row.reasons, *row.notes]


def _table(row: Proof) -> list[str]:
    figures = read_figures(row.figures)
    if figures is None or row.verdict not in ("better", "not_shown", "worse"):
        return []
    return printed(figures, Verdict(row.verdict, row.reasons))  # type: ignore[arg-type]
