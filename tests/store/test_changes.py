"""Rows of changes: which is the newest, what goes, what hangs on an example."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from tests.support.scored import add
from zega_core import db
from zega_core.conversation_tables import ExampleChange
from zega_core.store import changes, examples
from zega_core.tables import Example, Memory, Story, now

pytestmark = pytest.mark.usefixtures("database")


def row(example_id: int, batch: str, *, writer: str = "ana", days: float = 0) -> dict[str, object]:
    return {
        "user_id": writer,
        "batch": batch,
        "action": "tag",
        "example_id": example_id,
        "turn_id": None,
        "before": {"tags": []},
        "created_at": now() - timedelta(days=days),
    }


def test_the_newest_batch_is_the_writers_last():
    first = add("one")
    with db.session() as session:
        changes.add(session, [row(first, "a"), row(first, "a"), row(first, "b")])
        changes.add(session, [row(first, "c", writer="ana")])
    with db.reading() as session:
        assert changes.newest(session, "ana") == changes.Batch("c", "tag", 1)
        assert changes.newest(session, "ben") is None
        assert len(changes.of_batch(session, "ana", "a", 10)) == 2
        assert len(changes.of_batch(session, "ana", "a", 1)) == 1
        assert changes.of_batch(session, "ben", "a", 10) == []


def test_only_what_is_old_goes_a_part_at_a_time():
    first = add("one")
    with db.session() as session:
        changes.add(session, [row(first, "old", days=9) for _ in range(5)])
        changes.add(session, [row(first, "new")])
    with db.session() as session:
        moment = now() - timedelta(days=7)
        assert [changes.drop_before(session, moment, 3) for _ in range(3)] == [3, 2, 0]
        assert session.exec(select(ExampleChange.batch)).all() == ["new"]


def test_rows_of_another_writer_are_never_dropped():
    first = add("one")
    with db.session() as session:
        changes.add(session, [row(first, "a")])
        identity = session.exec(select(ExampleChange.id)).one() or 0
        changes.drop(session, "ben", [identity])
        changes.drop_of_examples(session, "ben", [first])
        assert session.exec(select(ExampleChange.id)).all() == [identity]
        changes.drop(session, "ana", [identity])
        assert session.exec(select(ExampleChange.id)).all() == []


def test_what_hangs_on_an_example_is_found_and_let_go():
    first, second = add("one"), add("two")
    with db.session() as session:
        examples.remember(session, session.get_one(Example, first))
        examples.add_story(session, session.get_one(Example, first), "A title")
    with db.session() as session:
        found = changes.links(session, "ana", [first, second])
        assert set(found) == {first}
        assert (found[first].memory or {})["body"] == "one"
        assert found[first].story is not None
        assert changes.links(session, "ben", [first, second]) == {}
        assert changes.remove(session, "ben", [first, second]) == 0
        assert changes.remove(session, "ana", [first]) == 1
    with db.reading() as session:
        assert session.exec(select(Memory)).all() == []
        assert session.exec(select(Story.example_id)).all() == [None]
        assert session.exec(select(Example.id)).all() == [second]


def test_what_is_there_of_rows_that_may_come_back():
    first = add("one")
    with db.reading() as session:
        words = session.get_one(Example, first).text_hash
        wanted = {"id": first, "session_id": 5, "idx": 0, "manuscript_id": None, "text_hash": words}
        here = changes.there(session, "ana", [wanted])
        assert (here.examples, here.kept, here.sessions, here.places) == ({first}, {words: first}, set(), set())
        assert changes.there(session, "ben", [wanted]).examples == set()
