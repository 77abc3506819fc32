"""Base models: what is found, what is refused and with which sentence. Hostile folders included."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import huggingface_hub
import pytest
import torch
from huggingface_hub import errors as hub_errors
from safetensors.torch import load_file, save_file

from tests.fine_tune.conftest import make_tiny
from zega_core.errors import HomeError, InvalidInput, ProviderUnavailable
from zega_core.fine_tune import base, hub
from zega_core.fine_tune.train import train


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    return folder


def put_in_cache(cache: Path, name: str, source: Path) -> Path:
    place = cache / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("a" * 40, encoding="utf-8")
    return Path(shutil.copytree(source, place / "snapshots" / ("a" * 40)))


def edit(folder: Path, file: str = "config.json", **changes: Any) -> None:
    config = json.loads((folder / file).read_text(encoding="utf-8")) | changes
    (folder / file).write_text(json.dumps(config), encoding="utf-8")


def test_the_built_in_model_is_described():
    info = base.describe(base.BUILT_IN)
    assert (info.label, info.parameters, info.layers, info.width, info.context) == (
        "the built-in model",
        14_358_912,
        8,
        384,
        1024,
    )
    assert info.has_template and info.bytes == (base.BUILT_IN / "model.safetensors").stat().st_size


def cut_weights(folder: Path) -> None:
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])


def only_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no folder": (shutil.rmtree, "There is no folder"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "has no config.json"),
    "no json": (lambda folder: (folder / "config.json").write_text("{", encoding="utf-8"), "cannot be read"),
    "a list": (lambda folder: (folder / "config.json").write_text("[]", encoding="utf-8"), "cannot be read"),
    "nested": (lambda folder: (folder / "config.json").write_text("[" * 99_999, encoding="utf-8"), "cannot be read"),
    "no text": (lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe"), "cannot be read"),
    "pickle": (only_pickle, "can run code"),
    "cut off": (cut_weights, "damaged or cut off"),
    "no header": (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 64), "damaged or cut off"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer.json"),
    "code": (lambda folder: edit(folder, auto_map={"AutoConfig": "x.Y"}), "needs code of its own"),
    "tokenizer code": (lambda folder: edit(folder, "tokenizer_config.json", auto_map={"A": "x.Y"}), "needs code"),
    "no causal model": (lambda folder: edit(folder, architectures=["BertModel"]), "not a model that continues text"),
    "no architecture": (lambda folder: edit(folder, architectures=None), "not a model that continues text"),
    "compressed": (lambda folder: edit(folder, quantization_config={"bits": 4}), "compressed form"),
    "layers": (lambda folder: edit(folder, num_hidden_layers="many"), "does not give num_hidden_layers"),
    "context": (lambda folder: edit(folder, max_position_embeddings=-1), "does not give max_position_embeddings"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_used_is_told_in_a_sentence(name: str, copy: Path):
    damage, words = BROKEN[name]
    damage(copy)
    with pytest.raises(InvalidInput, match=re.escape(words)):
        base.describe(copy)


def shard(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, keys in parts.items():
        save_file({key: tensors[key] for key in keys}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {key: file for file, keys in parts.items() for key in keys}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "model.safetensors").unlink()


def test_weights_in_several_files_are_counted_hashed_and_loaded(copy: Path, tiny: Path):
    shard(copy)
    assert base.describe(copy).parameters == base.describe(tiny).parameters
    assert base.weights_hash(copy) != base.weights_hash(tiny)
    model, _ = base.load(copy, dtype=torch.float32, device="cpu")
    whole, _ = base.load(tiny, dtype=torch.float32, device="cpu")
    assert torch.equal(model.lm_head.weight, whole.lm_head.weight)


def test_a_missing_file_of_several_is_named(copy: Path):
    shard(copy)
    (copy / "model-2.safetensors").unlink()
    with pytest.raises(InvalidInput, match=r"model-2\.safetensors of .* is missing"):
        base.describe(copy)


def test_an_index_cannot_lead_out_of_the_folder(copy: Path):
    shard(copy)
    index = copy / "model.safetensors.index.json"
    index.write_text(index.read_text(encoding="utf-8").replace("model-1", "../../model-1"), encoding="utf-8")
    assert {path.parent for path in base._weights(copy, "it")} == {copy}


def test_the_hash_is_of_the_weights_only(copy: Path):
    before = base.weights_hash(copy)
    edit(copy, note="anything")
    assert base.weights_hash(copy) == before
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    assert base.weights_hash(copy) != before


def test_missing_weights_are_not_made_up(copy: Path):
    tensors = load_file(copy / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InvalidInput, match="Weights are missing"):
        base.load(copy, dtype=torch.float32, device="cpu")


def test_a_config_of_another_size_is_refused(copy: Path):
    edit(copy, hidden_size=64)
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        base.load(copy, dtype=torch.float32, device="cpu")


def test_a_tokenizer_larger_than_the_model_is_refused(copy: Path):
    tensors = load_file(copy / "model.safetensors")
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        tensors[name] = tensors[name][:5000].clone()
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    edit(copy, vocab_size=5000)
    with pytest.raises(InvalidInput, match=r"tokenizer of .* does not belong"):
        base.load(copy, dtype=torch.float32, device="cpu")


def test_a_broken_tokenizer_is_told(copy: Path):
    (copy / "tokenizer.json").write_text('{"version": "1.0"}', encoding="utf-8")
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        base.load(copy, dtype=torch.float32, device="cpu")


def test_nothing_means_the_built_in_model_and_a_folder_is_itself(copy: Path, monkeypatch: pytest.MonkeyPatch):
    assert base.resolve("") == base.BUILT_IN
    assert base.resolve(str(copy)) == copy
    monkeypatch.setenv("HOME", str(copy.parent))
    assert base.resolve("~/copy") == copy
    with pytest.raises(InvalidInput, match="There is no folder ~/gone"):
        base.resolve("~/gone")


@pytest.mark.parametrize("name", ["a b", "a/b/c", "../x", "x/..", "-x/y", "é/y", "a--b/c", "a/b\n", "a/" + "b" * 200])
def test_what_is_no_id_is_not_asked_for(name: str):
    with pytest.raises(InvalidInput, match="names no model"):
        base.resolve(name, download=True)


def test_a_downloaded_model_is_found_without_asking(cache: Path, tiny: Path):
    place = put_in_cache(cache, "one/model", tiny)
    assert base.resolve("one/model") == place
    assert base.resolve("one/model", download=True) == place


def test_without_a_download_nothing_is_fetched(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub, "download", pytest.fail)
    with pytest.raises(InvalidInput, match="one/model is not on this machine"):
        base.resolve("one/model")


def answer(status: int, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, headers=headers, request=httpx2.Request("GET", "https://huggingface.co/x"))


REFUSALS: list[tuple[Exception, type[Exception], str]] = [
    (httpx2.ConnectError("no route"), ProviderUnavailable, "could not be reached"),
    (httpx2.ReadTimeout("slow"), ProviderUnavailable, "could not be reached"),
    (hub_errors.OfflineModeIsEnabled("offline"), ProviderUnavailable, "could not be reached"),
    (hub_errors.RepositoryNotFoundError("404", response=answer(404)), InvalidInput, "There is no model one/model"),
    (hub_errors.GatedRepoError("403", response=answer(403)), InvalidInput, "accepted its terms"),
    (hub_errors.HfHubHTTPError("500", response=answer(500)), ProviderUnavailable, "did not hand out"),
    (OSError(errno.ENOSPC, "No space left on device"), HomeError, "not enough space on the disk"),
]


@pytest.mark.parametrize(("error", "kind", "words"), REFUSALS, ids=[type(one[0]).__name__ for one in REFUSALS])
def test_why_a_download_fails_is_told(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception], words: str
):
    def fail(*_: object, **how: object) -> None:
        assert how.get("timeout") == hub.LOOK_SECONDS
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    with pytest.raises(kind, match=words):
        base.resolve("one/model", download=True)


def on_the_hub(monkeypatch: pytest.MonkeyPatch, *files: str) -> None:
    found = SimpleNamespace(sha="a" * 40, siblings=[SimpleNamespace(rfilename=file) for file in files])
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: found)


def test_pickled_weights_are_not_even_downloaded(cache: Path, monkeypatch: pytest.MonkeyPatch):
    on_the_hub(monkeypatch, "config.json", "pytorch_model.bin", "onnx/model.safetensors")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", _only_local)
    with pytest.raises(InvalidInput, match="can run code"):
        base.resolve("one/model", download=True)


def _only_local(*_: object, local_files_only: bool = False, **__: object) -> None:
    assert local_files_only
    raise hub_errors.LocalEntryNotFoundError("not here")


def test_a_download_takes_the_version_that_was_looked_at_and_no_other_forms(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tiny: Path
):
    on_the_hub(monkeypatch, "config.json", "model.safetensors")
    asked: list[dict[str, Any]] = []

    def fetch(name: str, *, local_files_only: bool = False, **how: Any) -> str:
        if local_files_only:
            raise hub_errors.LocalEntryNotFoundError("not here")
        asked.append(how)
        return str(tiny)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    assert base.resolve("one/model", download=True) == tiny
    assert asked[0]["revision"] == "a" * 40
    assert not any(pattern.endswith((".bin", ".pt", ".py")) for pattern in asked[0]["allow_patterns"])


@pytest.fixture
def version(make_run: Callable[..., Path]) -> Path:
    run = make_run(epochs=1)
    train(run, lambda _: None, device="cpu")
    return (run / "version").rename(run / "v3")


def put(version: Path, tiny: Path, base_hash: str | None = None) -> Any:
    model, _ = base.load(tiny, dtype=torch.float32, device="cpu")
    return base.load_adapter(model, version, base_hash or base.weights_hash(tiny))


def test_an_adapter_changes_what_the_model_says(version: Path, tiny: Path):
    tuned = put(version, tiny)
    assert not tuned.training and not any(one.requires_grad for one in tuned.parameters())
    tokens = torch.tensor([[1, 50, 60, 2]])
    with torch.no_grad():
        with tuned.disable_adapter():
            bare = tuned(tokens).logits
        assert not torch.allclose(tuned(tokens).logits, bare, atol=1e-3)


@pytest.mark.parametrize("file", [base.ADAPTER, base.ADAPTER_CONFIG, "data.jsonl"])
def test_a_damaged_file_of_a_version_is_named(version: Path, tiny: Path, file: str):
    content = bytearray((version / file).read_bytes())
    content[len(content) // 2] ^= 1
    (version / file).write_bytes(content)
    with pytest.raises(InvalidInput, match=f"v3's file {file} is damaged"):
        put(version, tiny)


def test_another_form_of_the_weights_is_never_taken_instead(version: Path, tiny: Path):
    (version / base.ADAPTER).rename(version / "adapter_model.bin")
    with pytest.raises(InvalidInput, match=r"v3 lacks its file adapter_model\.safetensors"):
        put(version, tiny)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"steps": 1}'])
def test_a_folder_without_its_result_is_no_version(version: Path, tiny: Path, content: str | None):
    (version / "result.json").unlink()
    if content is not None:
        (version / "result.json").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match="v3 is no finished version"):
        put(version, tiny)


def test_an_adapter_of_another_base_is_refused(version: Path, tmp_path: Path):
    other = make_tiny(tmp_path / "other", seed=8)
    with pytest.raises(InvalidInput, match="v3 belongs to another base model"):
        put(version, other)


def test_a_config_that_names_modules_to_import_has_no_say(version: Path, tiny: Path):
    edit(version, base.ADAPTER_CONFIG, megatron_config={"a": 1}, megatron_core="antigravity", auto_mapping={"x": "y"})
    result = json.loads((version / "result.json").read_text(encoding="utf-8"))
    result["files"][base.ADAPTER_CONFIG] = base.file_hash(version / base.ADAPTER_CONFIG)
    (version / "result.json").write_text(json.dumps(result), encoding="utf-8")
    put(version, tiny)
    import sys

    assert "antigravity" not in sys.modules
