"""A run, whatever its kind, as programs see it."""

from __future__ import annotations

from datetime import datetime

from zega_core.analytics import no_sign_of_life
from zega_core.facts.base import Facts
from zega_core.proof_tables import Proof
from zega_core.quality.validation import number
from zega_core.runs import Run
from zega_core.tables import RunStatus, TrainingSession, now
from zega_core.version_tables import FineTune

LONGEST = 1e9
"""Seconds that are told."""


class RunFacts(Facts):
    """``kind`` is auto_train, fine_tune, proof, export or pages; ``status`` queued, running, stopping, stopped, done or
    failed. ``done`` of ``total`` (0: not known yet) are examples, steps, texts or passages. ``version`` is the version
    that it made, proves or exports. ``silent`` says that its worker gave no sign of life for a while."""

    run_id: str
    kind: str
    status: str
    phase: str | None
    done: int
    total: int
    seconds: float
    seconds_left: float | None
    version: int | None
    error: str | None
    silent: str | None
    can_stop: bool
    can_continue: bool
    created_at: datetime
    completed_at: datetime | None


def of_run(run: Run) -> RunFacts:
    row = run.row
    timed = isinstance(row, FineTune | Proof)
    return RunFacts(
        run_id=run.run_id,
        kind=run.kind,
        status=row.status,
        phase=None if isinstance(row, TrainingSession) else row.phase or None,
        done=run.done,
        total=run.total,
        seconds=round(number(row.active_seconds, 0, LONGEST) or 0.0, 1),
        seconds_left=number(row.seconds_left, 0, LONGEST) if timed else None,
        version=getattr(row, "version_number", None),
        error=row.error,
        silent=no_sign_of_life(row.heartbeat_at, now()) if row.status == RunStatus.running else None,
        can_stop=run.can_stop,
        can_continue=run.can_continue,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )
