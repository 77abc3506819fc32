"""``zega fine-tune | import``."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from zega_core import db, fine_tune_words, importing, talking, versions
from zega_core.analytics import in_words, no_sign_of_life, took
from zega_core.cli import proof
from zega_core.cli.frame import Worker, cli, follow, print_json, screen
from zega_core.configs import DEFAULT_WRITER, FineTuneConfig, check_writer_id, checked
from zega_core.jobs import client
from zega_core.proof_tables import Proof
from zega_core.settings import get_settings
from zega_core.store import fine_tunes, proofs, writers
from zega_core.store import versions as rows
from zega_core.tables import UNFINISHED, RunStatus, now
from zega_core.version_tables import FineTune, Version

WRITER = typer.Option(help="Whose model.")


@cli.command("fine-tune", epilog="Example: zega fine-tune --writer ana --json")
def fine_tune(
    writer: Annotated[str, WRITER] = DEFAULT_WRITER,
    base: Annotated[
        str | None, typer.Option(help="An id on Hugging Face or a folder; the built-in one if left out.")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="auto, base or promoted (the version in use).")] = None,
    epochs: Annotated[str | None, typer.Option(help="At most so many times through the examples.")] = None,
    learning_rate: Annotated[str | None, typer.Option(help="Highest step size.")] = None,
    rank: Annotated[str | None, typer.Option(help="Rank of the adapter.")] = None,
    batch_size: Annotated[str | None, typer.Option(help="Examples a step.")] = None,
    strength: Annotated[str | None, typer.Option(help="Part of what was learned that is kept, 0.05 to 1.")] = None,
    seed: Annotated[
        str | None, typer.Option(help="The same seed draws the same first weights and batches again.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when done.")] = False,
) -> None:
    """Train a new version on what is kept. What is left out is as set on the Fine-Tune page, or chosen by ZEGA.

    Ctrl-C stops it and keeps the best so far as the version. Its proof follows: both write on the same prompts, and
    the version is put in use if it is better."""
    settings = get_settings()
    asked = {
        "base": base, "start": start, "epochs": epochs, "learning_rate": learning_rate, "rank": rank,
        "batch_size": batch_size, "strength": strength, "seed": seed,
    }  # fmt: skip
    with db.session(settings) as session:
        writers.ensure(session, check_writer_id(writer))
        chosen = fine_tunes.load_config(session, writer).model_dump()
    config = checked(FineTuneConfig, **chosen | {name: value for name, value in asked.items() if value is not None})
    with Worker(settings) as helper:
        run_id = client.fine_tune(writer, trigger="command_line", config=config, settings=settings)
        row = _follow(writer, run_id, helper)
        with db.reading(settings) as session:
            version = rows.find(session, writer, row.version_number or 0)
            asked = None if version is None else proofs.latest_of(session, writer, version.number)
        proved = None if asked is None else proof.wait_for(writer, asked.run_id, helper)
    with db.reading(settings) as session:
        in_use = rows.promoted(session, writer)
    result = _result(row, version, proved, in_use)
    if as_json:
        print_json(result)
    else:
        out = Console()
        for sentence in (result["message"], *row.notes, *([] if proved is None else proof.sentences(proved))):
            out.print(sentence, highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(0 if version is not None else 130 if row.status == RunStatus.stopped else 1)


def _follow(writer: str, run_id: str, helper: Worker) -> FineTune:
    """Wait for the end. Ctrl-C keeps the best so far."""

    def look() -> FineTune:
        with db.reading() as session:
            return fine_tunes.get(session, writer, run_id)

    def show(row: FineTune) -> dict[str, Any]:
        return {"total": row.steps or None, "completed": row.step, "description": _said(row)}

    def stop() -> None:
        screen.print("Stopping; the best so far is kept.")
        client.stop_fine_tune(writer, run_id)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return follow(helper, look, show, lambda row: row.status not in UNFINISHED, stop, *columns)


def _said(row: FineTune) -> str:
    silent = row.status != RunStatus.queued and no_sign_of_life(row.heartbeat_at, now())
    text = silent or fine_tune_words.heading(row)
    left = f", {in_words(row.seconds_left)} left" if row.phase == "training" and row.seconds_left else ""
    return text + left


def _result(row: FineTune, version: Version | None, proved: Proof | None, in_use: Version | None) -> dict[str, Any]:
    """The answer of the contract, what was measured, and what the proof came to."""
    if version is None:
        message = row.error or "Stopped before there was anything to keep. Nothing has changed."
        return {"status": str(row.status), "run_id": row.run_id, "message": message}
    metrics, promoted = version.metrics, in_use is not None and in_use.number == version.number
    before, after = metrics.get("perplexity_before"), metrics.get("perplexity_after")
    message = f"Fine-tuned model '{versions.model_name(version.user_id)}' created: v{version.number}."
    verdict = {} if proved is None else proof.result(proved, in_use)
    if not promoted:
        still = "" if verdict.get("verdict") else f" and is not in use; {versions.in_words(in_use)} still writes"
        message = f"v{version.number} was made{still}."
    message = " ".join([message, *([verdict["message"]] if verdict else [])])
    return {
        "status": "success",
        "message": f"{message} {fine_tune_words.surprise(version)} It took {took(version.seconds)}.",
        "run_id": row.run_id,
        "version": version.number,
        "promoted": promoted,
        "verdict": verdict.get("verdict"),
        "reasons": verdict.get("reasons", []),
        "figures": verdict.get("figures"),
        "training_examples_used": version.examples,
        "training_time_seconds": round(row.active_seconds, 1),
        "model_size_mb": round(version.size_bytes / 1e6, 2),
        "perplexity_before": before,
        "perplexity_after": after,
        "tokens_per_second": metrics.get("tokens_per_second"),
        "steps": metrics.get("steps"),
        "stopped": bool(metrics.get("stopped")),
        "own_share": version.own_share,
        "notes": [*row.notes, *verdict.get("notes", [])],
    }


@cli.command("import", epilog="Example: zega import --writer ana --file pairs.jsonl --own")
def import_pairs(
    file: Annotated[Path, typer.Option(help="JSONL: prompt and completion, or chat messages, one pair a line.")],
    writer: Annotated[str, typer.Option(help="Whose examples these become; created if new.")] = DEFAULT_WRITER,
    own: Annotated[bool, typer.Option("--own", help="The writer wrote these themselves: they count most.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when done.")] = False,
) -> None:
    """Take pairs of prompt and completion from a file: scored, kept and split like all others."""
    settings = get_settings()
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())  # the batch under way is completed, not torn
    with Progress(TextColumn("{task.description}"), BarColumn(), console=screen, disable=not screen.is_terminal) as bar:
        task = bar.add_task("Reading and scoring", total=None)
        found = importing.import_pairs(
            check_writer_id(writer),
            file,
            settings,
            own=own,
            progress=lambda done, of: bar.update(task, completed=done, total=of or None),
            stop=stop,
        )
    talking.follow_up(writer, settings)
    if as_json:
        print_json({"writer": writer, **asdict(found)})
    else:
        out = Console()
        for sentence in importing.in_words(found):
            out.print(sentence, highlight=False, markup=False, soft_wrap=True)
    of_use = found.kept or found.set_aside or found.duplicates or not found.bad
    raise typer.Exit(130 if stop.is_set() else 0 if of_use else 1)
