"""The process that trains: ``python -m zega_core.fine_tune.child FOLDER``.

It tells what it does as JSON lines on standard output and ends when standard input closes, since then nobody is there
to listen. With several GPUs it starts itself once for each, and passes on what the first of them says.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from zega_core.errors import HomeError, ZegaError

LOCK_SECONDS = 30.0
"""How long the process of a killed worker may take to notice and end."""
NICE = 10
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait do not spin: the machine has other work
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
FINAL = ("done", "error")
UNEXPECTED = (
    "Training ended by an error that ZEGA did not foresee. The log has the details; press Continue to try again."
)
ENDED = "The training process ended unexpectedly. Press Continue to go on from its last checkpoint."


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 when there is a version."""
    options = parser().parse_args(arguments)
    os.environ.update(ENVIRONMENT)  # before torch is imported
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listener = _own_output()
    threading.Thread(target=_end_with_input, daemon=True).start()
    if "LOCAL_RANK" not in os.environ:
        if hasattr(os, "nice"):
            os.nice(NICE)
        processes = options.processes or _gpus(options.device)
        if processes > 1:
            return _several(options, processes, listener)
    return _guarded(lambda tell: _work(options, tell), lambda event: _tell(listener, event))


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="child")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--device", help="as torch calls it; a GPU where there is one otherwise")
    arguments.add_argument("--processes", type=int, help="one for each GPU otherwise")
    return arguments


def _own_output() -> IO[str]:
    """Standard output for events alone; what libraries print goes to standard error."""
    listener = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return listener


def _end_with_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def _tell(listener: IO[str], event: Mapping[str, Any]) -> None:
    try:
        listener.write(json.dumps(event) + "\n")
        listener.flush()
    except BrokenPipeError:
        os._exit(0)


def _guarded(work: Callable[[Callable[[Mapping[str, Any]], None]], None], tell: Callable[..., None]) -> int:
    try:
        work(tell)
    except HomeError as error:
        tell({"event": "error", "message": str(error), "kind": "home"})
    except ZegaError as error:
        tell({"event": "error", "message": str(error), "kind": "refused"})
    except Exception:
        traceback.print_exc()
        tell({"event": "error", "message": UNEXPECTED, "kind": "unexpected"})
    else:
        return 0
    return 1


def _work(options: argparse.Namespace, tell: Callable[[Mapping[str, Any]], None]) -> None:
    if os.environ.get("RANK", "0") != "0":  # the first of several holds the lock for all
        return _train(options, tell)
    lock = FileLock(options.folder / "lock", timeout=LOCK_SECONDS)
    try:
        with lock:
            return _train(options, tell)
    except Timeout as error:
        raise HomeError("Another process still works on this fine-tune. Wait a minute, then press Continue.") from error
    except OSError as error:
        raise HomeError(
            f"ZEGA cannot use {options.folder}. Give yourself write access and free space there."
        ) from error


def _train(options: argparse.Namespace, tell: Callable[[Mapping[str, Any]], None]) -> None:
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
                _tell(listener, last)
    if last.get("event") not in FINAL:
        _tell(listener, {"event": "error", "message": ENDED, "kind": "unexpected"})
    return 0 if last.get("event") == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
