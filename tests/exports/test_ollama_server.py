"""The stand-in refuses what Ollama refuses, so that a delivery that passes here does not fail there."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import ollama
import pytest

from tests.support.ollama_server import OllamaServer
from zega_core.exports.gguf_file import write_lora, write_model


@pytest.fixture
def client(server: OllamaServer) -> Any:
    with ollama.Client(server.url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, tiny: Path, trained: Path) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    write_model(tiny, folder / "model.gguf")
    write_lora(trained, tiny, folder / "lora.gguf")
    return {"model": folder / "model.gguf", "lora": folder / "lora.gguf", "safetensors": trained}


def refused(work: Callable[[], Any]) -> str:
    with pytest.raises(ollama.ResponseError) as caught:
        work()
    return str(caught.value)


def test_blobs_are_kept_by_what_is_in_them(server: OllamaServer):
    body = b"GGUF and more"
    digest = sha256(body).hexdigest()
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        assert http.head(f"/api/blobs/sha256:{digest}").status_code == 404
        assert http.post(f"/api/blobs/sha256:{digest}", content=b"another").status_code == 400
        assert http.post("/api/blobs/sha256:abc", content=body).status_code == 400
        assert http.post(f"/api/blobs/sha256:{digest}", content=body).status_code == 201
        assert http.post(f"/api/blobs/sha256:{digest}", content=body).status_code == 200
        assert http.head(f"/api/blobs/sha256:{digest}").status_code == 200


@pytest.mark.parametrize("name", ["-a", "a b", "a/b/c/d", "a:", "a:b c", "ä", "../x", "a" * 81])
def test_names_that_are_none(server: OllamaServer, client: Any, files: dict[str, Path], name: str):
    digest = client.create_blob(files["model"])
    assert "invalid model name" in refused(lambda: client.create(name, files={"model.gguf": digest}))
    assert not server.models


@pytest.mark.parametrize("stream", [True, False])
def test_a_model_is_made_of_a_whole_file_only(server: OllamaServer, client: Any, files: dict[str, Path], stream: bool):
    model, lora = client.create_blob(files["model"]), client.create_blob(files["lora"])

    def create(**how: Any) -> Any:
        made = client.create("zega-ana", **how, stream=stream)
        return list(made) if stream else made

    assert "neither" in refused(create)
    assert "no longer supported" in refused(lambda: create(files={"lora.gguf": lora}))
    assert "no such file" in refused(lambda: create(files={"model.gguf": "sha256:" + "0" * 64}))
    assert "relative" in refused(lambda: create(files={"/etc/model.gguf": model}))
    assert "not in GGUF" in refused(lambda: create(files={"model.safetensors": model}))
    assert "template" in refused(lambda: create(files={"model.gguf": model}, template="{{ .Prompt"))
    assert not server.models
    create(files={"model.gguf": model})
    assert list(server.models) == ["zega-ana:latest"]


def test_no_form_of_an_adapter_is_taken(server: OllamaServer, client: Any, files: dict[str, Path]):
    client.create("base", files={"model.gguf": client.create_blob(files["model"])})
    lora = client.create_blob(files["lora"])
    safe = client.create_blob(files["safetensors"] / "adapter_model.safetensors")
    config = client.create_blob(files["safetensors"] / "adapter_config.json")
    for adapters in (
        {"lora.gguf": lora},
        {"adapter_model.safetensors": safe},
        {"adapter_model.safetensors": safe, "adapter_config.json": config},
    ):
        assert "no longer supported" in refused(lambda: client.create("zega-ana", from_="base", adapters=adapters))  # noqa: B023
    assert list(server.models) == ["base:latest"]


def test_what_is_missing_would_be_fetched(server: OllamaServer, client: Any):
    assert "pull" in refused(lambda: list(client.create("zega-ana", from_="llama3.2", stream=True)))
    assert server.pulls == ["llama3.2"]


def test_models_are_listed_shown_copied_asked_and_deleted(server: OllamaServer, client: Any, files: dict[str, Path]):
    client.create(
        "a", files={"model.gguf": client.create_blob(files["model"])}, license="Mine.", template="<{{ .Prompt }}>"
    )
    client.copy("a", "b:v1")
    assert [model.model for model in client.list().models] == ["a:latest", "b:v1"]
    shown = client.show("b:v1")
    assert (shown.template, shown.license) == ("<{{ .Prompt }}>", "Mine.")
    assert shown.modelinfo["llama.block_count"] == 2
    server.answer = lambda model, prompt, options: f"{prompt} one two three"
    assert client.generate("a", "hi", options={"num_predict": 2}).response == "<hi> one"
    pieces = list(client.chat("a", [{"role": "user", "content": "hi"}], stream=True))
    assert "".join(piece.message.content for piece in pieces) == "<hi> one two three"
    assert pieces[-1].done_reason == "stop"
    client.delete("a")
    assert "not found" in refused(lambda: client.delete("a"))
    assert "not found" in refused(lambda: client.show("a"))
    assert "not found" in refused(lambda: client.chat("a", [{"role": "user", "content": "hi"}]))
