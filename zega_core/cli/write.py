"""``zega write``."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from zega_core import db, writing
from zega_core.cli.frame import cli, print_json, screen, text_of
from zega_core.configs import DEFAULT_WRITER, check_writer_id, checked
from zega_core.settings import Settings, get_settings
from zega_core.store import writing_choices
from zega_core.writing_configs import CUSTOM, MAX_GIVEN, TEACHERS, WriteRequest
from zega_core.writing_tables import Take, TakeState
from zega_core.writing_words import given, progress

LOOK = 0.1
FAREWELL = 10.0
"""Seconds for what is written to be stored at the end."""


@cli.command(epilog='Example: zega write "A ferry that never arrives" --genre mystery --words 150')
def write(
    brief: Annotated[str, typer.Argument(help="What to write, in your own words.")] = "",
    writer: Annotated[str, typer.Option(help="Whose model and style.")] = DEFAULT_WRITER,
    task: Annotated[str, typer.Option(help="write, continue or rewrite.")] = "write",
    given_file: Annotated[
        Path | None, typer.Option("--given", help="A text file to continue or to rewrite; - reads standard input.")
    ] = None,
    genre: Annotated[str, typer.Option(help="One of the eight genres.")] = "",
    element: Annotated[str, typer.Option(help="scene, character, dialogue or setting.")] = "",
    style: Annotated[str, typer.Option(help="A style modifier, such as plain or tension.")] = "",
    author: Annotated[
        list[str] | None,
        typer.Option(help="custom (your model), base, storyteller, teachers, version:3 or a teacher; twice for both."),
    ] = None,
    words: Annotated[int | None, typer.Option(help="About how long, 20 to 800.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 takes no chances, 1.5 many.")] = None,
    seed: Annotated[str | None, typer.Option(help="The same seed, request and model write the same again.")] = None,
    no_memory: Annotated[bool, typer.Option("--no-memory", help="Recall nothing.")] = False,
    no_hints: Annotated[bool, typer.Option("--no-hints", help="Without hints on your style.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when done.")] = False,
) -> None:
    """Write with your own model, as it comes. Ctrl-C stops it; what is written is kept and is on the Write page."""
    settings = get_settings()
    with db.session(settings) as session:
        chosen = writing_choices.load(session, check_writer_id(writer))
    request = checked(
        WriteRequest,
        writer_id=writer,
        task=task,
        brief=brief,
        given="" if given_file is None else text_of(given_file, MAX_GIVEN),
        genre=genre,
        element=element,
        modifier=style,
        authors=tuple(author or (CUSTOM if chosen.custom else TEACHERS,)),
        hints=chosen.hints and not no_hints,
        recall=chosen.recall and not no_memory,
        temperature=chosen.temperature if temperature is None else temperature,
        words=chosen.words if words is None else words,
        seed=seed,
    )
    takes = _follow(request, settings, quiet=as_json)
    if as_json:
        print_json({"writer": writer, "takes": [_result(take) for take in takes]})
    raise typer.Exit(_status(takes))


def _follow(request: WriteRequest, settings: Settings, *, quiet: bool) -> list[Take]:
    """Have it written, and print what comes. Ctrl-C stops it, and the end is waited for all the same."""
    interrupted = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        key = writing.start(request, settings).key
        printer, stopped = _Printer(quiet), False
        while True:
            if interrupted.is_set() and not stopped:
                writing.stop(request.writer_id, key, settings)
                stopped = writing.wait(key, FAREWELL) or True
            with db.reading(settings) as session:
                _, takes = writing.state(session, request.writer_id, key)
            printer.show(takes)
            if all(take.state != TakeState.writing for take in takes):
                return takes
            time.sleep(LOOK)
    finally:
        signal.signal(signal.SIGINT, before)


class _Printer:
    """Prints takes one after the other, each as it grows."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._printed, self._done = quiet, 0, 0
        self._said: set[str] = set()

    def show(self, takes: list[Take]) -> None:
        while not self._quiet and self._done < len(takes):
            take = takes[self._done]
            if take.text and not self._printed and len(takes) > 1:
                self._say(f"{take.label}:")
            self._say(take.note)
            fresh = take.text[self._printed :]
            sys.stdout.write(fresh)
            sys.stdout.flush()
            self._printed += len(fresh)
            if take.state == TakeState.writing:
                return
            sys.stdout.write("\n" if self._printed else "")
            for said in (given(take), progress(take)):
                self._say(said)
            self._done, self._printed, self._said = self._done + 1, 0, set()

    def _say(self, text: str) -> None:
        """Once for each take, beside the text: what is piped is the text alone."""
        if text and text not in self._said:
            self._said.add(text)
            screen.print(text, style="dim", highlight=False, markup=False, soft_wrap=True)


def _result(take: Take) -> dict[str, Any]:
    context = take.context if isinstance(take.context, dict) else {}
    return {
        "asked": take.asked,
        "model": take.model,
        "label": take.label,
        "state": take.state,
        "text": take.text,
        "note": take.note,
        "error": take.error,
        "cut": take.cut,
        "quality": take.quality,
        "seed": take.seed,
        "first_ms": take.first_ms,
        "seconds": take.seconds,
        **{name: context.get(name, []) for name in ("hints", "recalled", "left_out")},
    }


def _status(takes: list[Take]) -> Literal[0, 1, 130]:
    states = {take.state for take in takes}
    return 130 if TakeState.stopped in states else 0 if states == {TakeState.done} else 1
