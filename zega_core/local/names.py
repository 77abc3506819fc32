"""What a model of this machine is called. Importing this loads no torch."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zega_core.configs import check_writer_id
from zega_core.errors import InvalidInput

LONGEST = 400
_VERSION = re.compile(r"([a-z0-9_-]{1,64})/v([1-9][0-9]{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ModelName:
    """A version (``writer`` and ``number``), else a base model: the built-in one, or the one that ``base`` names."""

    writer: str = ""
    number: int = 0
    base: str = ""

    def __str__(self) -> str:
        if self.writer:
            return f"{self.writer}/v{self.number}"
        return f"base:{self.base}" if self.base else "base"

    @property
    def label(self) -> str:
        return f"Your model · v{self.number}" if self.writer else "Base model"


def version(writer_id: str, number: int) -> ModelName:
    """Raises InvalidInput for what has not the form of a writer's id and a version's number."""
    return read_name(f"{check_writer_id(writer_id)}/v{number}")


def read_name(text: str) -> ModelName:
    """``base``, ``base:<id or folder>`` or ``<writer>/v<number>``; raises InvalidInput. Only the form is checked."""
    kind, mark, base = text.partition(":")
    if kind == "base" and bool(mark) == bool(base.strip()) and len(text) <= LONGEST and text.isprintable():
        return ModelName(base=base.strip())
    found = _VERSION.fullmatch(text)
    if not found:
        raise InvalidInput("That is no name of a model here. Choose the base model or a version.")
    return ModelName(writer=check_writer_id(found[1]), number=int(found[2]))


def listed(home: Path) -> list[ModelName]:
    """The built-in base model and every version whose folder is there."""
    found = [ModelName()]
    for folder in sorted((home / "versions").glob("*/v*")):
        with suppress(InvalidInput):
            found.append(read_name(f"{folder.parent.name}/{folder.name}"))
    return found
