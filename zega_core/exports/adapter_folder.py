"""A version's adapter as a PEFT folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from zega_core.exports.card import BASE_FOLDER, base_of, is_on_hub
from zega_core.exports.llama import read_json
from zega_core.fine_tune import base as bases

BASE_FILES = (
    "README.md",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
)
"""Of the built-in base."""
CONFIG = (
    "bias",
    "fan_in_fan_out",
    "inference_mode",
    "lora_alpha",
    "lora_dropout",
    "peft_type",
    "r",
    "target_modules",
    "task_type",
)
"""What ``fine_tune.adapter`` writes. Nothing else goes along: peft's reader lets a config name modules to import."""


def write(adapter: Path, base: str, target: Path) -> None:
    """Into the folder ``target``: adapter_model.safetensors as it is, adapter_config.json with a base model that can be
    found (its id, or the folder beside), and the built-in base itself, which is on no hub. ``adapter`` must have been
    checked (``fine_tune.base.check_adapter``). Raises OSError or InvalidInput."""
    shutil.copyfile(adapter / bases.ADAPTER, target / bases.ADAPTER)
    told = read_json(adapter / bases.ADAPTER_CONFIG)
    config = {key: told[key] for key in CONFIG if key in told}
    config["base_model_name_or_path"] = base_of(base) if is_on_hub(base) else BASE_FOLDER
    text = json.dumps(config, indent=1, ensure_ascii=False) + "\n"
    (target / bases.ADAPTER_CONFIG).write_text(text, encoding="utf-8")
    if not base:
        (target / BASE_FOLDER).mkdir()
        for name in BASE_FILES:
            shutil.copyfile(bases.BUILT_IN / name, target / BASE_FOLDER / name)
