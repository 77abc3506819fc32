"""An example as programs see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from zega_core.amending import stamp
from zega_core.facts.base import Facts, Page, readable, score
from zega_core.tables import Example


class ExampleFacts(Facts):
    """``seen`` names the example as it is now: sent back with a change, nothing is overwritten that changed
    meanwhile."""

    id: int
    seen: str
    source: str
    status: str
    reason: str | None
    genre: str | None
    element: str | None
    modifier: str | None
    prompt: str
    completion: str
    original: str | None
    quality: float | None
    report: dict[str, Any] | None
    judge_score: float | None
    stars: int | None
    decision: str | None
    tags: list[str]
    teacher: str | None
    origin: str | None
    duplicate_of: int | None
    created_at: datetime
    edited_at: datetime | None
    rated_at: datetime | None


class ExamplePage(Page):
    examples: list[ExampleFacts]


def of_example(row: Example) -> ExampleFacts:
    report = readable(row.quality_report)
    return ExampleFacts(
        id=row.id or 0,
        seen=stamp(row),
        source=row.source,
        status=row.status,
        reason=row.reason,
        genre=row.genre or None,
        element=row.element or None,
        modifier=row.modifier or None,
        prompt=row.prompt,
        completion=row.completion,
        original=row.original,
        quality=score(row.quality),
        report=report if isinstance(report, dict) else None,
        judge_score=score(row.judge_score),
        stars=row.rating,
        decision=row.decision,
        tags=row.tags,
        teacher=row.model,
        origin=row.origin,
        duplicate_of=row.duplicate_of,
        created_at=row.created_at,
        edited_at=row.edited_at,
        rated_at=row.rated_at,
    )
