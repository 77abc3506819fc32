"""What happens at which step: a function of the step alone, so that going on is exact."""

from __future__ import annotations

from dataclasses import dataclass

from zega_core.fine_tune.plan import Plan

LAST_RATE = 0.1
"""Share of the learning rate that is left at the last step."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps are counted from 1; after step 0 nothing was learned yet."""

    plan: Plan
    per_epoch: int

    @property
    def steps(self) -> int:
        return self.per_epoch * self.plan.epochs

    def rate(self, step: int) -> float:
        """The learning rate of a step: up for a tenth of them but at most ten, then down in a line."""
        warm = max(1, min(10, self.steps // 10))
        if step <= warm:
            return self.plan.learning_rate * step / warm
        down = (step - warm) / (self.steps - warm)
        return self.plan.learning_rate * (1 - (1 - LAST_RATE) * down)

    def evaluates(self, step: int) -> bool:
        """Whether the validation loss is measured after this step."""
        times = self.plan.evaluations
        marks = {max(1, round(self.per_epoch * number / times)) for number in range(1, times + 1)}
        return (step - 1) % self.per_epoch + 1 in marks

    def epoch(self, step: int) -> float:
        return round(step / self.per_epoch, 3)
