"""The shelf of stories: saved once, found, changed against two windows, deleted with what hangs on them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from tests.support.written import written
from zega_core import collection, db, shelf
from zega_core.errors import ChangedElsewhere, InvalidInput, NotFound
from zega_core.settings import Settings
from zega_core.store import scores, stories, writers, writing_choices
from zega_core.tables import Example, Memory, Story
from zega_core.writing_configs import WritingConfig
from zega_core.writing_tables import Take, Writing

HOSTILE = "<script>alert(1)</script> :red[x] **bold** $5 [link](javascript:x) `code` -- -> # head"


def save(
    config: Settings, title: str = "Salt", body: str = "The tide came in.", writer: str = "ana", **more: Any
) -> int:
    with db.session(config) as session:
        return shelf.save(session, writer, title, body, **more).id or 0


def titles(config: Settings, writer: str = "ana", **wanted: Any) -> list[str]:
    with db.reading(config) as session:
        return [one.title for one in shelf.search(session, writer, **wanted)[0]]


def get(config: Settings, story_id: int, writer: str = "ana") -> Story:
    with db.reading(config) as session:
        return shelf.get(session, writer, story_id)


def taken(config: Settings, text: str = "The tide came in.", writer: str = "ana", **more: Any) -> Take:
    with db.session(config) as session:
        writers.ensure(session, writer)
        key = f"{writer}{len(session.exec(select(Writing)).all())}"
        writing = Writing(key=key, user_id=writer, task="write", brief="b")
        session.add(writing)
        session.flush()
        take = Take(key=key, writing_id=writing.id or 0, user_id=writer, number=1, text=text, **more)
        session.add(take)
        session.flush()
        return take


def test_a_story_is_saved_and_read_as_it_was_written(database: str, config: Settings):
    body = f"\n \n  {HOSTILE}\r\n\r\nשלום\x00\x07 end.\n\n"
    story = get(config, save(config, f" {HOSTILE}\n ", body, genre="horror", element="scene"))
    assert story.title == HOSTILE
    assert story.body == f"  {HOSTILE}\n\nשלום end."
    assert (story.genre, story.element, story.quality, story.updated_at) == ("horror", "scene", None, None)


def test_without_a_title_the_first_words_stand_in(config: Settings):
    assert get(config, save(config, " ", "A short line.\nMore.")).title == "A short line."
    long = get(config, save(config, "", "word " * 40)).title
    assert long.endswith("word…")
    assert len(long) <= 61
    assert get(config, save(config, "", "x" * 500)).title == "x" * 60 + "…"
    assert len(get(config, save(config, "y" * 900, "b")).title) == shelf.MAX_TITLE


@pytest.mark.parametrize("body", ["", " \n\t ", "\x00\x07", "x" * (shelf.MAX_BODY + 1), None])
def test_no_text_and_too_much_are_refused_in_a_sentence(config: Settings, body: Any):
    with pytest.raises(InvalidInput, match=r"no text yet|can have 200,000 characters"):
        save(config, "t", body)
    assert titles(config) == []


@pytest.mark.parametrize("wrong", [{"genre": "opera"}, {"element": "limerick"}])
def test_a_genre_or_an_element_that_is_none_is_refused(config: Settings, wrong: dict[str, str]):
    with pytest.raises(InvalidInput, match="Choose from"):
        save(config, **wrong)


def test_the_same_words_of_a_take_are_saved_once(database: str, config: Settings):
    take = taken(config, quality=8.2)
    first = save(config, take=take, body=take.text)
    assert save(config, "Another title", take.text, take=take) == first
    assert get(config, first).quality == 8.2
    later = save(config, "Edited", "Other words.", take=take)
    assert later != first
    assert get(config, later).quality is None
    with db.reading(config) as session:
        assert session.get_one(Take, take.id).story_id == later


def test_an_example_has_one_story(database: str, config: Settings):
    (example,) = written(1, "ana", config, completion="Words of it.", quality=9.0)
    first = save(config, body="Words of it.", example_id=example)
    assert save(config, body="Words of it.", example_id=example) == first
    assert (get(config, first).example_id, get(config, first).quality) == (example, 9.0)
    other = get(config, save(config, body="Changed words.", example_id=example))
    assert (other.example_id, other.quality) == (None, None)


@pytest.mark.parametrize("story_id", [0, -1, 2**31, 2**70, True, "1", None, 999])
def test_what_is_no_story_is_not_found(config: Settings, story_id: Any):
    save(config)
    with db.session(config) as session, pytest.raises(NotFound):
        shelf.get(session, "ben", story_id)


def test_another_writers_things_are_like_missing_ones(database: str, config: Settings):
    story = save(config)
    (example,) = written(1, "ana", config)
    take = taken(config)

    def said(call: Any) -> str:
        with db.session(config) as session, pytest.raises(NotFound) as refused:
            call(session)
        return str(refused.value)

    for call in (
        lambda session, one: shelf.get(session, "ben", one),
        lambda session, one: shelf.edit(session, "ben", one, "Mine"),
        lambda session, one: shelf.delete(session, "ben", one),
        lambda session, one: shelf.hanging(session, "ben", one),
    ):
        assert said(lambda session, call=call: call(session, story)) == said(
            lambda session, call=call: call(session, 10**6)
        )
    assert "no such example" in said(lambda session: shelf.save(session, "ben", "t", "b", example_id=example))
    assert "no such text" in said(lambda session: shelf.save(session, "ben", "t", "b", take=take))
    assert get(config, story).title == "Salt"
    assert titles(config, "ben") == []


def test_search_finds_words_in_title_and_text(database: str, config: Settings):
    save(config, "The Lighthouse", "Nobody came.", genre="horror")
    save(config, "Salt", "The keeper of the lighthouse slept. Café.")
    save(config, "Other", "A 50% chance, *** and nothing.")
    save(config, "Lighthouse of Ben", "His own.", "ben")
    assert titles(config, text="LIGHT") == ["Salt", "The Lighthouse"]
    assert titles(config, text="keeper lighthouse") == ["Salt"]
    assert titles(config, text='"of the lighthouse"') == ["Salt"]
    assert titles(config, text='"the of lighthouse"') == []
    assert titles(config, text="***") == ["Other"]
    assert titles(config, text="%") == ["Other"]
    assert titles(config, text="'; DROP TABLE story; --") == []
    assert titles(config, text="\x00\ud800") in ([], ["Other"])
    assert titles(config, text="lighthouse", genre="horror") == ["The Lighthouse"]


def test_search_follows_what_was_changed_and_deleted(database: str, config: Settings):
    story = save(config, "Salt", "The harbour.")
    with db.session(config) as session:
        shelf.edit(session, "ana", story, "Pepper", "The mountain.")
    assert titles(config, text="harbour") == titles(config, text="salt") == []
    assert titles(config, text="mountain") == titles(config, text="pepper") == ["Pepper"]
    with db.session(config) as session:
        shelf.delete(session, "ana", story)
    assert titles(config, text="mountain") == []


def test_orders_and_genres(database: str, config: Settings):
    save(config, "b", "four words are here", genre="horror")
    save(config, "A", "one")
    save(config, "c", "two words", genre="fantasy")
    with db.session(config) as session:
        for story, quality in zip(session.exec(select(Story).order_by(Story.id)), (8.0, None, 9.5), strict=True):  # type: ignore[arg-type]
            story.quality = quality
    assert titles(config) == ["c", "A", "b"]
    assert titles(config, order="oldest") == ["b", "A", "c"]
    assert titles(config, order="title") == ["A", "b", "c"]
    assert titles(config, order="score") == ["c", "b", "A"]
    assert titles(config, order="longest") == ["b", "c", "A"]
    assert titles(config, genre="horror") == ["b"]
    assert titles(config, genre=shelf.UNKNOWN) == ["A"]
    with db.reading(config) as session:
        assert stories.genres(session, "ana") == ["", "fantasy", "horror"]
    with pytest.raises(InvalidInput, match="sorted by"):
        titles(config, order="best")


def test_titles_are_in_order_whatever_their_case_and_accents(config: Settings):
    for title in ("Zebra", "apple", "Öl", "Éclair", "pier", "Море", "яблоко", "море 2"):
        save(config, title, "b")
    assert titles(config, order="title") == ["apple", "Éclair", "Öl", "pier", "Zebra", "Море", "море 2", "яблоко"]


def test_pages(database: str, config: Settings):
    for number in range(7):
        save(config, f"{number}", "b")
    assert titles(config, page=1, size=3) == ["6", "5", "4"]
    assert titles(config, page=3, size=3) == ["0"]
    assert titles(config, page=9, size=3) == []
    assert titles(config, page=-5, size=3) == ["6", "5", "4"]
    with db.reading(config) as session:
        assert shelf.search(session, "ana", size=3)[1] == 7


def test_of_ten_thousand_stories_only_a_page_is_read(database: str, config: Settings):
    with db.session(config) as session:
        writers.ensure(session, "ana")
        session.flush()
        rows = (
            {"user_id": "ana", "title": f"Story {one}", "genre": "", "body": f"Lamp {one} burned. " * 20, "element": ""}
            for one in range(10_000)
        )
        session.connection().execute(Story.__table__.insert(), list(rows))  # type: ignore[attr-defined]
    read: list[str] = []

    @event.listens_for(Story, "load")
    def loaded(target: Story, _: Any) -> None:
        read.append(target.title)

    try:
        with db.reading(config) as session:
            found, total = shelf.search(session, "ana", "lamp 77")
        assert total == len([one for one in range(10_000) if str(one).startswith("77")])
        assert len(found) == len(read) == shelf.PAGE
        if database == "sqlite":
            assert "story_words" in plan(config, found)
    finally:
        event.remove(Story, "load", loaded)


def plan(config: Settings, found: list[Story]) -> str:
    """By what SQLite finds the words."""
    seen: list[tuple[str, Any]] = []
    with db.reading(config) as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *call: seen.append(call[2:4]))
        shelf.search(session, "ana", "lamp 77")
        statement, values = seen[0]
        rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert found
    return "\n".join(str(row[3]) for row in rows)


def test_an_edit_changes_what_is_given_and_its_text_loses_the_score(database: str, config: Settings):
    (example,) = written(1, "ana", config, completion="Words of it.", quality=9.0)
    story = save(config, body="Words of it.", example_id=example)
    with db.session(config) as session:
        shelf.edit(session, "ana", story, "New title", genre="romance")
    assert (get(config, story).title, get(config, story).quality) == ("New title", 9.0)
    assert get(config, story).updated_at is not None
    with db.session(config) as session:
        shelf.edit(session, "ana", story, body="Mine now.")
    with db.session(config) as session:
        scores.set_story_qualities(session, "ana", {example: 3.0})
    assert (get(config, story).body, get(config, story).quality) == ("Mine now.", None)
    with db.reading(config) as session:
        assert session.get_one(Example, example).completion == "Words of it."


def test_an_edit_that_changes_nothing_leaves_no_mark(config: Settings):
    story = save(config)
    with db.session(config) as session:
        shelf.edit(session, "ana", story, "Salt", "The tide came in.")
    assert get(config, story).updated_at is None


def test_an_edit_does_not_overwrite_a_newer_one(database: str, config: Settings):
    story = save(config)
    seen = shelf.stamp(get(config, story))
    with db.session(config) as session:
        shelf.edit(session, "ana", story, body="From the other window.", seen=seen)
    with db.session(config) as session, pytest.raises(ChangedElsewhere, match="Nothing was overwritten"):
        shelf.edit(session, "ana", story, body="From this one.", seen=seen)
    assert get(config, story).body == "From the other window."
    with db.session(config) as session:
        shelf.edit(session, "ana", story, body="From this one.", seen=shelf.stamp(get(config, story)))
    assert get(config, story).body == "From this one."


def remembered(session: Session) -> list[str]:
    return [one.body for one in session.exec(select(Memory))]


def test_memory_follows_where_stories_are_wanted_in_it(database: str, config: Settings):
    story = save(config)
    with db.session(config) as session:
        assert writing_choices.memory_asked(session) == []
        writing_choices.save(session, "ana", WritingConfig(memory=("story",)))
        session.add(Memory(user_id="ana", story_id=story, body="The tide came in."))
    with db.reading(config) as session:
        assert shelf.hanging(session, "ana", story).remembered
    with db.session(config) as session:
        shelf.edit(session, "ana", story, body="Changed.")
        assert remembered(session) == []
        ((writer, asked),) = writing_choices.memory_asked(session)
        assert writer == "ana"
        writing_choices.memory_done(session, "ana", asked)
    save(config, "Another", "Words.")
    with db.reading(config) as session:
        assert len(writing_choices.memory_asked(session)) == 1


def test_a_deleted_story_is_gone_and_what_hung_on_it_stays(database: str, config: Settings):
    (example,) = written(1, "ana", config, completion="Words of it.")
    take = taken(config)
    story = save(config, body="Words of it.", example_id=example, take=take)
    with db.session(config) as session:
        session.add(Writing(key="w", user_id="ana", task="continue", story_id=story))
        session.add(Memory(user_id="ana", story_id=story, body="Words of it."))
    with db.reading(config) as session:
        assert shelf.hanging(session, "ana", story) == shelf.Hanging(True, 1, example)
    with db.session(config) as session:
        shelf.delete(session, "ana", story)
    with db.reading(config) as session:
        assert session.exec(select(Story)).all() == []
        assert remembered(session) == []
        assert session.get(Example, example) is not None
        assert session.get_one(Take, take.id).story_id is None
        assert session.exec(select(Writing).where(Writing.key == "w")).one().story_id is None
    with db.session(config) as session, pytest.raises(NotFound):
        shelf.delete(session, "ana", story)


def test_the_number_of_a_deleted_story_is_not_given_again(database: str, config: Settings):
    """Otherwise undoing the deletion of an example would tie it to a story that is not its own."""
    (example,) = written(1, "ana", config, completion="Words of it.")
    first = save(config, body="Words of it.", example_id=example)
    with db.session(config) as session:
        collection.delete(session, "ana", [example], config)
        shelf.delete(session, "ana", first)
    second = save(config, "My own", "Mine.")
    with db.session(config) as session:
        collection.undo(session, "ana", config)
    assert second != first
    assert get(config, second).example_id is None
