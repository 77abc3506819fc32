"""Questions and examples by a teacher: nothing waits for them, nothing breaks by them, and every call is noted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from tests.support.asker import NAME, QUESTIONS, Asker, teacher
from tests.support.services import TEXT
from tests.support.talking import a_question, answered, asked, own_words, row, started
from zega_core import asking, conversation, db, staffing
from zega_core.configs import TeacherChoice, TeachingConfig
from zega_core.conversation_tables import Turn
from zega_core.errors import NotFound
from zega_core.questions.likeness import Asked
from zega_core.settings import Settings
from zega_core.store import conversations, teaching
from zega_core.store.conversations import AHEAD
from zega_core.tables import CallOutcome, now
from zega_core.teacher_tables import ProviderCall

BAD = '{"question": "Write <b>this</b>"}'


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staffing, "BESIDE_PATIENCE", 0.2)


def prepared(key: str) -> list[Turn]:
    with db.reading() as session:
        found = conversations.by_key(session, key)
        return [] if found is None else conversations.prepared(session, found)


def calls() -> list[ProviderCall]:
    with db.reading() as session:
        return list(session.exec(select(ProviderCall)))


def want_example(turn_id: int, config: Settings) -> Turn | None:
    return asking.ask_for_example("ana", turn_id, config)


def may_ask(config: Settings, writer: str = "ana") -> bool:
    with db.reading() as session:
        return asking.teacher_may_ask(session, writer, config)


def alone(config: Settings) -> None:
    """Without any teacher."""
    off = tuple(choice.model_copy(update={"on": False}) for choice in TeachingConfig().in_order())
    with db.session() as session:
        teaching.save(session, "ana", TeachingConfig(teachers=off))


# ----------------------------------------------------------------------------------------------------------- questions


@pytest.mark.usefixtures("database")
def test_a_teachers_questions_wait_and_are_asked_next(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started("cosy mysteries in a harbour")
    first = asked(key)
    with teacher(monkeypatch, Asker()):
        asking.prepare(key, config)
    waiting = prepared(key)
    assert [turn.question for turn in waiting] == list(QUESTIONS[:AHEAD])
    assert {turn.asked_by for turn in waiting} == {NAME}
    assert all(
        (turn.genre, turn.difficulty, turn.context) == ("mystery", "easy", "For a patient reader.") for turn in waiting
    )
    answered(key, own_words(1), turn=first.id)
    assert asked(key).question == QUESTIONS[0]


def test_the_storyteller_does_not_write_while_others_wait(config: Settings, monkeypatch: pytest.MonkeyPatch):
    alone(config)
    turn = asked(started())
    write = asking.example_by_storyteller

    def meanwhile(*arguments: Any, **more: Any) -> str:
        with db.session() as session:  # another window's draft, which would wait in vain
            conversation.save_draft(session, "ana", turn.id or 0, "Meanwhile")
        return write(*arguments, **more)

    monkeypatch.setattr(asking, "example_by_storyteller", meanwhile)
    assert want_example(turn.id or 0, config) is None
    found, _ = row(turn.id or 0)
    assert (found.draft, found.example_by) == ("Meanwhile", "storyteller")
    assert found.example


def test_every_call_is_in_the_ledger_of_the_writer(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    with teacher(monkeypatch, Asker(BAD)) as service:
        asking.prepare(key, config)
        assert len(service.completions) == AHEAD + 1
    assert len(calls()) == AHEAD + 1
    assert {(call.user_id, call.role, call.session_id, call.provider) for call in calls()} == {
        ("ana", "teacher", None, "groq")
    }
    assert not any("gsk_" in str(call.model_dump()) for call in calls())


def test_there_are_never_more_ahead(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    with teacher(monkeypatch, Asker()) as service:
        asking.prepare(key, config)
        asking.prepare(key, config)
        assert len(service.completions) == AHEAD
    assert len(prepared(key)) == AHEAD


def test_two_at_once_are_not_more_either(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key, meet = started(), threading.Barrier(2, timeout=20)

    def together() -> None:
        meet.wait()
        asking.prepare(key, config)

    with teacher(monkeypatch, Asker()):
        threads = [threading.Thread(target=together) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    questions = [turn.question for turn in prepared(key)]
    assert 1 <= len(questions) <= AHEAD
    assert len(set(questions)) == len(questions)


def test_what_the_purpose_is_about_makes_no_two_questions_alike(config: Settings, monkeypatch: pytest.MonkeyPatch):
    about, first, second = (
        "cosy mysteries set in a lighthouse village with a lighthouse keeper",
        "Let the lighthouse keeper of the village speak.",
        "The lighthouse keeper of the village lies.",
    )
    assert Asked([first]).has(second)
    key = started(about)
    with db.session() as session:
        conversations.add_prepared(session, conversations.get(session, "ana", key), a_question(first))
    monkeypatch.setattr(asking, "by_teacher", lambda *_, **__: (a_question(second), ()))
    with teacher(monkeypatch, Asker()):
        asking.prepare(key, config)
    assert [turn.question for turn in prepared(key)] == [first, second]


def test_a_teacher_who_never_asks_properly_is_left(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    answered(key, own_words(1))
    with teacher(monkeypatch, BAD) as service:
        asking.prepare(key, config)
        assert len(service.completions) == asking.ASKS
    assert prepared(key) == []
    assert asked(key).asked_by == "storyteller"


@pytest.mark.parametrize(
    "fault",
    (
        "error_500 rate_limited unauthorized no_credit bad_request safety empty length huge dropped dropped_at_once "
        "ends_early bad_json html wrong_shape lone_surrogate redirect"
    ).split(),
)
def test_no_fault_of_a_teacher_is_the_writers(fault: str, config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    with teacher(monkeypatch, fault) as service:
        asking.prepare(key, config)
        assert service.completions
    assert prepared(key) == []
    assert len(calls()) >= 1
    assert asked(key).asked_by == "storyteller"


def test_without_a_teacher_nobody_is_asked(config: Settings):
    key = started()
    alone(config)
    assert not may_ask(config)
    asking.prepare(key, config)
    assert (prepared(key), calls()) == ([], [])


def test_a_service_that_is_not_there_is_looked_at_once(config: Settings):
    key = started()
    assert may_ask(config)  # Ollama is on wherever nothing else is chosen
    asking.prepare(key, config)
    assert prepared(key) == []
    assert not may_ask(config)


def test_local_only_asks_nobody_elsewhere(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    with teacher(monkeypatch, Asker(), local_only=True) as service:
        assert may_ask(config)  # on this machine
        monkeypatch.setenv("GROQ_BASE_URL", "https://groq.example/v1")
        assert not may_ask(config)
        asking.prepare(key, config)
        assert service.requests == []
    assert prepared(key) == []


def test_a_choice_that_the_writer_has_changed_holds_at_once(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    with teacher(monkeypatch, Asker()) as service:
        asking.prepare(key, config)
        answered(key, own_words(1))
        asked(key)
        looks = len(service.requests) - len(service.completions)
        other = TeacherChoice(provider="groq", models=("openai/gpt-oss-20b",))  # type: ignore[arg-type]
        with db.session() as session:
            teaching.save(session, "ana", TeachingConfig(teachers=(other,)))
        asking.prepare(key, config)
        assert service.completions[-1].json["model"] == "openai/gpt-oss-20b"
        assert len(service.requests) - len(service.completions) == looks + 1


def a_cent_a_call(*_: object) -> Callable[[int, int], float]:
    return lambda prompt, completion: 0.01


def test_a_spent_budget_asks_nobody(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    with teacher(monkeypatch, Asker(), budget=1.0) as service:
        with db.session() as session:
            dear = ProviderCall(
                user_id="ana", role="teacher", provider="groq", model="m", outcome="ok", cost=1.0, at=now()
            )
            session.add(dear)
        monkeypatch.setattr("zega_core.teachers.price_of", a_cent_a_call)
        asking.prepare(key, config)
        assert service.completions == []
    assert prepared(key) == []


def test_a_budget_spent_on_another_day_is_there_anew(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    with teacher(monkeypatch, Asker(), budget=1.0) as service:
        with db.session() as session:
            conversations.get(session, "ana", key).created_at = now() - timedelta(days=9)
            then = now() - timedelta(days=2)
            session.add(
                ProviderCall(user_id="ana", role="teacher", provider="groq", model="m", outcome="ok", cost=1.0, at=then)
            )
        monkeypatch.setattr("zega_core.teachers.price_of", a_cent_a_call)
        asking.prepare(key, config)
        assert service.completions != []


def test_a_new_purpose_does_not_get_the_old_ones_questions(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started("cosy mysteries")

    def changes() -> None:
        with db.session() as session:
            conversation.set_purpose(session, "ana", key, "sea stories")

    with teacher(monkeypatch, Asker(before=changes)):
        asking.prepare(key, config)
    assert prepared(key) == []
    assert len(calls()) == 1


def test_a_conversation_that_is_gone_or_paused_gets_nothing(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key, paused = started(), started("sea stories")
    with db.session() as session:
        conversation.pause(session, "ana", paused)

    def goes() -> None:
        with db.session() as session:
            conversation.delete_conversation(session, "ana", key)

    with teacher(monkeypatch, Asker(before=goes)) as service:
        asking.prepare(key, config)
        for other in (key, paused, "0" * 32, "?"):
            asking.prepare(other, config)
        assert len(service.completions) == 1
    assert (prepared(key), prepared(paused)) == ([], [])


def test_a_slow_teacher_keeps_nothing_waiting(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key, begun, go = started(), threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go.wait(30)

    with teacher(monkeypatch, Asker(before=slow)):
        thread = threading.Thread(target=asking.prepare, args=(key, config))
        thread.start()
        assert begun.wait(30)
        for number in range(3):  # while it thinks
            assert answered(key, own_words(number)).example_id
            assert asked(key).asked_by == "storyteller"
        go.set()
        thread.join(30)
    assert len(prepared(key)) == AHEAD


# ------------------------------------------------------------------------------------------------------------ examples


@pytest.mark.usefixtures("database")
def test_an_example_is_by_the_teacher_and_never_the_writers(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    turn = asked(key)
    with teacher(monkeypatch, "ok"):
        assert want_example(turn.id or 0, config) is not None
        asking.write_example(turn.id or 0, config)
    found, example = row(turn.id or 0)
    assert (found.example, found.example_by, example) == (TEXT, NAME, None)
    assert [(call.role, call.outcome) for call in calls()] == [("teacher", CallOutcome.ok)]


def test_without_a_teacher_the_storytellers_is_there_at_once(config: Settings):
    turn = asked(started())
    alone(config)
    assert want_example(turn.id or 0, config) is None
    found, _ = row(turn.id or 0)
    assert found.example_by == "storyteller"
    assert len(found.example.split()) >= 20


@pytest.mark.parametrize("fault", ["unauthorized", "empty", "safety", "length", "bad_json"])
def test_the_storyteller_stands_in_for_a_teacher_who_fails(
    fault: str, config: Settings, monkeypatch: pytest.MonkeyPatch
):
    turn = asked(started())
    with teacher(monkeypatch, fault):
        want_example(turn.id or 0, config)
        asking.write_example(turn.id or 0, config)
    found, _ = row(turn.id or 0)
    assert found.example_by == "storyteller"
    assert found.example
    assert calls()


def test_an_example_is_written_once(config: Settings, monkeypatch: pytest.MonkeyPatch):
    turn = asked(started())
    with teacher(monkeypatch, "ok") as service:
        first = want_example(turn.id or 0, config)
        second = want_example(turn.id or 0, config)
        assert first is not None and second is not None
        assert first.example_asked_at == second.example_asked_at
        asking.write_example(turn.id or 0, config)
        asking.write_example(turn.id or 0, config)
        assert want_example(turn.id or 0, config) is None
        assert len(service.completions) == 1


def test_an_example_that_nobody_asked_for_is_not_written(config: Settings, monkeypatch: pytest.MonkeyPatch):
    turn = asked(started())
    with teacher(monkeypatch, "ok") as service:
        asking.write_example(turn.id or 0, config)
        asking.write_example(10_000, config)
        assert service.requests == []


def test_another_writers_question_is_like_one_that_does_not_exist(config: Settings):
    turn = asked(started(writer="ben"), writer="ben")
    said = set[str]()
    for turn_id in (turn.id or 0, 10_000, 0):
        with pytest.raises(NotFound) as caught:
            want_example(turn_id, config)
        said.add(str(caught.value))
    assert len(said) == 1


def test_an_example_for_a_conversation_deleted_meanwhile_is_dropped(config: Settings, monkeypatch: pytest.MonkeyPatch):
    key = started()
    turn = asked(key)

    def script(number: int) -> str:
        with db.session() as session:
            conversation.delete_conversation(session, "ana", key)
        return "ok"

    with teacher(monkeypatch, script):
        want_example(turn.id or 0, config)
        asking.write_example(turn.id or 0, config)
    with pytest.raises(NotFound):
        row(turn.id or 0)
