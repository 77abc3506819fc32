"""The choices of training by itself: shown as stored, saved at once, refused with a sentence."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.support import tuned
from zega_core import db
from zega_core.configs import FineTuneConfig, TriggerConfig
from zega_core.settings import Settings
from zega_core.store import fine_tunes, training_triggers
from zega_core.tables import RunStatus, Source


def section() -> None:
    from zega_core.settings import get_settings
    from zega_ui import training_popover

    training_popover.show("ana", get_settings())


@pytest.fixture
def page(config: Settings) -> Any:
    tuned.keep(config, "ana", 7, source=Source.conversation)

    def draw() -> AppTest:
        app = AppTest.from_function(section, default_timeout=30).run()
        assert not app.exception
        return app

    return draw


def chosen(config: Settings) -> TriggerConfig:
    with db.reading(config) as session:
        return training_triggers.load(session, "ana")


def choose(config: Settings, **values: Any) -> None:
    with db.session(config) as session:
        training_triggers.save(session, "ana", TriggerConfig.model_validate(values))


def test_at_first_it_says_how_many_answers_are_left_and_nothing_needs_a_choice(page: Any, config: Settings):
    app = page()
    assert "7 of 20 answers until the next training." in all_text(app)
    assert app.toggle(key="trigger-automatic").value
    assert app.number_input(key="trigger-pairs").value is None
    assert app.selectbox(key="trigger-schedule").value == "off"
    assert chosen(config) == TriggerConfig()


def test_the_switch_is_the_one_of_the_fine_tune_page(page: Any, config: Settings):
    app = page()
    app.toggle(key="trigger-automatic").set_value(False).run()
    with db.session(config) as session:
        assert not fine_tunes.load_config(session, "ana").automatic
        fine_tunes.save_config(session, "ana", FineTuneConfig(automatic=True, every=60))
    assert page().toggle(key="trigger-automatic").value
    app.run()
    assert app.toggle(key="trigger-automatic").value
    app.toggle(key="trigger-automatic").set_value(False).run()
    with db.reading(config) as session:
        assert fine_tunes.load_config(session, "ana") == FineTuneConfig(automatic=False, every=60)
    assert "Training by itself is off." in all_text(app)


def test_each_choice_is_saved_at_once_and_the_line_follows(page: Any, config: Settings):
    app = page()
    app.number_input(key="trigger-pairs").set_value(30).run()
    assert chosen(config).pairs == 30
    assert "7 of 30 answers" in all_text(app)
    app.selectbox(key="trigger-schedule").set_value("weekly").run()
    app.selectbox(key="trigger-weekday").set_value(2).run()
    app.time_input(key="trigger-at").set_value(time(4, 30)).run()
    app.selectbox(key="trigger-zone").set_value("Europe/Vienna").run()
    assert "Next by schedule: Wednesday 04:30." in all_text(app)
    app.number_input(key="trigger-least_hours").set_value(12.0).run()
    app.slider(key="trigger-least_score").set_value(7.5).run()
    app.slider(key="trigger-least_variety").set_value(3).run()
    app.slider(key="trigger-least_own_share").set_value(30).run()
    app.checkbox(key="trigger-by_pairs").set_value(False).run()
    assert not app.exception
    assert chosen(config) == TriggerConfig(
        by_pairs=False,
        pairs=30,
        schedule="weekly",
        at="04:30",
        weekday=2,
        zone="Europe/Vienna",
        least_hours=12,
        least_score=7.5,
        least_variety=3,
        least_own_share=0.3,
    )
    again = page()
    assert again.time_input(key="trigger-at").value == time(4, 30)
    assert again.slider(key="trigger-least_own_share").value == 30


def test_a_schedule_begins_on_the_writers_own_clock(page: Any, config: Settings, monkeypatch: pytest.MonkeyPatch):
    from zega_ui import training_popover

    monkeypatch.setattr(training_popover, "own_zone", lambda: "America/New_York")
    app = page()
    app.selectbox(key="trigger-schedule").set_value("daily").run()
    assert (chosen(config).schedule, chosen(config).zone) == ("daily", "America/New_York")
    app.selectbox(key="trigger-zone").set_value("Asia/Tokyo").run()
    app.selectbox(key="trigger-schedule").set_value("off").run()
    app.selectbox(key="trigger-schedule").set_value("weekly").run()
    assert chosen(config).zone == "Asia/Tokyo", "the writer has chosen it"


def test_what_cannot_be_is_refused_with_what_can_and_nothing_changes(page: Any, config: Settings):
    choose(config, pairs=25)
    app = page()
    app.number_input(key="trigger-pairs").set_value(2).run()
    assert "That is a whole number from 5 to 10,000." in all_text(app)
    assert chosen(config).pairs == 25
    app.number_input(key="trigger-least_hours").set_value(5_000.0).run()
    assert "Between two trainings lie 0 to 2,160 hours." in all_text(app)
    assert chosen(config).least_hours == 1


def test_it_says_what_runs_and_what_holds(page: Any, config: Settings):
    choose(config, pairs=7, least_own_share=0.3)
    tuned.keep(config, "ana", 40, first=7)
    assert "Training waits: " in all_text(page())
    tuned.fine_tune(config, "ana", RunStatus.running, phase="training", step=40, steps=120)
    assert "A training runs: step 40 of 120." in all_text(page())


def test_a_stored_time_zone_that_is_not_listed_is_shown(page: Any, config: Settings):
    choose(config, schedule="daily", zone="Etc/GMT+3")
    assert page().selectbox(key="trigger-zone").value == "Etc/GMT+3"
