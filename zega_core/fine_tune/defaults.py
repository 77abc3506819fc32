"""The settings of a fine-tune that the writer leaves to ZEGA, by the size of the data and of the base model. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from zega_core.configs import FineTuneConfig
from zega_core.fine_tune.data import Summary
from zega_core.fine_tune.plan import Plan


class Base(Protocol):
    """What has to be known of a base model: ``context`` in tokens."""

    @property
    def name(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def parameters(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def context(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Defaults:
    """``rows`` is up to how many training examples this holds. ``epochs`` is the most: training ends earlier when the
    validation loss stops falling, which is measured ``evaluations`` times an epoch."""

    rows: float
    epochs: int
    evaluations: int
    batch_size: int


RANK, PATIENCE, MAX_LENGTH = 16, 2, 512
SMALL_BASE = 50_000_000
"""Parameters up to which a base model learns as the built-in one does."""
RATE_SMALL, RATE_LARGE = 1e-3, 2e-4
EPOCHS_LARGE, EPOCHS_BLIND = 3, 3
"""The most epochs of a larger base, and of any without validation: nothing could tell it to stop."""
AT_ONCE_SMALL, AT_ONCE_LARGE = 8, 2
"""Examples computed at once; the process takes fewer where memory is short."""
BY_SIZE = (
    _Defaults(rows=40, epochs=6, evaluations=1, batch_size=4),
    _Defaults(rows=1_000, epochs=5, evaluations=1, batch_size=8),
    _Defaults(rows=5_000, epochs=4, evaluations=2, batch_size=8),
    _Defaults(rows=float("inf"), epochs=2, evaluations=4, batch_size=16),
)


def plan_for(
    config: FineTuneConfig, summary: Summary, base: Base, *, start: str = "", parent: int | None = None, data_hash: str
) -> Plan:
    """The writer's choices, and defaults for what they left open. ``start`` is the adapter to go on from and
    ``parent`` the number of its version."""
    small = base.parameters <= SMALL_BASE
    by_size = next(one for one in BY_SIZE if summary.splits.get("train", 0) <= one.rows)
    epochs = by_size.epochs if small else min(by_size.epochs, EPOCHS_LARGE)
    if not summary.splits.get("validation"):
        epochs = min(epochs, EPOCHS_BLIND)
    rank, batch_size = config.rank or RANK, config.batch_size or by_size.batch_size
    return Plan(
        base=str(base.folder),
        base_name=base.name,
        start=start,
        parent=parent,
        rank=rank,
        alpha=config.alpha or 2 * rank,
        learning_rate=config.learning_rate or (RATE_SMALL if small else RATE_LARGE),
        epochs=config.epochs or epochs,
        batch_size=batch_size,
        micro_batch=min(batch_size, AT_ONCE_SMALL if small else AT_ONCE_LARGE),
        max_length=min(config.max_length or MAX_LENGTH, base.context),
        evaluations=by_size.evaluations,
        patience=PATIENCE,
        seed=config.seed,
        strength=config.strength,
        data_hash=data_hash,
    )
