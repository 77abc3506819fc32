"""What is computed together: everything once an epoch, in an order that follows from the seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.fine_tune.conftest import row
from zega_core.errors import InvalidInput
from zega_core.fine_tune.batches import Sample, collate, order, samples


@given(
    lengths=st.lists(st.integers(1, 500), min_size=1, max_size=120),
    size=st.integers(1, 16),
    seed=st.integers(0, 2**31),
    epoch=st.integers(0, 50),
)
def test_an_epoch_has_every_sample_once(lengths: list[int], size: int, seed: int, epoch: int):
    batches = order(lengths, size, seed, epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // size)
    assert all(0 < len(batch) <= size for batch in batches)
    assert batches == order(lengths, size, seed, epoch)


def test_batches_meet_in_another_company_and_order_each_epoch():
    lengths = [100 + number % 37 for number in range(50)]
    first, second = order(lengths, 8, 1, 0), order(lengths, 8, 1, 1)
    assert {frozenset(batch) for batch in first} != {frozenset(batch) for batch in second}
    assert order(lengths, 8, 2, 0) != first


def test_lengths_do_not_grow_over_an_epoch_but_agree_within_a_batch():
    draws = [sum(lengths) / len(lengths) for lengths in _batches_of_lengths()]
    assert draws != sorted(draws) and draws != sorted(draws, reverse=True)
    padded = sum(max(lengths) * len(lengths) for lengths in _batches_of_lengths())
    unsorted = sum(max(LENGTHS[at : at + 8]) * 8 for at in range(0, len(LENGTHS), 8))
    assert padded - sum(LENGTHS) < (unsorted - sum(LENGTHS)) / 2


LENGTHS = [20 + (number * 7919) % 300 for number in range(160)]


def _batches_of_lengths() -> list[list[int]]:
    return [[LENGTHS[index] for index in batch] for batch in order(LENGTHS, 8, 1, 0)]


def test_each_trained_token_is_predicted_from_the_one_before_it():
    chosen = [Sample([11, 12, 13, 14], 2, 2.0), Sample([21, 22], 0, 0.5)]
    batch = collate(chosen, torch.device("cpu"))
    flat = batch.inputs.flatten()
    assert batch.inputs.shape == (2, 4)
    assert flat[batch.places].tolist() == [12, 13, 21]
    assert batch.targets.tolist() == [13, 14, 22]
    assert batch.weights.tolist() == [2.0, 2.0, 0.5]
    assert sum(sample.mass for sample in chosen) == float(batch.weights.sum())


def test_what_weighs_nothing_is_left_out(tokenizer: Any):
    found = samples([row(1), replace(row(2), weight=0.0), row(3, words=200)], tokenizer, 128)
    assert len(found) > 2 and all(len(sample.tokens) <= 128 for sample in found)
    assert len(samples([replace(row(2), weight=0.0)], tokenizer, 128)) == 0


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_refused(tokenizer: Any, weight: float):
    with pytest.raises(InvalidInput, match="weight of an example"):
        samples([replace(row(1), weight=weight)], tokenizer, 128)
