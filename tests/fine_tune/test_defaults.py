"""What is left to ZEGA fits the data and the base; what the writer chose holds."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from zega_core.configs import FineTuneConfig
from zega_core.fine_tune.base import BaseInfo
from zega_core.fine_tune.data import Summary
from zega_core.fine_tune.defaults import plan_for

SMALL = BaseInfo("", "the built-in model", Path("/base"), 14_358_912, 8, 384, 1024, 28_700_000, True)
LARGE = BaseInfo("HuggingFaceTB/SmolLM2-135M", "SmolLM2", Path("/large"), 134_515_008, 30, 576, 2048, 269_000_000, True)


def summary(train: int = 80, validation: int = 10) -> Summary:
    return Summary(splits={"train": train, "validation": validation, "held_out": validation})


def test_the_built_in_model_learns_fast_and_a_larger_one_with_care():
    small, large = (plan_for(FineTuneConfig(), summary(), base, data_hash="f00") for base in (SMALL, LARGE))
    assert (small.base, small.base_name, small.data_hash) == ("/base", "", "f00")
    assert large.base_name == "HuggingFaceTB/SmolLM2-135M"
    assert large.learning_rate < small.learning_rate
    assert large.epochs < small.epochs
    assert large.micro_batch < small.micro_batch


def test_more_data_takes_fewer_epochs_but_no_fewer_looks():
    plans = [
        plan_for(FineTuneConfig(), summary(train), SMALL, data_hash="") for train in (15, 40, 41, 900, 4_000, 10**5)
    ]
    assert [plan.batch_size for plan in plans[:3]] == [4, 4, 8]
    assert all(one.epochs >= other.epochs for one, other in pairwise(plans))
    assert all(one.evaluations <= other.evaluations for one, other in pairwise(plans))
    assert all(plan.epochs * plan.evaluations > plan.patience for plan in plans)


def test_without_validation_training_is_short():
    blind = plan_for(FineTuneConfig(), summary(validation=0), SMALL, data_hash="")
    assert blind.epochs < plan_for(FineTuneConfig(), summary(), SMALL, data_hash="").epochs


def test_the_writers_choices_hold():
    config = FineTuneConfig(rank=4, learning_rate=5e-5, epochs=30, batch_size=2, max_length=4096, seed=9)
    plan = plan_for(config, summary(validation=0), LARGE, start="/versions/v2", parent=2, data_hash="")
    assert (plan.rank, plan.alpha, plan.learning_rate, plan.epochs, plan.seed) == (4, 8, 5e-5, 30, 9)
    assert (plan.batch_size, plan.micro_batch) == (2, 2)
    assert (plan.start, plan.parent) == ("/versions/v2", 2)
    assert plan.max_length == 2048  # as much as the base can see
    assert plan_for(FineTuneConfig(rank=4, alpha=5), summary(), SMALL, data_hash="").alpha == 5


@pytest.mark.parametrize("train", [0, 1, 40, 41, 10**6])
def test_there_is_a_plan_for_any_number_of_examples(train: int):
    plan = plan_for(FineTuneConfig(), summary(train, 0), SMALL, data_hash="")
    assert 1 <= plan.micro_batch <= plan.batch_size
