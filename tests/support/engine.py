"""The engine's answers, scripted: a status per workflow id, when it took it up, and what was enqueued."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from zega_core.jobs import queues
from zega_core.tables import now


@dataclass
class FakeEngine:
    seconds_ago: float = 1000
    statuses: dict[str, str] = field(default_factory=dict)
    enqueued: list[str] = field(default_factory=list)

    def list_workflows(self, *, workflow_ids: list[str], **_: object) -> list[SimpleNamespace]:
        (one,) = workflow_ids
        if one not in self.statuses:
            return []
        return [
            SimpleNamespace(status=self.statuses[one], updated_at=int((now().timestamp() - self.seconds_ago) * 1000))
        ]

    def enqueue(self, options: dict[str, str], *arguments: object) -> None:
        self.enqueued.append(options["workflow_id"])
        self.statuses.setdefault(options["workflow_id"], "ENQUEUED")


@pytest.fixture(name="engine")
def fake_engine() -> Iterator[FakeEngine]:
    fake = FakeEngine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queues, "dbos_client", lambda settings: fake)
        yield fake
