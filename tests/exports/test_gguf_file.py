"""GGUF files read back by the ``gguf`` package, held against the safetensors that they were made of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from zega_core.errors import InvalidInput
from zega_core.exports import gguf_file, llama
from zega_core.fine_tune import base as bases

HEADS = {"attn_q": ("self_attn.q_proj", 4), "attn_k": ("self_attn.k_proj", 2)}
OTHERS = {
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}


def rotated(matrix: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Row by row, as llama.cpp wants them: in a head, one of the first half, then its partner of the second."""
    found, size = np.empty_like(matrix), len(matrix) // heads
    for head in range(heads):
        for pair in range(size // 2):
            for half in range(2):
                found[head * size + 2 * pair + half] = matrix[head * size + half * size // 2 + pair]
    return found


def tensors(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    return {one.name: np.asarray(one.data) for one in gguf.GGUFReader(path).tensors}


def facts(path: Path) -> dict[str, Any]:
    return {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}


def weights(folder: Path, name: str = "model.safetensors") -> dict[str, np.ndarray[Any, Any]]:
    return {name: value.float().numpy() for name, value in load_file(folder / name).items()}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


def test_every_weight_of_a_model_is_there_as_it_was(tiny: Path, target: Path):
    gguf_file.write_model(tiny, target)
    made, source = tensors(target), weights(tiny)
    expected = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    for layer in range(2):
        expected |= {
            f"blk.{layer}.{name}.weight": f"model.layers.{layer}.{theirs}.weight" for name, theirs in OTHERS.items()
        }
        for name, (theirs, heads) in HEADS.items():
            matrix = rotated(source.pop(f"model.layers.{layer}.{theirs}.weight"), heads)
            assert np.array_equal(made.pop(f"blk.{layer}.{name}.weight"), matrix.astype(np.float16))
    assert made.keys() == expected.keys()
    for name, theirs in expected.items():
        kind = np.float32 if "norm" in name else np.float16
        assert made[name].dtype == kind
        assert np.array_equal(made[name], source[theirs].astype(kind))


def test_the_rows_of_queries_and_keys_do_move(tiny: Path, target: Path):
    gguf_file.write_model(tiny, target)
    source = weights(tiny)["model.layers.0.self_attn.q_proj.weight"].astype(np.float16)
    assert not np.array_equal(tensors(target)["blk.0.attn_q.weight"], source)


def test_the_built_in_model_says_what_a_reader_must_know(target: Path):
    gguf_file.write_model(bases.BUILT_IN, target, name="zega-ana")
    told, tokenizer = facts(target), json.loads((bases.BUILT_IN / "tokenizer.json").read_text(encoding="utf-8"))
    assert told["general.architecture"] == "llama"
    assert told["general.name"] == "zega-ana"
    assert told["general.file_type"] == gguf.LlamaFileType.MOSTLY_F16
    assert told["llama.context_length"] == 1024
    assert (told["llama.attention.head_count"], told["llama.attention.head_count_kv"]) == (6, 2)
    assert told["llama.rope.freq_base"] == 10_000.0
    assert told["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-5)
    assert (told["tokenizer.ggml.model"], told["tokenizer.ggml.pre"]) == ("gpt2", "llama-bpe")
    vocabulary = {token: number for number, token in enumerate(told["tokenizer.ggml.tokens"])}
    assert vocabulary == tokenizer["model"]["vocab"]
    assert told["tokenizer.ggml.merges"] == [" ".join(pair) for pair in tokenizer["model"]["merges"]]
    marks = [number for number, kind in enumerate(told["tokenizer.ggml.token_type"]) if kind == gguf.TokenType.CONTROL]
    assert marks == [one["id"] for one in tokenizer["added_tokens"]]
    assert told["tokenizer.ggml.tokens"][told["tokenizer.ggml.eos_token_id"]] == "<|end|>"
    assert told["tokenizer.ggml.add_bos_token"] is False  # llama.cpp would add one, which the model never saw
    config = json.loads((bases.BUILT_IN / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert told["tokenizer.chat_template"] == config["chat_template"]


def test_the_same_model_gives_the_same_file(tiny: Path, tmp_path: Path):
    for name in ("one.gguf", "two.gguf"):
        gguf_file.write_model(tiny, tmp_path / name)
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "two.gguf").read_bytes()


def test_an_adapter_changes_the_model_as_it_does_in_zega(tiny: Path, trained: Path, target: Path, tmp_path: Path):
    gguf_file.write_lora(trained, tiny, target)
    gguf_file.write_model(tiny, tmp_path / "merged.gguf", adapter_folder=trained)
    told, made, merged = facts(target), tensors(target), tensors(tmp_path / "merged.gguf")
    assert (told["general.type"], told["adapter.type"]) == ("adapter", "lora")
    assert told["adapter.lora.alpha"] == 8.0
    model, _ = bases.load(tiny, dtype=torch.float32, device="cpu")
    tuned = bases.load_adapter(model, trained, bases.weights_hash(tiny)).merge_and_unload().state_dict()
    base = weights(tiny)
    assert len(made) == 2 * 2 * 7
    for layer in range(2):
        for name, theirs in OTHERS.items() | {(name, theirs) for name, (theirs, _) in HEADS.items()}:
            if "norm" in name:
                continue
            full = f"model.layers.{layer}.{theirs}.weight"
            heads = HEADS[name][1] if name in HEADS else 0
            turned: Callable[[Any], Any] = (lambda one, n=heads: rotated(one, n)) if heads else (lambda one: one)
            place = f"blk.{layer}.{name}.weight"
            change = 8 / 4 * made[f"{place}.lora_b"] @ made[f"{place}.lora_a"]
            wanted = turned(tuned[full].numpy())
            assert np.abs(change).max() > 0.1
            assert np.allclose(turned(base[full]) + change, wanted, atol=1e-4)
            assert np.allclose(merged[place], wanted, atol=4e-3)


def changed(folder: Path, tmp_path: Path, **files: Callable[[dict[str, Any]], object]) -> Path:
    """A copy in which these JSON files are changed."""
    copy = Path(shutil.copytree(folder, tmp_path / "changed"))
    for name, change in files.items():
        values = json.loads((copy / f"{name}.json").read_text(encoding="utf-8"))
        change(values)
        (copy / f"{name}.json").write_text(json.dumps(values), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("tokenizer", lambda one: one["pre_tokenizer"]["pretokenizers"][0]["pattern"].update(Regex=r"\w+")),
        ("tokenizer", lambda one: one.update(normalizer={"type": "NFC"})),
        ("tokenizer", lambda one: one["model"].update(ignore_merges=False)),
        ("tokenizer", lambda one: one["added_tokens"][3].update(lstrip=True)),
        ("tokenizer", lambda one: one["added_tokens"][3].update(special=False)),
        ("tokenizer", lambda one: one.update(pre_tokenizer=None)),
        ("tokenizer", lambda one: one.update(model={"type": "Unigram"})),
        ("tokenizer", lambda one: one["model"]["vocab"].pop("!")),
        ("tokenizer_config", lambda one: one.update(eos_token="<|nobody|>")),
        ("tokenizer_config", lambda one: one.update(chat_template="{{ messages }}")),
        ("config", lambda one: one.update(attention_bias=True)),
        ("config", lambda one: one.update(hidden_act="gelu")),
        ("config", lambda one: one.update(rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0})),
        ("config", lambda one: one.update(rope_parameters=["plain"])),
        ("config", lambda one: one.update(model_type="mistral")),
        ("config", lambda one: one.update(num_attention_heads=0)),
        ("config", lambda one: one.update(head_dim=7)),
        ("config", lambda one: one.update(num_hidden_layers=3)),
        ("config", lambda one: one.update(num_hidden_layers=2**30)),
        ("config", lambda one: one.update(num_key_value_heads=4)),
        ("config", lambda one: one.pop("rms_norm_eps")),
    ],
)
def test_what_cannot_be_carried_over_exactly_is_refused(
    tiny: Path, tmp_path: Path, target: Path, file: str, change: Callable[[dict[str, Any]], object]
):
    with pytest.raises(InvalidInput, match="cannot be written as GGUF"):
        gguf_file.write_model(changed(tiny, tmp_path, **{file: change}), target)
    assert not list(tmp_path.glob("*.gguf*"))


def test_a_weight_that_16_bits_cannot_hold_is_refused(tiny: Path, tmp_path: Path, target: Path):
    copy = changed(tiny, tmp_path)
    values = load_file(copy / "model.safetensors")
    values["model.layers.1.mlp.up_proj.weight"][0, 0] = 70_000.0
    save_file(values, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InvalidInput, match="do not fit into 16 bits"):
        gguf_file.write_model(copy, target)


def test_weights_in_16_bits_are_read_exactly(tiny: Path, tmp_path: Path, target: Path):
    copy = changed(tiny, tmp_path)
    values = {name: value.bfloat16() for name, value in load_file(copy / "model.safetensors").items()}
    save_file(values, copy / "model.safetensors", metadata={"format": "pt"})
    gguf_file.write_model(copy, target)
    assert np.array_equal(
        tensors(target)["token_embd.weight"], values["model.embed_tokens.weight"].float().numpy().astype(np.float16)
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"use_rslora": True}, "no plain LoRA"),
        ({"use_dora": True}, "no plain LoRA"),
        ({"alpha_pattern": {"q_proj": 2}}, "no plain LoRA"),
        ({"r": "4"}, "no plain LoRA"),
        ({"r": True}, "no plain LoRA"),
        ({"lora_alpha": -1}, "no plain LoRA"),
        ({"lora_alpha": float("inf")}, "no plain LoRA"),
        ({"r": 8}, "does not fit this base model"),
    ],
)
def test_an_adapter_of_another_kind_is_refused(
    tiny: Path, trained: Path, tmp_path: Path, target: Path, change: dict[str, Any], why: str
):
    copy = changed(trained, tmp_path, adapter_config=lambda one: one.update(change))
    with pytest.raises(InvalidInput, match=why):
        gguf_file.write_lora(copy, tiny, target)


def test_an_adapter_of_another_base_is_refused(trained: Path, target: Path):
    with pytest.raises(InvalidInput, match="does not fit this base model"):
        gguf_file.write_lora(trained, bases.BUILT_IN, target)


@pytest.mark.parametrize("content", [b"", b"\x08" + b"\0" * 7 + b"{]      ", b"\xff" * 64])
def test_a_damaged_adapter_is_refused(tiny: Path, trained: Path, tmp_path: Path, target: Path, content: bytes):
    copy = changed(trained, tmp_path)
    (copy / bases.ADAPTER).write_bytes(content)
    with pytest.raises(InvalidInput, match="damaged or missing"):
        gguf_file.write_lora(copy, tiny, target)


def test_half_an_adapter_is_refused(tiny: Path, trained: Path, tmp_path: Path, target: Path):
    copy = changed(trained, tmp_path)
    values = load_file(copy / bases.ADAPTER)
    values.pop(next(name for name in values if "lora_B" in name))
    save_file(values, copy / bases.ADAPTER)
    with pytest.raises(InvalidInput, match="not complete"):
        gguf_file.write_lora(copy, tiny, target)


def test_a_full_disk_leaves_nothing(tiny: Path, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gguf.GGUFWriter, "write_tensors_to_file", full)
    with pytest.raises(OSError, match="No space"):
        gguf_file.write_model(tiny, target)
    assert not list(tmp_path.iterdir())


def test_a_model_in_several_files_is_refused_with_what_works(tiny: Path, tmp_path: Path, target: Path):
    copy = changed(tiny, tmp_path)
    (copy / "model.safetensors").rename(copy / "model-00001-of-00001.safetensors")
    index = {"weight_map": dict.fromkeys(weights(tiny), "model-00001-of-00001.safetensors")}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(InvalidInput, match="convert_hf_to_gguf"):
        gguf_file.write_model(copy, target)


def test_the_pattern_is_that_of_the_built_in_tokenizer():
    found = json.loads((bases.BUILT_IN / "tokenizer.json").read_text(encoding="utf-8"))
    assert found["pre_tokenizer"]["pretokenizers"][0]["pattern"] == {"Regex": llama.LLAMA_BPE}
