"""A whole fine-tune of a tiny model: what comes of it, and that nothing that happens on the way changes that."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from tests.fine_tune.conftest import row, rows
from zega_core.errors import HomeError, InvalidInput
from zega_core.fine_tune import base, checkpoint, setup
from zega_core.fine_tune.measure import Compute
from zega_core.fine_tune.plan import Result, read_result
from zega_core.fine_tune.train import train

Event = dict[str, Any]
MakeRun = Callable[..., Path]


class Killed(BaseException):
    pass


class Listener(list[Event]):
    """Collects what is told; ``at`` is called with it and may stop or kill."""

    def __init__(self, at: Callable[[Event], None] | None = None) -> None:
        super().__init__()
        self.at = at

    def __call__(self, event: Event) -> None:
        self.append(json.loads(json.dumps(event, allow_nan=False)))
        if self.at:
            self.at(event)

    def of(self, kind: str) -> list[Event]:
        return [event for event in self if event["event"] == kind]


def run_to_end(folder: Path) -> tuple[Result, Listener]:
    told = Listener()
    return train(folder, told, device="cpu"), told


def adapter_of(folder: Path) -> str:
    return base.file_hash(folder / "version" / base.ADAPTER)


def killed(folder: Path, kind: str, step: int) -> Listener:
    """Train until the event ``kind`` of ``step`` was told, and end there like a killed process."""

    def at(event: Event) -> None:
        if event["event"] == kind and event.get("step", 0) >= step:
            raise Killed

    told = Listener(at)
    with pytest.raises(Killed):
        train(folder, told, device="cpu")
    return told


def test_it_learns_and_says_what_came_of_it(make_run: MakeRun):
    folder = make_run()
    result, told = run_to_end(folder)
    assert [event["phase"] for event in told.of("phase")] == ["loading", "training", "measuring", "saving"]
    assert told.of("done") == [{"event": "done", "result": json.loads(json.dumps(read_result_dict(folder)))}]
    assert (result.steps, result.epochs, len(told.of("step"))) == (15, 3.0, 15)
    assert result.validation_loss is not None and result.validation_loss_before is not None
    assert result.validation_loss < result.validation_loss_before - 0.1
    assert result.perplexity_base == result.perplexity_before
    assert result.perplexity_after is not None and result.perplexity_base is not None
    assert result.perplexity_after < 0.9 * result.perplexity_base
    assert (result.held_out_texts, result.held_out_own) == (3, False)
    assert result.best_step == min(told.of("validation"), key=lambda event: event["loss"])["step"]
    assert result.tokens == 3 * told.of("start")[0]["tokens"] and result.seconds > 0
    assert set(result.files) == {base.ADAPTER, base.ADAPTER_CONFIG, "data.jsonl"}
    version = folder / "version"
    assert result.files == {name: base.file_hash(version / name) for name in result.files}
    assert result.size_bytes == sum((version / name).stat().st_size for name in result.files)


def read_result_dict(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "version" / "result.json").read_text(encoding="utf-8"))


def test_rates_rise_from_above_0_and_fall_to_a_tenth(make_run: MakeRun):
    _, told = run_to_end(make_run(epochs=4, learning_rate=1e-2))
    rates = [event["learning_rate"] for event in told.of("step")]
    assert rates[:2] == [pytest.approx(5e-3), pytest.approx(1e-2)]
    assert rates[1:] == sorted(rates[1:], reverse=True) and rates[-1] == pytest.approx(1e-3)


def test_other_tools_can_read_the_version(make_run: MakeRun, tiny: Path):
    folder = make_run()
    run_to_end(folder)
    version, tokens = folder / "version", torch.tensor([[1, 50, 60, 2, 70]])
    config = json.loads((version / base.ADAPTER_CONFIG).read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == "zega-base" and config["lora_alpha"] == 8
    assert str(tiny) not in (version / "result.json").read_text(encoding="utf-8")
    ours, _ = base.load(tiny, dtype=torch.float32, device="cpu")
    ours = base.load_adapter(ours, version, base.weights_hash(tiny))
    theirs, _ = base.load(tiny, dtype=torch.float32, device="cpu")
    with pytest.warns(FutureWarning):
        theirs = PeftModel.from_pretrained(theirs, version).eval()
    with torch.no_grad():
        assert torch.equal(ours(tokens).logits, theirs(tokens).logits)


@pytest.mark.parametrize(("kind", "step"), [("step", 1), ("step", 7), ("validation", 5), ("validation", 0)])
def test_a_killed_training_ends_with_the_same_numbers(make_run: MakeRun, kind: str, step: int):
    undisturbed = make_run("a", dropout=0.1)
    result, told = run_to_end(undisturbed)
    folder = make_run("b", dropout=0.1)
    before = killed(folder, kind, step)
    again, after = run_to_end(folder)
    assert adapter_of(folder) == adapter_of(undisturbed)
    begun = after.of("start")[0]["step"]
    assert begun <= max(step, 0) and after.of("step")[0]["step"] == begun + 1
    losses = {event["step"]: event["loss"] for event in [*before.of("step"), *after.of("step")]}
    assert losses == {event["step"]: event["loss"] for event in told.of("step")}
    told_again = ("tokens", "steps", "best_step", "validation_loss", "train_loss", "perplexity_after", "files")
    assert [getattr(again, name) for name in told_again] == [getattr(result, name) for name in told_again]


@pytest.mark.parametrize("phase", ["measuring", "saving"])
def test_a_kill_after_the_last_step_repeats_none(make_run: MakeRun, phase: str):
    folder = make_run()

    def at(event: Event) -> None:
        if event.get("phase") == phase:
            raise Killed

    with pytest.raises(Killed):
        train(folder, Listener(at), device="cpu")
    result, told = run_to_end(folder)
    assert told.of("step") == [] and result.steps == 15


def test_what_goes_on_says_the_losses_before(make_run: MakeRun):
    folder = make_run()
    first = killed(folder, "step", 8)
    _, told = run_to_end(folder)
    (start,) = told.of("start")
    assert 5 <= start["step"] <= 7
    assert start["losses"] == [event["loss"] for event in first.of("step")][: start["step"]]
    assert start["validations"] == [[event["step"], event["loss"]] for event in first.of("validation")]


def test_a_damaged_checkpoint_costs_steps_and_no_more(make_run: MakeRun):
    undisturbed, folder = make_run("a"), make_run("b")
    run_to_end(undisturbed)
    killed(folder, "step", 8)
    newest = max((folder / "checkpoints").iterdir())
    (newest / "tensors.safetensors").write_bytes(b"0" * 100)
    result, told = run_to_end(folder)
    assert adapter_of(folder) == adapter_of(undisturbed)
    assert [event["text"] for event in told.of("note")] == result.notes != []
    assert "could not be used" in result.notes[0]


def test_a_finished_run_is_not_trained_again(make_run: MakeRun):
    folder = make_run()
    result, _ = run_to_end(folder)
    again, told = run_to_end(folder)
    assert again == result == read_result(folder / "version")
    assert [event["event"] for event in told] == ["done"]


def stop_at(folder: Path, step: int) -> Listener:
    def at(event: Event) -> None:
        if event["event"] == "step" and event["step"] == step:
            (folder / "stop").touch()

    return Listener(at)


def test_stop_before_the_first_validation_measures_what_there_is(make_run: MakeRun):
    folder = make_run()
    told = stop_at(folder, 3)
    result = train(folder, told, device="cpu")
    assert (result.steps, result.best_step, result.stopped, result.stopped_early) == (3, 3, True, False)
    assert [event["step"] for event in told.of("validation")] == [0, 3]


def test_stop_later_takes_the_best_so_far(make_run: MakeRun):
    folder = make_run()
    result = train(folder, stop_at(folder, 7), device="cpu")
    assert (result.steps, result.best_step, result.stopped) == (7, 5, True)


def test_stop_before_anything_was_learned_makes_no_version(make_run: MakeRun):
    folder = make_run()
    (folder / "stop").touch()
    with pytest.raises(InvalidInput, match="before its first step"):
        train(folder, Listener(), device="cpu")
    assert not (folder / "version").exists()


def test_what_was_stopped_before_it_was_any_better_goes_on_when_the_wish_is_gone(make_run: MakeRun):
    data = [row(1, words=20)] * 8 + [replace(row(40 + n), split="validation", completion="zyx 9 !" * 9) for n in (1, 2)]
    folder = make_run(data=data, epochs=4, patience=9, learning_rate=3e-2)
    first = train(folder, stop_at(folder, 3), device="cpu")
    assert (first.stopped, first.steps, first.best_step) == (True, 3, 0)
    shutil.rmtree(folder / "version")  # as the worker does with what is of no use
    assert train(folder, Listener(), device="cpu").steps == 3, "killed before Continue was pressed"
    shutil.rmtree(folder / "version")
    (folder / "stop").unlink()
    again, told = run_to_end(folder)
    assert not again.stopped
    assert [event["step"] for event in told.of("step")] == [4, 5, 6, 7, 8]


def test_training_ends_when_validation_gets_no_better(make_run: MakeRun):
    data = [row(1, words=20)] * 8 + [replace(row(40 + n), split="validation", completion="zyx 9 !" * 9) for n in (1, 2)]
    result, told = run_to_end(make_run(data=data, epochs=30, patience=2, learning_rate=3e-2))
    assert result.stopped_early and not result.stopped and result.steps < 60
    losses = {event["step"]: event["loss"] for event in told.of("validation")}
    assert result.best_step == min(losses, key=lambda step: losses[step]) == sorted(losses)[-3]


def test_without_validation_the_last_state_is_the_version(make_run: MakeRun):
    result, told = run_to_end(make_run(data=rows(8, 0, 0), epochs=2))
    assert (result.best_step, result.validation_loss, result.perplexity_after) == (4, None, None)
    assert not told.of("validation") and result.train_loss is not None


def test_nothing_to_learn_from_is_told(make_run: MakeRun):
    with pytest.raises(InvalidInput, match="no text to learn from"):
        run_to_end(make_run(data=[replace(row(1), weight=0.0)]))


@pytest.mark.parametrize("own, counted", [(3, (3, True)), (2, (5, False))])
def test_three_own_held_out_texts_or_more_are_what_counts(make_run: MakeRun, own: int, counted: tuple[int, bool]):
    data = [*rows(), *[row(90 + number, "held_out", own=True) for number in range(own)]]
    result, _ = run_to_end(make_run(data=data, epochs=1))
    assert (result.held_out_texts, result.held_out_own) == counted


def test_going_on_from_a_version_begins_where_that_ended(make_run: MakeRun):
    first = make_run("first", epochs=4)
    done, _ = run_to_end(first)
    start = str(first / "version")
    second = make_run("second", start=start, in_use=start, epochs=1, learning_rate=1e-4, dropout=0.5)
    result, _ = run_to_end(second)
    assert result.validation_loss_before == pytest.approx(done.validation_loss, rel=1e-5)
    assert result.perplexity_base == pytest.approx(done.perplexity_base, rel=1e-6)
    assert result.perplexity_before == pytest.approx(done.perplexity_after, rel=1e-6)
    assert result.trained_parameters == done.trained_parameters
    config = json.loads((second / "version" / base.ADAPTER_CONFIG).read_text(encoding="utf-8"))
    assert config["r"] == 4


def test_a_version_from_the_base_is_measured_against_the_one_in_use(make_run: MakeRun):
    first = make_run("first", epochs=4)
    done, _ = run_to_end(first)
    undisturbed, _ = run_to_end(make_run("alone", rank=2, epochs=1))
    result, _ = run_to_end(make_run("second", in_use=str(first / "version"), rank=2, epochs=1))
    assert result.perplexity_before == pytest.approx(done.perplexity_after, rel=1e-6)
    assert result.perplexity_after == pytest.approx(undisturbed.perplexity_after, rel=1e-6)
    assert result.perplexity_base == pytest.approx(done.perplexity_base, rel=1e-6) != result.perplexity_before


def test_a_version_in_use_that_is_damaged_is_told_and_the_base_measured_instead(make_run: MakeRun):
    first = make_run("first", epochs=1)
    run_to_end(first)
    (first / "version" / base.ADAPTER).write_bytes(b"damaged")
    result, _ = run_to_end(make_run("second", in_use=str(first / "version"), epochs=1))
    assert result.perplexity_before == result.perplexity_base
    assert any("compared with the base model instead" in note for note in result.notes)


def test_an_adapter_that_made_nothing_better_is_told(make_run: MakeRun):
    result, _ = run_to_end(make_run(learning_rate=1e-30, epochs=1))
    assert result.best_step == 0 and result.train_loss is None
    assert any("did not come closer" in note for note in result.notes)


def short_of_memory(monkeypatch: pytest.MonkeyPatch, most: int, after: int = 0) -> None:
    losses, calls = Compute.losses, [0]

    def limited(self: Compute, batch: Any) -> torch.Tensor:
        calls[0] += self.model.training
        if self.model.training and calls[0] > after and len(batch.inputs) > most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return losses(self, batch)

    monkeypatch.setattr(Compute, "losses", limited)


def test_too_little_memory_only_costs_time(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    _, expected = run_to_end(make_run("a", dropout=0.0))
    short_of_memory(monkeypatch, most=1, after=4)
    result, told = run_to_end(make_run("b", dropout=0.0))
    assert result.micro_batch == 1 and any("more than 1 text at a time" in note for note in result.notes)
    for one, other in zip(expected.of("step"), told.of("step"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-3)


def test_no_memory_for_a_single_text_is_told(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    short_of_memory(monkeypatch, most=0)
    with pytest.raises(InvalidInput, match="not enough memory to train on even one text"):
        run_to_end(make_run())


def test_parts_of_a_batch_learn_what_the_whole_does(make_run: MakeRun):
    _, whole = run_to_end(make_run("a", dropout=0.0, micro_batch=4))
    _, parts = run_to_end(make_run("b", dropout=0.0, micro_batch=1))
    for one, other in zip(whole.of("step"), parts.of("step"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-3)


def diverging(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    losses, calls = Compute.losses, [0]

    def broken(self: Compute, batch: Any) -> torch.Tensor:
        calls[0] += self.model.training
        found = losses(self, batch)
        return found * math.nan if self.model.training and calls[0] >= step else found

    monkeypatch.setattr(Compute, "losses", broken)


def test_numbers_beyond_all_bounds_end_training_with_the_best(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    diverging(monkeypatch, step=8)
    result, _ = run_to_end(make_run())
    assert (result.steps, result.best_step) == (7, 5)
    assert any("beyond all bounds" in note for note in result.notes)


def test_numbers_beyond_all_bounds_at_once_are_an_error(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    diverging(monkeypatch, step=2)
    folder = make_run()
    with pytest.raises(InvalidInput, match="Choose a lower learning rate"):
        run_to_end(folder)
    assert not (folder / "version").exists()


def test_a_full_disk_is_told_and_training_can_go_on(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    undisturbed, folder = make_run("a"), make_run("b")
    run_to_end(undisturbed)
    write, calls = checkpoint.write, [0]

    def full(path: Path, content: bytes) -> None:
        calls[0] += 1
        if calls[0] > 20:
            raise OSError(28, "No space left on device")
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write", full)
        with pytest.raises(HomeError, match="disk is full"):
            run_to_end(folder)
    assert not list(folder.rglob("*.tmp"))
    _, told = run_to_end(folder)
    assert told.of("start")[0]["step"] > 0
    assert adapter_of(folder) == adapter_of(undisturbed)


def test_the_precision_is_measured_once_and_kept(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    answers = iter([True])
    monkeypatch.setattr(setup, "faster_in_bfloat16", lambda *_: next(answers))
    folder = make_run(precision="auto")
    killed(folder, "step", 2)
    result, told = run_to_end(folder)
    assert result.precision == told.of("start")[0]["precision"] == "bfloat16"


@pytest.mark.parametrize("file", ["plan.json", "data.jsonl"])
@pytest.mark.parametrize("content", ["{", '{"strange": 1}', "[" * 99_999])
def test_a_folder_that_cannot_be_read_is_told(make_run: MakeRun, file: str, content: str):
    folder = make_run()
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(HomeError, match="cannot be read any more"):
        run_to_end(folder)


def test_the_real_base_model_learns_too(make_run: MakeRun):
    folder = make_run(data=rows(4, 1, 1), base=str(base.BUILT_IN), rank=16, epochs=2, learning_rate=2e-3)
    result, _ = run_to_end(folder)
    assert result.perplexity_after is not None and result.perplexity_base is not None
    assert result.perplexity_after < result.perplexity_base
    assert {tuple(one.shape) for one in load_file(folder / "version" / base.ADAPTER).values()} >= {(16, 384)}


def test_a_start_adapter_that_does_not_fit_its_config_is_not_half_loaded(make_run: MakeRun):
    first = make_run("first", epochs=1)
    run_to_end(first)
    version = first / "version"
    tensors = load_file(version / base.ADAPTER)
    tensors.popitem()
    save_file(tensors, version / base.ADAPTER)
    result = read_result_dict(first)
    result["files"][base.ADAPTER] = base.file_hash(version / base.ADAPTER)
    (version / "result.json").write_text(json.dumps(result), encoding="utf-8")
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        run_to_end(make_run("second", start=str(version)))
