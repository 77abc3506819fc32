"""Who waits for a service keeps nobody else waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import pytest

from tests.support import api
from zega_core import teacher_checks
from zega_core.api import threads
from zega_core.settings import Settings

PATIENCE = 60  # seconds


def test_what_is_short_is_answered_while_many_wait_for_a_service(config: Settings, monkeypatch: pytest.MonkeyPatch):
    arrived, answer = Semaphore(0), Event()

    def waits(*_given: object) -> dict[str, object]:
        arrived.release()
        assert answer.wait(PATIENCE)
        return {}

    monkeypatch.setattr(teacher_checks, "survey", waits)
    many = threads.SHORT + 2
    with api.client() as client, ThreadPoolExecutor(many + 1) as asking:
        try:
            waiting = [asking.submit(client.post, "/api/teachers/survey") for _ in range(many)]
            assert all(arrived.acquire(timeout=PATIENCE) for _ in range(many))
            assert asking.submit(client.get, "/user/default/training-stats").result(PATIENCE).status_code == 200
            assert not any(one.done() for one in waiting)
        finally:
            answer.set()
        assert [one.result(PATIENCE).status_code for one in waiting] == [200] * many
