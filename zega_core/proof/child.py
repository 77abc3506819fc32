"""The process that writes and measures for a proof: ``python -m zega_core.proof.child FOLDER`` (``fine_tune.told``).

``FOLDER`` has a job, and the process says of it what ``job`` describes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from zega_core.fine_tune import told

UNEXPECTED = (
    "The proof ended by an error that ZEGA did not foresee. The log has the details; press Continue to try again."
)
BUSY = "Another process still works on this proof. Wait a minute, then press Continue."


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 when all was written and measured."""
    options = parser().parse_args(arguments)
    listener = told.begin()
    told.give_way()
    return told.guarded(lambda tell: _work(options, tell), lambda event: told.tell(listener, event), UNEXPECTED)


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="child")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--device", help="as torch calls it; a GPU where there is one otherwise")
    return arguments


def _work(options: argparse.Namespace, tell: told.Tell) -> None:
    with told.alone(options.folder, BUSY):
        from zega_core.proof.write import work

        work(options.folder, tell, device=options.device)


if __name__ == "__main__":
    sys.exit(main())
