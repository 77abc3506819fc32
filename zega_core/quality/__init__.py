"""How good a piece is, and why: ``score`` is the only thing the rest of ZEGA asks here."""

from zega_core.quality.score import QUALITY_VERSION, Criterion, QualityReport, score

__all__ = ["QUALITY_VERSION", "Criterion", "QualityReport", "score"]
