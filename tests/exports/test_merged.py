"""A merged model, loaded again as others load it, against base and adapter."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from zega_core.errors import InvalidInput
from zega_core.exports import child
from zega_core.exports.merge import merge
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import told

TEXT = "<|prompt|>Write about the lamp.<|completion|>The keeper counted the ships."


@pytest.fixture
def merged(tiny: Path, trained: Path, tmp_path: Path) -> Path:
    merge(tiny, trained, bases.weights_hash(tiny), tmp_path / "model")
    return tmp_path / "model"


def logits(model: Any, tokenizer: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model(**tokenizer(TEXT, return_tensors="pt")).logits


def test_it_computes_what_base_and_adapter_compute(tiny: Path, trained: Path, merged: Path):
    model, tokenizer = bases.load(tiny, dtype=torch.float32, device="cpu")
    plain = logits(model, tokenizer)
    tuned = logits(bases.load_adapter(model, trained, bases.weights_hash(tiny)), tokenizer)
    again = AutoModelForCausalLM.from_pretrained(merged, local_files_only=True, use_safetensors=True)
    found = logits(again, AutoTokenizer.from_pretrained(merged, local_files_only=True))
    assert (tuned - plain).abs().max() > 1
    assert torch.allclose(found, tuned, atol=1e-4)
    assert again.dtype == torch.float32


def test_there_is_nothing_in_it_that_runs_code_and_no_path(tiny: Path, merged: Path):
    names = sorted(path.name for path in merged.iterdir())
    assert names == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    for path in merged.glob("*.json"):
        assert str(tiny) not in path.read_text(encoding="utf-8")


def test_text_is_cut_and_asked_as_before(tiny: Path, merged: Path):
    assert (merged / "tokenizer.json").read_bytes() == (tiny / "tokenizer.json").read_bytes()
    asked = [{"role": "user", "content": "Write."}]
    found = AutoTokenizer.from_pretrained(merged, local_files_only=True)
    assert found.apply_chat_template(asked, tokenize=False) == "<|prompt|>Write.<|completion|>"


def test_older_readers_find_what_they_look_for(tiny: Path, trained: Path, tmp_path: Path):
    base = Path(shutil.copytree(tiny, tmp_path / "base"))
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config["rope_parameters"] = {"rope_type": "linear", "factor": 2.0, "rope_theta": 500_000.0}
    config.pop("rope_theta", None)
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    told = json.loads((base / "tokenizer_config.json").read_text(encoding="utf-8"))
    template = told.pop("chat_template")
    (base / "tokenizer_config.json").write_text(json.dumps(told), encoding="utf-8")
    (base / "chat_template.jinja").write_text(template, encoding="utf-8")
    merge(base, trained, bases.weights_hash(base), tmp_path / "model")
    found = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert found["rope_theta"] == found["rope_parameters"]["rope_theta"] == 500_000.0
    assert found["rope_scaling"] == {"rope_type": "linear", "factor": 2.0}
    told = json.loads((tmp_path / "model" / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert told["chat_template"] == template
    AutoModelForCausalLM.from_pretrained(tmp_path / "model", local_files_only=True)


def test_an_adapter_that_was_changed_is_refused(tiny: Path, trained: Path, tmp_path: Path):
    copy = Path(shutil.copytree(trained, tmp_path / "v3"))
    (copy / bases.ADAPTER).write_bytes((copy / bases.ADAPTER).read_bytes()[:-1] + b"\x01")
    with pytest.raises(InvalidInput, match="damaged"):
        merge(tiny, copy, bases.weights_hash(tiny), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_weights_that_are_no_numbers_are_refused(tiny: Path, trained: Path, tmp_path: Path):
    copy = Path(shutil.copytree(trained, tmp_path / "v3"))
    values = load_file(copy / bases.ADAPTER)
    next(value for name, value in values.items() if "lora_B" in name)[0, 0] = float("nan")
    save_file(values, copy / bases.ADAPTER, metadata={"format": "pt"})
    result = json.loads((copy / "result.json").read_text(encoding="utf-8"))
    result["files"][bases.ADAPTER] = bases.file_hash(copy / bases.ADAPTER)
    (copy / "result.json").write_text(json.dumps(result), encoding="utf-8")
    with pytest.raises(InvalidInput, match="no usable numbers"):
        merge(tiny, copy, bases.weights_hash(tiny), tmp_path / "model")


@pytest.fixture
def job(tiny: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(told, "give_way", lambda: None)
    monkeypatch.setattr(told, "begin", lambda: sys.stdout)
    folder = tmp_path / "export"
    folder.mkdir()
    child.write_job(folder, child.Job(str(tiny), str(trained), bases.weights_hash(tiny)))
    return folder


def test_the_process_leaves_the_model_complete(job: Path, capsys: pytest.CaptureFixture[str]):
    (job / "model").mkdir()  # of an earlier start that was killed
    (job / "model" / "half").write_text("half", encoding="utf-8")
    assert child.main([str(job)]) == 0
    assert json.loads(capsys.readouterr().out) == {"event": "done"}
    assert sorted(path.name for path in job.iterdir() if path.name != "lock") == ["job.json", "model"]
    assert not (job / "model" / "half").exists()


def test_the_process_says_in_a_sentence_what_is_wrong(job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    child.write_job(job, child.Job(str(tmp_path / "nothing"), "", ""))
    assert child.main([str(job)]) == 1
    event = json.loads(capsys.readouterr().out)
    assert event["kind"] == "refused"
    assert "There is no folder" in event["message"]


def test_a_full_disk_is_told_as_such(job: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    from zega_core.exports import merge as merging

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(merging, "merge", full)
    assert child.main([str(job)]) == 1
    event = json.loads(capsys.readouterr().out)
    assert event["kind"] == "home"
    assert "free space" in event["message"]
    assert not (job / "model").exists()
