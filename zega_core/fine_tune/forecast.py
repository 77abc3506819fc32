"""What a fine-tune will take before it starts: time, memory, disk. Pure, but for a look at this machine.

Calibrated on two processor cores: LoRA of rank 16 on the built-in model in bfloat16 trained on 1,490 tokens a second
(batches of 8 x 256 tokens) with 1.5 GB of memory at its peak, on a model of 135 million parameters on 122 a second
(4 x 512 tokens) with 6.3 GB; 2.0 GB in float32. So the rate falls with the parameters.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from zega_core.analytics import in_words
from zega_core.fine_tune.data import TOKENS_A_WORD, Summary
from zega_core.fine_tune.defaults import Base
from zega_core.fine_tune.plan import Plan

RATE, RATE_PARAMETERS = 1490.0, 14_358_912
"""Tokens a second in training, and the parameters of the model that this was measured on."""
WITHOUT_GRADIENT = 0.5
"""Cost of a token in validation beside one in training: 2 of 4 operations a weight."""
BEGIN_SECONDS = 10.0
"""Until the process has begun: torch, transformers and the weights took 4 to 8 s."""
WRITE_RATE = 240.0
"""Tokens a second that the built-in model writes in batches of 8, on one core."""
TEXT_TOKENS = 230
"""Of a piece."""
TRIED, PROVED = 48, 72
"""Texts that are written to find the strength (24 for each that is tried, two where the first will do), and for the
proof."""
PROCESS_BYTES = 450e6
PER_TRAINED = 12
"""Bytes of a trained parameter with its gradient and AdamW's moments, beside its weight of 4."""
PER_STATE = 220
"""Bytes of a token in each layer for each unit of its width: 114 to 170 in bfloat16, 219 in float32."""
PER_LOGIT = 12
PROMPT_TOKENS = 120
"""What is asked for in front of a text, from above: most prompts and requests are shorter."""
ROOM = 0.8
"""The part of a machine's memory that a fine-tune may take."""
GIGA = 1e9


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes; None where this system does not say."""

    memory: int | None
    disk: int | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """``seconds`` is for all epochs and for finding the strength; training that stops early takes less.
    ``proof_seconds`` come after it. ``measured`` when the rate is that of the
    writer's own fine-tunes. ``memory`` and ``disk`` are bytes, estimated from above. ``fits`` is None where this system
    does not say what it has; ``sentences`` are for the writer."""

    seconds: float
    proof_seconds: float
    tokens_per_second: float
    measured: bool
    memory: int
    disk: int
    fits: bool | None
    sentences: list[str]


def machine(folder: Path) -> Machine:
    """What is there: memory in all, and the space left beside ``folder``."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf; a name may be unknown
        memory = 0
    try:
        disk = shutil.disk_usage(folder).free
    except OSError:
        disk = None
    return Machine(memory if memory > 0 else None, disk)


def forecast(summary: Summary, plan: Plan, base: Base, here: Machine, *, rate: float | None = None) -> Forecast:
    """``rate`` is tokens a second in the writer's earlier fine-tunes of this base, None where there are none."""
    speed = rate if rate else RATE * RATE_PARAMETERS / max(1, base.parameters)
    validations = 1 + plan.epochs * plan.evaluations
    tokens = plan.epochs * summary.tokens + WITHOUT_GRADIENT * validations * summary.validation_tokens
    text = TEXT_TOKENS / (WRITE_RATE * RATE_PARAMETERS / max(1, base.parameters))
    seconds = BEGIN_SECONDS + tokens / speed + (TRIED * text if plan.strength is None else 0.0)
    proof = BEGIN_SECONDS + PROVED * text
    longest = min(plan.max_length, round(summary.longest_words * TOKENS_A_WORD) + PROMPT_TOKENS)
    memory, disk = memory_of(replace(plan, max_length=longest), base), disk_of(plan, base)
    return Forecast(
        seconds=seconds,
        proof_seconds=proof,
        tokens_per_second=speed,
        measured=bool(rate),
        memory=memory,
        disk=disk,
        fits=_fits(memory, disk, here),
        sentences=_sentences(seconds, proof, plan, memory, disk, here),
    )


def memory_of(plan: Plan, base: Base) -> int:
    """Bytes at the peak."""
    tokens = plan.micro_batch * plan.max_length
    states = tokens * base.layers * base.width * PER_STATE
    # Embeddings are about a quarter of a small model, which gives its vocabulary well enough.
    logits = tokens * base.parameters / (4 * max(1, base.width)) * PER_LOGIT
    weights = 4 * (base.parameters + adapter(plan, base)) + PER_TRAINED * adapter(plan, base)
    return ceil(PROCESS_BYTES + weights + states + logits)


def disk_of(plan: Plan, base: Base) -> int:
    """Bytes of the finished version, the best so far, and two checkpoints with AdamW's moments, in float32."""
    return 4 * adapter(plan, base) * (1 + 1 + 2 * 3)


def adapter(plan: Plan, base: Base) -> int:
    """Trained parameters at most: four matrices as wide as the model, three between that and four times the width."""
    return plan.rank * base.layers * base.width * (4 * 2 + 3 * 5)


def _fits(memory: int, disk: int, here: Machine) -> bool | None:
    if here.memory is None or here.disk is None:
        return None
    return memory <= ROOM * here.memory and disk <= here.disk


def _sentences(seconds: float, proof: float, plan: Plan, memory: int, disk: int, here: Machine) -> list[str]:
    early = "; it ends earlier when it gets no better" if plan.epochs > 1 else ""
    said = [f"Training takes {in_words(seconds)} on this machine{early}. The proof after it takes {in_words(proof)}."]
    said.append(f"It needs up to {_gigabytes(memory)} of memory and {_gigabytes(disk)} on the disk.")
    if here.memory is not None and memory > ROOM * here.memory:
        said.append(
            f"This machine has {_gigabytes(here.memory)} of memory, which may not be enough. Choose a smaller base "
            "model or smaller batches."
        )
    if here.disk is not None and disk > here.disk:
        said.append(f"Only {_gigabytes(here.disk)} are free on the disk. Free some space first.")
    return said


def _gigabytes(size: float) -> str:
    return f"{size / GIGA:.1f} GB" if size >= 0.95 * GIGA else f"{max(1, round(size / 1e6))} MB"
