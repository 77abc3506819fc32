"""Sessions and favourites: each writer their own, and every press counted once."""

from __future__ import annotations

import threading

import pytest

from tests.support.history import session_row
from zega_core import db
from zega_core.configs import AutoTrainConfig
from zega_core.errors import InvalidInput, NotFound
from zega_core.jobs import client
from zega_core.settings import Settings
from zega_core.store import favourites, runs, sessions, writers
from zega_core.tables import RunStatus

pytestmark = pytest.mark.usefixtures("database")


def create(writer: str = "ana", number: int = 5) -> str:
    with db.session() as session:
        config = AutoTrainConfig(writer_id=writer, num_examples=number)
        return sessions.create(session, config, teacher="scripted", order_seed=1).session_id


def test_another_writers_session_is_not_found(config: Settings):
    session_id = create("ana")
    with db.session() as session:
        for ask in (sessions.get, runs.ask_to_stop, runs.ask_to_continue):
            with pytest.raises(NotFound) as theirs:
                ask(session, "ben", session_id)
            with pytest.raises(NotFound) as missing:
                ask(session, "ben", "0" * 32)
            assert str(theirs.value) == str(missing.value)


def test_what_another_program_ran_is_neither_continued_nor_shown_as_a_run(config: Settings):
    mine = create("ana")
    handed_in = session_row(reported=True, num_examples_failed=2, teacher="scripted", total_time_seconds=9_000.0)
    with db.session() as session:
        with pytest.raises(InvalidInput, match="Another program ran this session"):
            runs.ask_to_continue(session, "ana", handed_in)
        assert runs.ask_to_stop(session, "ana", handed_in).status == RunStatus.done
        runs.ask_to_stop(session, "ana", mine)
    with db.reading() as session:
        newest = sessions.latest(session, "ana")
        assert newest is not None and newest.session_id == mine
        assert sessions.seconds_per_example(session, "ana", "scripted") is None


def test_pages_are_newest_first_and_only_ones_own(config: Settings):
    mine = [create("ana") for _ in range(12)]
    create("ben")
    with db.reading() as session:
        assert [row.session_id for row in sessions.page(session, "ana", number=1, size=10)] == mine[:1:-1]
        assert [row.session_id for row in sessions.page(session, "ana", number=2, size=10)] == mine[1::-1]


def test_presses_at_the_same_moment_make_one_session(config: Settings):
    ids: list[str] = []
    ask = AutoTrainConfig(writer_id="ana", num_examples=5)
    db.prepare(config)
    press = threading.Barrier(6)

    def one() -> None:
        press.wait()
        ids.append(client.start_auto_train(ask, teacher="scripted", one_at_a_time=True, settings=config))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6
    assert len(set(ids)) == 1


def test_the_echo_of_a_press_is_not_a_new_run_but_another_wish_is(config: Settings):
    def press(number: int) -> str:
        ask = AutoTrainConfig(writer_id="ana", num_examples=number)
        return client.start_auto_train(ask, teacher="scripted", one_at_a_time=True, settings=config)

    first = press(5)
    with db.session() as session:
        row = sessions.get(session, "ana", first)
        row.status = RunStatus.done
        session.add(row)
    assert press(5) == first
    assert press(6) != first


def test_favourites_are_saved_replaced_and_removed_by_name(config: Settings):
    with db.session() as session:
        writers.ensure(session, "ana")
        favourites.save(session, "ana", "  Night   shift ", ["horror"], 10)
        favourites.save(session, "ana", "Night shift", ["horror", "mystery"], 20)
    with db.session() as session:
        (one,) = favourites.of_writer(session, "ana")
        assert (one.name, one.genres, one.num_examples) == ("Night shift", ["mystery", "horror"], 20)
        assert not favourites.of_writer(session, "ben")
        favourites.remove(session, "ben", "Night shift")
        assert favourites.of_writer(session, "ana")
        favourites.remove(session, "ana", "Night shift")
    with db.reading() as session:
        assert not favourites.of_writer(session, "ana")


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b"])
def test_a_favourite_needs_a_name_that_can_be_read(name: str, config: Settings):
    with pytest.raises(InvalidInput), db.session() as session:
        writers.ensure(session, "ana")
        favourites.save(session, "ana", name, ["horror"], 10)


def test_writers_begin_with_a_default_and_the_last_used_comes_first(config: Settings):
    with db.session() as session:
        assert writers.ids(session) == ["default"]
        writers.add(session, "ana")
        with pytest.raises(InvalidInput, match="already a writer"):
            writers.add(session, "ana")
    with db.session() as session:
        writers.touch(session, "ana")
    with db.reading() as session:
        assert writers.ids(session)[0] == "ana"
