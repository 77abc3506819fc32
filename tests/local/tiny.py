"""A base model with random weights in a moment, and versions that sit on it."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from zega_core.fine_tune import base as bases
from zega_core.fine_tune.plan import TARGETS, Plan, Result

TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def tiny_base(folder: Path, *, seed: int = 1, context: int = 256) -> Path:
    """64,000 weights with the built-in tokenizer. What it writes has no sense, but is long and its own."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=6144,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=3,
        pad_token_id=4,
        initializer_range=0.3,
    )
    model: Any = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    for name in TOKENIZER:
        shutil.copy(bases.BUILT_IN / name, folder / name)
    return folder


def tiny_version(home: Path, base: Path, writer: str = "ana", number: int = 3, *, seed: int = 1) -> Path:
    """A version of a writer with a random adapter that changes what the base writes."""
    folder = home / "versions" / writer / f"v{number}"
    torch.manual_seed(seed)
    model, _ = bases.load(base, dtype=torch.float32, device="cpu")
    tuned = bases.with_lora(model, trainable=False, r=4, lora_alpha=8, lora_dropout=0.0, target_modules=list(TARGETS))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    tuned.save_pretrained(str(folder))
    (folder / "README.md").unlink(missing_ok=True)
    files = {name: bases.file_hash(folder / name) for name in (bases.ADAPTER, bases.ADAPTER_CONFIG)}
    write_result(folder, base_hash=bases.weights_hash(base), files=files)
    plan = asdict(Plan(base=str(base), base_name=str(base), rank=4, alpha=8))
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    return folder


def write_result(folder: Path, **known: Any) -> None:
    values: dict[str, Any] = {
        **dict.fromkeys(("steps", "best_step", "tokens", "micro_batch", "parameters", "trained_parameters"), 1),
        **dict.fromkeys(("epochs", "seconds", "tokens_per_second"), 1.0),
        **dict.fromkeys(("train_loss", "validation_loss_before", "validation_loss"), None),
        **dict.fromkeys(("perplexity_base", "perplexity_before", "perplexity_after"), None),
        "held_out_texts": 0,
        "held_out_own": False,
        "precision": "float32",
        "device": "cpu",
        "size_bytes": 1,
    }
    result = asdict(Result(**values, **known))
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
