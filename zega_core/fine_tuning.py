"""One fine-tune as a worker runs it: prepare the data, watch the process that trains, make a version of what it leaves
and ask for its proof, which decides whether it is put in use.

Training is a process of its own (``fine_tune.child``): a crash of torch leaves the worker alive, and the other way
round. Its folder holds all it needs to go on, so whoever takes the run up after a kill only starts it again.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from logging import getLogger
from pathlib import Path
from time import monotonic

from zega_core import db, learning, versions
from zega_core.child_process import ChildProcess, Ended
from zega_core.configs import FineTuneConfig, checked
from zega_core.errors import HomeError, InvalidInput, ZegaError
from zega_core.fine_tune.plan import Plan, Result, read_plan, read_result, write_run
from zega_core.preparing import HEARTBEAT, beside
from zega_core.settings import Settings
from zega_core.store import fine_tunes, leases, proofs, teaching, writers
from zega_core.store import versions as version_rows
from zega_core.tables import RunStatus
from zega_core.training_reports import Reports, unique
from zega_core.version_tables import FineTune, Version

log = getLogger(__name__)

CHILD = "zega_core.fine_tune.child"
LESS_MEMORY = ", or choose a smaller batch, a shorter window or a smaller base model under Advanced"
NO_HELP = (
    "Training did not help: the model never came nearer to the examples that were set apart for checking. No version "
    "was made. More examples, or examples of your own words, help most."
)


def run(run_id: str, attempt: int, *, settings: Settings) -> RunStatus | None:
    """Work on a fine-tune; its final status, or None if it is not ours (any more) or has to wait for an older one of
    the same writer. Raises HomeError when the database cannot be written: the run then waits to be taken up again."""
    with db.session(settings) as session:
        row = fine_tunes.by_run_id(session, run_id)
        if row is None:
            return None
        writers.lock(session, row.user_id)
        if fine_tunes.waits_for(session, row) is not None:
            return None
        row = leases.begin(session, FineTune, row.id, attempt)
        if row is None:
            return None
    started, error = monotonic(), None
    try:
        status, error = _Work(row, settings).through()
    except ZegaError as known:
        log.warning("fine-tune %s failed: %s", run_id, known)
        status, error = RunStatus.failed, str(known)
    except Exception as unexpected:
        log.exception("fine-tune %s failed", run_id)
        status = RunStatus.failed
        error = f"The fine-tune met an error it does not know ({type(unexpected).__name__}); logs/ has the details."
    if status is None:
        return None
    return _end(row, status, monotonic() - started, error, settings)


def _end(row: FineTune, status: RunStatus, seconds: float, error: str | None, settings: Settings) -> RunStatus | None:
    # A number that no version came of (the disk was full) is given back: Continue may make one yet.
    given = {} if status == RunStatus.done else {"version_number": None}
    with db.session(settings) as session:
        if not leases.end(session, row, status, seconds, error, phase="", **given):
            return None
    if status == RunStatus.done:
        shutil.rmtree(folder_of(settings, row.run_id), ignore_errors=True)
    return status


def folder_of(settings: Settings, run_id: str) -> Path:
    """Where a run's data and checkpoints are until its version is made."""
    return settings.home / "fine_tunes" / run_id


def tidy(settings: Settings) -> None:
    """Delete the folders of fine-tunes that made their version or were deleted, and of versions that were deleted when
    the process was killed. A version that this database never knew stays: it may be another one's of this home."""
    runs = list((settings.home / "fine_tunes").glob("*"))  # before the rows: what is made meanwhile must stay
    with db.reading(settings) as session:
        wanted = fine_tunes.may_go_on(session)
        deleted = fine_tunes.made(session) - set(version_rows.everybodys(session))
    for folder in runs:
        if folder.name.removesuffix(".tmp") not in wanted:
            shutil.rmtree(folder, ignore_errors=True)
    for writer, number in deleted:
        shutil.rmtree(versions.folder_of(settings, writer, number), ignore_errors=True)


class _Work:
    """One attempt."""

    def __init__(self, row: FineTune, settings: Settings) -> None:
        self.row, self.settings = row, settings
        self.folder = folder_of(settings, row.run_id)
        self.stopping = False

    def through(self) -> tuple[RunStatus | None, str | None]:
        """The status to end with (None: not ours any more) and an error in words."""
        if self.row.version_number is not None and self._version_folder(self.row.version_number).is_dir():
            return self._store_version(), None
        if not (self.folder / "plan.json").is_file():
            self._hold(phase="preparing")
            status = beside(self._prepare, self._hold)  # lays out the folder
            if status != RunStatus.running:
                return (None if status is None else RunStatus.stopped), None
        try:
            result = self._train()
        except InvalidInput as error:
            if not self.stopping:
                raise
            return RunStatus.stopped, str(error)
        if result is None:
            return None, None
        if result.best_step == 0:
            shutil.rmtree(self.folder / "version", ignore_errors=True)
            return (RunStatus.stopped, None) if result.stopped else (RunStatus.failed, NO_HELP)
        return self._store_version(result), None

    def _hold(self, **values: object) -> RunStatus | None:
        with db.session(self.settings) as session:
            return leases.holds(session, self.row, **values)

    def _prepare(self) -> None:
        config = checked(FineTuneConfig, **self.row.config)
        shutil.rmtree(self.folder, ignore_errors=True)
        with self.settings.home_errors():
            self.folder.parent.mkdir(exist_ok=True)
        task = learning.task(self.row.user_id, self.settings, config)
        if self._hold() is None:  # it took long, and the run has ended or is another's
            return
        making = self.folder.with_name(f"{self.folder.name}.tmp")
        shutil.rmtree(making, ignore_errors=True)
        with self.settings.home_errors():
            write_run(making, task.plan, task.rows)
        self.row.data = task.summary
        # The row first: a folder is only gone on with when the row says what is in it.
        if self._hold(plan=asdict(task.plan), data=task.summary) is not None:
            with self.settings.home_errors():
                making.rename(self.folder)

    def _train(self) -> Result | None:
        """What training came to, or None when the lease was lost."""
        (self.folder / "stop").unlink(missing_ok=True)
        reports = Reports(self.row, self.settings)
        with ChildProcess(CHILD, self.folder, self.settings, advice=LESS_MEMORY) as process:
            while True:
                events = process.events(HEARTBEAT)
                status = reports.store(events)
                if status is None:
                    log.info("fine-tune %s is worked on by somebody else now, or was deleted", self.row.run_id)
                    return None
                if status == RunStatus.stopping:
                    self.stopping = True
                    process.ask_to_stop()
                ended = process.ended()
                if ended is not None:
                    reports.store(process.events(0))
                    return self._result(ended)

    def _result(self, ended: Ended) -> Result:
        if ended.error:
            kinds = {"home": HomeError, "refused": InvalidInput}
            raise kinds.get(ended.kind, ZegaError)(ended.error)
        return read_result(self.folder / "version")

    def _version_folder(self, number: int) -> Path:
        return versions.folder_of(self.settings, self.row.user_id, number)

    def _store_version(self, result: Result | None = None) -> RunStatus | None:
        """First the number, then the files in their place, then the row: a kill between any two is made good by the
        next attempt, which finds the number and goes on from there."""
        row = self.row
        if row.version_number is None:
            with db.session(self.settings) as session:
                writers.lock(session, row.user_id)
                number = version_rows.next_number(session, row.user_id)
                while self._version_folder(number).is_dir():  # another database's of this home: it is not overwritten
                    number += 1
                if leases.holds(session, row, phase="saving", version_number=number) is None:
                    return None
            row.version_number = number
        target, made = self._version_folder(row.version_number), self.folder / "version"
        if made.is_dir():  # else it is in its place already
            with self.settings.home_errors():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.folder / "plan.json", made / "plan.json")
                made.rename(target)
        result, plan = result or read_result(target), read_plan(target)
        with db.session(self.settings) as session:
            writers.lock(session, row.user_id)
            if version_rows.find(session, row.user_id, row.version_number) is not None:
                return leases.holds(session, row) and RunStatus.done
            version = self._version(row.version_number, plan, result)
            against, reserve = versions.opponent(session, version, self.settings)
            notes = [*row.notes, *result.notes, *([reserve] if reserve else [])]
            if leases.holds(session, row, notes=unique(notes)) is None:
                return None
            session.add(version)
            session.flush()
            proofs.create(
                session,
                row.user_id,
                version.number,
                against=against,
                promote=not reserve,
                judge=teaching.load(session, row.user_id).judge,
                trigger="fine_tune",
            )
        return RunStatus.done

    def _version(self, number: int, plan: Plan, result: Result) -> Version:
        data = self.row.data or {}
        metrics = {key: value for key, value in asdict(result).items() if key not in ("files", "base_hash")}
        return Version(
            user_id=self.row.user_id,
            number=number,
            fine_tune_id=self.row.id or 0,
            parent=plan.parent,
            base=plan.base_name,
            base_hash=result.base_hash,
            data_hash=plan.data_hash,
            examples=int(data.get("examples", 0)),
            own_share=float(data.get("own_share", 0.0)),
            settings=asdict(plan),
            metrics=metrics,
            files=result.files,
            size_bytes=result.size_bytes,
            seconds=result.seconds,
        )
