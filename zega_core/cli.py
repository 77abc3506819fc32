"""The command line: ``zega up | worker | auto-train | rescore | teachers | doctor``.

Exit status: 0 done, 1 not done (a run failed, something is not ready), 2 the call cannot be used,
3 ZEGA's folder, database or settings cannot be used, 130 interrupted (what was written is kept).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zega_core import db, providers, readiness, teacher_checks, teachers
from zega_core import rescore as rescoring
from zega_core.analytics import no_sign_of_life
from zega_core.configs import DEFAULT_WRITER, AutoTrainConfig, check_writer_id, checked
from zega_core.errors import ConfigError, HomeError, InvalidInput, ZegaError
from zega_core.jobs import client, launcher
from zega_core.rescore_words import outcome_in_words
from zega_core.settings import ROOT, Settings, get_settings
from zega_core.store import examples, sessions
from zega_core.tables import UNFINISHED, RunStatus, TrainingSession, now

cli = typer.Typer(
    name="zega",
    help="Train a personal creative-writing model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
screen = Console(stderr=True)
POLL = 0.2


def main() -> int:
    """Run the command line; every error of ours becomes one sentence and an exit status."""
    try:
        cli()
    except ZegaError as error:
        screen.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        return 2 if isinstance(error, InvalidInput) else 3 if isinstance(error, (ConfigError, HomeError)) else 1
    return 0


@cli.command()
def up() -> None:
    """Start the worker and the app, and keep the worker alive. Ctrl-C ends both."""
    raise typer.Exit(launcher.up(get_settings(), lambda line: screen.print(line, highlight=False)))


@cli.command()
def worker(
    slot: Annotated[int, typer.Option(help="Which of several workers of this ZEGA_HOME this one is.")] = 0,
) -> None:
    """Run one worker in the foreground. On PostgreSQL, start as many as you like, each on its own slot."""
    command = [sys.executable, "-m", "zega_core.jobs.worker", "--slot", str(slot)]
    environment = launcher.environment(get_settings())
    os.chdir(ROOT)
    os.execve(sys.executable, command, environment)


@cli.command("auto-train")
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
    with _Worker(settings) as helper:
        session_id = client.start_auto_train(config, teacher=teachers.lineup(settings, writer))
        row = _follow(writer, session_id, helper)
    if as_json:
        sys.stdout.write(json.dumps(_result(row), ensure_ascii=False) + "\n")
    else:
        _print_result(row)
    raise typer.Exit({RunStatus.done: 0, RunStatus.stopped: 130}.get(RunStatus(row.status), 1))


class _Worker:
    """Somebody who works while we follow: a worker that is there, or one of our own until we leave."""

    MOST_STARTS = 5

    def __init__(self, settings: Settings) -> None:
        self._settings, self._process, self._starts = settings, None, 0

    def __enter__(self) -> _Worker:
        self.ensure()
        return self

    def ensure(self) -> None:
        """Start one if the last one, ours or another's, is gone; raises HomeError when none stays."""
        if (self._process is not None and self._process.poll() is None) or launcher.worker_is_alive(self._settings):
            return
        if self._starts == self.MOST_STARTS:
            raise HomeError("The worker cannot be started. `zega doctor` says what is wrong; logs/ has the details.")
        self._process: subprocess.Popen[bytes] | None = launcher.ensure_worker(self._settings)
        self._starts += 1

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def _follow(writer: str, session_id: str, helper: _Worker) -> TrainingSession:
    """Wait for the end of the run, with a bar on a terminal. Ctrl-C stops the run and keeps what there is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:
        bar = progress.add_task("Waiting for the worker", total=None)
        while True:
            try:
                with db.reading() as session:
                    row = sessions.get(session, writer, session_id)
                    tally = examples.tally(session, row.id or 0)
                text = f"{tally.kept} kept, {tally.set_aside} set aside"
                if row.status != RunStatus.queued:
                    text = no_sign_of_life(row.heartbeat_at, now()) or text
                progress.update(bar, total=row.num_examples_requested, completed=tally.done, description=text)
                if row.status not in UNFINISHED and row.recorded:
                    return row
                helper.ensure()
                time.sleep(POLL)
            except KeyboardInterrupt:
                screen.print("Stopping; what was written is kept.")
                client.stop(writer, session_id)


def _result(row: TrainingSession) -> dict[str, object]:
    settings = get_settings()
    kept = row.training_examples_after
    return {
        "session_id": row.session_id,
        "status": row.status,
        "total_requested": row.num_examples_requested,
        "successful": row.num_examples_successful,
        "set_aside": row.num_examples_set_aside,
        "failed": row.num_examples_failed,
        "genre_distribution": row.genre_distribution_json,
        "average_quality": row.average_quality,
        "min_quality": row.min_quality,
        "max_quality": row.max_quality,
        "model_performance": row.model_performance_json,
        "stories_saved": row.stories_saved_count,
        "total_time": row.total_time_seconds,
        "training_stats": {
            "training_examples": kept,
            "examples_until_next_training": max(0, settings.fine_tune_every - kept),
        },
        "ready_for_finetuning": kept >= settings.fine_tune_every,
        "error": row.error,
    }


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
        sys.stdout.write(json.dumps({"writer": writer, **outcome.as_dict()}, ensure_ascii=False) + "\n")
    else:
        Console().print(outcome_in_words(outcome), highlight=False, soft_wrap=True)
    raise typer.Exit(0 if outcome.finished else 130)


@cli.command("teachers")
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
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        out = Console()
        for name, result in found.items():
            words = [str(result.get("message") or result.get("text") or ""), ", ".join(result.get("models", []))]
            out.print(f"{providers.label_of(name)}: {result['state']}", " ".join(filter(None, words)), markup=False)
    raise typer.Exit(0 if any(result["state"] == "ready" for result in found.values()) else 1)


@cli.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Say what is ready and what is not."""
    findings = readiness.check()
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False) + "\n")
    else:
        out = Console()
        for finding in findings:
            mark = {"ready": "[green]ready[/]", "note": "[yellow]note[/] ", "problem": "[red]problem[/]"}[finding.state]
            out.print(f"{mark:<18} {finding.name}: {finding.text}", highlight=False)
    raise typer.Exit(1 if any(finding.state == "problem" for finding in findings) else 0)
