"""When a fine-tune begins by itself, and what it needs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.support import tuned
from tests.support.engine import FakeEngine, fake_engine
from zega_core import db, triggers
from zega_core.configs import AutoTrainConfig, FineTuneConfig, TriggerConfig
from zega_core.conversation_tables import TrainingTrigger
from zega_core.errors import InvalidInput
from zega_core.jobs import client
from zega_core.jobs.reconcile import reconcile
from zega_core.settings import Settings
from zega_core.store import fine_tunes, kept, notifications, sessions, training_triggers
from zega_core.tables import ExampleStatus, RunStatus, Source, now
from zega_core.triggers import NextUp

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


ANSWER: dict[str, Any] = {"source": Source.conversation, "genre": "horror", "element": "dialogue"}


def begins_by(settings: Settings, **values: object) -> None:
    with db.session(settings) as session:
        training_triggers.save(session, "ana", TriggerConfig.model_validate(values))


def scheduled(settings: Settings, hours_ago: float, *, set_up_days_ago: float = 3, **values: object) -> None:
    """A daily schedule in UTC whose last moment was so many hours ago."""
    begins_by(settings, schedule="daily", at=f"{now() - timedelta(hours=hours_ago):%H:%M}", **values)
    with db.session(settings) as session:
        row = session.get_one(TrainingTrigger, "ana")
        row.updated_at = now() - timedelta(days=set_up_days_ago)
        session.add(row)


def asked_for(settings: Settings, hours_ago: float) -> None:
    """The newest fine-tune has ended, and was asked for so long ago."""
    with db.session(settings) as session:
        row = fine_tunes.latest(session, "ana")
        assert row is not None
        row.status, row.created_at = RunStatus.done, now() - timedelta(hours=hours_ago)
        session.add(row)


def begun(settings: Settings) -> list[str]:
    with db.reading(settings) as session:
        return [row.trigger for row in reversed(fine_tunes.recent(session, "ana", 20))]


def told(settings: Settings) -> list[str]:
    with db.reading(settings) as session:
        return [row.text for row in notifications.new(session, "ana")]


def up(settings: Settings) -> NextUp:
    with db.reading(settings) as session:
        return triggers.next_up(session, "ana", settings)


def yesterday() -> dict[str, Any]:
    return {"created_at": now() - timedelta(days=1)}


def test_twenty_answers_begin_one_and_the_next_twenty_the_next(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 19, **ANSWER)
    assert client.fine_tune_if_due("ana", config) is None
    assert (up(config).pairs, up(config).goal, up(config).reached) == (19, 20, False)
    tuned.keep(config, "ana", 1, first=19, **ANSWER)
    run_id = client.fine_tune_if_due("ana", config)
    assert engine.enqueued == [f"fine-tune:{run_id}:1"]
    with db.reading(config) as session:
        row = fine_tunes.get(session, "ana", run_id or "")
    assert (row.trigger, row.kept_before, row.pairs_before) == ("pairs", 20, 20)
    assert told(config) == ["You have answered 20 questions: training has begun."]
    assert (up(config).pairs, up(config).under_way) == (0, run_id)
    asked_for(config, 2)
    tuned.keep(config, "ana", 20, first=20, **ANSWER)
    assert client.fine_tune_if_due("ana", config)
    assert begun(config) == ["pairs", "pairs"]


def test_teachers_pieces_and_what_was_set_aside_are_no_answers(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 30)
    tuned.keep(config, "ana", 10, first=30, **ANSWER)
    tuned.keep(config, "ana", 15, first=40, **ANSWER, status=ExampleStatus.set_aside)
    assert client.fine_tune_if_due("ana", config) is None
    assert up(config).pairs == 10


def test_the_writers_own_number_of_answers_or_none_at_all(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 25, **ANSWER)
    begins_by(config, by_pairs=False)
    assert client.fine_tune_if_due("ana", config) is None
    begins_by(config, pairs=26)
    assert client.fine_tune_if_due("ana", config) is None
    begins_by(config, pairs=25)
    choose(config, automatic=False)
    assert client.fine_tune_if_due("ana", config) is None
    choose(config)
    assert client.fine_tune_if_due("ana", config)


def test_never_sooner_than_the_least_time_after_the_last_but_the_writers_own_press_is_not_held(
    engine: FakeEngine, config: Settings
):
    tuned.keep(config, "ana", 20, **ANSWER)
    client.fine_tune("ana", settings=config)
    begins_by(config, least_hours=6)
    tuned.keep(config, "ana", 60, first=20, **ANSWER)
    asked_for(config, 5.9)
    assert client.fine_tune_if_due("ana", config) is None
    assert up(config).reached and up(config).not_before is not None
    assert client.fine_tune("ana", settings=config)
    tuned.keep(config, "ana", 60, first=80, **ANSWER)
    asked_for(config, 6.1)
    assert up(config).not_before is None
    assert client.fine_tune_if_due("ana", config)
    assert begun(config) == ["writer", "writer", "pairs"]


def test_the_schedule_begins_one_for_what_was_new_by_then(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 16, **yesterday())
    scheduled(config, 5)
    assert client.fine_tune_if_due("ana", config)
    assert begun(config) == ["schedule"]
    assert told(config) == ["It is time by your schedule: training has begun."]
    asked_for(config, 4)
    assert client.fine_tune_if_due("ana", config) is None, "nothing is new"
    tuned.keep(config, "ana", 1, first=16)
    assert client.fine_tune_if_due("ana", config) is None, "what came later waits for the next moment"


def test_a_schedule_that_was_missed_for_days_is_made_up_for_once(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 20, **yesterday())
    scheduled(config, 1, set_up_days_ago=30)
    assert reconcile(config) == 1
    asked_for(config, 0)
    with db.session(config) as session:
        chosen = training_triggers.load(session, "ana")
        training_triggers.save(session, "ana", chosen.model_copy(update={"least_hours": 0.0}))
    tuned.keep(config, "ana", 3, first=20, **yesterday())
    assert reconcile(config) == 0
    assert begun(config) == ["schedule"]


def test_what_a_schedule_would_have_said_before_it_was_chosen_or_switched_on_begins_nothing(
    engine: FakeEngine, config: Settings
):
    tuned.keep(config, "ana", 20, **yesterday())
    scheduled(config, 2, set_up_days_ago=0)
    assert client.fine_tune_if_due("ana", config) is None
    choose(config, automatic=False)
    scheduled(config, 2)
    assert client.fine_tune_if_due("ana", config) is None
    choose(config, automatic=True)
    assert client.fine_tune_if_due("ana", config) is None
    scheduled(config, 2)
    assert client.fine_tune_if_due("ana", config)


def test_another_choice_does_not_lose_what_the_schedule_has_said(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 20, **yesterday())
    scheduled(config, 2, least_own_share=0.5)
    assert client.fine_tune_if_due("ana", config) is None
    with db.session(config) as session:
        chosen = training_triggers.load(session, "ana")
        training_triggers.save(session, "ana", chosen.model_copy(update={"least_own_share": 0.0}))
    assert client.fine_tune_if_due("ana", config)


@pytest.mark.parametrize(
    "check, says",
    [
        ({"least_score": 9.0}, "Your examples score 8.48 on average, and you ask for 9."),
        ({"least_variety": 3}, "Your examples have 2 different genres and elements, and you ask for 3."),
        (
            {"least_own_share": 0.3},
            " % of the words are your own, and you ask for 30 %. Answer more questions or lower",
        ),
    ],
)
def test_a_check_holds_it_and_says_what_helps_once_a_day(
    engine: FakeEngine, config: Settings, check: dict[str, object], says: str
):
    tuned.keep(config, "ana", 50)
    begins_by(config, **check)
    assert client.fine_tune_if_due("ana", config) is None
    assert client.fine_tune_if_due("ana", config) is None
    (text,) = told(config)
    assert text.startswith("Training waits: ")
    assert says in text
    assert says in up(config).holds
    tuned.keep(config, "ana", 50, first=50, **ANSWER, quality=9.9)
    assert client.fine_tune_if_due("ana", config), "what is wanted is there"
    assert client.fine_tune("ana", settings=config)


def test_a_check_says_nothing_before_there_is_enough(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 30)
    begins_by(config, least_own_share=0.3)
    assert client.fine_tune_if_due("ana", config) is None
    assert told(config) == []
    assert up(config).holds, "the page says it all the same"


def test_the_share_of_own_words_is_of_words_not_of_examples(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 90, completion="one two three")
    tuned.keep(config, "ana", 10, first=90, **ANSWER, completion=" ".join(["word"] * 27))
    with db.reading(config) as session:
        assert kept.share_of_words(session, "ana", [Source.conversation]) == pytest.approx(0.5)
        assert kept.share_of_words(session, "nobody", [Source.conversation]) == 0
    tuned.keep(config, "ana", 10, first=100, source=Source.rating, completion=" ".join(["word"] * 54))
    tuned.keep(config, "ana", 10, first=110, source=Source.auto, original="x", completion=" ".join(["word"] * 54))
    with db.reading(config) as session:
        assert kept.share_of_words(session, "ana", [Source.conversation]) == pytest.approx(0.5), "the edited ones count"


def test_too_few_different_prompts_hold_it_too(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 20, **ANSWER, prompt="Always the same")
    assert client.fine_tune_if_due("ana", config) is None
    assert "different prompts" in up(config).holds


def test_choices_of_what_begins_it_that_cannot_be_read_start_nothing_by_answers(engine: FakeEngine, config: Settings):
    tuned.keep(config, "ana", 20, **ANSWER)
    with db.session(config) as session:
        session.add(TrainingTrigger(user_id="ana", config={"zone": "Mars", "new": 1}))
    assert client.fine_tune_if_due("ana", config) is None
    assert not up(config).by_pairs


def test_the_goal_is_nothing_where_answers_begin_no_training(config: Settings):
    with db.session(config) as session:
        assert triggers.goal(session, "ana", config) == 20
        training_triggers.save(session, "ana", TriggerConfig(by_pairs=False))
        assert triggers.goal(session, "ana", config) == 0
        training_triggers.save(session, "ana", TriggerConfig(pairs=30))
        assert triggers.goal(session, "ana", config) == 30
        fine_tunes.save_config(session, "ana", FineTuneConfig(automatic=False))
        assert triggers.goal(session, "ana", config) == 0
