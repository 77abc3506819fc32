"""All examples of a writer, filtered, sorted, paged and searched in the database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from tests.support.scored import add
from zega_core import db
from zega_core.errors import InvalidInput, NotFound
from zega_core.store import changes as change_rows
from zega_core.store import collection
from zega_core.store.collection import Filter
from zega_core.tables import Example, ExampleTag, now

pytestmark = pytest.mark.usefixtures("database")


def found(writer: str = "ana", sort: str = "newest", **more: Any) -> list[int]:
    with db.reading() as session:
        wanted = Filter(**more)
        ids = [one.id or 0 for one in collection.page(session, writer, wanted, sort, 1, 100)]
        assert collection.count(session, writer, wanted) == len(ids)
        assert sorted(collection.ids(session, writer, wanted, 100)) == sorted(ids)
        chunks = [one.id for some in collection.in_chunks(session, writer, wanted, 2) for one in some]
        assert chunks == sorted(ids, reverse=True)
    return ids


def test_a_filter_leaves_what_fits_all_of_it():
    first = add("one", genre="horror", element="scene", model="groq/a", score=9.0, tags=["Sea"])
    second = add("two", genre="fantasy", element="dialogue", source="import", score=7.0, rated_at=now(), rating=3)
    third = add("three", kept=False, score=3.0, original="drei", edited_at=now(), tags=["sea", "night"])
    add("four", writer="ben", genre="horror", tags=["Sea"])
    add("", status="failed")
    assert found() == [third, second, first]
    assert found(genre=("horror",)) == [first]
    assert found(genre=("horror", "fantasy")) == [third, second, first]
    assert found(element=("dialogue",)) == [second]
    assert found(source=("import",)) == [second]
    assert found(teacher=("groq/a",)) == [first]
    assert found(status=("set_aside",)) == [third]
    assert found(status=("failed",)) == []
    assert found(low=7.0) == [second, first]
    assert found(high=7.0) == [third, second]
    assert found(low=4.0, high=8.0, rated=True) == [second]
    assert found(rated=False) == [third, first]
    assert found(edited=True) == [third]
    assert found(tag="SEA") == [third, first]
    assert found(tag=" night ") == [third]
    assert found(tag="nigh") == []
    assert found(genre=("horror",), source=("import",)) == []
    assert found(writer="nobody") == []


def test_lists_are_ordered_and_what_has_no_score_comes_last():
    low, high, none, middle = add("a", score=2.0), add("b", score=9.0), add("c", score=None), add("d", score=5.0)
    again = add("e", score=5.0)
    assert found(sort="newest") == [again, middle, none, high, low]
    assert found(sort="oldest") == [low, high, none, middle, again]
    assert found(sort="best") == [high, again, middle, low, none]
    assert found(sort="worst") == [low, middle, again, high, none]
    assert found(sort="best", source=("auto",)) == [high, again, middle, low, none]
    with pytest.raises(InvalidInput), db.reading() as session:
        collection.page(session, "ana", Filter(), "prettiest", 1, 10)


@pytest.mark.parametrize("wanted", [Filter(), Filter(source=("auto",))])
@pytest.mark.parametrize("sort", collection.SORTS)
def test_neighbours_are_those_of_the_list(sort: str, wanted: Filter):
    for number, score in enumerate((5.0, None, 7.0, 5.0, None, 2.0)):
        add(f"text {number}", score=score)
    add("foreign", writer="ben")
    with db.reading() as session:
        ids = [one.id for one in collection.page(session, "ana", wanted, sort, 1, 10)]
        for at, identity in enumerate(ids):
            expected = (ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)
            assert collection.neighbours(session, "ana", wanted, sort, identity or 0) == expected
        assert collection.neighbours(session, "ben", wanted, sort, ids[0] or 0) == (None, None)


def test_what_the_filter_left_out_meanwhile_has_neighbours_still():
    first, second, third = add("a", genre="horror"), add("b"), add("c", genre="horror")
    with db.reading() as session:
        assert collection.neighbours(session, "ana", Filter(genre=("horror",)), "newest", second) == (third, first)


def test_pages_follow_each_other():
    ids = [add(f"text {number}") for number in range(7)]
    with db.reading() as session:
        pages = [[one.id for one in collection.page(session, "ana", Filter(), "oldest", at, 3)] for at in (1, 2, 3, 4)]
    assert pages == [ids[:3], ids[3:6], ids[6:], []]


def test_words_are_found_by_their_beginnings_and_phrases_as_they_are():
    first = add("The lantern-keeper said: “No more, Örjan!”", prompt="About the sea")
    second = add("More lanterns than keepers. NO_ONE said 100% of it.", prompt="A sea")
    assert found(text="lantern keeper") == [second, first]
    assert found(text='"lantern keeper"') == [first]
    assert found(text='"keeper lantern"') == []
    assert found(text="LANT") == [second, first]
    assert found(text='"lant"') == []
    assert found(text="antern") == []
    assert found(text="about") == [first]
    assert found(text="sea keeper") == [second, first]
    assert found(text="örjan") == [first]
    assert found(text="lanterns missing") == []
    assert found(text='"no more" sea') == [first]
    assert found(text="no_one") == [second]


@pytest.mark.parametrize(
    "typed", ["%", "_", "100%", "*", "a OR b", "NEAR(a b)", "prompt:sea", "-sea", '"', '""', "^x", "\\"]
)
def test_signs_are_plain_text(typed: str):
    add("Nothing of the kind", prompt="Said plainly")
    holding = add(f"Here {typed.replace(chr(34), '')} stands", prompt="Said plainly") if typed.strip('"') else 0
    assert found(text=typed) == ([holding] if holding else [])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.text(max_size=40) | st.text(st.sampled_from("a\"*^:()-+&|!<>'\\%_ \x00\ud800"), max_size=20))
def test_whatever_is_typed_is_answered(typed: str):
    with db.reading() as session:
        assert collection.count(session, "ana", Filter(text=typed, tag=typed)) == 0


def test_words_and_tags_follow_edits_deletes_and_what_comes_back():
    first = add("An old harbour", tags=["one", "two"])
    assert (found(text="harbour"), found(tag="two")) == ([first], [first])
    with db.session() as session:
        example = session.get_one(Example, first)
        example.completion, example.tags = "A new bridge", ["two", "three"]
        session.add(example)
    assert (found(text="harbour"), found(text="bridge")) == ([], [first])
    assert (found(tag="one"), found(tag="three")) == ([], [first])
    with db.session() as session:
        row = session.get_one(Example, first).model_dump()
        change_rows.remove(session, "ana", [first])
    assert (found(text="bridge"), found(tag="two")) == ([], [])
    with db.reading() as session:
        assert session.exec(select(ExampleTag)).all() == []
        assert collection.tags(session, "ana") == []
    with db.session() as session:
        change_rows.put_back(session, [row])
    assert (found(text="bridge"), found(tag="two")) == ([first], [first])


def test_counts_teachers_and_tags_are_the_writers_own():
    add("a", model="groq/a", tags=["b", "A"])
    add("b", source="conversation", kept=False, original="x", edited_at=now())
    add("c", source="manuscript")
    add("d", source="import", original="x", edited_at=now())
    add("e", writer="ben", model="other", tags=["c"])
    add("", status="failed")
    with db.reading() as session:
        counted = collection.counts(session, "ana")
        assert (counted.total, counted.own, counted.edited) == (4, 2, 1)
        assert counted.sources == {"auto": 1, "conversation": 1, "manuscript": 1, "import": 1}
        assert counted.statuses == {"kept": 3, "set_aside": 1}
        assert collection.teachers(session, "ana") == ["groq/a"]
        assert collection.tags(session, "ana") == ["A", "b"]
        assert collection.counts(session, "nobody").total == 0


def test_another_writers_example_is_like_none():
    foreign, failed = add("a", writer="ben"), add("", status="failed")
    wanted: list[Any] = [foreign, failed, 999_999, -1, 2**80, True, "1", None]
    with db.reading() as session:
        for one in wanted:
            with pytest.raises(NotFound) as missing:
                collection.get(session, "ana", one)
            assert str(missing.value).startswith("There is no such example.")
