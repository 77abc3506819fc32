"""From rows to tensors: what is computed together, in which order."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from zega_core.errors import InvalidInput
from zega_core.fine_tune import form
from zega_core.fine_tune.plan import Row

POOL = 4
"""Batches whose windows are sorted by length together. More pads less and mixes less."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One window with the weight of its example; see ``form.Window``."""

    tokens: list[int]
    masked: int
    weight: float

    @property
    def first(self) -> int:
        """The first token that is trained on; nothing predicts the very first."""
        return max(self.masked, 1)

    @property
    def mass(self) -> float:
        """The weight of its trained tokens together."""
        return self.weight * (len(self.tokens) - self.first)


@dataclass(frozen=True, slots=True)
class Batch:
    """``inputs`` is [rows, length]. The others are [trained tokens of all rows]: ``places`` in the flattened inputs
    that predict ``targets``, and the weight of each."""

    inputs: torch.Tensor
    places: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor


def samples(rows: Iterable[Row], tokenizer: Any, max_length: int) -> list[Sample]:
    """The windows of all rows with a weight above 0, in the order of the rows. Raises InvalidInput."""
    end, found = form.end_ids(tokenizer), []
    for row in rows:
        if not math.isfinite(row.weight):
            raise InvalidInput("The weight of an example is no number. Start the fine-tune again.")
        if row.weight <= 0:
            continue
        prompt, completion = form.prompt_ids(tokenizer, row.prompt), form.completion_ids(tokenizer, row.completion)
        try:
            cut = form.windows(prompt, completion, end, max_length)
        except ValueError as error:
            raise InvalidInput(f"{max_length} tokens are too few for this model. Set a longer text length.") from error
        found += [Sample(window.tokens, window.masked, row.weight) for window in cut]
    return [sample for sample in found if sample.mass > 0]


def order(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch as indexes, a function of ``seed`` and ``epoch``. Each index comes once. Windows of
    like length meet in a batch, in another company each epoch; within a batch the longest come first."""
    draw = random.Random(f"{seed} {epoch}")
    shuffled = list(range(len(lengths)))
    draw.shuffle(shuffled)
    batches = []
    for begin in range(0, len(shuffled), batch_size * POOL):
        pool = sorted(shuffled[begin : begin + batch_size * POOL], key=lambda index: -lengths[index])
        batches += [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
    draw.shuffle(batches)
    return batches


def collate(chosen: Sequence[Sample], device: torch.device) -> Batch:
    """Padded on the right, where a causal model's earlier positions do not see it; so no mask is needed."""
    length = max(len(sample.tokens) for sample in chosen)
    inputs = torch.zeros(len(chosen), length, dtype=torch.long)
    places, targets, weights = [], [], []
    for row, sample in enumerate(chosen):
        inputs[row, : len(sample.tokens)] = torch.tensor(sample.tokens)
        places += range(row * length + sample.first - 1, row * length + len(sample.tokens) - 1)
        targets += sample.tokens[sample.first :]
        weights += [sample.weight] * (len(sample.tokens) - sample.first)
    return Batch(
        inputs.to(device),
        torch.tensor(places, dtype=torch.long, device=device),
        torch.tensor(targets, dtype=torch.long, device=device),
        torch.tensor(weights, dtype=torch.float32, device=device),
    )
