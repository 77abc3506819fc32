"""The state of each session's run: what ``leases`` says of any run, and the record that is left of it."""

from __future__ import annotations

from sqlmodel import Session, col, select

from zega_core.errors import InvalidInput
from zega_core.store import examples, leases, session_teachers
from zega_core.store.sessions import get, is_run
from zega_core.tables import RESUMABLE, UNFINISHED, RunStatus, TrainingSession

HANDED_IN = "Another program ran this session and handed in its record. Go on with it there."


def begin(session: Session, session_id: str, attempt: int) -> TrainingSession | None:
    """Take the run: a new lease, which ends every older one. None if it is not this attempt's to work on."""
    row_id = session.exec(select(TrainingSession.id).where(*is_run(session_id))).first()
    return leases.begin(session, TrainingSession, row_id, attempt)


def ask_to_stop(session: Session, writer_id: str, session_id: str) -> TrainingSession:
    """Stop: a run that waits ends here, one under way by its worker. One that has ended stays as it is."""
    return leases.ask_to_stop(session, get(session, writer_id, session_id))


def ask_to_continue(session: Session, writer_id: str, session_id: str) -> TrainingSession | None:
    """Queue what an ended session still lacks, examples without an answer included; None if there is nothing
    to continue, or another press was first. Raises InvalidInput for one that another program ran."""
    row = get(session, writer_id, session_id)
    if row.reported:
        raise InvalidInput(HANDED_IN)
    statuses = (*RESUMABLE, RunStatus.done) if row.num_examples_failed else RESUMABLE
    return leases.queue_again(session, row, statuses, recorded=False)


def take_over(session: Session, row: TrainingSession) -> TrainingSession | None:
    """Make a new attempt of a run that nobody works on any more; None if somebody was faster."""
    return leases.queue_again(session, row, UNFINISHED, recorded=False)


def write_record(session: Session, session_id: str) -> None:
    """Fill in the history fields of an ended session from its examples. Writing it twice changes nothing."""
    row = session.exec(select(TrainingSession).where(*is_run(session_id))).one()
    tally = examples.tally(session, row.id or 0)
    row.num_examples_successful = tally.kept
    row.num_examples_failed = tally.failed
    row.num_examples_set_aside = tally.set_aside
    row.stories_saved_count = tally.stories
    row.average_quality, row.min_quality, row.max_quality = tally.average, tally.lowest, tally.highest
    row.best_performing_model = tally.best_model
    row.model_performance_json = tally.models
    row.genre_distribution_json = tally.genres
    row.total_time_seconds = round(row.active_seconds, 3)
    row.training_examples_after = examples.count_kept(session, row.user_id, until=row.completed_at)
    row.recorded = True
    session.add(row)
    session_teachers.renew(session, row.id or 0)


def unfinished(session: Session) -> list[int]:
    """Row ids, oldest first."""
    query = select(TrainingSession.id).where(col(TrainingSession.status).in_(UNFINISHED))
    return [found for found in session.exec(query.order_by(col(TrainingSession.id))) if found is not None]


def unrecorded(session: Session) -> list[str]:
    """Ended sessions whose record could not be written."""
    query = select(TrainingSession.session_id).where(
        ~col(TrainingSession.status).in_(UNFINISHED), ~col(TrainingSession.recorded)
    )
    return list(session.exec(query).all())
