"""Base model and adapter as one model, in the files that transformers and other tools read.

Weights are 32-bit floats: that is how ZEGA computes, and half of them would round most of what was learned away. Only
the process of an export imports this (``exports.child``).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from zega_core.errors import InvalidInput
from zega_core.exports.llama import read_json
from zega_core.fine_tune import base as bases

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
)
"""What a base may have of these is copied as it is: no writing anew can change how text is cut."""


def merge(base: Path, adapter: Path, base_hash: str, target: Path) -> None:
    """Write the model of ``base`` with the version in ``adapter`` into the new folder ``target``. The adapter's files
    are checked first. Raises InvalidInput, or OSError when it cannot be written."""
    model, _ = bases.load(base, dtype=torch.float32, device="cpu")
    try:
        merged: Any = bases.load_adapter(model, adapter, base_hash).merge_and_unload(safe_merge=True)
    except ValueError as error:  # NaN in the merged weights
        raise InvalidInput(f"{adapter.name} cannot be merged: its weights give no usable numbers.") from error
    target.mkdir()
    merged.save_pretrained(target)
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, target / name)
    _say_twice(target)


def _say_twice(folder: Path) -> None:
    """Older readers (Ollama's converter among them) look for ``rope_theta`` beside ``rope_parameters`` and would take
    10,000 where it is missing, and for the chat template in tokenizer_config.json only."""
    config = read_json(folder / "config.json")
    rope = config.get("rope_parameters")
    if isinstance(rope, dict) and "rope_theta" in rope:
        config.setdefault("rope_theta", rope["rope_theta"])
        if rope.get("rope_type", "default") != "default":
            config.setdefault("rope_scaling", {key: value for key, value in rope.items() if key != "rope_theta"})
    _write(folder / "config.json", config)
    told, template = folder / "tokenizer_config.json", folder / "chat_template.jinja"
    if template.is_file():
        known = read_json(told) if told.is_file() else {}
        _write(told, known | {"chat_template": template.read_text(encoding="utf-8")})


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
