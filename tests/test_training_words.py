"""What is said of training that begins by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from zega_core import training_words as words
from zega_core.configs import TriggerConfig
from zega_core.errors import InvalidInput
from zega_core.proof_tables import Proof
from zega_core.tables import RunStatus
from zega_core.triggers import Due, NextUp
from zega_core.version_tables import FineTune

VIENNA = ZoneInfo("Europe/Vienna")
NOON = datetime(2026, 7, 8, 12, tzinfo=UTC)
NEXT = NextUp(
    pairs=7,
    goal=20,
    by_pairs=True,
    new=31,
    every=50,
    scheduled_at=None,
    reached=False,
    not_before=None,
    holds="",
    after="",
    on=True,
    under_way="",
)
HOLDS = "12 % of the words are your own, and you ask for 30 %. Answer more questions or lower the share."


def row(status: str = RunStatus.running, **more: Any) -> FineTune:
    return FineTune(user_id="ana", run_id="r", trigger="pairs", config={}, status=status, **more)


def proof(verdict: str, **more: Any) -> Proof:
    fields = {"status": RunStatus.done, "against": 2, "promote": False} | more
    return Proof(user_id="ana", run_id="p", trigger="fine_tune", version_number=3, verdict=verdict, judge="", **fields)


@pytest.mark.parametrize(
    "change, says",
    [
        ({}, "7 of 20 answers until the next training."),
        ({"by_pairs": False}, "31 of 50 new examples until the next training."),
        (
            {"scheduled_at": datetime(2026, 7, 12, 1, tzinfo=UTC)},
            "7 of 20 answers until the next training. Next by schedule: Sunday 03:00.",
        ),
        ({"on": False}, "Training by itself is off. Your answers are saved all the same."),
        ({"holds": HOLDS}, f"7 of 20 answers until the next training. It would wait now: {HOLDS}"),
        ({"reached": True, "holds": HOLDS, "after": "session"}, f"Training waits: {HOLDS}"),
        ({"reached": True, "after": "session"}, "Auto-Train is writing; training begins when it has ended."),
        ({"reached": True, "after": "proof"}, "The newest version is being proved; training begins after that."),
        (
            {"reached": True, "not_before": datetime(2026, 7, 8, 12, 20, tzinfo=UTC)},
            "Training begins at Wednesday 14:20, so that it is not too soon after the last one.",
        ),
        ({"reached": True}, "Training begins within a minute."),
    ],
)
def test_the_line_says_what_will_happen_and_when(change: dict[str, Any], says: str):
    assert words.next_line(replace(NEXT, **change), None, VIENNA) == says


@pytest.mark.parametrize(
    "fields, says",
    [
        ({"status": RunStatus.queued}, "A training waits for its turn."),
        ({"phase": "preparing"}, "A training runs: preparing your examples."),
        ({"phase": "training", "step": 40, "steps": 120}, "A training runs: step 40 of 120."),
        ({"phase": "measuring", "step": 120, "steps": 120}, "A training runs: measuring it on texts that it has never"),
        ({"status": RunStatus.stopping, "phase": "training", "step": 40, "steps": 120}, "A training is being stopped."),
    ],
)
def test_the_line_follows_the_training_that_runs(fields: dict[str, Any], says: str):
    assert words.next_line(replace(NEXT, under_way="r"), row(**fields), VIENNA).startswith(says)


def test_why_it_began():
    assert words.because("pairs", 25, 20) == "because you answered 20 questions"
    assert words.because("automatic", 52, 3) == "because 52 new examples were kept"
    assert words.because("schedule", 4, 4) == "by your schedule"
    assert words.because("writer", 4, 4) == words.because("command_line", 4, 4) == ""
    assert words.begun("r", Due("pairs", "You have answered 20 questions"))["text"] == (
        "You have answered 20 questions: training has begun."
    )


def test_what_is_told_of_the_end_of_a_fine_tune():
    done = words.ended(row(RunStatus.done, version_number=3))
    assert done is not None and done["text"].startswith("Version 3 is trained.")
    failed = words.ended(row(RunStatus.failed, error="The disk is full.", attempt=2))
    assert failed is not None
    assert failed["text"] == "The fine-tune could not go on: The disk is full. Nothing is lost."
    again = words.ended(row(RunStatus.failed, error="The disk is full.", attempt=3))
    assert again is not None and again["key"] != failed["key"]
    assert words.ended(row(RunStatus.stopped)) is None
    assert words.ended(row(RunStatus.running)) is None


def test_what_is_told_of_a_verdict():
    def text(found: words.Notice | None) -> str:
        return "" if found is None else found["text"]

    assert text(words.verdict(proof("better", promote=True))) == "Version 3 is better than version 2 and is in use now."
    assert text(words.verdict(proof("better", against=None))) == "Version 3 is better than the base model."
    assert "could not be shown to be better than version 2" in text(words.verdict(proof("not_shown")))
    assert text(words.verdict(proof("worse"))).startswith("Version 3 is worse than version 2. What was in use stays")
    assert text(words.verdict(proof("", status=RunStatus.failed, error="No memory"))) == (
        "The proof of version 3 could not go on: No memory. Nothing is lost."
    )
    assert words.verdict(proof("", status=RunStatus.stopped)) is None


@pytest.mark.parametrize(
    "past, says",
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(seconds=-20), "just now"),
        (timedelta(minutes=1), "a minute ago"),
        (timedelta(minutes=45), "45 minutes ago"),
        (timedelta(hours=1), "an hour ago"),
        (timedelta(hours=26), "yesterday"),
        (timedelta(days=5), "5 days ago"),
        (timedelta(days=40), "29 May 2026"),
    ],
)
def test_how_long_ago(past: timedelta, says: str):
    assert words.ago(NOON - past, NOON) == says


def test_a_choice_that_cannot_be_is_refused_with_what_can():
    with pytest.raises(InvalidInput, match="whole number from 5 to 10,000"):
        words.changed(TriggerConfig(), pairs=2)
    with pytest.raises(InvalidInput, match="is no time zone"):
        words.changed(TriggerConfig(), zone="Mars/Olympus")
    assert words.changed(TriggerConfig(pairs=30), pairs=None).pairs is None
