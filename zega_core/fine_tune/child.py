"""The process that trains: ``python -m zega_core.fine_tune.child FOLDER`` (``told``).

With several GPUs it starts itself once for each, and passes on what the first of them says.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from zega_core.fine_tune import told

FINAL = ("done", "error")
UNEXPECTED = (
    "Training ended by an error that ZEGA did not foresee. The log has the details; press Continue to try again."
)
ENDED = "The training process ended unexpectedly. Press Continue to go on from its last checkpoint."
BUSY = "Another process still works on this fine-tune. Wait a minute, then press Continue."


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 when there is a version."""
    options = parser().parse_args(arguments)
    listener = told.begin()
    if "LOCAL_RANK" not in os.environ:
        told.give_way()
        processes = options.processes or _gpus(options.device)
        if processes > 1:
            return _several(options, processes, listener)
    return told.guarded(lambda tell: _work(options, tell), lambda event: told.tell(listener, event), UNEXPECTED)


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="child")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--device", help="as torch calls it; a GPU where there is one otherwise")
    arguments.add_argument("--processes", type=int, help="one for each GPU otherwise")
    return arguments


def _work(options: argparse.Namespace, tell: told.Tell) -> None:
    if os.environ.get("RANK", "0") != "0":  # the first of several holds the lock for all
        return _train(options, tell)
    with told.alone(options.folder, BUSY):
        return _train(options, tell)


def _train(options: argparse.Namespace, tell: told.Tell) -> None:
    from zega_core.fine_tune.train import train

    train(options.folder, tell, device=options.device)


def _gpus(device: str | None) -> int:
    if device is not None:
        return 1
    import torch

    return torch.cuda.device_count()


def _several(options: argparse.Namespace, processes: int, listener: IO[str]) -> int:
    """Start this module ``processes`` times and pass on the events of the first. They end with this process: its end of
    their standard input closes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    command += ["--module", "zega_core.fine_tune.child", str(options.folder)]
    command += ["--device", options.device] if options.device else []
    last: dict[str, Any] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as group:
        for line in group.stdout or ():
            if last.get("event") not in FINAL:  # the others then only say that they lost the first
                last = json.loads(line)
                told.tell(listener, last)
    if last.get("event") not in FINAL:
        told.tell(listener, {"event": "error", "message": ENDED, "kind": "unexpected"})
    return 0 if last.get("event") == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
