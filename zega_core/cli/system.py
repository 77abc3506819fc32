"""``zega up | worker | doctor``."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from zega_core import readiness
from zega_core.cli.frame import cli, print_json, screen
from zega_core.jobs import launcher
from zega_core.settings import ROOT, get_settings


@cli.command(epilog="Example: zega up")
def up() -> None:
    """Start the worker and the app, and keep the worker alive. Ctrl-C ends both."""
    raise typer.Exit(launcher.up(get_settings(), lambda line: screen.print(line, highlight=False)))


@cli.command(epilog="Example: zega worker --slot 1")
def worker(
    slot: Annotated[int, typer.Option(help="Which of several workers of this ZEGA_HOME this one is.")] = 0,
) -> None:
    """Run one worker in the foreground. On PostgreSQL, start as many as you like, each on its own slot."""
    command = [sys.executable, "-m", "zega_core.jobs.worker", "--slot", str(slot)]
    environment = launcher.environment(get_settings())
    os.chdir(ROOT)
    os.execve(sys.executable, command, environment)


@cli.command(epilog="Example: zega doctor --json")
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Say what is ready and what is not."""
    findings = readiness.check()
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        out = Console()
        for finding in findings:
            mark = {"ready": "[green]ready[/]", "note": "[yellow]note[/] ", "problem": "[red]problem[/]"}[finding.state]
            out.print(f"{mark:<18} {finding.name}: {finding.text}", highlight=False)
    raise typer.Exit(1 if any(finding.state == "problem" for finding in findings) else 0)
