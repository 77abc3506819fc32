"""What a session or a fine-tune came to, as the command line and the API hand it out."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from zega_core import fine_tune_words, triggers, versions
from zega_core.analytics import took
from zega_core.settings import Settings
from zega_core.store import examples
from zega_core.store import versions as version_rows
from zega_core.tables import RunStatus, TrainingSession
from zega_core.version_tables import FineTune


def of_session(session: Session, row: TrainingSession, settings: Settings) -> dict[str, Any]:
    """Of one that has ended: its record. Of one under way: what it has come to by now. Times are in seconds."""
    until = triggers.until_next(session, row.user_id, settings)
    ready = not triggers.missing(session, row.user_id)
    found = examples.tally(session, row.id or 0) if not row.recorded else None
    kept = row.training_examples_after if found is None else examples.count_kept(session, row.user_id)
    return {
        "session_id": row.session_id,
        "status": str(row.status),
        "total_requested": row.num_examples_requested,
        "successful": row.num_examples_successful if found is None else found.kept,
        "set_aside": row.num_examples_set_aside if found is None else found.set_aside,
        "failed": row.num_examples_failed if found is None else found.failed,
        "genre_distribution": row.genre_distribution_json if found is None else found.genres,
        "average_quality": row.average_quality if found is None else found.average,
        "min_quality": row.min_quality if found is None else found.lowest,
        "max_quality": row.max_quality if found is None else found.highest,
        "model_performance": row.model_performance_json if found is None else found.models,
        "stories_saved": row.stories_saved_count if found is None else found.stories,
        "total_time": row.total_time_seconds if found is None else round(row.active_seconds, 3),
        "training_stats": {
            "training_examples": kept,
            "examples_until_next_training": until.left,
        },
        "fine_tuning_triggered": row.fine_tuning_triggered,
        "ready_for_finetuning": ready and not until.left,
        "error": row.error,
    }


def of_fine_tune(session: Session, row: FineTune) -> dict[str, Any]:
    """What is measured is None until there is a version, and where it was deleted since."""
    version = version_rows.find(session, row.user_id, row.version_number) if row.version_number else None
    in_use = version_rows.promoted(session, row.user_id)
    if version is not None:
        message = (
            f"Fine-tuned model '{versions.model_name(row.user_id)}' created: v{version.number}. "
            f"{fine_tune_words.surprise(version)} It took {took(version.seconds)}."
        )
    elif row.status in (RunStatus.done, RunStatus.stopped):
        message = row.error or "It ended without a version. Nothing has changed."
    else:
        message = row.error or f"{fine_tune_words.heading(row)}."
    return {
        "status": "success" if version is not None else str(row.status),
        "message": message,
        "run_id": row.run_id,
        "version": row.version_number,
        "promoted": version is not None and in_use is not None and in_use.number == version.number,
        "training_examples_used": None if version is None else version.examples,
        "training_time_seconds": round(row.active_seconds, 1),
        "model_size_mb": None if version is None else round(version.size_bytes / 1e6, 2),
        "step": row.step,
        "steps": row.steps,
        "notes": list(row.notes),
    }
