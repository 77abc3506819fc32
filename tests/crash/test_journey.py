"""A writer's journey as one path: a first story, 20 texts, 50 kept examples that begin a fine-tune by themselves,
writing with the version that came of it, and 50 more that begin the next, which goes on from it.

The worker is a real one, and so are the process that writes, the storyteller, the score, what is kept, what begins a
training, its data, the rule of the proof and the files of versions. Two processes are by a script, as the real ones
take minutes and have tests of their own: the one that trains leaves an adapter that was made before, the one of the
proof writes plain sentences.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import provable
from tests.support.adapter import adapter
from tests.support.talking import answered, own_words, started
from tests.support.worker import running, until
from zega_core import db, memory, profiling, rating, shelf, triggers, versions, writing
from zega_core.configs import AutoTrainConfig, TriggerConfig
from zega_core.jobs import client
from zega_core.local import process
from zega_core.proof_tables import Proof
from zega_core.settings import Settings, get_settings
from zega_core.store import examples, fine_tunes, notifications, proofs, sessions, training_triggers
from zega_core.store import versions as version_rows
from zega_core.tables import UNFINISHED, Example, ExampleStatus, RunStatus, Source
from zega_core.version_tables import FineTune, Version
from zega_core.writing_authors import NO_VERSION, NONE_IN_USE
from zega_core.writing_configs import BASE, CUSTOM, STORYTELLER, WriteRequest
from zega_core.writing_tables import Take, TakeState

pytestmark = pytest.mark.crash
WRITER, EVERY = "ana", 50
BRIEF = "A lighthouse keeper finds a letter in the lamp that only she can read"
LONG = 300
"""Seconds: processes start on a machine that may be busy."""


@pytest.fixture
def journey(config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A writer whose answers are remembered, and whose trainings begin by kept examples alone, one right after the
    other: no test waits an hour."""
    made = tmp_path / "adapter"
    made.mkdir()
    adapter(made, size=0.5)
    act = {"adapter": str(made), "base_hash": provable.built_in()}
    (config.home / "fine_tunes").mkdir(parents=True)
    (config.home / "fine_tunes" / "script.json").write_text(json.dumps([act]), encoding="utf-8")
    provable.write_script(config)
    for name in ("ZEGA_TEST_TRAINER", "ZEGA_TEST_PROVER", "ZEGA_TEST_STAFF"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("ZEGA_PROOF_PROMPTS", "12")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    get_settings.cache_clear()
    with db.session(config) as session:
        training_triggers.save(session, WRITER, TriggerConfig(by_pairs=False, least_hours=0))
        memory.choose(session, WRITER, ("conversation",))
    yield get_settings()
    with suppress(ProcessLookupError):
        process.end(config)


def kept(config: Settings) -> int:
    with db.reading(config) as session:
        return examples.count_kept(session, WRITER)


def until_next(config: Settings) -> str:
    with db.reading(config) as session:
        return triggers.until_next(session, WRITER, config).in_words()


def trainings(config: Settings) -> list[FineTune]:
    """Newest first."""
    with db.reading(config) as session:
        return fine_tunes.recent(session, WRITER, 10)


def newest(config: Settings) -> tuple[Version, Proof | None]:
    with db.reading(config) as session:
        version = version_rows.all_of(session, WRITER)[0]
        return version, proofs.latest_of(session, WRITER, version.number)


def written(config: Settings, author: str, **more: Any) -> Take:
    """One text, written to its end."""
    asked = WriteRequest(writer_id=WRITER, brief=BRIEF, genre="fantasy", element="scene", authors=(author,), **more)
    key = writing.start(asked, config).key
    assert writing.wait(key, LONG)
    with db.reading(config) as session:
        (take,) = writing.state(session, WRITER, key)[1]
    assert (take.state, take.error) == (TakeState.done, "")
    assert take.text.strip()
    return take


def five_stars(config: Settings, take: Take) -> Example:
    """As the page does: the stars, then what follows from another kept example."""
    with db.session(config) as session:
        rated = writing.rate(session, WRITER, take.id or 0, 5, config)
        example = session.get_one(Example, rated.example_id)
    follow_up(config)
    return example


def follow_up(config: Settings) -> None:
    client.fine_tune_if_due(WRITER, config)
    client.measure_style_if_due(WRITER, config)
    client.refresh_memory(WRITER, config)


def learned(config: Settings) -> str:
    """The writer's style in words, once a worker has measured all that is kept and put all answers in memory."""

    def up_to_date() -> bool:
        with db.reading(config) as session:
            answers = memory.counts(session, WRITER)["conversation"]
            return not profiling.due(session, WRITER) and 0 < answers.embedded == answers.there

    until(up_to_date, LONG)
    with db.reading(config) as session:
        return profiling.style_summary(session, WRITER)


def note_of_custom(config: Settings) -> str:
    """What a writer reads who would let their own model write."""
    with db.reading(config) as session:
        return next(one.note for one in writing.authors(session, WRITER, config) if one.name == CUSTOM)


def told(config: Settings) -> Counter[str]:
    """How many notices of each kind there are; a verdict's comes a moment after it."""
    with db.reading(config) as session:
        return Counter(one.kind for one in notifications.recent(session, WRITER))


def answer(config: Settings, key: str, number: int, first: int) -> None:
    """As the page does: the answer, then what follows from it."""
    for seed in range(first, first + number):
        assert answered(key, own_words(seed)).kept
        client.fine_tune_if_due(WRITER, config)
    follow_up(config)


def on_the_shelf(config: Settings, take: Take) -> list[str]:
    """The titles that a search finds once this is saved as a story."""
    with db.session(config) as session:
        writing.save_story(session, WRITER, take.id or 0, "The keeper's letter", config)
    with db.reading(config) as session:
        return [one.title for one in shelf.search(session, WRITER, "keeper letter")[0]]


def told_by_the_storyteller(config: Settings, number: int) -> list[Example]:
    """A session of so many pieces by whoever can teach: without a service that is the storyteller."""
    asked = AutoTrainConfig(writer_id=WRITER, num_examples=number, genres=("fantasy", "horror"))
    run = client.start_auto_train(asked, teacher="storyteller", settings=config)

    def row():
        with db.reading(config) as session:
            return sessions.get(session, WRITER, run)

    until(lambda: row().status not in UNFINISHED, LONG)
    assert (row().status, row().error) == (RunStatus.done, None)
    with db.reading(config) as session:
        return examples.newest(session, WRITER, row().id or 0, number)


def like(config: Settings, pieces: list[Example]) -> None:
    """Stars for what is kept; what was set aside for its score is kept all the same."""
    with db.session(config) as session:
        for piece in pieces:
            aside = piece.status == ExampleStatus.set_aside
            choice = {"decision": "keep"} if aside else {"stars": 5}
            assert rating.rate(session, WRITER, piece.id or 0, config, **choice) == ""  # type: ignore[arg-type]


def trained_and_proved(config: Settings, number: int) -> tuple[FineTune, Version, Proof]:
    """The training of this number that began by itself, once its version has a verdict."""
    until(lambda: trainings(config)[0].status not in UNFINISHED, LONG)
    run = trainings(config)[0]
    assert (run.status, run.error, run.version_number) == (RunStatus.done, None, number)

    def proved() -> bool:
        proof = newest(config)[1]
        return proof is not None and proof.status not in UNFINISHED

    until(proved, LONG)
    version, proof = newest(config)
    assert proof is not None
    assert (proof.status, proof.error, version.number) == (RunStatus.done, None, number)
    return run, version, proof


def test_from_the_first_story_to_the_second_version(journey: Settings, tmp_path: Path):
    with running(journey, tmp_path / "calls.txt", fine_tune_every=EVERY):
        assert note_of_custom(journey) == NO_VERSION
        story = five_stars(journey, written(journey, STORYTELLER))
        assert (story.source, story.status, story.rating) == (Source.rating, ExampleStatus.kept, 5)
        assert until_next(journey) == "1 of 50 until the next fine-tune"

        key = started("Stories of a harbour", writer=WRITER)
        answer(journey, key, 19, first=0)
        assert until_next(journey) == "20 of 50 until the next fine-tune"
        assert learned(journey)

        answer(journey, key, 1, first=100)
        like(journey, told_by_the_storyteller(journey, 12))
        answer(journey, key, EVERY - 1 - kept(journey), first=200)
        assert kept(journey) == EVERY - 1
        assert not trainings(journey)
        answer(journey, key, 1, first=300)
        run, version, proof = trained_and_proved(journey, 1)
        assert (run.trigger, run.kept_before, version.parent) == ("automatic", EVERY, None)
        assert version.own_share > 0.5, "answers are the writer's own words"
        assert proof.verdict == "not_shown", "so few prompts show nothing"
        assert note_of_custom(journey) == NONE_IN_USE, "what is not shown to be better is not put in use"

        versions.promote(WRITER, 1, journey)
        assert note_of_custom(journey) == ""
        mine, base = written(journey, CUSTOM, seed=5), written(journey, BASE, seed=5)
        assert (mine.model, mine.label) == ("local/ana/v1", "Your model · v1")
        assert mine.note == " ".join(mine.context["left_out"]), "nobody stands in"
        assert mine.text != base.text, "the version wrote it"
        assert mine.context["hints"]
        assert {one["from_"][:11] for one in mine.context["recalled"]} == {"Your answer"}, "what may be remembered"
        assert five_stars(journey, mine).prompt == BRIEF, "without what was put before it"
        assert on_the_shelf(journey, mine) == ["The keeper's letter"]
        assert until_next(journey) == "1 of 50 until the next fine-tune"

        answer(journey, key, EVERY - 2, first=400)
        assert len(trainings(journey)) == 1
        answer(journey, key, 1, first=500)
        run, version, proof = trained_and_proved(journey, 2)
        assert (run.trigger, run.kept_before, version.parent) == ("automatic", 2 * EVERY, 1)
        assert proof.against == 1, "it is compared with the version in use"
        until(lambda: told(journey) == {"threshold": 2, "finished": 2, "verdict": 2}, LONG)
