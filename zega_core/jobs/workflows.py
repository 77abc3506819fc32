"""The DBOS functions, and nothing else. Arguments are ids and numbers; our own rows are the checkpoint."""

from __future__ import annotations

from dbos import DBOS

from zega_core import auto_train, providers
from zega_core.catalog import load_catalog
from zega_core.errors import ZegaError
from zega_core.settings import get_settings


@DBOS.step(name="write_missing")
def write_missing(session_id: str, attempt: int) -> None:
    """One coarse step: finer ones cost half the throughput and protect nothing more (docs/decisions.md)."""
    settings = get_settings()
    try:
        catalog, teacher = load_catalog(), providers.build_teacher(settings)
    except ZegaError as error:
        auto_train.fail(session_id, attempt, str(error), settings)
    else:
        auto_train.run(session_id, attempt, settings=settings, catalog=catalog, teacher=teacher)


@DBOS.workflow(name="auto_train", max_recovery_attempts=1000)
def auto_train_workflow(session_id: str, attempt: int) -> None:
    write_missing(session_id, attempt)
