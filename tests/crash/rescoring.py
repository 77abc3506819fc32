"""Scoring again as a process that can be killed: ``python -m tests.crash.rescoring WRITER``. Pieces score what they
say, a few milliseconds each, in small batches."""

from __future__ import annotations

import sys
import time
from typing import Any

from tests.support.scored import told
from zega_core import rescore
from zega_core.quality import QualityReport
from zega_core.settings import get_settings


def slowly(*arguments: Any) -> QualityReport:
    time.sleep(0.003)
    return told(*arguments)


if __name__ == "__main__":
    rescore.score, rescore.BATCH = slowly, 10
    rescore.rescore(sys.argv[1], get_settings(), everything=True)
