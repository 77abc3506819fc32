"""The bell: what is popped up, what is listed, and when it counts as seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from zega_core import db, notices
from zega_core.settings import Settings
from zega_core.store import notifications, writers
from zega_core.tables import now
from zega_ui import bell

HOSTILE = "<b>bold</b> :red[x] **stars** [link](https://example.org) # " + "w" * 300


def sidebar() -> None:
    import streamlit as st

    from zega_ui import bell

    with st.sidebar:
        bell.show("ana")


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where it leads to: outside of app.py there are no pages to link to."""
    found: list[str] = []
    monkeypatch.setattr(bell.st, "page_link", lambda page, **_: found.append(page))
    return found


@pytest.fixture
def tab(config: Settings, links: list[str]) -> Any:
    """Another tab with the bell."""
    with db.session(config) as session:
        for writer in ("ana", "ben"):
            writers.ensure(session, writer)
    return lambda: AppTest.from_function(sidebar, default_timeout=30)


def note(
    config: Settings, key: str, text: str = "Version 3 is trained.", *, writer: str = "ana", page: str = ""
) -> None:
    with db.session(config) as session:
        notices.note(session, writer, "finished", key, text, page)


def label(app: AppTest) -> str:
    assert not app.exception
    return app.button(key="bell-button").label


def shown(app: AppTest) -> str:
    return "\n".join([*(one.value for one in app.markdown), *(one.value for one in app.caption)])


def test_without_news_it_says_so_when_asked(tab: Any):
    app = tab().run()
    assert label(app) == "Notifications"
    assert not app.toast
    app.button(key="bell-button").click().run()
    assert "Nothing has happened yet" in shown(app)


def test_what_is_new_pops_up_in_one_tab_only_and_is_counted_in_both_until_it_is_seen(config: Settings, tab: Any):
    note(config, "a")
    note(config, "b", "Version 3 is better than version 2.")
    note(config, "c", "Not yours.", writer="ben")
    first, second = tab().run(), tab().run()
    assert [one.value for one in first.toast] == [r"Version 3 is trained\.", r"Version 3 is better than version 2\."]
    assert not second.toast
    assert label(first) == label(second) == "Notifications, 2 new"
    first.button(key="bell-button").click().run()
    assert label(first) == "Hide notifications"
    assert "Version 3 is trained" in shown(first)
    assert "Not yours" not in shown(first)
    assert shown(first).count("just now · new") == 2
    assert label(second.run()) == "Notifications"
    first.button(key="bell-button").click().run()
    assert label(first) == "Notifications"
    assert "Version 3" not in shown(first)
    first.button(key="bell-button").click().run()
    assert "· new" not in shown(first)


def test_what_comes_while_the_list_is_open_is_seen(config: Settings, tab: Any):
    app = tab().run()
    app.button(key="bell-button").click().run()
    note(config, "a")
    app.run()
    assert "just now · new" in shown(app)
    with db.reading(config) as session:
        assert notifications.unseen(session, "ana") == 0


def test_many_at_once_pop_up_as_the_newest_few_and_a_number(config: Settings, tab: Any):
    for number in range(9):
        note(config, str(number), f"Thing {number}")
    app = tab().run()
    assert [one.value for one in app.toast] == ["6 more under Notifications.", "Thing 6", "Thing 7", "Thing 8"]


def test_the_last_twenty_with_how_long_ago_and_where_there_is_more(config: Settings, tab: Any, links: list[str]):
    for number in range(25):
        note(config, str(number), f"Thing {number}", page="fine_tune.py")
    with db.session(config) as session:
        oldest = notifications.recent(session, "ana", 20)[-1]
        oldest.created_at, oldest.page = now() - timedelta(hours=3), "../app.py"
        session.add(oldest)
    app = tab().run()
    app.button(key="bell-button").click().run()
    assert "3 hours ago" in shown(app)
    assert "Thing 24" in shown(app)
    assert "Thing 5" in shown(app)
    assert "Thing 4\n" not in shown(app)
    assert links == ["pages/fine_tune.py"] * 19


def test_nothing_in_a_text_is_markup(config: Settings, tab: Any):
    note(config, "a", HOSTILE)
    app = tab().run()
    app.button(key="bell-button").click().run()
    for text in (app.toast[0].value if app.toast else "", shown(app)):
        assert ":red[" not in text
        assert "<b>" not in text
        assert "**stars" not in text


def test_it_looks_for_news_only_while_something_goes_on(config: Settings, tab: Any, monkeypatch: pytest.MonkeyPatch):
    from tests.support import tuned

    looks: list[Any] = []
    fragment = bell.st.fragment

    def noted(*arguments: Any, **options: Any) -> Any:
        looks.append(options.get("run_every"))
        return fragment(*arguments, **options)

    monkeypatch.setattr(bell.st, "fragment", noted)
    tab().run()
    assert looks == [None]
    tuned.fine_tune(config, "ana", "running")
    app = tab().run()
    assert looks == [None, 10]
    assert label(app) == "Notifications"


def test_it_looks_no_more_when_all_has_ended(config: Settings, tab: Any, monkeypatch: pytest.MonkeyPatch):
    looks: list[Any] = []
    fragment = bell.st.fragment

    def noted(*arguments: Any, **options: Any) -> Any:
        looks.append(options.get("run_every"))
        return fragment(*arguments, **options)

    def ends(*_: Any) -> bool:  # between the page's drawing and the bell's next look
        return not looks

    monkeypatch.setattr(bell.st, "fragment", noted)
    monkeypatch.setattr(bell.notifications, "expects", ends)
    assert label(tab().run()) == "Notifications"
    assert looks == [10, None]
