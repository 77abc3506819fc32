"""The process that merges base and adapter: ``python -m zega_core.exports.child FOLDER`` (``fine_tune.told``).

``FOLDER`` has a ``job.json`` (``Job``); the model is in ``FOLDER/model`` then, complete or absent.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from zega_core.fine_tune import told

JOB, MODEL = "job.json", "model"
UNEXPECTED = "The export ended by an error that ZEGA did not foresee. The log has the details; try again."
BUSY = "Another process still works on this export. Wait a minute, then try again."


@dataclass(frozen=True, slots=True)
class Job:
    """Folders of the base model and of the version, and the hash of the base's weights."""

    base: str
    adapter: str
    base_hash: str


def write_job(folder: Path, job: Job) -> None:
    """Raises OSError."""
    (folder / JOB).write_text(json.dumps(asdict(job)), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 when the model is there."""
    options = parser().parse_args(arguments)
    listener = told.begin()
    told.give_way()
    return told.guarded(lambda tell: _work(options.folder, tell), lambda event: told.tell(listener, event), UNEXPECTED)


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="child")
    arguments.add_argument("folder", type=Path)
    return arguments


def _work(folder: Path, tell: told.Tell) -> None:
    with told.alone(folder, BUSY):
        from zega_core.exports.merge import merge

        job = Job(**json.loads((folder / JOB).read_text(encoding="utf-8")))
        making = folder / f"{MODEL}.tmp"
        for old in (making, folder / MODEL):
            shutil.rmtree(old, ignore_errors=True)
        merge(Path(job.base), Path(job.adapter), job.base_hash, making)
        making.rename(folder / MODEL)
    tell({"event": "done"})


if __name__ == "__main__":
    sys.exit(main())
