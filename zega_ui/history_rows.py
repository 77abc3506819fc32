"""What one row of the history is called, and what stands in it."""

from __future__ import annotations

from zega_core.history_detail import genre_names
from zega_core.store.history import Kind, Row
from zega_core.tables import RunStatus
from zega_ui.components import local_time

RESUMABLE = (RunStatus.stopped, RunStatus.failed)


def can_continue(row: Row) -> bool:
    """Whether a worker can go on with it: not what a program has handed in."""
    return row.kind == Kind.auto_train and row.status in RESUMABLE and not row.reported


def name_of(row: Row) -> str:
    """When it was, and what it was about."""
    when = local_time(row.started_at)
    return f"{when.day} {when:%b %Y, %H:%M} · {_about(row)}"


def _about(row: Row) -> str:
    if row.kind == Kind.fine_tune:
        return "Fine-tune" if row.version is None else f"Fine-tune, v{row.version}"
    if row.kind == Kind.conversation:
        return f"Conversation: {row.name}" if row.name else "Conversation"
    return genre_names(row.genres) or "No genre"


def kept_of(row: Row) -> str:
    if row.kept is None:
        return ""
    return f"{row.kept:,} of {row.requested:,}" if row.requested is not None else f"{row.kept:,}"


def quality_of(row: Row) -> str:
    if row.quality is None:
        return ""
    span = "" if row.low is None or row.high is None else f" ({row.low:.1f}–{row.high:.1f})"
    return f"{row.quality:.1f}{span}"
