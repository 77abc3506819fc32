"""One proof as a worker runs it: watch the process that writes and measures, ask a judge, weigh it all, and put the
version in use if it is better.

The rows are the checkpoint: what is written, measured or judged is stored once and not asked for again,
whoever goes on.
"""

from __future__ import annotations

import shutil
from logging import getLogger
from pathlib import Path
from time import monotonic
from typing import Any

from zega_core import db, proof_task, proof_weighing, staffing, versions
from zega_core.child_process import ChildProcess, Ended
from zega_core.errors import HomeError, InvalidInput, NotFound, ZegaError
from zega_core.preparing import HEARTBEAT, beside
from zega_core.proof.job import write_job
from zega_core.proof_judging import NOTE, Judging, spent, waits
from zega_core.proof_reports import Reports
from zega_core.proof_tables import Proof
from zega_core.settings import Settings
from zega_core.store import leases, proofs, writers
from zega_core.store import versions as version_rows
from zega_core.tables import UNFINISHED, RunStatus
from zega_core.training_reports import unique

log = getLogger(__name__)

CHILD = "zega_core.proof.child"


def run(run_id: str, attempt: int, *, settings: Settings) -> RunStatus | None:
    """Work on a proof; its final status, or None if it is not ours (any more). Raises HomeError when the database
    cannot be written: the run then waits to be taken up again."""
    with db.session(settings) as session:
        row = proofs.by_run_id(session, run_id)
        row = None if row is None else leases.begin(session, Proof, row.id, attempt)
    if row is None:
        return None
    started, error = monotonic(), None
    try:
        status = _Work(row, settings).through()
        if status == RunStatus.done:
            return _conclude(row, monotonic() - started, settings)
    except ZegaError as known:
        log.warning("proof %s failed: %s", run_id, known)
        status, error = RunStatus.failed, str(known)
    except Exception as unexpected:
        log.exception("proof %s failed", run_id)
        status = RunStatus.failed
        error = f"The proof met an error it does not know ({type(unexpected).__name__}); logs/ has the details."
    if status is None:
        log.info("proof %s is worked on by somebody else now, or was deleted", run_id)
        return None
    with db.session(settings) as session:
        ended = leases.end(session, row, status, monotonic() - started, error, phase="", seconds_left=None)
    if not ended:
        return None
    weigh_anew(row.user_id, run_id, settings)
    return status


def _conclude(row: Proof, seconds: float, settings: Settings) -> RunStatus | None:
    """Weigh, and in one transaction store what came of it and put the version in use if that follows from it."""
    while True:
        texts = proof_task.texts_of(row, settings)
        found = proof_weighing.weighed(row, texts, settings)
        with db.session(settings) as session:
            writers.lock(session, row.user_id)
            if proof_weighing.stamp(proofs.texts(session, row)) != proof_weighing.stamp(texts):
                continue  # the writer chose while it was weighed
            version, notes = _to_promote(session, row, found.verdict, settings)
            values: dict[str, Any] = {"verdict": found.verdict, "figures": found.figures, "reasons": found.reasons}
            values["promote"] = version is not None
            notes = unique([*row.notes, *notes])
            if not leases.end(
                session, row, RunStatus.done, seconds, phase="", seconds_left=None, notes=notes, **values
            ):
                return None
            if version is not None:
                version_rows.promote(session, row.user_id, version)
        shutil.rmtree(folder_of(settings, row.run_id), ignore_errors=True)
        return RunStatus.done


def _to_promote(
    session: db.Session, row: Proof, verdict: str, settings: Settings
) -> tuple[version_rows.Version | None, list[str]]:
    """The version, if it is put in use now; and what to say if it is not, though it is better."""
    version = version_rows.find(session, row.user_id, row.version_number)
    current = version_rows.promoted(session, row.user_id)
    if version is None or not row.promote or verdict != "better" or (current and current.id == version.id):
        return None, []
    if reserve := versions.not_compared(current, row.against):
        return None, reserve
    try:
        versions.check_files(settings, version)
    except NotFound as error:
        return None, [str(error)]
    return version, []


def choose(writer_id: str, run_id: str, place: int, choice: str, settings: Settings) -> None:
    """Store which text of a pair the writer likes better (before, after or tie; empty takes it back), and weigh again
    at once. It puts nothing in use. Raises NotFound and InvalidInput."""
    with db.session(settings) as session:
        row = proofs.get(session, writer_id, run_id)
        writers.lock(session, writer_id)  # who weighs it last has seen this choice, or comes after it
        proofs.choose(session, row, place, choice)
    weigh_anew(writer_id, run_id, settings)


def weigh_anew(writer_id: str, run_id: str, settings: Settings) -> None:
    """Weigh what has a verdict again, by what was chosen and judged since: at once, as nothing else has changed.
    Nothing while it is worked on: whoever does that weighs it. Raises NotFound."""
    with db.reading(settings) as session:
        row = proofs.get(session, writer_id, run_id)
        texts = proofs.texts(session, row)
    if row.status in UNFINISHED or not row.verdict:
        return
    found = proof_weighing.weighed(row, texts, settings)
    with db.session(settings) as session:
        writers.lock(session, writer_id)
        row = proofs.get(session, writer_id, run_id)
        if row.status in UNFINISHED or proof_weighing.stamp(proofs.texts(session, row)) != proof_weighing.stamp(texts):
            return  # who chose, or judges, after this weighs it all
        row.verdict, row.figures, row.reasons = found.verdict, found.figures, found.reasons
        session.add(row)


def take_back(writer_id: str, run_id: str, settings: Settings) -> None:
    """Undo the writer's last choice; nothing if there is none."""
    with db.reading(settings) as session:
        last = proofs.last_chosen(session, proofs.get(session, writer_id, run_id))
    if last is not None:
        choose(writer_id, run_id, last.place, "", settings)


def folder_of(settings: Settings, run_id: str) -> Path:
    """Where the process of a proof finds its job."""
    return settings.home / "proofs" / run_id


def tidy(settings: Settings) -> None:
    """Delete the folders of proofs that nobody works on: the rows have all that is needed to go on."""
    folders = list((settings.home / "proofs").glob("*"))  # before the rows: what is made meanwhile must stay
    with db.reading(settings) as session:
        wanted = proofs.unfinished_runs(session)
    for folder in folders:
        if folder.name not in wanted:
            shutil.rmtree(folder, ignore_errors=True)


class _Work:
    """One attempt."""

    def __init__(self, row: Proof, settings: Settings) -> None:
        self.row, self.settings = row, settings
        self.folder = folder_of(settings, row.run_id)

    def through(self) -> RunStatus | None:
        """The status to end with; None: not ours any more."""
        status = self._hold()
        for step in (self._prepared, self._written, self._judged, self._weighed):
            if status == RunStatus.running:
                status = step()
        ends = {RunStatus.running: RunStatus.done, RunStatus.stopping: RunStatus.stopped}
        return None if status is None else ends[status]

    def _hold(self, **values: object) -> RunStatus | None:
        with db.session(self.settings) as session:
            return leases.holds(session, self.row, **values)

    def _prepared(self) -> RunStatus | None:
        if self.row.job is not None:
            return self._hold()
        self._hold(phase="preparing")
        return beside(self._prepare, self._hold)

    def _prepare(self) -> None:
        job, asked = proof_task.prepare(self.row, self.settings)
        kept = proof_task.stored(job)
        with db.session(self.settings) as session:
            if leases.holds(session, self.row, job=kept, done=0, total=2 * len(asked)) is not None:
                proofs.add_prompts(session, self.row, asked)
                self.row.job = kept

    def _written(self) -> RunStatus | None:
        """Have the process write and measure what is missing: nothing, once there is a verdict."""
        if self.row.verdict:
            return self._hold()
        texts = proof_task.texts_of(self.row, self.settings)
        job = proof_task.job_of(self.row, texts, self.settings)
        if proof_task.is_complete(job):
            return self._hold()
        reports = Reports(self.row, texts, job, self.settings)
        with ChildProcess(CHILD, self.folder, self.settings, lay_out=self._lay_out) as process:
            while True:
                status = reports.store(process.events(HEARTBEAT))
                if status != RunStatus.running:
                    return status
                ended = process.ended()
                if ended is not None:
                    status = reports.store(process.events(0))
                    self._check(ended)
                    return status

    def _lay_out(self) -> None:
        """Before each start of the process, with what is there by then."""
        texts = proof_task.texts_of(self.row, self.settings)
        with self.settings.home_errors():
            write_job(self.folder, proof_task.job_of(self.row, texts, self.settings))

    def _check(self, ended: Ended) -> None:
        if ended.error:
            kinds = {"home": HomeError, "refused": InvalidInput}
            raise kinds.get(ended.kind, ZegaError)(ended.error)
        texts = proof_task.texts_of(self.row, self.settings)
        if not proof_task.is_complete(proof_task.job_of(self.row, texts, self.settings)):
            raise ZegaError("The process that writes ended before everything was written. Press Continue to go on.")

    def _judged(self) -> RunStatus | None:
        """Have the judge read what it has not read; again, with other limits, when the writer's choices changed."""
        name, status, left = self.row.judge, self._hold(), True
        while name and left and status == RunStatus.running:
            texts = [text for text in proof_task.texts_of(self.row, self.settings) if proofs.is_pair(text)]
            notes = [note for note in self.row.notes if not note.startswith(NOTE)]
            left = False
            if waits(texts, name):
                seat = staffing.judge_of(self.row.user_id, name, self.settings, spent=spent(texts, name))
                if isinstance(seat, str):
                    notes.append(f"{NOTE}{name} was not asked: {seat} It, or another one, can be asked later.")
                else:
                    judging = Judging(self.row, seat.model, seat.changed, self.settings)
                    status, left = judging.through(texts), judging.left
                    notes += judging.notes()
            self.row.notes = unique(notes)
            if status is not None:
                status = self._hold(notes=self.row.notes)
        return status

    def _weighed(self) -> RunStatus | None:
        """Measure what was written. With many trained texts it takes its time, and the run must not look abandoned;
        what the writer chooses meanwhile is counted at the end."""
        return beside(self._weigh, self._hold)

    def _weigh(self) -> None:
        texts = proof_task.texts_of(self.row, self.settings)
        self.row.figures = proof_weighing.weighed(self.row, texts, self.settings).figures
