"""One export as a worker runs it, and what happens to its files afterwards.

An export's folder is complete or absent: it is filled under another name and renamed. Every attempt has a name of its
own, so one that was given up cannot write into the next.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from logging import getLogger
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING

from zega_core import db
from zega_core.configs import check_writer_id
from zega_core.errors import Cancelled, HomeError, InvalidInput, NotFound, ZegaError
from zega_core.fine_tune.base import file_hash
from zega_core.proof_tables import Export
from zega_core.settings import Settings
from zega_core.store import exports, leases
from zega_core.tables import UNFINISHED, RunStatus

if TYPE_CHECKING:
    from zega_core.exports.build import Built

log = getLogger(__name__)

HEARTBEAT = 0.5
"""Seconds between two looks at the run's row."""
ZIP, PART = ".zip", ".part"
PART_SECONDS = 3600.0
"""Longest that a zip is written; one that is older was left by a process that was killed."""
_FOLDER = re.compile(r"[a-z]+(?:-v\d+)?-[0-9a-f]{8}")
_MAKING = re.compile(rf"({_FOLDER.pattern})\.(\d+)\.tmp")


def run(run_id: str, attempt: int, *, settings: Settings) -> RunStatus | None:
    """Work on an export; its final status, or None if it is not ours (any more). Raises HomeError when the database
    cannot be written: the run then waits to be taken up again."""
    with db.session(settings) as session:
        row = exports.by_run_id(session, run_id)
        row = None if row is None else leases.begin(session, Export, row.id, attempt)
        if row is None:
            return None
    started, error = monotonic(), None
    try:
        status = _Work(row, settings).through()
    except ZegaError as known:
        log.warning("export %s failed: %s", run_id, known)
        status, error = RunStatus.failed, str(known)
    except Exception as unexpected:
        log.exception("export %s failed", run_id)
        status = RunStatus.failed
        error = f"The export met an error it does not know ({type(unexpected).__name__}); logs/ has the details."
    if status is None:
        return None
    with db.session(settings) as session:
        ended = leases.end(session, row, status, monotonic() - started, error, phase="")
    return status if ended else None


def folder_of(settings: Settings, row: Export) -> Path:
    """Where its files are. Raises NotFound for a row that names no folder of ours."""
    if not _FOLDER.fullmatch(row.folder):
        raise NotFound("The folder of this export has no name that ZEGA gives. Delete the export and make a new one.")
    return settings.home / "exports" / check_writer_id(row.user_id) / row.folder


class _Work:
    """One attempt."""

    def __init__(self, row: Export, settings: Settings) -> None:
        self.row, self.settings = row, settings
        self.folder = folder_of(settings, row)
        self.making = self.folder.with_name(f"{row.folder}.{row.attempt}.tmp")
        self.stop, self.stopping, self.phase = threading.Event(), False, ""

    def through(self) -> RunStatus | None:
        """The status to end with; None when it is not ours any more."""
        if self.folder.is_dir():  # a kill between renaming and the row's end
            return RunStatus.done
        try:
            return self._made()
        except Cancelled:
            if not self.stopping:
                raise
            return self._hold() and RunStatus.stopped
        finally:
            shutil.rmtree(self.making, ignore_errors=True)

    def _made(self) -> RunStatus | None:
        built = self._watched()
        if built is None:
            return None
        with self.settings.home_errors():
            files = {name: file_hash(self.making / name) for name in _names(self.making)}
            size = sum((self.making / name).stat().st_size for name in files)
            # The row first: whoever finds the folder in its place needs nothing else.
            values = {"notes": built.notes, "report": built.report, "files": files, "size_bytes": size}
            if self._hold(phase="saving", **values) is None:
                return None
            self.making.rename(self.folder)
        return RunStatus.done

    def _watched(self) -> Built | None:
        """What was built while the row was looked at; None when the lease was lost."""
        with ThreadPoolExecutor(1, thread_name_prefix="export") as pool:
            building = pool.submit(self._build)
            try:
                while True:
                    wait([building], HEARTBEAT)
                    status = self._hold(phase=self.phase)
                    if status is None:
                        return None
                    if status == RunStatus.stopping:
                        self.stopping = True
                        self.stop.set()
                    if building.done():
                        return building.result()
            finally:
                self.stop.set()

    def _build(self) -> Built:
        with self.settings.home_errors():
            self.making.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.making, ignore_errors=True)
            self.making.mkdir()
            # What writes models takes a while to import, and the pages only look at rows.
            from zega_core.exports.build import build

            return build(self.row, self.making, self.settings, tell=self._tell, stop=self.stop)

    def _tell(self, phase: str) -> None:
        if self.stop.is_set():
            raise Cancelled("The export was stopped.")
        self.phase = phase

    def _hold(self, **values: object) -> RunStatus | None:
        with db.session(self.settings) as session:
            return leases.holds(session, self.row, **values)


def delete(writer_id: str, run_id: str, settings: Settings) -> None:
    """Delete an export with its files. Raises InvalidInput while it is made, NotFound for another writer's, HomeError
    when files cannot be deleted: then it is still listed."""
    with db.session(settings) as session:
        row = exports.get(session, writer_id, run_id)
        if row.status in UNFINISHED:
            raise InvalidInput("This export is still being made. Stop it first, then delete it.")
        exports.remove(session, row)
        with suppress(NotFound), settings.home_errors():  # a row that names no folder of ours has no files
            folder = folder_of(settings, row)
            folder.with_name(f"{row.folder}{ZIP}").unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)


def tidy(settings: Settings) -> None:
    """Delete what attempts that were killed, stopped or given up left half-made, and downloads likewise."""
    left = list((settings.home / "exports").glob("*/*.tmp"))  # before the rows: what is begun meanwhile must stay
    with db.reading(settings) as session:
        wanted = exports.being_made(session)
    for path in left:
        found = _MAKING.fullmatch(path.name)
        if found is None or (path.parent.name, found[1], int(found[2])) not in wanted:
            shutil.rmtree(path, ignore_errors=True)
    for path in (settings.home / "exports").glob(f"*/*{PART}"):
        with suppress(OSError):  # gone meanwhile
            if time() - path.stat().st_mtime > PART_SECONDS:
                path.unlink()


def archive(row: Export, settings: Settings) -> Path:
    """All files of a finished export in one, for a download: the path of a zip that compresses nothing. It stays until
    the export is deleted. Raises NotFound where files are missing, HomeError where it cannot be written."""
    folder = whole(row, settings)
    target = folder.with_name(f"{row.folder}{ZIP}")
    if target.is_file():
        return target
    making = folder.with_name(f"{row.folder}{ZIP}.{threading.get_native_id()}{PART}")
    with settings.home_errors():
        _check_free(folder, row)
        try:
            with zipfile.ZipFile(making, "x", zipfile.ZIP_STORED, strict_timestamps=False) as file:
                for name in sorted(row.files):
                    file.write(folder / name, f"{row.folder}/{name}")
            making.replace(target)
        finally:
            making.unlink(missing_ok=True)
    return target


def _check_free(folder: Path, row: Export) -> None:
    free = shutil.disk_usage(folder).free
    if free < row.size_bytes:
        raise HomeError(
            f"The download needs {row.size_bytes / 1e6:,.0f} MB more on the disk of {folder.parent}, and "
            f"{free / 1e6:,.0f} MB are free. Free some space, or take the files from {folder}."
        )


def whole(row: Export, settings: Settings) -> Path:
    """The folder of a finished export. Raises NotFound when it is not finished or its files are not all there."""
    if row.status != RunStatus.done:
        raise NotFound("This export is not finished, so there are no files yet.")
    folder = folder_of(settings, row)
    names = row.files if isinstance(row.files, dict) else {}
    if not folder.is_dir() or not names or set(names) - set(_names(folder)):
        raise NotFound(f"Files of this export are missing in {folder}. Delete the export and make a new one.")
    return folder


def check_target(target: Path) -> None:
    """Raises InvalidInput unless a new folder can be made at ``target``, or an empty one is there."""
    try:
        if "\0" in str(target):
            raise InvalidInput("A folder's name cannot hold a NUL character. Name another folder.")
        if target.is_dir():
            if any(target.iterdir()):
                raise InvalidInput(f"{target} is not empty. Name a new folder.")
        elif target.exists() or target.is_symlink():
            raise InvalidInput(f"{target} is a file. Name a new folder.")
        elif not target.absolute().parent.is_dir():
            raise InvalidInput(f"There is no folder {target.absolute().parent}. Make it first, or name another.")
        elif not os.access(target.absolute().parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _refused(target, error) from error


def copy_to(row: Export, target: Path, settings: Settings) -> Path:
    """Copy the files of a finished export into the new folder ``target``, complete or not at all; its full path. Raises
    InvalidInput for a place that cannot be used, NotFound where files are missing."""
    folder, target = whole(row, settings), target.absolute()
    check_target(target)
    making = target.with_name(f".{target.name[:100]}.{row.run_id[:8]}.tmp")
    try:
        free = shutil.disk_usage(target.parent).free
        if free < row.size_bytes:
            raise InvalidInput(
                f"The export takes {row.size_bytes / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free on the disk of "
                f"{target.parent}. Free some space, or name a folder elsewhere."
            )
        for name in sorted(row.files):
            (making / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, making / name)
        if target.is_dir():
            target.rmdir()
        making.rename(target)
    except OSError as error:
        raise _refused(target, error) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return target


def _refused(target: Path, error: OSError) -> InvalidInput:
    return InvalidInput(
        f"{target} cannot be written ({error.strerror or error}). Give yourself write access and free space there, or "
        "name another folder."
    )


def _names(folder: Path) -> list[str]:
    """Of its files, as in base/config.json; links are none of ours."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in found)
