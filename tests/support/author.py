"""A model of this machine that writes what it is told to, for tests of writing."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from zega_core.local import models
from zega_core.providers.base import Completion, GenerationOptions, Message

PIECES = ("The ferry ", "never came. ", "Nobody on the pier said so, ", "and the lamps were lit all the same.")
TEXT = "".join(PIECES)


class Author:
    """Stands in for every model of this machine. ``gate`` holds it before its second piece, ``writing`` is set then; it
    ends with ``error``, or at ``finish``. ``asked`` is what each text was asked with."""

    def __init__(
        self,
        pieces: Sequence[str] = PIECES,
        *,
        error: Exception | None = None,
        gate: threading.Event | None = None,
        finish: str = "stop",
    ) -> None:
        self.pieces, self.error, self.gate, self.finish = pieces, error, gate, finish
        self.asked: list[tuple[str, GenerationOptions]] = []
        self.names: list[tuple[str, int | None, str]] = []
        self.writing = threading.Event()
        self.at_once = self.most = 0

    def student(self, settings: object, writer: str, number: int | None, base: str = "", **more: Any) -> _Student:
        return _Student(self, writer, number, base)


class _Student:
    def __init__(self, author: Author, writer: str, number: int | None, base: str) -> None:
        self.name = f"local/{writer}/v{number}" if number is not None else "local/base"
        self._author, self._key = author, (writer, number, base)

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, Completion]:
        author = self._author
        author.asked.append((messages[-1].content, options))
        author.names.append(self._key)
        author.at_once += 1
        author.most = max(author.most, author.at_once)
        try:
            for number, piece in enumerate(author.pieces):
                if number == 1 and author.gate is not None:
                    author.writing.set()
                    while not author.gate.wait(0.02):
                        if options.stop is not None and options.stop.is_set():
                            break
                yield piece
            if author.error is not None:
                raise author.error
            return Completion("", self.name, finish=author.finish)  # type: ignore[arg-type]
        finally:
            author.at_once -= 1


def stand_in(patch: pytest.MonkeyPatch, author: Author) -> Author:
    patch.setattr(models, "student", author.student)
    return author
