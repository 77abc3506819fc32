"""The use case with a scripted teacher, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from tests.support.teachers import ScriptedTeacher, catalog, story
from tests.support.waiting import BUSY
from zega_core import auto_train, db
from zega_core.auto_train import order_seed, plan, run
from zega_core.configs import AutoTrainConfig, GenreKey
from zega_core.dataset import text_hash
from zega_core.errors import HomeError, ProviderUnavailable
from zega_core.jobs import client
from zega_core.providers.base import ChatModel
from zega_core.settings import Settings
from zega_core.store import examples, runs, sessions
from zega_core.tables import Example, ExampleStatus, Memory, RunStatus, Story, TrainingSession, now

CATALOG = catalog()
pytestmark = pytest.mark.usefixtures("database")


def ask(number: int = 6, **more: object) -> str:
    config = AutoTrainConfig(num_examples=number, **more)  # type: ignore[arg-type]
    with db.session() as session:
        return sessions.create(session, config, teacher="scripted", order_seed=order_seed(config.writer_id)).session_id


def work(session_id: str, teacher: ChatModel, settings: Settings, attempt: int = 1) -> RunStatus | None:
    return run(session_id, attempt, settings=settings, catalog=CATALOG, teacher=teacher)


def row_of(session_id: str) -> TrainingSession:
    with db.reading() as session:
        return session.exec(select(TrainingSession).where(TrainingSession.session_id == session_id)).one()


def rows_of(session_id: str) -> list[Example]:
    with db.reading() as session:
        query = (
            select(Example)
            .join(TrainingSession, col(Example.session_id) == col(TrainingSession.id))
            .where(TrainingSession.session_id == session_id)
            .order_by(col(Example.idx))
        )
        return list(session.exec(query))


class TestPlan:
    def combinations(self, number: int, genres: list[str], draw_from: dict[str, int] | None = None) -> list[tuple]:
        draws = plan(CATALOG, genres, number, 7, draw_from or {})
        return [
            (d.brief.genre, d.brief.prompt, d.brief.element.key, d.brief.modifier and d.brief.modifier.key)
            for d in draws
        ]

    def test_no_combination_comes_twice_before_all_have_come(self):
        drawn = self.combinations(400, ["fantasy"])
        assert len(set(drawn)) == 400
        again = self.combinations(401, ["fantasy"])
        assert again[400] in set(drawn)

    def test_genres_are_balanced(self):
        counts = Counter(genre for genre, *_ in self.combinations(500, ["fantasy", "sci_fi", "horror"]))
        assert max(counts.values()) - min(counts.values()) <= 1

    def test_short_sessions_are_balanced_over_elements_and_prompts(self):
        drawn = self.combinations(20, ["mystery"])
        assert set(Counter(element for _, _, element, _ in drawn).values()) == {5}
        assert max(Counter(prompt for _, prompt, _, _ in drawn).values()) <= 3

    def test_the_next_session_takes_up_the_order_where_the_last_one_ended(self):
        both = self.combinations(60, ["fantasy", "horror"])
        second = self.combinations(30, ["fantasy", "horror"], {"fantasy": 15, "horror": 15})
        assert both[30:] == second

    def test_sessions_of_one_writer_do_not_repeat_combinations(self):
        first, second = row_of(ask(30, genres=("fantasy",))), row_of(ask(40))
        assert first.draw_from == {}
        assert second.draw_from == {"fantasy": 30}
        with db.session() as session:
            taken = sessions.draws_taken(session, "default", order_seed("default"))
        assert taken == {"fantasy": 35, **{key.value: 5 for key in GenreKey if key != "fantasy"}}

    def test_a_seed_asks_for_the_same_again(self):
        first, second = row_of(ask(9, seed=7)), row_of(ask(9, seed=7))
        assert (first.seed, first.order_seed, first.draw_from) == (second.seed, second.order_seed, second.draw_from)


class TestRun:
    def test_every_index_is_stored_once_with_its_score_and_reasons(self, config: Settings):
        session_id = ask(12)
        assert work(session_id, ScriptedTeacher(), config) == RunStatus.done
        rows = rows_of(session_id)
        assert [row.idx for row in rows] == list(range(12))
        for row in rows:
            assert row.quality is not None
            assert 0 <= row.quality <= 10
            assert row.quality_report is not None
            assert row.quality_report["criteria"]
            assert (row.catalog_version, row.model, row.source) == (1, "scripted", "auto")

    def test_what_scores_too_low_is_set_aside_with_its_score_and_why(self, config: Settings):
        session_id = ask(3)
        work(session_id, ScriptedTeacher(lambda *_: "I'm sorry, but I cannot help with that."), config)
        for row in rows_of(session_id):
            assert row.status == ExampleStatus.set_aside
            assert row.completion
            assert row.quality is not None
            assert row.quality < config.keep_score
            assert row.reason
            assert "below 7.0" in row.reason

    def test_the_same_text_again_is_set_aside_as_a_duplicate(self, config: Settings):
        same = story(1, CATALOG.prompts[0].text)
        generous = config.model_copy(update={"keep_score": 0.0})
        session_id = ask(5, genres=("fantasy",))
        work(session_id, ScriptedTeacher(lambda *_: same), generous)
        statuses = Counter(row.status for row in rows_of(session_id))
        assert statuses == {ExampleStatus.kept: 1, ExampleStatus.set_aside: 4}
        kept = next(row for row in rows_of(session_id) if row.status == ExampleStatus.kept)
        assert {row.duplicate_of for row in rows_of(session_id) if row.status != ExampleStatus.kept} == {kept.id}

    def test_a_near_duplicate_of_an_earlier_session_is_set_aside(self, config: Settings):
        generous = config.model_copy(update={"keep_score": 0.0})
        text = story(1, CATALOG.prompts[0].text)
        work(ask(1, genres=("fantasy",)), ScriptedTeacher(lambda *_: text), generous)
        second = ask(1, genres=("fantasy",))
        work(second, ScriptedTeacher(lambda *_: text.replace("Mara", "Ines") + " Then it ended."), generous)
        (row,) = rows_of(second)
        assert row.status == ExampleStatus.set_aside
        assert row.duplicate_of is not None

    def test_a_text_kept_meanwhile_by_another_run_is_not_kept_twice(self, config: Settings):
        generous = config.model_copy(update={"keep_score": 0.0})
        text = story(3, CATALOG.prompts[0].text)
        session_id = ask(1, genres=("fantasy",))

        def meanwhile(*_: object) -> str:
            with db.session() as session:
                session.add(
                    Example(
                        user_id="default",
                        genre="fantasy",
                        element="scene",
                        prompt="p",
                        completion=text,
                        status=ExampleStatus.kept,
                        text_hash=text_hash(text),
                    )
                )
            return text

        assert work(session_id, ScriptedTeacher(meanwhile), generous) == RunStatus.done
        (row,) = rows_of(session_id)
        assert row.status == ExampleStatus.set_aside
        assert row.duplicate_of is not None

    def test_near_duplicates_that_arrive_together_are_kept_once(self, config: Settings):
        text, together = story(1, CATALOG.prompts[0].text), threading.Barrier(8)
        generous = config.model_copy(update={"keep_score": 0.0})

        def reply(number: int, _: object) -> str:
            together.wait(10)
            return f"{text} And then {number}."

        session_id = ask(8, genres=("fantasy",))
        work(session_id, ScriptedTeacher(reply, in_flight=8), generous)
        statuses = Counter(row.status for row in rows_of(session_id))
        assert statuses == {ExampleStatus.kept: 1, ExampleStatus.set_aside: 7}

    def test_runs_of_one_writer_side_by_side_keep_each_text_once(self, config: Settings):
        generous = config.model_copy(update={"keep_score": 0.0})
        ids = [ask(60, seed=5), ask(60, seed=5)]
        ends: list[RunStatus | None] = []
        threads = [
            threading.Thread(
                target=lambda one=one: ends.append(work(one, ScriptedTeacher(delay=0.005, in_flight=8), generous))
            )
            for one in ids
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ends == [RunStatus.done, RunStatus.done]
        first, second = (Counter(row.status for row in rows_of(one)) for one in ids)
        assert first[ExampleStatus.kept] + second[ExampleStatus.kept] == 60

    def test_a_piece_that_was_cut_off_is_set_aside(self, config: Settings):
        class CutOff(ScriptedTeacher):
            def complete(self, messages, options):
                return replace(super().complete(messages, options), finish="length")

        session_id = ask(1)
        work(session_id, CutOff(), config.model_copy(update={"keep_score": 0.0}))
        (row,) = rows_of(session_id)
        assert row.status == ExampleStatus.set_aside
        assert row.reason
        assert "length limit" in row.reason

    def test_failed_examples_say_why_and_are_tried_again_when_the_run_goes_on(self, config: Settings):
        session_id = ask(4)
        teacher = ScriptedTeacher(
            lambda number, options: ProviderUnavailable("Nobody answered.") if number <= 2 else story(options.seed)
        )
        assert work(session_id, teacher, config) == RunStatus.done
        assert Counter(row.reason for row in rows_of(session_id) if row.status == "failed") == {"Nobody answered.": 2}
        with db.session() as session:
            assert runs.ask_to_continue(session, "default", session_id)
        assert work(session_id, ScriptedTeacher(), config, attempt=2) == RunStatus.done
        with db.session() as session:
            assert not runs.ask_to_continue(session, "default", session_id)
        assert [row.idx for row in rows_of(session_id)] == [0, 1, 2, 3]
        assert not [row for row in rows_of(session_id) if row.status == "failed"]

    def test_stories_and_memory_only_when_asked_for(self, config: Settings):
        generous = config.model_copy(update={"keep_score": 0.0, "story_score": 0.0})
        work(ask(3), ScriptedTeacher(), generous)
        with db.reading() as session:
            assert not session.exec(select(Story)).all()
            assert not session.exec(select(Memory)).all()
        work(ask(3, save_to_database=True, store_in_memory=True), ScriptedTeacher(), generous)
        with db.reading() as session:
            assert len(session.exec(select(Story)).all()) == 3
            assert len(session.exec(select(Memory)).all()) == 3

    def test_a_story_needs_the_higher_score(self, config: Settings):
        choosy = config.model_copy(update={"keep_score": 0.0, "story_score": 10.0})
        work(ask(3, save_to_database=True), ScriptedTeacher(), choosy)
        with db.reading() as session:
            assert not session.exec(select(Story)).all()

    def test_no_more_calls_at_once_than_the_teacher_allows(self, config: Settings):
        teacher = ScriptedTeacher(delay=0.02, in_flight=3)
        work(ask(20), teacher, config)
        assert teacher.most_at_once == 3

    def test_the_same_seed_writes_the_same_pieces(self, config: Settings):
        generous = config.model_copy(update={"keep_score": 0.0})
        first, second = ask(8, writer_id="ana", seed=5), ask(8, writer_id="ben", seed=5)
        for session_id in (first, second):
            work(session_id, ScriptedTeacher(), generous)
        assert [row.completion for row in rows_of(first)] == [row.completion for row in rows_of(second)]

    def test_replies_that_no_database_can_hold_are_stored_readably(self, config: Settings):
        session_id = ask(1)
        assert work(session_id, ScriptedTeacher(lambda *_: "A\x00b \ud800 c."), config) == RunStatus.done
        assert rows_of(session_id)[0].completion == "Ab ? c."


class TestLease:
    def test_an_older_attempt_writes_nothing(self, config: Settings):
        session_id = ask(2)
        with db.session() as session:
            runs.take_over(session, sessions.get(session, "default", session_id))
        teacher = ScriptedTeacher()
        assert work(session_id, teacher, config, attempt=1) is None
        assert not teacher.calls
        assert work(session_id, ScriptedTeacher(), config, attempt=2) == RunStatus.done

    def test_two_workers_on_the_same_attempt_store_each_index_once(self, config: Settings):
        session_id = ask(40)
        teachers = [ScriptedTeacher(delay=0.01), ScriptedTeacher(delay=0.01)]
        ends: list[RunStatus | None] = []
        threads = [
            threading.Thread(target=lambda teacher=teacher: ends.append(work(session_id, teacher, config)))
            for teacher in teachers
        ]
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        for thread in threads:
            thread.join()
        assert sorted(ends, key=str) == [None, RunStatus.done]
        assert [row.idx for row in rows_of(session_id)] == list(range(40))

    def test_a_finished_run_is_not_begun_again(self, config: Settings):
        session_id = ask(2)
        work(session_id, ScriptedTeacher(), config)
        teacher = ScriptedTeacher()
        assert work(session_id, teacher, config) is None
        assert not teacher.calls


class TestStop:
    def test_stop_keeps_what_is_written_and_continue_writes_the_rest(self, config: Settings):
        session_id = ask(30)
        teacher = ScriptedTeacher(delay=0.05)
        ended: list[RunStatus | None] = []
        thread = threading.Thread(target=lambda: ended.append(work(session_id, teacher, config)))
        thread.start()
        while not rows_of(session_id):
            time.sleep(0.01)
        with db.session() as session:
            runs.ask_to_stop(session, "default", session_id)
        asked = time.monotonic()
        thread.join()
        assert time.monotonic() - asked < 1.1 + BUSY
        assert ended == [RunStatus.stopped]
        before = len(rows_of(session_id))
        assert 0 < before < 30
        assert row_of(session_id).recorded
        with db.session() as session:
            assert runs.ask_to_continue(session, "default", session_id)
        assert work(session_id, teacher, config, attempt=2) == RunStatus.done
        assert [row.idx for row in rows_of(session_id)] == list(range(30))
        assert len(teacher.calls) <= 30 + teacher.in_flight

    def test_a_teacher_that_hangs_does_not_hold_up_stop(self, config: Settings):
        session_id = ask(3)
        hanging = threading.Event()
        teacher = ScriptedTeacher(lambda *_: str(hanging.wait(20)))
        ended: list[RunStatus | None] = []
        thread = threading.Thread(target=lambda: ended.append(work(session_id, teacher, config)))
        thread.start()
        while not teacher.calls:
            time.sleep(0.01)
        with db.session() as session:
            runs.ask_to_stop(session, "default", session_id)
        thread.join(3)
        hanging.set()
        assert ended == [RunStatus.stopped]

    def test_a_run_stopped_before_it_began_ends_without_a_call(self, config: Settings):
        session_id = ask(3)
        client.stop("default", session_id)
        assert row_of(session_id).status == RunStatus.stopped
        assert row_of(session_id).recorded
        teacher = ScriptedTeacher()
        assert work(session_id, teacher, config) is None
        assert not teacher.calls

    def test_stopping_twice_or_after_the_end_changes_nothing(self, config: Settings):
        session_id = ask(2)
        work(session_id, ScriptedTeacher(), config)
        with db.session() as session:
            assert runs.ask_to_stop(session, "default", session_id).status == RunStatus.done


class TestRecord:
    def test_every_field_of_the_history_is_written(self, config: Settings):
        session_id = ask(10, genres=("fantasy", "horror"), store_in_memory=True)
        work(session_id, ScriptedTeacher(), config)
        row, rows = row_of(session_id), rows_of(session_id)
        kept = [example for example in rows if example.status == ExampleStatus.kept]
        scores = [example.quality for example in rows if example.quality is not None]
        assert row.recorded
        assert row.num_examples_requested == 10
        assert row.num_examples_successful == len(kept)
        assert row.num_examples_set_aside == 10 - len(kept)
        assert row.num_examples_failed == 0
        assert row.genres_selected == ["fantasy", "horror"]
        assert row.stored_in_memory
        assert not row.saved_to_database
        assert row.min_quality == min(scores)
        assert row.max_quality == max(scores)
        assert row.average_quality == pytest.approx(sum(scores) / len(scores), abs=0.01)
        assert row.best_performing_model == ("scripted" if kept else None)
        assert sum(row.genre_distribution_json.values()) == len(kept)
        assert row.training_examples_before == 0
        assert row.training_examples_after == len(kept)
        assert row.total_time_seconds > 0
        assert row.completed_at is not None
        assert row.completed_at >= row.started_at
        assert row.started_at.tzinfo is not None

    def test_a_record_that_cannot_be_written_does_not_fail_the_run(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        def broken(*_: object) -> None:
            raise RuntimeError("no record today")

        session_id = ask(2)
        with monkeypatch.context() as patch:
            patch.setattr(runs, "write_record", broken)
            assert work(session_id, ScriptedTeacher(), config) == RunStatus.done
        assert not row_of(session_id).recorded
        with db.reading() as session:
            assert runs.unrecorded(session) == [session_id]
        auto_train.record(session_id, config)
        assert row_of(session_id).recorded

    def test_an_unknown_error_fails_the_run_in_words_and_keeps_the_rows(self, config: Settings):
        session_id = ask(20)
        teacher = ScriptedTeacher(
            lambda number, options: ValueError("boom") if number == 12 else story(options.seed), in_flight=1
        )
        assert work(session_id, teacher, config) == RunStatus.failed
        row = row_of(session_id)
        assert row.error
        assert "ValueError" in row.error
        assert len(rows_of(session_id)) == 11
        with db.session() as session:
            assert runs.ask_to_continue(session, "default", session_id)
        assert work(session_id, ScriptedTeacher(), config, attempt=2) == RunStatus.done


def test_a_session_that_cannot_be_planned_fails_in_words(config: Settings):
    session_id = ask(2)
    with db.session() as session:
        row = sessions.get(session, "default", session_id)
        row.genres_selected = ["western"]
        session.add(row)
    assert work(session_id, ScriptedTeacher(), config) == RunStatus.failed
    assert "western" in (row_of(session_id).error or "")


def test_the_time_of_killed_attempts_counts(config: Settings):
    session_id = ask(2)
    with db.session() as session:
        row = runs.begin(session, session_id, 1)
        assert row is not None
        row.begun_at, row.heartbeat_at = now() - timedelta(seconds=100), now() - timedelta(seconds=40)
        session.add(row)
    work(session_id, ScriptedTeacher(), config)
    assert 60 <= row_of(session_id).total_time_seconds < 65


def test_a_record_written_late_counts_what_was_kept_then(config: Settings):
    generous = config.model_copy(update={"keep_score": 0.0})
    first = ask(5)
    work(first, ScriptedTeacher(), generous)
    work(ask(5), ScriptedTeacher(), generous)
    auto_train.record(first, config)
    assert row_of(first).training_examples_after == 5


def test_trouble_with_the_database_leaves_the_run_to_be_taken_up(
    database: str, config: Settings, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> bool:
        raise HomeError("The disk is full.")

    session_id = ask(3)
    with monkeypatch.context() as patch:
        patch.setattr(examples, "insert_once", full)
        with pytest.raises(HomeError):
            work(session_id, ScriptedTeacher(), config)
    assert row_of(session_id).status == RunStatus.running
    assert work(session_id, ScriptedTeacher(), config) == RunStatus.done
