from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from scripts.pretrain.batches import Batches
from scripts.pretrain.export import average, export
from scripts.pretrain.model import Llama, Shape
from scripts.pretrain.optimiser import orthogonal
from scripts.pretrain.texts import load_books
from scripts.pretrain.train import Plan, Run
from zega_core.settings import ROOT

SCRIPT = ROOT / "scripts" / "pretrain_base.py"


def trained(plan: Plan, work: Path, folder: Path, until: int = 0) -> Run:
    run = Run(plan, work / "tokens.safetensors", folder)
    if until:
        report = run._report

        def stop_then(train: float) -> None:
            report(train)
            run.stopping = run.number >= until

        run._report = stop_then
    run.train()
    return run


def test_books_are_split_into_read_held_out_and_kept_out(prepared: Path):
    kept, read = load_books(prepared / "corpus")
    assert kept.kept_out and not kept.train and kept.held_out
    assert read.train and read.held_out[0] not in "".join(read.train)


def test_a_run_learns(prepared: Path, plan: Plan, tmp_path: Path):
    trained(replace(plan, steps=40), prepared, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[-1]["held_pairs"] < rows[0]["held_pairs"] - 0.1
    assert set(rows[0]) >= {"step", "seconds", "tokens", "rate", "train", "books", "kept_out", "shipped_pairs"}


def test_an_interrupted_run_ends_where_a_whole_one_does(prepared: Path, plan: Plan, tmp_path: Path):
    trained(plan, prepared, tmp_path / "whole")
    assert trained(plan, prepared, tmp_path / "parts", until=4).number == 4
    assert trained(plan, prepared, tmp_path / "parts").number == plan.steps
    whole, parts = (load_file(tmp_path / name / "run.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_what_was_trained_is_read_by_transformers_as_it_was(prepared: Path, plan: Plan, tmp_path: Path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = trained(plan, prepared, tmp_path / "run")
    export(tmp_path / "run" / "run.safetensors", prepared / "tokenizer.json", tmp_path / "model")
    read = AutoModelForCausalLM.from_pretrained(
        tmp_path / "model", local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    tokens = torch.randint(0, 600, (2, 40))
    ours = Llama(run.plan.shape)
    ours.load_state_dict({name: one.bfloat16().float() for name, one in run.model.state_dict().items()})
    assert torch.allclose(ours(tokens), read(tokens).logits, atol=1e-5)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model", local_files_only=True)
    said = [{"role": "user", "content": "A “lamp”\n\nat sea"}, {"role": "assistant", "content": "Yes."}]
    assert (
        tokenizer.apply_chat_template(said, tokenize=False) == "<|prompt|>A “lamp”\n\nat sea<|completion|>Yes.<|end|>"
    )


def test_only_the_piece_and_its_end_count(prepared: Path):
    batches = Batches(prepared / "tokens.safetensors", "cpu", rows=4, length=200, book_share=0.5, seed=1)
    special = batches.about["special"]
    rows, counts, from_books = batches.step(0)
    assert from_books.tolist() == [True, True, False, False] and counts[:2].all()
    for row, weights in zip(rows[2:].tolist(), counts[2:].tolist(), strict=True):
        assert row[0] == special["<|prompt|>"]
        counted = [token for token, weight in zip(row[1:], weights, strict=True) if weight]
        assert special["<|prompt|>"] not in counted and special["<|completion|>"] not in counted
        ends = row.count(special["<|end|>"])
        assert counted.count(special["<|end|>"]) == ends


def test_every_pair_comes_once_a_round(prepared: Path):
    batches = Batches(prepared / "tokens.safetensors", "cpu", rows=5, length=8, book_share=0.0, seed=1)
    first = [tuple(row[:9].tolist()) for number in range(6) for row in batches.step(number)[0]]
    again = [tuple(row[:9].tolist()) for number in range(6, 12) for row in batches.step(number)[0]]
    assert sorted(first) == sorted(again) and first != again


def test_orthogonal_brings_singular_values_near_one():
    stack = torch.randn(3, 20, 12, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(stack))
    assert values.min() > 0.4 and values.max() < 1.4


def test_the_default_model_is_small_enough_to_ship():
    count = sum(weight.numel() for weight in Llama(Shape()).parameters())
    assert count * 2 < 29_000_000


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_stopped_or_killed_there_is_a_model_to_ship(prepared: Path, tmp_path: Path, name: str):
    shared = ("--work", str(prepared), "--name", f"run-{name}")
    command = [
        sys.executable,
        str(SCRIPT),
        *shared,
        "train",
        "--tiny",
        "--minutes",
        "60",
        "--rows",
        "2",
        "--length",
        "256",
    ]
    command += ["--measured-every", "2", "--measured-rows", "1", "--saved-every", "0.01", "--threads", "1"]
    curve = prepared / f"run-{name}" / "curve.jsonl"
    process = subprocess.Popen(command, cwd=ROOT)
    deadline = time.monotonic() + 60
    while not (curve.exists() and len(curve.read_text(encoding="utf-8").splitlines()) > 2):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    assert process.wait(30) == (0 if name == "SIGTERM" else -signal.SIGKILL)
    export = subprocess.run(
        [sys.executable, str(SCRIPT), *shared, "export", "--target", str(tmp_path)], cwd=ROOT, check=True
    )
    assert export.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_an_average_lies_between_two_runs(prepared: Path, plan: Plan, tmp_path: Path):
    trained(plan, prepared, tmp_path / "one")
    start = tmp_path / "one" / "run.safetensors"
    Run(replace(plan, seed=9), prepared / "tokens.safetensors", tmp_path / "two", start).train()
    average(tmp_path / "one", tmp_path / "two", 0.25, tmp_path / "mixed")
    one, two, mixed = (load_file(tmp_path / name / "run.safetensors") for name in ("one", "two", "mixed"))
    name = "model.model.embed_tokens.weight"
    assert torch.allclose(mixed[name], 0.75 * one[name] + 0.25 * two[name], atol=1e-6)
    export(tmp_path / "mixed" / "run.safetensors", prepared / "tokenizer.json", tmp_path / "model")
