"""How good a piece is, and why: ``score``. Whether a text answers the request at all: the two questions beside it."""

from zega_core.quality.criteria import Criterion
from zega_core.quality.foreign import declines, in_another_language
from zega_core.quality.score import QUALITY_VERSION, QualityReport, score

__all__ = ["QUALITY_VERSION", "Criterion", "QualityReport", "declines", "in_another_language", "score"]
