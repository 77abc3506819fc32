"""Whether a model in Ollama writes as it does in ZEGA."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """``said`` is what was found, in one sentence."""

    name: str
    ok: bool
    said: str


@dataclass(frozen=True, slots=True)
class Answers:
    """To one prompt: of the version in ZEGA, of the same in Ollama, and of its base model in Ollama. Empty where there
    is none."""

    prompt: str
    here: str = ""
    there: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """``ok`` when all checks are."""

    model: str
    checks: list[Check] = field(default_factory=list)
    answers: list[Answers] = field(default_factory=list)
    ok: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For ``Export.report``."""
        return asdict(self)
