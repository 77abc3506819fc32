"""Muon for the matrices inside the layers, Adam for embeddings and norms, in one step.

Matrices of one shape are stacked and orthogonalised together: few large operations instead of many small ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

ROUNDS = 5
A, B, C = 3.4445, -4.7750, 2.0315  # the quintic that pulls singular values towards 1 fastest


def orthogonal(stack: Tensor) -> Tensor:
    """Each matrix of the stack with its singular values moved close to 1 (Newton-Schulz)."""
    x = stack.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        square = x @ x.mT
        x = A * x + (B * square + C * square @ square) @ x
    return (x.mT if tall else x).float()


class Muon:
    def __init__(
        self, model: nn.Module, *, rate: float, adam_rate: float, decay: float, momentum: float = 0.95
    ) -> None:
        self.rate, self.adam_rate, self.decay, self.momentum = rate, adam_rate, decay, momentum
        groups: defaultdict[tuple[int, ...], list[nn.Parameter]] = defaultdict(list)
        self.rest: list[nn.Parameter] = []
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and "embed" not in name:
                groups[tuple(weight.shape)].append(weight)
            else:
                self.rest.append(weight)
        self.groups = list(groups.values())
        self.buffers = [torch.zeros_like(torch.stack([*group])) for group in self.groups]
        self.first = [torch.zeros_like(weight) for weight in self.rest]
        self.second = [torch.zeros_like(weight) for weight in self.rest]
        device = next(model.parameters()).device
        self.count = torch.zeros((), device=device)
        self.scale = torch.ones((), device=device)

    def tensors(self) -> dict[str, Tensor]:
        """Everything to keep for going on."""
        lists = {"muon": self.buffers, "first": self.first, "second": self.second}
        return {f"{key}.{n}": one for key, found in lists.items() for n, one in enumerate(found)} | {
            "count": self.count
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        for key, kept in self.tensors().items():
            kept.copy_(tensors[key])

    @torch.no_grad()
    def step(self) -> None:
        """One step with the gradients that are there, at ``scale`` times the full rates."""
        self.count += 1
        for group, buffer in zip(self.groups, self.buffers, strict=True):
            gradient = torch.stack([_gradient(weight) for weight in group])
            buffer.lerp_(gradient, 1 - self.momentum)
            rows, columns = group[0].shape
            update = orthogonal(gradient.lerp(buffer, self.momentum)) * max(1.0, rows / columns) ** 0.5
            for weight, change in zip(group, update, strict=True):
                weight.mul_(1 - self.scale * self.rate * self.decay)
                weight.sub_(change * (self.scale * self.rate))
        for weight, first, second in zip(self.rest, self.first, self.second, strict=True):
            gradient = _gradient(weight)
            first.lerp_(gradient, 0.1)
            second.lerp_(gradient.square(), 0.05)
            bias = (1 - 0.95**self.count).sqrt() / (1 - 0.9**self.count)
            weight.sub_(first / (second.sqrt() + 1e-8) * (self.scale * self.adam_rate * bias))


def _gradient(weight: nn.Parameter) -> Tensor:
    if weight.grad is None:
        raise ValueError("No gradient: call backward first.")
    return weight.grad
