"""The loss is the same however it is computed: all logits or some, at once or in parts, weighted or repeated."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.fine_tune.conftest import row
from zega_core.errors import InvalidInput
from zega_core.fine_tune import adapter, base, batches, measure
from zega_core.fine_tune.batches import Sample, collate
from zega_core.fine_tune.measure import Compute, fitting, perplexity
from zega_core.fine_tune.plan import Plan
from zega_core.fine_tune.team import Team

CPU = torch.device("cpu")


@pytest.fixture
def compute(tiny: Path) -> Compute:
    model, _ = base.load(tiny, dtype=torch.float32, device="cpu")
    model = adapter.attach(model, Plan(base=str(tiny), rank=4, dropout=0.0), base.weights_hash(tiny))
    for name, weight in adapter.trained(model).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    return Compute(model, Team(CPU))


@pytest.fixture
def texts(tokenizer: Any) -> list[Sample]:
    return batches.samples([row(number, weight=1 + number / 2) for number in range(7)], tokenizer, 256)


@torch.no_grad()
def all_logits(compute: Compute, sample: Sample) -> torch.Tensor:
    tokens = torch.tensor(sample.tokens)
    logits = compute.model(tokens[None]).logits[0]
    return torch.nn.functional.cross_entropy(logits[sample.first - 1 : -1], tokens[sample.first :], reduction="none")


def test_logits_of_the_completion_only_give_the_losses_of_all_logits(compute: Compute, texts: list[Sample]):
    together = compute.losses(collate(texts, CPU)).detach()
    alone = torch.cat([all_logits(compute, sample) for sample in texts])
    assert torch.allclose(together, alone, atol=1e-5)
    full = compute.model(torch.tensor([texts[0].tokens])).logits
    assert full.shape[:2] == (1, len(texts[0].tokens))  # the hook is gone


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_mean_does_not_depend_on_how_many_are_computed_at_once(compute: Compute, texts: list[Sample], size: int):
    losses = [all_logits(compute, sample) for sample in texts]
    expected = sum(float(one.sum()) * sample.weight for one, sample in zip(losses, texts, strict=True))
    expected /= sum(sample.mass for sample in texts)
    assert compute.mean_loss(texts, size) == (pytest.approx(expected, rel=1e-5), size)


def gradient(compute: Compute, chosen: list[Sample]) -> torch.Tensor:
    parameters = list(adapter.trained(compute.model).values())
    batch = collate(chosen, CPU)
    loss = (compute.losses(batch) * batch.weights).sum() / batch.weights.sum()
    return torch.cat([one.flatten() for one in torch.autograd.grad(loss, parameters)])


def test_a_weight_of_three_is_the_same_as_three_copies(compute: Compute, texts: list[Sample]):
    once = [Sample(one.tokens, one.masked, 3.0 if number else 1.0) for number, one in enumerate(texts[:3])]
    copies = [Sample(one.tokens, one.masked, 1.0) for one in [texts[0], *texts[1:3] * 3]]
    assert torch.allclose(gradient(compute, once), gradient(compute, copies), rtol=1e-3, atol=1e-6)


def test_perplexity_counts_each_token_alike(compute: Compute, texts: list[Sample]):
    losses = torch.cat([all_logits(compute, sample) for sample in texts])
    assert perplexity(compute, texts, 3) == pytest.approx(math.exp(float(losses.mean())), rel=1e-4)
    assert perplexity(compute, [], 3) is None


def test_bfloat16_is_near_float32_and_losses_stay_float32(compute: Compute, texts: list[Sample]):
    exact = compute.losses(collate(texts, CPU))
    compute.bfloat16 = True
    rough = compute.losses(collate(texts, CPU))
    assert rough.dtype == torch.float32 and not torch.equal(exact, rough)
    assert torch.allclose(exact, rough, atol=0.2)


def test_measuring_leaves_the_model_as_it_was(compute: Compute, texts: list[Sample]):
    compute.model.train()
    compute.mean_loss(texts, 4)
    assert compute.model.training


ERRORS: list[Callable[[], Exception]] = [
    lambda: RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to"),
    lambda: RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    lambda: torch.OutOfMemoryError("CUDA out of memory."),
    lambda: MemoryError(),
]


@pytest.mark.parametrize("error", ERRORS)
def test_half_as_many_are_tried_when_memory_is_short(error: Callable[[], Exception]):
    tried: list[int] = []

    def work(size: int) -> str:
        tried.append(size)
        if size > 2:
            raise error()
        return "done"

    assert fitting(work, 8) == ("done", 2)
    assert tried == [8, 4, 2]


def test_not_even_one_fits():
    def work(_: int) -> None:
        raise MemoryError

    with pytest.raises(InvalidInput, match="not enough memory to train on even one text"):
        fitting(work, 4)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def work(_: int) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        fitting(work, 4)


@pytest.mark.parametrize(
    ("slower", "whole_batch", "faster"), [(8.0, 0, False), (1.2, 3, False), (0.5, 3, True), (2.0, 3, False)]
)
def test_a_whole_batch_is_not_tried_in_bfloat16_where_a_few_tokens_take_far_longer(
    monkeypatch: pytest.MonkeyPatch, slower: float, whole_batch: int, faster: bool
):
    small: Any = object()
    whole: Any = object()
    clock = [0.0]

    class Timed:
        """A second for each batch, ``slower`` times that in bfloat16."""

        def __init__(self) -> None:
            self.bfloat16, self.team, self.tried = False, SimpleNamespace(device=torch.device("cpu")), []

        def losses(self, batch: object) -> torch.Tensor:
            self.tried.append((batch, self.bfloat16))
            clock[0] += slower if self.bfloat16 else 1.0
            return torch.ones(1, requires_grad=True)

    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])
    compute: Any = Timed()
    assert measure.faster_in_bfloat16(compute, small, whole) is faster
    assert compute.tried.count((whole, True)) == whole_batch
