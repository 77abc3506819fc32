"""Following a run on the command line, with Ctrl-C at moments that a hand hits by chance."""

from __future__ import annotations

import os
import signal

import pytest

from zega_core.cli import frame
from zega_core.cli.frame import Worker, follow
from zega_core.settings import Settings


@pytest.fixture
def helper(config: Settings, monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.setattr(frame.launcher, "worker_is_alive", lambda _: True)
    monkeypatch.setattr(frame, "POLL", 0.0)
    return Worker(config)


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


class Run:
    """Ends when it is asked to stop, or after ``looks`` looks."""

    def __init__(self, looks: int) -> None:
        self.left, self.stops = looks, 0

    def look(self) -> int:
        self.left -= 1
        return self.left

    def stop(self) -> None:
        self.stops, self.left = self.stops + 1, 1

    def followed(self, helper: Worker) -> int:
        return follow(helper, self.look, lambda _: {}, lambda left: left <= 0, self.stop)


def test_what_is_followed_ends_by_itself(helper: Worker):
    run = Run(3)
    with helper:
        assert run.followed(helper) == 0
    assert run.stops == 0


def test_ctrl_c_between_two_runs_stops_the_second(helper: Worker):
    first, second = Run(1), Run(1_000)
    with helper:
        first.followed(helper)
        press_ctrl_c()
        second.followed(helper)
    assert (first.stops, second.stops) == (0, 1)


def test_each_ctrl_c_is_one_stop(helper: Worker):
    run = Run(1_000)
    with helper:
        press_ctrl_c()
        press_ctrl_c()
        run.followed(helper)
    assert run.stops == 1


def test_afterwards_ctrl_c_is_raised_as_before(helper: Worker):
    with helper:
        pass
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()


def test_ctrl_c_while_the_first_ends_is_for_the_second(helper: Worker):
    first, second = Run(1), Run(1_000)

    def look_and_press() -> int:
        press_ctrl_c()
        return first.look()

    with helper:
        follow(helper, look_and_press, lambda _: {}, lambda left: left <= 0, first.stop)
        second.followed(helper)
    assert (first.stops, second.stops) == (0, 1)
