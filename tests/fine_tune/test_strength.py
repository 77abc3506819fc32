"""How much of what was learned a version keeps, with writers whose texts get worse as they are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.support.teachers import story
from zega_core.catalog import load_catalog
from zega_core.fine_tune import base, strength
from zega_core.fine_tune.data import bare
from zega_core.fine_tune.plan import read_result
from zega_core.fine_tune.strength import BATCH, STRENGTHS, TEXTS, Asked, Strength, in_words, prompts, strongest
from zega_core.fine_tune.train import train

ASKED = prompts(load_catalog(), 1)


class Writer:
    """Writes whole stories up to ``breaks`` and broken ones beyond."""

    def __init__(self, breaks: float) -> None:
        self.breaks = breaks
        self.asked: list[float] = []

    def __call__(self, part: float, some: Sequence[Asked]) -> list[str]:
        self.asked.append(part)
        return [story(number) if part <= self.breaks else "and and of the the" for number, _ in enumerate(some)]


@pytest.mark.parametrize("breaks", STRENGTHS)
def test_it_is_the_largest_that_still_writes_well(breaks: float):
    found = strongest(ASKED, Writer(breaks))
    assert found.value == breaks
    assert found.score == found.base


def test_where_none_writes_well_it_is_the_least():
    found = strongest(ASKED, Writer(0.0))
    assert found.value == min(STRENGTHS)
    assert found.score is not None
    assert found.base is not None
    assert found.score < found.base


def test_what_is_plainly_broken_is_not_written_to_the_end():
    writer = Writer(0.5)
    strongest(ASKED, writer)
    assert writer.asked.count(1.0) == 1
    assert len(writer.asked) <= 1 + len(STRENGTHS)


def test_a_version_as_good_as_its_base_is_left_as_it_is():
    found = strongest(ASKED, Writer(1.0))
    assert found.value == 1.0
    assert in_words(found) == ""


def test_a_little_less_is_left_where_it_may_be_chance():
    texts = {0.0: [story(number) for number in range(BATCH)]}
    texts[1.0] = [*texts[0.0][1:], texts[0.0][0]]  # the same texts on other prompts
    found = strongest(ASKED, lambda part, some: texts[part][: len(some)])
    assert found.value == 1.0


def test_the_writer_is_told_what_was_taken_away():
    said = in_words(Strength(0.25, 7.4, 7.6, 3.9))
    assert "3.9 against 7.6" in said
    assert "25%" in said


def test_prompts_are_of_every_genre_and_element_in_each_batch_and_follow_the_seed():
    catalog = load_catalog()
    assert len(ASKED) == TEXTS
    for at in range(0, TEXTS, BATCH):
        some = ASKED[at : at + BATCH]
        assert {one.genre for one in some} == {genre.key for genre in catalog.genres}
        assert {one.element for one in some} == {element.key for element in catalog.elements}
    assert len({bare(one.prompt) for one in ASKED}) == TEXTS
    assert prompts(catalog, 1) == ASKED != prompts(catalog, 2)


def version(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "version" / base.ADAPTER)


def test_the_adapter_of_a_version_changes_its_base_by_that_part(make_run: Callable[..., Path]):
    whole, part = make_run("whole", strength=1.0), make_run("part", strength=0.25)
    for folder in (whole, part):
        train(folder, lambda _: None, device="cpu")
    full, quarter = version(whole), version(part)
    assert full.keys() == quarter.keys()
    for name, value in full.items():
        torch.testing.assert_close(quarter[name], value * (0.25 if ".lora_B." in name else 1.0))
    assert read_result(part / "version").strength == 0.25


def test_training_finds_the_strength_and_says_so(make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    marks = {0.0: 8.0, 1.0: 2.0, 0.35: 5.0, 0.15: 7.9, 0.25: 7.8}
    current: list[float] = []

    def texts(_: object, some: Sequence[Asked], __: int) -> list[str]:
        return [str(current[-1])] * len(some)

    scaled = strength_of_adapter(monkeypatch, current)
    monkeypatch.setattr("zega_core.fine_tune.finish._texts", texts)
    monkeypatch.setattr(strength, "score", lambda text, *_: type("R", (), {"score": marks[float(text)]}))
    folder = make_run(strength=None)
    train(folder, lambda _: None, device="cpu")
    found = json.loads((folder / "version" / "result.json").read_text(encoding="utf-8"))
    assert (found["strength"], found["score"], found["score_base"], found["score_full"]) == (0.25, 7.8, 8.0, 2.0)
    assert any("25% of what it learned is kept" in note for note in found["notes"])
    assert scaled[-1] == 0.25


def strength_of_adapter(monkeypatch: pytest.MonkeyPatch, current: list[float]) -> list[float]:
    """The strengths that the adapter is set to, in their order."""
    from zega_core.fine_tune import adapter

    whole = adapter.scaled

    def scaled(tensors: dict[str, torch.Tensor], part: float) -> dict[str, torch.Tensor]:
        current.append(part)
        return whole(tensors, part)

    monkeypatch.setattr(adapter, "scaled", scaled)
    return current


def test_a_stop_while_it_is_looked_for_is_heard(make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    folder, written = make_run(strength=None), list[int]()

    def texts(_: object, some: Sequence[Asked], __: int) -> list[str]:
        written.append(len(some))
        (folder / "stop").touch()
        return [story(number) for number, _ in enumerate(some)]

    monkeypatch.setattr("zega_core.fine_tune.finish._texts", texts)
    train(folder, lambda _: None, device="cpu")
    found = read_result(folder / "version")
    assert len(written) == 1
    assert found.strength == min(STRENGTHS)
    assert any("You stopped it" in note for note in found.notes)
