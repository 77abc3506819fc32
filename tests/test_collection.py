"""What a writer does to examples, one or many at a time, and that all of it can be undone."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, delete, select

from tests.support.scored import add, all_pieces, piece, says, told
from tests.support.teachers import story
from zega_core import answering, changes, collection, db, rating
from zega_core.conversation_tables import Conversation, ExampleChange, Turn
from zega_core.errors import InvalidInput, NotFound
from zega_core.settings import get_settings
from zega_core.store import collection as rows
from zega_core.store import examples, runs, tastes, writers
from zega_core.store.collection import Filter
from zega_core.tables import Example, ExampleStatus, ExampleTag, Memory, RunStatus, Source, Story, TrainingSession, now

pytestmark = pytest.mark.usefixtures("database")
KEPT, ASIDE = ExampleStatus.kept, ExampleStatus.set_aside


@pytest.fixture(autouse=True)
def plain_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The score is the number that a text begins with."""
    monkeypatch.setattr(collection, "score", told)
    monkeypatch.setattr(answering, "score", told)


def do(name: str, *arguments: Any, writer: str = "ana", **more: Any) -> str:
    settings_ = () if name == "tag" else (get_settings(),)
    with db.session() as session:
        return getattr(collection, name)(session, writer, *arguments, *settings_, **more)


def undo(writer: str = "ana") -> str:
    return do("undo", writer=writer)


def test_an_edit_is_scored_and_its_first_text_stays_beside_it():
    first = add(says(8, 1), score=8.0, judge_score=4.0)
    assert do("edit_text", first, f"  {says(9, 2)}\r\n") == "Saved."
    found = piece(first)
    assert (found.completion, found.original, found.quality) == (says(9, 2), says(8, 1), 9.0)
    assert found.edited_at is not None
    assert (found.status, found.judge_score) == (KEPT, None)
    do("edit_text", first, says(9.5, 3))
    assert piece(first).original == says(8, 1)


def test_editing_back_to_the_first_text_clears_it():
    first = add(says(8, 1))
    do("edit_text", first, says(9, 2))
    do("edit_text", first, says(8, 1))
    assert (piece(first).original, piece(first).edited_at, piece(first).completion) == (None, None, says(8, 1))


def test_the_same_text_is_no_change():
    first = add(says(8, 1))
    assert do("edit_text", first, says(8, 1)) == "Nothing was changed."
    assert undo() == ""


def test_what_was_asked_can_be_edited_too():
    first = add(says(8, 1))
    do("edit_text", first, says(8, 1), prompt=" Another question ")
    assert (piece(first).prompt, piece(first).original) == ("Another question", None)
    undo()
    assert piece(first).prompt == "A keeper mends a lantern"


def test_an_edit_moves_a_teachers_piece_by_its_score_and_never_own_words():
    taught = add(says(8, 1))
    own = add(says(8, 2), source=Source.manuscript)
    assert do("edit_text", taught, says(2, 3)) == "Saved. It is set aside now: 2.0 is below 7.0. It is as it is."
    assert do("edit_text", own, says(2, 4)) == "Saved."
    assert do("edit_text", taught, says(7.5, 5)) == "Saved. It is kept now."


def test_an_edit_that_repeats_a_kept_piece_is_set_aside_and_that_is_said():
    add(says(8, 1))
    second, third = add(says(8, 2), source=Source.manuscript), add(says(8, 3))
    said = do("edit_text", second, says(8, 1))
    assert said == "Saved. It is set aside now: These are the words of a piece you have already kept."
    assert do("edit_text", third, says(8, 1) + " And then it rained.").startswith(
        "Saved. It is set aside now: 100% of it"
    )
    undo()
    undo()
    assert [one["status"] for one in all_pieces()] == [KEPT] * 3


def test_what_the_writer_decided_outweighs_the_score_of_an_edit():
    first, second = add(says(8, 1)), add(says(2, 2), kept=False, score=2.0)
    do("exclude", [first])
    do("include", [second])
    assert do("edit_text", first, says(9, 3)) == "Saved. It stays set aside: You discarded it."
    assert do("edit_text", second, says(1, 4)) == "Saved."
    assert piece(second).status == KEPT


def test_an_edited_answer_is_too_short_as_a_new_one_would_be():
    first = add(says(8, 1), source=Source.conversation)
    assert do("edit_text", first, "8 words it is not").startswith("Saved. It is set aside now: Too short")
    assert do("edit_text", first, says(3, 2)) == "Saved. It is kept now."


@pytest.mark.parametrize("text", ["", "  \n", "\x00", "x" * 20_001])
def test_a_text_that_cannot_be_is_refused_and_nothing_is_changed(text: str):
    first = add(says(8, 1))
    before = all_pieces()
    with pytest.raises(InvalidInput):
        do("edit_text", first, text)
    with pytest.raises(InvalidInput):
        do("edit_text", first, says(8, 2), prompt=text)
    assert all_pieces() == before
    assert undo() == ""


def test_another_writers_example_is_like_none():
    foreign, mine = add(says(8, 1), writer="ben"), add(says(8, 2))
    with db.session() as session, pytest.raises(NotFound) as missing:
        collection.edit_text(session, "ana", 999_999, "Words", get_settings())
    with db.session() as session, pytest.raises(NotFound) as theirs:
        collection.edit_text(session, "ana", foreign, "Words", get_settings())
    assert str(missing.value) == str(theirs.value)
    before = all_pieces("ben")
    ids: list[Any] = [foreign, mine, mine, 999_999, -1, 2**70, True, "1", None]
    assert do("rate", ids, 4) == "1 example rated with 4 stars."
    assert do("tag", ids, ["Sea"]) == "The tags of 1 example are changed."
    assert do("exclude", ids) == "1 example excluded."
    assert do("include", ids) == "1 example included."
    assert do("delete", ids) == "1 example deleted."
    assert do("delete", [foreign]) == "Nothing was changed."
    assert all_pieces("ben") == before


def test_stars_are_given_and_taken_back():
    first, second = add(says(8, 1)), add(says(8, 2))
    assert do("rate", [first, second], 5) == "2 examples rated with 5 stars."
    assert do("rate", [first, second], 5) == "Nothing was changed."
    assert piece(first).rated_at is not None
    assert do("rate", [first], None) == "1 example lost their stars."
    assert (piece(first).rating, piece(first).rated_at) == (None, None)
    assert undo() == "The stars of the example are as they were."
    assert piece(first).rating == 5


@pytest.mark.parametrize("stars", [0, 6, True, 2.5, "3"])
def test_there_are_one_to_five_stars(stars: Any):
    with pytest.raises(InvalidInput):
        do("rate", [add(says(8, 1))], stars)


def test_tags_are_trimmed_and_their_case_is_kept_but_not_compared():
    first, second = add(says(8, 1)), add(says(8, 2))
    do("tag", [first], ["  Night  scene ", "Örtlich"])
    assert piece(first).tags == ["Night scene", "Örtlich"]
    do("tag", [first, second], ["NIGHT SCENE", "örtlich", "new"])
    assert piece(first).tags == ["Night scene", "Örtlich", "new"]
    assert piece(second).tags == ["Night scene", "Örtlich", "new"]
    with db.reading() as session:
        assert rows.tags(session, "ana") == ["new", "Night scene", "Örtlich"]
    do("tag", [first], [], ["night SCENE"])
    assert piece(first).tags == ["Örtlich", "new"]
    undo()
    assert piece(first).tags == ["Night scene", "Örtlich", "new"]


@pytest.mark.parametrize("tag", ["", "  ", "x" * 41, "a, b", None])
def test_a_tag_that_cannot_be_is_refused(tag: Any):
    with pytest.raises(InvalidInput):
        do("tag", [add(says(8, 1))], [tag])


def test_an_example_has_twenty_tags_at_most():
    first, second = add(says(8, 1)), add(says(8, 2))
    do("tag", [first], [f"t{number}" for number in range(20)])
    with pytest.raises(InvalidInput, match="20 tags"):
        do("tag", [first], ["more"])
    said = do("tag", [first, second], ["more"])
    assert said.startswith("The tags of 1 example are changed. 1 example stayed as before.")
    assert len(piece(first).tags) == 20


def test_of_two_with_the_same_words_one_is_included():
    first = add(says(5, 1), kept=False)
    second = add(says(5, 1), kept=False)
    assert do("include", [first, second]) == (
        "1 example included. 1 example stayed set aside: it has the words of a piece you have already kept."
    )
    assert (piece(first).status, piece(second).status, piece(second).duplicate_of) == (KEPT, ASIDE, first)


def prepare(shift: int = 0) -> list[int]:
    """Examples of all kinds, some of them of a session that is remembered."""
    with db.session() as session:
        session.exec(delete(Turn))
        session.exec(delete(Conversation))
        session.exec(delete(Memory))
        session.exec(delete(Story))
        session.exec(delete(ExampleChange))
        session.exec(delete(ExampleTag))
        session.exec(delete(Example))
        session.exec(delete(TrainingSession))
    add(says(8, 90 + shift), writer="ben")
    first = add(says(8, 1), tags=["one"])
    with db.session() as session:
        run = TrainingSession(
            user_id="ana",
            session_id="s1",
            num_examples_requested=3,
            genres_selected=["fantasy"],
            seed=1,
            order_seed=1,
            draw_from={},
            teacher="storyteller",
            started_at=now(),
            status=RunStatus.done,
            stored_in_memory=True,
        )
        session.add(run)
        session.flush()
        number = run.id or 0
    ids = [
        first,
        add(says(8, 2), session_id=number, idx=0, score=8.0),
        add(says(6, 3), session_id=number, idx=1, score=6.0, kept=False),
        add(says(8, 2), session_id=number, idx=2, score=8.0, kept=False, reason="same", duplicate_of=first),
        add(says(3, 5), source=Source.conversation, score=3.0, rating=2, rated_at=now()),
        add(says(9, 6), source=Source.imported, score=9.0, decision="keep", rated_at=now()),
        add(says(9, 7), score=9.0, kept=False, decision="discard", rated_at=now(), reason="You discarded it."),
    ]
    with db.session() as session:
        examples.remember(session, session.get_one(Example, ids[1]))
        examples.add_story(session, session.get_one(Example, ids[1]), "A title")
        session.add(talk := Conversation(key="talk", user_id="ana", name="Talk"))
        session.flush()
        session.add(
            Turn(
                conversation_id=talk.id or 0,
                user_id="ana",
                number=1,
                state="answered",
                question="What did the keeper see?",
                example_id=ids[4],
                answered_at=now(),
            )
        )
        runs.write_record(session, "s1")
    return ids


def everything() -> dict[str, Any]:
    """All that follows from examples."""
    with db.reading() as session:
        return {
            "examples": [one.model_dump() for one in session.exec(select(Example).order_by(col(Example.id)))],
            "memory": sorted((one.example_id or 0, one.body, one.created_at) for one in session.exec(select(Memory))),
            "stories": [one.model_dump() for one in session.exec(select(Story))],
            "turns": [one.model_dump() for one in session.exec(select(Turn).order_by(col(Turn.id)))],
            "sessions": [one.model_dump() for one in session.exec(select(TrainingSession))],
            "tags": sorted((one.name, one.example_id) for one in session.exec(select(ExampleTag))),
            "found": rows.ids(session, "ana", Filter(text="Somebody"), 100),
        }


SOME = st.lists(st.integers(0, 6), min_size=1, max_size=7)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("edit_text"), st.integers(0, 6), st.integers(1, 9), st.sampled_from([1, 2, 6.5, 8.5])),
        st.tuples(st.just("rate"), SOME, st.sampled_from([None, 1, 5])),
        st.tuples(st.just("tag"), SOME, st.sampled_from([["One"], ["two", "THREE"]]), st.sampled_from([[], ["one"]])),
        st.tuples(st.just("include"), SOME),
        st.tuples(st.just("exclude"), SOME),
        st.tuples(st.just("delete"), SOME),
    ),
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_whatever_was_done_as_many_undos_bring_everything_back(actions: list[tuple[Any, ...]]):
    ids = prepare()
    states = [everything()]
    for name, chosen, *more in actions:
        with db.reading() as session:
            before = changes.newest_batch(session, "ana")
        try:
            if name == "edit_text":
                do(name, ids[chosen], says(more[1], more[0]))
            else:
                do(name, [ids[one] for one in chosen], *more)
        except (NotFound, InvalidInput):
            pass
        with db.reading() as session:
            if changes.newest_batch(session, "ana") != before:
                states.append(everything())
    while len(states) > 1:
        states.pop()
        assert undo() != ""
        assert everything() == states[-1]
    assert undo() == ""


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["keep", "discard"]), st.integers(0, 6)), max_size=5))
def test_deciding_for_many_is_deciding_for_each(steps: list[tuple[str, int]]):
    def state() -> list[tuple[Any, ...]]:
        return [
            (one["status"], one["reason"], one["decision"], one["duplicate_of"] and one["duplicate_of"] - ids[0])
            for one in all_pieces()
        ] + [tuple(one[1] for one in everything()["memory"])]

    ids = prepare()
    for decision, which in steps:
        with db.session() as session:
            example = session.get_one(Example, ids[which])
            if example.decision != decision:
                rating.rate(session, "ana", ids[which], get_settings(), decision=decision)
    expected = state()
    ids = prepare(1)
    for decision, which in steps:
        do("include" if decision == "keep" else "exclude", [ids[which]])
    assert state() == expected


def test_a_rating_changes_what_was_fitted(monkeypatch: pytest.MonkeyPatch):
    first = add(says(8, 1), quality_report=told(says(8, 1), "", "fantasy", None).as_dict())  # type: ignore[arg-type]

    def fitted() -> int:
        with db.reading() as session:
            return int(tastes.fitted(session, "ana").get("ratings", 0))

    do("rate", [first], 5)
    assert fitted() == 1
    undo()
    assert fitted() == 0
    do("rate", [first], 5)
    do("delete", [first])
    assert fitted() == 0


def exported(form: str, found: Filter | None = None, **more: Any) -> str:
    with db.reading() as session:
        return b"".join(collection.export(session, "ana", found or Filter(), form, **more)).decode()


def test_export_has_what_the_filter_leaves_newest_first():
    first, second = add(says(8, 1), tags=["a", "b"]), add(says(8, 2), genre="horror")
    add(says(8, 3), writer="ben")
    found = [json.loads(line) for line in exported("jsonl").splitlines()]
    assert [one["completion"] for one in found] == [says(8, 2), says(8, 1)]
    assert (found[1]["tags"], found[1]["kept"], found[1]["score"], found[1]["source"]) == (
        ["a", "b"],
        True,
        5.0,
        "auto",
    )
    assert len(exported("jsonl", Filter(genre=("horror",))).splitlines()) == 1
    assert [json.loads(line)["completion"] for line in exported("jsonl", ids=[first]).splitlines()] == [says(8, 1)]
    do("edit_text", second, says(9, 4))
    assert json.loads(exported("preferences"))["rejected"] == says(8, 2)
    with pytest.raises(InvalidInput):
        exported("xlsx")


def test_a_cell_is_no_formula():
    for number, text in enumerate(("=1+1", "+2", "-3", "@a", "\tx", "\ry", 'a "b"\nc', "plain")):
        add(text, prompt=f"{text[:1]}prompt {number}")
    text = exported("csv")
    assert text.startswith("\ufeff")
    found = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [one["completion"] for one in found] == [
        *("plain", 'a "b"\nc', "'\ry", "'\tx", "'@a", "'-3", "'+2", "'=1+1")
    ]
    assert found[-1]["prompt"] == "'=prompt 0"


def test_half_a_letter_does_not_end_an_export(database: str):
    if database == "sqlite":
        add("Half \ud83d a letter".encode(errors="replace").decode())
        assert "Half" in exported("csv")
        assert "Half" in exported("jsonl")


def test_many_are_done_in_parts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(changes, "CHUNK", 3)
    ids = [add(f"8 {story(seed)}") for seed in range(10)]
    before = all_pieces()
    assert do("exclude", ids) == "10 examples excluded."
    assert {one["status"] for one in all_pieces()} == {ASIDE}
    assert undo() == "10 examples are as they were before you excluded them."
    assert do("delete", ids) == "10 examples deleted."
    undo()
    assert all_pieces() == before


def test_very_many_are_committed_in_parts_and_others_write_between_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(changes, "AT_ONCE", 4)
    ids = [add(f"8 {story(seed)}") for seed in range(10)]
    before, turns = all_pieces(), []

    def another_writes(seconds: float) -> None:
        turns.append(seconds)
        with db.session() as session:
            writers.ensure(session, f"other{len(turns)}")

    monkeypatch.setattr(changes, "sleep", another_writes)
    for action in ("exclude", "include", "delete"):
        turns.clear()
        do(action, ids)
        assert len(turns) == 2
    for _ in range(3):
        turns.clear()
        assert "10 examples" in undo()
        assert len(turns) == 2
    assert all_pieces() == before


def test_what_was_done_of_very_many_before_a_kill_can_be_undone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(changes, "AT_ONCE", 4)
    ids = [add(f"8 {story(seed)}") for seed in range(10)]
    before, turns = all_pieces(), []

    def killed(seconds: float) -> None:
        turns.append(seconds)
        if len(turns) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(changes, "sleep", killed)
        with pytest.raises(KeyboardInterrupt):
            do("delete", ids)
    assert len(all_pieces()) == 2
    with db.reading() as session:
        assert changes.newest(session, "ana") == ("delete", 8)
    monkeypatch.setattr(changes, "sleep", lambda seconds: None)
    assert undo() == "8 examples are back."
    assert all_pieces() == before
