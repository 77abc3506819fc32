"""A model of a few thousand numbers, made up anew, and a run that trains it in a second."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from zega_core.fine_tune.base import BUILT_IN
from zega_core.fine_tune.plan import Plan, Row, Split, write_run

WORDS = "lamp harbour fog ledger ferry widow brass key tide letter kitchen ghost".split()
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """More threads only wait for each other with tensors this small, and no test pulls the plug."""
    torch.set_num_threads(1)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(BUILT_IN, local_files_only=True)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"), seed=7)


def make_tiny(folder: Path, seed: int) -> Path:
    """A random Llama of width 32 with two layers and the tokenizer of the built-in model."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=6144,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=3,
        pad_token_id=4,
        bos_token_id=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        LlamaForCausalLM(config).save_pretrained(folder)
    for name in TOKENIZER_FILES:
        (folder / name).write_bytes((BUILT_IN / name).read_bytes())
    return folder


def row(number: int, split: Split = "train", *, weight: float = 1.0, own: bool = False, words: int = 30) -> Row:
    text = " ".join(WORDS[(number * 5 + at * (number % 3 + 1)) % len(WORDS)] for at in range(words + number % 9))
    return Row(number, f"Write about the {WORDS[number % len(WORDS)]}.", text, weight, split, own, "auto")


def rows(train: int = 20, validation: int = 3, held_out: int = 3) -> list[Row]:
    begins = {"validation": train, "held_out": train + validation}

    def split(number: int) -> Split:
        if number < begins["validation"]:
            return "train"
        return "validation" if number < begins["held_out"] else "held_out"

    many = range(train + validation + held_out)
    return [row(number, split(number), weight=1.0 + number % 3 / 2) for number in many]


@pytest.fixture
def make_run(tmp_path: Path, tiny: Path) -> Callable[..., Path]:
    """A run's folder; ``data`` are its rows, the rest goes into its plan."""

    def make(name: str = "run", data: list[Row] | None = None, **settings: Any) -> Path:
        defaults: dict[str, Any] = {"base": str(tiny), "rank": 4, "alpha": 8, "epochs": 3, "learning_rate": 1e-2}
        defaults |= {"batch_size": 4, "micro_batch": 4, "precision": "float32", "checkpoint_seconds": 0.0}
        defaults |= {"strength": 1.0}  # what a tiny model of random weights writes says nothing
        write_run(tmp_path / name, Plan(**defaults | settings), rows() if data is None else data)
        return tmp_path / name

    return make
