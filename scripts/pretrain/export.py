"""A run's weights as a folder that transformers, PEFT and converters to GGUF can read."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from scripts.pretrain.model import Llama, Shape
from scripts.pretrain.tokens import BOS, END, PAD, tokenizer_config


def weights_of(run: Path) -> tuple[Shape, dict[str, torch.Tensor]]:
    """The last weights of a run that came to its end, else the averaged ones."""
    with safe_open(run, "pt") as file:
        state = file.metadata()
        plan = json.loads(state["plan"])
        shape = Shape(**plan["shape"])
        names = [name for name, _ in Llama(shape).named_parameters()]
        done = (
            float(state["number"]) >= plan["steps"]
            if plan["steps"]
            else float(state["seconds"]) >= 60 * plan["minutes"]
        )
        keys = {name: f"model.{name}" if done else f"average.{n}" for n, name in enumerate(names)}
        return shape, {name: file.get_tensor(key) for name, key in keys.items()}


def export(run: Path, tokenizer: Path, target: Path) -> None:
    shape, weights = weights_of(run)
    target.mkdir(parents=True, exist_ok=True)
    marks = {one["content"]: one["id"] for one in json.loads(tokenizer.read_text(encoding="utf-8"))["added_tokens"]}
    ids = {"bos_token_id": marks[BOS], "eos_token_id": marks[END], "pad_token_id": marks[PAD]}
    shutil.copyfile(tokenizer, target / "tokenizer.json")
    _write(target / "config.json", shape.config() | ids)
    _write(
        target / "generation_config.json",
        ids | {"do_sample": True, "temperature": 0.8, "top_p": 0.95, "max_new_tokens": 400},
    )
    _write(target / "tokenizer_config.json", tokenizer_config(shape.context))
    kept = {name: weight.to(torch.bfloat16).contiguous() for name, weight in weights.items()}
    save_file(kept, target / "model.safetensors", metadata={"format": "pt"})
    print(f"{target}: {sum(path.stat().st_size for path in target.iterdir()):,} bytes, {json.dumps(asdict(shape))}")


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def average(first: Path, second: Path, share: float, target: Path) -> None:
    """A run with ``share`` of the second run's weights and the rest of those of the first, which the second began with.
    After a short run with high rates this keeps what it learnt and most of what it would have forgotten."""
    one, two = load_file(first / "run.safetensors"), load_file(second / "run.safetensors")
    with safe_open(second / "run.safetensors", "pt") as file:
        state = file.metadata() | {"share": str(share)}
    names = [name for name in two if name.startswith(("model.", "average."))]
    mixed = {name: one[name].float().lerp(two[name].float(), share) for name in names}
    target.mkdir(parents=True, exist_ok=True)
    save_file(mixed, target / "run.safetensors", metadata=state)
    shutil.copyfile(second / "curve.jsonl", target / "curve.jsonl")
