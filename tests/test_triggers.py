"""When a fine-tune begins by itself, and what it needs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import tuned
from tests.support.engine import FakeEngine, fake_engine
from zega_core import db, triggers
from zega_core.configs import AutoTrainConfig, FineTuneConfig
from zega_core.errors import InvalidInput
from zega_core.jobs import client
from zega_core.settings import Settings
from zega_core.store import fine_tunes, sessions
from zega_core.tables import RunStatus

pytestmark = pytest.mark.usefixtures("database")
engine = fake_engine


def line(settings: Settings, writer: str = "ana") -> str:
    with db.reading(settings) as session:
        return triggers.until_next(session, writer, settings).in_words()


def choose(settings: Settings, **values: object) -> None:
    with db.session(settings) as session:
        fine_tunes.save_config(session, "ana", FineTuneConfig.model_validate(values))


def test_the_line_counts_what_is_new_since_the_last_fine_tune(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 23)
    assert line(config) == "23 of 50 until the next fine-tune"
    tuned.keep(config, "ana", 30, first=23)
    assert client.fine_tune_if_due("ana", config)
    assert line(config) == "0 of 50 until the next fine-tune"
    tuned.keep(config, "ana", 7, first=53)
    assert line(config) == "7 of 50 until the next fine-tune"


def test_at_fifty_one_begins_and_no_second_one_while_it_is_under_way(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 49)
    assert client.fine_tune_if_due("ana", config) is None
    tuned.keep(config, "ana", 1, first=49)
    run_id = client.fine_tune_if_due("ana", config)
    assert engine.enqueued == [f"fine-tune:{run_id}:1"]
    tuned.keep(config, "ana", 60, first=50)
    assert client.fine_tune_if_due("ana", config) is None


def test_two_who_ask_at_once_get_one(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 50)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client.fine_tune_if_due("ana", config), range(8)))
    assert len([one for one in found if one]) == 1
    assert len(engine.enqueued) == 1


def test_off_is_off_and_another_number_is_that_number(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 60)
    choose(config, automatic=False)
    assert client.fine_tune_if_due("ana", config) is None
    assert "off" in line(config)
    choose(config, every=61)
    assert client.fine_tune_if_due("ana", config) is None
    choose(config, every=60)
    assert client.fine_tune_if_due("ana", config)


def test_it_waits_for_the_session_that_is_still_writing(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 50)
    with db.session(config) as session:
        row = sessions.create(session, AutoTrainConfig(writer_id="ana", num_examples=3), teacher="x", order_seed=1)
    assert client.fine_tune_if_due("ana", config) is None
    with db.session(config) as session:
        row = sessions.get(session, "ana", row.session_id)
        row.status = RunStatus.done
        session.add(row)
    assert client.fine_tune_if_due("ana", config)
    with db.reading(config) as session:
        assert sessions.get(session, "ana", row.session_id).fine_tuning_triggered


@pytest.mark.parametrize("number, says", [(0, "Keep 15 more"), (1, "Keep 14 more"), (14, "Keep 1 more")])
def test_too_few_are_refused_with_how_many_are_missing(engine: FakeEngine, config: Settings, number: int, says: str):
    tuned.keep(config, "ana", number)
    with pytest.raises(InvalidInput, match=says):
        client.fine_tune("ana", settings=config)
    assert not engine.enqueued


def test_fifty_of_one_prompt_are_refused_and_begin_nothing_by_themselves(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 50, prompt="Always the same")
    with pytest.raises(InvalidInput, match="different prompts"):
        client.fine_tune("ana", settings=config)
    assert client.fine_tune_if_due("ana", config) is None


def test_a_second_press_gets_the_one_under_way_and_a_second_wish_queues(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 20)
    first = client.fine_tune("ana", one_at_a_time=True, settings=config)
    assert client.fine_tune("ana", one_at_a_time=True, settings=config) == first
    second = client.fine_tune("ana", settings=config)
    with db.reading(config) as session:
        assert [one.run_id for one in fine_tunes.under_way(session, "ana")] == [first, second]
        waiting = fine_tunes.get(session, "ana", second)
        assert (found := fine_tunes.waits_for(session, waiting)) is not None and found.run_id == first


def test_choices_of_another_version_start_nothing_by_themselves(engine: FakeEngine, config: Settings):
    from zega_core.version_tables import FineTuning

    tuned.keep(config, "ana", 60)
    with db.session(config) as session:
        session.add(FineTuning(user_id="ana", config={"epochs": "many", "new": 1}))
    assert client.fine_tune_if_due("ana", config) is None
