"""The tab "Your stories": empty, found, read, written, changed in two windows, deleted, taken along; only one's own."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import docx
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import conftest
from tests.support.written import written
from zega_core import db, shelf, story_files
from zega_core.errors import HomeError
from zega_core.settings import Settings
from zega_core.store import examples
from zega_core.tables import Story, TrainingSession
from zega_ui import stories_view, story_reader

HOSTILE = "<script>alert(1)</script> :red[x] **bold** $5 [link](javascript:x) `code` -- -> # head"


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zega_core.jobs.client.refresh_memory", lambda *_: None)


def save(title: str = "Salt", body: str = "The tide came in.", writer: str = "default", **more: Any) -> int:
    with db.session() as session:
        return shelf.save(session, writer, title, body, **more).id or 0


def get(story_id: int, writer: str = "default") -> Story:
    with db.reading() as session:
        return shelf.get(session, writer, story_id)


def all_text(app: AppTest) -> str:
    return conftest.all_text(app).replace("\\", "")


def page(app: AppTest, **address: str) -> AppTest:
    for name, value in {"tab": "Your stories", **address}.items():
        app.query_params[name] = value
    return whole(app.switch_page("pages/write.py").run())


def whole(app: AppTest) -> AppTest:
    assert not app.exception
    assert "could not be drawn" not in all_text(app)
    return app


def press(app: AppTest, key: str) -> AppTest:
    return whole(app.button(key=key).click().run())


def titles(app: AppTest) -> list[str]:
    return [str(one.label).replace("\\", "") for one in app.button if str(one.key).startswith("open-story-")]


def test_an_empty_shelf_says_how_stories_come_here(app: AppTest):
    page(app)
    assert "Your shelf is empty" in all_text(app)
    assert "you save a text that was written for you" in all_text(app)
    press(app, "new-story")
    assert app.query_params["story"] == "new"


def test_from_an_empty_shelf_one_comes_to_writing(app: AppTest):
    page(app)
    press(app, "to-write")
    assert app.text_area(key="write-brief")


def test_the_shelf_is_shown_a_page_at_a_time(app: AppTest):
    for number in range(25):
        save(f"Story {number}", "Three words here.", genre="horror")
    page(app)
    assert "25 stories on your shelf" in all_text(app)
    assert titles(app)[0] == "Story 24"
    assert len(titles(app)) == shelf.PAGE
    assert "Horror · 3 words · saved" in all_text(app)
    whole(app.pagination[0].set_value(2).run())
    assert app.query_params["shelf_page"] == "2"
    assert titles(app) == [f"Story {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"words": "HARB"}, ["The harbour"]),
        ({"words": "tide"}, ["The harbour", "Salt"]),
        ({"story_genre": "horror"}, ["Salt"]),
        ({"story_genre": "unknown"}, ["The harbour"]),
        ({"order": "oldest"}, ["Salt", "The harbour"]),
        ({"order": "longest"}, ["The harbour", "Salt"]),
        ({"order": "title"}, ["Salt", "The harbour"]),
        ({"order": "'; DROP TABLE story", "story_genre": "opera", "shelf_page": "-3"}, ["The harbour", "Salt"]),
        ({"shelf_page": "9999"}, ["The harbour", "Salt"]),
        ({"words": "\x00"}, ["The harbour", "Salt"]),
    ],
)
def test_the_address_says_what_of_the_shelf_is_shown(app: AppTest, address: dict[str, str], expected: list[str]):
    save("Salt", "The tide.", genre="horror")
    save("The harbour", "The tide, and a boat.")
    page(app, **address)
    assert titles(app) == expected


def test_searching_filtering_and_the_way_back(app: AppTest):
    save("Salt", "The tide.", genre="horror")
    save("The harbour", "A boat.")
    page(app)
    whole(app.text_input(key="shelf-words").set_value("boat").run())
    assert titles(app) == ["The harbour"]
    assert app.query_params["words"] == "boat"
    whole(app.selectbox(key="shelf-genre").set_value("horror").run())
    assert "No story matches" in all_text(app)
    press(app, "show-all-empty")
    assert len(titles(app)) == 2
    assert "words" not in app.query_params
    whole(app.selectbox(key="shelf-order").set_value("oldest").run())
    assert titles(app)[0] == "Salt"


def test_a_story_is_read_as_it_was_written(app: AppTest):
    (example,) = written(1, completion="x", quality=9.25)
    body = f"{HOSTILE}\n\n* * *\n\n" + "w" * 300
    story = save(HOSTILE, body, genre="horror", element="scene", example_id=example)
    page(app)
    assert titles(app) == [HOSTILE.replace("-->", "-\u2060->").replace("--", "-\u2060-").replace("->", "-\u2060>")]
    press(app, f"open-story-{story}")
    assert app.query_params["story"] == str(story)
    assert [one.value for one in app.text if one.value == body]
    assert not [one for one in app.markdown if "<script>" in one.value.replace("\\<", "")]
    press(app, "to-shelf")
    assert "story" not in app.query_params


def test_a_very_long_story_is_shown_in_two_steps(app: AppTest):
    story = save("Long", "word " * 20_000)
    page(app, story=str(story))
    assert "20,000 words" in all_text(app)
    assert max(len(one.value) for one in app.text) == story_reader.LONGEST - 1
    whole(app.checkbox[0].check().run())
    assert max(len(one.value) for one in app.text) == len("word " * 20_000) - 1


@pytest.mark.parametrize("asked", ["0", "999", "abc", "-1", "99999999999999999999", "١", "<b>"])
def test_another_writers_story_is_like_a_missing_one(app: AppTest, asked: str):
    theirs = save("Secret", "Hers.", "ana")
    for one in (asked, str(theirs)):
        page(app, story=one)
        assert "There is no such story. It may have been deleted" in all_text(app)
        assert "Secret" not in all_text(app)
    press(app, "to-shelf")
    assert "Your shelf is empty" in all_text(app)


def test_a_story_of_ones_own(app: AppTest):
    page(app, story="new")
    press(app, "save-new-story")
    assert "There is no text yet" in all_text(app)
    app.text_input(key="new-story-title").set_value("Mine")
    app.text_area(key="new-story-text").set_value("Words of my own.")
    app.selectbox(key="new-story-genre").set_value("romance")
    press(app, "save-new-story")
    story = get(int(str(app.query_params["story"])))
    assert (story.title, story.body, story.genre, story.quality) == ("Mine", "Words of my own.", "romance", None)
    assert "Mine" in all_text(app)
    page(app, story="new")
    assert app.text_area(key="new-story-text").value == ""


def edited(app: AppTest, story: int, text: str) -> AppTest:
    page(app, story=str(story))
    press(app, "edit-story")
    app.text_area(key="edit-story-text").set_value(text)
    return app


def test_a_story_is_changed_in_place(app: AppTest):
    story = save(genre="horror")
    edited(app, story, "The tide went out.")
    app.text_input(key="edit-story-title").set_value("Pepper")
    press(app, "save-story")
    assert (get(story).title, get(story).body, get(story).genre) == ("Pepper", "The tide went out.", "horror")
    assert "changed" in all_text(app)
    assert not app.text_area


def test_an_empty_text_is_refused_and_cancelling_changes_nothing(app: AppTest):
    story = save()
    edited(app, story, "  ")
    press(app, "save-story")
    assert "There is no text yet" in all_text(app)
    press(app, "cancel-story")
    assert get(story).body == "The tide came in."
    assert "The tide came in." in all_text(app)


def test_a_newer_change_from_another_window_is_not_overwritten_silently(app: AppTest):
    story = save()
    edited(app, story, "From this window.")
    with db.session() as session:
        shelf.edit(session, "default", story, body="From the other window.")
    press(app, "save-story")
    assert get(story).body == "From the other window."
    assert "This story was changed in another window" in all_text(app)
    assert "From the other window." in all_text(app)
    assert app.text_area(key="edit-story-text").value == "From this window."
    press(app, "save-story")
    assert get(story).body == "From this window."
    assert not app.text_area


def test_the_newer_one_can_be_taken(app: AppTest):
    story = save()
    edited(app, story, "From this window.")
    with db.session() as session:
        shelf.edit(session, "default", story, body="From the other window.")
    press(app, "save-story")
    press(app, "cancel-story")
    assert get(story).body == "From the other window."
    press(app, "edit-story")
    assert app.text_area(key="edit-story-text").value == "From the other window."


def test_what_is_typed_for_a_story_that_is_deleted_elsewhere_is_not_lost(app: AppTest):
    story = save()
    edited(app, story, "Much work.")
    with db.session() as session:
        shelf.delete(session, "default", story)
    press(app, "save-story")
    assert "There is no such story" in all_text(app)
    press(app, "rescue-story")
    assert app.text_area(key="new-story-text").value == "Much work."


def test_deleting_says_what_else_it_touches(app: AppTest):
    (example,) = written(1, completion="The tide came in.")
    story = save(example_id=example)
    page(app, story=str(story))
    assert "The story is gone for good. The example that it was saved from stays" in all_text(app)
    press(app, "delete-story")
    assert "Your shelf is empty" in all_text(app)
    assert "story" not in app.query_params


def test_consequences_are_counted():
    said = story_reader.consequences(shelf.Hanging(True, 2, None))
    assert said == (
        "The story is gone for good. What is remembered of it is forgotten. 2 texts that went on from it stay."
    )
    assert "1 text that went on from it stays." in story_reader.consequences(shelf.Hanging(False, 1, None))


def test_one_story_or_all_that_match_can_be_taken_along(config: Settings):
    salt = save("Salt", HOSTILE, genre="horror")
    save("The harbour", "A boat.")
    save("Of Ana", "Hers.", "ana")
    document = docx.Document(io.BytesIO(stories_view.file("default", "", "", "oldest", "docx")))
    assert [row.cells[0].text for row in document.tables[0].rows] == ["1. Salt", "2. The harbour"]
    assert stories_view.file("default", "boat", "", "newest", "txt").decode().startswith("The harbour\n===")
    assert HOSTILE in story_reader.file("default", salt, "txt").decode()


def test_a_story_goes_into_the_form_of_write_to_be_continued(app: AppTest):
    story = save(genre="horror")
    page(app, story=str(story))
    press(app, "story-go-on")
    assert "story" not in app.query_params
    assert app.text_area(key="write-given").value == "The tide came in."


def test_what_one_writer_types_is_not_shown_to_another(app: AppTest):
    story = save()
    edited(app, story, "Half done.")
    app.text_input(key="new_writer").set_value("ana").run()
    press(app, "add_writer")
    save("Hers", "Her words.", "ana")
    page(app, story=str(story))
    assert "There is no such story" in all_text(app)
    assert "Half done." not in all_text(app)


def test_where_sessions_are_shown_it_is_said_how_many_of_their_pieces_are_on_the_shelf(
    app: AppTest, work: Callable[..., TrainingSession]
):
    app.button(key="start").click().run()
    row = work()
    assert not [one for one in app.run().page_link if "shelf" in one.label]
    with db.session() as session:
        (first, *_) = examples.page(session, "default", row.id or 0)
        examples.add_story(session, first, "Its title")
    assert "1 of them is a story on your shelf" in [one.label for one in whole(app.run()).page_link]
    app.query_params["session"] = row.session_id
    app.switch_page("pages/history.py").run()
    assert "1 of them is a story on your shelf" in [one.label for one in whole(app).page_link]
    page(app)
    assert titles(app) == ["Its title"]


def test_a_word_file_of_too_many_stories_is_not_offered(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(story_files, "MOST_IN_WORD", 1)
    save("Salt")
    save("Pepper")
    app.session_state["shelf-download"] = True
    page(app)
    app.session_state["shelf-download"] = True
    whole(app.run())
    assert {one.label: one.disabled for one in app.get("download_button")} == {  # type: ignore[attr-defined]
        "Plain text (txt)": False,
        "Markdown (md)": False,
        "Word (docx)": True,
    }


def test_a_database_that_cannot_be_used_is_told_in_words(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    save()

    def broken(*arguments: object) -> None:
        raise HomeError("The disk is full. Free some space.")

    monkeypatch.setattr(shelf, "search", broken)
    app.query_params["tab"] = "Your stories"
    app.switch_page("pages/write.py").run()
    assert not app.exception
    assert "The disk is full. Free some space." in all_text(app)
