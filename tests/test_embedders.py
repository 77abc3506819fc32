"""The embedder that needs no model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zega_core.embedders import HashingEmbedder

EMBEDDER = HashingEmbedder()


def likeness(first: str, second: str) -> float:
    one, other = EMBEDDER.embed([first, second])
    return float(one @ other)


@given(st.lists(st.text(max_size=200), max_size=4))
def test_every_text_gets_a_row_of_length_one(texts: list[str]):
    rows = EMBEDDER.embed(texts)
    assert rows.shape == (len(texts), EMBEDDER.size)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_halves_of_characters_are_taken():
    assert np.isfinite(EMBEDDER.embed(["a \ud800 lantern"])).all()


@pytest.mark.parametrize(
    ("near", "far"),
    [
        ("A lantern on the harbour wall.", "Two lawyers shared a taxi."),
        ("She walked between the harbours.", "He reads novels at breakfast."),
    ],
)
def test_texts_that_share_words_are_nearer(near: str, far: str):
    asked = "The lantern by the harbour: she walks there."
    assert likeness(asked, near) > likeness(asked, far) + 0.1


def test_what_is_common_to_all_texts_counts_for_nothing():
    assert abs(likeness("it was the one that they had", "the lantern")) < 0.1


def test_it_gives_the_same_in_every_process():
    row = EMBEDDER.embed(["The salt road"])[0]
    assert sorted(np.flatnonzero(np.abs(row) > 0.3).tolist()) == [563, 871]
