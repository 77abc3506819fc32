"""What a fine-tune will take is said before it starts, from what was measured."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zega_core.configs import FineTuneConfig
from zega_core.fine_tune import forecast as forecasts
from zega_core.fine_tune.base import BUILT_IN, BaseInfo, describe
from zega_core.fine_tune.data import Summary
from zega_core.fine_tune.defaults import plan_for
from zega_core.fine_tune.forecast import Machine, forecast, machine, memory_of

SUMMARY = Summary(splits={"train": 40, "validation": 5}, tokens=10_000, validation_tokens=1_000)
PLENTY = Machine(memory=16 * 10**9, disk=10**12)


def small() -> BaseInfo:
    return describe(BUILT_IN)


def large() -> BaseInfo:
    """The shape of SmolLM2-135M."""
    return replace(small(), name="a/b", parameters=134_515_008, layers=30, width=576, context=2048)


def of(
    base: BaseInfo,
    here: Machine = PLENTY,
    summary: Summary = SUMMARY,
    rate: float | None = None,
    strength: float | None = 1.0,
) -> Any:
    config = FineTuneConfig(epochs=4, strength=strength)
    return forecast(summary, plan_for(config, summary, base, data_hash=""), base, here, rate=rate)


def test_time_follows_the_tokens_the_epochs_and_the_size_of_the_base():
    once = of(small())
    assert once.seconds == pytest.approx(10 + (4 * 10_000 + 5 * 500) / 1490)
    twice = of(small(), summary=replace(SUMMARY, tokens=20_000, validation_tokens=2_000))
    assert twice.seconds - 10 == pytest.approx(2 * (once.seconds - 10))
    assert (of(large()).seconds - 10) / (once.seconds - 10) == pytest.approx(134_515_008 / 14_358_912)


def test_what_is_written_to_find_the_strength_takes_time_and_so_does_the_proof():
    given, found = of(small()), of(small(), strength=None)
    assert found.seconds - given.seconds == pytest.approx(48 * 230 / 240)
    assert found.proof_seconds == given.proof_seconds == pytest.approx(10 + 72 * 230 / 240)
    assert of(large()).proof_seconds > 8 * given.proof_seconds


def test_the_writers_own_pace_is_believed():
    assert not of(small()).measured
    quick = of(small(), rate=20_000.0)
    assert quick.measured
    assert quick.seconds < of(small()).seconds
    assert quick.tokens_per_second == 20_000


def test_memory_is_near_what_was_measured():
    """Peaks of a process on two cores: the built-in model in float32 at 8 x 256 tokens, one of 135 million parameters
    in bfloat16 at 4 x 512."""
    plan = replace(plan_for(FineTuneConfig(), SUMMARY, small(), data_hash=""), micro_batch=8, max_length=256)
    assert memory_of(plan, small()) == pytest.approx(2.02e9, rel=0.15)
    plan = replace(plan, micro_batch=4, max_length=512)
    assert 6.3e9 <= memory_of(plan, large()) <= 1.8 * 6.3e9


def test_it_is_said_in_words():
    text = " ".join(of(small()).sentences)
    assert (
        "Training takes less than a minute on this machine; it ends earlier when it gets no better. The proof after "
        "it takes about a minute." in text
    )
    assert "MB of memory" in text or "GB of memory" in text
    assert of(small()).fits is True


def test_what_does_not_fit_is_said():
    short = of(large(), Machine(memory=2 * 10**9, disk=10**12))
    assert short.fits is False
    assert "2.0 GB of memory, which may not be enough" in " ".join(short.sentences)
    full = of(small(), Machine(memory=16 * 10**9, disk=1_000_000))
    assert full.fits is False
    assert "Only 1 MB are free" in " ".join(full.sentences)


def test_a_system_that_tells_nothing_is_not_guessed_at():
    unknown = of(small(), Machine(None, None))
    assert unknown.fits is None
    assert len(unknown.sentences) == 2


def test_this_machine_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    here = machine(tmp_path)
    assert here.disk == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)
    assert here.memory is None or here.memory > 10**8
    assert machine(tmp_path / "nowhere").disk is None
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert machine(tmp_path).memory is None


def test_no_number_breaks_it():
    nothing = of(small(), summary=Summary())
    assert nothing.seconds == pytest.approx(forecasts.BEGIN_SECONDS)
    assert of(replace(small(), parameters=0, width=0)).seconds > 0
