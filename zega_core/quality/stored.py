"""Reports and rated pieces as they are read back: whatever is stored, what cannot be used is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zega_core.quality.agreement import Rating
from zega_core.quality.score import Criterion, QualityReport
from zega_core.quality.validation import number

MOST = 40
"""Criteria of one report that are looked at."""


@dataclass(frozen=True, slots=True)
class RatedPiece:
    """A piece that the writer has rated, with the report of the measured score. ``judged`` is 0..10, None where no
    judge has seen it."""

    rating: Rating
    prompt: str
    report: QualityReport
    judged: float | None = None
    example_id: int = 0
    opening: str = ""


def read_report(value: object) -> QualityReport | None:
    """A stored report; None where it has no score or no version. Criteria without a score from 0 to 10 are left out."""
    if not isinstance(value, dict):
        return None
    score, version, gate = number(value.get("score"), 0, 10), value.get("version"), value.get("gate")
    if score is None or not isinstance(version, int) or isinstance(version, bool):
        return None
    return QualityReport(score, tuple(_criteria(value.get("criteria"))), None if gate is None else str(gate), version)


def _criteria(value: object) -> Iterator[Criterion]:
    for one in value[:MOST] if isinstance(value, list | tuple) else ():
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            continue
        score, reasons = number(one.get("score"), 0, 10), one.get("reasons")
        if score is not None:
            told = tuple(map(str, reasons)) if isinstance(reasons, list | tuple) else ()
            yield Criterion(one["name"], str(one.get("label", one["name"])), score, told)
