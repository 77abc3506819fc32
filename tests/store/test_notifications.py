"""What there is to tell a writer: each thing once, popped up once, the newest of it kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import tuned
from zega_core import db, notices
from zega_core.settings import Settings
from zega_core.store import notifications, writers
from zega_core.tables import RunStatus

pytestmark = pytest.mark.usefixtures("database")


def note(settings: Settings, key: str, writer: str = "ana", text: str = "It happened.") -> None:
    with db.session(settings) as session:
        writers.ensure(session, writer)
        notices.note(session, writer, "finished", key, text, "fine_tune.py")


def keys(settings: Settings, writer: str = "ana", limit: int = 1_000) -> list[str]:
    with db.reading(settings) as session:
        return [row.key for row in notifications.recent(session, writer, limit)]


def test_the_same_thing_is_told_once_and_to_its_writer_only(config: Settings):
    note(config, "a", text="First.")
    note(config, "a", text="Again.")
    note(config, "a", "ben")
    with db.reading(config) as session:
        (row,) = notifications.recent(session, "ana")
        assert (row.text, row.kind, row.page) == ("First.", "finished", "fine_tune.py")
        assert notifications.unseen(session, "ana") == 1
        assert notifications.recent(session, "nobody") == []


def test_a_text_of_any_kind_and_length_is_stored_as_one_line(config: Settings):
    note(config, "k" * 300, text="<b>One</b>\n\n**two** " + "x" * 5_000)
    with db.reading(config) as session:
        (row,) = notifications.recent(session, "ana")
    assert row.text.startswith("<b>One</b> **two** x")
    assert len(row.text) == notices.LONGEST_TEXT
    assert len(row.key) == notices.LONGEST_KEY


def test_what_is_new_is_popped_up_by_one_of_many_tabs(config: Settings):
    for number in range(5):
        note(config, str(number))

    def tab(_: int) -> list[str]:
        with db.session(config) as session:
            return [row.key for row in notifications.mark_told(session, "ana")]

    with ThreadPoolExecutor(6) as pool:
        found = [key for told in pool.map(tab, range(6)) for key in told]
    assert found == ["0", "1", "2", "3", "4"]
    with db.reading(config) as session:
        assert notifications.new(session, "ana") == []
        assert notifications.unseen(session, "ana") == 5, "popped up is not read"


def test_opening_the_list_marks_what_was_not_seen(config: Settings):
    for number in range(3):
        note(config, str(number))
    note(config, "x", "ben")
    with db.session(config) as session:
        assert len(notifications.mark_seen(session, "ana")) == 3
        assert notifications.mark_seen(session, "ana") == []
    with db.reading(config) as session:
        assert notifications.unseen(session, "ana") == 0
        assert notifications.unseen(session, "ben") == 1


def test_the_newest_are_kept_and_the_last_twenty_are_shown(config: Settings):
    with db.session(config) as session:
        for writer in ("ana", "ben"):
            writers.ensure(session, writer)
        for number in range(notifications.KEPT + 7):
            notices.note(session, "ana", "finished", str(number), "It happened.")
        notices.note(session, "ben", "finished", "mine", "It happened.")
    found = keys(config)
    assert len(found) == notifications.KEPT
    assert (found[0], found[-1]) == (str(notifications.KEPT + 6), "7")
    assert keys(config, "ben") == ["mine"]
    with db.reading(config) as session:
        assert len(notifications.recent(session, "ana")) == 20


def test_news_are_expected_while_a_run_of_the_writers_waits_or_goes_on(config: Settings):
    def expects(writer: str = "ana") -> bool:
        with db.reading(config) as session:
            return notifications.expects(session, writer)

    tuned.fine_tune(config, "ana", RunStatus.done)
    tuned.fine_tune(config, "ben", RunStatus.queued)
    assert (expects(), expects("ben")) == (False, True)
    tuned.fine_tune(config, "ana", RunStatus.running)
    assert expects()
