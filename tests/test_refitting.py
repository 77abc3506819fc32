"""Ratings and scoring again together: what is fitted, what acts, and what is out of date because of it."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from sqlmodel import col, select

from tests.support.scored import add, all_pieces, piece
from tests.support.teachers import story
from zega_core import db, passes, rating, refitting, rescore, taste
from zega_core.catalog import Element
from zega_core.configs import AutoTrainConfig, TasteConfig
from zega_core.quality import QUALITY_VERSION, Criterion, QualityReport
from zega_core.quality.stored import read_report
from zega_core.settings import Settings
from zega_core.store import sessions, tastes
from zega_core.tables import Example, Memory, Story, Taste, now

pytestmark = pytest.mark.usefixtures("database")


def measured(text: str, prompt: str, genre: str, element: Element) -> QualityReport:
    """The two numbers that the text begins with: the score, and its images."""
    score, imagery = map(float, text.split()[:2])
    sides = (Criterion("imagery", "Images", imagery, ("Salt.",)), Criterion("craft", "Craft", score, ("Even.",)))
    return QualityReport(score, sides, None)


@pytest.fixture(autouse=True)
def by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescore, "score", measured)


def loves_images(number: int, *, rated: bool = True, seed: int = 1, **more: Any) -> list[int]:
    """Pieces scored by older rules, whose stars follow their images."""
    draw, found = random.Random(seed), []
    for at in range(number):
        score, imagery = (round(min(9.9, max(1.0, draw.gauss(7, spread))), 1) for spread in (0.7, 1.4))
        stars = min(5, max(1, round(3 + 1.2 * (imagery - 7) + draw.gauss(0, 0.4))))
        words = {"rating": stars, "rated_at": now()} if rated else {}
        values = {"prompt": f"prompt {at % 17}", "quality_version": at % 2 and QUALITY_VERSION - 1, **words, **more}
        found.append(add(f"{score} {imagery} {story(seed * 1000 + at)}", score=5.0, kept=False, **values))
    return found


def taste_now(settings: Settings) -> taste.Taste:
    with db.reading() as session:
        return taste.taste_of(session, "ana", settings)


def standing(settings: Settings) -> passes.Standing:
    with db.reading() as session:
        return passes.standing(session, "ana", settings)


def refit(settings: Settings) -> taste.Taste:
    with db.session() as session:
        return taste.refit(session, "ana", settings)


def agrees(settings: Settings) -> bool:
    """Every piece is worth what the taste of now says, and kept or not by that."""
    mine = taste_now(settings)
    for one in all_pieces():
        report = read_report(one["quality_report"])
        assert report is not None
        assert one["quality"] == mine.worth(report, one["judge_score"])
        assert one["quality_version"] == QUALITY_VERSION
        assert (one["status"] == "kept") == (one["quality"] >= mine.keep_score)
    return True


class TestOneRescoreIsEnough:
    def test_the_correction_acts_everywhere_and_a_second_one_changes_nothing(self, config: Settings):
        loves_images(40)
        loves_images(20, rated=False, seed=2)
        would = rescore.rescore("ana", config, dry_run=True)
        outcome = rescore.rescore("ana", config)
        mine = taste_now(config).correction
        assert mine is not None
        assert mine.acts
        assert agrees(config)
        assert any(one["quality"] != one["quality_report"]["score"] for one in all_pieces())
        assert (would.changed, would.now_kept, would.mean_after) == (
            outcome.changed,
            outcome.now_kept,
            outcome.mean_after,
        )
        assert not standing(config).outdated
        before = all_pieces()
        assert rescore.rescore("ana", config).of == 0
        assert all_pieces() == before

    def test_a_dry_run_leaves_everything(self, config: Settings):
        loves_images(40)
        before = all_pieces()
        rescore.rescore("ana", config, dry_run=True)
        assert all_pieces() == before
        with db.reading() as session:
            assert session.get(Taste, "ana") is None

    @pytest.mark.parametrize("calls", [1, 7, 40, 45, 75])
    def test_killed_anywhere_the_next_one_comes_to_the_same(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch, calls: int
    ):
        monkeypatch.setattr(rescore, "BATCH", 10)
        monkeypatch.setattr(refitting, "BATCH", 10)
        loves_images(40)
        left = [calls]

        def killed(*arguments: Any) -> QualityReport:
            left[0] -= 1
            if left[0] <= 0:
                raise KeyboardInterrupt
            return measured(*arguments)

        monkeypatch.setattr(rescore, "score", killed)
        with pytest.raises(KeyboardInterrupt):
            rescore.rescore("ana", config)
        assert standing(config).older
        monkeypatch.setattr(rescore, "score", measured)
        rescore.rescore("ana", config)
        assert agrees(config)
        assert not standing(config).outdated

    def test_what_is_rated_meanwhile_is_seen(self, config: Settings, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(rescore, "BATCH", 10)
        ids = loves_images(60, rated=False)

        def rated(done: int, of: int) -> None:
            if done == 20:
                with db.session() as session:
                    for one in session.exec(select(Example).where(col(Example.id).in_(ids))):
                        imagery = float(one.completion.split()[1])
                        one.rating, one.rated_at = min(5, max(1, round(3 + imagery - 7))), now()
                        session.add(one)

        assert rescore.rescore("ana", config, progress=rated).finished
        mine = taste_now(config).correction
        assert mine is not None
        assert mine.acts
        assert agrees(config)
        assert not standing(config).outdated

    def test_nobody_gets_a_row_for_ratings_that_are_not_there(self, config: Settings):
        loves_images(2, rated=False)
        rescore.rescore("ana", config)
        with db.reading() as session:
            assert session.get_one(Taste, "ana").fitted is None


class TestWhatIsOutOfDate:
    def test_ratings_are_not_unless_what_acts_changed(self, config: Settings):
        ids = loves_images(29)
        rescore.rescore("ana", config)
        with db.session() as session:
            rating.rate(session, "ana", ids[0], config, stars=5)
        refit(config)
        assert not standing(config).outdated
        loves_images(11, seed=3, quality_version=QUALITY_VERSION)
        rescore.rescore("ana", config, everything=True)
        assert not standing(config).outdated
        refit(config)
        assert not standing(config).outdated

    def test_a_fit_that_begins_to_act_is(self, config: Settings):
        loves_images(40)
        with db.session() as session:
            for one in session.exec(select(Example)):
                one.quality_report, one.quality_version = measured(one.completion, "", "", None).as_dict(), 1  # type: ignore[arg-type]
                one.quality_version = QUALITY_VERSION
                session.add(one)
        assert not standing(config).outdated
        assert refit(config).correction is not None
        assert standing(config).before_taste == 40
        rescore.rescore("ana", config)
        assert agrees(config)
        with db.session() as session:
            taste.choose(session, "ana", config, personal=False)
        assert standing(config).before_taste == 40

    def test_avoiding_and_worn_phrases_are_not(self, config: Settings):
        loves_images(3)
        rescore.rescore("ana", config)
        for wishes in ({"avoid": False}, {"worn": ("a heart of stone",)}, {"not_worn": ("tapestry",)}):
            with db.session() as session:
                tastes.save(session, "ana", TasteConfig(**wishes))  # type: ignore[arg-type]
            assert not standing(config).outdated
        assert rescore.rescore("ana", config).of == 0

    def test_a_switch_that_moves_nothing_is_not(self, config: Settings):
        loves_images(3)
        rescore.rescore("ana", config)
        for wishes in ({"judge": False}, {"personal": False}, {"keep_score": config.keep_score}):
            with db.session() as session:
                taste.choose(session, "ana", config, **wishes)
            assert not standing(config).outdated


class TestMemoryAndStories:
    def kept(self, *, memory: bool) -> int:
        """A kept piece of an ended session, remembered and saved as a story."""
        asked = AutoTrainConfig(writer_id="ana", num_examples=1, store_in_memory=memory, save_to_database=True)
        with db.session() as session:
            row = sessions.create(session, asked, teacher="x", order_seed=1)
            row.status, row.recorded = "done", True
            session.add(row)
        report = QualityReport(8.0, (), None).as_dict()
        one = add(f"8.0 8.0 {story(1)}", session_id=row.id, idx=0, score=8.0, quality_report=report)
        with db.session() as session:
            session.add(Story(user_id="ana", example_id=one, title="t", genre="fantasy", body="b"))
            if memory:
                session.add(Memory(user_id="ana", example_id=one, body="b", genre="fantasy"))
        return one

    def remembered(self) -> list[int | None]:
        with db.reading() as session:
            assert len(session.exec(select(Story)).all()) == 1
            return list(session.exec(select(Memory.example_id)))

    def decide(self, one: int, settings: Settings, decision: str | None) -> None:
        with db.session() as session:
            if decision is None:
                rating.clear(session, "ana", one, settings)
            else:
                rating.rate(session, "ana", one, settings, decision=decision)

    def test_discard_takes_it_out_of_memory_and_undo_puts_it_back(self, config: Settings):
        one = self.kept(memory=True)
        self.decide(one, config, "discard")
        assert self.remembered() == []
        self.decide(one, config, "discard")
        self.decide(one, config, None)
        assert self.remembered() == [one]
        self.decide(one, config, "discard")
        self.decide(one, config, "keep")
        assert self.remembered() == [one]
        self.decide(one, config, None)
        assert self.remembered() == [one]
        assert piece(one).status == "kept"

    def test_without_memory_nothing_is_remembered(self, config: Settings):
        one = self.kept(memory=False)
        for decision in ("discard", None, "keep"):
            self.decide(one, config, decision)
            assert self.remembered() == []

    def test_scoring_again_leaves_memory(self, config: Settings):
        one = self.kept(memory=True)
        with db.session() as session:
            taste.choose(session, "ana", config, keep_score=9.5)
        rescore.rescore("ana", config)
        assert piece(one).status == "set_aside"
        assert self.remembered() == [one]


def test_rating_and_scoring_again_do_not_wait_for_each_other(config: Settings, monkeypatch: pytest.MonkeyPatch):
    """Both change records of sessions and rows of writers: in one order, or PostgreSQL ends one of them."""
    monkeypatch.setattr(rescore, "BATCH", 5)
    with db.session() as session:
        row = sessions.create(session, AutoTrainConfig(writer_id="ana", num_examples=9), teacher="x", order_seed=1)
        row.status, row.recorded, row.completed_at = "done", True, now()
        session.add(row)
    ids = loves_images(30, session_id=row.id)
    for idx, one in enumerate(ids):
        with db.session() as session:
            found = session.get_one(Example, one)
            found.idx = idx
            session.add(found)
    trouble: list[BaseException] = []

    def decide() -> None:
        try:
            for one in ids:
                with db.session() as session:
                    rating.rate(session, "ana", one, config, decision="keep")
                refit(config)
        except BaseException as error:  # looked at below
            trouble.append(error)

    thread = threading.Thread(target=decide)
    thread.start()
    while thread.is_alive():
        rescore.rescore("ana", config, everything=True)
    thread.join()
    assert not trouble
    rescore.rescore("ana", config)
    assert not standing(config).outdated
