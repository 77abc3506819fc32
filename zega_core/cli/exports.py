"""``zega export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn

from zega_core import db, export_words, exporting
from zega_core.cli.frame import Worker, cli, follow, print_json, screen
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.exports.formats import FORMATS
from zega_core.jobs import client
from zega_core.proof_tables import Export
from zega_core.settings import Settings, get_settings
from zega_core.store import exports
from zega_core.tables import UNFINISHED, RunStatus

PHASES = {
    "preparing": "Gathering what belongs to it",
    "writing": "Writing files",
    "merging": "Merging base model and adapter",
    "delivering": "Giving it to Ollama",
    "saving": "Saving",
}


@cli.command("export", epilog="Example: zega export --writer ana --format gguf --version 3 --to ./ana-v3")
def export(
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")],
    writer: Annotated[str, typer.Option(help="Whose examples or model.")] = DEFAULT_WRITER,
    version: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**31 - 1,
            help="Of a model: its number; the one in use if left out, else the newest. With it training data is what "
            "that version was trained on, without it what is kept now. 0 is the built-in base model (gguf only).",
        ),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="A new folder for a copy of the files.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when done.")] = False,
) -> None:
    """Take training data or a model out of ZEGA: for Python, llama.cpp, Ollama and other tools.

    Ctrl-C stops it; nothing half-made stays."""
    settings = get_settings()
    if to is not None:
        to = to.expanduser()
        exporting.check_target(to)
    with Worker(settings) as helper:
        run_id = client.export(check_writer_id(writer), form, version, trigger="command_line", settings=settings)
        row = _follow(writer, run_id, helper)
    result = _result(row, to, settings)
    if as_json:
        print_json(result)
    else:
        out = Console()
        for sentence in result["said"]:
            out.print(sentence, highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(0 if row.status == RunStatus.done else 130 if row.status == RunStatus.stopped else 1)


def _follow(writer: str, run_id: str, helper: Worker) -> Export:
    """Wait for the end. Ctrl-C stops it."""

    def look() -> Export:
        with db.reading() as session:
            return exports.get(session, writer, run_id)

    def stop() -> None:
        screen.print("Stopping; nothing half-made stays.")
        client.stop_export(writer, run_id)

    return follow(
        helper,
        look,
        lambda row: {"description": PHASES.get(row.phase, "Waiting for the worker")},
        lambda row: row.status not in UNFINISHED,
        stop,
        TextColumn("{task.description}"),
        BarColumn(),
    )


def _result(row: Export, to: Path | None, settings: Settings) -> dict[str, Any]:
    """``said`` is for people; the rest for programs."""
    if row.status != RunStatus.done:
        message = row.error or "The export was stopped. Nothing of it stays."
        return {"status": str(row.status), "run_id": row.run_id, "message": message, "said": [message]}
    folder = exporting.whole(row, settings) if to is None else exporting.copy_to(row, to, settings)
    checks = export_words.checks(row)
    checked = [f"{export_words.checked(checks)}.", *(one.said for one in checks if not one.ok)] if checks else []
    of = "" if row.version_number is None else f", v{row.version_number}"
    message = f"{FORMATS[row.format].label}{of}: {_size(row.size_bytes)} in {folder}"
    return {
        "status": "success",
        "message": message,
        "run_id": row.run_id,
        "format": row.format,
        "version": row.version_number,
        "folder": str(folder),
        "files": row.files,
        "size_bytes": row.size_bytes,
        "notes": row.notes,
        "report": row.report,
        "said": [message, *row.notes, *checked],
    }


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number / 1e3:,.1f} kB"
