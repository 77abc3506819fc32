"""The Fine-Tune page in every state: what it says, what its buttons do."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Text

from tests.pages.conftest import all_text
from tests.support import fine_tuned
from tests.support.fine_tuned import METRICS, keep, promote, run, version
from zega_core import db, versions
from zega_core.configs import FineTuneConfig
from zega_core.errors import ProviderUnavailable
from zega_core.jobs import client
from zega_core.local import models
from zega_core.providers.base import GenerationOptions, Message
from zega_core.settings import Settings
from zega_core.store import fine_tunes
from zega_core.store import versions as stored
from zega_core.tables import Example, RunStatus, now
from zega_core.version_tables import FineTune, FineTuning

HOSTILE = "<b>bold</b> :red[x] **stars** $5 [link](https://example.org) # " + "w" * 300


@pytest.fixture
def page(app: AppTest):
    """Draw the page as it stands now."""

    def draw() -> AppTest:
        app.switch_page("pages/fine_tune.py").run()
        assert not app.exception
        assert "could not be drawn" not in all_text(app)
        assert "cannot be shown just now" not in all_text(app)
        return app

    return draw


def runs() -> list[FineTune]:
    with db.reading() as session:
        return fine_tunes.recent(session, fine_tuned.WRITER, 10)


def chosen() -> FineTuneConfig:
    with db.reading() as session:
        return fine_tunes.load_config(session, fine_tuned.WRITER)


def in_use() -> int | None:
    with db.reading() as session:
        found = stored.promoted(session, fine_tuned.WRITER)
    return None if found is None else found.number


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def bars(app: AppTest) -> list[str]:
    return [bar.text for bar in app.get("progress")]  # type: ignore[attr-defined]


def has(app: AppTest, key: str) -> bool:
    return any(button.key == key for button in app.button)


def test_without_an_example_it_says_what_is_missing(page: Any):
    app = page()
    assert "No kept examples yet" in all_text(app)
    assert "0 of 50 until the next fine-tune." in bars(app)
    assert not has(app, "start")
    assert [link.label for link in app.get("page_link")][-1] == "Write with Auto-Train"


def test_with_too_few_it_counts_what_is_missing(page: Any):
    keep(8)
    app = page()
    assert "Not enough to learn from yet" in all_text(app)
    assert "7 more" in all_text(app)
    assert "8 of 50 until the next fine-tune." in bars(app)
    assert not has(app, "start")


def test_ready_says_what_it_will_learn_from(page: Any):
    keep(54, own=12)
    app = page()
    text = all_text(app)
    assert [metric.value for metric in app.metric][:1] == ["54"]
    assert "Your own pages: 12 examples" in text
    assert "each counts twice" in text
    assert "Teachers' pieces: 42 examples" in text
    assert "18 score 9 or more and count twice; 18 score 8 or more and count one and a half times" in text
    assert "minute" in text
    assert "on this machine" in text
    assert not app.button(key="start").disabled
    assert "54 new: the next fine-tune begins by itself." in bars(app)


def test_the_button_queues_one_fine_tune_even_when_pressed_in_two_tabs(page: Any, app: AppTest):
    keep(20)
    page()
    other = AppTest.from_file(app._script_path, default_timeout=30).run()
    other.switch_page("pages/fine_tune.py").run()
    app.button(key="start").click().run()
    other.button(key="start").click().run()
    (row,) = runs()
    assert (row.status, row.trigger, row.kept_before) == (RunStatus.queued, "writer", 20)
    assert "Waiting for the worker" in all_text(app)
    assert "Waiting for the worker" in all_text(other)


def test_automatic_is_switched_and_kept(page: Any):
    keep(23)
    app = page()
    assert "23 of 50 until the next fine-tune." in bars(app)
    app.toggle(key="tune-automatic").set_value(False).run()
    assert not chosen().automatic
    assert "23 new since the last fine-tune; automatic fine-tunes are off." in bars(app)


def test_advanced_choices_are_saved_at_once_and_taken_back(page: Any):
    keep(20)
    app = page()
    app.number_input(key="tune-rank").set_value(8).run()
    app.number_input(key="tune-learning_rate").set_value(0.0005).run()
    app.number_input(key="tune-strength").set_value(0.25).run()
    app.number_input(key="tune-seed").set_value(7).run()
    app.selectbox(key="tune-start").set_value("base").run()
    app.number_input(key="tune-every").set_value(30).run()
    assert "20 of 30 until the next fine-tune." in bars(app)
    assert chosen() == FineTuneConfig(rank=8, learning_rate=0.0005, strength=0.25, seed=7, start="base", every=30)
    app.button(key="tune-back").click().run()
    assert chosen() == FineTuneConfig(every=30)
    assert app.number_input(key="tune-rank").value is None
    assert app.number_input(key="tune-strength").value is None
    assert app.number_input(key="tune-seed").value is None
    assert app.selectbox(key="tune-start").value == "auto"
    assert not has(app, "tune-back")


def test_an_emptied_field_is_zegas_choice_again(page: Any):
    keep(20)
    app = page()
    app.number_input(key="tune-epochs").set_value(3).run()
    app.number_input(key="tune-epochs").set_value(None).run()
    assert chosen().epochs is None
    app.number_input(key="tune-seed").set_value(None).run()
    assert chosen().seed == 1


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("tune-rank", 0, "The rank is a whole number from 1 to 256."),
        ("tune-epochs", 101, "Rounds are a whole number from 1 to 100."),
        ("tune-learning_rate", -1.0, "The learning rate is above 0 and at most 0.1."),
        ("tune-max_length", 10, "A window has a whole number of tokens from 64 to 4,096."),
        ("tune-strength", 1.2, "The strength is from 0.05 to 1."),
        ("tune-strength", 0.0, "The strength is from 0.05 to 1."),
        ("tune-every", 0, "That is a whole number from 1 to 100,000."),
    ],
)
def test_wrong_input_gets_a_sentence_and_changes_nothing(page: Any, key: str, value: float, said: str):
    keep(20)
    app = page()
    app.number_input(key=key).set_value(value).run()
    drawn = list(app.main)
    field = next(at for at, one in enumerate(drawn) if getattr(one, "key", None) == key)
    assert said in " ".join(str(one.value) for one in drawn[field : field + 5] if isinstance(one, Text))  # right below
    assert chosen() == FineTuneConfig()
    assert app.number_input(key=key).value is None


def test_a_name_that_names_no_model_is_refused(page: Any):
    keep(20)
    app = page()
    app.text_input(key="tune-base").set_value("bad\x07name").run()
    assert "names no model" in all_text(app)
    assert chosen().base == ""


def test_what_waits_can_be_taken_back(page: Any):
    keep(20)
    first, second = run(RunStatus.running, step=5), run(RunStatus.queued)
    app = page()
    assert "Another one waits" in all_text(app)
    app.button(key=f"take-back-{second.run_id}").click().run()
    assert {row.run_id: row.status for row in runs()} == {
        first.run_id: RunStatus.running,
        second.run_id: RunStatus.stopped,
    }
    assert "Another one waits" not in all_text(app)


def test_learning_shows_phase_step_pace_and_time_left(page: Any):
    run(RunStatus.running, step=25)
    app = page()
    assert "Learning" in [header.value for header in app.header]
    assert "Step 25 of 60 · 1,234 tokens a second · about 2 minutes left" in bars(app)
    assert "nats a token" in all_text(app)
    assert "You can close this page" in all_text(app)
    assert not has(app, "start")


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        ("preparing", "Preparing your examples"),
        ("measuring", "Measuring it on texts that it has never seen"),
        ("saving", "Saving the new version"),
        ("a phase of tomorrow", "Beginning"),
    ],
)
def test_every_phase_has_its_words(page: Any, phase: str, said: str):
    run(RunStatus.running, phase=phase)
    assert said in [header.value for header in page().header]


def test_stop_is_asked_for_once_and_said(page: Any):
    row = run(RunStatus.running, step=25)
    app = page()
    app.button(key="stop").click().run()
    assert [one.status for one in runs()] == [RunStatus.stopping]
    assert app.button(key="stop").disabled
    assert "Stopping" in [header.value for header in app.header]
    assert runs()[0].run_id == row.run_id


def test_a_silent_worker_is_said(page: Any):
    run(RunStatus.running, step=25, heartbeat_at=now() - timedelta(minutes=5))
    assert "The fine-tune is held up" in all_text(page())


def test_one_that_failed_says_why_and_goes_on_at_a_press(page: Any):
    keep(20)
    run(RunStatus.failed, step=25, error="The disk is full. Free some space, then press Continue.")
    app = page()
    text = all_text(app)
    assert "It made no version" in text
    assert "The disk is full. Free some space, then press Continue." in text
    app.button(key="continue").click().run()
    assert [(row.status, row.attempt) for row in runs()] == [(RunStatus.queued, 2)]


def test_one_stopped_before_it_learned_anything(page: Any):
    keep(20)
    run(RunStatus.stopped)
    app = page()
    assert "You stopped it before it had learned anything worth keeping." in all_text(app)
    assert has(app, "continue")
    assert not app.button(key="start").disabled


def test_a_version_in_use_says_what_was_measured_and_no_more(page: Any):
    keep(20)
    version(3)
    promote(3)
    app = page()
    text = all_text(app)
    assert "v3 is in use: zega-default writes with it." in text
    assert (
        "On 6 texts of your own that it has never seen, perplexity fell from 38 to 22: it is less surprised by your "
        "writing. That alone does not show that it writes better. So few texts give a hint, no proof." in text
    )
    assert "It learned from 53 examples, with 32% of the words your own, in 2 min 05 s." in text
    assert not has(app, "continue")
    assert not has(app, "use-result")


def test_a_version_that_is_not_in_use_says_why_and_can_be_used(page: Any):
    keep(20)
    version(1)
    promote(1)
    version(2, metrics=METRICS | {"perplexity_before": 22.0, "perplexity_after": 24.0}, parent=1)
    with db.session() as session:
        row = session.exec(select(FineTune).where(FineTune.version_number == 2)).one()
        row.notes = ["It is not put in use, because it measured worse than v1."]
        session.add(row)
    app = page()
    text = all_text(app)
    assert "v2 is not in use: zega-default still writes with v1." in text
    assert "It is not put in use, because it measured worse than v1." in text
    assert "perplexity rose from 22 to 24: it is more surprised by your writing than before." in text
    app.button(key="use-result").click().run()
    assert in_use() == 2


def test_rolling_back_and_the_base_model(page: Any):
    for number in (1, 2):
        version(number)
        promote(number)
    app = page()
    app.button(key="roll-back").click().run()
    assert in_use() == 1
    assert "**zega\\-default** writes with **v1**." in all_text(app)
    app.button(key="use-2").click().run()
    app.button(key="use-base").click().run()
    assert in_use() is None


def test_a_choice_made_meanwhile_in_another_window_is_not_overruled(page: Any):
    for number in (1, 2, 3):
        version(number)
    app = page()
    promote(2)
    app.button(key="use-3").click().run()
    assert in_use() == 2
    assert "Meanwhile v2 was put in use." in all_text(app)


def test_a_version_is_renamed(page: Any):
    version(1)
    app = page()
    app.text_input(key="name-1").set_value("autumn *letters*").run()
    with db.reading() as session:
        assert stored.get(session, fine_tuned.WRITER, 1).name == "autumn *letters*"
    assert "autumn \\*letters\\*" in all_text(app)
    app.text_input(key="name-1").set_value("unseen\u200b").run()
    assert "A name has at most 60 characters, all of them visible." in all_text(app)
    assert app.text_input(key="name-1").value == "autumn *letters*"


def test_a_version_is_deleted_after_a_question_and_the_one_in_use_is_not(page: Any, config: Settings):
    version(1)
    version(2)
    promote(2)
    app = page()
    assert not has(app, "delete-2")
    app.button(key="delete-1").click().run()
    assert "v1 and its files are deleted from this machine." in all_text(app)
    assert [number(row) for row in all_versions()] == [2, 1]
    app.button(key="delete-now").click().run()
    assert [number(row) for row in all_versions()] == [2]
    assert not versions.folder_of(config, fine_tuned.WRITER, 1).exists()


def number(row: Any) -> int:
    return row.number


def all_versions() -> list[Any]:
    with db.reading() as session:
        return stored.all_of(session, fine_tuned.WRITER)


def test_the_last_version_can_be_deleted_and_the_page_says_so(page: Any):
    keep(20)
    version(1)
    app = page()
    app.button(key="delete-1").click().run()
    app.button(key="delete-now").click().run()
    assert not all_versions()
    assert "It made v1, which has been deleted since." in all_text(page())


def test_files_that_are_gone_are_a_sentence(page: Any, config: Settings):
    version(1)
    (versions.folder_of(config, fine_tuned.WRITER, 1) / "adapter_model.safetensors").unlink()
    app = page()
    app.button(key="use-1").click().run()
    assert in_use() is None
    assert "The files of v1 are not in" in all_text(app)


def test_two_versions_are_compared(page: Any):
    version(1)
    version(2, settings={"rank": 32, "learning_rate": 0.001}, data_hash="e" * 64)
    app = page()
    assert "perplexities cannot be compared" in all_text(app)
    frame = app.dataframe[0].value
    found = dict(zip(frame["What"], zip(frame["v1"], frame["v2"], strict=True), strict=True))
    assert found["Rank"] == ("16", "32")
    assert found["Examples"] == ("51", "52")
    assert "Learning rate" not in found
    app.toggle(key="compare-all").set_value(True).run()
    assert "Learning rate" in list(app.dataframe[0].value["What"])
    app.selectbox(key="compare-first").set_value(2).run()
    assert "Choose two different versions." in all_text(app)


def test_earlier_versions_are_folded_away_a_page_at_a_time(page: Any):
    for one in range(1, 24):
        version(one)
    app = page()
    assert "Earlier versions (21)" in [one.label for one in app.expander]
    assert [one for one in labels(app) if one.startswith("Use v")] == [
        f"Use v{one}"
        for one in (23, 23, 22, 21, 20, 19, 18, 17)  # the result's own, the newest two, a page of five
    ]
    app.get("pagination")[0].set_value(5).run()
    assert has(app, "use-23")
    assert not has(app, "use-17")
    assert has(app, "use-1")


def test_the_version_in_use_is_never_folded_away(page: Any):
    for one in range(1, 6):
        version(one)
    promote(2)
    app = page()
    (earlier,) = [one for one in app.expander if one.label == "Earlier versions (2)"]
    inside = {button.key for button in earlier.button}
    assert {"use-3", "use-1"} <= inside
    assert not {"use-5", "use-4", "prove-versions-2"} & inside


def test_what_it_will_learn_from_is_folded_below_the_last_result_with_what_to_mind_in_sight(page: Any):
    keep(54, own=3)
    version(1)
    app = page()
    (folded,) = [one for one in app.expander if one.label == "Whose words, how good, of which genres"]
    assert [one.label for one in folded.metric] == ["Examples", "Own words", "Quality"]
    assert not [one for one in folded.markdown if "balance" in one.value]
    assert [one for one in app.markdown if "balance" in one.value]


def test_another_writers_fine_tunes_and_versions_are_not_shown(page: Any):
    keep(20, writer="ben")
    version(1, writer="ben")
    run(RunStatus.running, step=5, writer="ben")
    app = page()
    assert "No kept examples yet" in all_text(app)
    assert not has(app, "use-1")


def test_hostile_texts_are_shown_as_they_are(page: Any):
    keep(20)
    version(1, name=HOSTILE, base=HOSTILE)
    version(2, name=HOSTILE, parent=1)
    run(RunStatus.failed, step=2, error=HOSTILE, notes=[HOSTILE, "\u202ereversed"])
    app = page()
    assert any(text.value == HOSTILE for text in app.text)
    for element in [*app.markdown, *app.caption]:
        assert "<b>bold" not in element.value
        assert " :red[x]" not in element.value
        assert "[link](" not in element.value


@pytest.mark.parametrize("wrong", [[], "text", 7, None, {"perplexity_before": "NaN", "perplexity_after": []}])
def test_wrong_json_in_rows_breaks_nothing(page: Any, wrong: Any):
    keep(20)
    version(1, metrics=wrong if wrong is not None else {}, settings=wrong if wrong is not None else {})
    version(2)
    promote(1)
    run(RunStatus.failed, step=3, plan=wrong, data=wrong, notes=wrong if wrong is not None else [])
    with db.session() as session:
        session.add(FineTuning(user_id=fine_tuned.WRITER, config={"rank": "many"}))
    app = page()
    assert "perplexity not measured" in all_text(app)
    assert not app.toggle(key="tune-automatic").value


def test_a_status_of_another_version_of_zega_is_no_error(page: Any):
    keep(20)
    run("paused", step=3)
    assert "It made no version." in all_text(page())


def test_a_fine_tune_without_steps_yet_is_no_error(page: Any):
    run(RunStatus.running, steps=0, step=0, data=["?"], phase="training", tokens_per_second=-1.0)
    app = page()
    assert "Nothing has been learned yet" in bars(app)


def test_what_is_started_elsewhere_is_found_at_the_next_look(page: Any):
    keep(20)
    page()
    client.fine_tune(fine_tuned.WRITER, trigger="automatic")
    app = page()
    assert "ZEGA started it, because 20 new examples were kept." in all_text(app)


class Students:
    """In the place of ``local.models.student``."""

    def __init__(self) -> None:
        self.asked: list[tuple[int | None, str, str, GenerationOptions]] = []
        self.text = "The ferry left early."
        self.error: Exception | None = None

    def student(self, settings: Settings, writer: str, number: int | None, base: str = "", *, waiting: Any) -> Any:
        assert writer == fine_tuned.WRITER
        waiting("Starting the process that writes.")
        return _Student(self, number, base)


class _Student:
    def __init__(self, students: Students, number: int | None, base: str) -> None:
        self.students, self.number, self.base = students, number, base

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, None]:
        self.students.asked.append((self.number, self.base, messages[0].content, options))
        yield from self.students.text
        if self.students.error is not None:
            raise self.students.error


@pytest.fixture
def students(monkeypatch: pytest.MonkeyPatch) -> Students:
    found = Students()
    monkeypatch.setattr(models, "student", found.student)
    return found


def write(app: AppTest) -> None:
    app.button(key="try-write").click().run()
    app.session_state["trial"].wait(10)
    app.run()


def test_without_a_version_there_is_nothing_to_try(page: Any):
    keep(20)
    assert not has(page(), "try-write")


def test_the_base_and_the_version_in_use_write_side_by_side(page: Any, students: Students):
    version(1)
    version(2)
    promote(1)
    app = page()
    write(app)
    assert [(number, base) for number, base, _, _ in students.asked] == [(None, ""), (1, "")]
    (_, _, asked, options), (_, _, same, as_well) = students.asked
    assert asked == same
    assert (options.seed, options.temperature, options.max_tokens) == (
        as_well.seed,
        as_well.temperature,
        as_well.max_tokens,
    )
    assert "Prompt: " in asked
    assert [text.value for text in app.text].count("The ferry left early.") == 2
    assert "Written in " in all_text(app)
    with db.reading() as session:
        assert not session.exec(select(Example)).all()


def test_any_two_write_on_the_writers_own_words(page: Any, students: Students):
    version(1)
    version(2, base="/models/other")
    students.text = HOSTILE
    app = page()
    app.selectbox(key="try-first").set_value("v1").run()
    app.selectbox(key="try-second").set_value("v2").run()
    app.selectbox(key="try-prompt").set_value("").run()
    assert app.button(key="try-write").disabled
    app.text_area(key="try-own").set_value("  Write about *my* street.  ").run()
    app.slider(key="try-temperature").set_value(0.0).run()
    app.number_input(key="try-seed").set_value(9).run()
    write(app)
    assert [(number, base, asked) for number, base, asked, _ in students.asked] == [
        (1, "", "Write about *my* street."),
        (2, "/models/other", "Write about *my* street."),
    ]
    assert (students.asked[0][3].temperature, students.asked[0][3].seed) == (0.0, 9)
    assert [text.value for text in app.text].count(HOSTILE) == 2


def test_a_model_that_cannot_write_says_why(page: Any, students: Students):
    version(1)
    students.error = ProviderUnavailable("v1's file adapter_model.safetensors is damaged. Delete v1.")
    app = page()
    write(app)
    assert "v1's file adapter_model.safetensors is damaged. Delete v1." in all_text(app)
    assert not app.button(key="try-write").disabled


def test_what_was_tried_is_not_shown_to_another_writer(page: Any, students: Students):
    version(1)
    version(1, writer="ben")
    app = page()
    write(app)
    app.selectbox(key="writer_id").set_value("ben").run()
    assert has(app, "try-write")
    assert "The ferry left early." not in all_text(app)


def test_a_base_model_that_is_not_here_is_said_and_may_be_fetched(page: Any):
    keep(20)
    app = page()
    app.text_input(key="tune-base").set_value("/no/such/folder").run()
    assert "There is no folder /no/such/folder." in all_text(app)
    assert chosen().base == "/no/such/folder"
    assert not app.button(key="start").disabled
