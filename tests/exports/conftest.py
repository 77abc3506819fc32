"""A version of a tiny base model, and an Ollama to put it into."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.tiny import tiny_base, tiny_version
from tests.support.ollama_server import OllamaServer
from zega_core import versions
from zega_core.fine_tune import base as bases
from zega_core.settings import Settings
from zega_core.version_tables import Version


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    return tiny_version(tmp_path_factory.mktemp("trained"), tiny)


@pytest.fixture
def version(config: Settings, tiny: Path, trained: Path) -> Version:
    """v3 of ana, with its files."""
    folder = versions.folder_of(config, "ana", 3)
    shutil.copytree(trained, folder)
    return Version(
        user_id="ana",
        number=3,
        fine_tune_id=1,
        base=str(tiny),
        base_hash=bases.weights_hash(tiny),
        data_hash="d" * 64,
        examples=50,
        own_share=0.5,
        settings={},
        metrics={},
        files={path.name: bases.file_hash(path) for path in folder.iterdir()},
        size_bytes=1,
        seconds=1.0,
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaServer]:
    with OllamaServer() as running:
        monkeypatch.setenv("OLLAMA_HOST", running.url)
        yield running
