"""Reading own pages as a process that can be killed: ``python -m tests.crash.reading RUN_ID ATTEMPT``. Small batches, a
few milliseconds for each passage."""

from __future__ import annotations

import sys
import time
from typing import Any

from zega_core import own_pages
from zega_core.quality import QualityReport, score
from zega_core.settings import get_settings


def slowly(*arguments: Any) -> QualityReport:
    time.sleep(0.003)
    return score(*arguments)


if __name__ == "__main__":
    own_pages.score, own_pages.BATCH = slowly, 3
    own_pages.run(sys.argv[1], int(sys.argv[2]), settings=get_settings())
