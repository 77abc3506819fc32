"""Your own pages as a writer meets them: empty, looked at, added, read, stopped, failed, corrected, erased."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.support.teachers import story
from zega_core import db, own_pages
from zega_core.configs import TeachingConfig
from zega_core.conversation_tables import Manuscript
from zega_core.settings import Settings
from zega_core.store import manuscripts, teaching
from zega_core.tables import Example, RunStatus
from zega_ui import own_pages_table

TEXT = "Chapter 1\n\n" + "\n\n".join(story(seed) for seed in range(6))
SCRIPT = """
import streamlit as st
from zega_core.settings import get_settings
from zega_ui import own_pages_view
own_pages_view.show("ana", get_settings())
"""


@pytest.fixture
def page(config: Settings) -> AppTest:
    config.prepare_home()
    st.cache_data.clear()
    return AppTest.from_string(SCRIPT, default_timeout=120).run()


@pytest.fixture
def work(config: Settings) -> Callable[[], Manuscript]:
    """Read the writer's newest pages, as a worker would."""

    def once() -> Manuscript:
        row = rows()[0]
        own_pages.run(row.run_id, row.attempt, settings=config)
        return rows()[0]

    return once


def rows() -> list[Manuscript]:
    with db.reading() as session:
        return manuscripts.of_writer(session, "ana")


def passages(row: Manuscript) -> list[Example]:
    with db.reading() as session:
        return manuscripts.page(session, "ana", row.id or 0)


def paste(page: AppTest, text: str = TEXT, name: str = "The Sea") -> AppTest:
    page.text_area[0].input(text).run()
    if page.text_input:
        page.text_input[0].input(name).run()
    return page


def press(page: AppTest, key: str) -> AppTest:
    next(button for button in page.button if (button.key or "").startswith(key)).click().run()
    assert not page.exception
    return page


def test_an_empty_page_says_what_to_bring(page: AppTest):
    assert not page.exception
    assert "a few thousand words make a difference" in all_text(page)
    assert "weighs twice as much" in all_text(page)
    assert [button.disabled for button in page.button if button.label == "Add"] == [True]


def test_what_it_is_is_shown_before_anything_is_stored(page: AppTest):
    paste(page)
    text = all_text(page)
    assert "Pasted text: " in text.replace("\\", "")
    assert "1 chapter" in text
    assert "1. Chapter 1: " in text
    assert not rows()


def test_pages_are_added_read_and_their_prompts_corrected(page: AppTest, work: Callable[[], Manuscript]):
    press(paste(page), "pages-add")
    assert [(row.name, row.format, row.genre, row.ask_teacher) for row in rows()] == [("The Sea", "pasted", "", False)]
    assert "Waiting for the worker" in str([one.text for one in page.get("progress")]) or page.get("progress")
    assert not page.text_area[0].value
    row = work()
    page.run()
    assert not page.exception
    text = all_text(page).replace("\\", "")
    assert f"{row.passages} passages: {row.passages} kept." in text
    assert "Your own pages make up 100% of the words" in text
    next(box for box in page.selectbox if box.key == "prompts-read").select(1).run()
    assert passages(row)[0].completion in all_text(page)
    prompt = next(area for area in page.text_area if (area.key or "").startswith("prompts-text"))
    assert prompt.value == passages(row)[0].prompt
    prompt.input("Write about the old keeper.").run()
    press(page, "prompts-save")
    assert passages(row)[0].prompt == "Write about the old keeper."


def test_what_is_there_already_is_said_to_be(page: AppTest):
    press(paste(page), "pages-add")
    assert "1 text added" in str([one.value for one in page.toast])
    press(paste(page), "pages-add")
    assert "1 text is there already and not taken twice" in str([one.value for one in page.toast])
    assert len(rows()) == 1


def test_the_table_saves_what_was_typed_into_it(page: AppTest, work: Callable[[], Manuscript]):
    press(paste(page), "pages-add")
    row = work()
    ids = tuple(one.id or 0 for one in passages(row))
    before = passages(row)
    edited = {"edited_rows": {1: {"Prompt": "Write about a lantern."}, 0: {"Prompt": None}}}
    state = {"table": edited}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_pages_table, "state", state)
        patch.setattr(own_pages_table.st, "toast", lambda text: None)
        own_pages_table._save_table("ana", "table", ids)
    assert [one.prompt for one in passages(row)][:2] == [before[0].prompt, "Write about a lantern."]


def test_what_cannot_be_taken_is_said_and_not_offered(page: AppTest):
    paste(page, "Too short.")
    assert "a passage needs 60 that belong together" in all_text(page)
    assert next(button for button in page.button if button.key == "pages-add").disabled


def test_a_run_can_be_stopped_and_gone_on_with(page: AppTest, work: Callable[[], Manuscript]):
    press(paste(page), "pages-add")
    press(page, "pages-stop")
    assert rows()[0].status == RunStatus.stopped
    page.run()
    assert "Continue reads the rest" in all_text(page)
    press(page, "pages-continue")
    assert rows()[0].status == RunStatus.queued
    assert work().status == RunStatus.done


def test_a_failure_is_said_with_a_way_on(page: AppTest, config: Settings):
    press(paste(page), "pages-add")
    with db.session(config) as session:
        row = manuscripts.get(session, "ana", rows()[0].run_id)
        row.status, row.error = RunStatus.failed, "The disk is full. What was read is safe."
        session.add(row)
    page.run()
    assert "The disk is full. What was read is safe." in all_text(page)
    assert [button for button in page.button if (button.key or "").startswith("pages-continue")]


def test_erasing_is_behind_a_question_and_takes_everything(page: AppTest, work: Callable[[], Manuscript]):
    press(paste(page), "pages-add")
    row = work()
    page.run()
    assert "this cannot be undone" in all_text(page)
    assert "keeps what it learned" in all_text(page)
    press(page, "pages-erase")
    assert not rows()
    assert not passages(row)


def test_names_and_texts_are_shown_as_they_are(page: AppTest, work: Callable[[], Manuscript]):
    nasty = "<b>:red[x]</b> $5 `code` " + story(1) + " " + story(2)
    press(paste(page, nasty, "# <script>alert(1)</script>"), "pages-add")
    row = work()
    page.run()
    assert not page.exception
    assert row.name == "# <script>alert(1)<-script>"
    assert all("<script>" not in str(element.value).replace("\\<", "") for element in page.markdown)


def test_who_would_read_the_pages_is_said_and_local_only_keeps_them_here(
    page: AppTest, config: Settings, monkeypatch: pytest.MonkeyPatch
):
    paste(page)
    ask = next(box for box in page.checkbox if box.key == "pages-teacher")
    monkeypatch.setenv("GROQ_API_KEY", "test-key-that-opens-nothing")
    page.run()
    ask = next(box for box in page.checkbox if box.key == "pages-teacher")
    assert not ask.value  # nobody is asked unless the writer wants it
    assert "outside this machine" in all_text(page)
    assert "Groq" in all_text(page)
    with db.session(config) as session:
        teaching.save(session, "ana", TeachingConfig(local_only=True))
    page.run()
    assert "no page leaves it" in all_text(page)
    assert "Groq" not in all_text(page)
