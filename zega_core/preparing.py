"""What a run needs before it begins may have to be fetched, which takes its time: who stops the run, or takes it over,
does not wait for that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from zega_core.tables import RunStatus

HEARTBEAT = 0.5
"""Seconds between two looks at a run's row."""


def beside(prepare: Callable[[], object], hold: Callable[[], RunStatus | None]) -> RunStatus | None:
    """Do ``prepare`` in a thread, and look by ``hold`` whether the run is still ours. Its status when it is prepared or
    is to stop; None when the lease was lost. Raises what ``prepare`` raises."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="prepare")
    try:
        preparing = pool.submit(prepare)
        while True:
            wait([preparing], HEARTBEAT)
            status = hold()
            if status != RunStatus.running:
                return status
            if preparing.done():
                preparing.result()
                return status
    finally:
        pool.shutdown(wait=False)
