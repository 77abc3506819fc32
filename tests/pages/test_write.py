"""The page Write: what it says in every state, what its buttons do, and that nobody's words are lost."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from tests.pages import conftest
from tests.support import fine_tuned, takes
from tests.support.takes import CONTEXT, TEXT, WRITER
from zega_core import db, writing
from zega_core.store import writing_choices
from zega_core.tables import Example, ExampleStatus, Story
from zega_core.writing_tables import Take, TakeState, Writing

HOSTILE = "<b>bold</b> <script>alert(1)</script> :red[x] **stars** $5 [link](https://example.org) # " + "w" * 300
BRIEF = "A lighthouse keeper finds a light that answers"


def all_text(app: AppTest) -> str:
    """Everything a reader finds on the page, without the marks that keep Markdown from reading it."""
    return conftest.all_text(app).replace("\\", "")


@pytest.fixture
def page(app: AppTest):
    """Draw the page as it stands now, or with this writing open."""

    def draw(key: str = "", **more: str) -> AppTest:
        if key:
            app.query_params["writing"] = key
        for name, value in more.items():
            app.query_params[name] = value
        app.switch_page("pages/write.py").run()
        return whole(app)

    return draw


def whole(app: AppTest) -> AppTest:
    assert not app.exception
    assert "could not be drawn" not in all_text(app)
    assert "cannot be shown" not in all_text(app)
    return app


def rows(kind: type) -> list[Any]:
    with db.reading() as session:
        return list(session.exec(select(kind).order_by(col(kind.id))))  # type: ignore[attr-defined]


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def ended(app: AppTest) -> AppTest:
    """When what was begun has been written."""
    writing.wait(rows(Writing)[-1].key, 60)
    return whole(app.run())


def write(app: AppTest, brief: str = BRIEF, author: str = "storyteller") -> AppTest:
    app.selectbox(key="write-first").set_value(author)
    app.text_area(key="write-brief").set_value(brief)
    app.button(key="write-now").click().run()
    return ended(whole(app))


def test_a_first_visit_says_who_writes_and_what_will_be_here(page: Any):
    app = page()
    text = all_text(app)
    assert "You have no trained version yet: the base model writes." in text
    assert "What you have written stays here" in text
    assert app.selectbox(key="write-first").value == "custom"
    assert not app.button(key="write-now").disabled


def test_a_version_in_use_is_who_writes(page: Any):
    fine_tuned.version(3)
    fine_tuned.promote(3)
    assert "v3" in page().selectbox(key="write-first").format_func("custom")


def test_a_brief_becomes_a_text_that_a_second_visit_shows(page: Any, app: AppTest):
    write(page())
    (take,) = rows(Take)
    assert (take.state, take.asked) == (TakeState.done, "storyteller")
    assert take.text in [one.value for one in app.text]
    (row,) = rows(Writing)
    other = AppTest.from_file(app._script_path, default_timeout=30).run()
    other.query_params["writing"] = row.key
    other.switch_page("pages/write.py").run()
    assert take.text in [one.value for one in other.text]
    assert other.text_area(key="write-brief").value == BRIEF


def test_genre_and_element_alone_are_enough(page: Any):
    app = page()
    app.selectbox(key="write-first").set_value("storyteller")
    app.button_group(key="genre").set_value("horror")
    app.button_group(key="element").set_value("dialogue")
    app.button(key="write-now").click().run()
    ended(app)
    (row,) = rows(Writing)
    assert (row.genre, row.element) == ("horror", "dialogue")
    assert rows(Take)[0].text


def test_nothing_to_write_about_is_said_and_stores_nothing(page: Any):
    app = page()
    app.button(key="write-now").click().run()
    assert "There is nothing to write about." in all_text(whole(app))
    assert rows(Writing) == []


def test_a_brief_that_is_far_too_long_is_refused_and_kept(page: Any):
    app = page()
    app.text_area(key="write-brief").set_value("x" * 100_000)
    app.button(key="write-now").click().run()
    assert "A brief can have 20,000 characters" in all_text(whole(app))
    assert app.text_area(key="write-brief").value == "x" * 100_000
    assert rows(Writing) == []


def test_a_text_to_go_on_with_is_asked_for(page: Any):
    app = page()
    app.button_group(key="task").set_value("continue").run()
    app.button(key="write-now").click().run()
    assert "There is no text to work on yet." in all_text(whole(app))
    app.text_area(key="write-given").set_value("The door was open.")
    app.selectbox(key="write-first").set_value("base")
    app.button_group(key="task").set_value("write").run()
    app.button_group(key="task").set_value("continue").run()
    assert app.text_area(key="write-given").value == "The door was open."


def test_how_it_writes_is_kept_for_the_next_visit(page: Any):
    app = page()
    app.slider(key="write-words").set_value(400).run()
    app.slider(key="write-temperature").set_value(1.2).run()
    app.toggle(key="write-hints").set_value(False).run()
    app.toggle(key="write-recall").set_value(False).run()
    with db.reading() as session:
        config = writing_choices.load(session, WRITER)
    assert (config.words, config.temperature, config.hints, config.recall) == (400, 1.2, False, False)
    assert "Up to 400 words · daring 1.2 · no hints · no memory" in all_text(app)


def test_four_stars_keep_it_as_an_example_and_one_takes_that_back(page: Any):
    app = write(page())
    stars = f"stars-{rows(Take)[0].id}"
    app.feedback(key=stars).set_value(3).run()
    assert "Kept as an example: your next version learns from it." in all_text(whole(app))
    (example,) = rows(Example)
    assert (example.status, example.completion) == (ExampleStatus.kept, rows(Take)[0].text)
    app.feedback(key=stars).set_value(0).run()
    assert "It is no example any more" in all_text(whole(app))
    assert [row.status for row in rows(Example) if row.status == ExampleStatus.kept] == []
    assert rows(Take)[0].rating == 1


def test_keep_and_take_back(page: Any):
    app = write(page())
    identity = rows(Take)[0].id
    app.button(key=f"keep-{identity}").click().run()
    assert "Kept as an example: your next version learns from it." in all_text(whole(app))
    assert [row.status for row in rows(Example)] == [ExampleStatus.kept]
    app.button(key=f"unkeep-{identity}").click().run()
    assert "It is no example any more" in all_text(whole(app))
    assert f"keep-{identity}" in [button.key for button in app.button]


def test_an_edit_in_place_keeps_what_the_model_wrote_beside_it(page: Any):
    app = write(page())
    before = rows(Take)[0]
    app.button(key=f"edit-{before.id}").click().run()
    assert app.text_area(key=f"edit-take-{before.id}").value == before.text
    changed = f"{before.text} Nobody had asked the sea."
    app.text_area(key=f"edit-take-{before.id}").set_value(changed)
    app.button(key=f"save-take-{before.id}").click().run()
    after = rows(Take)[0]
    assert (after.text, after.original) == (changed, before.text)
    shown = [one.value for one in whole(app).text]
    assert changed in shown
    assert before.text in shown
    assert "Changed by you" in all_text(app)


def test_leaving_an_edit_changes_nothing(page: Any):
    row = takes.writing()
    app, take = page(row.key), rows(Take)[0]
    app.button(key=f"edit-{take.id}").click().run()
    app.text_area(key=f"edit-take-{take.id}").set_value("Something else")
    app.button(key=f"leave-take-{take.id}").click().run()
    assert rows(Take)[0].text == TEXT
    assert TEXT in [one.value for one in whole(app).text]


def test_a_text_goes_on_the_shelf_with_its_title(page: Any):
    app = write(page())
    take = rows(Take)[0]
    app.text_input(key=f"title-{take.id}").set_value("The lamp")
    app.button(key=f"save-story-{take.id}").click().run()
    (story,) = rows(Story)
    assert (story.title, story.body) == ("The lamp", take.text)
    assert "It stands on your shelf" in all_text(whole(app))
    app.button(key=f"to-story-{take.id}").click().run()
    assert "Back to your stories" in [button.label for button in whole(app).button]
    assert take.text in [one.value for one in app.text]


def test_writing_again_keeps_what_is_there(page: Any):
    app = write(page())
    app.button(key="write-again").click().run()
    ended(app)
    first, second = rows(Take)
    assert second.number == 2
    shown = [one.value for one in app.text]
    assert second.text in shown
    app.query_params["take"] = "1"
    app.session_state["take"] = None
    assert first.text in [one.value for one in whole(app.run()).text]


def test_going_on_from_a_text_puts_it_into_the_form(page: Any):
    row = takes.writing(genre="horror", element="scene")
    app, take = page(row.key), rows(Take)[0]
    app.button(key=f"go-on-{take.id}").click().run()
    assert app.button_group(key="task").value == "continue"
    assert app.button_group(key="genre").value == "horror"
    assert whole(app).text_area(key="write-given").value == TEXT


def test_a_blind_pair_has_no_names_until_one_is_chosen(page: Any):
    pair = {"pair": 1, "blind": True}
    row = takes.writing(
        takes=[
            pair | {"label": "Your model · v1", "context": CONTEXT, "note": "You have no version."},
            pair | {"label": "Base model", "text": "The other text, which nobody had expected."},
        ]
    )
    app = page(row.key)
    text = all_text(app)
    assert "Which do you like better?" in text
    assert "Your model · v1" not in text
    assert "You have no version." not in text
    assert not any(button.key and button.key.startswith("edit-") for button in app.button)
    first, second = rows(Take)
    app.button(key=f"choose-{second.id}").click().run()
    assert [row.chosen for row in rows(Take)] == [False, True]
    text = all_text(whole(app))
    assert "v1" in text
    assert text.count("You liked this one better") == 1
    assert f"edit-{first.id}" in [button.key for button in app.button]


def test_a_blind_pair_has_no_names_while_it_is_being_written(page: Any):
    pair = {"pair": 1, "blind": True, "note": "Model A is being loaded."}
    row = takes.writing(
        takes=[pair | {"label": "Model A"}, pair | {"label": "Model B", "state": TakeState.writing, "text": ""}]
    )
    app = page(row.key)
    assert TEXT in [one.value for one in app.text]
    assert "Model A" not in all_text(app)
    assert "Model B" not in all_text(app)
    assert not any(button.key and button.key.startswith(("choose-", "edit-")) for button in app.button)


def test_a_story_that_was_deleted_meanwhile_stops_nobody(page: Any):
    app = page()
    app.session_state["write-story"] = 4711
    app.button_group(key="task").set_value("continue").run()
    app.text_area(key="write-given").set_value("The door was open.")
    app.selectbox(key="write-first").set_value("storyteller")
    app.button(key="write-now").click().run()
    ended(app)
    assert [(row.given, row.story_id) for row in rows(Writing)] == [("The door was open.", None)]


def test_two_side_by_side_are_asked_for(page: Any):
    app = page()
    app.toggle(key="write-pair").set_value(True).run()
    app.toggle(key="write-blind").set_value(True)
    app.selectbox(key="write-first").set_value("storyteller")
    app.selectbox(key="write-second").set_value("storyteller")
    app.text_area(key="write-brief").set_value(BRIEF)
    app.button(key="write-now").click().run()
    ended(app)
    assert [(take.pair > 0, take.blind) for take in rows(Take)] == [(True, True)] * 2


def test_what_a_text_was_given_can_be_read(page: Any):
    row = takes.writing(takes=[{"context": CONTEXT}])
    app = page(row.key)
    text = all_text(app)
    for part in ("Keep the sentences long.", "Your answer of 3 March", "The tide came in like a debt."):
        assert part in text
    assert "Your brief is longer than this model can read at once" in text
    assert "There was no room for 1 more text like it." in text
    assert CONTEXT["messages"][0]["content"] in [one.value for one in app.text]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"state": TakeState.failed, "text": "", "error": "The model's files are gone."},
            "The model's files are gone.",
        ),
        ({"state": TakeState.stopped}, "Stopped."),
        ({"state": TakeState.stopped, "text": ""}, "Stopped."),
        ({"cut": True}, "It was cut off at the length you asked for"),
        ({"note": "The base model writes."}, "The base model writes."),
        ({"context": {"hints": 3, "recalled": "x", "left_out": None, "no_room": 7}}, "Nothing was recalled."),
    ],
)
def test_every_end_is_said(page: Any, values: dict[str, Any], said: str):
    row = takes.writing(takes=[values])
    assert said in all_text(page(row.key))


def test_a_text_that_is_being_written_can_be_stopped(page: Any):
    row = takes.writing(takes=[{"state": TakeState.writing, "text": "The keeper"}])
    app = page(row.key)
    assert "The keeper" in [one.value for one in app.text]
    assert app.button(key="write-now").disabled
    assert "Stop" in labels(app)
    app.button(key="stop-writing").click().run()
    whole(app)
    assert [(take.state, take.text) for take in rows(Take)] == [(TakeState.stopped, "The keeper")]
    assert "Keep as example" in labels(app.run())


def test_a_second_press_of_the_button_asks_for_nothing_while_the_first_is_answered(
    page: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writing.Job, "start", lambda job: None)
    app = page()
    app.selectbox(key="write-first").set_value("storyteller")
    app.text_area(key="write-brief").set_value(BRIEF)
    app.button(key="write-now").click().run()
    (row,) = rows(Writing)

    def pressed() -> None:
        """From a form that was drawn before the answer: a double click leaves the browser that early."""
        app.query_params.clear()
        app.run().button(key="write-now").click().run()

    pressed()
    assert len(rows(Writing)) == 1
    assert app.query_params["writing"] in (row.key, [row.key])
    with db.session() as session:
        session.get_one(Take, rows(Take)[0].id).state = TakeState.done
    pressed()
    assert [one.brief for one in rows(Writing)] == [BRIEF, BRIEF]


def test_before_the_first_word_it_says_what_is_waited_for(page: Any):
    row = takes.writing(takes=[{"state": TakeState.writing, "text": ""}])
    assert "The first time takes some seconds." in all_text(page(row.key))


def test_hostile_words_are_text_everywhere(page: Any):
    context = {
        "hints": [HOSTILE],
        "recalled": [{"text": HOSTILE, "from_": HOSTILE}],
        "left_out": [HOSTILE],
        "no_room": [HOSTILE],
        "messages": [{"role": "user", "content": HOSTILE}],
    }
    row = takes.writing(
        HOSTILE,
        given=HOSTILE,
        task="continue",
        genre="western",
        element="limerick",
        takes=[{"text": HOSTILE, "label": "<b>:red[x]</b>", "note": HOSTILE, "original": HOSTILE, "context": context}],
    )
    app = page(row.key)
    assert [one.value for one in app.text].count(HOSTILE) >= 6
    for element in (*app.markdown, *app.caption, *app.header):
        assert ":red[x]" not in str(element.value)
        assert "**stars**" not in str(element.value)
        assert "<b>" not in str(element.value)
    assert not any(":red[x]" in button.label for button in app.button)


def test_another_writers_text_is_as_missing_as_one_that_never_was(page: Any, app: AppTest):
    row = takes.writing("Ana's secret", writer="ana", takes=[{"text": "Nobody else reads this."}])
    text = all_text(page(row.key))
    assert "This writing is not there" in text
    assert "Nobody else reads this." not in text
    assert "secret" not in text
    assert "This writing is not there" in all_text(page("f" * 32))


def test_what_was_written_before_can_be_gone_back_to_and_deleted(page: Any):
    takes.writing("The first of them", takes=[{"text": "One text."}])
    row = takes.writing("The second of them", takes=[{"text": "Another text."}])
    app = page()
    app.button(key=f"writing-{row.key}").click().run()
    assert "Another text." in [one.value for one in whole(app).text]
    app.button(key="leave-writing").click().run()
    assert "Another text." not in [one.value for one in whole(app).text]
    with db.session() as session:
        writing.delete(session, WRITER, row.key)
    assert "The second of them" not in labels(whole(app.run()))
    assert "The first of them" in labels(app)


def test_hostile_addresses_are_no_harm(page: Any):
    row = takes.writing(takes=[{}, {"text": "The second."}])
    app = page(row.key, take="99999", genre="<b>", element="zz", task="burn")
    assert "The second." in [one.value for one in app.text]
