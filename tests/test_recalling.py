"""Which texts are recalled: the likest, and no scene twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zega_core.recalling import Candidate, Matrix, search, varied


def unit(rows: Any) -> Matrix:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def like_texts(number: int, size: int = 384) -> Matrix:
    """Rows that differ in a few directions more than in others, as texts do."""
    random = np.random.default_rng(7)
    return unit(random.standard_normal((number, size)) * np.exp(-np.arange(size) / 40) + 0.02)


@pytest.mark.parametrize("k", [1, 5, 64, 300])
def test_the_likest_come_first(k: int):
    rows, query = like_texts(300), like_texts(301)[-1]
    places, scores = search(rows, query, k)
    order = np.argsort(-(rows @ query), kind="stable")[:k]
    assert places.tolist() == order.tolist()
    assert np.allclose(scores, (rows @ query)[order])


def test_of_equal_ones_the_earlier_comes_first():
    rows = np.tile(unit(np.ones((1, 8))), (6, 1))
    assert search(rows, rows[0], 3)[0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("number", "k"), [(0, 5), (3, 0), (0, 0)])
def test_nothing_to_find_is_nothing(number: int, k: int):
    places, scores = search(np.zeros((number, 8), np.float32), np.ones(8, np.float32), k)
    assert (len(places), len(scores)) == (0, 0)


def test_copies_of_one_scene_are_recalled_once():
    scene = like_texts(6)
    rows = unit(np.concatenate([np.tile(scene[:1], (5, 1)) + 0.01 * scene[1:], scene[1:4]]))
    candidates = [Candidate(0.9 - place / 100, 10) for place in range(5)] + [Candidate(0.5, 10)] * 3
    first, *others = varied(candidates, rows, 4)
    assert (first, sorted(others)) == (0, [5, 6, 7])


def test_neighbours_of_a_manuscript_are_one_scene():
    rows = np.eye(5, dtype=np.float32)
    pages = [Candidate(0.9 - place / 100, 10, "manuscript 1", place, True) for place in range(4)]
    assert varied([*pages, Candidate(0.1, 10, "manuscript 2", 1, True)], rows, 5) == [0, 2, 4]


def test_pieces_of_one_session_may_stand_beside_each_other():
    rows = np.eye(3, dtype=np.float32)
    pieces = [Candidate(0.9 - place / 100, 10, "session 1", place) for place in range(3)]
    assert varied(pieces, rows, 3) == [0, 1, 2]


def test_another_session_has_its_turn():
    rows = np.eye(4, dtype=np.float32)
    pieces = [Candidate(0.60, 9, "session 1"), Candidate(0.59, 9, "session 1"), Candidate(0.58, 9, "session 2")]
    assert varied(pieces, rows[:3], 2) == [0, 2]


def test_of_two_as_like_the_newer_is_recalled():
    rows = np.eye(2, dtype=np.float32)
    assert varied([Candidate(0.5, 400), Candidate(0.5, 1)], rows, 1) == [1]


def test_newness_does_not_outweigh_likeness():
    rows = np.eye(2, dtype=np.float32)
    assert varied([Candidate(0.5, 4000), Candidate(0.4, 0)], rows, 1) == [0]


def test_what_is_unlike_the_chosen_comes_before_more_of_the_same():
    base, other = np.eye(2, dtype=np.float32)
    near = unit(0.8 * base + 0.6 * other)
    rows = np.stack([base, near, unit(np.array([0.0, 1.0]))])
    assert varied([Candidate(0.6, 9), Candidate(0.58, 9), Candidate(0.5, 9)], rows, 2) == [0, 2]


@pytest.mark.parametrize("most", [0, 1, 9])
def test_no_more_than_asked_for(most: int):
    rows = np.eye(3, dtype=np.float32)
    assert len(varied([Candidate(0.5, 1)] * 3, rows, most)) == min(most, 3)
