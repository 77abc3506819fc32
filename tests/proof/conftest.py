"""A job on a model of a few thousand numbers, with a version that writes otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zega_core.proof.job import Asked, Held, Job

PROMPTS = (
    "A lantern that remembers.",
    "Write about the harbour master and her ledger, in fog.",
    "Two cooks quarrel.",
    "The widow's key.",
    "A ghost in the kitchen counts the spoons again.",
)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch  # not for the tests of those who need no model

    from tests.local.tiny import tiny_base

    torch.set_num_threads(1)  # more only wait for each other with tensors this small
    return tiny_base(tmp_path_factory.mktemp("proof") / "base")


@pytest.fixture(scope="session")
def version(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    from tests.local.tiny import tiny_version

    return tiny_version(tmp_path_factory.mktemp("home"), tiny)


@pytest.fixture
def make_job(tiny: Path, version: Path) -> Callable[..., Job]:
    def make(**settings: Any) -> Job:
        asked = [Asked(at, prompt, "horror", "scene", "shipped", 100 + at, 24) for at, prompt in enumerate(PROMPTS)]
        held = [Held("The lamp.", "She lit it and went down.", True), Held("The tide.", "It came in. " * 40, False)]
        known: dict[str, Any] = {"before": "", "after": str(version), "asked": asked, "held": held, "batch_size": 2}
        return Job(base=str(tiny), **known | settings)

    return make
