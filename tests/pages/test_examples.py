"""The Examples page: found, read, changed in place and in bulk, undone, imported, exported; only one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.support.written import stored, written
from zega_core import db
from zega_core.errors import HomeError
from zega_core.settings import Settings
from zega_core.store import collection
from zega_core.tables import ExampleStatus, Source, now
from zega_ui import example_bulk, example_import_run

HOSTILE = "<script>alert(1)</script> :red[x] **bold** $5 [link](javascript:x) `code` -- -> # head"


@pytest.fixture(autouse=True)
def nothing_imported() -> Iterator[None]:
    yield
    example_import_run.put_away("default")


def page(app: AppTest, **address: object) -> AppTest:
    for name, value in address.items():
        app.query_params[name] = value  # type: ignore[assignment]
    return app.switch_page("pages/examples.py").run()


def rows(app: AppTest) -> list[str]:
    """The first words that the list shows."""
    return [str(button.label) for button in app.button if str(button.key).startswith("open-")]


def drawer(app: AppTest) -> AppTest:
    """The filters are drawn while their popover is open."""
    app.session_state["examples-filter"] = True
    return app.run()


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def test_without_examples_the_page_says_where_they_come_from(app: AppTest):
    page(app)
    assert "No examples yet" in all_text(app)
    assert "could not be drawn" not in all_text(app)
    assert {link.label for link in app.page_link} >= {"Answer ZEGA's questions", "Let teachers write"}


def test_the_newest_are_listed_a_page_at_a_time_with_what_there_is(app: AppTest):
    written(20)
    for number in range(10):
        written(1, source=Source.conversation, model=None, completion=f"My answer {number}.")
    page(app)
    assert len(rows(app)) == 25
    assert "1–25 of 30" in all_text(app)
    assert "30 kept · 0 set aside · 10 in your own words" in all_text(app)
    app.pagination[0].set_value(2).run()
    assert len(rows(app)) == 5
    assert app.query_params["page"] == "2"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"genre": "horror"}, 2),
        ({"genre": ["horror", "unknown"]}, 3),
        ({"source": "conversation"}, 1),
        ({"state": "set_aside"}, 1),
        ({"low": "8"}, 2),
        ({"high": "7"}, 1),
        ({"rated": "yes"}, 1),
        ({"rated": "no", "genre": "fantasy"}, 3),
        ({"text": "cellar"}, 2),
        ({"tag": "dusk"}, 1),
        ({"teacher": "groq/a"}, 1),
    ],
)
def test_the_address_narrows_what_is_listed(app: AppTest, address: dict[str, object], expected: int):
    written(1, genre="horror", quality=9.0, completion="The cellar was dry.", rating=4, rated_at=now())
    written(1, genre="horror", quality=8.0, completion="The cellar was wet.", model="groq/a")
    written(1, genre="", element="", source=Source.conversation, completion="Mine.", tags=["dusk"])
    written(1, quality=6.0, status=ExampleStatus.set_aside, completion="Set aside.")
    written(2)
    page(app, **address)
    assert len(rows(app)) == expected
    press(app, "show-all")
    assert len(rows(app)) == 6
    assert not set(address) & set(app.query_params)


def test_a_filter_that_is_chosen_goes_into_the_address_and_is_counted(app: AppTest):
    written(3, genre="horror")
    written(1, genre="", element="", completion="Unknown kind.")
    written(1, completion="", status=ExampleStatus.failed, genre="")
    page(app)
    drawer(app).multiselect(key="examples-genre").set_value(["horror"]).run()
    assert app.query_params["genre"] == "horror"
    assert len(rows(app)) == 3
    assert "3 examples: Horror" in all_text(app).replace("\\", "")
    drawer(app).slider(key="examples-score").set_value((8.0, 10.0)).run()
    assert app.query_params["low"] == "8"
    assert "No example matches" in all_text(app)
    press(drawer(app), "clear-filters")
    assert len(rows(app)) == 4


def test_a_search_begins_at_the_first_page_and_forgets_what_was_chosen(app: AppTest):
    written(30)
    page(app, page="2")
    app.checkbox(key="examples-here-all").check().run()
    assert "5 chosen" in all_text(app)
    app.text_input(key="examples-text").set_value("lamp").run()
    assert "page" not in app.query_params
    assert "chosen" not in all_text(app)


def test_the_order_can_be_chosen(app: AppTest):
    written(1, quality=6.0, completion="Middling.")
    written(1, quality=9.0, completion="Splendid.")
    page(app, sort="worst")
    assert rows(app)[0].startswith("Middling")
    app.selectbox(key="examples-sort").set_value("best").run()
    assert rows(app)[0].startswith("Splendid")
    assert app.query_params["sort"] == "best"


@pytest.mark.parametrize("value", ["x" * 10_000, "'; DROP TABLE example; --", "\x00", "-1", "9" * 40, "nan", "½", "%"])
def test_a_hostile_address_is_no_error(app: AppTest, value: str):
    written(2)
    names = ("source", "genre", "element", "teacher", "state", "tag", "low", "high", "rated", "edited", "sort", "page")
    page(app, **dict.fromkeys([*names, "example"], value))
    assert not app.exception
    assert "could not be drawn" not in all_text(app)
    page(app, text=value, **dict.fromkeys(names, ""))
    assert not app.exception
    assert "could not be drawn" not in all_text(app)


def test_scores_the_wrong_way_round_narrow_nothing(app: AppTest):
    written(2)
    page(app, low="9", high="3")
    assert len(rows(app)) == 2


def test_an_example_opens_whole_with_what_was_asked(app: AppTest):
    text = ("A long night. " * 1400).strip()
    (one,) = written(1, completion=text, prompt="What is it like?", tags=["night"])
    press(page(app), f"open-{one}")
    assert app.query_params["example"] == str(one)
    assert text in [block.value for block in app.text]
    assert "Asked for: What is it like?" in all_text(app)
    assert app.multiselect(key=f"example-tags-{one}").value == ["night"]


def test_of_a_text_beyond_all_measure_the_beginning_is_shown_first(app: AppTest):
    text = ("word " * 30_000).strip()
    (one,) = written(1, completion=text)
    page(app, example=str(one))
    assert text not in [block.value for block in app.text]
    app.checkbox(key=f"whole-example-{one}").check().run()
    assert text in [block.value for block in app.text]


def test_markup_in_a_text_is_shown_as_it_was_written(app: AppTest):
    (one,) = written(1, completion=HOSTILE, prompt=HOSTILE, tags=[":red[t]"], origin=HOSTILE, model="")
    page(app, example=str(one))
    assert HOSTILE in [block.value for block in app.text]
    assert f"Asked for: {HOSTILE}" in [block.value for block in app.text]
    for shown in (*rows(app), *(str(box.label) for box in app.checkbox), *(str(one.value) for one in app.caption)):
        assert "<script>" not in shown
        assert ":red[" not in shown
        assert "--" not in shown.replace("\\", ""), "Streamlit would make a dash of it"


def test_another_writers_example_is_answered_like_a_missing_one(app: AppTest):
    written(1)
    (theirs,) = written(1, "ana", completion="A secret.")
    page(app, example=str(theirs))
    said = all_text(app)
    app.query_params["example"] = "999999"
    app.run()
    assert all_text(app) == said
    assert "There is no such example" in said
    assert "A secret." not in said


def test_next_and_previous_go_through_all_that_matches(app: AppTest):
    ids = written(27)[::-1]
    written(1, genre="horror", completion="Not among them.")
    page(app, genre="fantasy", example=str(ids[24]))
    press(app, "next")
    assert app.query_params["example"] == str(ids[25])
    assert app.query_params["page"] == "2"
    press(app, "next")
    assert app.button(key="next").disabled
    press(app, "previous")
    press(app, "previous")
    assert app.query_params["example"] == str(ids[24])
    assert "page" not in app.query_params


def test_an_edit_keeps_both_texts_and_can_be_undone(app: AppTest):
    (one,) = written(1, completion="The rain fell on the roof of the old mill.")
    press(page(app, example=str(one)), "edit")
    app.text_area(key=f"edit-text-{one}").set_value("Rain drummed on the mill until the wheel gave up turning.")
    press(app, "save-edit")
    found = stored(one)
    assert found is not None
    assert found.original == "The rain fell on the roof of the old mill."
    shown = [block.value for block in app.text]
    assert {found.original, found.completion} <= set(shown)
    press(app, "undo")
    found = stored(one)
    assert found is not None
    assert found.original is None
    assert found.completion == "The rain fell on the roof of the old mill."


def test_a_refused_edit_stays_in_its_field(app: AppTest):
    (one,) = written(1)
    press(page(app, example=str(one)), "edit")
    too_long = "x" * 20_001
    app.text_area(key=f"edit-text-{one}").set_value(too_long)
    press(app, "save-edit")
    assert "20,000" in all_text(app)
    assert app.text_area(key=f"edit-text-{one}").value == too_long
    press(app, "cancel-edit")
    assert not app.text_area


def test_stars_tags_and_the_decision_are_stored(app: AppTest):
    (one,) = written(1, quality=8.0)
    page(app, example=str(one))
    app.feedback[0].set_value(3).run()
    assert getattr(stored(one), "rating", None) == 4
    app.multiselect(key=f"example-tags-{one}").set_value(["dusk"]).run()
    assert getattr(stored(one), "tags", None) == ["dusk"]
    press(app, "exclude")
    assert getattr(stored(one), "status", None) == ExampleStatus.set_aside
    assert app.button(key="exclude").disabled
    press(app, "include")
    assert getattr(stored(one), "status", None) == ExampleStatus.kept
    for _ in range(4):
        press(app, "undo")
    found = stored(one)
    assert found is not None
    assert (found.rating, found.tags, found.status) == (None, [], ExampleStatus.kept)
    assert not [button for button in app.button if button.key == "undo"]


def test_deleting_goes_on_with_the_next_and_undo_brings_it_back(app: AppTest):
    older, newer = written(2)
    page(app, example=str(newer))
    press(app, "delete")
    assert stored(newer) is None
    assert app.query_params["example"] == str(older)
    press(app, "undo")
    assert stored(newer) is not None


def test_what_is_ticked_is_changed_together(app: AppTest):
    ids = written(3, quality=8.0)
    page(app)
    for identity in ids[:2]:
        app.checkbox(key=f"tick-{identity}").check().run()
    assert "2 chosen" in all_text(app)
    press(app, "bulk-exclude")
    assert [getattr(stored(one), "status", None) for one in ids] == ["set_aside", "set_aside", "kept"]
    app.text_input(key="bulk-tags").set_value("dusk, mill")
    press(app, "bulk-tag-add")
    assert getattr(stored(ids[0]), "tags", None) == ["dusk", "mill"]
    next(one for one in app.feedback if one.key == "bulk-stars").set_value(4).run()
    assert [getattr(stored(one), "rating", None) for one in ids] == [5, 5, None]
    for _ in range(3):
        press(app, "undo")
    assert [getattr(stored(one), "status", None) for one in ids] == ["kept"] * 3


def test_all_that_match_can_be_deleted_with_their_number_said_first(app: AppTest):
    horror = written(30, genre="horror")
    (other,) = written(1, completion="Another genre.")
    page(app, genre="horror")
    press(app, "choose-all")
    assert app.button(key="bulk-delete").label == "Delete 30 examples"
    press(app, "bulk-delete")
    assert all(stored(one) is None for one in horror)
    assert stored(other) is not None
    assert "No example matches" in all_text(app)
    press(app, "undo")
    assert all(stored(one) is not None for one in horror)


def test_after_deleting_everything_nothing_is_counted_and_undo_is_still_there(app: AppTest):
    ids = written(30)
    page(app)
    press(app, "choose-all")
    press(app, "bulk-delete")
    assert "No examples yet" in all_text(app)
    assert "30 kept" not in all_text(app)
    assert app.run().button(key="undo").label == "Undo deleting (30 examples)"
    press(app, "undo")
    assert all(stored(one) is not None for one in ids)
    assert "30 kept" in all_text(app)


def test_what_is_set_aside_is_said_in_words(app: AppTest):
    (identity,) = written(
        1, quality=5.0, status=ExampleStatus.set_aside, original="It was dark.", completion="No lamp was lit."
    )
    page(app, example=str(identity))
    assert "Set aside · 5.0" in app.checkbox(key=f"tick-{identity}").label.replace("\\", "")
    assert "it is not learned from" in all_text(app)
    assert "this is learned from" not in all_text(app)


def test_ticks_of_another_writer_change_nothing_of_theirs(app: AppTest):
    (theirs,) = written(1, "ana", completion="Hers.")
    (mine,) = written(1)
    page(app)
    app.session_state["examples-chosen"] = {theirs, mine}
    app.run()
    press(app, "bulk-delete")
    assert stored(theirs) is not None
    assert stored(mine) is None


def test_what_one_writer_chose_is_not_chosen_for_another(app: AppTest):
    written(2)
    page(app)
    app.checkbox(key="examples-here-all").check().run()
    app.text_input(key="new_writer").set_value("ana").run()
    press(app, "add_writer")
    written(2, "ana")
    app.run()
    assert len(rows(app)) == 2
    assert "chosen" not in all_text(app)


def test_a_database_that_cannot_be_used_is_told_in_words(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    written(1)

    def broken(*arguments: object) -> None:
        raise HomeError("The disk is full. Free some space.")

    monkeypatch.setattr(collection, "page", broken)
    page(app)
    assert "The disk is full. Free some space." in all_text(app)
    assert not app.exception


def test_an_export_has_what_matches_or_what_is_chosen(config: Settings):
    horror = written(3, genre="horror")
    written(2)
    found = collection.Filter(genre=("horror",))
    lines = example_bulk.file("default", found, (), "jsonl").splitlines()
    assert len(lines) == 3
    assert {"prompt", "completion"} <= set(json.loads(lines[0]))
    assert len(example_bulk.file("default", found, tuple(horror[:2]), "jsonl").splitlines()) == 2
    assert example_bulk.file("default", found, (), "csv").count(b"\n") >= 4


def imported(app: AppTest, data: bytes, own: bool, name: str = "pairs.csv") -> None:
    page(app, tab="Import")
    app.file_uploader[0].set_value((name, data, "text/csv")).run()
    app.radio(key="import-own").set_value(own).run()
    press(app, "import-start")
    run = example_import_run.latest("default")
    assert run is not None
    assert run.thread is not None
    run.thread.join(60)
    app.run()


PAIRS = (
    "question,answer,mood\n"
    '"What is fog?","Fog is a cloud that came down to see what all the walking was about.",calm\n'
    ',"An answer to nothing at all, kept for the sake of the argument.",calm\n'
    '"What is snow?","Snow is the sky clearing its desk, a little at a time, all night.",cold\n'
)


def test_a_file_is_imported_with_its_columns_guessed_and_its_errors_by_row(app: AppTest):
    imported(app, PAIRS.encode(), own=True)
    said = all_text(app)
    assert "2 pairs kept" in said
    assert "Row 3: What was asked is empty." in said.replace("\\", "")
    with db.reading() as session:
        assert collection.counts(session, "default").own == 2
    press(app, "import-again")
    assert app.file_uploader


def test_the_same_file_again_adds_nothing(app: AppTest):
    imported(app, PAIRS.encode(), own=False)
    press(app, "import-again")
    imported(app, PAIRS.encode(), own=False)
    assert "2 there already" in all_text(app)
    with db.reading() as session:
        assert collection.count(session, "default", collection.Filter()) == 2


def test_nothing_is_imported_before_it_is_said_whose_words_they_are(app: AppTest):
    page(app, tab="Import")
    app.file_uploader[0].set_value(("pairs.csv", PAIRS.encode(), "text/csv")).run()
    assert app.button(key="import-start").disabled
    assert "Say whose words they are." in all_text(app)


def test_chats_need_no_columns(app: AppTest):
    turns = [{"role": "user", "content": "What is dusk?"}, {"role": "assistant", "content": "Dusk is the day's coat."}]
    imported(app, json.dumps({"messages": turns}).encode(), own=True, name="chats.jsonl")
    assert "1 pair kept" in all_text(app)


@pytest.mark.parametrize("data", [b"", b"\x00\xff\xfe\x00" * 50, b"\x89PNG\r\n\x1a\n" + bytes(range(256))])
def test_a_file_that_is_none_is_told_in_words(app: AppTest, data: bytes):
    page(app, tab="Import")
    app.file_uploader[0].set_value(("pairs.csv", data, "text/csv")).run()
    assert not app.exception
    assert "could not be drawn" not in all_text(app)
    assert "cannot be read" in all_text(app) or app.button(key="import-start").disabled
