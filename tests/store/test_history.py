"""The history: filtered, sorted, paged and added up in the database."""

from __future__ import annotations

import random
from dataclasses import astuple, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, text, update
from sqlmodel import col, select

from tests.support.history import (
    NOON,
    answered,
    conversation_row,
    did,
    fine_tune_row,
    number_of,
    renewed,
    session_row,
    written,
)
from zega_core import db, history
from zega_core.settings import Settings
from zega_core.store import history as rows
from zega_core.store import history_totals, sessions
from zega_core.store.history import Filter, Kind, Order, Row
from zega_core.tables import ExampleStatus, RunStatus, TrainingSession
from zega_core.teacher_tables import Candidate, ProviderCall, SessionDay

pytestmark = pytest.mark.usefixtures("database", "config")


def keys(found: Filter = Filter(), order: Order = Order.newest, writer: str = "ana", **page: int) -> list[str]:  # noqa: B008
    with db.reading() as session:
        listed = rows.page(session, writer, found, order, **{"number": 1, "size": 50} | page)
        total = rows.count(session, writer, found)
        assert page or total == len(listed)
        assert page or {row.key for row in rows.every(session, writer, found)} == {row.key for row in listed}
        return [row.key for row in listed]


def one(key: str, writer: str = "ana") -> Row:
    with db.reading() as session:
        return next(row for row in rows.every(session, writer, Filter()) if row.key == key)


def test_all_kinds_are_in_one_list_newest_first_a_page_at_a_time():
    oldest, talk, tuned, newest = session_row(), conversation_row(days=1), fine_tune_row(days=2), session_row(days=3)
    session_row("ben", days=4)
    assert keys() == [newest, tuned, talk, oldest]
    assert keys(order=Order.oldest) == [oldest, talk, tuned, newest]
    assert [keys(number=at, size=3) for at in (1, 2, 3)] == [[newest, tuned, talk], [oldest], []]
    assert keys(writer="ben") != []
    assert keys(writer="nobody") == []
    assert keys(Filter(kinds=(Kind.fine_tune,))) == [tuned]
    assert keys(Filter(kinds=(Kind.conversation, Kind.auto_train))) == [newest, talk, oldest]


def test_a_filter_leaves_what_fits_all_of_it():
    dark = session_row(genres_selected=["dark_fantasy", "horror"], average_quality=8.5, teacher="groq/a, ollama/b")
    plain = session_row(days=1, average_quality=6.0, status=RunStatus.failed, error="The disk was full.")
    away = session_row(days=2, archived_at=NOON)
    talk = conversation_row(days=3, paused=True)
    answered(talk, "Because.", genre="horror", quality=9.0)
    tuned = fine_tune_row(days=4)
    assert keys(Filter(genres=("fantasy",))) == [plain]
    assert keys(Filter(genres=("horror", "fantasy"))) == [talk, plain, dark]
    assert keys(Filter(quality=(8.5, 9.0))) == [talk, dark]
    assert keys(Filter(teacher="groq/a")) == [talk, dark]
    assert keys(Filter(teacher="ollama/b")) == [dark]
    assert keys(Filter(teacher="ollama")) == []
    assert keys(Filter(teacher="storyteller", genres=("horror",))) == [dark]
    assert keys(Filter(statuses=(RunStatus.failed, "paused"))) == [talk, plain]
    assert keys(Filter(since=NOON + timedelta(days=1), until=NOON + timedelta(days=3))) == [plain]
    assert keys(Filter(archived=True)) == [away]
    assert keys(Filter(text="DISK was")) == [plain]
    assert keys(Filter(text=dark[3:20].upper())) == [dark]
    assert keys(Filter(text="Dark Fantasy")) == [dark]
    assert keys(Filter(text="night")) == [talk]
    assert keys(Filter(text="%")) == []
    assert keys(Filter(text="\x00 \ud800")) == []
    assert keys(Filter(genres=("horror",), quality=(0, 5))) == []
    assert tuned in keys()


@pytest.mark.parametrize("text", ['"', "%", "_", "-", ",", "[", "]", "\\", "'", "fantasy%", 'horror", '])
def test_a_search_takes_its_letters_as_they_are(text: str):
    session_row(genres_selected=["dark_fantasy", "horror"])
    talk = conversation_row(name="Night shift", days=1)
    answered(talk, "Because.", genre="dark_fantasy")
    assert keys(Filter(text=text)) == []
    marked = session_row(days=2, error=f"It said {text} twice.")
    assert keys(Filter(text=text)) == [marked]


def test_a_search_finds_genres_by_their_names():
    science, dark = session_row(genres_selected=["sci_fi"]), session_row(days=1, genres_selected=["dark_fantasy"])
    talk = conversation_row(days=2)
    answered(talk, "Because.", genre="sci_fi")
    for name in ("sci-fi", "SCI_FI", "Science fiction", "science"):
        assert keys(Filter(text=name)) == [talk, science], name
    assert keys(Filter(text="fantasy")) == [dark]


def test_orders_put_what_has_no_figure_last():
    low = session_row(average_quality=5.0, num_examples_successful=9, total_time_seconds=10.0)
    high = session_row(days=1, average_quality=9.0, num_examples_successful=1, total_time_seconds=200.0)
    none = session_row(days=2, average_quality=None, num_examples_successful=5, total_time_seconds=30.0)
    tuned = fine_tune_row(days=3)
    talk = conversation_row(days=4)
    for number, score in enumerate((6.0, 8.0), start=1):
        answered(talk, f"answer {number}", number=number, quality=score)
    assert keys(order=Order.best) == [high, talk, low, tuned, none]
    assert keys(order=Order.worst) == [low, talk, high, tuned, none]
    assert keys(order=Order.longest) == [high, tuned, talk, none, low]
    assert keys(order=Order.most_kept) == [low, none, talk, high, tuned]


def test_rows_say_what_came_of_each():
    whole = one(session_row(fine_tuning_triggered=True, reported=True, genres_selected=["horror", "mystery"]))
    assert (whole.kept, whole.requested, whole.quality, whole.low, whole.high) == (6, 10, 7.0, 5.0, 9.0)
    assert (whole.genres, whole.teacher, whole.seconds) == (("horror", "mystery"), "storyteller", 60.0)
    assert (whole.fine_tuned, whole.reported, whole.archived, whole.error) == (True, True, False, "")
    talk = conversation_row(name="Tides")
    answered(talk, "one", quality=7.0)
    found = one(talk)
    assert (found.kept, found.requested, found.quality, found.genres, found.seconds) == (1, 1, 7.0, ("horror",), 30.0)
    assert (found.name, found.status) == ("Tides", "open")
    tuned = one(fine_tune_row(version_number=3))
    assert (tuned.kept, tuned.requested, tuned.quality, tuned.seconds, tuned.version) == (None, None, None, 90.0, 3)


def test_totals_weigh_sessions_by_what_they_scored():
    session_row(num_examples_successful=30, num_examples_set_aside=0, average_quality=8.0, fine_tuning_triggered=True)
    session_row(num_examples_successful=10, num_examples_set_aside=0, average_quality=6.0, stories_saved_count=3)
    session_row(num_examples_successful=0, num_examples_set_aside=0, average_quality=None, recorded=False)
    session_row("ben", num_examples_successful=7)
    with db.reading() as session:
        found = history_totals.totals(session, "ana", recorded=True)
        every = history_totals.totals(session, "ana")
        none = history_totals.totals(session, "nobody")
    assert (found.sessions, found.kept, found.scored, found.average_quality) == (2, 40, 40, 7.5)
    assert (found.stories, found.seconds, found.fine_tunes) == (3, 120.0, 1)
    assert (every.sessions, every.kept) == (3, 40)
    assert (none.sessions, none.average_quality, none.kept) == (0, None, 0)


def test_cards_compare_thirty_days_with_the_thirty_before():
    session_row(days=-45, num_examples_successful=2, num_examples_set_aside=8, average_quality=5.0)
    session_row(days=-10, num_examples_successful=8, num_examples_set_aside=2, average_quality=7.5)
    session_row(days=-100, num_examples_successful=10, num_examples_set_aside=0, archived_at=NOON)
    with db.reading() as session:
        found = history.cards(session, "ana", Filter(), NOON)
        narrow = history.cards(session, "ana", Filter(since=NOON - timedelta(days=20)), NOON)
        other = history.cards(session, "ana", Filter(kinds=(Kind.fine_tune,)), NOON)
    assert (found.sessions, found.kept, found.made) == (3, 20, 30)  # what was archived counts
    assert (found.trends.sessions, found.trends.kept, found.trends.quality) == (0, 6, 2.5)
    assert found.trends.share == pytest.approx(0.6)
    assert (narrow.sessions, narrow.trends.quality) == (1, None)
    assert (other.sessions, other.kept) == (0, 0)


def test_days_that_are_left_out_are_compared_with_nothing():
    for days in (-45, -35, -10, -3):
        session_row(days=days)
    with db.reading() as session:
        whole = history.cards(session, "ana", Filter(since=NOON - timedelta(days=60)), NOON)
        cut = history.cards(session, "ana", Filter(since=NOON - timedelta(days=40)), NOON)
        past = history.cards(session, "ana", Filter(until=NOON - timedelta(days=5)), NOON)
    assert (whole.sessions, whole.trends.sessions) == (4, 0)
    assert (cut.sessions, cut.trends) == (3, history.Trends())
    assert (past.sessions, past.trends) == (3, history.Trends())


def test_quality_over_time_has_the_average_of_the_last_seven_and_days_where_there_are_many(
    monkeypatch: pytest.MonkeyPatch,
):
    for number in range(9):
        session_row(days=number / 4, average_quality=1.0 + number)
    session_row(days=1, average_quality=None)
    with db.reading() as session:
        points = history.quality_over_time(session, "ana", Filter())
        monkeypatch.setattr(history, "EACH_DAY_FROM", 9)
        days = history.quality_over_time(session, "ana", Filter())
    assert [point.quality for point in points] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    assert points[-1].average_of_seven == 6.0
    assert points[1].average_of_seven == 1.5
    assert [(point.at.day, point.quality, point.sessions, point.key) for point in days] == [
        (1, 1.5, 2, ""),
        (2, 4.5, 4, ""),
        (3, 8.0, 3, ""),
    ]


def test_teachers_are_counted_from_pieces_votes_and_calls():
    run = session_row()
    written(run, "kept", model="groq/a", quality=9.0, idx=0)
    written(run, "aside", model="groq/a", status=ExampleStatus.set_aside, quality=5.0, genre="horror", idx=1)
    written(run, "other", model="ollama/b", quality=8.0, idx=2)
    written(run, "", model=None, status=ExampleStatus.failed, quality=None, idx=3)
    with db.session() as session:
        number = session.execute(text("SELECT id FROM training_session")).scalar_one()
        for model, won, counted in (("groq/a", True, True), ("ollama/b", False, True), ("c/d", False, False)):
            session.add(
                Candidate(
                    user_id="ana", session_id=number, idx=0, model=model, completion="x", quality=5.0, won=won,
                    counted=counted,
                )
            )  # fmt: skip
        for model, cost, role in (
            ("a", 0.25, "teacher"),
            ("a", 0.25, "teacher"),
            ("z", None, "teacher"),
            ("a", 9.0, "judge"),
        ):
            session.add(
                ProviderCall(
                    user_id="ana", session_id=number, role=role, provider="groq", model=model, outcome="ok", cost=cost,
                    at=NOON,
                )
            )  # fmt: skip
    renewed(run)
    renewed(run)  # twice changes nothing
    with db.reading() as session:
        first, second, third = history.teachers_of(session, "ana", Filter())
        narrow = history.teachers_of(session, "ana", Filter(genres=("romance",)))
        genres = history.genres_of(session, "ana", Filter())
        theirs = history.teachers_of(session, "ben", Filter())
    assert (first.model, first.kept, first.made, first.share, first.quality) == ("groq/a", 1, 2, 0.5, 7.0)
    assert (first.votes, first.wins, first.cost, first.cost_per_kept) == (1, 1, 0.5, 0.5)
    assert (second.model, second.kept, second.votes, second.wins) == ("ollama/b", 1, 1, 0)
    assert (third.model, third.kept, third.made, third.unpriced, third.cost_per_kept) == ("groq/z", 0, 0, 1, None)
    assert (narrow, theirs) == ([], [])
    assert genres == {"fantasy": 2}


def test_best_settings_need_enough_pieces_in_enough_sessions():
    for number in range(3):
        run = session_row(days=number)
        did(run, "groq/a", "mystery", made=20, kept=18, scored=20, quality_sum=166.0)
        did(run, "ollama/b", "horror", made=2, kept=2, scored=2, quality_sum=18.0)
        did(run, "c/d", "nonsense", made=200, kept=200, scored=0)
        if number == 1:
            with db.reading() as session:
                assert history.recommendation(session, "ana") is None
    with db.reading() as session:
        found = history.recommendation(session, "ana")
        assert history.recommendation(session, "ben") is None
    assert found is not None
    assert (found.genre, found.teacher, found.sessions, found.made, found.kept) == ("mystery", "groq/a", 3, 60, 54)
    assert found.share == 0.9
    assert 0.79 < found.low < 0.9 < found.high < 0.96
    assert found.quality == 8.3


def test_of_equally_good_settings_it_is_always_the_same():
    for number in range(3):
        run = session_row(days=number)
        for model, genre in (("z/a", "horror"), ("b/a", "mystery"), ("a/a", "mystery"), ("c/a", "horror")):
            did(run, model, genre, made=20, kept=18, scored=20, quality_sum=166.0)
    with db.reading() as session:
        found = history.recommendation(session, "ana")
    assert found is not None
    assert (found.genre, found.teacher) == ("horror", "c/a")


@pytest.mark.parametrize("score", ["'NaN'", "'Infinity'", "-3", "1e300"])
def test_stored_numbers_that_are_none_count_as_missing(score: str):
    good = session_row(average_quality=6.0)
    bad = session_row(days=1, genres_selected={"a": None}, model_performance_json=[None, "NaN"])
    with db.session() as session:
        session.execute(text(f"UPDATE training_session SET average_quality = {score} WHERE session_id = '{bad}'"))
        session.execute(
            update(TrainingSession).where(col(TrainingSession.session_id) == bad).values(min_quality=float("nan"))
        )
    row = one(bad)
    assert (row.quality, row.low, row.genres) == (None, None, ())
    assert keys(order=Order.best) == [good, bad]
    with db.reading() as session:
        assert history.cards(session, "ana", Filter(), NOON).quality == 6.0
        assert [point.quality for point in history.quality_over_time(session, "ana", Filter())] == [6.0]
        assert rows.count(session, "ana", replace(Filter(), quality=(0, 10))) == 1


def test_a_long_history_is_read_in_chunks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows, "CHUNK", 3)
    mine = [session_row(days=number) for number in range(10)]
    with db.reading() as session:
        assert [row.key for row in rows.every(session, "ana", Filter())] == mine[::-1]


def test_the_list_is_read_from_one_index(config: Settings, database: str):
    """On SQLite, whose plan says so whatever the size."""
    if database != "sqlite":
        pytest.skip("PostgreSQL chooses by the size of the table")
    plans: list[Any] = []
    with db.reading() as session:
        for order in Order:
            query = rows._ordered("ana", Filter(genres=("horror",), teacher="a", quality=(1, 2)), order).limit(10)
            compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
            plans += [line[3] for line in session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]
    of_sessions = [line for line in plans if " training_session" in line]
    assert len(of_sessions) == len(Order)
    assert all("COVERING INDEX history_sessions" in line for line in of_sessions), of_sessions


def test_a_run_is_found_by_its_id_in_an_index(config: Settings, database: str):
    if database != "sqlite":
        pytest.skip("PostgreSQL chooses by the size of the table")
    run = session_row()
    query = select(TrainingSession.id).where(*sessions.is_run(run))
    with db.reading() as session:
        said = str(query.compile(session.connection(), compile_kwargs={"literal_binds": True}))
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {said}").all()
    assert ["USING" in line[3] and "INDEX ux_training_session_run (session_id=?)" in line[3] for line in plan] == [True]


LONG_AGO = Filter(since=NOON - timedelta(days=10_000))
"""Leaves no session out, and has every figure added up from the sessions instead of from the days."""


@pytest.mark.parametrize("seed", range(6))
def test_the_sums_of_days_follow_every_change(seed: int, database: str):
    draw = random.Random(seed)

    def figures() -> dict[str, Any]:
        return {
            "num_examples_successful": draw.choice([0, 1, 7]),
            "num_examples_set_aside": draw.choice([0, 3]),
            "stories_saved_count": draw.choice([0, 2]),
            "average_quality": draw.choice([None, 5.5, 8.25, 11.0, float("nan")]),
            "total_time_seconds": draw.choice([0.0, 61.5, -1.0, 1e12]),
            "fine_tuning_triggered": draw.random() < 0.3,
            "recorded": draw.random() < 0.7,
            "started_at": NOON + timedelta(hours=draw.randrange(72)),
        }

    for step in range(40):
        writer, chance = draw.choice(["ana", "ben"]), draw.random()
        with db.session() as session:
            mine = session.exec(select(TrainingSession).where(TrainingSession.user_id == writer)).all()
            if chance < 0.2 and mine:
                session.delete(draw.choice(mine))
            elif chance < 0.4 and mine:
                for name, value in figures().items():
                    setattr(draw.choice(mine), name, value)
            elif chance < 0.6:
                session.execute(
                    update(TrainingSession).where(col(TrainingSession.user_id) == writer).values(**figures())
                )
        if chance >= 0.6:
            session_row(writer, **figures())
        if step % 8 == 7:
            check_days()
    with db.session() as session:
        session.execute(delete(TrainingSession))
    with db.reading() as session:
        assert session.exec(select(SessionDay)).all() == []


def check_days() -> None:
    with db.reading() as session:
        for writer in ("ana", "ben"):
            for recorded in (False, True):
                summed = history_totals.totals(session, writer, recorded=recorded)
                added_up = history_totals.totals(session, writer, LONG_AGO, recorded=recorded)
                assert astuple(summed) == pytest.approx(astuple(added_up), abs=0.011)
            days = history_totals.scored_days(session, writer, Filter())
            assert days == history_totals.scored_days(session, writer, LONG_AGO)


def test_totals_read_nothing_but_an_index(config: Settings, database: str):
    if database != "sqlite":
        pytest.skip("PostgreSQL chooses by the size of the table")
    told: list[str] = []
    with db.reading() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda _c, _k, said, *_rest: told.append(said))
        history_totals.totals(session, "ana", recorded=True)
        history_totals.scored_days(session, "ana", Filter())
        history.cards(session, "ana", Filter(genres=("horror",), teacher="a", quality=(1, 2)), NOON)
        statements = [one for one in told if one.startswith("SELECT")]
        numbers = [(one, ("ana", *["2026-01-01"] * (one.count("?") - 1))) for one in statements]
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values).all() for one, values in numbers]
    read = [line[3] for plan in plans for line in plan if "training_session" in line[3]]
    assert len(statements) == 4 and len(read) == 2, "two are of whole days, whose sums are there already"
    assert all("COVERING INDEX" in line for line in read), read


def test_what_teachers_did_before_is_there_after_a_migration(config: Settings):
    """Taken away and made anew from pieces, votes and calls: the same as a record writes."""
    from alembic import command
    from alembic.config import Config

    run, unfinished = session_row(), session_row(recorded=False)
    written(run, "kept", model="groq/a", quality=9.0, idx=0)
    written(run, "aside", model="groq/a", status=ExampleStatus.set_aside, quality=None, genre="horror", idx=1)
    written(run, "", model=None, status=ExampleStatus.failed, quality=None, idx=2)
    written(unfinished, "not yet", idx=0)
    with db.session() as session:
        number = number_of(run)
        session.add(Candidate(user_id="ana", session_id=number, idx=0, model="b", completion="", quality=5, won=True))
        for provider, model, cost in (("groq", "a", 0.5), ("groq", "z", None), ("storyteller", "", 0.0)):
            call = ProviderCall(user_id="ana", session_id=number, role="teacher", provider=provider, model=model,
                                outcome="ok", cost=cost, at=NOON)  # fmt: skip
            session.add(call)
    renewed(run)

    def stored() -> list[Any]:
        with db.reading() as session:
            query = text("SELECT * FROM session_teacher ORDER BY session_id, model, genre")
            days = text("SELECT * FROM session_day ORDER BY user_id, recorded, day")
            return [tuple(row) for query in (days, query) for row in session.execute(query)]

    before = stored()
    assert [row[:4] for row in before[:2]] == [("ana", False, "2026-07-01", 1), ("ana", True, "2026-07-01", 1)]
    assert {row[1] for row in before[2:]} == {"groq/a", "b", "groq/z", "storyteller"}
    script = Config()
    script.set_main_option("script_location", str(db.MIGRATIONS))
    for move, to in ((command.downgrade, "0007"), (command.upgrade, "head")):
        with db.migrating(db.get_engine(config)) as connection:
            script.attributes["connection"] = connection
            move(script, to)
    assert stored() == before
    assert keys() == [unfinished, run] or keys() == [run, unfinished]
