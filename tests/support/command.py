"""The command line without a process of its own, for the many calls that are only refused: starting one takes two
seconds."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from zega_core import cli


@dataclass(frozen=True, slots=True)
class Called:
    """What a process would have left."""

    returncode: int
    stdout: str
    stderr: str


class Command:
    """Calls the program as ``python -m zega_core`` does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._printed = monkeypatch, capsys

    def __call__(self, *arguments: str) -> Called:
        self._patch.setattr(sys, "argv", ["zega", *arguments])
        self._printed.readouterr()
        try:
            status = cli.main()
        except SystemExit as left:
            status = left.code
        assert status is None or isinstance(status, int), status
        printed = self._printed.readouterr()
        return Called(status or 0, printed.out, printed.err)
