"""The Auto-Train page, from the first visit to the results."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.support.teachers import ScriptedTeacher, story
from zega_core import db
from zega_core.errors import ProviderUnavailable
from zega_core.jobs import client
from zega_core.settings import Settings
from zega_core.store import runs, sessions
from zega_core.tables import RunStatus, TrainingSession, now

Work = Callable[..., TrainingSession]


def button(app: AppTest, key: str):
    return app.button(key=key)


def all_sessions() -> list[TrainingSession]:
    with db.reading() as session:
        return list(session.exec(select(TrainingSession)))


def test_a_first_visitor_can_start_at_once(app: AppTest):
    assert not app.exception
    assert app.title[0].value == "Auto-Train"
    assert "Nothing has been written yet" in all_text(app)
    assert not button(app, "start").disabled
    assert [box.value for box in app.checkbox] == [False, False]


def test_start_makes_one_run_with_what_was_chosen(app: AppTest):
    app.slider(key="auto_train_n").set_value(7).run()
    app.button_group(key="auto_train_genres").set_value(["fantasy", "horror"]).run()
    app.checkbox(key="auto_train_memory").check().run()
    button(app, "start").click().run()
    (row,) = all_sessions()
    assert row.num_examples_requested == 7
    assert row.genres_selected == ["fantasy", "horror"]
    assert row.stored_in_memory
    assert not row.saved_to_database
    assert row.status == RunStatus.queued
    assert "Waiting for the worker" in all_text(app)


def test_the_slider_and_the_number_box_follow_each_other(app: AppTest):
    app.slider(key="auto_train_n").set_value(123).run()
    assert app.number_input(key="auto_train_box").value == 123
    app.number_input(key="auto_train_box").set_value(4).run()
    assert app.slider(key="auto_train_n").value == 4


def test_a_second_press_and_a_second_tab_join_the_first_run(app: AppTest, config: Settings):
    button(app, "start").click().run()
    other = AppTest.from_file(app._script_path, default_timeout=30).run()
    assert "Waiting for the worker" in all_text(other)
    with db.reading() as session:
        row = sessions.latest(session, "default")
    assert row is not None
    from zega_core.configs import AutoTrainConfig

    again = client.start_auto_train(
        AutoTrainConfig(num_examples=20), teacher="storyteller", one_at_a_time=True, settings=config
    )
    assert again == row.session_id
    assert len(all_sessions()) == 1


def test_results_show_what_was_kept_and_why(app: AppTest, work: Work):
    button(app, "start").click().run()
    row = work()
    app.run()
    assert [metric.label for metric in app.metric] == ["Kept", "Success rate", "Average"]
    assert app.metric[0].value == str(row.num_examples_successful)
    text = all_text(app)
    assert f"From {row.min_quality:.1f} to {row.max_quality:.1f}." in text
    assert "20 of 20 examples" in text
    bars = [bar.proto.text for bar in app.get("progress")]
    assert f"{row.num_examples_successful} of 50 until the next fine-tune" in bars
    assert "Last run" in text


def test_stop_and_continue(app: AppTest, work: Work):
    button(app, "start").click().run()
    with db.session() as session:
        row = sessions.latest(session, "default")
        assert row is not None
        runs.begin(session, row.session_id, 1)
    app.run()
    button(app, "stop").click().run()
    assert all_sessions()[0].status == RunStatus.stopping
    assert button(app, "stop").disabled
    work()
    app.run()
    assert "Last run, stopped early" in all_text(app)
    button(app, "continue").click().run()
    assert all_sessions()[0].status == RunStatus.queued
    assert work().status == RunStatus.done
    assert len(all_sessions()) == 1


def test_an_interrupted_run_says_what_happened_without_a_trace(app: AppTest, work: Work):
    button(app, "start").click().run()
    work(ScriptedTeacher(lambda *_: ValueError("secret detail")))
    app.run()
    text = all_text(app)
    assert "The run could not finish" in text
    assert "What was written is safe" in text
    assert "Traceback" not in text
    assert "secret detail" not in text


def test_pieces_without_an_answer_say_so(app: AppTest, work: Work):
    button(app, "start").click().run()
    work(ScriptedTeacher(lambda *_: ProviderUnavailable("The teacher is away. Try again later.")))
    app.run()
    assert "The teacher is away. Try again later." in all_text(app)


@pytest.mark.parametrize(
    "text", ["# Title\n\n* * *\n\n$5 :smile: <b>x</b> :red[y] -- z", "a" * 300, "x y " * 5_000 + "."]
)
def test_what_a_teacher_wrote_is_shown_as_written(app: AppTest, work: Work, text: str):
    app.slider(key="auto_train_n").set_value(1).run()
    button(app, "start").click().run()
    work(ScriptedTeacher(lambda *_: text))
    app.run()
    assert not app.exception
    assert text in [element.value for element in app.text]


def test_a_favourite_is_saved_used_and_removed(app: AppTest):
    app.slider(key="auto_train_n").set_value(33).run()
    app.button_group(key="auto_train_genres").set_value(["sci_fi", "mystery"]).run()
    app.text_input(key="favourite_name").set_value("Night shift").run()
    button(app, "save_favourite").click().run()
    app.slider(key="auto_train_n").set_value(5).run()
    app.button_group(key="auto_train_genres").set_value([]).run()
    use = next(found for found in app.button if found.label.startswith("Night shift"))
    use.click().run()
    assert app.slider(key="auto_train_n").value == 33
    assert app.button_group(key="auto_train_genres").value == ["sci_fi", "mystery"]
    next(found for found in app.button if found.label == "Remove").click().run()
    assert not [found for found in app.button if found.label.startswith("Night shift")]


def test_a_favourite_without_a_name_is_refused_in_words(app: AppTest):
    button(app, "save_favourite").click().run()
    assert "Give the favourite a name" in all_text(app)


def test_the_forecast_learns_from_past_runs(app: AppTest, work: Work):
    assert "the first run will tell" in all_text(app)
    button(app, "start").click().run()
    work(ScriptedTeacher(lambda number, options: story(options.seed)))
    app.run()
    assert "going by your last runs" in all_text(app)


def test_a_silent_worker_is_said_and_the_run_is_not_given_up(app: AppTest):
    button(app, "start").click().run()
    with db.session() as session:
        row = sessions.latest(session, "default")
        assert row is not None
        row.status, row.heartbeat_at = RunStatus.running, now() - timedelta(minutes=5)
        session.add(row)
    app.run()
    assert "The run is held up" in all_text(app)
    assert not button(app, "stop").disabled
