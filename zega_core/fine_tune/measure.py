"""Losses: for a step, for validation, and as perplexity of texts that were never trained on."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from zega_core.errors import InvalidInput
from zega_core.fine_tune.batches import Batch, Sample, collate
from zega_core.fine_tune.team import Team

T = TypeVar("T")
NO_ROOM = (
    "There is not enough memory to train on even one text at a time. Close other programs, shorten the text length, or "
    "choose a smaller base model."
)
HOPELESS = 3.0
"""Times as long on a few tokens, where turning weights into bfloat16 weighs more than in a whole batch: a slower
processor is not taken for one that cannot."""
_NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")


@dataclass(slots=True)
class Compute:
    """``model`` is on the device of ``team``, with an adapter or without. In ``bfloat16`` products are, while the
    adapter, sums and losses stay in float32."""

    model: Any
    team: Team
    bfloat16: bool = False

    def losses(self, batch: Batch) -> torch.Tensor:
        """Nats of each trained token, float32, in the order of ``batch.targets``. Logits are made for those only."""
        head = self.model.get_output_embeddings()

        def pick(_: object, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
            return (given[0].reshape(-1, given[0].shape[-1]).index_select(0, batch.places),)

        hook = head.register_forward_pre_hook(pick)
        try:
            with self._precision():
                logits = self.model(input_ids=batch.inputs, use_cache=False).logits
        finally:
            hook.remove()
        return torch.nn.functional.cross_entropy(logits.float(), batch.targets, reduction="none")

    def _precision(self) -> Any:
        return torch.autocast(self.team.device.type, torch.bfloat16) if self.bfloat16 else nullcontext()

    @torch.no_grad()
    def mean_loss(self, samples: Sequence[Sample], size: int, *, weighted: bool = True) -> tuple[float, int]:
        """Nats a token over all of ``samples``, and the number of samples that could be computed at once (``size`` or
        fewer). Raises InvalidInput without enough memory."""
        was_training = self.model.training
        self.model.eval()
        ordered = sorted(samples, key=lambda sample: -len(sample.tokens))
        mine = ordered[self.team.rank :: self.team.size]
        try:
            sums, size = fitting(lambda fits: self._sums(mine, fits, weighted), size)
        finally:
            self.model.train(was_training)
        total, mass = self.team.sum(sums).tolist()
        return total / mass, size

    def _sums(self, samples: Sequence[Sample], size: int, weighted: bool) -> torch.Tensor:
        sums = torch.zeros(2, dtype=torch.float64)
        for at in range(0, len(samples), size):
            batch = collate(samples[at : at + size], self.team.device)
            weights = batch.weights.double() if weighted else torch.ones_like(batch.weights, dtype=torch.float64)
            losses = self.losses(batch).double()
            sums += torch.stack([(losses * weights).sum(), weights.sum()]).cpu()
        return sums.to(self.team.device)


def faster_in_bfloat16(compute: Compute, small: Batch, batch: Batch) -> bool:
    """Whether forward and backward of ``batch`` take less time so on this machine; gradients are left behind. A
    processor without instructions for it (AVX2 alone) takes ten times as long and more, minutes for a batch: that shows
    on ``small``, and the whole batch is not tried then."""
    for some, margin in ((small, HOPELESS), (batch, 1.0)):
        seconds = {}
        for compute.bfloat16 in (False, True):
            seconds[compute.bfloat16] = _seconds(compute, some)
        if seconds[True] >= margin * seconds[False]:
            return False
    return True


def _seconds(compute: Compute, batch: Batch) -> float:
    """The better of two runs, after one to warm up."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        compute.losses(batch).mean().backward()
        if compute.team.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return min(times[1:])


def perplexity(compute: Compute, samples: Sequence[Sample], size: int) -> float | None:
    """exp of the nats a token, each token alike; None without samples."""
    if not samples:
        return None
    loss, _ = compute.mean_loss(samples, size, weighted=False)
    return math.exp(min(loss, 700.0))


def fitting(work: Callable[[int], T], size: int, sentence: str = NO_ROOM) -> tuple[T, int]:
    """``work(size)``, with half of ``size`` again and again while memory does not suffice; and the size that fitted.
    Raises InvalidInput with ``sentence`` when not even one sample fits."""
    while True:
        try:
            return work(size), size
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and not _lacks_memory(error):
                raise
            if size <= 1:
                raise InvalidInput(sentence) from error
        size //= 2  # outside of the handler, which holds on to the tensors of the failed attempt
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _lacks_memory(error: Exception) -> bool:
    return any(words in str(error).lower() for words in _NO_MEMORY)
