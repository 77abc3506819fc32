"""The process of a proof by a script: ``python -m tests.support.prover <folder>``, in the place of the real one.

``{folder}/../script.json`` is a list of what each start does, the last one again and again: ``die_at`` so many texts,
``hang_at`` so many, ``error`` and ``kind``, ``leave_out`` the last texts, ``rate`` nats a token afterwards. Each start
leaves a line in ``{folder}/../starts``: how many texts were there already.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from zega_core.proof.job import SIDES, read_job

NAMES = "keeper harbour lantern gull door river letter coat table winter garden stranger boat window road mill".split()
DID = "carried watched left opened crossed remembered lost mended counted followed heard painted".split()


def tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def text(side: str, place: int) -> str:
    """What a side writes on a prompt."""
    draw = random.Random(f"{side} {place}")
    return " ".join(
        f"The {draw.choice(NAMES)} {draw.choice(DID)} the {draw.choice(NAMES)} by the {draw.choice(NAMES)}."
        for _ in range(8)
    )


def main(folder: Path) -> None:
    threading.Thread(target=lambda: os._exit(0) if os.read(0, 1) == b"" else None, daemon=True).start()
    job, starts = read_job(folder), folder.parent / "starts"
    number = len(starts.read_text().splitlines()) if starts.exists() else 0
    with starts.open("a") as lines:
        lines.write(f"{len(job.written)}\n")
    script = json.loads((folder.parent / "script.json").read_text(encoding="utf-8"))
    act = script[min(number, len(script) - 1)]
    if "error" in act:
        tell(event="error", message=act["error"], kind=act.get("kind", "refused"))
        return
    tell(event="phase", phase="writing")
    todo = [(side, one.place) for side in SIDES for one in job.asked if f"{side}:{one.place}" not in job.written]
    for at, (side, place) in enumerate(todo[: len(todo) - act.get("leave_out", 0)]):
        if act.get("die_at") == at:
            os.kill(os.getpid(), signal.SIGKILL)
        if act.get("hang_at") == at:
            time.sleep(600)
        tell(event="text", side=side, place=place, text=text(side, place), tokens=90, ended=True)
    if job.held:
        tell(event="phase", phase="measuring")
        for side in SIDES:
            if side not in job.measured:
                rate = 4.0 if side == "before" else act.get("rate", 3.5)
                tell(event="losses", side=side, nats=[rate * 50] * len(job.held), tokens=[50] * len(job.held))
    tell(event="note", text="One note.")
    tell(event="done")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
