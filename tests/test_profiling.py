"""A writer's style as it is stored: measured from what they keep, anew when that changes, and corrected by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.engine import FakeEngine, fake_engine
from tests.support.labelled import MOTIFS, PAIRS
from tests.support.written import written
from zega_core import db, profiling
from zega_core.errors import InvalidInput, ProviderUnavailable
from zega_core.jobs import client, reconcile, writing
from zega_core.settings import Settings
from zega_core.store import style_profiles, writers
from zega_core.style.profile import Corrections, Profile
from zega_core.tables import Example, ExampleStatus, Source, Story, now

pytestmark = pytest.mark.usefixtures("database")
engine = fake_engine


@pytest.fixture
def config(config: Settings) -> Iterator[Settings]:
    config.prepare_home()
    yield config


def own(number: int = 12, writer: str = "ana", first: int = 0) -> list[int]:
    """So many answers of about 170 words, each another text."""
    ids: list[int] = []
    texts = [low for pairs in PAIRS.values() for low, _ in pairs]
    for at in range(first, first + number):
        text = f"{at}. {texts[at % 10]} {texts[(at + 1) % 10]} {texts[(at + 2) % 10]}"
        ids += written(1, writer, source=Source.conversation, completion=text)
    return ids


def found(writer: str = "ana") -> Profile:
    with db.reading() as session:
        profile, _, _ = profiling.profile_of(session, writer)
    assert profile is not None
    return profile


def due(writer: str = "ana") -> bool:
    with db.reading() as session:
        return profiling.due(session, writer)


def change(example_id: int, **values: object) -> None:
    with db.session() as session:
        row = session.get_one(Example, example_id)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


def test_without_texts_there_is_nothing_and_nothing_is_due(config: Settings):
    with db.reading() as session:
        assert profiling.profile_of(session, "ana") == (None, Corrections(), None)
        assert profiling.style_hints(session, "ana") == ()
        assert profiling.style_summary(session, "ana") == ""
    assert not due()


def test_what_is_kept_is_measured_and_nobody_elses(config: Settings):
    own(12)
    own(3, "ben")
    written(2, "ana", source=Source.auto)
    written(1, "ana", status=ExampleStatus.set_aside, completion="Set aside, and not looked at.")
    profiling.measure("ana", config)
    assert (found().pieces, found().own_pieces, found().enough) == (14, 12, True)
    with db.reading() as session:
        assert profiling.profile_of(session, "ana")[2] is not None
        assert profiling.profile_of(session, "ben")[0] is None
        assert profiling.style_hints(session, "ana")


def test_it_is_due_whenever_something_else_is_kept_edited_or_rated(config: Settings):
    first, second, *_ = own(4)
    assert due()
    changes = [
        lambda: own(1, first=20),
        lambda: change(first, status=ExampleStatus.set_aside),
        lambda: change(second, rating=5, rated_at=now()),
        lambda: change(second, rating=4),
        lambda: change(second, completion="Other words.", original="Words.", edited_at=now()),
        lambda: _story("A boat with no oars lay on the sand."),
    ]
    for happens in changes:
        profiling.measure("ana", config)
        assert not due()
        happens()
        assert due()


def _story(body: str, *, edited: bool = False) -> None:
    with db.session() as session:
        writers.ensure(session, "ana")
        session.add(Story(user_id="ana", title="T", genre="", body=body, updated_at=now() if edited else None))


def test_another_writers_texts_make_nothing_due(config: Settings):
    own(2)
    profiling.measure("ana", config)
    own(2, "ben")
    assert not due()


def test_what_counts_more_comes_first_where_there_are_too_many(config: Settings):
    written(2, "ana")
    kinds = {"five stars": {"rating": 5}, "own": {"source": Source.manuscript}, "edited": {"edited_at": now()}}
    for text, values in kinds.items():
        written(1, "ana", completion=text, **values)
    _story("story")
    with db.reading() as session:
        texts = [one.text for one in style_profiles.texts(session, "ana", 3)]
        everything = [one.text for one in style_profiles.texts(session, "ana", 99)]
    assert set(texts) == set(kinds)
    assert texts[-1] == "five stars"
    assert everything[-1] == "story" and len(everything) == 6


def test_what_a_text_counts(config: Settings):
    def weight(**values: Any) -> float:
        text = style_profiles.Text(
            "x", "", **({"source": "auto", "edited": False, "rating": None, "decision": None} | values)
        )  # type: ignore[arg-type]
        return profiling.piece_of(text).weight

    assert weight(source="conversation") > weight(edited=True) > weight()
    assert weight(rating=5) > weight(rating=4) > weight(rating=3) == weight() > weight(rating=1) > 0
    assert weight(decision="keep") > weight()
    assert profiling.piece_of(style_profiles.Text("x", "", "story", True, None, None)).own
    assert not profiling.piece_of(style_profiles.Text("x", "", "rating", False, 5, None)).own


def test_corrections_stay_when_it_is_measured_again(config: Settings):
    own(12)
    with db.session() as session:
        profiling.correct(session, "ana", "tone", 95)
        profiling.correct(session, "ana", "revenge", True)
        profiling.correct(session, "ana", "war", False)
    profiling.measure("ana", config)
    with db.reading() as session:
        _, corrections, _ = profiling.profile_of(session, "ana")
        hints = profiling.style_hints(session, "ana")
    assert corrections == Corrections({"tone": 95.0}, frozenset({"war"}), frozenset({"revenge"}))
    assert "Keep the tone light, with humour." in hints
    assert any(one.startswith("Let revenge ") for one in hints)
    with db.reading() as session:
        assert profiling.profile_of(session, "ben")[1] == Corrections()


def test_corrections_can_be_taken_back(config: Settings):
    with db.session() as session:
        for key, value in (("tone", 95), ("pacing", 5), ("revenge", True), ("war", False)):
            profiling.correct(session, "ana", key, value)
        profiling.correct(session, "ana", "war", True)
        assert profiling.reset(session, "ana", "tone").axes == {"pacing": 5.0}
        assert profiling.reset(session, "ana", "revenge").added == {"war"}
        assert not profiling.reset(session, "ana")


@pytest.mark.parametrize(
    ("key", "value"),
    [("tone", 101), ("tone", -1), ("tone", True), ("tone", float("nan")), ("war", 30), ("<b>", True), ("", False)],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(config: Settings, key: str, value: float | bool):
    with db.session() as session:
        profiling.correct(session, "ana", "tone", 70)
    with pytest.raises(InvalidInput), db.session() as session:
        profiling.correct(session, "ana", key, value)
    with db.reading() as session:
        assert profiling.profile_of(session, "ana")[1] == Corrections({"tone": 70.0})


def test_a_stored_profile_that_cannot_be_read_is_none_and_is_measured_again(config: Settings):
    own(2)
    with db.session() as session:
        writers.ensure(session, "ana")
        style_profiles.save_measured(session, "ana", {"axes": "?"}, "old")
    with db.reading() as session:
        assert profiling.profile_of(session, "ana") == (None, Corrections(), None)
    assert due()


def test_themes_are_found_in_what_is_kept(config: Settings):
    for key in ("haunting", "revenge"):
        for at in range(3):
            written(1, "ana", source=Source.manuscript, completion=f"{at}. {MOTIFS[key]}")
    profiling.measure("ana", config)
    assert {one.key: one.count for one in found().themes}.items() >= {"haunting": 3, "revenge": 3}.items()


def test_without_an_embedder_words_decide_alone(config: Settings):
    written(1, "ana", source=Source.manuscript, completion="He wanted revenge. They murdered somebody.")

    def gone(_: object) -> NDArray[np.float32]:
        raise ProviderUnavailable("The process does not answer.")

    profiling.measure("ana", config, embed=gone)
    assert found().themes == ()
    profiling.measure("ana", config, embed=lambda texts: np.ones((len(texts), 1), np.float32))
    assert [one.key for one in found().themes] == ["revenge"]


def test_it_is_asked_for_once_until_it_is_done(config: Settings, engine: FakeEngine):
    client.measure_style_if_due("ana", config)
    assert not engine.enqueued
    own(2)
    for _ in range(3):
        client.measure_style_if_due("ana", config)
    assert len(set(engine.enqueued)) == 1
    profiling.measure("ana", config)
    client.measure_style_if_due("ana", config)
    own(1, first=20)
    client.measure_style_if_due("ana", config)
    assert len(set(engine.enqueued)) == 2


def test_one_that_never_reached_the_queue_or_ended_early_is_taken_up(config: Settings, engine: FakeEngine):
    own(2)
    with db.session() as session:
        asked_at = style_profiles.ask(session, "ana")
    identity = writing.style_id("ana", asked_at)
    assert reconcile.reconcile(config) == 1
    assert engine.enqueued == [identity]
    assert reconcile.reconcile(config) == 0
    engine.statuses[identity] = "ERROR"
    assert reconcile.reconcile(config) == 1
    assert len(set(engine.enqueued)) == 2
    profiling.measure("ana", config)
    assert reconcile.reconcile(config) == 0
