"""What a killed training goes on from: safetensors and JSON, complete or absent.

checkpoints/step-000012/tensors.safetensors    adapter and both moments of AdamW
checkpoints/step-000012/state.json             ``Progress``
checkpoints/step-000012/hashes.json            SHA-256 of the other two
best/step-000010.safetensors                   adapter of the lowest validation loss
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes

from zega_core.errors import HomeError
from zega_core.fine_tune.base import file_hash

KEPT = 2
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW keeps of each parameter."""
Tensors = dict[str, torch.Tensor]


@dataclass(slots=True)
class Progress:
    """Where training stands after ``step`` steps. Everything else that it needs follows from the plan and the step:
    rates, batches and the random numbers of dropout. ``run`` is the hash of plan and data. ``losses`` are those of all
    steps, ``validations`` steps with finite validation losses; ``misses`` counts validations since the lowest."""

    run: str
    micro_batch: int
    precision: Literal["float32", "bfloat16"] = "float32"
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss_before: float | None = None
    best_step: int = 0
    best_loss: float | None = None
    best_hash: str = ""
    validated_step: int = 0
    misses: int = 0
    losses: list[float] = field(default_factory=list)
    validations: list[tuple[int, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended: Literal["", "steps", "early", "stopped", "diverged"] = ""


def tensors_of(named: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.AdamW) -> Tensors:
    """Adapter and optimizer as they stand."""
    found: Tensors = {}
    for name, parameter in named.items():
        found[f"weight {name}"] = parameter.detach()
        for key, value in optimizer.state[parameter].items():
            found[f"{key} {name}"] = value
    return {name: value.to("cpu").contiguous() for name, value in found.items()}


@torch.no_grad()
def restore(named: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.AdamW, tensors: Tensors) -> None:
    """The reverse. Raises KeyError or RuntimeError for tensors of another adapter."""
    for name, parameter in named.items():
        parameter.copy_(tensors[f"weight {name}"])
        if f"step {name}" in tensors:
            moments = {key: tensors[f"{key} {name}"].to(parameter.device) for key in MOMENTS}
            optimizer.state[parameter] = moments


def save(folder: Path, progress: Progress, tensors: Tensors) -> None:
    """Write the checkpoint of ``progress.step`` in the run's ``folder`` and drop all but the newest two, and the best
    adapters that none of them names. Raises HomeError; what was there before survives."""
    place = folder / "checkpoints"
    with room(place):
        place.mkdir(exist_ok=True)
        state = json.dumps(asdict(progress)).encode()
        with building(place / _name(progress.step)) as new:
            write(new / "tensors.safetensors", to_bytes(tensors))
            write(new / "state.json", state)
            hashes = {path.name: file_hash(path) for path in sorted(new.iterdir())}
            write(new / "hashes.json", json.dumps(hashes).encode())
    for old in _newest_first(place)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    named = {_best_step(path) for path in _newest_first(place)}
    for path in (folder / "best").glob("step-*"):
        if path.name not in {f"{_name(step)}.safetensors" for step in named}:
            path.unlink(missing_ok=True)


def newest(folder: Path, run: str) -> tuple[Progress | None, Tensors, str]:
    """The newest that is whole and belongs to ``run``, None when training has to begin at the beginning; and a sentence
    where others had to be passed over."""
    passed = False
    for path in _newest_first(folder / "checkpoints"):
        try:
            progress, tensors = _read(folder, path, run)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, SafetensorError):
            shutil.rmtree(path, ignore_errors=True)
            passed = True
            continue
        return progress, tensors, _passed(f"went on from step {progress.step}") if passed else ""
    return None, {}, _passed("began again") if passed else ""


def _passed(what: str) -> str:
    return f"A checkpoint could not be used, so training {what}."


def save_best(folder: Path, step: int, adapter: Tensors) -> str:
    """Returns its hash; raises HomeError."""
    path = folder / "best" / f"{_name(step)}.safetensors"
    with room(path):
        path.parent.mkdir(exist_ok=True)
        new = path.with_suffix(".tmp")
        try:
            write(new, to_bytes(adapter))
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        return file_hash(path)


def load_best(folder: Path, step: int) -> Tensors:
    return load_file(folder / "best" / f"{_name(step)}.safetensors")


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """A new folder to fill, which becomes ``target`` at the end, or is removed if that fails."""
    new = target.with_name(f"{target.name}.tmp")
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir()
        yield new
        _sync_folder(new)
        shutil.rmtree(target, ignore_errors=True)
        new.replace(target)
        _sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def room(path: Path) -> Iterator[None]:
    """What the system refuses becomes a HomeError with one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = "The disk is full, so training had to pause. Free some space, then press Continue."
        else:
            message = f"ZEGA cannot write to {path} ({error.strerror or error}). Give yourself write access there."
        raise HomeError(message) from error


def _name(step: int) -> str:
    return f"step-{step:06}"


def _newest_first(place: Path) -> list[Path]:
    found = [path for path in place.glob("step-*") if path.suffix != ".tmp" and path.is_dir()]
    return sorted(found, key=lambda path: (len(path.name), path.name), reverse=True)


def _best_step(checkpoint: Path) -> int:
    try:
        return int(json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))["best_step"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return -1


def _read(folder: Path, path: Path, run: str) -> tuple[Progress, Tensors]:
    hashes = json.loads((path / "hashes.json").read_text(encoding="utf-8"))
    for name in ("state.json", "tensors.safetensors"):
        if hashes[name] != file_hash(path / name):
            raise ValueError(f"{name} was changed")
    progress = Progress(**json.loads((path / "state.json").read_text(encoding="utf-8")))
    if progress.run != run:
        raise ValueError("of another plan or other data")
    if progress.best_hash and progress.best_hash != file_hash(
        folder / "best" / f"{_name(progress.best_step)}.safetensors"
    ):
        raise ValueError("the best adapter was changed")
    return progress, load_file(path / "tensors.safetensors")


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
