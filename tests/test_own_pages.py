"""Own pages as a worker reads them: every passage once, kept, with a prompt; stopped, gone on with, erased."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlmodel import col, select

from tests.support.teachers import ScriptedTeacher, story
from zega_core import changes, collection, db, importing, own_pages, prompting, staffing
from zega_core.conversation_tables import ExampleChange, Manuscript
from zega_core.errors import InvalidInput, NobodyLeft, NotFound, ProviderUnavailable
from zega_core.manuscripts import looking
from zega_core.manuscripts.backwards import fault
from zega_core.settings import Settings
from zega_core.store import leases, manuscripts
from zega_core.tables import Example, ExampleStatus, Memory, RunStatus, Source, Story

pytestmark = pytest.mark.usefixtures("database")


def book(chapters: int = 4, scenes: int = 3, seed: int = 0) -> bytes:
    """Chapters of scenes of three paragraphs, no two alike."""
    parts = []
    for chapter in range(chapters):
        parts.append(f"Chapter {chapter + 1}")
        blocks = [
            "\n\n".join(story(seed + 1000 * chapter + 10 * scene + part, sentences=6) for part in range(3))
            for scene in range(scenes)
        ]
        parts.append("\n\n* * *\n\n".join(blocks))
    return "\n\n".join(parts).encode()


def bring(config: Settings, data: bytes, name: str = "mine.txt", writer: str = "ana", **options: Any) -> Manuscript:
    with db.session(config) as session:
        return own_pages.add(session, writer, name, data, config, **options)


def work(config: Settings, row: Manuscript) -> RunStatus | None:
    with db.reading(config) as session:
        now = manuscripts.get(session, row.user_id, row.run_id)
    return own_pages.run(now.run_id, now.attempt, settings=config)


def look(config: Settings, row: Manuscript) -> Manuscript:
    with db.reading(config) as session:
        return manuscripts.get(session, row.user_id, row.run_id)


def passages(config: Settings, row: Manuscript) -> list[Example]:
    with db.reading(config) as session:
        return manuscripts.page(session, row.user_id, row.id or 0, size=10_000)


def test_every_passage_is_stored_once_and_weighs_as_the_writers_own(config: Settings):
    row = bring(config, book())
    assert work(config, row) == RunStatus.done
    _, found = looking.read(book(), "mine.txt")
    stored = passages(config, row)
    assert [one.completion for one in stored] == [one.text for one in found.passages]
    assert [one.idx for one in stored] == list(range(len(found.passages)))
    assert {one.source for one in stored} == {Source.manuscript}
    assert {one.origin for one in stored} == {"mine.txt"}
    assert {one.status for one in stored} == {ExampleStatus.kept}  # whatever they score
    assert all(one.quality is not None and one.quality_report for one in stored)
    assert len({one.prompt for one in stored}) == len(stored)
    assert not [one.prompt for one in stored if fault(one.prompt, one.completion)]
    after = look(config, row)
    assert (after.done, after.passages, after.chapters) == (len(stored), len(stored), 4)


def test_the_same_file_again_is_the_one_that_is_there(config: Settings):
    first, second = bring(config, book()), bring(config, book(), "other name.txt")
    assert first.run_id == second.run_id
    assert bring(config, book(), writer="ben").run_id != first.run_id


def test_another_writer_finds_nothing(config: Settings):
    row = bring(config, book())
    work(config, row)
    identity = passages(config, row)[0].id or 0
    with db.session(config) as session:
        for run_id in (row.run_id, "0" * 32):
            with pytest.raises(NotFound, match="no such pages"):
                manuscripts.get(session, "ben", run_id)
            with pytest.raises(NotFound, match="no such pages"):
                own_pages.erase(session, "ben", run_id, config)
        for one in (identity, 10**9):
            with pytest.raises(NotFound, match="no such piece"):
                own_pages.rewrite_prompt(session, "ben", one, "Write about a harbour.", config)
    assert len(passages(config, row)) > 3


def test_what_repeats_kept_pages_is_set_aside_and_comes_back_when_they_are_erased(config: Settings):
    draft = bring(config, book(), "draft.txt")
    work(config, draft)
    again = bring(config, book() + b"\n\nOne more line at the end of it.\n", "second draft.txt")
    work(config, again)
    repeats = [one for one in passages(config, again) if one.status == ExampleStatus.set_aside]
    assert len(repeats) == len(passages(config, draft))
    assert {one.duplicate_of for one in repeats} <= {one.id for one in passages(config, draft)}
    with db.session(config) as session:
        own_pages.erase(session, "ana", draft.run_id, config)
    assert {one.status for one in passages(config, again)} == {ExampleStatus.kept}


def test_a_genre_is_the_writers_else_what_the_words_point_to_else_open(config: Settings):
    chosen, plain = bring(config, book(), genre="mystery"), bring(config, book(seed=9), "plain.txt")
    spooky = (
        b"The ghost rose from the coffin in horror, a ghastly corpse in the haunted crypt of a dread nightmare. " * 30
    )
    told = bring(config, spooky, "spooky.txt")
    for row in (chosen, plain, told):
        work(config, row)
    assert [passages(config, row)[0].genre for row in (chosen, plain, told)] == ["mystery", "", "horror"]
    with pytest.raises(InvalidInput):
        bring(config, book(seed=5), genre="western")


def test_a_run_that_is_stopped_keeps_what_is_there_and_goes_on(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own_pages, "BATCH", 2)
    row = bring(config, book())
    real, batches = own_pages._Work._batch, []

    def stops(self: Any, pairs: Any) -> Any:
        batches.append(1)
        if len(batches) == 3:
            with db.session(config) as session:
                leases.ask_to_stop(session, manuscripts.get(session, "ana", row.run_id))
        return real(self, pairs)

    with monkeypatch.context() as patch:
        patch.setattr(own_pages._Work, "_batch", stops)
        assert work(config, row) == RunStatus.stopped
    assert len(passages(config, row)) == 6
    before = {one.id for one in passages(config, row)}
    with db.session(config) as session:
        manuscripts.ask_to_continue(session, manuscripts.get(session, "ana", row.run_id))
    assert work(config, row) == RunStatus.done
    after = passages(config, row)
    assert before < {one.id for one in after}
    assert [one.idx for one in after] == list(range(row.passages))


def test_what_was_deleted_after_a_stop_stays_deleted(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own_pages, "BATCH", 4)
    row = bring(config, book())
    real = own_pages._Work._batch

    def stops(self: Any, pairs: Any) -> Any:
        with db.session(config) as session:
            leases.ask_to_stop(session, manuscripts.get(session, "ana", row.run_id))
        return real(self, pairs)

    with monkeypatch.context() as patch:
        patch.setattr(own_pages._Work, "_batch", stops)
        assert work(config, row) == RunStatus.stopped
    with db.session(config) as session:
        collection.delete(session, "ana", [one.id or 0 for one in passages(config, row)[1:4]], config)
        manuscripts.ask_to_continue(session, manuscripts.get(session, "ana", row.run_id))
    assert work(config, row) == RunStatus.done
    assert [one.idx for one in passages(config, row)] == [0, *range(4, row.passages)]
    assert look(config, row).done == row.passages
    with db.session(config) as session:
        collection.undo(session, "ana", config)
    assert [one.idx for one in passages(config, row)] == list(range(row.passages))


@pytest.mark.parametrize("decision, kept", [(None, "manuscript"), ("keep", "import")])
def test_own_words_that_were_imported_before_are_the_writers_now(config: Settings, decision: str | None, kept: str):
    _, found = looking.read(book(), "mine.txt")
    lines = [json.dumps({"prompt": "Write a scene.", "completion": one.text}) for one in found.passages[:2]]
    importing.import_pairs("ana", lines, config, own=False)
    with db.session(config) as session:
        brought = session.exec(select(Example)).all()
        for one in brought:
            one.status, one.reason, one.decision = ExampleStatus.kept, None, decision
    row = bring(config, book())
    assert work(config, row) == RunStatus.done
    with db.reading(config) as session:
        first = session.exec(select(Example).where(Example.completion == found.passages[0].text)).all()
    assert {one.source: one.status for one in first} == {
        source: ExampleStatus.kept if source == kept else ExampleStatus.set_aside for source in ("manuscript", "import")
    }
    by_source = {one.source: one for one in first}
    other = by_source["import" if kept == "manuscript" else "manuscript"]
    assert other.duplicate_of == by_source[kept].id
    with db.session(config) as session:
        own_pages.erase(session, "ana", row.run_id, config)
        assert len(session.exec(select(Example).where(Example.source == Source.imported)).all()) == 2


def test_an_attempt_that_lost_its_lease_writes_nothing_more(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own_pages, "BATCH", 2)
    row = bring(config, book())
    real, batches = own_pages._Work._batch, []

    def loses(self: Any, pairs: Any) -> Any:
        batches.append(1)
        if len(batches) == 2:
            with db.session(config) as session:
                manuscripts.take_over(session, manuscripts.get(session, "ana", row.run_id))
        return real(self, pairs)

    with monkeypatch.context() as patch:
        patch.setattr(own_pages._Work, "_batch", loses)
        assert work(config, row) is None
    assert len(passages(config, row)) == 2
    assert work(config, row) == RunStatus.done
    assert [one.idx for one in passages(config, row)] == list(range(row.passages))


def test_erasing_takes_everything_made_of_it_and_nothing_else(config: Settings):
    row, other = bring(config, book()), bring(config, book(seed=77), "other.txt")
    for one in (row, other):
        work(config, one)
    first, second, third = passages(config, row)[:3]
    with db.session(config) as session:
        session.add(Memory(user_id="ana", example_id=first.id, body=first.completion))
        session.add(Memory(user_id="ana", example_id=passages(config, other)[0].id, body="other"))
        of_other = passages(config, other)[0].id
        for title, one in (("second", second.id), ("third", third.id), ("other", of_other)):
            session.add(Story(user_id="ana", example_id=one, title=title, genre="", body="words"))
        changes.note(session, "ana", "edit", [first, third], batch="b1")
    with db.session(config) as session:
        collection.delete(session, "ana", [third.id or 0], config)
    with db.session(config) as session:
        assert own_pages.erase(session, "ana", row.run_id, config) == row.passages - 1
    with db.reading(config) as session:
        assert not session.exec(select(Example).where(Example.manuscript_id == row.id)).all()
        assert not session.exec(select(ExampleChange)).all()
        assert [one.body for one in session.exec(select(Memory))] == ["other"]
        assert [one.title for one in session.exec(select(Story))] == ["other"]
        assert [one.name for one in manuscripts.of_writer(session, "ana")] == ["other.txt"]
    assert len(passages(config, other)) == other.passages
    with db.session(config) as session:
        assert changes.undo(session, "ana", config) == ""
    again = bring(config, book())
    assert work(config, again) == RunStatus.done
    assert {one.status for one in passages(config, again)} == {ExampleStatus.kept}


def test_a_run_whose_pages_are_erased_ends(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own_pages, "BATCH", 2)
    row = bring(config, book())
    real, batches = own_pages._Work._batch, []

    def vanishes(self: Any, pairs: Any) -> Any:
        batches.append(1)
        if len(batches) == 2:
            with db.session(config) as session:
                own_pages.erase(session, "ana", row.run_id, config)
        return real(self, pairs)

    monkeypatch.setattr(own_pages._Work, "_batch", vanishes)
    assert work(config, row) is None
    with db.reading(config) as session:
        assert not session.exec(select(Example).where(col(Example.manuscript_id).is_not(None))).all()


def test_a_corrected_prompt_is_scored_anew_and_can_be_undone(config: Settings):
    row = bring(config, book())
    work(config, row)
    before = passages(config, row)[0]
    with db.session(config) as session:
        said = own_pages.rewrite_prompt(session, "ana", before.id or 0, " Write about\n a lantern. ", config)
    assert said == "The prompt is changed."
    after = passages(config, row)[0]
    assert (after.prompt, after.completion) == ("Write about a lantern.", before.completion)
    assert after.status == ExampleStatus.kept
    with db.session(config) as session:
        with pytest.raises(InvalidInput, match="3 to 2,000"):
            own_pages.rewrite_prompt(session, "ana", before.id or 0, " \x00 ", config)
        changes.undo(session, "ana", config)
    assert passages(config, row)[0].prompt == before.prompt


def test_a_piece_that_is_no_passage_has_no_prompt_to_correct_here(config: Settings):
    with db.session(config) as session:
        own_pages.writers.ensure(session, "ana")
        piece = Example(user_id="ana", genre="", element="", prompt="p", completion="c", status=ExampleStatus.kept)
        session.add(piece)
        session.flush()
        with pytest.raises(NotFound, match="no such passage"):
            own_pages.rewrite_prompt(session, "ana", piece.id or 0, "Write about a harbour.", config)


def teach(monkeypatch: pytest.MonkeyPatch, teacher: Any) -> None:
    monkeypatch.setattr(staffing, "beside_sessions", lambda writer, settings, **options: teacher)


def test_a_teacher_writes_the_prompts_when_the_writer_wants_it(config: Settings, monkeypatch: pytest.MonkeyPatch):
    teacher = ScriptedTeacher(lambda number, options: f'"Write a scene about the keeper of lamp number {number}."')
    teach(monkeypatch, teacher)
    row = bring(config, book(), ask_teacher=True)
    work(config, row)
    assert all(one.prompt.startswith("Write a scene about the keeper of lamp") for one in passages(config, row))
    assert look(config, row).notes == [f"A teacher wrote {row.passages} prompts."]


def test_no_teacher_is_asked_who_was_not_wanted(config: Settings, monkeypatch: pytest.MonkeyPatch):
    teacher = ScriptedTeacher(lambda number, options: "Write a scene about anything at all.")
    teach(monkeypatch, teacher)
    work(config, bring(config, book()))
    assert not teacher.calls


@pytest.mark.parametrize(
    "reply",
    [
        "Write.",
        "Sure! Here is a request for the passage.",
        "Write a scene\nin many lines about [a thing]",
        "Write " + "a scene about the sea and " * 20,
        ProviderUnavailable("It does not answer."),
    ],
)
def test_what_a_teacher_sends_that_is_no_request_is_not_used(
    config: Settings, monkeypatch: pytest.MonkeyPatch, reply: str | Exception
):
    teach(monkeypatch, ScriptedTeacher(lambda number, options: reply))
    row = bring(config, book(), ask_teacher=True)
    assert work(config, row) == RunStatus.done
    rules = [one.prompt for one in prompting.backwards.requests(looking.read(book(), "mine.txt")[1].passages)]
    assert [one.prompt for one in passages(config, row)] == rules
    assert look(config, row).notes[-1].startswith("The prompts were written by rules.")


def test_a_teacher_that_gives_sentences_away_is_not_used(config: Settings, monkeypatch: pytest.MonkeyPatch):
    _, found = looking.read(book(), "mine.txt")
    stolen = " ".join(found.passages[0].text.split()[3:11])
    teach(monkeypatch, ScriptedTeacher(lambda number, options: f"Write a scene in which {stolen}."))
    row = bring(config, book(), ask_teacher=True)
    work(config, row)
    assert stolen not in passages(config, row)[0].prompt


def test_when_nobody_is_left_the_rules_write_the_rest(config: Settings, monkeypatch: pytest.MonkeyPatch):
    def reply(number: int, options: Any) -> str | Exception:
        return (
            NobodyLeft("The limit of the day is used up.") if number > 3 else f"Write a scene about lamp {number} now."
        )

    teacher = ScriptedTeacher(reply, in_flight=1)
    teach(monkeypatch, teacher)
    monkeypatch.setattr(own_pages, "BATCH", 4)
    row = bring(config, book(), ask_teacher=True)
    assert work(config, row) == RunStatus.done
    assert len(teacher.calls) == 4
    (note,) = look(config, row).notes
    assert note.startswith("A teacher wrote 3 prompts, and rules wrote")
    assert note.endswith("The limit of the day is used up.")


def test_without_any_teacher_the_reason_is_noted(config: Settings):
    row = bring(config, book(), ask_teacher=True)
    assert work(config, row) == RunStatus.done
    assert "No teacher can be asked now." in look(config, row).notes[-1]


def test_pages_with_too_little_in_them_are_refused(config: Settings):
    with pytest.raises(InvalidInput, match="needs 60 that belong together"):
        bring(config, b"Only a line.")
    with pytest.raises(InvalidInput, match="is empty"):
        bring(config, b"")


def test_names_are_kept_short_and_without_folders(config: Settings):
    row = bring(config, book(), "..\\secret/" + "n" * 300 + "\x00.txt")
    assert "/" not in row.name
    assert "\\" not in row.name
    assert len(row.name) <= 200
    assert bring(config, book(seed=3), "").name == "Pasted pages"
