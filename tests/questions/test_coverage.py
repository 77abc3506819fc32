"""What is missing is found, the most wanted first, and said in a sentence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zega_core.catalog import load_catalog
from zega_core.questions.coverage import coverage, in_words, lacks, works_in

GENRES = [genre.key for genre in load_catalog().genres]
ELEMENTS = [element.key for element in load_catalog().elements]
MOODS = [modifier.key for modifier in load_catalog().modifiers]
Row = tuple[str, str, str | None, int]


def full(genres: list[str], times: int = 3) -> list[Row]:
    """Everything that there is in these genres, each mood and length among it."""
    cells = [(genre, element) for genre in genres for element in ELEMENTS] * times
    lengths = (40, 100, 200)
    return [(genre, element, MOODS[n % len(MOODS)], lengths[n % 3]) for n, (genre, element) in enumerate(cells)]


def test_everything_is_counted():
    found = coverage([("horror", "scene", "wit", 59), ("horror", "scene", None, 60), ("", "", None, 180)])
    assert found.total == 3
    assert found.cells == {("horror", "scene"): 2, ("", ""): 1}
    assert found.moods == {"wit": 1}
    assert found.lengths == {"short": 1, "middle": 1, "long": 1}


def test_a_writer_with_nothing_lacks_everything():
    missing = lacks(coverage([]))
    assert {(one.genre, one.element) for one in missing if one.element} == {(g, e) for g in GENRES for e in ELEMENTS}
    assert {one.modifier for one in missing if one.modifier} == set(MOODS)
    assert {one.length for one in missing if one.length} == {"short", "middle", "long"}


def test_the_gap_in_the_writers_own_genre_comes_first_and_is_said():
    rows = [row for row in full(["horror", "mystery"]) if row[:2] != ("horror", "dialogue")]
    first = lacks(coverage(rows))[0]
    assert (first.genre, first.element) == ("horror", "dialogue")
    assert first.words_for_it == "You have no horror dialogue yet."


def test_genres_that_are_named_come_before_those_that_the_writer_has():
    missing = lacks(coverage(full(["horror"])), genres=["romance"])
    assert {one.genre for one in missing[: len(ELEMENTS)]} == {"romance"}


def test_too_few_are_missing_too_after_what_there_is_none_of():
    rows = [*full(["horror"], times=10), ("horror", "scene", None, 100)]
    rows = [row for row in rows if row[1] not in ("dialogue", "setting")] + [("horror", "dialogue", None, 100)] * 2
    cells = [one for one in lacks(coverage(rows)) if one.genre == "horror"]
    assert [one.element for one in cells] == ["setting", "dialogue"]
    assert cells[1].words_for_it == "You have only 2 horror dialogues so far."


def test_moods_and_lengths_are_said():
    rows = [(genre, element, None, 100) for genre in GENRES for element in ELEMENTS] * 4
    said = {one.words_for_it for one in lacks(coverage(rows))}
    assert "You have nothing with dry humour yet." in said
    assert "You have nothing of fewer than 60 words yet." in said
    assert not any("60 to 179" in one for one in said)


def test_who_has_everything_lacks_nothing():
    assert lacks(coverage(full(GENRES))) == []


def test_of_no_genre_only_elements_are_missing():
    rows: list[Row] = [("", "scene", None, 100)] * 9
    cells = [one for one in lacks(coverage(rows), genres=[""]) if one.element]
    assert {one.element for one in cells} == {"character", "dialogue", "setting"}
    assert cells[0].words_for_it == f"You have no {cells[0].element} yet."


def test_the_genre_with_most_examples_is_worked_in_most():
    assert works_in(coverage([*full(["horror"]), *full(["romance"], 5), ("", "scene", None, 9)])) == [
        "romance",
        "horror",
    ]


def test_the_map_in_words_names_every_genre():
    said = in_words(coverage([("horror", "scene", None, 50)] * 4))
    assert "Horror: 4 scene" in said
    assert said.count("nothing yet") == len(GENRES) - 1


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9), st.none() | st.text(max_size=9), st.integers(0))))
def test_rows_of_any_kind_are_no_error(rows: list[Row]):
    found = coverage(rows)
    assert found.total == len(rows) == sum(found.cells.values())
    assert all(one.words_for_it for one in lacks(found))
