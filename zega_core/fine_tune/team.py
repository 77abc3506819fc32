"""The processes that train together: one, or one for each GPU, tied by accelerate."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Team:
    """``rank`` 0 speaks and writes files. ``accelerator`` is None for a single process."""

    device: torch.device
    rank: int = 0
    size: int = 1
    accelerator: Any = None

    @property
    def speaks(self) -> bool:
        return self.rank == 0

    @property
    def name(self) -> str:
        return self.device.type if self.size == 1 else f"{self.size} x {self.device.type}"

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """Over all processes, the same in each. They all have to ask for it."""
        return tensor if self.accelerator is None else self.accelerator.reduce(tensor, reduction="sum")

    def first(self, value: float) -> float:
        """What rank 0 says."""
        return float(self.sum(torch.tensor(float(value) if self.speaks else 0.0, device=self.device)))

    def add_gradients(self, parameters: list[torch.nn.Parameter]) -> None:
        """Each process has the gradient of its share of the batch; afterwards each has that of the whole. An adapter
        is small: one exchange of one tensor is enough."""
        if self.accelerator is None:
            return
        grads = [torch.zeros_like(one) if one.grad is None else one.grad for one in parameters]
        whole = self.sum(torch.cat([grad.flatten() for grad in grads]))
        at = 0
        for one in parameters:
            one.grad = whole[at : at + one.numel()].view_as(one).clone()
            at += one.numel()


def join(device: str | None = None) -> Team:
    """Alone, or with the processes that ``accelerate launch`` started beside this one."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=device == "cpu", mixed_precision="no")
        return Team(accelerator.device, accelerator.process_index, accelerator.num_processes, accelerator)
    return Team(torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu")))
