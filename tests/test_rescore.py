"""Scoring stored pieces again: what changes, what stays, and that no interruption loses or doubles anything."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select, update

from tests.support.scored import add, all_pieces, piece, says, told
from tests.support.teachers import ScriptedTeacher, story
from zega_core import auto_train, db, passes, rescore
from zega_core.catalog import load_catalog
from zega_core.configs import AutoTrainConfig, TasteConfig
from zega_core.dataset import NearDuplicates
from zega_core.errors import HomeError, NotFound
from zega_core.providers import storyteller
from zega_core.providers.base import ChatModel
from zega_core.quality import QUALITY_VERSION, QualityReport
from zega_core.quality.personal import Correction, Side
from zega_core.quality.validation import Gain
from zega_core.settings import Settings
from zega_core.store import scores, sessions, tastes, writers
from zega_core.tables import Example, ExampleStatus, Source, Story, Taste, TrainingSession, now
from zega_core.teacher_tables import Candidate

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces score what they say."""
    monkeypatch.setattr(rescore, "score", told)


def again(settings: Settings, writer: str = "ana", **more: Any) -> passes.Outcome:
    return rescore.rescore(writer, settings, **more)


def change_taste(writer: str = "ana", **wishes: Any) -> None:
    with db.session() as session:
        tastes.save(session, writer, TasteConfig(**wishes))


def session_of(writer: str = "ana", **more: Any) -> int:
    """An ended session with its record."""
    with db.session() as session:
        row = sessions.create(session, AutoTrainConfig(writer_id=writer, num_examples=9), teacher="x", order_seed=1)
        for name, value in {"status": "done", "recorded": True, "completed_at": now(), **more}.items():
            setattr(row, name, value)
        return row.id or 0


def record(session_id: int) -> TrainingSession:
    with db.reading() as session:
        return session.get_one(TrainingSession, session_id)


@pytest.mark.usefixtures("by_text")
class TestRules:
    def test_a_score_of_another_version_is_replaced_with_report_and_version(self, config: Settings):
        old, none = add(says(8.5, 1), score=7.5), add(says(7.1, 2), score=None, quality_version=None)
        today = add(says(9.0, 3), score=7.0, quality_version=QUALITY_VERSION)
        outcome = again(config)
        assert [piece(one).quality for one in (old, none, today)] == [8.5, 7.1, 7.0]
        assert [piece(one).quality_version for one in (old, none, today)] == [QUALITY_VERSION] * 3
        assert (piece(old).quality_report or {})["criteria"][0]["reasons"] == ["It is as it is."]
        assert (outcome.counted, outcome.changed, outcome.of) == (2, 2, 2)
        assert outcome.from_versions == {str(QUALITY_VERSION - 1): 1, "none": 1}
        assert (outcome.mean_before, outcome.mean_after) == (7.5, 8.5)  # of the one that had a score
        assert outcome.finished

    def test_all_are_scored_when_all_are_asked_for(self, config: Settings):
        today = add(says(9.0, 3), score=7.0, quality_version=QUALITY_VERSION)
        assert again(config).of == 0
        assert again(config, everything=True).counted == 1
        assert piece(today).quality == 9.0

    def test_below_the_mark_is_set_aside_and_at_it_kept(self, config: Settings):
        falls, rises = add(says(6.9, 1), score=8.0), add(says(7.0, 2), score=3.0, kept=False)
        outcome = again(config)
        assert (piece(falls).status, piece(falls).reason) == ("set_aside", "6.9 is below 7.0. It is as it is.")
        assert (piece(rises).status, piece(rises).reason) == ("kept", None)
        assert (outcome.now_kept, outcome.now_set_aside) == (1, 1)

    def test_what_stays_below_has_the_reason_of_today(self, config: Settings):
        low = add(says(4.0, 1), score=3.0, kept=False)
        again(config)
        assert piece(low).reason == "4.0 is below 7.0. It is as it is."

    @pytest.mark.parametrize("decision, kept", [("keep", True), ("discard", False), ("keep", False)])
    def test_the_writers_decision_stays(self, config: Settings, decision: str, kept: bool):
        low, high = (add(says(value, seed), kept=kept, decision=decision) for seed, value in enumerate((2.0, 9.0)))
        before = [(piece(one).status, piece(one).reason) for one in (low, high)]
        assert again(config).changed == 2
        assert [(piece(one).status, piece(one).reason) for one in (low, high)] == before
        assert piece(low).quality == 2.0

    @pytest.mark.parametrize("source", [Source.conversation, Source.manuscript])
    def test_no_score_sets_the_writers_own_words_aside(self, config: Settings, source: Source):
        own = add(says(1.0, 1), source=source)
        again(config)
        assert (piece(own).status, piece(own).quality) == ("kept", 1.0)

    @pytest.mark.parametrize(
        "reason",
        ["The teacher stopped at its length limit, in the middle of the piece.", "I do not like 7.0 is below x", None],
    )
    def test_what_was_set_aside_for_anything_else_stays(self, config: Settings, reason: str | None):
        one = add(says(9.0, 1), kept=False, reason=reason)
        again(config)
        assert (piece(one).status, piece(one).reason, piece(one).quality) == ("set_aside", reason, 9.0)

    def test_a_duplicate_stays_one(self, config: Settings):
        first = add(says(9.0, 1))
        twin = add(says(9.0, 2), kept=False, duplicate_of=first, reason="5.0 is below 7.0. Not the reason.")
        again(config)
        assert (piece(twin).status, piece(twin).duplicate_of) == ("set_aside", first)

    def test_the_twin_of_a_kept_piece_does_not_come_back(self, config: Settings):
        kept = add(says(8.0, 1))
        exact, near = add(says(8.0, 1), kept=False), add(says(8.0, 1) + " And then some.", kept=False)
        outcome = again(config)
        assert [piece(one).duplicate_of for one in (exact, near)] == [kept, kept]
        assert "in a piece you have already kept" in str(piece(near).reason)
        assert outcome.now_kept == 0

    def test_of_twins_that_come_back_one_is_kept(self, config: Settings):
        one, other = add(says(8.0, 1), kept=False), add(says(8.0, 1), kept=False)
        again(config)
        assert [piece(one).status, piece(other).status] == ["kept", "set_aside"]
        assert piece(other).duplicate_of == one

    def test_a_piece_comes_back_where_its_twin_falls(self, config: Settings):
        comes, falls = add(says(8.0, 1), kept=False), add("2.0" + says(8.0, 1)[3:], score=8.0)
        assert again(config, dry_run=True).now_kept == again(config).now_kept == 1
        assert [piece(comes).status, piece(falls).status] == ["kept", "set_aside"]

    def test_pieces_without_a_text_are_left_alone(self, config: Settings):
        failed = add("", status=ExampleStatus.failed, score=None, quality_version=None)
        assert again(config, everything=True).of == 0
        assert piece(failed).quality is None

    def test_a_story_keeps_its_text_and_gets_the_score(self, config: Settings):
        one = add(says(8.5, 1), score=8.0)
        with db.session() as session:
            session.add(Story(user_id="ana", example_id=one, title="t", genre="fantasy", body="mine", quality=8.0))
        again(config)
        with db.reading() as session:
            (saved,) = session.exec(select(Story)).all()
        assert (saved.body, saved.quality) == ("mine", 8.5)

    def test_the_voting_record_is_on_the_same_scale_and_its_winner_stays(self, config: Settings):
        session_id = session_of()
        add(says(8.5, 1), session_id=session_id, idx=0)
        with db.session() as session:
            for model, value in (("a", 8.5), ("b", 9.5)):
                session.add(
                    Candidate(
                        user_id="ana",
                        session_id=session_id,
                        idx=0,
                        model=model,
                        completion=says(value, 1),
                        quality=1.0,
                        won=model == "a",
                    )
                )
        again(config)
        with db.reading() as session:
            found = session.exec(select(Candidate).order_by(Candidate.model)).all()
        assert [(one.quality, one.won) for one in found] == [(8.5, True), (9.5, False)]


@pytest.mark.usefixtures("by_text")
class TestRecords:
    def test_what_follows_from_the_scores_is_brought_up_to_date_and_nothing_else(self, config: Settings):
        of_that_day = {
            "total_time_seconds": 12.5,
            "training_examples_before": 3,
            "training_examples_after": 77,
            "fine_tuning_triggered": True,
            "stories_saved_count": 4,
            "num_examples_failed": 2,
        }
        session_id = session_of(average_quality=5.0, num_examples_successful=2, **of_that_day)
        add(says(8.0, 1), session_id=session_id, idx=0, model="m")
        add(says(6.0, 2), session_id=session_id, idx=1, model="m")
        completed = record(session_id).completed_at
        again(config)
        row = record(session_id)
        assert {name: getattr(row, name) for name in of_that_day} == of_that_day
        assert row.completed_at == completed
        assert (row.average_quality, row.min_quality, row.max_quality) == (7.0, 6.0, 8.0)
        assert (row.num_examples_successful, row.num_examples_set_aside) == (1, 1)
        assert row.model_performance_json == {"m": {"count": 1, "avg_quality": 8.0, "total_quality": 8.0}}
        assert row.genre_distribution_json == {"fantasy": 1}

    def test_a_session_under_way_writes_its_own_record(self, config: Settings):
        session_id = session_of(recorded=False, status="running", average_quality=None)
        add(says(8.0, 1), session_id=session_id, idx=0)
        again(config)
        assert record(session_id).average_quality is None

    def test_sessions_without_outdated_pieces_are_not_touched(self, config: Settings):
        session_id = session_of(average_quality=1.0)
        add(says(8.0, 1), session_id=session_id, idx=0, quality_version=QUALITY_VERSION)
        again(config)
        assert record(session_id).average_quality == 1.0


@pytest.mark.usefixtures("by_text")
class TestTaste:
    def test_a_new_taste_has_all_scored_again(self, config: Settings):
        one = add(says(8.0, 1), score=8.0, quality_version=QUALITY_VERSION)
        change_taste(keep_score=8.5)
        outcome = again(config)
        assert (outcome.everything, outcome.counted, outcome.now_set_aside) == (True, 1, 1)
        assert piece(one).reason == "8.0 is below 8.5. It is as it is."
        assert again(config).of == 0
        change_taste(keep_score=7.5)
        assert again(config).now_kept == 1

    def test_pieces_written_since_the_change_are_up_to_date(self, config: Settings):
        with db.session() as session:
            writers.ensure(session, "ana")
        change_taste(keep_score=8.5)
        add(says(9.0, 1), quality_version=QUALITY_VERSION)
        assert again(config).of == 0

    def test_a_fit_without_a_date_and_another_mark_in_the_settings_are_noticed(self, config: Settings):
        add(says(8.0, 1), quality_version=QUALITY_VERSION)
        again(config, everything=True)
        assert again(config).of == 0
        assert again(config.model_copy(update={"keep_score": 9.0})).now_set_aside == 1
        with db.session() as session:
            side = Side("fit", "Length and form", 5.0, 1.0, 0.2)
            fitted = Correction(QUALITY_VERSION, 40, (side,), Gain(0.3, 0.5, 0.1, 0.3))
            session.exec(update(Taste).values(fitted={"correction": fitted.as_dict()}))  # type: ignore[call-overload]
        assert again(config.model_copy(update={"keep_score": 9.0})).counted == 1

    def test_a_change_in_the_middle_begins_anew_with_the_new_taste(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(rescore, "BATCH", 5)
        ids = [add(says(8.0, seed), score=8.0) for seed in range(20)]

        def tell(done: int, of: int) -> None:
            if done == 10:
                change_taste(keep_score=9.0)

        outcome = again(config, progress=tell)
        assert (outcome.everything, outcome.counted, outcome.finished) == (True, 20, True)
        assert {piece(one).status for one in ids} == {"set_aside"}
        assert again(config).of == 0

    def test_the_judges_part_is_handed_on_and_a_broken_one_is_none(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        seen: list[float | None] = []

        def worth(self: object, report: Any, judge_score: float | None) -> float:
            seen.append(judge_score)
            return report.score

        monkeypatch.setattr("zega_core.taste.Taste.worth", worth)
        add(says(8.0, 1), judge_score=6.5)
        add(says(8.0, 2), judge_score=float("nan"))
        again(config)
        assert seen == [6.5, None]


@pytest.mark.usefixtures("by_text")
class TestPasses:
    def test_a_second_pass_changes_nothing(self, config: Settings):
        for seed in range(8):
            add(says(5.5 + seed / 2, seed), kept=seed % 2 == 0)
        again(config)
        before = all_pieces()
        assert again(config).counted == 0
        outcome = again(config, everything=True)
        assert (outcome.counted, outcome.changed, outcome.now_kept, outcome.now_set_aside) == (8, 0, 0, 0)
        assert all_pieces() == before

    def test_writers_are_separate(self, config: Settings):
        mine, theirs = add(says(9.0, 1)), add(says(9.0, 1), writer="ben")
        with db.session() as session:
            session.add(Story(user_id="ben", example_id=theirs, title="t", genre="fantasy", body="b", quality=1.0))
        before = all_pieces("ben")
        again(config)
        assert piece(mine).quality == 9.0
        assert all_pieces("ben") == before
        with db.reading() as session:
            assert session.exec(select(Story.quality)).one() == 1.0
            assert session.get(Taste, "ben") is None

    def test_a_twin_of_another_writer_does_not_count(self, config: Settings):
        add(says(9.0, 1), writer="ben")
        mine = add(says(9.0, 1), kept=False)
        again(config)
        assert piece(mine).status == "kept"

    def test_a_dry_run_says_the_same_and_changes_nothing(self, config: Settings, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(rescore, "BATCH", 4)
        session_of()
        for seed in range(12):  # every text twice: the first may come back, the second is its twin
            add(says(6.0 + seed // 2 / 2, seed // 2), kept=seed == 5)
        before = all_pieces()
        would = again(config, dry_run=True)
        assert all_pieces() == before
        with db.reading() as session:
            assert session.get(Taste, "ana") is None
        did = again(config)
        assert would.now_kept > 0
        assert {**would.as_dict(), "dry_run": False} == did.as_dict()

    def test_a_stopped_pass_goes_on_and_ends_like_one_that_was_not(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(rescore, "BATCH", 3)
        for writer in ("ana", "ben"):
            for seed in range(20):
                add(says(6.0 + seed % 7 / 2, seed % 15), writer=writer, kept=False, quality_version=QUALITY_VERSION)
        stop = threading.Event()
        first = again(config, everything=True, stop=stop, progress=lambda done, of: stop.set() if done == 9 else None)
        assert (first.finished, first.counted, first.of) == (False, 9, 20)
        second, whole = again(config), again(config, "ben", everything=True)
        assert second.as_dict() == whole.as_dict()
        assert [one["status"] for one in all_pieces()] == [one["status"] for one in all_pieces("ben")]

    def test_an_error_in_a_batch_loses_only_that_batch(self, config: Settings, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(rescore, "BATCH", 2)
        ids = [add(says(8.0, seed)) for seed in range(5)]
        flushed, real = [], scores.set_story_qualities

        def break_once(*arguments: Any) -> None:
            flushed.append(1)
            if len(flushed) == 2:
                raise HomeError("The disk is full.")
            real(*arguments)

        monkeypatch.setattr(scores, "set_story_qualities", break_once)
        with pytest.raises(HomeError):
            again(config)
        assert [piece(one).quality for one in ids] == [8.0, 8.0, 5.0, 5.0, 5.0]
        assert again(config).counted == 5
        assert {piece(one).quality for one in ids} == {8.0}

    def test_two_at_once_share_the_work(self, config: Settings, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(rescore, "BATCH", 3)
        for seed in range(30):
            add(says(6.0 + seed % 7 / 2, seed), kept=False)
        outcomes: list[passes.Outcome] = []
        together, met = threading.Barrier(2), threading.local()

        def at_once(*arguments: Any) -> QualityReport:
            if not hasattr(met, "other"):  # both have read the same batch
                met.other = together.wait(30)
            return told(*arguments)

        monkeypatch.setattr(rescore, "score", at_once)
        both = [threading.Thread(target=lambda: outcomes.append(again(config, everything=True))) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert [one.finished for one in outcomes] == [True, True]
        assert {one["quality_version"] for one in all_pieces()} == {QUALITY_VERSION}
        with db.reading() as session:
            stored = passes.read_progress(session.get_one(Taste, "ana").rescore_result)
        assert stored is not None
        assert (stored.counted, stored.of) == (30, 30)
        assert stored.now_kept == len([one for one in all_pieces() if one["status"] == "kept"]) > 10
        assert {outcome.now_kept for outcome in outcomes} == {stored.now_kept}

    def test_a_decision_made_while_the_batch_is_scored_is_seen(self, config: Settings, monkeypatch: pytest.MonkeyPatch):
        one = add(says(2.0, 1))

        def slow(*arguments: Any) -> Any:
            with db.session() as session:
                session.exec(update(Example).values(decision="keep"))  # type: ignore[call-overload]
            return told(*arguments)

        monkeypatch.setattr(rescore, "score", slow)
        again(config)
        assert (piece(one).status, piece(one).decision, piece(one).quality) == ("kept", "keep", 2.0)

    def test_a_text_that_was_changed_meanwhile_keeps_its_own_score(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        one, other = add(says(2.0, 1)), add(says(8.0, 2))

        def slow(*arguments: Any) -> Any:
            with db.session() as session:
                session.exec(update(Example).where(col(Example.id) == one).values(completion="mine", quality=9.0))  # type: ignore[call-overload]
            return told(*arguments)

        monkeypatch.setattr(rescore, "score", slow)
        again(config)
        assert (piece(one).status, piece(one).quality, piece(other).quality) == ("kept", 9.0, 8.0)

    def test_nobody_waits_for_the_scoring(self, config: Settings, monkeypatch: pytest.MonkeyPatch):
        add(says(8.0, 1))

        def write_meanwhile(*arguments: Any) -> Any:
            with db.session() as session:  # would wait for 30 s, and fail, if the pass held the lock
                writers.ensure(session, "cleo")
            return told(*arguments)

        monkeypatch.setattr(rescore, "score", write_meanwhile)
        assert again(config).counted == 1

    def test_a_writer_that_there_is_not(self, config: Settings):
        with pytest.raises(NotFound, match="no writer called zoe"):
            again(config, "zoe")
        with db.reading() as session:
            assert session.get(Taste, "zoe") is None

    def test_a_writer_without_pieces(self, config: Settings):
        with db.session() as session:
            writers.ensure(session, "ana")
        outcome = again(config, everything=True)
        assert (outcome.of, outcome.mean_before, outcome.mean_after, outcome.finished) == (0, None, None, True)


@pytest.mark.usefixtures("by_text")
class TestHostile:
    def test_rows_of_no_known_kind_are_counted_and_left(self, config: Settings):
        good = add(says(8.0, 1))
        odd = [add(says(8.0, 2), element="haiku"), add(says(8.0, 3), genre="western")]
        before = [piece(one).model_dump() for one in odd]
        outcome = again(config)
        assert (outcome.counted, outcome.unreadable, outcome.of) == (1, 2, 3)
        assert [piece(one).model_dump() for one in odd] == before
        assert piece(good).quality == 8.0

    def test_broken_scores_are_replaced(self, config: Settings):
        ids = [
            add(says(8.0, 1), score=float("nan"), quality_report=None),
            add(says(8.0, 2), score=float("inf")),
            add(says(8.0, 3), score=-7e300),
        ]
        session_id = session_of()
        add(says(8.0, 4), score=float("nan"), element="haiku", session_id=session_id, idx=0)
        add(says(8.0, 5), score=float("nan"), session_id=session_id, idx=1)
        outcome = again(config)
        assert {piece(one).quality for one in ids} == {8.0}
        assert (outcome.mean_before, outcome.mean_after) == (None, None)
        assert again(config, everything=True).mean_before == 8.0

    def test_what_sqlite_lets_into_a_column_does_not_stop_the_rest(self, database: str, config: Settings):
        if database == "postgresql":
            pytest.skip("PostgreSQL keeps such values out")
        broken, text_for_bytes, good = add(says(8.0, 1)), add(says(8.0, 2)), add(says(8.0, 3))
        with db.session() as session:
            connection = session.connection()
            connection.execute(
                text(
                    "UPDATE example SET quality_report = '{\"x', judge_report = '[', created_at = 'never', "
                    "quality = 'high', judge_score = 'low', quality_version = 'old', reason = x'ff00' WHERE id = :id"
                ),
                {"id": broken},
            )
            connection.execute(text("UPDATE example SET completion = x'ff00' WHERE id = :id"), {"id": text_for_bytes})
        outcome = again(config)
        assert (outcome.counted, outcome.unreadable) == (2, 1)
        with db.reading() as session:
            found = session.exec(select(Example.quality).where(col(Example.id).in_((broken, good)))).all()
        assert list(found) == [8.0, 8.0]

    @pytest.mark.parametrize("stored", [{}, {"error": 7}, {"pass_id": "x"}, {"of": -1, "after": "z"}])
    def test_a_stored_pass_that_cannot_be_read_is_begun_anew(self, config: Settings, stored: dict[str, Any]):
        add(says(8.0, 1))
        with db.session() as session:
            scores.row(session, "ana").rescore_result = stored
        assert again(config).counted == 1


class TestWithTheRealScore:
    def wrote(self, teacher: ChatModel, number: int, settings: Settings) -> int:
        asked = AutoTrainConfig(writer_id="ana", num_examples=number, seed=5)
        with db.session() as session:
            row = sessions.create(session, asked, teacher=teacher.name, order_seed=1)
        auto_train.run(row.session_id, 1, settings=settings, catalog=load_catalog(), teacher=teacher)
        return row.id or 0

    def test_a_run_scored_again_is_as_it_was(self, config: Settings):
        config = config.model_copy(update={"keep_score": 8.0})
        session_id = self.wrote(storyteller(), 40, config)
        before, history = all_pieces(), record(session_id)
        assert {one["status"] for one in before} >= {"kept", "set_aside"}
        with db.session() as session:
            session.exec(update(Example).values(quality=1.0, quality_version=0, quality_report=None))  # type: ignore[call-overload]
        assert again(config).counted == 40
        assert all_pieces() == before
        assert record(session_id) == history

    def test_all_that_a_run_kept_comes_back_and_its_twins_do_not(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(rescore, "BATCH", 30)
        config = config.model_copy(update={"near_duplicate_share": 0.03})  # the storyteller repeats itself little
        self.wrote(storyteller(), 120, config)
        before = [one["status"] for one in all_pieces()]
        assert 20 < before.count("kept") < 110
        low = {"quality_version": 0, "status": "set_aside", "reason": "1.0 is below 7.0. x", "duplicate_of": None}
        with db.session() as session:
            session.exec(update(Example).values(**low))  # type: ignore[call-overload]
        would = again(config, dry_run=True)
        outcome = again(config)
        assert would.now_kept == outcome.now_kept
        kept = [one["completion"] for one in all_pieces() if one["status"] == "kept"]
        assert outcome.now_kept == len(kept)
        known = NearDuplicates(0.03)
        for number, words in enumerate(kept):
            assert known.find(words) is None
            known.add(number, words)
        assert abs(len(kept) - before.count("kept")) < 8  # a run keeps in the order in which pieces arrive

    def test_the_reason_is_in_the_words_of_a_run(self, config: Settings):
        """Should those words change, what was set aside for its score must still be known by them."""
        self.wrote(ScriptedTeacher(lambda number, options: story(options.seed, sentences=2)), 6, config)
        before = all_pieces()
        assert all("is below 7.0" in one["reason"] for one in before)
        assert again(config, everything=True).now_kept == 0
        assert [one["reason"] for one in all_pieces()] == [one["reason"] for one in before]
        assert again(config.model_copy(update={"keep_score": 0.0})).now_kept > 3
        assert not [one for one in all_pieces() if "is below" in str(one["reason"])]  # the others are twins


class TestStanding:
    def stands(self, settings: Settings) -> passes.Standing:
        with db.reading() as session:
            return passes.standing(session, "ana", settings)

    def test_nobody_and_nothing(self, config: Settings):
        found = self.stands(config)
        assert (found.pieces, found.outdated, found.under_way, found.outcome) == (0, False, False, None)

    def test_older_versions_and_an_older_taste(self, config: Settings):
        add(says(8.0, 1))
        add(says(8.0, 2), element="haiku")  # it cannot be scored, so it is not asked for
        add(says(8.0, 3), quality_version=QUALITY_VERSION)
        found = self.stands(config)
        assert (found.pieces, found.older, found.before_taste) == (3, 1, 0)
        change_taste(keep_score=3)
        assert self.stands(config).before_taste == 3
        with db.session() as session:
            session.exec(update(Taste).values(updated_at=now() - timedelta(hours=1)))  # type: ignore[call-overload]
        assert self.stands(config).before_taste == 0

    def test_a_request_from_press_to_end(self, config: Settings, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(rescore, "score", told)
        add(says(8.0, 1))
        with db.session() as session:
            asked = scores.ask(session, "ana")
        with db.session() as session:
            assert scores.ask(session, "ana") == asked
        assert (self.stands(config).under_way, self.stands(config).waiting) == (True, True)
        rescore.answer("ana", config)
        found = self.stands(config)
        assert (found.under_way, found.outdated, found.error) == (False, False, "")
        assert found.outcome is not None
        assert found.outcome.counted == 1
        rescore.answer("ana", config)  # answered already
        with db.session() as session:
            assert scores.ask(session, "ana") > asked

    def test_a_failure_is_a_sentence_and_the_next_press_goes_on(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(rescore, "BATCH", 2)
        for seed in range(5):
            add(says(8.0, seed))
        calls: list[int] = []

        def fails(*arguments: Any) -> Any:
            calls.append(1)
            if len(calls) > 3:
                raise ValueError("a secret")
            return told(*arguments)

        monkeypatch.setattr(rescore, "score", fails)
        with db.session() as session:
            scores.ask(session, "ana")
        rescore.answer("ana", config)
        found = self.stands(config)
        assert "What was scored is safe" in found.error
        assert "secret" not in found.error
        assert (found.under_way, found.interrupted or found.older > 0, found.done, found.of) == (False, True, 2, 5)
        monkeypatch.setattr(rescore, "score", told)
        with db.session() as session:
            scores.ask(session, "ana")
        rescore.answer("ana", config)
        found = self.stands(config)
        assert (found.error, found.outcome and found.outcome.counted) == ("", 5)

    def test_a_database_that_fails_leaves_the_request_waiting(self, config: Settings, monkeypatch: pytest.MonkeyPatch):
        add(says(8.0, 1))
        with db.session() as session:
            scores.ask(session, "ana")

        def full(*_: Any) -> Any:
            raise HomeError("The disk is full.")

        monkeypatch.setattr(rescore, "score", full)
        with pytest.raises(HomeError):
            rescore.answer("ana", config)
        assert self.stands(config).under_way
        monkeypatch.setattr(rescore, "score", told)
        rescore.answer("ana", config)
        assert not self.stands(config).under_way


def test_a_removed_text_has_no_duplicates():
    known = NearDuplicates(0.3)
    known.add(1, story(1))
    known.add(2, story(1) + " And more of it.")
    assert known.find(story(1)) is not None
    known.remove(1)
    known.remove(7)
    found = known.find(story(1))
    assert found is not None
    assert found[0] == 2
