"""What is said of fine-tunes and versions: no more than was measured, and something sensible of any row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zega_core import fine_tune_words as words
from zega_core.fine_tuning import NO_HELP
from zega_core.tables import RunStatus
from zega_core.version_tables import FineTune, TrainingMetric, Version

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("perplexity_base", "perplexity_before", "perplexity_after", "held_out_texts", "held_out_own", "stopped")


def version(number: int = 3, **more: Any) -> Version:
    metrics = {"perplexity_base": 38.0, "perplexity_before": 38.0, "perplexity_after": 22.0, "held_out_texts": 40}
    values: dict[str, Any] = {
        "user_id": "ana",
        "number": number,
        "fine_tune_id": 1,
        "base": "",
        "examples": 54,
        "own_share": 0.32,
        "metrics": metrics,
        "size_bytes": 1_240_000,
        "seconds": 125.0,
    }
    return Version(**values | more)


def run(**more: Any) -> FineTune:
    return FineTune(user_id="ana", run_id="1", trigger="writer", config={}, **more)


def measured(before: float, after: float, **more: Any) -> str:
    return words.surprise(
        version(
            metrics={"perplexity_before": before, "perplexity_after": after, "held_out_texts": 40, **more},
            parent=more.pop("parent", None),
        )
    )


def test_less_surprise_is_not_called_better_writing():
    said = measured(38.2, 22.4)
    assert said == (
        "On 40 texts that it has never seen, perplexity fell from 38 to 22: it is less surprised by such texts. "
        "That alone does not show that it writes better."
    )
    assert "your writing" in measured(38.2, 22.4, held_out_own=True)


def test_more_surprise_is_said_as_plainly():
    assert "perplexity rose from 7.9 to 8.1: it is more surprised by such texts than before." in measured(7.9, 8.1)


def test_what_looks_the_same_is_not_called_a_change():
    assert "perplexity stayed at 22: it is as surprised" in measured(22.4, 22.3)


@pytest.mark.parametrize(("texts", "hint"), [(1, True), (29, True), (30, False)])
def test_few_texts_are_a_hint(texts: int, hint: bool):
    said = measured(38.0, 22.0, held_out_texts=texts)
    assert ("So few texts give a hint, no proof." in said) is hint
    assert ("On 1 text that" in said) is (texts == 1)


def test_the_base_is_named_where_training_went_on_from_a_version():
    metrics = {"perplexity_base": 38.0, "perplexity_before": 25.0, "perplexity_after": 22.0, "held_out_texts": 40}
    assert "The built-in model alone has 38." in words.surprise(version(metrics=metrics, parent=2))
    assert "gpt2 alone has 38." in words.surprise(version(metrics=metrics, parent=2, base="gpt2"))
    assert "alone has" not in words.surprise(version(metrics=metrics | {"perplexity_before": 38.0}))


def test_the_base_is_named_where_another_version_was_in_use():
    metrics = {"perplexity_base": 60.0, "perplexity_before": 38.0, "perplexity_after": 22.0, "held_out_texts": 40}
    assert "The built-in model alone has 60." in words.surprise(version(metrics=metrics))


def test_perplexities_on_other_texts_are_not_to_be_compared():
    first, second = (version(number, data_hash="d", base_hash="b") for number in (1, 2))
    assert words.apart(first, second) == ""
    for other in ({"data_hash": "e"}, {"base_hash": "c"}):
        said = words.apart(first, version(2, **{"data_hash": "d", "base_hash": "b"} | other))
        assert "cannot be compared" in said


def test_without_held_out_texts_nothing_is_claimed():
    said = words.surprise(version(metrics={"perplexity_before": None, "perplexity_after": None, "held_out_texts": 0}))
    assert said.startswith("No text could be kept aside")


def test_how_much_of_it_was_the_writers_own():
    for share, said in (
        (0.32, "with 32% of the words"),
        (0.0, "with none of the words"),
        (7.0, "54 examples in 2 min"),
    ):
        assert said in words.outcome(run(), version(own_share=share))


def test_what_came_of_one_that_was_stopped():
    metrics = {**version().metrics, "stopped": True}
    assert "You stopped it early; this is the best that it had reached." in words.outcome(
        run(), version(metrics=metrics)
    )
    assert "worth keeping" in words.outcome(run(status=RunStatus.stopped), None)
    assert "v3, which has been deleted since" in words.outcome(run(status=RunStatus.done, version_number=3), None)


def test_one_that_went_on_from_another_has_not_learned_all_of_it_again():
    done = run(status=RunStatus.done, version_number=3)
    said = words.outcome(done, version(parent=2))
    assert said.startswith("It went on from v2 with the new ones, and some of the others, of 54 examples")
    assert words.outcome(done, version()).startswith("It learned from 54 examples")


def test_which_one_writes():
    assert words.standing("zega-ana", version(3), version(3, id=1)) == "v3 is in use: zega-ana writes with it."
    assert words.standing("zega-ana", version(3), version(2)).endswith("zega-ana still writes with v2.")
    assert words.standing("zega-ana", version(3), None).endswith("zega-ana still writes with the base model.")


def test_progress_says_only_what_is_known():
    assert words.progress(run()) == (0.0, "Nothing has been learned yet")
    known = run(status=RunStatus.running, phase="training", step=30, steps=60)
    assert words.progress(known) == (0.5, "Step 30 of 60")
    known.tokens_per_second, known.seconds_left = 1500.0, 30.0
    assert words.progress(known)[1] == "Step 30 of 60 · 1,500 tokens a second · less than a minute left"
    assert words.progress(known, speed=False)[1] == "Step 30 of 60 · less than a minute left"
    known.status = RunStatus.stopping
    assert "left" not in words.progress(known)[1]
    known.step = 99
    assert words.progress(known)[0] == 1.0


def test_the_losses_in_words_name_the_best():
    metrics = [
        TrainingMetric(fine_tune_id=1, step=0, epoch=0, validation_loss=3.2),
        TrainingMetric(fine_tune_id=1, step=1, epoch=0.1, loss=3.0),
        TrainingMetric(fine_tune_id=1, step=2, epoch=0.2, loss=float("nan"), validation_loss=2.5),
        TrainingMetric(fine_tune_id=1, step=3, epoch=0.3, loss=2.0, validation_loss=2.75),
    ]
    training, validation = words.curve(metrics)
    assert training == [(1, 3.0), (3, 2.0)]
    assert words.curve_in_words(training, validation) == (
        "Loss by step. On the texts it learns from 3.00 at step 1 and 2.00 at step 3. "
        "On the texts kept aside 3.20 at step 0, at best 2.50 at step 2."
    )
    assert words.curve_in_words([], []) == "No loss has been measured yet."


@pytest.mark.parametrize(
    ("amount", "said"), [(999, "999 bytes"), (28_700_000, "28.7 MB"), (2_500_000_000, "2.5 GB"), (1_500, "1.5 kB")]
)
def test_sizes(amount: int, said: str):
    assert words.size(amount) == said


@given(JSON, st.dictionaries(st.sampled_from(KEYS), JSON), JSON, JSON)
def test_any_stored_value_can_be_told(any_json: Any, metrics: dict[str, Any], share: Any, seconds: Any):
    for stored in (any_json, metrics):
        row = version(metrics=stored, own_share=share, seconds=seconds, parent=1)
        assert words.outcome(run(), row)
        assert words.facts(row)
    odd = run(step=share, steps=seconds, tokens_per_second=any_json, seconds_left=any_json, notes=any_json, phase="?")
    odd.status = RunStatus.running
    assert 0 <= words.progress(odd)[0] <= 1
    assert all(isinstance(note, str) for note in words.notes(odd))
    assert words.heading(odd) == "Beginning"


@pytest.mark.parametrize(
    "row, may",
    [
        (run(status=RunStatus.failed, error="The disk is full."), True),
        (run(status=RunStatus.stopped), True),
        (run(status=RunStatus.failed, error=NO_HELP), False),
        (run(status=RunStatus.stopped, version_number=2), False),
        (run(status=RunStatus.running), False),
    ],
)
def test_continue_is_offered_where_it_could_lead_further(row: FineTune, may: bool):
    assert words.can_continue(row) is may
