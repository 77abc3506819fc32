"""Finds what nobody works on: rows whose workflow is missing, ended, or held by a worker that went silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from logging import getLogger
from typing import TypeVar

from dbos import WorkflowStatus

from zega_core import auto_train, changes, db, exporting, fine_tuning, memory, passes, proving
from zega_core.conversation_tables import Manuscript
from zega_core.jobs import client, questions, queues
from zega_core.jobs.writing import enqueue_memory, enqueue_style, memory_id, style_id
from zega_core.proof_tables import Export, Proof
from zega_core.settings import Settings
from zega_core.store import (
    checks,
    exports,
    fine_tunes,
    manuscripts,
    proofs,
    runs,
    scores,
    shown,
    style_profiles,
    writing_choices,
)
from zega_core.tables import TrainingSession, now
from zega_core.version_tables import FineTune
from zega_core.writing import tidy as tidy_takes

log = getLogger(__name__)

MEMORY_AGAIN = 600.0
"""Seconds until memory is seen to again after its embedder could not be had."""
MEMORY_SECONDS = 6 * 3600.0
"""Within which a worker has embedded whatever there is; a longer silence means that it is gone."""
WAITING = ("ENQUEUED", "DELAYED")
"""DBOS statuses of a workflow that no worker has begun."""


def reconcile(settings: Settings) -> int:
    """Enqueue what is missing, take over what is abandoned, write the records that failed. Returns how many."""
    with db.reading(settings) as session:
        rows, unrecorded = runs.unfinished(session), runs.unrecorded(session)
        unanswered, rescores = checks.unanswered(session), scores.asked(session)
        examples = shown.waiting(session)
    changed = 0
    for row_id in rows:
        try:
            with db.reading(settings) as session:
                row = session.get_one(TrainingSession, row_id)
            changed += _revive(row, client.workflow_id, runs.take_over, client.enqueue, settings)
        except Exception:  # one bad row must not keep the others waiting
            log.exception("training session %d could not be taken up", row_id)
    for check in unanswered:  # asked for before there was a queue
        client.enqueue_check(check.id or 0, settings)
    for turn in examples:  # the same
        questions.enqueue_example(turn, settings)
    for writer_id in rescores:
        try:
            changed += _revive_rescore(writer_id, settings)
        except Exception:
            log.exception("scoring again could not be taken up for a writer")
    for session_id in unrecorded:
        auto_train.record(session_id, settings)
    changed += _see_to_fine_tunes(settings)
    changed += _see_to_proofs(settings)
    changed += _see_to_exports(settings)
    changed += _see_to_pages(settings)
    changed += _see_to_styles(settings)
    changed += _see_to_memory(settings)
    changed += tidy_takes(settings)
    with db.session(settings) as session:
        changes.purge(session)
    return changed + len(unrecorded)


Run = TypeVar("Run", TrainingSession, FineTune, Proof, Export, Manuscript)


def _revive(
    row: Run,
    identity: Callable[[Run], str],
    take_over: Callable[[db.Session, Run], Run | None],
    enqueue: Callable[[Run, Settings], None],
    settings: Settings,
) -> bool:
    """Enqueue a run that has no workflow, or a new attempt of one whose workflow ended or went silent."""
    found = _workflow(identity(row), settings)
    if found is not None:
        if found.status in WAITING or not _abandoned(row.heartbeat_at, found, settings):
            return False
        with db.session(settings) as session:
            taken = take_over(session, row)
        if taken is None:
            return False
        row = taken
    log.info("%s: attempt %d is enqueued", identity(row), row.attempt)
    enqueue(row, settings)
    return True


def _each(rows: Sequence[int], revive: Callable[[int, Settings], bool], what: str, settings: Settings) -> int:
    """How many were taken up. One bad row must not keep the others waiting."""
    changed = 0
    for row_id in rows:
        try:
            changed += revive(row_id, settings)
        except Exception:
            log.exception("%s %d could not be taken up", what, row_id)
    return changed


def _see_to_fine_tunes(settings: Settings) -> int:
    with db.reading(settings) as session:
        rows, candidates = fine_tunes.unfinished(session), fine_tunes.writers_with_new(session)
    changed = _each(rows, _revive_fine_tune, "fine-tune", settings)
    for writer_id in candidates:
        try:
            changed += client.fine_tune_if_due(writer_id, settings) is not None
        except Exception:
            log.exception("whether a fine-tune is due could not be found out for a writer")
    fine_tuning.tidy(settings)
    return changed


def _revive_fine_tune(row_id: int, settings: Settings) -> bool:
    with db.reading(settings) as session:
        row = session.get_one(FineTune, row_id)
        if fine_tunes.waits_for(session, row) is not None:
            return False
    return _revive(row, client.fine_tune_id, fine_tunes.take_over, client.enqueue_fine_tune, settings)


def _see_to_proofs(settings: Settings) -> int:
    with db.reading(settings) as session:
        rows = proofs.unfinished(session)
    changed = _each(rows, _revive_proof, "proof", settings)
    proving.tidy(settings)
    return changed


def _revive_proof(row_id: int, settings: Settings) -> bool:
    with db.reading(settings) as session:
        row = session.get_one(Proof, row_id)
    return _revive(row, client.proof_id, proofs.take_over, client.enqueue_proof, settings)


def _see_to_exports(settings: Settings) -> int:
    with db.reading(settings) as session:
        rows = exports.unfinished(session)
    changed = _each(rows, _revive_export, "export", settings)
    exporting.tidy(settings)
    return changed


def _revive_export(row_id: int, settings: Settings) -> bool:
    with db.reading(settings) as session:
        row = session.get_one(Export, row_id)
    return _revive(row, client.export_id, exports.take_over, client.enqueue_export, settings)


def _see_to_pages(settings: Settings) -> int:
    with db.reading(settings) as session:
        rows = manuscripts.unfinished(session)
    return _each(rows, _revive_pages, "own pages", settings)


def _see_to_styles(settings: Settings) -> int:
    with db.reading(settings) as session:
        waiting = style_profiles.asked(session)
    changed = 0
    for writer_id, asked_at in waiting:
        try:
            changed += _revive_style(writer_id, asked_at, settings)
        except Exception:
            log.exception("measuring a writer's style could not be taken up")
    return changed


def _revive_style(writer_id: str, asked_at: datetime, settings: Settings) -> bool:
    found = _workflow(style_id(writer_id, asked_at), settings)
    if found is not None:
        if found.status in WAITING or not _abandoned(None, found, settings):
            return False
        with db.session(settings) as session:
            asked_at = style_profiles.ask(session, writer_id, anew=True)
    enqueue_style(writer_id, asked_at, settings)
    return True


def _revive_pages(row_id: int, settings: Settings) -> bool:
    with db.reading(settings) as session:
        row = manuscripts.by_id(session, row_id)
    return _revive(row, client.pages_id, manuscripts.take_over, client.enqueue_pages, settings)


def _see_to_memory(settings: Settings) -> int:
    with db.reading(settings) as session:
        asked = dict(writing_choices.memory_asked(session))
        lacking = memory.lacking(session)
    changed = 0
    for writer_id in {*asked, *lacking}:
        try:
            if writer_id in asked:
                changed += _revive_memory(writer_id, asked[writer_id], settings)
            else:
                client.refresh_memory(writer_id, settings)
                changed += 1
        except Exception:
            log.exception("memory could not be taken up for a writer")
    return changed


def _revive_memory(writer_id: str, asked_at: datetime, settings: Settings) -> bool:
    """Enqueue a request that has no workflow, or a new one in place of one that came to nothing."""
    found = _workflow(memory_id(writer_id, asked_at), settings)
    if found is not None:
        patience = MEMORY_SECONDS if found.status == "PENDING" else MEMORY_AGAIN
        if found.status in WAITING or (now() - asked_at).total_seconds() < patience:
            return False
        with db.session(settings) as session:
            asked_at = writing_choices.ask_for_memory(session, writer_id)
    enqueue_memory(writer_id, asked_at, settings)
    return True


def _revive_rescore(writer_id: str, settings: Settings) -> bool:
    with db.reading(settings) as session:
        row = scores.peek(session, writer_id)
    asked_at, progress = row.rescore_asked_at, passes.read_progress(row.rescore_result)
    if asked_at is None or not scores.waits(row):
        return False
    found = _workflow(client.rescore_id(writer_id, asked_at), settings)
    if found is not None:
        stored_at = None if progress is None else datetime.fromtimestamp(progress.at, UTC)
        if found.status in WAITING or not _abandoned(stored_at, found, settings):
            return False
        with db.session(settings) as session:
            asked_at = scores.ask_again(session, writer_id, asked_at)
        if asked_at is None:
            return False
    client.enqueue_rescore(writer_id, asked_at, settings)
    return True


def _workflow(identity: str, settings: Settings) -> WorkflowStatus | None:
    found = queues.dbos_client(settings).list_workflows(workflow_ids=[identity], load_input=False, load_output=False)
    return found[0] if found else None


def _abandoned(heartbeat: datetime | None, workflow: WorkflowStatus, settings: Settings) -> bool:
    if workflow.status != "PENDING":
        return True  # it ended, and yet the row says that there is work to do
    begun = datetime.fromtimestamp((workflow.updated_at or 0) / 1000, UTC)
    alive = max(begun, heartbeat or begun)
    return (now() - alive).total_seconds() > settings.stale_after
