"""Conversation as a writer uses it: from Start over answers to changing them."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text as marked_up
from tests.support import fine_tuned
from zega_core import collection, conversation, db
from zega_core.conversation_tables import Conversation, Turn, TurnState
from zega_core.jobs import client
from zega_core.settings import Settings
from zega_core.store import conversations, fine_tunes, writers
from zega_core.tables import Example, ExampleStatus, RunStatus

PAGE = "pages/conversational_trainer.py"
HARBOUR = (
    "First the ropes, complaining. Then a cough, a lantern, the slap of something that had been alive an hour ago. "
    "You could hear the tide thinking it over, and nobody on the quay was in a hurry to be seen there."
)
STAIRS = (
    "My aunt counted the stairs aloud whenever she climbed them, and there was always one more than the night before. "
    "She never asked where it had come from. She only bought a longer carpet and told us to be polite to it."
)
LETTER = (
    "Dear Tom, the food is fine and so is the weather, and the man beside me has stopped asking for his mother. I have "
    "your gloves on as I write this. Keep the dog in at night. Do not come and look for me in the spring."
)


def all_text(app: AppTest) -> str:
    """What a reader finds, without the marks that keep text from being read as Markdown."""
    return marked_up(app).replace("\\", "")


def opened(app: AppTest, **query: str) -> AppTest:
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page(PAGE).run()


@pytest.fixture
def begun(app: AppTest) -> AppTest:
    opened(app).button(key="start-conversation").click().run()
    return app


def the_conversation(writer: str = "default") -> Conversation:
    with db.reading() as session:
        return conversations.of_writer(session, writer)[0]


def open_turn() -> Turn:
    with db.reading() as session:
        turn = conversations.open_turn(session, conversations.of_writer(session, "default")[0])
    assert turn is not None
    return turn


def answered() -> list[tuple[Turn, Example | None]]:
    with db.reading() as session:
        found = conversations.turns(session, "default", the_conversation().key, limit=100)
    return [pair for pair in found if pair[0].state == TurnState.answered]


def write(app: AppTest, text: str) -> AppTest:
    app.text_area(key=f"answer-{open_turn().id}").set_value(text).run()
    return app.button(key="save-answer").click().run()


def test_who_comes_first_is_told_how_it_goes_and_can_begin(app: AppTest):
    opened(app)
    assert "After 20 answers your model learns from them by itself" in all_text(app)
    app.text_area(key="purpose").set_value("cosy mysteries in a lighthouse village").run()
    app.button(key="start-conversation").click().run()
    assert not app.exception
    assert the_conversation().purpose == "cosy mysteries in a lighthouse village"
    assert open_turn().question in all_text(app)
    assert app.text_area(key=f"answer-{open_turn().id}").value == ""


def test_the_address_names_the_conversation(begun: AppTest):
    assert the_conversation().key in begun.query_params["conversation"]


def test_an_answer_is_saved_said_and_followed_by_the_next_question(begun: AppTest):
    first = open_turn()
    write(begun, HARBOUR)
    ((turn, example),) = answered()
    assert turn.id == first.id
    assert example is not None
    assert (example.completion, example.status) == (HARBOUR, ExampleStatus.kept)
    said = all_text(begun)
    assert "Saved, 1 of 20" in said
    assert HARBOUR in said
    assert open_turn().id != first.id
    assert open_turn().question in said
    assert begun.text_area(key=f"answer-{open_turn().id}").value == ""


@pytest.mark.parametrize("text", ["", "   \n", "x" * 20_001])
def test_what_cannot_be_an_answer_is_refused_and_stays_in_the_box(begun: AppTest, text: str):
    turn = open_turn()
    write(begun, text)
    assert not begun.exception
    assert "That could not be done" in "".join(one.value for one in begun.markdown)
    assert begun.text_area(key=f"answer-{turn.id}").value == text
    assert open_turn().id == turn.id


def test_a_draft_is_there_at_the_next_visit(begun: AppTest):
    turn = open_turn()
    begun.text_area(key=f"answer-{turn.id}").set_value("Half a sentence and").run()
    later = AppTest.from_file(begun._script_path, default_timeout=30).run()
    assert opened(later).text_area(key=f"answer-{turn.id}").value == "Half a sentence and"


def test_a_short_answer_is_saved_said_to_be_left_out_and_can_be_insisted_on(begun: AppTest):
    write(begun, "A quiet harbour.")
    ((turn, example),) = answered()
    assert example is not None
    assert example.status == ExampleStatus.set_aside
    assert "left out" in all_text(begun).lower()
    begun.button(key=f"insist-{turn.id}").click().run()
    ((_, example),) = answered()
    assert example is not None
    assert example.status == ExampleStatus.kept


def choose(app: AppTest, turn: Turn, what: str) -> AppTest:
    menu: Any = next(one for one in app.get("menu_button") if getattr(one, "key", "") == f"menu-{turn.id}")
    return menu.click(what).run()


def test_an_answer_is_changed_in_its_place(begun: AppTest):
    write(begun, HARBOUR)
    ((turn, _),) = answered()
    choose(begun, turn, "Edit")
    begun.text_area(key=f"edit-{turn.id}").set_value(STAIRS).run()
    begun.button(key=f"save-edit-{turn.id}").click().run()
    ((_, example),) = answered()
    assert example is not None
    assert (example.completion, example.original) == (STAIRS, HARBOUR)
    begun.button(key="undo-turn").click().run()
    ((_, example),) = answered()
    assert example is not None
    assert example.completion == HARBOUR


def test_a_change_can_be_left(begun: AppTest):
    write(begun, HARBOUR)
    ((turn, _),) = answered()
    choose(begun, turn, "Edit")
    begun.text_area(key=f"edit-{turn.id}").set_value(STAIRS).run()
    begun.button(key=f"leave-{turn.id}").click().run()
    assert HARBOUR in all_text(begun)
    assert not [one for one in begun.text_area if one.key == f"edit-{turn.id}"]


def test_the_same_words_saved_again_are_no_change_to_undo(begun: AppTest):
    write(begun, HARBOUR)
    ((turn, _),) = answered()
    choose(begun, turn, "Edit")
    begun.button(key=f"save-edit-{turn.id}").click().run()
    assert not [one for one in begun.button if one.key == "undo-turn"]
    assert len(answered()) == 1


def test_undo_takes_back_what_stands_beside_it_and_nothing_else(begun: AppTest, config: Settings):
    write(begun, HARBOUR)
    write(begun, STAIRS)
    (turn, _), (_, other) = answered()
    assert other is not None
    choose(begun, turn, "Delete")
    assert begun.button(key="undo-turn")
    with db.session() as session:
        collection.rate(session, "default", [other.id or 0], 4, config)
    begun.button(key="undo-turn").click().run()
    assert answered()[0][1] is None
    with db.reading() as session:
        assert session.get_one(Example, other.id).rating == 4
    assert not [one for one in begun.button if one.key == "undo-turn"]


def test_leaving_an_edit_does_not_take_back_that_of_another_window(begun: AppTest, config: Settings):
    write(begun, HARBOUR)
    ((turn, _),) = answered()
    choose(begun, turn, "Edit")
    with db.session() as session:
        conversation.edit(session, "default", turn.id or 0, STAIRS, config)
    begun.button(key=f"leave-{turn.id}").click().run()
    assert STAIRS in all_text(begun)


def test_a_deleted_answer_comes_back_by_undo(begun: AppTest):
    write(begun, HARBOUR)
    ((turn, _),) = answered()
    choose(begun, turn, "Delete")
    assert HARBOUR not in all_text(begun)
    assert answered()[0][1] is None
    begun.button(key="undo-turn").click().run()
    assert HARBOUR in all_text(begun)
    ((_, example),) = answered()
    assert example is not None
    assert example.completion == HARBOUR


def test_a_question_can_be_skipped(begun: AppTest):
    turn = open_turn()
    begun.button(key="skip").click().run()
    assert open_turn().id != turn.id
    assert "Skipped:" in all_text(begun)


def test_what_was_written_before_a_skip_is_not_lost(begun: AppTest):
    turn = open_turn()
    begun.text_area(key=f"answer-{turn.id}").set_value(HARBOUR).run()
    begun.button(key="skip").click().run()
    assert open_turn().id != turn.id
    begun.button(key=f"ask-{turn.id}").click().run()
    assert open_turn().id == turn.id
    assert begun.text_area(key=f"answer-{turn.id}").value == HARBOUR
    assert "Skipped:" not in all_text(begun)
    begun.button(key="save-answer").click().run()
    assert [example.completion for _, example in answered() if example is not None] == [HARBOUR]


def test_an_example_is_marked_as_another_ones_and_not_learned_from(begun: AppTest, config: Settings):
    begun.button(key="show-example").click().run()
    assert "You can go on writing meanwhile" in all_text(begun)
    with db.session() as session:
        turn = conversations.turn(session, "default", open_turn().id or 0)
        turn.example, turn.example_by = "The tide took the gate. :red[x]", "groq/llama-3.1-8b-instant"
        session.add(turn)
    begun.run()
    assert "An example by Groq" in all_text(begun)
    assert "It is not yours and is not learned from." in all_text(begun)
    assert "The tide took the gate. :red[x]" in [one.value for one in begun.text]
    with db.reading() as session:
        assert fine_tunes.kept_since(session, "default") == 0
    begun.button(key="hide-example").click().run()
    assert "The tide took the gate" not in all_text(begun)


def test_nobody_has_to_wait_for_an_example(begun: AppTest):
    begun.button(key="show-example").click().run()
    begun.button(key="storytellers-example").click().run()
    assert "An example by the storyteller. It is not yours and is not learned from." in all_text(begun)


def test_the_same_question_saved_in_two_windows_is_one_answer_and_no_words_are_lost(begun: AppTest):
    turn = open_turn()
    other = opened(AppTest.from_file(begun._script_path, default_timeout=30).run())
    begun.text_area(key=f"answer-{turn.id}").set_value(HARBOUR)
    other.text_area(key=f"answer-{turn.id}").set_value(STAIRS)
    begun.button(key="save-answer").click().run()
    other.button(key="save-answer").click().run()
    ((_, example),) = answered()
    assert example is not None
    assert example.completion == HARBOUR
    assert "another window" in all_text(other)
    assert other.text_area(key=f"edit-{turn.id}").value == STAIRS
    other.button(key=f"save-edit-{turn.id}").click().run()
    ((_, example),) = answered()
    assert example is not None
    assert example.completion == STAIRS


def test_pausing_and_going_on(begun: AppTest):
    turn = open_turn()
    begun.button(key="pause-conversation").click().run()
    assert not [one for one in begun.text_area if one.key == f"answer-{turn.id}"]
    begun.button(key="go-on").click().run()
    assert begun.text_area(key=f"answer-{turn.id}").value == ""


def test_several_conversations_each_by_its_name(begun: AppTest):
    first = the_conversation()
    write(begun, HARBOUR)
    begun.text_input(key="new-name").set_value("Letters *home*").run()
    begun.button(key="new-conversation").click().run()
    second = the_conversation()
    assert second.name == "Letters *home*"
    assert HARBOUR not in all_text(begun)
    picker = begun.radio(key="picked-conversation")
    assert len(picker.options) == 2
    picker.set_value(first.key).run()
    assert HARBOUR in all_text(begun)
    begun.text_input(key=f"conversation-name-{first.key}").set_value("Harbours").run()
    begun.button(key="save-conversation").click().run()
    assert "Harbours" in [header.value for header in begun.header]


@pytest.mark.parametrize("with_answers", [False, True])
def test_deleting_a_conversation_is_confirmed_and_says_what_becomes_of_its_answers(begun: AppTest, with_answers: bool):
    write(begun, HARBOUR)
    key = the_conversation().key
    assert begun.button(key="delete-conversation").disabled
    if with_answers:
        begun.checkbox(key=f"with-answers-{key}").check().run()
    begun.checkbox(key=f"sure-{key}").check().run()
    begun.button(key="delete-conversation").click().run()
    assert not begun.exception
    with db.reading() as session:
        assert not conversations.of_writer(session, "default")
        assert fine_tunes.kept_since(session, "default") == (0 if with_answers else 1)
    assert "Teach it your voice" in [header.value for header in begun.header]


def test_another_writers_conversation_is_like_none(begun: AppTest, config: Settings):
    with db.session() as session:
        writers.add(session, "ana")
        key = conversation.start(session, "ana", config, purpose="secret things").key
    write(begun, HARBOUR)
    opened(begun, conversation=key)
    assert HARBOUR in all_text(begun)
    assert "secret" not in all_text(begun)


def test_earlier_answers_are_folded(begun: AppTest):
    for number in range(5):
        write(begun, f"{number} {HARBOUR.replace('ropes', f'ropes of boat {number}')} {number}")
    said = all_text(begun)
    assert "boat 4" in said
    assert "boat 0" not in said
    begun.button(key="earlier").click().run()
    assert "boat 0" in all_text(begun)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script> ", ":red[x] *a* $5 # head ", "\u202eabc\u0000 "])
def test_hostile_words_are_shown_as_words(begun: AppTest, hostile: str):
    write(begun, hostile + HARBOUR)
    assert not begun.exception
    ((_, example),) = answered()
    assert example is not None
    assert example.completion in [one.value for one in begun.text]


def test_saving_survives_a_training_that_cannot_be_asked_for(begun: AppTest, monkeypatch: pytest.MonkeyPatch):
    from zega_core.errors import HomeError

    def refuse(*_: object) -> None:
        raise HomeError("The disk is full.")

    monkeypatch.setattr(client, "fine_tune_if_due", refuse)
    write(begun, HARBOUR)
    assert not begun.exception
    assert len(answered()) == 1


def test_progress_says_when_there_is_nothing_to_count(app: AppTest):
    opened(app, tab="Progress")
    assert "Nothing to count yet" in [header.value for header in app.header]


def test_progress_counts_what_there_is(begun: AppTest):
    for text in (HARBOUR, STAIRS, "Too short."):
        write(begun, text)
    third = AppTest.from_file(begun._script_path, default_timeout=30).run()
    opened(third, tab="Progress")
    assert "could not be drawn" not in all_text(third)
    assert "Your model" in [header.value for header in third.header]
    values = {one.label: one.value for one in third.metric}
    assert values["Answers kept"] == "2"
    assert "3 answered" in all_text(third)
    assert "Left out" in [header.value for header in third.header]
    assert "1 answer: Too short to learn from." in all_text(third)


def test_progress_does_not_promise_a_first_training_that_runs(begun: AppTest):
    write(begun, HARBOUR)
    assert "The first one begins by itself" in all_text(opened(begun, tab="Progress"))
    fine_tuned.run(RunStatus.running, step=3)
    said = all_text(begun.run())
    assert "Your first version is being trained now." in said
    assert "The first one begins by itself" not in said
