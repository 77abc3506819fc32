"""What both models write for a proof, and how surprised they are: the same for the same job, whatever happened."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.local.tiny import write_result
from zega_core.errors import HomeError, InvalidInput
from zega_core.fine_tune import base, batches, form
from zega_core.fine_tune.measure import Compute
from zega_core.fine_tune.plan import Row
from zega_core.fine_tune.team import Team
from zega_core.proof import write
from zega_core.proof.job import Asked, Held, Job, write_job
from zega_core.settings import Settings

MakeJob = Callable[..., Job]
CPU = torch.device("cpu")


def events(folder: Path, job: Job) -> list[dict[str, Any]]:
    write_job(folder, job)
    told: list[dict[str, Any]] = []
    write.work(folder, lambda event: told.append(dict(event)), device="cpu")
    return told


def texts(told: list[dict[str, Any]]) -> dict[str, tuple[str, int, bool]]:
    return {
        f"{event['side']}:{event['place']}": (event["text"], event["tokens"], event["ended"])
        for event in told
        if event["event"] == "text"
    }


def test_both_write_on_every_prompt_and_are_measured_on_every_text(tmp_path: Path, make_job: MakeJob):
    told = events(tmp_path, job := make_job())
    assert [event.get("phase") for event in told if event["event"] == "phase"] == ["writing", "measuring"]
    found = texts(told)
    assert set(found) == {f"{side}:{one.place}" for side in ("before", "after") for one in job.asked}
    assert all(found[f"before:{one.place}"] != found[f"after:{one.place}"] for one in job.asked)
    measured = [event for event in told if event["event"] == "losses"]
    assert [event["side"] for event in measured] == ["before", "after"]
    assert measured[0]["tokens"] == measured[1]["tokens"] and measured[0]["nats"] != measured[1]["nats"]
    assert told[-1] == {"event": "done"}


def test_the_same_job_gives_the_same_texts_and_another_seed_others(tmp_path: Path, make_job: MakeJob):
    job = make_job()
    once = texts(events(tmp_path / "a", job))
    assert texts(events(tmp_path / "b", job)) == once
    other = replace(job, asked=[replace(one, seed=one.seed + 1000) for one in job.asked])
    assert not set(texts(events(tmp_path / "c", other)).items()) & set(once.items())


def test_what_is_written_already_is_not_told_again_and_the_rest_is_the_same(tmp_path: Path, make_job: MakeJob):
    job = make_job()
    whole = texts(events(tmp_path / "a", job))
    there = ["before:0", "before:1", "before:2", "after:3"]  # half of a batch on both sides
    told = events(tmp_path / "b", replace(job, written=there, measured=["before"]))
    assert texts(told) == {name: text for name, text in whole.items() if name not in there}
    assert [event["side"] for event in told if event["event"] == "losses"] == ["after"]


def test_with_everything_there_no_model_is_loaded(tmp_path: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch):
    job = make_job()
    monkeypatch.setattr(base, "load", pytest.fail)
    all_of_it = [f"{side}:{one.place}" for side in ("before", "after") for one in job.asked]
    told = events(tmp_path, replace(job, written=all_of_it, measured=["before", "after"]))
    assert {event["event"] for event in told} == {"phase", "done"}


def test_a_version_against_itself_writes_the_same(tmp_path: Path, make_job: MakeJob, version: Path):
    told = events(tmp_path, job := make_job(before=str(version)))
    found = texts(told)
    assert all(found[f"before:{one.place}"] == found[f"after:{one.place}"] for one in job.asked)
    one, other = (event for event in told if event["event"] == "losses")
    assert one["nats"] == other["nats"]


def greedy(who: write.Author, prompt: str, tokens: int) -> list[int]:
    """The likeliest token again and again, one text alone, without anything kept in between."""
    ids = form.prompt_ids(who.tokenizer, prompt)
    begun = len(ids)
    with torch.inference_mode():
        for _ in range(tokens):
            ids.append(int(who.model(torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] in who.stops:
                break
    return ids[begun:]


def test_a_text_is_the_one_that_the_model_writes_alone(make_job: MakeJob):
    job = make_job(temperature=0.0)
    who = write.author(job, "after", CPU)
    for one, found in zip(job.asked, write.write(who, job.asked, job), strict=True):
        alone = greedy(who, one.prompt, one.max_tokens)
        assert found.text == who.tokenizer.decode(alone, skip_special_tokens=True)
        assert (found.tokens, found.ended) == (len(alone), alone[-1] in who.stops)


def test_each_text_has_its_own_longest_length(make_job: MakeJob):
    job = make_job(temperature=0.0)
    who = write.author(job, "before", CPU)
    lengths = [3, 20, 7, 1, 12]
    short = [replace(one, max_tokens=most) for one, most in zip(job.asked, lengths, strict=True)]
    for one, found in zip(short, write.write(who, short, job), strict=True):
        assert found.tokens <= one.max_tokens
        assert found.ended or found.tokens == one.max_tokens
        assert found.text == who.tokenizer.decode(greedy(who, one.prompt, one.max_tokens), skip_special_tokens=True)


def test_an_end_that_the_model_writes_ends_the_text(make_job: MakeJob):
    job = make_job(temperature=0.0)
    who = write.author(job, "before", CPU)
    alone = [greedy(who, one.prompt, one.max_tokens) for one in job.asked]
    stops = replace(who, stops=frozenset({*who.stops, alone[1][4]}))
    found = write.write(stops, job.asked, job)[1]
    first = alone[1].index(alone[1][4])
    assert found.ended and found.tokens == first + 1
    assert found.text == who.tokenizer.decode(alone[1][:first], skip_special_tokens=True)


def test_a_prompt_that_is_too_long_keeps_its_ends(make_job: MakeJob):
    job = make_job()
    who = write.author(job, "before", CPU)
    long = Asked(0, "once " * 2_000, "horror", "scene", "shipped", 1, 300)
    assert 0 < write.write(who, [long], job)[0].tokens <= who.context // 2


def test_losses_are_those_of_training(make_job: MakeJob):
    job = make_job(max_length=64)
    who = write.author(job, "after", CPU)
    nats, tokens, _ = write.losses(who, job, 3)
    for held, found, count in zip(job.held, nats, tokens, strict=True):
        row = Row(1, held.prompt, held.text, 1.0, "held_out", held.own, "")
        windows = batches.samples([row], who.tokenizer, 64)
        mean, _ = Compute(who.model, Team(CPU)).mean_loss(windows, 8)
        assert count == len(form.completion_ids(who.tokenizer, held.text)) + len(form.end_ids(who.tokenizer))
        assert found / count == pytest.approx(mean, rel=1e-5)
    assert (
        len(batches.samples([Row(1, "The tide.", job.held[1].text, 1.0, "held_out", True, "")], who.tokenizer, 64)) > 1
    )


def test_without_held_out_texts_nothing_is_measured(tmp_path: Path, make_job: MakeJob):
    told = events(tmp_path, make_job(held=[]))
    assert not [event for event in told if event["event"] == "losses" or event.get("phase") == "measuring"]


def test_little_memory_halves_the_batch_and_is_told_once(
    tmp_path: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
):
    whole, sizes = write.write, list[int]()

    def short(who: write.Author, batch: list[Asked], job: Job) -> list[write.Written]:
        sizes.append(len(batch))
        if len(batch) > 1:
            raise MemoryError
        return whole(who, batch, job)

    monkeypatch.setattr(write, "write", short)
    told = events(tmp_path, job := make_job(batch_size=4))
    assert len(texts(told)) == 2 * len(job.asked)
    assert [event["event"] for event in told].count("note") == 1
    assert sizes == [4, 2, *[1] * 5, *[1] * 5]


def test_not_enough_memory_for_one_is_a_sentence(tmp_path: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch):
    def none(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(write, "write", none)
    with pytest.raises(InvalidInput, match="not enough memory to compare"):
        events(tmp_path, make_job())


def test_a_version_of_another_base_is_refused(tmp_path: Path, make_job: MakeJob, version: Path):
    other = tmp_path / "v4"
    other.mkdir()
    for path in version.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    files = {name: base.file_hash(other / name) for name in (base.ADAPTER, base.ADAPTER_CONFIG)}
    write_result(other, base_hash="0" * 64, files=files)
    with pytest.raises(InvalidInput, match="belongs to another base model"):
        events(tmp_path / "run", make_job(after=str(other)))


def test_a_version_with_a_changed_file_is_refused(tmp_path: Path, make_job: MakeJob, version: Path):
    other = tmp_path / "v4"
    other.mkdir()
    for path in version.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    with (other / base.ADAPTER).open("ab") as file:
        file.write(b"x")
    with pytest.raises(InvalidInput, match="damaged"):
        events(tmp_path / "run", make_job(after=str(other)))


def test_weights_that_are_no_numbers_are_a_sentence(make_job: MakeJob):
    job = make_job()
    who = write.author(job, "before", CPU)
    with torch.no_grad():
        who.model.get_output_embeddings().weight.fill_(math.nan)
    with pytest.raises(InvalidInput, match="no usable numbers"):
        write.write(who, job.asked[:2], job)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"asked": [{"place": 1}], "held": []}', "\ud800"])
def test_a_job_that_cannot_be_read_is_a_sentence(tmp_path: Path, text: str):
    (tmp_path / "job.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(HomeError, match="cannot be read any more"):
        write.work(tmp_path, lambda _: None, device="cpu")


def test_the_app_writes_the_same_alone(tmp_path: Path, make_job: MakeJob, version: Path, tiny: Path):
    """One prompt in a batch of its own, drawn with the same seed: what the writer gets when they ask."""
    import threading

    from zega_core.local.engine import Engine
    from zega_core.local.names import ModelName
    from zega_core.local.protocol import Writing

    home, pieces = version.parents[2], list[str]()
    job = make_job(held=[Held("a", "b", True)])
    one = job.asked[1]
    found = write.write(write.author(job, "after", CPU), [one], job)[0]
    asked = Writing(
        ModelName("ana", 3), one.prompt, one.max_tokens, job.temperature, job.top_p, job.repetition_penalty, one.seed
    )
    done = Engine(Settings(home=home), device="cpu").write(
        asked, lambda piece: pieces.append(piece) if isinstance(piece, str) else None, threading.Event()
    )
    assert ("".join(pieces), done.tokens) == (found.text, found.tokens)


def test_a_job_is_what_was_written_down(tmp_path: Path, make_job: MakeJob):
    write_job(tmp_path, job := make_job())
    assert json.loads((tmp_path / "job.json").read_text())["batch_size"] == job.batch_size
