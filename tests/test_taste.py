"""What a piece is worth to a writer, and what rating it does, on SQLite and PostgreSQL."""

from __future__ import annotations

import math
import random
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from tests.support.teachers import ScriptedTeacher, catalog, story
from zega_core import auto_train, db, rating, taste, taste_words
from zega_core.configs import AutoTrainConfig, TasteConfig
from zega_core.dataset import text_hash
from zega_core.errors import InvalidInput, NotFound
from zega_core.pieces import CUT_OFF
from zega_core.providers.base import GenerationOptions
from zega_core.quality import QUALITY_VERSION, Criterion, QualityReport, worn
from zega_core.quality.judged import JudgePart
from zega_core.quality.personal import Correction, Side
from zega_core.quality.validation import Gain
from zega_core.settings import Settings, get_settings
from zega_core.settling import OWN_WORDS
from zega_core.store import sessions, tastes, writers
from zega_core.tables import Example, ExampleStatus, TrainingSession, now
from zega_core.tables import Taste as TasteRow
from zega_core.taste import Taste

SHOWN = Gain(0.3, 0.5, 0.05, 0.4)
NAMES = ("fit", "craft", "imagery", "variety")


def report(imagery: float = 7.0, score: float = 7.0, gate: str | None = None, version: int = QUALITY_VERSION):
    sides = dict.fromkeys(NAMES, 7.0) | {"imagery": imagery}
    criteria = tuple(Criterion(name, name.title(), value, ("A reason.",)) for name, value in sides.items())
    return QualityReport(score, criteria, gate, version)


def correction(points: float = 1.0, gain: Gain | None = SHOWN, version: int = QUALITY_VERSION) -> Correction:
    return Correction(version, 40, (Side("imagery", "Images", 7.0, 1.0, points),), gain)


def add(number: int = 1, *, writer: str = "default", **values: Any) -> int:
    """A stored piece; ``number`` makes its text its own."""
    measured = values.pop("report", report())
    text = values.pop("completion", f"Piece {number}.")
    row = Example(
        **{
            "user_id": writer,
            "genre": "fantasy",
            "element": "scene",
            "prompt": f"prompt {number % 13}",
            "completion": text,
            "status": "kept",
            "quality": 7.0,
            "quality_report": measured.as_dict() if measured else None,
            "text_hash": text_hash(text),
            **values,
        }
    )
    with db.session() as session:
        writers.ensure(session, writer)
        session.flush()
        session.add(row)
        session.flush()
        return row.id or 0


def get(example_id: int) -> Example:
    with db.reading() as session:
        return session.exec(select(Example).where(Example.id == example_id)).one()


def rate(example_id: Any, writer: str = "default", **what: Any) -> str:
    with db.session() as session:
        return rating.rate(session, writer, example_id, get_settings(), **what)


def clear(example_id: Any, writer: str = "default", **what: Any) -> None:
    with db.session() as session:
        rating.clear(session, writer, example_id, get_settings(), **what)


class TestWorth:
    def test_without_ratings_it_is_the_measured_score(self):
        assert Taste(7.0).worth(report(score=6.4), 9.9) == 6.4

    def test_a_shown_correction_acts_and_can_be_turned_off(self):
        mine = Taste(7.0, correction=correction())
        assert mine.worth(report(8.0), None) == 8.0
        assert mine.worth(report(1.0), None) == 5.5
        assert Taste(7.0, TasteConfig(personal=False), correction()).worth(report(8.0), None) == 7.0

    @pytest.mark.parametrize("other", [{"gain": None}, {"gain": Gain(0.3, 0.5, -0.01, 0.4)}, {"version": 99}])
    def test_one_that_was_not_shown_or_is_of_another_version_does_not(self, other):
        assert Taste(7.0, correction=correction(**other)).worth(report(9.0), None) == 7.0

    def test_the_judge_has_its_part_and_can_be_turned_off(self):
        part = JudgePart(QUALITY_VERSION, 0.5, 20, SHOWN)
        assert Taste(7.0, judge_part=part).worth(report(), 9.0) == 8.0
        assert Taste(7.0, judge_part=part).worth(report(), None) == 7.0
        assert Taste(7.0, judge_part=part).worth(report(), math.nan) == 7.0
        assert Taste(7.0, TasteConfig(judge=False), judge_part=part).worth(report(), 9.0) == 7.0

    @given(
        st.floats(0, 10),
        st.floats(0, 10),
        st.none() | st.floats(allow_nan=True, allow_infinity=True),
        st.floats(-50, 50),
        st.booleans(),
    )
    def test_it_stays_on_the_scale_and_lifts_no_gate(self, score, imagery, said, points, gated):
        score = round(score, 1)
        mine = Taste(7.0, correction=correction(points), judge_part=JudgePart(QUALITY_VERSION, 0.5, 20, SHOWN))
        worth = mine.worth(report(imagery, score, "It is a list." if gated else None), said)
        assert 0 <= worth <= 10
        if gated:
            assert worth <= score

    def test_why_it_is_set_aside_names_both_scores(self):
        assert Taste(7.0).below(report(score=6.4), 6.4) == "6.4 is below 7.0. A reason."
        assert Taste(7.0).below(report(score=7.3), 6.8) == "6.8 is below 7.0. A reason."
        assert Taste(7.0).below(report(score=2.0, gate="It is a list."), 2.0) == "2.0 is below 7.0. It is a list."


@pytest.mark.usefixtures("database")
class TestRating:
    def test_stars_move_nothing(self, config: Settings):
        piece = add(status="set_aside", reason="6.0 is below 7.0.", quality=6.0)
        assert rate(piece, stars=5) == ""
        row = get(piece)
        assert (row.rating, row.decision, row.status, row.reason) == (5, None, "set_aside", "6.0 is below 7.0.")
        assert row.rated_at is not None
        clear(piece)
        assert (get(piece).rating, get(piece).rated_at) == (None, None)

    def test_keep_keeps_and_clearing_goes_back(self, config: Settings):
        piece = add(status="set_aside", reason="6.0 is below 7.0.", quality=6.0, report=report(score=6.0))
        rate(piece, decision="keep")
        assert get(piece).status == "kept"
        clear(piece)
        row = get(piece)
        assert (row.status, row.reason, row.decision) == ("set_aside", "6.0 is below 7.0. A reason.", None)

    def test_discard_sets_aside_and_clearing_goes_back(self, config: Settings):
        piece = add()
        rate(piece, decision="discard")
        assert (get(piece).status, get(piece).reason) == ("set_aside", rating.DISCARDED)
        clear(piece)
        assert (get(piece).status, get(piece).reason) == ("kept", None)

    def test_clearing_follows_the_writers_own_threshold(self, config: Settings):
        piece = add(quality=6.5, status="set_aside", report=report(score=6.5))
        with db.session() as session:
            taste.choose(session, "default", config, keep_score=6.5)
        rate(piece, decision="discard")
        clear(piece)
        assert get(piece).status == "kept"

    def test_a_piece_that_was_cut_off_goes_back_to_that(self, config: Settings):
        piece = add(status="set_aside", reason=CUT_OFF, quality=8.0)
        rate(piece, decision="keep")
        assert get(piece).status == "kept"
        clear(piece)
        assert (get(piece).status, get(piece).reason) == ("set_aside", CUT_OFF)
        rate(piece, decision="keep")
        rate(piece, decision="discard")
        clear(piece)
        assert (get(piece).status, get(piece).reason) == ("set_aside", CUT_OFF)

    def test_the_same_words_are_not_kept_twice(self, config: Settings):
        first = add(1)
        second = add(2, completion="Piece 1.", status="set_aside", duplicate_of=first)
        assert "already kept" in rate(second, decision="keep")
        row = get(second)
        assert (row.status, row.decision, row.duplicate_of) == ("set_aside", "keep", first)
        rate(first, decision="discard")
        assert rate(second, decision="keep") == ""
        assert get(second).status == "kept"
        clear(first)
        assert (get(first).status, get(first).duplicate_of) == ("set_aside", second)

    def test_a_near_duplicate_may_be_kept_and_goes_back(self, config: Settings):
        first = add(1)
        second = add(2, status="set_aside", duplicate_of=first, reason="60% of it is in a piece …")
        assert rate(second, decision="keep") == ""
        assert get(second).status == "kept"
        clear(second)
        assert (get(second).status, get(second).duplicate_of) == ("set_aside", first)

    def test_one_whose_near_twin_is_gone_can_come_back_by_its_score(self, config: Settings):
        first = add(1)
        second = add(2, status="set_aside", quality=6.0, report=report(score=6.0), duplicate_of=first, reason="60% …")
        rate(first, decision="discard")
        rate(second, decision="keep")
        clear(second)
        row = get(second)
        assert (row.status, row.reason, row.duplicate_of) == ("set_aside", "6.0 is below 7.0. A reason.", None)

    @pytest.mark.parametrize("source", OWN_WORDS)
    def test_undo_sets_no_words_of_the_writer_aside(self, source: str, config: Settings):
        piece = add(quality=4.0, source=source, report=report(score=4.0))
        rate(piece, decision="discard")
        assert get(piece).status == "set_aside"
        clear(piece)
        assert (get(piece).status, get(piece).reason) == ("kept", None)

    def test_stars_and_decision_are_taken_back_one_by_one(self, config: Settings):
        piece = add()
        rate(piece, stars=2)
        rate(piece, decision="discard")
        clear(piece, stars=False)
        assert (get(piece).rating, get(piece).decision, get(piece).status) == (2, None, "kept")
        assert get(piece).rated_at is not None

    def test_another_writers_piece_is_answered_like_a_missing_one(self, config: Settings):
        theirs = add(writer="ana")
        said = []
        for example_id in (theirs, 10**9):
            for act in (lambda which: rate(which, stars=5), lambda which: rate(which, decision="keep"), clear):
                with pytest.raises(NotFound) as refused:
                    act(example_id)
                said.append(str(refused.value))
        assert len(set(said)) == 1
        assert get(theirs).rated_at is None

    @pytest.mark.parametrize(
        "what",
        [
            {},
            *({"stars": stars} for stars in (0, 6, True, 4.5, "5", math.nan)),
            *({"decision": decision} for decision in ("burn", 1)),
            {"stars": 4, "decision": "keep"},
        ],
    )
    def test_what_is_no_rating_is_refused(self, what, config: Settings):
        piece = add()
        with pytest.raises(InvalidInput):
            rate(piece, **what)
        assert get(piece).rated_at is None

    @pytest.mark.parametrize("example_id", [0, -1, 2**63, 10**30, True, "1", None, 1.0])
    def test_what_is_no_id_is_refused(self, example_id, config: Settings):
        with pytest.raises(InvalidInput):
            rate(example_id, stars=3)

    def test_a_piece_without_a_text_cannot_be_rated(self, config: Settings):
        piece = add(status="failed", completion="", quality=None, report=None)
        with pytest.raises(NotFound, match="no text"):
            rate(piece, stars=3)

    def test_the_record_of_the_session_counts_what_is_kept(self, config: Settings):
        with db.session() as session:
            ask = AutoTrainConfig(num_examples=3)
            row = sessions.create(session, ask, teacher="scripted", order_seed=1)
        generous = config.model_copy(update={"keep_score": 0.0})
        auto_train.run(row.session_id, 1, settings=generous, catalog=catalog(), teacher=ScriptedTeacher())
        with db.reading() as session:
            record = sessions.get(session, "default", row.session_id)
            query = select(Example.id).where(Example.session_id == row.id, Example.status == ExampleStatus.kept)
            kept = session.exec(query).all()
        rate(kept[0], decision="discard")
        with db.reading() as session:
            after = sessions.get(session, "default", row.session_id)
        assert after.num_examples_successful == record.num_examples_successful - 1
        assert after.num_examples_set_aside == record.num_examples_set_aside + 1

    def test_two_tabs_leave_one_whole_answer(self, config: Settings):
        piece = add()
        trouble: list[BaseException] = []

        def press(decision: str) -> None:
            try:
                for _ in range(5):
                    rate(piece, decision=decision)
                    with db.session() as session:
                        taste.refit(session, "default", config)
            except BaseException as error:
                trouble.append(error)

        threads = [threading.Thread(target=press, args=(one,)) for one in ("keep", "discard")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not trouble
        row = get(piece)
        assert row.status == ("kept" if row.decision == "keep" else "set_aside")


def rated_writer(number: int, seed: int = 1, *, judged: bool = False) -> None:
    """Pieces of a writer who loves images, rated."""
    draw = random.Random(seed)
    with db.session() as session:
        writers.ensure(session, "default")
        session.flush()
        for at in range(number):
            imagery = round(min(10.0, max(0.0, draw.gauss(7, 1.3))), 1)
            liking = 1.2 * (imagery - 7) + draw.gauss(0, 0.5)
            score = round(min(10.0, max(0.0, draw.gauss(7, 0.7))), 1)
            session.add(
                Example(
                    user_id="default",
                    genre="fantasy",
                    element="scene",
                    prompt=f"prompt {draw.randrange(30)}",
                    completion=f"Piece {at}. " * 30,
                    status="set_aside",
                    quality=score,
                    quality_report=report(imagery, score).as_dict(),
                    judge_score=min(10.0, max(0.0, 7 + liking)) if judged else None,
                    text_hash=f"{at}",
                    rating=min(5, max(1, round(3 + liking))),
                    rated_at=now(),
                )
            )


@pytest.mark.usefixtures("database")
class TestRefit:
    def test_thirty_ratings_bring_a_correction_that_a_run_uses(self, config: Settings):
        rated_writer(80)
        with db.session() as session:
            mine = taste.refit(session, "default", config)
        assert mine.correction is not None
        assert mine.correction.acts
        assert mine.worth(report(9.0), None) > 7.3
        with db.reading() as session:
            assert taste.taste_of(session, "default", config) == mine
            assert taste.taste_of(session, "ana", config) == Taste(config.keep_score)

    def test_twenty_nine_do_not(self, config: Settings):
        rated_writer(29)
        with db.session() as session:
            assert taste.refit(session, "default", config).correction is None

    def test_the_judge_earns_its_weight(self, config: Settings):
        rated_writer(40, judged=True)
        with db.session() as session:
            mine = taste.refit(session, "default", config)
        assert mine.judge_part is not None
        assert mine.judge_part.weight > 0
        with db.session() as session:
            off = taste.choose(session, "default", config, judge=False)
        assert off.worth(report(7.0), 10.0) == Taste(7.0, off.config, off.correction).worth(report(7.0), None)

    def test_a_correction_lasts_until_a_newer_one_would_be_seen(self, config: Settings):
        rated_writer(80)
        with db.session() as session:
            before = taste.refit(session, "default", config)
        add(900, rating=4, rated_at=now(), report=report(8.0, 7.0))
        with db.session() as session:
            after = taste.refit(session, "default", config)
            row = session.get_one(TasteRow, "default")
            told = row.updated_at
        assert after.acting() == before.acting()
        assert (before.correction and before.correction.ratings, after.correction and after.correction.ratings) == (
            80,
            81,
        )
        for number in range(60):  # the writer has come to loathe images
            add(1000 + number, rating=1 + 4 * (number % 2), rated_at=now(), report=report(9.0 - 4 * (number % 2), 7.0))
        with db.session() as session:
            last = taste.refit(session, "default", config)
            assert session.get_one(TasteRow, "default").updated_at > told
        assert last.acting() != before.acting()

    def test_ratings_of_one_prompt_are_no_error(self, config: Settings):
        for number in range(40):
            values = {"prompt": "The same.", "judge_score": 5.0 + number % 5, "rating": 1 + number % 5}
            add(number, rated_at=now(), report=report(5.0 + number % 5), **values)
        with db.session() as session:
            mine = taste.refit(session, "default", config)
            found = taste.overview(session, "default", config)
        assert mine.correction is not None
        assert not mine.correction.acts
        assert found.judge_and_writer.likely is None
        assert "how sure that is" in taste_words.agreed(found.judge_and_writer, "The judge", "you")
        assert "5 prompts" in taste_words.judge(found)

    def test_what_was_fitted_to_another_version_does_not_act(self, config: Settings):
        with db.session() as session:
            tastes.save_fitted(
                session,
                "default",
                {"correction": correction(version=QUALITY_VERSION + 1).as_dict(), "judge": {"version": "x"}},
            )
        with db.reading() as session:
            mine = taste.taste_of(session, "default", config)
        assert (mine.correction, mine.judge_part) == (None, None)

    @pytest.mark.parametrize("fitted", [[], "x", 3, {"correction": [], "judge": 3}, {"correction": {"sides": 3}}])
    def test_hostile_rows_are_left_out(self, fitted: Any, config: Settings):
        add(1, rating=5, rated_at=now(), report=None)
        add(2, rating=99, rated_at=now())
        add(3, decision="burn", rated_at=now(), judge_score=math.inf)
        add(4, rating=4, rated_at=now(), quality=math.inf)
        with db.session() as session:
            tastes.save_fitted(session, "default", fitted)
        with db.session() as session:
            found = taste.overview(session, "default", config)
            assert (found.total, len(found.pieces)) == (4, 1)
            taste.refit(session, "default", config)

    def test_choices_are_checked(self, config: Settings):
        with db.session() as session:
            assert taste.choose(session, "default", config, keep_score=6.2).keep_score == 6.2
            assert taste.choose(session, "default", config, personal=False).keep_score == 6.2
            for value in (-1, 11, math.nan, "x"):
                with pytest.raises(InvalidInput, match="0 to 10"):
                    taste.choose(session, "default", config, keep_score=value)
            assert taste.choose(session, "default", config, keep_score=None).keep_score == config.keep_score

    def test_the_overview_says_nothing_before_ten(self, config: Settings):
        rated_writer(9)
        with db.reading() as session:
            assert taste.overview(session, "default", config).score_and_writer.correlation is None
        rated_writer(30)
        with db.reading() as session:
            found = taste.overview(session, "default", config)
        assert found.score_and_writer.correlation is not None
        assert found.score_and_writer.likely is not None


def test_two_tabs_lose_no_change_of_the_list(database: str, config: Settings):
    def add_phrases(name: str) -> None:
        for number in range(5):
            with db.session() as session:
                tastes.change(session, "default", lambda one, word=f"{name} {number}": worn.with_phrase(one, word))

    threads = [threading.Thread(target=add_phrases, args=(name,)) for name in ("rope", "salt", "glass")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.reading() as session:
        assert len(tastes.load(session, "default").worn) == 15


@pytest.mark.usefixtures("database")
class TestRuns:
    def run(self, config: Settings, number: int = 6) -> list[Example]:
        with db.session() as session:
            ask = AutoTrainConfig(num_examples=number)
            row = sessions.create(session, ask, teacher="scripted", order_seed=1)
        auto_train.run(row.session_id, 1, settings=config, catalog=catalog(), teacher=ScriptedTeacher())
        with db.reading() as session:
            query = select(Example).join(TrainingSession).where(TrainingSession.session_id == row.session_id)
            return list(session.exec(query))

    def test_the_writers_threshold_decides(self, config: Settings):
        with db.session() as session:
            taste.choose(session, "default", config, keep_score=0.0)
        assert {row.status for row in self.run(config)} == {"kept"}
        with db.session() as session:
            taste.choose(session, "default", config, keep_score=10.0)
        assert {row.status for row in self.run(config)} == {"set_aside"}

    def test_a_change_during_a_run_holds_from_then_on(self, config: Settings):
        def write(number: int, options: GenerationOptions) -> str:
            if number == 4:
                with db.session() as session:
                    taste.choose(session, "default", config, keep_score=0.0)
            return story(options.seed)

        with db.session() as session:
            taste.choose(session, "default", config, keep_score=10.0)
            row = sessions.create(session, AutoTrainConfig(num_examples=8), teacher="scripted", order_seed=1)
        teacher = ScriptedTeacher(write, in_flight=1)
        auto_train.run(row.session_id, 1, settings=config, catalog=catalog(), teacher=teacher)
        with db.reading() as session:
            query = select(Example).where(Example.session_id == row.id).order_by(col(Example.idx))
            statuses = [one.status for one in session.exec(query)]
        assert statuses[:3] == ["set_aside"] * 3
        assert statuses[5:] == ["kept"] * 3

    def test_worth_is_stored_beside_the_measured_score(self, config: Settings):
        name = "craft"
        side = Side(name, "Form", 10.0, 0.5, 2.0)  # every piece loses all that a correction can take
        fitted = Correction(QUALITY_VERSION, 40, (side,), SHOWN)
        with db.session() as session:
            tastes.save_fitted(session, "default", {"correction": fitted.as_dict()})
            taste.choose(session, "default", config, keep_score=9.9)
        rows = [row for row in self.run(config) if (row.quality_report or {})["score"] > 0]
        assert len(rows) >= 3
        for row in rows:
            assert row.quality_report is not None
            measured = row.quality_report["score"]
            assert name in {one["name"] for one in row.quality_report["criteria"]}
            assert row.quality is not None
            assert row.quality < measured
            assert f"{row.quality:.1f} is below 9.9." in (row.reason or "")
            assert taste.difference(measured, row.quality)


def test_pieces_to_rate_come_spread_over_scores_and_genres(config: Settings):
    for number in range(40):
        add(number, quality=5 + number / 10, genre=("fantasy", "horror")[number % 2])
    seen = []
    for _ in range(10):
        with db.reading() as session:
            order = rating.waiting(session, "default")
            assert order == rating.waiting(session, "default")
        seen.append(get(order[0]))
        rate(order[0], stars=3)
    bands = [int(((row.quality or 0) - 5) * 10 + 0.5) // 8 for row in seen]
    assert {band: bands.count(band) for band in range(5)} == dict.fromkeys(range(5), 2)
    assert [row.genre for row in seen].count("fantasy") == 5
