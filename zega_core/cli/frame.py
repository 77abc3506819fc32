"""What all commands share: the program itself, where it prints, and a worker while one is needed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, ProgressColumn

from zega_core.errors import ConfigError, HomeError, InvalidInput, ZegaError
from zega_core.jobs import launcher
from zega_core.settings import Settings

cli = typer.Typer(
    name="zega",
    help="Train a personal creative-writing model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
screen = Console(stderr=True)
POLL = 0.2
Row = TypeVar("Row")


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


def say(text: str) -> None:
    """A line on standard output, without what would steer a terminal."""
    plain = "".join(one for one in text if one in "\n\t" or unicodedata.category(one) != "Cc")
    Console().print(plain, highlight=False, markup=False, emoji=False, soft_wrap=True)


def text_of(file: Path, most: int) -> str:
    """The text of a file, or of standard input for ``-``: one letter more than ``most`` at most, so that what is too
    long is seen to be. Raises InvalidInput."""
    try:
        if str(file) == "-":
            return sys.stdin.read(most + 1)
        with file.open(encoding="utf-8") as opened:
            return opened.read(most + 1)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read as text. Give a text file in UTF-8.") from error


def bytes_of(file: Path, most: int) -> bytes:
    """What a file holds, likewise. Raises InvalidInput."""
    try:
        with file.open("rb") as opened:
            return opened.read(most + 1)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read. Name a file that is there.") from error


def write_new(to: Path | None, name: str, parts: bytes | Iterable[bytes]) -> Path:
    """A new file with this, called ``name`` here if ``to`` is None; what is there stays as it is. Raises
    InvalidInput."""
    if "\0" in str(to):
        raise InvalidInput("A file's name cannot hold a NUL character. Name another file.")
    path = (Path(name) if to is None else to.expanduser()).absolute()
    try:
        with path.open("xb") as file, _whole_or_none(path):
            for part in [parts] if isinstance(parts, bytes) else parts:
                file.write(part)
    except FileExistsError:
        raise InvalidInput(f"{path} is there already and stays as it is. Name another file with --to.") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written ({error.strerror or error}). Name another with --to.") from error
    return path


@contextmanager
def _whole_or_none(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


class Worker:
    """Somebody who works while we follow: a worker that is there, or one of our own until we leave; it is started when
    there is something to follow. Meanwhile Ctrl-C is noted, not raised: between asking for something and following it,
    or between two things that are followed, it must not be lost, nor end us without a result."""

    MOST_STARTS = 5

    def __init__(self, settings: Settings) -> None:
        self._settings, self._process, self._starts = settings, None, 0
        self._interrupted = False

    def __enter__(self) -> Worker:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, *_: object) -> None:
        self._interrupted = True

    def interrupted(self) -> bool:
        """Whether Ctrl-C was pressed since this was last asked."""
        found, self._interrupted = self._interrupted, False
        return found

    def ensure(self) -> None:
        """Start one if the last one, ours or another's, is gone; raises HomeError when none stays."""
        if (self._process is not None and self._process.poll() is None) or launcher.worker_is_alive(self._settings):
            return
        if self._starts == self.MOST_STARTS:
            raise HomeError("The worker cannot be started. `zega doctor` says what is wrong; logs/ has the details.")
        self._process: subprocess.Popen[bytes] | None = launcher.ensure_worker(self._settings)
        self._starts += 1

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def follow(
    helper: Worker,
    look: Callable[[], Row],
    show: Callable[[Row], Mapping[str, Any]],
    ended: Callable[[Row], bool],
    stop: Callable[[], None],
    *columns: ProgressColumn,
) -> Row:
    """Look again and again until it has ended, with a bar on a terminal: ``show`` gives what the bar is updated with.
    Ctrl-C calls ``stop``, and the end is waited for all the same; one that comes when it has ended is left to whoever
    follows next."""
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:
        bar = progress.add_task("Waiting for the worker", total=None)
        while True:
            row = look()
            progress.update(bar, **show(row))
            if ended(row):
                return row
            if helper.interrupted():
                stop()
                continue
            helper.ensure()
            time.sleep(POLL)
