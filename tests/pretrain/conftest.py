"""A corpus of two small books and everything prepared from it, once for all tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from scripts.pretrain import texts, tokens
from scripts.pretrain.model import Shape
from scripts.pretrain.train import Plan

WORDS = (
    "the a sea door lamp keeper night old wind stone came went held said opened waited slowly again under over".split()
)


def chapter(draw: Random) -> str:
    sentences = (" ".join(draw.choices(WORDS, k=9)).capitalize() + "." for _ in range(30))
    return "\n".join(sentences)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work, draw = tmp_path_factory.mktemp("pretrain"), Random(0)
    corpus = work / "corpus"
    corpus.mkdir()
    for name in ("horror__somebody_a-book", "horror__edgar-allan-poe_tales"):
        text = "\n".join(f"## “{n}”\n{chapter(draw)}" for n in range(5))
        (corpus / f"{name}.txt").write_text(text, encoding="utf-8")
    texts.write_pairs(work / "pairs", 4, seed=1, held_out=True)
    texts.write_pairs(work / "pairs", 30, seed=1)
    texts.write_shipped(work / "pairs")
    books = texts.load_books(corpus)
    tokenizer = tokens.train_tokenizer(tokens.tokenizer_texts(books, work / "pairs", 30), 600)
    tokenizer.save(str(work / "tokenizer.json"))
    tokens.write_tokens(work / "tokens.safetensors", tokenizer, books, work / "pairs", 1)
    return work


@pytest.fixture
def plan() -> Plan:
    shape = replace(Shape(), vocabulary=600, width=32, layers=2, heads=2, kv_heads=1, inner=64)
    return Plan(shape=shape, steps=12, rows=3, length=256, warmup=2, measured_every=4, measured_rows=1, seed=3)
