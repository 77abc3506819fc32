"""What all commands share: the program itself, where it prints, and a worker while one is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

import typer
from rich.console import Console

from zega_core.errors import ConfigError, HomeError, InvalidInput, ZegaError
from zega_core.jobs import launcher
from zega_core.settings import Settings

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


def print_json(found: Mapping[str, object] | Sequence[object]) -> None:
    """One line on standard output."""
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


class Worker:
    """Somebody who works while we follow: a worker that is there, or one of our own until we leave."""

    MOST_STARTS = 5

    def __init__(self, settings: Settings) -> None:
        self._settings, self._process, self._starts = settings, None, 0

    def __enter__(self) -> Worker:
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
