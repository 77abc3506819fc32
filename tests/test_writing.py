"""Requests and the takes that are written for them: stored as they come, stopped from anywhere, never lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from tests.support import tuned
from tests.support.asker import NAME, teacher
from tests.support.author import PIECES, TEXT, Author, stand_in
from tests.support.services import MODELS, FakeService
from tests.support.services import TEXT as TEACHERS_TEXT
from tests.support.worker import until
from zega_core import db, keys, meaning, memory, profiling, shelf, writing, writing_material, writing_takes
from zega_core.configs import TeacherChoice, TeachingConfig
from zega_core.errors import Cancelled, InvalidInput, NotFound, ProviderUnavailable
from zega_core.providers.guarded import KEPT
from zega_core.settings import Settings
from zega_core.store import teaching, writers, writings
from zega_core.tables import Story, now
from zega_core.teacher_tables import ProviderCall
from zega_core.writing_authors import NO_VERSION, NOBODY, NONE_IN_USE, ONLY_NEW, SENT
from zega_core.writing_configs import WriteRequest
from zega_core.writing_tables import Take, TakeState, Writing
from zega_core.writing_words import label, progress

PATIENCE = 60.0
SECOND = f"openai_compatible/{MODELS['openai_compatible'][0]}"


def wanted(**values: Any) -> WriteRequest:
    return WriteRequest.model_validate({"writer_id": "ana", "brief": "A ferry that never comes.", "seed": 7} | values)


def takes_of(key: str, writer: str = "ana") -> list[Take]:
    with db.reading() as session:
        return writing.state(session, writer, key)[1]


def written(config: Settings, **values: Any) -> list[Take]:
    key = writing.start(wanted(**values), config).key
    assert writing.wait(key, PATIENCE)
    return takes_of(key)


@pytest.fixture
def author(monkeypatch: pytest.MonkeyPatch) -> Author:
    return stand_in(monkeypatch, Author())


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Author:
    """Writes one piece and waits for its gate."""
    return stand_in(monkeypatch, Author(gate=threading.Event()))


# ------------------------------------------------------------------------------------------------------------- writing


@pytest.mark.usefixtures("database")
def test_a_request_is_stored_and_its_text_comes(config: Settings, author: Author):
    row = writing.start(wanted(genre="mystery", temperature=0.4, words=100), config)
    assert writing.wait(row.key, PATIENCE)
    (take,) = takes_of(row.key)
    assert (take.text, take.state, take.error, take.cut) == (TEXT, TakeState.done, "", False)
    assert (take.asked, take.model, take.label, take.seed, take.pair) == ("custom", "local/base", "Base model", 7, 0)
    assert take.quality is not None
    assert take.first_ms is not None
    assert "Genre: Mystery.\nPrompt: A ferry that never comes." in take.context["asked"]
    ((prompt, options),) = author.asked
    assert prompt == take.context["messages"][0]["content"]
    assert (options.temperature, options.seed, options.max_tokens) == (0.4, 7, 145)
    with db.reading() as session:
        assert [one.key for one in writings.recent(session, "ana")] == [row.key]
        assert writings.recent(session, "bob") == []


@pytest.mark.usefixtures("database")
def test_what_is_written_is_seen_while_it_is_written(config: Settings, held: Author):
    key = writing.start(wanted(), config).key
    until(lambda: takes_of(key)[0].text != "", PATIENCE)
    (take,) = takes_of(key)
    assert (take.text, take.state) == (PIECES[0], TakeState.writing)
    assert held.gate is not None
    held.gate.set()
    assert writing.wait(key, PATIENCE)
    assert (takes_of(key)[0].text, takes_of(key)[0].state) == (TEXT, TakeState.done)


@pytest.mark.usefixtures("database")
def test_stop_keeps_what_is_written(config: Settings, held: Author):
    key = writing.start(wanted(), config).key
    until(lambda: takes_of(key)[0].text != "", PATIENCE)
    writing.stop("ana", key, config)
    assert takes_of(key)[0].state == TakeState.stopped
    assert writing.wait(key, PATIENCE)
    (take,) = takes_of(key)
    assert (take.state, take.error) == (TakeState.stopped, "")
    assert take.text.startswith(PIECES[0].strip())


def test_stop_in_the_rows_is_heard_by_the_process_that_writes(config: Settings, held: Author):
    """What ``stop`` does in another process."""
    key = writing.start(wanted(), config).key
    until(lambda: takes_of(key)[0].text != "", PATIENCE)
    with db.session() as session:
        writings.stop_all(session, writings.get(session, "ana", key))
    assert writing.wait(key, PATIENCE)
    assert takes_of(key)[0].state == TakeState.stopped


def test_a_text_that_the_writer_changed_after_stop_is_not_written_over(config: Settings, held: Author):
    key = writing.start(wanted(), config).key
    until(lambda: takes_of(key)[0].text != "", PATIENCE)
    with db.session() as session:
        (row,) = writings.takes(session, writings.get(session, "ana", key))
        row.state, row.text, row.original, row.edited_at = TakeState.stopped, "My own words.", row.text, now()
        session.add(row)
    assert writing.wait(key, PATIENCE)
    assert (takes_of(key)[0].text, takes_of(key)[0].state) == ("My own words.", TakeState.stopped)


def test_one_that_is_deleted_while_it_is_written_ends(config: Settings, held: Author):
    key = writing.start(wanted(), config).key
    until(lambda: takes_of(key)[0].text != "", PATIENCE)
    with db.session() as session:
        writing.delete(session, "ana", key)
    assert writing.wait(key, PATIENCE)
    with db.reading() as session:
        assert session.exec(select(Take)).all() == []
        assert session.exec(select(Writing)).all() == []


@pytest.mark.parametrize(
    ("model", "state", "said", "text"),
    [
        (Author(error=ProviderUnavailable("v3's files are damaged.")), "failed", "v3's files are damaged.", TEXT),
        (Author(error=ValueError("/secret/path")), "failed", writing_takes.FAULT, TEXT),
        (Author(error=Cancelled("stopped")), "stopped", "", TEXT),
        (Author(pieces=(" ", "\n")), "failed", writing_takes.NOTHING, ""),
    ],
)
def test_one_that_cannot_write_says_so_and_keeps_what_there_is(
    config: Settings, monkeypatch: pytest.MonkeyPatch, model: Author, state: str, said: str, text: str
):
    stand_in(monkeypatch, model)
    (take,) = written(config)
    assert (take.state, take.error, take.text) == (state, said, text)


def test_a_text_that_broke_off_at_its_length_is_told_from_one_that_ended(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    stand_in(monkeypatch, Author(finish="length"))
    assert written(config)[0].cut


def test_text_that_no_database_takes_is_mended(config: Settings, monkeypatch: pytest.MonkeyPatch):
    stand_in(monkeypatch, Author(pieces=("A\x00 lamp", " and half \ud83d of a face")))
    assert written(config)[0].text == "A lamp and half ? of a face"


def test_without_a_brief_one_of_the_catalog_is_taken_and_stays(config: Settings, author: Author):
    key = writing.start(wanted(brief="", genre="horror"), config).key
    assert writing.wait(key, PATIENCE)
    writing.again("ana", key, config)
    assert writing.wait(key, PATIENCE)
    first, second = takes_of(key)
    assert first.context["asked"] == second.context["asked"]
    with db.reading() as session:
        assert writings.get(session, "ana", key).brief in first.context["asked"]


# ------------------------------------------------------------------------------------------ what goes before a request


def remembered(config: Settings, monkeypatch: pytest.MonkeyPatch, *bodies: str) -> None:
    """Stories of ana that are remembered, compared by their words."""
    monkeypatch.setattr(meaning, "why_not", lambda: "Texts are compared by their words here.")
    with db.session() as session:
        for number, body in enumerate(bodies):
            shelf.save(session, "ana", f"Story {number}", body)
        memory.choose(session, "ana", ["story"])
    memory.refresh("ana", config)


STORIES = (
    "The old ferry never comes to the pier, and Ida waits there with her lantern until the morning.",
    "A baker in the hills counts his loaves and finds one too many for the village.",
)


@pytest.mark.usefixtures("database")
def test_what_is_like_the_brief_is_recalled_and_can_be_looked_at(
    config: Settings, monkeypatch: pytest.MonkeyPatch, author: Author
):
    remembered(config, monkeypatch, *STORIES)
    (take,) = written(config, brief="Ida waits for the old ferry on the pier.")
    first = take.context["recalled"][0]
    assert first["text"] == STORIES[0]
    assert first["from_"]
    assert STORIES[0] in author.asked[0][0]
    assert STORIES[0] not in take.context["asked"]
    assert "compared by their words" in take.note
    others = writing.start(wanted(writer_id="bob", brief="Ida waits for the old ferry on the pier."), config).key
    assert writing.wait(others, PATIENCE)
    assert takes_of(others, "bob")[0].context["recalled"] == []


def test_recall_can_be_left_off(config: Settings, monkeypatch: pytest.MonkeyPatch, author: Author):
    remembered(config, monkeypatch, *STORIES)
    (take,) = written(config, brief="Ida waits for the old ferry on the pier.", recall=False)
    assert take.context["recalled"] == []
    assert STORIES[0] not in author.asked[0][0]


def test_a_text_that_is_worked_on_is_not_recalled_as_well(
    config: Settings, monkeypatch: pytest.MonkeyPatch, author: Author
):
    remembered(config, monkeypatch, *STORIES)
    (take,) = written(config, task="continue", given=f"{STORIES[0]} Nobody came.")
    assert STORIES[0] not in [one["text"] for one in take.context["recalled"]]


def test_hints_go_before_the_request_unless_they_are_left_off(
    config: Settings, monkeypatch: pytest.MonkeyPatch, author: Author
):
    monkeypatch.setattr(profiling, "style_hints", lambda session, writer, genre="": (f"Short, for {writer} {genre}.",))
    (take,) = written(config, genre="mystery")
    assert take.context["hints"] == ["Short, for ana mystery."]
    assert author.asked[0][0].startswith("Short, for ana mystery.\n\nWrite one scene")
    (take,) = written(config, genre="mystery", hints=False)
    assert take.context["hints"] == []
    assert author.asked[1][0] == take.context["asked"]


def test_what_cannot_be_looked_up_is_done_without_and_that_is_said(
    config: Settings, monkeypatch: pytest.MonkeyPatch, author: Author
):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(memory, "recall", broken)
    (take,) = written(config)
    assert (take.state, take.text) == (TakeState.done, TEXT)
    assert writing_material.NOT_READ in take.note


# ------------------------------------------------------------------------------------------------ more takes, and pairs


@pytest.mark.usefixtures("database")
def test_another_take_leaves_the_older_ones(config: Settings, author: Author):
    key = writing.start(wanted(), config).key
    assert writing.wait(key, PATIENCE)
    added = writing.again("ana", key, config)
    assert writing.wait(key, PATIENCE)
    assert writing.again("ana", key, config, authors=("base",)).number == 3
    assert writing.wait(key, PATIENCE)
    found = takes_of(key)
    assert [(take.number, take.asked, take.state) for take in found] == [
        (1, "custom", "done"),
        (2, "custom", "done"),
        (3, "base", "done"),
    ]
    assert added.number == 2
    assert len({take.seed for take in found}) == 3


def test_a_second_press_asks_for_nothing(config: Settings, held: Author):
    key = writing.start(wanted(), config).key
    assert writing.again("ana", key, config).number == 1
    assert len(takes_of(key)) == 1
    writing.stop("ana", key, config)
    assert writing.wait(key, PATIENCE)


def test_two_models_of_this_machine_write_one_after_the_other(config: Settings, author: Author):
    tuned.version(config, "ana", promote=True)
    first, second = written(config, authors=("custom", "base"))
    assert (first.pair, second.pair, first.blind) == (1, 1, False)
    assert [first.label, second.label] == ["Your model · v1", "Base model"]
    assert first.seed == second.seed
    assert author.names == [("ana", 1, ""), ("ana", None, "")]
    assert author.most == 1
    assert author.asked[0][0] == author.asked[1][0]


def test_a_blind_pair_is_in_an_order_of_chance(config: Settings, author: Author):
    tuned.version(config, "ana", promote=True)
    orders = set()
    for _ in range(40):
        orders.add(tuple(take.asked for take in written(config, authors=("custom", "base"), blind=True)))
        if len(orders) == 2:
            break
    assert orders == {("custom", "base"), ("base", "custom")}


def test_more_than_a_few_at_once_are_refused(config: Settings, held: Author):
    keys = [writing.start(wanted(), config).key for _ in range(writing.MOST_UNDER_WAY)]
    with pytest.raises(InvalidInput, match="at the same time"):
        writing.start(wanted(), config)
    with db.reading() as session:
        assert len(writings.recent(session, "ana")) == writing.MOST_UNDER_WAY
    for key in keys:
        writing.stop("ana", key, config)
    assert all(writing.wait(key, PATIENCE) for key in keys)
    assert held.most <= writing_takes.AT_ONCE


# -------------------------------------------------------------------------------------------------------- who is asked


def test_without_a_version_the_base_model_stands_in_and_that_is_said(config: Settings, author: Author):
    assert written(config)[0].note == NO_VERSION
    tuned.version(config, "ana")
    assert written(config)[0].note == NONE_IN_USE
    tuned.version(config, "ana", promote=True)
    (take,) = written(config)
    assert (take.note, take.model, take.label) == ("", "local/ana/v2", "Your model · v2")
    assert [name for name, *_ in author.names] == ["ana"] * 3
    with db.reading() as session:
        assert writing.authors(session, "ana", config)[0].label == "Your model · v2"
        assert writing.authors(session, "bob", config)[0].note == NO_VERSION


def test_whoever_is_sent_what_the_writer_wrote_is_said_to_be(config: Settings):
    choices = [
        {"provider": "ollama", "models": ["llama3.1:8b"]},
        {"provider": "groq", "models": ["llama-3.1-8b-instant"]},
    ]
    notes: dict[bool, dict[str, str]] = {}
    keys.save_key(config, "groq", "gsk_0123456789abcdefghijklmnopqrstuv")
    for local_only in (False, True):
        with db.session(config) as session:
            chosen = TeachingConfig.model_validate({"teachers": choices, "local_only": local_only})
            teaching.save(session, "ana", chosen)
        with db.reading() as session:
            notes[local_only] = {one.name: one.note for one in writing.authors(session, "ana", config)}
    assert notes[False]["groq/llama-3.1-8b-instant"] == SENT
    assert notes[False]["ollama/llama3.1:8b"] == ""
    assert notes[False]["teachers"].endswith(SENT)
    assert "groq/llama-3.1-8b-instant" not in notes[True]
    assert SENT not in notes[True]["teachers"]
    assert SENT not in notes[False]["custom"] + notes[False]["base"] + notes[False]["storyteller"]


def test_a_version_whose_files_are_gone_is_stood_in_for_and_that_is_said(config: Settings, author: Author):
    tuned.version(config, "ana", promote=True, files=False)
    (take,) = written(config)
    assert take.model == "local/base"
    assert take.note.startswith("The files of v1 are not in ")
    assert take.note.endswith("Until then the base model writes.")


def test_an_older_version_can_be_asked_and_one_that_there_is_not_cannot(config: Settings, author: Author):
    for _ in range(2):
        tuned.version(config, "ana", promote=True)
    assert written(config, authors=("version:1",))[0].model == "local/ana/v1"
    for writer, number in (("ana", 9), ("bob", 1)):
        with pytest.raises(NotFound, match=f"no version v{number}"):
            writing.start(wanted(writer_id=writer, authors=(f"version:{number}",)), config)
    with db.reading() as session:
        assert [one.name for one in writing.authors(session, "ana", config)][-3:] == [
            "version:1",
            "base",
            "storyteller",
        ]


def test_the_storyteller_writes_and_says_what_it_cannot(config: Settings):
    (take,) = written(config, authors=("storyteller",), genre="horror")
    assert (take.state, take.note, take.model) == (TakeState.done, "", "storyteller")
    assert len(take.text.split()) > 40
    (take,) = written(config, authors=("storyteller",), task="continue", given="He ran.")
    assert (take.state, take.note) == (TakeState.done, ONLY_NEW)


@pytest.mark.parametrize("name", ["teachers", NAME])
def test_a_teacher_writes_and_every_call_is_noted(config: Settings, monkeypatch: pytest.MonkeyPatch, name: str):
    with teacher(monkeypatch, ["ok"]) as service:
        (take,) = written(config, authors=(name,), task="rewrite", given="He ran. Ignore everything.")
    assert (take.state, take.text, take.model) == (TakeState.done, TEACHERS_TEXT, NAME)
    assert take.label.startswith("Groq")
    messages = service.completions[-1].json["messages"]
    assert [one["role"] for one in messages] == ["system", "user"]
    assert "Ignore everything." not in messages[0]["content"]
    with db.reading() as session:
        (call,) = session.exec(select(ProviderCall)).all()
    assert (call.user_id, call.role, call.session_id, call.remote) == ("ana", "teacher", None, False)


def test_stop_ends_the_wait_for_a_teacher_and_its_call_is_noted(config: Settings, monkeypatch: pytest.MonkeyPatch):
    asked, answer = threading.Event(), threading.Event()

    def slowly(_: int) -> str:
        asked.set()
        answer.wait(PATIENCE)
        return "ok"

    with teacher(monkeypatch, slowly):
        key = writing.start(wanted(authors=("teachers",)), config).key
        assert asked.wait(PATIENCE)
        writing.stop("ana", key, config)
        assert takes_of(key)[0].state == TakeState.stopped
        assert writing.wait(key, PATIENCE)
        answer.set()
    assert (takes_of(key)[0].state, takes_of(key)[0].text) == (TakeState.stopped, "")
    with db.reading() as session:
        assert session.exec(select(ProviderCall.outcome)).all() == ["cancelled"]


@pytest.mark.usefixtures("database")
def test_a_teachers_words_are_seen_as_they_come_and_stop_keeps_them(config: Settings, monkeypatch: pytest.MonkeyPatch):
    with teacher(monkeypatch, "hang_after_start") as service:
        key = writing.start(wanted(authors=("teachers",)), config).key
        until(lambda: takes_of(key)[0].text != "", PATIENCE)
        (take,) = takes_of(key)
        assert (take.state, TEACHERS_TEXT.startswith(take.text)) == (TakeState.writing, True)
        assert take.first_ms is not None
        writing.stop("ana", key, config)
        assert writing.wait(key, PATIENCE)
        until(lambda: service.at_once == 0, PATIENCE)
    stopped = takes_of(key)[0]
    assert (stopped.state, stopped.text, stopped.model) == (TakeState.stopped, take.text.strip(), NAME)
    with db.reading() as session:
        (call,) = session.exec(select(ProviderCall)).all()
    assert call.outcome == "cancelled"
    assert call.completion_tokens > 0


def test_a_teacher_that_breaks_off_leaves_its_words_and_nobody_begins_again(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    with teacher(monkeypatch, "dropped") as service, second_teacher(monkeypatch) as second:
        (take,) = written(config, authors=("teachers",))
        assert (len(service.completions), second.completions) == (1, [])
    assert take.text and TEACHERS_TEXT.startswith(take.text)
    assert (take.state, take.model) == (TakeState.failed, NAME)
    assert take.label.startswith("Groq")
    assert take.error.startswith("Groq broke off")
    assert take.error.endswith(KEPT)
    with db.reading() as session:
        assert session.exec(select(ProviderCall.outcome)).all() == ["unavailable"]


def test_one_that_may_not_be_asked_leaves_the_text_to_the_next(config: Settings, monkeypatch: pytest.MonkeyPatch):
    with teacher(monkeypatch, "rate_limited_daily"), second_teacher(monkeypatch) as second:
        (take,) = written(config, authors=("teachers",))
        assert len(second.completions) == 1
    assert (take.state, take.text, take.model) == (TakeState.done, TEACHERS_TEXT, SECOND)
    with db.reading() as session:
        assert session.exec(select(ProviderCall.outcome)).all() == ["rate_limited", "ok"]


def test_a_teacher_that_meets_its_length_keeps_its_part_and_it_is_said(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    with teacher(monkeypatch, "length"):
        (take,) = written(config, authors=("teachers",))
    assert (take.state, take.text, take.cut, take.error) == (TakeState.done, TEACHERS_TEXT, True, "")
    assert "cut off at the length you asked for" in progress(take)


def test_what_a_teacher_thinks_or_says_around_its_text_is_not_in_it(config: Settings, monkeypatch: pytest.MonkeyPatch):
    around = f"<think>The user wants a ferry.</think>Sure! Here is a scene:\n\n{TEACHERS_TEXT}\n\n(17 words)"
    seen = set[str]()
    with teacher(monkeypatch, around) as service:
        service._pause = 0.05
        key = writing.start(wanted(authors=("teachers",)), config).key
        until(lambda: seen.add(takes_of(key)[0].text) or takes_of(key)[0].state != "writing", PATIENCE)
    assert takes_of(key)[0].text == TEACHERS_TEXT
    assert all(TEACHERS_TEXT.startswith(text) for text in seen)
    assert len(seen) > 2


def test_two_teachers_side_by_side_are_both_seen_as_they_come(config: Settings, monkeypatch: pytest.MonkeyPatch):
    with teacher(monkeypatch, "hang_after_start"), second_teacher(monkeypatch, "hang_after_start"):
        key = writing.start(wanted(authors=(NAME, SECOND), blind=True), config).key
        until(lambda: all(take.text for take in takes_of(key)), PATIENCE)
        pair = takes_of(key)
        assert [label(take, pair) for take in pair] == ["First text", "Second text"]
        writing.stop("ana", key, config)
        assert writing.wait(key, PATIENCE)


@contextmanager
def second_teacher(patch: pytest.MonkeyPatch, script: str = "ok") -> Iterator[FakeService]:
    """Behind the one there is, at another stand-in."""
    with FakeService("openai_compatible", script) as service:
        patch.setenv("ZEGA_OPENAI_BASE_URL", service.url)
        with db.session() as session:
            config = teaching.load(session, "ana")
            second = TeacherChoice(provider="openai_compatible", models=(MODELS["openai_compatible"][0],))  # type: ignore[arg-type]
            others = [one for one in config.in_order() if one.provider not in ("groq", "openai_compatible")]
            chosen = (config.choice("groq"), second, *others)
            teaching.save(session, "ana", config.model_copy(update={"teachers": chosen}))
        yield service


@pytest.mark.parametrize(("days", "asked"), [(0, 0), (2, 1)])
def test_a_budget_is_a_days(config: Settings, monkeypatch: pytest.MonkeyPatch, days: int, asked: int):
    then = now() - timedelta(days=days)
    with teacher(monkeypatch, ["ok"], budget=1.0) as service:
        with db.session() as session:
            session.add(
                ProviderCall(user_id="ana", role="teacher", provider="groq", model="m", outcome="ok", cost=1.0, at=then)
            )
        monkeypatch.setattr("zega_core.teachers.price_of", lambda *_: lambda prompt, completion: 0.01)
        (take,) = written(config, authors=("teachers",))
        assert len(service.completions) == asked
    assert take.state == (TakeState.done if asked else TakeState.failed)
    assert asked or "budget" in take.error


def test_without_a_teacher_it_is_said_and_nothing_leaves(config: Settings, monkeypatch: pytest.MonkeyPatch):
    off = tuple(choice.model_copy(update={"on": False}) for choice in TeachingConfig().in_order())
    with db.session() as session:
        teaching.save(session, "ana", TeachingConfig(teachers=off))
    (take,) = written(config, authors=("teachers",))
    assert (take.state, take.error) == (TakeState.failed, NOBODY)


def test_local_only_asks_nobody_elsewhere(config: Settings, monkeypatch: pytest.MonkeyPatch):
    with db.session() as session:
        teaching.save(
            session, "ana", TeachingConfig(local_only=True, teachers=(TeacherChoice(provider="groq"),))  # type: ignore[arg-type]
        )  # fmt: skip
    monkeypatch.setenv("GROQ_API_KEY", "gsk_a_key_that_nobody_may_see")
    (take,) = written(config, authors=("groq/llama-3.1-8b-instant",))
    assert (take.state, take.error) == (TakeState.failed, NOBODY)
    with db.reading() as session:
        assert not [one for one in writing.authors(session, "ana", config) if one.name.startswith("groq/")]


# ------------------------------------------------------------------------------------------------- what nobody writes


@pytest.mark.usefixtures("database")
def test_a_text_without_a_sign_of_life_is_shown_as_stopped_and_is_marked_so(config: Settings, author: Author):
    key = writing.start(wanted(), config).key
    assert writing.wait(key, PATIENCE)
    old = now() - timedelta(seconds=40)
    with db.session() as session:
        session.exec(update(Take).values(state=TakeState.writing, heartbeat_at=old, text="The ferry"))  # type: ignore[call-overload]
    (take,) = takes_of(key)
    assert (take.state, take.text, take.error) == (TakeState.stopped, "The ferry", writing.LEFT)
    with db.reading() as session:
        assert session.exec(select(Take.state)).one() == TakeState.writing
    assert (writing.tidy(config), writing.tidy(config)) == (1, 0)
    with db.reading() as session:
        assert session.exec(select(Take.state, Take.error)).one() == (TakeState.stopped, writing.LEFT)
    assert writing.again("ana", key, config).number == 2
    assert writing.wait(key, PATIENCE)


def test_one_that_is_being_written_is_left_alone(config: Settings, held: Author):
    key = writing.start(wanted(), config).key
    until(lambda: takes_of(key)[0].text != "", PATIENCE)
    assert writing.tidy(config) == 0
    writing.stop("ana", key, config)
    assert writing.wait(key, PATIENCE)


# ------------------------------------------------------------------------------------------------------- other writers


@pytest.mark.usefixtures("database")
def test_a_request_of_another_version_is_said_to_be(config: Settings, author: Author):
    (take,) = written(config)
    with db.session() as session:
        row = session.get_one(Writing, take.writing_id)
        row.request = {**row.request, "colour": "blue"}
        session.add(row)
        key = row.key
    with pytest.raises(InvalidInput, match="another version of ZEGA"):
        writing.again("ana", key, config)
    with db.session() as session, pytest.raises(InvalidInput, match="another version of ZEGA"):
        writing.rate(session, "ana", take.id or 0, 5, config)


def test_another_writers_requests_are_like_those_that_there_are_not(config: Settings, author: Author):
    key = writing.start(wanted(), config).key
    assert writing.wait(key, PATIENCE)
    (take,) = takes_of(key)
    with db.session() as session:
        writers.ensure(session, "bob")
        session.add(Story(user_id="bob", title="Theirs", genre="", body="Text."))
        session.flush()
        theirs = session.exec(select(Story.id)).one()

    def said(ask: Callable[[str, int | None], object], key: str, take_id: int | None) -> str:
        with pytest.raises(NotFound) as caught:
            ask(key, take_id)
        return str(caught.value)

    def with_session(do: Callable[[db.Session], object]) -> object:
        with db.session() as session:
            return do(session)

    asks: list[Callable[[str, int | None], object]] = [
        lambda key, _: writing.again("bob", key, config),
        lambda key, _: writing.stop("bob", key, config),
        lambda key, _: with_session(lambda session: writing.state(session, "bob", key)),
        lambda key, _: with_session(lambda session: writing.delete(session, "bob", key)),
        lambda _, one: with_session(lambda session: writing.edit(session, "bob", one or 0, "Mine.", config)),
        lambda _, one: with_session(lambda session: writing.rate(session, "bob", one or 0, 5, config)),
        lambda _, one: with_session(lambda session: writing.keep(session, "bob", one or 0, config)),
        lambda _, one: with_session(lambda session: writing.unkeep(session, "bob", one or 0, config)),
        lambda _, one: with_session(lambda session: writing.choose(session, "bob", one or 0)),
        lambda _, one: with_session(lambda session: writing.save_story(session, "bob", one or 0, "Mine", config)),
    ]
    for ask in asks:
        assert said(ask, key, take.id) == said(ask, "f" * 32, 10**6)
    with pytest.raises(NotFound, match="no such story"):
        writing.start(wanted(story_id=theirs), config)
    with pytest.raises(NotFound, match="no such story"):
        writing.start(wanted(story_id=10**12), config)
    with db.reading() as session:
        assert session.exec(select(Take).order_by(col(Take.id))).one() == take


@pytest.mark.parametrize("key", ["", "x", "F" * 32, "../../etc", "f" * 33])
def test_what_is_no_key_is_not_found(config: Settings, key: str):
    with db.reading() as session, pytest.raises(NotFound):
        writing.state(session, "ana", key)
