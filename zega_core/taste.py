"""What a piece is worth to one writer: the measured score, the judge's part and the writer's own taste."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlmodel import Session

from zega_core.configs import TasteConfig
from zega_core.quality import QualityReport
from zega_core.settings import Settings
from zega_core.store import tastes


@dataclass(frozen=True, slots=True)
class Taste:
    """``keep_score`` is what a piece must reach to be kept, 0..10."""

    keep_score: float
    config: TasteConfig = field(default_factory=TasteConfig)

    def worth(self, report: QualityReport, judge_score: float | None) -> float:
        """The score that decides, 0..10. A gate is never lifted."""
        return report.score


def taste_of(session: Session, writer_id: str, settings: Settings) -> Taste:
    config = tastes.load(session, writer_id)
    return Taste(settings.keep_score if config.keep_score is None else config.keep_score, config)
