"""Memory: only what the writer chose, recalled by likeness, and gone with what it belongs to."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlmodel import select

from zega_core import collection, conversation, db, meaning, memory, own_pages
from zega_core.embedders import HashingEmbedder
from zega_core.errors import Cancelled, InvalidInput, NotFound, ProviderUnavailable
from zega_core.local import asking
from zega_core.settings import Settings
from zega_core.store import examples, memories, writers, writing_choices
from zega_core.tables import Example, ExampleStatus, Memory, Source, Story, TrainingSession, now

LANTERN = "The lantern on the harbour wall went out, and Ines counted the boats by their bells."
LAWYERS = "Two lawyers shared a taxi to the courthouse and argued about a parrot."
ORCHARD = "In the orchard the apples fell all night, and the old dog barked at each of them."


@pytest.fixture(autouse=True)
def by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package with an encoder."""
    monkeypatch.setattr(meaning, "why_not", lambda: "The package is not installed.")


class Encoder:
    """In place of the warm process: numbers of the right size, or trouble."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.seen: list[str] = []

    def embed(self, texts: Sequence[str], settings: Settings, stop: threading.Event | None = None) -> Any:
        if self.trouble is not None:
            raise self.trouble
        self.seen += texts
        return HashingEmbedder().embed(texts)[:, :384] + 1e-6


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Encoder:
    found = Encoder()
    monkeypatch.setattr(meaning, "why_not", lambda: "")
    monkeypatch.setattr(asking, "embed", found.embed)
    return found


def add(text: str, writer: str = "ana", source: str = Source.conversation, **values: Any) -> int:
    row = {"genre": "fantasy", "element": "scene", "prompt": "p", "status": ExampleStatus.kept, **values}
    words = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    with db.session() as session:
        writers.ensure(session, writer)
        example = Example(user_id=writer, source=source, completion=text, text_hash=words, **row)
        session.add(example)
        session.flush()
        return example.id or 0


def shelve(text: str, writer: str = "ana", **values: Any) -> int:
    with db.session() as session:
        writers.ensure(session, writer)
        session.add(story := Story(user_id=writer, title="Salt", genre="mystery", body=text, **values))
        session.flush()
        return story.id or 0


def choose(settings: Settings, *sources: str, writer: str = "ana") -> None:
    with db.session(settings) as session:
        memory.choose(session, writer, sources)
    memory.refresh(writer, settings)


def held(writer: str = "ana") -> set[str]:
    with db.reading() as session:
        return {body for body in session.exec(select(Memory.body).where(Memory.user_id == writer)) if body}


def recalled(settings: Settings, query: str, writer: str = "ana", **asked: Any) -> list[str]:
    with db.reading(settings) as session:
        return [one.text for one in memory.recall(session, writer, query, settings, **asked)]


def test_nothing_is_remembered_by_itself(database: str, config: Settings):
    add(LANTERN)
    shelve(ORCHARD)
    memory.refresh("ana", config)
    assert held() == set()
    assert recalled(config, LANTERN) == []


def test_what_is_chosen_is_recalled_by_likeness(database: str, config: Settings):
    add(LANTERN)
    add(LAWYERS)
    shelve(ORCHARD)
    choose(config, "conversation", "story")
    assert held() == {LANTERN, LAWYERS, ORCHARD}
    assert recalled(config, "boats in the harbour, and a lantern") == [LANTERN]
    assert recalled(config, "apples in an orchard, and a dog that barked", most=1) == [ORCHARD]
    assert recalled(config, "   ") == []
    assert recalled(config, LANTERN, most=0) == []


def test_each_text_says_where_it_is_from(config: Settings):
    moment = now() - timedelta(days=800)
    add(LANTERN, created_at=moment)
    add(LAWYERS, source=Source.manuscript, origin="Parrots.docx")
    shelve(ORCHARD)
    choose(config, "conversation", "manuscript", "story")
    with db.reading(config) as session:
        found = {one.text: one for one in memory.newest(session, "ana")}
    assert found[LANTERN].from_ == f"Your answer of {moment.day} {moment:%B} {moment.year}"
    assert found[LAWYERS].from_ == "Your own pages, Parrots.docx"
    assert found[ORCHARD].from_ == "Your story “Salt”"
    assert found[ORCHARD].genre == "mystery"


def test_another_writers_memory_is_never_recalled(database: str, config: Settings):
    add(LANTERN)
    add(LANTERN, writer="ben")
    choose(config, "conversation")
    choose(config, "conversation", writer="ben")
    with db.reading(config) as session:
        (mine,) = memory.recall(session, "ana", LANTERN, config)
        (other,) = memory.recall(session, "ben", LANTERN, config)
        assert mine.memory_id != other.memory_id
        assert memory.recall(session, "eve", LANTERN, config) == ()
        assert memory.find(session, "eve", LANTERN, config) == ()
    with db.session(config) as session, pytest.raises(NotFound):
        memory.forget(session, "ana", other.memory_id)
    with db.session(config) as session:
        assert memory.forget_all(session, "ana") == 1
    assert held("ben") == {LANTERN}


@pytest.mark.parametrize("source", ["conversation", "manuscript", "rating", "import", "auto"])
def test_a_source_that_is_switched_off_leaves_nothing_behind(database: str, config: Settings, source: str):
    add(LANTERN, source=source)
    shelve(ORCHARD)
    choose(config, source, "story")
    assert held() == {LANTERN, ORCHARD}
    with db.session(config) as session:
        memory.choose(session, "ana", ["story"])
    assert held() == {ORCHARD}
    assert recalled(config, LANTERN) == []
    choose(config)
    assert held() == set()


def test_only_what_is_kept_is_remembered(config: Settings):
    add(LANTERN, status=ExampleStatus.set_aside)
    kept = add(ORCHARD)
    choose(config, "conversation")
    assert held() == {ORCHARD}
    with db.session(config) as session:
        session.get_one(Example, kept).status = ExampleStatus.set_aside
    memory.refresh("ana", config)
    assert held() == set()


def test_deleted_discarded_and_kept_again(database: str, config: Settings):
    first, second = add(LANTERN), add(ORCHARD)
    choose(config, "conversation")
    with db.session(config) as session:
        collection.exclude(session, "ana", [second], config)
    assert held() == {LANTERN}
    with db.session(config) as session:
        collection.include(session, "ana", [second], config)
        collection.delete(session, "ana", [first], config)
    assert held() == {ORCHARD}
    with db.session(config) as session:
        collection.undo(session, "ana", config)
    assert held() == {LANTERN, ORCHARD}


def test_an_edited_text_is_remembered_as_it_reads_now(database: str, config: Settings):
    first = add(LANTERN, source=Source.imported)
    choose(config, "import", "story")
    story = shelve(ORCHARD)
    memory.refresh("ana", config)
    with db.session(config) as session:
        collection.edit_text(session, "ana", first, LAWYERS, config)
        session.get_one(Story, story).body = "The orchard was sold."
        session.get_one(Story, story).updated_at = now()
    memory.refresh("ana", config)
    assert held() <= {LAWYERS, "The orchard was sold."}
    assert "The orchard was sold." in held()
    assert recalled(config, LANTERN) == []


def test_an_answer_that_is_edited(config: Settings):
    with db.session(config) as session:
        row = conversation.start(session, "ana", config)
        turn = conversation.question(session, "ana", row.key, config)
        conversation.answer(session, "ana", row.key, turn.id or 0, LANTERN * 3, config)
    choose(config, "conversation")
    assert held() == {LANTERN * 3}
    with db.session(config) as session:
        conversation.edit(session, "ana", turn.id or 0, ORCHARD * 3, config)
    assert held() == {ORCHARD * 3}
    with db.session(config) as session:
        conversation.edit(session, "ana", turn.id or 0, LANTERN * 3, config)
    assert held() == {LANTERN * 3}


def test_a_story_that_says_what_its_example_says_is_remembered_once(database: str, config: Settings):
    example = add(LANTERN)
    shelve(LANTERN, example_id=example)
    choose(config, "story", "conversation")
    with db.reading(config) as session:
        assert [one.example_id for one in session.exec(select(Memory))] == [example]
    choose(config, "story")
    with db.reading(config) as session:
        assert [one.example_id for one in session.exec(select(Memory))] == [None]
    assert held() == {LANTERN}


def test_a_deleted_story_is_forgotten(database: str, config: Settings):
    story = shelve(ORCHARD)
    choose(config, "story")
    with db.session(config) as session:
        session.delete(session.get_one(Story, story))
    assert held() == set()
    assert recalled(config, ORCHARD) == []


def test_erased_pages_are_forgotten(database: str, config: Settings):
    with db.session(config) as session:
        row = own_pages.add(session, "ana", "pages", ("\n\n".join([LANTERN * 20, ORCHARD * 20])).encode(), config)
    own_pages.run(row.run_id, row.attempt, settings=config)
    choose(config, "manuscript")
    assert held()
    with db.session(config) as session:
        own_pages.erase(session, "ana", row.run_id, config)
    assert held() == set()


def test_one_that_is_forgotten_does_not_come_back(database: str, config: Settings):
    example = add(LANTERN)
    add(ORCHARD)
    choose(config, "conversation")
    with db.session(config) as session:
        (one,) = memory.recall(session, "ana", LANTERN, config)
        memory.forget(session, "ana", one.memory_id)
    for _ in range(2):
        memory.refresh("ana", config)
        assert held() == {ORCHARD}
        with db.session(config) as session:
            collection.exclude(session, "ana", [example], config)
            collection.include(session, "ana", [example], config)
    with db.session(config) as session:
        collection.delete(session, "ana", [example], config)
        collection.undo(session, "ana", config)
    choose(config)
    choose(config, "conversation")
    assert held() == {ORCHARD}
    with db.reading(config) as session:
        assert not memory.behind(session, "ana")
        assert memory.counts(session, "ana")["conversation"] == memory.Count(2, 1, 1)
    with db.session(config) as session, pytest.raises(NotFound):
        memory.forget(session, "ana", one.memory_id)


def test_everything_is_forgotten_and_nothing_new_is_remembered(database: str, config: Settings):
    with db.session(config) as session:
        writers.ensure(session, "ana")
        run = TrainingSession(
            user_id="ana",
            session_id="s",
            num_examples_requested=1,
            genres_selected=[],
            seed=1,
            order_seed=1,
            draw_from={},
            teacher="t",
            started_at=now(),
            stored_in_memory=True,
        )
        session.add(run)
        session.flush()
    piece = add(LANTERN, source=Source.auto, session_id=run.id, idx=0)
    add(ORCHARD)
    choose(config, "conversation")
    assert held() == {LANTERN, ORCHARD}
    with db.session(config) as session:
        assert memory.forget_all(session, "ana") == 2
        assert memory.chosen(session, "ana") == ()
    memory.refresh("ana", config)
    with db.session(config) as session:
        assert not examples.belongs_in_memory(session, session.get_one(Example, piece))
        assert not memory.behind(session, "ana")
        assert not memories.any_of(session, "ana")
    assert held() == set()


def test_of_a_long_text_the_beginning_is_remembered(config: Settings):
    add(LANTERN + " salt" * 3_000)
    choose(config, "conversation")
    (body,) = held()
    assert memories.LONGEST - 10 < len(body) <= memories.LONGEST
    assert body.endswith(" salt")


def test_what_is_not_there_cannot_be_chosen(config: Settings):
    with db.session(config) as session, pytest.raises(InvalidInput):
        memory.choose(session, "ana", ["conversation", "secrets"])


def test_behind_until_refreshed(database: str, config: Settings):
    with db.reading(config) as session:
        assert not memory.behind(session, "ana")
    add(LANTERN)
    with db.session(config) as session:
        assert not memory.behind(session, "ana")
        memory.choose(session, "ana", ["conversation"])
        assert memory.behind(session, "ana")
        writing_choices.ask_for_memory(session, "ana")
    memory.refresh("ana", config)
    with db.reading(config) as session:
        assert not memory.behind(session, "ana")
        assert writing_choices.memory_asked(session) == []


def test_a_new_text_is_found_by_a_process_that_knows_the_others(config: Settings):
    add(LANTERN)
    choose(config, "conversation")
    assert recalled(config, ORCHARD) == []
    add(ORCHARD)
    memory.refresh("ana", config)
    assert recalled(config, ORCHARD) == [ORCHARD]


def test_another_embedder_sees_to_all_texts_again(config: Settings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch):
    add(LANTERN)
    monkeypatch.setattr(meaning, "why_not", lambda: "The package is not installed.")
    choose(config, "conversation")
    monkeypatch.setattr(meaning, "why_not", lambda: "")
    with db.reading(config) as session:
        assert memory.lacking(session) == ["ana"]
        assert memory.counts(session, "ana")["conversation"] == memory.Count(1, 1, 0)
    memory.refresh("ana", config)
    with db.reading(config) as session:
        (row,) = session.exec(select(Memory))
    assert (row.embedder, len(row.embedding or b"")) == ("minilm-1", 4 * 384)
    assert encoder.seen == [LANTERN]


def test_without_the_encoders_process_words_are_compared_and_that_is_said(config: Settings, encoder: Encoder):
    add(LANTERN)
    choose(config, "conversation")
    assert memory.embedder_note(config) == ""
    encoder.trouble = ProviderUnavailable("There is not enough memory to compare texts.")
    assert recalled(config, "a lantern and boats in the harbour") == [LANTERN]
    assert "not enough memory" in memory.embedder_note(config)
    encoder.trouble = None
    recalled(config, "a lantern")
    assert memory.embedder_note(config) == ""


def test_texts_without_numbers_are_found_by_their_words_meanwhile(config: Settings, encoder: Encoder):
    add(LANTERN)
    encoder.trouble = ProviderUnavailable("It does not start.")
    with db.session(config) as session:
        memory.choose(session, "ana", ["conversation"])
        writing_choices.ask_for_memory(session, "ana")
    with pytest.raises(ProviderUnavailable):
        memory.refresh("ana", config)
    assert recalled(config, "a lantern and boats in the harbour") == [LANTERN]
    with db.reading(config) as session:
        assert [writer for writer, _ in writing_choices.memory_asked(session)] == ["ana"]


def test_stopped_while_comparing_recalls_nothing(config: Settings, encoder: Encoder):
    add(LANTERN)
    choose(config, "conversation")
    encoder.trouble = Cancelled("The run was stopped.")
    assert recalled(config, LANTERN, stop=threading.Event()) == []


def test_numbers_of_another_size_are_left_out(config: Settings):
    add(LANTERN)
    add(ORCHARD)
    choose(config, "conversation")
    with db.session(config) as session:
        row = session.exec(select(Memory).where(Memory.body == ORCHARD)).one()
        row.embedding = np.ones(3, "<f4").tobytes()
        session.add(row)
    assert recalled(config, f"{ORCHARD} {LANTERN}") == [LANTERN]


def test_the_wanted_genre_is_preferred(config: Settings):
    add("The dim lantern by the harbour.", genre="horror")
    add("The red lantern by the harbour.", genre="romance")
    choose(config, "conversation")
    for genre in ("horror", "romance"):
        with db.reading(config) as session:
            (one,) = memory.recall(session, "ana", "a lantern by a harbour", config, genre=genre, most=1)
        assert one.genre == genre


def test_markup_is_stored_as_it_is(config: Settings):
    wild = "<script>alert(1)</script> # **lantern** \u202e"
    add(wild)
    choose(config, "conversation")
    assert recalled(config, "lantern script alert") == [wild]
