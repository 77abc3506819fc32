"""Fine-tunes: how a writer wants them, their runs, and what their processes reported."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from logging import getLogger
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete
from sqlmodel import Session, col, select

from zega_core.configs import FineTuneConfig
from zega_core.errors import NotFound
from zega_core.proof_tables import Proof
from zega_core.store import examples, leases, proofs, training_triggers, writers
from zega_core.tables import RESUMABLE, UNFINISHED, RunStatus, TrainingSession, now
from zega_core.version_tables import FineTune, FineTuning, TrainingMetric

log = getLogger(__name__)


def load_config(session: Session, writer_id: str) -> FineTuneConfig:
    """The writer's choices, or the defaults. A row that cannot be read (another version's) starts nothing by itself."""
    row = session.get(FineTuning, writer_id)
    if row is None:
        return FineTuneConfig()
    try:
        return FineTuneConfig.model_validate(row.config)
    except ValidationError as error:
        log.warning("the fine-tuning choices of a writer cannot be used: %d mistakes", error.error_count())
        return FineTuneConfig(automatic=False)


def save_config(session: Session, writer_id: str, config: FineTuneConfig) -> None:
    writers.ensure(session, writer_id)
    if config.automatic and not load_config(session, writer_id).automatic:
        training_triggers.begin_anew(session, writer_id)
    row = session.get(FineTuning, writer_id) or FineTuning(user_id=writer_id)
    row.config, row.updated_at = config.model_dump(mode="json"), now()
    session.add(row)


def create(session: Session, writer_id: str, config: FineTuneConfig, trigger: str) -> FineTune:
    """A queued fine-tune."""
    writers.ensure(session, writer_id)
    row = FineTune(
        user_id=writer_id,
        run_id=secrets.token_hex(16),
        trigger=trigger,
        config=config.model_dump(mode="json"),
        kept_before=examples.count_kept(session, writer_id),
        pairs_before=examples.count_kept_answers(session, writer_id),
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, writer_id: str, run_id: str) -> FineTune:
    """The writer's fine-tune; another writer's is not found, exactly like one that does not exist."""
    row = session.exec(select(FineTune).where(FineTune.user_id == writer_id, FineTune.run_id == run_id)).first()
    if row is None:
        raise NotFound("There is no such fine-tune. It may have been deleted; choose one on the Fine-Tune page.")
    return row


def by_run_id(session: Session, run_id: str) -> FineTune | None:
    """Whoever's it is: for workers."""
    return session.exec(select(FineTune).where(FineTune.run_id == run_id)).first()


def latest(session: Session, writer_id: str) -> FineTune | None:
    return next(iter(recent(session, writer_id, 1)), None)


def recent(session: Session, writer_id: str, limit: int) -> list[FineTune]:
    """Newest first."""
    query = select(FineTune).where(FineTune.user_id == writer_id).order_by(col(FineTune.id).desc()).limit(limit)
    return list(session.exec(query).all())


def under_way(session: Session, writer_id: str) -> list[FineTune]:
    """Those that wait or are worked on, oldest first."""
    query = select(FineTune).where(FineTune.user_id == writer_id, col(FineTune.status).in_(UNFINISHED))
    return list(session.exec(query.order_by(col(FineTune.id))).all())


def waits_for(session: Session, row: FineTune) -> FineTune | Proof | None:
    """What of the writer's has to end before this one may begin: a fine-tune that has begun, else an older one, else
    the proof of the newest version, which may change what is in use and so what is gone on from."""
    first = min(under_way(session, row.user_id), key=_turn, default=row)
    if _turn(first) < _turn(row):
        return first
    return proofs.of_newest_version(session, row.user_id) if row.status == RunStatus.queued else None


def _turn(row: FineTune) -> tuple[bool, int]:
    return row.status == RunStatus.queued, row.id or 0


def unfinished(session: Session) -> list[int]:
    """Row ids of everybody's, oldest first."""
    query = select(FineTune.id).where(col(FineTune.status).in_(UNFINISHED)).order_by(col(FineTune.id))
    return [identity for identity in session.exec(query) if identity is not None]


def may_go_on(session: Session) -> set[str]:
    """Run ids of everybody's that made no version yet and may still."""
    open_ones = (*UNFINISHED, *RESUMABLE)
    return set(session.exec(select(FineTune.run_id).where(col(FineTune.status).in_(open_ones))).all())


def made(session: Session) -> set[tuple[str, int]]:
    """Writer and number of every version that a finished fine-tune has made, also of those deleted since."""
    query = select(FineTune.user_id, FineTune.version_number).where(FineTune.status == RunStatus.done)
    return {(writer, number) for writer, number in session.exec(query) if number is not None}


def ask_to_continue(session: Session, row: FineTune) -> FineTune | None:
    """Queue an ended one that made no version again; None if there is nothing to continue, or another press was
    first."""
    if row.version_number is not None:
        return None
    return leases.queue_again(session, row, RESUMABLE)


def take_over(session: Session, row: FineTune) -> FineTune | None:
    """Make a new attempt of one that nobody works on any more; None if somebody was faster."""
    return leases.queue_again(session, row, UNFINISHED)


def kept_since(session: Session, writer_id: str) -> int:
    """How many more examples are kept now than when the last fine-tune was asked for."""
    before = session.exec(
        select(FineTune.kept_before).where(FineTune.user_id == writer_id).order_by(col(FineTune.id).desc())
    ).first()
    return max(0, examples.count_kept(session, writer_id) - (before or 0))


def pairs_since(session: Session, writer_id: str) -> int:
    """How many more answers of conversations are kept now than when the last fine-tune was asked for."""
    before = session.exec(
        select(FineTune.pairs_before).where(FineTune.user_id == writer_id).order_by(col(FineTune.id).desc())
    ).first()
    return max(0, examples.count_kept_answers(session, writer_id) - (before or 0))


def new_in(session: Session, row: FineTune) -> tuple[int, int]:
    """How many kept examples were new when this one was asked for, and how many of them were answers."""
    query = (
        select(FineTune.kept_before, FineTune.pairs_before)
        .where(FineTune.user_id == row.user_id, col(FineTune.id) < row.id)
        .order_by(col(FineTune.id).desc())
    )
    kept, pairs = session.exec(query).first() or (0, 0)
    return max(0, row.kept_before - kept), max(0, row.pairs_before - pairs)


def writers_with_new(session: Session) -> list[str]:
    """Writers who have kept something and neither a fine-tune nor a session under way."""
    busy = select(FineTune.user_id).where(col(FineTune.status).in_(UNFINISHED))
    writing = select(TrainingSession.user_id).where(col(TrainingSession.status).in_(UNFINISHED))
    counts = examples.kept_by_writer(session)
    skip = set(session.exec(busy)) | set(session.exec(writing))
    return [writer for writer in counts if writer not in skip]


def forget_metrics_after(session: Session, row: FineTune, step: int) -> None:
    """A run that goes on from a checkpoint does these steps again."""
    session.exec(
        delete(TrainingMetric).where(col(TrainingMetric.fine_tune_id) == row.id, col(TrainingMetric.step) > step)
    )


def add_metrics(session: Session, row: FineTune, steps: Mapping[int, Mapping[str, Any]]) -> None:
    """Values of ``TrainingMetric`` by step; what a step has already is completed, never doubled."""
    query = select(TrainingMetric).where(
        TrainingMetric.fine_tune_id == row.id, col(TrainingMetric.step).in_(list(steps))
    )
    there = {one.step: one for one in session.exec(query)}
    for step, values in steps.items():
        metric = there.get(step) or TrainingMetric(fine_tune_id=row.id or 0, step=step, epoch=0.0)
        for name, value in values.items():
            setattr(metric, name, value)
        session.add(metric)


def metrics(session: Session, writer_id: str, run_id: str) -> list[TrainingMetric]:
    """By step."""
    row = get(session, writer_id, run_id)
    query = select(TrainingMetric).where(TrainingMetric.fine_tune_id == row.id).order_by(col(TrainingMetric.step))
    return list(session.exec(query).all())
