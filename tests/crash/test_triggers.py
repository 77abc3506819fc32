"""Two real processes reach the threshold at the same moment: one training."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support import tuned
from zega_core import db
from zega_core.configs import TriggerConfig
from zega_core.settings import ROOT, Settings
from zega_core.store import examples, fine_tunes, notifications, training_triggers
from zega_core.tables import Source

pytestmark = [pytest.mark.crash, pytest.mark.usefixtures("database")]
TABS = 3


def test_two_tabs_that_reach_it_at_once_begin_one_training(config: Settings):
    """Without a least time between two: only the count is between them and a second one."""
    tuned.keep(config, "ana", 15, source=Source.conversation)
    with db.session(config) as session:
        training_triggers.save(session, "ana", TriggerConfig(least_hours=0))
    tabs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.crash.saving", "ana", str(1000 * (number + 1))],
            cwd=ROOT,
            env=os.environ.copy(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(TABS)
    ]
    try:
        for tab in tabs:
            assert tab.stdout is not None
            assert tab.stdout.readline() == "ready\n"
        for tab in tabs:
            assert tab.stdin is not None
            tab.stdin.write("go\n")
            tab.stdin.flush()
        assert [tab.wait(120) for tab in tabs] == [0] * TABS
    finally:
        for tab in tabs:
            tab.kill()
            tab.communicate()
    with db.reading(config) as session:
        (row,) = fine_tunes.recent(session, "ana", 10)
        assert (row.trigger, row.status) == ("pairs", "queued")
        assert 20 <= row.pairs_before < 20 + TABS
        assert examples.count_kept_answers(session, "ana") == 15 + 10 * TABS
        assert [one.kind for one in notifications.recent(session, "ana")] == ["threshold"]
