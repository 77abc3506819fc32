"""Checkpoints: complete or absent, checked before they are believed, and never lost to a full disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from zega_core.errors import HomeError
from zega_core.fine_tune import checkpoint
from zega_core.fine_tune.checkpoint import Progress, Tensors


def tensors(step: int) -> Tensors:
    return {"weight a": torch.full((3, 2), float(step)), "exp_avg a": torch.arange(6.0)}


def saved(folder: Path, *steps: int, best: bool = False) -> Path:
    folder.mkdir(exist_ok=True)
    for step in steps:
        progress = Progress("run", 4, step=step, losses=[1.5] * step, notes=["so"])
        if best:
            progress.best_step, progress.best_hash = step, checkpoint.save_best(folder, step, tensors(step))
        checkpoint.save(folder, progress, tensors(step))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_comes_back(tmp_path: Path):
    progress, found, note = checkpoint.newest(saved(tmp_path / "run", 12), "run")
    assert progress == Progress("run", 4, step=12, losses=[1.5] * 12, notes=["so"])
    assert {name: value.tolist() for name, value in found.items()} == {n: v.tolist() for n, v in tensors(12).items()}
    assert note == ""


def test_the_newest_two_are_kept_with_their_best_adapters(tmp_path: Path):
    folder = saved(tmp_path / "run", 1, 9, 10, 1_000_000, best=True)
    assert names(folder / "checkpoints") == ["step-000010", "step-1000000"]
    assert names(folder / "best") == ["step-000010.safetensors", "step-1000000.safetensors"]
    progress, _, _ = checkpoint.newest(folder, "run")
    assert progress is not None and progress.step == 1_000_000


@pytest.mark.parametrize("file", ["tensors.safetensors", "state.json", "hashes.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_one_gives_way_to_the_one_before(tmp_path: Path, file: str, damage: str):
    folder = saved(tmp_path / "run", 5, 9)
    path = folder / "checkpoints" / "step-000009" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 64
    path.unlink()
    if damage != "gone":
        path.write_bytes(content if damage == "flip" else content[: len(content) // 2])
    progress, _, note = checkpoint.newest(folder, "run")
    assert progress is not None and progress.step == 5
    assert note == "A checkpoint could not be used, so training went on from step 5."


def test_all_damaged_means_the_beginning(tmp_path: Path):
    folder = saved(tmp_path / "run", 5, 9)
    for path in (folder / "checkpoints").glob("*/state.json"):
        path.write_text("[" * 99_999, encoding="utf-8")
    assert checkpoint.newest(folder, "run") == (None, {}, "A checkpoint could not be used, so training began again.")


def test_a_damaged_best_adapter_gives_way_too(tmp_path: Path):
    folder = saved(tmp_path / "run", 5, 9, best=True)
    (folder / "best" / "step-000009.safetensors").write_bytes(b"")
    progress, _, note = checkpoint.newest(folder, "run")
    assert progress is not None and progress.best_step == 5 and note


def test_one_of_another_plan_or_other_data_is_not_gone_on_from(tmp_path: Path):
    progress, _, note = checkpoint.newest(saved(tmp_path / "run", 5), "another")
    assert progress is None and "began again" in note


def test_what_a_kill_left_half_written_is_not_read(tmp_path: Path):
    folder = saved(tmp_path / "run", 5)
    (folder / "checkpoints" / "step-000009.tmp").mkdir()
    progress, _, note = checkpoint.newest(folder, "run")
    assert progress is not None and progress.step == 5 and not note


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "The disk is full"), (errno.EDQUOT, "The disk is full"), (errno.EIO, "write")]
)
def test_a_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
):
    folder = saved(tmp_path / "run", 5, best=True)

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(HomeError, match=words):
            saved(folder, 9)
        with pytest.raises(HomeError, match=words):
            checkpoint.save_best(folder, 9, tensors(9))
    assert names(folder / "checkpoints") == ["step-000005"]
    assert names(folder / "best") == ["step-000005.safetensors"]
    assert checkpoint.newest(folder, "run")[0] is not None


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), checkpoint.building(tmp_path / "version") as new:
        (new / "half").write_text("x", encoding="utf-8")
        _ = 1 / 0
    assert names(tmp_path) == []


def test_optimizer_and_adapter_go_on_where_they_stood():
    def fresh() -> tuple[dict[str, torch.nn.Parameter], torch.optim.AdamW]:
        named = {"a": torch.nn.Parameter(torch.ones(4))}
        return named, torch.optim.AdamW(named.values(), lr=0.1, fused=True)

    def learn(named: dict[str, torch.nn.Parameter], optimizer: Any, steps: range) -> None:
        for step in steps:
            named["a"].grad = torch.arange(4.0) * (-1) ** step + step
            optimizer.step()

    straight, optimizer = fresh()
    learn(straight, optimizer, range(6))
    first, one = fresh()
    learn(first, one, range(3))
    second, two = fresh()
    checkpoint.restore(second, two, {k: v.clone() for k, v in checkpoint.tensors_of(first, one).items()})
    learn(second, two, range(3, 6))
    assert torch.equal(straight["a"], second["a"])
