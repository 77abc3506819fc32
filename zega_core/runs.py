"""Everything long that is done for a writer, whatever its kind: found by its id, stopped, gone on with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from zega_core import db, fine_tune_words
from zega_core.conversation_tables import Manuscript
from zega_core.errors import InvalidInput, NotFound
from zega_core.jobs import client
from zega_core.proof_tables import Export, Proof
from zega_core.settings import Settings
from zega_core.store import examples, exports, fine_tunes, leases, manuscripts, proofs, sessions
from zega_core.store.runs import HANDED_IN
from zega_core.tables import RESUMABLE, RunStatus, TrainingSession
from zega_core.version_tables import FineTune

Row = TrainingSession | FineTune | Proof | Export | Manuscript
NONE = "There is no such run. List the runs and take an id from there."
NO_EXPORT = "An export that was stopped leaves nothing to go on from. Start a new one."


class Kind(StrEnum):
    auto_train = "auto_train"
    fine_tune = "fine_tune"
    proof = "proof"
    export = "export"
    pages = "pages"


@dataclass(frozen=True, slots=True)
class Run:
    """``done`` of ``total`` (0: not known yet) are examples, steps, texts or passages."""

    kind: Kind
    row: Row
    done: int
    total: int

    @property
    def run_id(self) -> str:
        return self.row.session_id if isinstance(self.row, TrainingSession) else self.row.run_id

    @property
    def can_stop(self) -> bool:
        return self.row.status in (RunStatus.queued, RunStatus.running)

    @property
    def can_continue(self) -> bool:
        """Whether going on with it would do anything."""
        if isinstance(self.row, FineTune):
            return fine_tune_words.can_continue(self.row)
        if isinstance(self.row, TrainingSession):
            unanswered = self.row.status == RunStatus.done and self.row.num_examples_failed > 0
            return not self.row.reported and (unanswered or self.row.status in RESUMABLE)
        return not isinstance(self.row, Export) and self.row.status in RESUMABLE


def of_writer(
    session: Session, writer_id: str, *, kinds: Sequence[Kind] = (), unfinished: bool = False, limit: int = 20
) -> list[Run]:
    """The newest of these kinds (none: of all), the one asked for last first. ``unfinished``: those that wait or are
    worked on."""
    rows: list[Row] = []
    for kind in kinds or tuple(Kind):
        rows += _UNDER_WAY[kind](session, writer_id) if unfinished else _NEWEST[kind](session, writer_id, limit)
    rows.sort(key=lambda row: row.created_at, reverse=True)
    return [_run(session, row) for row in rows[:limit]]


def find(session: Session, writer_id: str, run_id: str) -> Run:
    """The writer's run; another writer's is not found, exactly like one that does not exist."""
    for get in _BY_ID.values():
        try:
            return _run(session, get(session, writer_id, run_id))
        except NotFound:
            continue
    raise NotFound(NONE)


def stop(writer_id: str, run_id: str, settings: Settings) -> Run:
    """Ask it to stop: what is written stays (of an export nothing). One that has ended stays as it is. Raises
    NotFound."""
    with db.reading(settings) as session:
        found = find(session, writer_id, run_id)
    _STOP[found.kind](writer_id, run_id, settings)
    with db.reading(settings) as session:
        return find(session, writer_id, run_id)


def go_on(writer_id: str, run_id: str, settings: Settings) -> Run:
    """Go on with what was stopped or has failed, and with a session for its pieces that have no text; one under way, or
    done, is left alone. Raises NotFound, and InvalidInput for what cannot be gone on with."""
    with db.reading(settings) as session:
        found = find(session, writer_id, run_id)
    if found.kind == Kind.export and found.row.status in RESUMABLE:
        raise InvalidInput(NO_EXPORT)
    if isinstance(found.row, TrainingSession) and found.row.reported:
        raise InvalidInput(HANDED_IN)
    if found.can_continue:
        _GO_ON[found.kind](writer_id, run_id, settings)
    with db.reading(settings) as session:
        return find(session, writer_id, run_id)


def _run(session: Session, row: Row) -> Run:
    if isinstance(row, TrainingSession):
        return Run(Kind.auto_train, row, examples.tally(session, row.id or 0).done, row.num_examples_requested)
    if isinstance(row, FineTune):
        return Run(Kind.fine_tune, row, row.step, row.steps)
    if isinstance(row, Proof):
        return Run(Kind.proof, row, row.done, row.total)
    if isinstance(row, Manuscript):
        return Run(Kind.pages, row, row.done, row.passages)
    return Run(Kind.export, row, int(row.status == RunStatus.done), 1)


_UNDER_WAY: Mapping[Kind, Callable[[Session, str], Sequence[Row]]] = {
    Kind.auto_train: lambda session, writer: leases.under_way(session, TrainingSession, writer),
    Kind.fine_tune: lambda session, writer: leases.under_way(session, FineTune, writer),
    Kind.proof: lambda session, writer: leases.under_way(session, Proof, writer),
    Kind.export: lambda session, writer: leases.under_way(session, Export, writer),
    Kind.pages: lambda session, writer: leases.under_way(session, Manuscript, writer),
}
_NEWEST: Mapping[Kind, Callable[[Session, str, int], Sequence[Row]]] = {
    Kind.auto_train: lambda session, writer, limit: sessions.page(session, writer, size=limit),
    Kind.fine_tune: fine_tunes.recent,
    Kind.proof: lambda session, writer, limit: proofs.of_writer(session, writer)[:limit],
    Kind.export: lambda session, writer, limit: exports.of_writer(session, writer)[:limit],
    Kind.pages: lambda session, writer, limit: manuscripts.of_writer(session, writer)[:limit],
}
_BY_ID: Mapping[Kind, Callable[[Session, str, str], Row]] = {
    Kind.auto_train: sessions.get,
    Kind.fine_tune: fine_tunes.get,
    Kind.proof: proofs.get,
    Kind.export: exports.get,
    Kind.pages: manuscripts.get,
}
_STOP: Mapping[Kind, Callable[[str, str, Settings], None]] = {
    Kind.auto_train: client.stop,
    Kind.fine_tune: client.stop_fine_tune,
    Kind.proof: client.stop_proof,
    Kind.export: client.stop_export,
    Kind.pages: client.stop_pages,
}
_GO_ON: Mapping[Kind, Callable[[str, str, Settings], None]] = {
    Kind.auto_train: client.resume,
    Kind.fine_tune: client.resume_fine_tune,
    Kind.proof: client.resume_proof,
    Kind.pages: client.resume_pages,
}
