"""A training process by a script: ``python -m tests.support.trainer <folder>``, in the place of the real one.

``{folder}/../script.json`` is a list of what each start does, the last one again and again: ``die_at`` a step,
``error`` and ``kind``, ``best_step``, ``steps``, ``seconds`` a step, ``until_stop``. It goes on from the step that
``{folder}/reached`` names, as the real one does from its checkpoint. ``adapter``, a folder, and ``base_hash`` are what
it is to have made: then its version can be loaded.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.support.outcome import RESULT


def tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    threading.Thread(target=lambda: os._exit(0) if os.read(0, 1) == b"" else None, daemon=True).start()
    starts = folder / "starts"
    number = int(starts.read_text()) if starts.exists() else 0
    starts.write_text(str(number + 1))
    script = json.loads((folder.parent / "script.json").read_text(encoding="utf-8"))
    act = script[min(number, len(script) - 1)]
    if (folder / "version").is_dir():
        tell(event="done", result={})
        return
    if "error" in act:
        tell(event="error", message=act["error"], kind=act.get("kind", "refused"))
        return
    steps, reached = act.get("steps", 6), folder / "reached"
    first = int(reached.read_text()) if reached.exists() else 0
    tell(event="phase", phase="training")
    done = range(1, first + 1)
    tell(event="start", steps=steps, step=first, epochs=steps / 2, losses=[4 - step / 10 for step in done],
         validations=[(step, 4 - step / 20) for step in range(first + 1)])  # fmt: skip
    if not first:
        tell(event="validation", step=0, epoch=0.0, loss=4.0, best=True)
    stopped = False
    for step in range(first + 1, steps + 1):
        while act.get("until_stop") and not (folder / "stop").exists():
            time.sleep(0.01)
        stopped = (folder / "stop").exists()
        if stopped:
            break
        if act.get("die_at") == step:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(act.get("seconds", 0))
        tell(event="step", step=step, steps=steps, epoch=step / 2, loss=4 - step / 10, learning_rate=1e-3,
             tokens_per_second=1000.0, seconds_left=float(steps - step))  # fmt: skip
        tell(event="validation", step=step, epoch=step / 2, loss=4 - step / 20, best=True)
        reached.write_text(str(step))
    tell(event="note", text="One note.")
    finish(folder, act, stopped)


def finish(folder: Path, act: dict[str, Any], stopped: bool) -> None:
    making, contents = folder / "version.tmp", {"adapter_model.safetensors": b"weights"}
    making.mkdir(exist_ok=True)
    if "adapter" in act:
        contents = {one.name: one.read_bytes() for one in Path(act["adapter"]).iterdir()}
        shutil.copyfile(folder / "data.jsonl", making / "data.jsonl")
    for name, content in contents.items():
        (making / name).write_bytes(content)
    result = replace(
        RESULT,
        best_step=act.get("best_step", 5),
        perplexity_after=act.get("after", 22.4),
        stopped=stopped,
        base_hash=act.get("base_hash", RESULT.base_hash),
        files={name: sha256(content).hexdigest() for name, content in contents.items()},
        notes=["One note."],
    )
    (making / "result.json").write_text(json.dumps(asdict(result)), encoding="utf-8")
    making.rename(folder / "version")
    tell(event="done", result=asdict(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
