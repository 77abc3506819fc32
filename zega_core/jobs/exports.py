"""Taking a model or training data along: asking a worker for an export."""

from __future__ import annotations

from zega_core import db
from zega_core.exports import choice
from zega_core.jobs import queues
from zega_core.proof_tables import Export
from zega_core.settings import Settings, get_settings
from zega_core.store import exports, leases, writers


def export(
    writer_id: str,
    form: str,
    version: int | None = None,
    *,
    trigger: str = "writer",
    one_at_a_time: bool = False,
    noted: db.Noted | None = None,
    settings: Settings | None = None,
) -> str:
    """Queue an export in this format (``exports.formats``) and return its id. ``version`` is a version's number;
    without it a model is the version in use, else the newest, and training data is what is kept now. With
    ``one_at_a_time`` (a page's button) a second press gets the unfinished one of the same format and version. ``noted``
    is called with the id in the transaction that makes it. Raises InvalidInput for a format that there is not or where
    nothing is kept, NotFound for a version that is not theirs."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        writers.get(session, writer_id)
        writers.lock(session, writer_id)
        number = choice.what(session, writer_id, form, version)
        row = exports.under_way(session, writer_id, form, number) if one_at_a_time else None
        row = row or exports.create(session, writer_id, form, number, trigger)
        if noted is not None:
            noted(session, row.run_id)
    enqueue_export(row, settings)
    return row.run_id


def stop_export(writer_id: str, run_id: str, settings: Settings | None = None) -> None:
    """Stop one; nothing of it stays."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        leases.ask_to_stop(session, exports.get(session, writer_id, run_id))


def enqueue_export(row: Export, settings: Settings) -> None:
    """Hand the row's attempt to the workers. The same attempt twice is one run."""
    queues.hand_over(settings, "export", queues.EXPORTS, export_id(row), row.run_id, row.attempt)


def export_id(row: Export) -> str:
    return f"export:{row.run_id}:{row.attempt}"
