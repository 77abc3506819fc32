"""What a writer does with a text that a model wrote: what is learned from, what is taken back, what is chosen."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from tests.support import tuned
from tests.support.author import TEXT, Author, stand_in
from zega_core import collection, db, writing
from zega_core.catalog import Brief, load_catalog, request
from zega_core.errors import InvalidInput
from zega_core.fine_tune.data import Prepared
from zega_core.fine_tune.written import pairs_of
from zega_core.learning import prepared
from zega_core.pieces import SAME_WORDS
from zega_core.quality.agreement import KEEP
from zega_core.settings import Settings
from zega_core.store import examples
from zega_core.tables import Example, ExampleStatus, Source
from zega_core.writing_configs import WriteRequest
from zega_core.writing_tables import Take, TakeState
from zega_core.writing_words import given, is_named, label, learned, note, progress, title

EDITED = "The ferry never came. We lit the lamps all the same, and nobody laughed at us for it."
BRIEF = "A ferry that never comes."


@pytest.fixture(autouse=True)
def author(monkeypatch: pytest.MonkeyPatch) -> Author:
    return stand_in(monkeypatch, Author())


def takes(config: Settings, **values: Any) -> list[Take]:
    asked = WriteRequest.model_validate({"writer_id": "ana", "brief": BRIEF, "genre": "mystery"} | values)
    key = writing.start(asked, config).key
    assert writing.wait(key, 60)
    return again(key)


def again(key: str) -> list[Take]:
    with db.reading() as session:
        return writing.state(session, "ana", key)[1]


def one(config: Settings, **values: Any) -> int:
    return takes(config, **values)[0].id or 0


def stored() -> list[Example]:
    with db.reading() as session:
        return list(session.exec(select(Example).order_by(Example.id)).all())  # type: ignore[arg-type]


def rated(take_id: int, stars: int | None, config: Settings) -> Take:
    with db.session() as session:
        return writing.rate(session, "ana", take_id, stars, config)


def edited(take_id: int, text: str, config: Settings) -> Take:
    with db.session() as session:
        return writing.edit(session, "ana", take_id, text, config)


def rows(config: Settings) -> Prepared:
    with db.reading() as session:
        return prepared(session, "ana", config)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("stars", [4, 5])
def test_many_stars_make_an_example_with_the_prompt_that_is_trained_on(config: Settings, stars: int):
    take = rated(one(config, modifier="plain"), stars, config)
    (example,) = stored()
    assert (take.example_id, take.rating, example.rating) == (example.id, stars, stars)
    assert (example.status, example.source, example.model) == (ExampleStatus.kept, Source.rating, "local/base")
    assert (example.genre, example.element, example.modifier) == ("mystery", "scene", "plain")
    assert (example.prompt, example.completion, example.original) == (BRIEF, TEXT, None)
    assert example.quality == take.quality
    assert example.quality_report is not None
    catalog = load_catalog()
    asked = request(Brief(BRIEF, "mystery", catalog.element("scene"), catalog.modifier("plain")), catalog)
    (row,) = rows(config).rows
    assert (row.prompt, row.completion) == (asked, TEXT)
    assert asked == take.context["asked"]


@pytest.mark.usefixtures("database")
def test_few_stars_take_it_back_and_three_leave_it(config: Settings):
    take_id = one(config)
    assert rated(take_id, 3, config).example_id is None
    rated(take_id, 5, config)
    assert rated(take_id, 3, config).example_id is not None
    assert [example.rating for example in stored()] == [3]
    assert rated(take_id, None, config).rating is None
    assert [example.rating for example in stored()] == [None]
    assert rated(take_id, 2, config).example_id is None
    assert stored() == []
    rated(take_id, 4, config)
    assert [example.rating for example in stored()] == [4]
    with db.session() as session:
        assert writing.unkeep(session, "ana", take_id, config).example_id is None
        assert writing.unkeep(session, "ana", take_id, config).rating == 4
    assert stored() == []


@pytest.mark.usefixtures("database")
def test_an_edit_is_kept_and_makes_a_preference_pair(config: Settings):
    take_id = one(config)
    take = edited(take_id, EDITED, config)
    assert (take.text, take.original) == (EDITED, TEXT)
    assert take.edited_at is not None
    (example,) = stored()
    assert (example.completion, example.original, example.status) == (EDITED, TEXT, ExampleStatus.kept)
    longer = f"{EDITED} It was ours by then."
    assert edited(take_id, longer, config).original == TEXT
    (example,) = stored()
    assert (example.completion, example.original) == (longer, TEXT)
    assert list(pairs_of(stored())) == [{"prompt": BRIEF, "chosen": longer, "rejected": TEXT}]
    take = edited(take_id, TEXT, config)
    assert (take.text, take.original, take.edited_at, take.example_id) == (TEXT, None, None, None)
    assert stored() == [], "only the edit kept it"
    edited(take_id, EDITED, config)
    assert [example.completion for example in stored()] == [EDITED]


@pytest.mark.parametrize("first", ["word", "stars", "stars after it"])
def test_an_edit_that_is_taken_back_leaves_what_the_writer_kept_otherwise(config: Settings, first: str):
    take_id = one(config)
    if first == "word":
        with db.session() as session:
            writing.keep(session, "ana", take_id, config)
    elif first == "stars":
        rated(take_id, 4, config)
    edited(take_id, EDITED, config)
    edited(take_id, f"{EDITED} It was ours by then.", config)
    if first == "stars after it":
        rated(take_id, 5, config)
    take = edited(take_id, TEXT, config)
    (example,) = stored()
    assert (example.id, example.completion, example.original) == (take.example_id, TEXT, None)


def test_an_edit_that_changes_nothing_keeps_nothing(config: Settings):
    assert edited(one(config), f" {TEXT}\n", config).example_id is None
    assert stored() == []


def test_an_edit_after_stars_stays_with_its_example(config: Settings):
    take_id = one(config)
    rated(take_id, 5, config)
    edited(take_id, EDITED, config)
    (example,) = stored()
    assert (example.completion, example.original, example.rating) == (EDITED, TEXT, 5)


@pytest.mark.parametrize(("text", "said"), [("", "empty text"), (" \x00\n", "empty text"), ("a" * 20_001, "20,000")])
def test_what_cannot_be_saved_is_refused_and_nothing_is_lost(config: Settings, text: str, said: str):
    take_id = one(config)
    with pytest.raises(InvalidInput, match=said):
        edited(take_id, text, config)
    assert stored() == []


@pytest.mark.parametrize("stars", [0, 6, True, 2.5, "5"])
def test_what_are_no_stars_is_refused(config: Settings, stars: Any):
    take_id = one(config)
    with pytest.raises(InvalidInput, match="1 to 5 stars"):
        rated(take_id, stars, config)


def test_what_is_being_written_or_is_empty_cannot_be_kept(config: Settings, monkeypatch: pytest.MonkeyPatch):
    stand_in(monkeypatch, Author(pieces=()))
    empty = one(config)
    with db.session() as session, pytest.raises(InvalidInput, match="no text here"):
        writing.keep(session, "ana", empty, config)
    with db.session() as session:
        session.get_one(Take, empty).state = TakeState.writing
    with db.session() as session, pytest.raises(InvalidInput, match="still being written"):
        writing.rate(session, "ana", empty, 5, config)


def test_the_very_words_of_a_kept_example_are_kept_once(config: Settings):
    first, second = one(config), one(config)
    with db.session() as session:
        kept = writing.keep(session, "ana", first, config)
        assert writing.keep(session, "ana", first, config).id == kept.id
    with db.session() as session:
        session.get_one(Example, kept.id).source = Source.auto
    with db.session() as session:
        twin = writing.keep(session, "ana", second, config)
        assert (twin.status, twin.reason, twin.duplicate_of) == (ExampleStatus.set_aside, SAME_WORDS, kept.id)
        assert "not learned from" in learned(session.get_one(Take, second), twin)


def test_what_undo_brought_back_is_found_again(config: Settings):
    take_id = one(config)
    rated(take_id, 5, config)
    rated(take_id, 1, config)
    with db.session() as session:
        assert collection.undo(session, "ana", config) == "The example is back."
    take = rated(take_id, 5, config)
    (example,) = stored()
    assert (take.example_id, example.status) == (example.id, ExampleStatus.kept)


def test_what_was_excluded_among_the_examples_is_kept_again_by_a_word(config: Settings):
    take_id = one(config)
    take = rated(take_id, 5, config)
    with db.session() as session:
        collection.exclude(session, "ana", [take.example_id or 0], config)
    with db.session() as session:
        assert writing.keep(session, "ana", take_id, config).status == ExampleStatus.kept
        assert writing.keep(session, "ana", take_id, config).decision == KEEP
    with db.session() as session:
        collection.exclude(session, "ana", [take.example_id or 0], config)
    rated(take_id, 4, config)
    assert [(example.status, example.rating) for example in stored()] == [(ExampleStatus.kept, 4)]


def test_a_text_that_goes_on_has_the_request_as_its_prompt(config: Settings):
    take = rated(one(config, task="continue", brief="", given="He ran. " * 900), 5, config)
    (example,) = stored()
    assert (example.element, example.genre) == ("", "mystery")
    assert example.prompt == take.context["asked"]
    assert len(example.prompt) < collection.LONGEST_PROMPT
    assert [row.prompt for row in rows(config).rows] == [example.prompt]


def test_a_request_that_is_deleted_leaves_its_examples(config: Settings):
    take = rated(one(config), 5, config)
    with db.session() as session:
        key = session.exec(select(writing.Writing.key)).one()
        writing.delete(session, "ana", key)
    assert [example.id for example in stored()] == [take.example_id]
    with db.reading() as session:
        assert examples.count_kept(session, "ana") == 1


@pytest.mark.usefixtures("database")
def test_a_text_is_a_story_once_and_another_one_after_an_edit(config: Settings):
    take_id = one(config)
    with db.session() as session:
        story = writing.save_story(session, "ana", take_id, "The ferry", config)
        assert writing.save_story(session, "ana", take_id, "The ferry", config).id == story.id
    assert (story.title, story.body, story.genre, story.element) == ("The ferry", TEXT, "mystery", "scene")
    assert stored() == []
    edited(take_id, EDITED, config)
    with db.session() as session:
        other = writing.save_story(session, "ana", take_id, "", config)
        assert session.get_one(Take, take_id).story_id == other.id
    assert (other.body, other.example_id) == (EDITED, stored()[0].id)
    assert other.id != story.id


# ------------------------------------------------------------------------------------------------------------ choosing


@pytest.mark.usefixtures("database")
def test_a_blind_choice_names_both_and_stands(config: Settings):
    tuned.version(config, "ana", promote=True)
    both = takes(config, authors=("custom", "base"), blind=True)
    assert [label(take, both) for take in both] == ["First text", "Second text"]
    assert [note(take, both) for take in both] == ["", ""]
    assert not is_named(both[0], both)
    with db.session() as session:
        after = writing.choose(session, "ana", both[1].id or 0)
    assert [take.chosen for take in after] == [False, True]
    assert {label(take, after) for take in after} == {"Your model · v1", "Base model"}
    with db.session() as session, pytest.raises(InvalidInput, match="That stands"):
        writing.choose(session, "ana", both[0].id or 0)
    with db.session() as session:
        assert [take.chosen for take in writing.choose(session, "ana", both[1].id or 0)] == [False, True]


def test_an_open_choice_can_be_changed(config: Settings):
    both = takes(config, authors=("custom", "base"))
    assert all(is_named(take, both) for take in both)
    for chosen in (0, 1):
        with db.session() as session:
            after = writing.choose(session, "ana", both[chosen].id or 0)
        assert [take.chosen for take in after] == [chosen == 0, chosen == 1]


def test_one_alone_is_no_choice(config: Settings):
    take_id = one(config)
    with db.session() as session, pytest.raises(InvalidInput, match="no two texts"):
        writing.choose(session, "ana", take_id)


# --------------------------------------------------------------------------------------------------------------- words


def test_a_blind_pair_of_which_one_failed_is_named():
    good, bad = (Take(number=n, pair=1, blind=True, label=f"M{n}", key="", writing_id=1, user_id="a") for n in (1, 2))
    good.state, good.text, bad.state, bad.error = TakeState.done, "Text.", TakeState.failed, "v3 is damaged."
    assert [label(take, [good, bad]) for take in (good, bad)] == ["M1", "M2"]
    assert progress(bad) == "v3 is damaged."
    assert progress(good).startswith("1 word, written in ")


def test_what_a_row_holds_is_said_whatever_it_is(config: Settings):
    (take,) = takes(config)
    assert given(take) == ""
    take.context = {"hints": ["a", "b"], "recalled": [{}]}
    assert given(take) == "The model was also given 2 style hints and 1 remembered text."
    for strange in ({"hints": 3}, [], None, {"recalled": "x"}):
        take.context = strange  # type: ignore[assignment]
        assert given(take) == ""
    take.state, take.text = TakeState.writing, ""
    assert progress(take) == "Waiting for the model."
    assert title(writing.Writing(task="continue", given="He ran. " * 40, key="", user_id="a")).startswith(
        "Continue: He ran."
    )
    assert len(title(writing.Writing(task="write", brief="word " * 400, key="", user_id="a"))) < 80
