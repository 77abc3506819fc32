"""The Quality page: blind rating, what each number of ratings shows, and what it never shows."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from zega_core import db, taste, taste_words
from zega_core.configs import AutoTrainConfig
from zega_core.quality import QUALITY_VERSION, Criterion, QualityReport
from zega_core.quality.agreement import Decided, Proposal, propose
from zega_core.settings import Settings
from zega_core.store import sessions, tastes
from zega_core.tables import Example, RunStatus, now

MARKUP = "# Title\n\n* * *\n\n$5 :smile: <b>x</b> :red[y] -- z"
TABS = ("Rate", "Agreement", "Your correction", "Judge", "Sameness")


def pieces(number: int, *, rated: bool = True, writer: str = "default", **values: Any) -> None:
    """Pieces of a writer who loves images; ``rated`` or waiting."""
    draw = random.Random(number)
    with db.session() as session:
        for at in range(number):
            imagery = round(min(10.0, max(0.0, draw.gauss(7, 1.5))), 1)
            criteria = (Criterion("imagery", "Images", imagery, ("Salt and rope.",)),)
            score = round(min(10.0, max(0.0, draw.gauss(7, 0.7))), 1)
            row = {
                "user_id": writer,
                "genre": ("fantasy", "horror")[at % 2],
                "element": "scene",
                "prompt": f"The prompt {at % 17}",
                "completion": f"Text {number}-{at}: the rope was wet. " * 4,
                "status": "kept",
                "quality": score,
                "quality_report": QualityReport(score, criteria, None, QUALITY_VERSION).as_dict(),
                "text_hash": f"{writer}-{number}-{at}",
                "model": "storyteller",
            }
            if rated:
                liking = 1.2 * (imagery - 7) + draw.gauss(0, 0.4)
                row |= {"rating": min(5, max(1, round(3 + liking))), "rated_at": now()}
            session.add(Example(**{**row, **values}))


def open_tab(app: AppTest, tab: str) -> str:
    app.switch_page("pages/auto_train.py").run()  # the address is read when the tabs are drawn anew
    app.query_params["tab"] = tab
    app.switch_page("pages/quality.py").run()
    assert not app.exception
    text = all_text(app)
    assert "could not be drawn" not in text
    return text


def only() -> Example:
    with db.reading() as session:
        return session.exec(select(Example)).one()


def test_without_pieces_it_says_what_will_be_here(app: AppTest):
    assert "Nothing to rate yet" in open_tab(app, "Rate")
    assert "0 of 10 ratings" in app_progress(app, "Agreement")
    assert "0 of 30 ratings" in app_progress(app, "Your correction")
    assert "counts nothing yet" in open_tab(app, "Judge")


def app_progress(app: AppTest, tab: str) -> str:
    open_tab(app, tab)
    return " ".join(str(element.proto.text) for element in app.get("progress"))


class TestBlind:
    def test_the_score_is_hidden_until_the_piece_is_rated(self, app: AppTest):
        pieces(1, rated=False, quality=6.3)
        text = open_tab(app, "Rate")
        assert "The prompt 0" in text
        assert "6.3" not in text
        assert "Images" not in text
        assert "storyteller" not in text.lower()
        identity = only().id
        app.feedback(key=f"blind-stars-{identity}").set_value(3).run()
        text = all_text(app)
        assert "You said: 4 stars. The score gives it 6.3 of 10." in text.replace("**", "")
        assert "Salt and rope." in text
        assert (only().rating, only().status) == (4, "kept")
        app.button(key="next").click().run()
        assert "Every piece is rated" in all_text(app)

    def test_keep_and_discard_move_the_piece_and_can_be_undone(self, app: AppTest):
        pieces(1, rated=False, quality=8.0)
        open_tab(app, "Rate")
        app.button(key=f"discard-{only().id}").click().run()
        assert (only().decision, only().status) == ("discard", "set_aside")
        app.button(key="undo").click().run()
        assert (only().decision, only().status, only().rated_at) == (None, "kept", None)
        assert "You skipped the rest" in all_text(app)
        app.button(key="unskip").click().run()
        assert "8.0" not in all_text(app)
        app.button(key=f"keep-{only().id}").click().run()
        assert (only().decision, only().status) == ("keep", "kept")

    def test_skip_shows_another_and_the_last_rating_can_be_taken_back_later(self, app: AppTest):
        pieces(3, rated=False)
        open_tab(app, "Rate")
        first = shown(app)
        app.button(key="skip").click().run()
        second = shown(app)
        assert first != second
        app.button(key=f"keep-{second}").click().run()
        app.button(key="next").click().run()
        assert shown(app) not in (first, second)
        app.button(key="undo").click().run()
        with db.reading() as session:
            assert not session.exec(select(Example).where(Example.id == second)).one().rated_at

    def test_the_same_words_stay_set_aside_and_it_is_said(self, app: AppTest):
        pieces(1, text_hash="same")
        pieces(2, rated=False, text_hash="same", status="set_aside")
        open_tab(app, "Rate")
        app.button(key=f"keep-{shown(app)}").click().run()
        assert "already kept. It stays set aside." in all_text(app)

    @pytest.mark.parametrize("text", [MARKUP, "a" * 300, "x y " * 5_000 + ".", "‮שלום\u202c"])
    def test_a_text_is_shown_as_written(self, app: AppTest, text: str):
        pieces(1, rated=False, completion=text, prompt=MARKUP)
        open_tab(app, "Rate")
        assert text in [element.value for element in app.text]
        assert f"Asked for: {MARKUP}" in [element.value for element in app.text]

    def test_another_writers_pieces_are_not_there(self, app: AppTest):
        app.text_input(key="new_writer").set_value("ana").run()
        app.button(key="add_writer").click().run()
        pieces(12, writer="default", rated=False)
        assert "Nothing to rate yet" in open_tab(app, "Rate")


def shown(app: AppTest) -> int:
    return next(
        int((button.key or "").split("-")[1]) for button in app.button if (button.key or "").startswith("keep-")
    )


@pytest.mark.parametrize("number", [0, 1, 9, 10, 29, 30])
def test_each_number_of_ratings_shows_what_it_can(app: AppTest, number: int):
    pieces(number)
    agreement = open_tab(app, "Agreement")
    assert ("on which pieces are better" in agreement) == (number >= 10)
    assert len(app.dataframe) == (number >= 10)
    text = open_tab(app, "Your correction")
    assert ("instead of" in text) == (number >= 30)
    assert ("Let my correction act" in [toggle.label for toggle in app.toggle]) == ("Your correction acts" in text)
    assert "counts nothing yet" in open_tab(app, "Judge")


def test_where_you_agree_no_disagreement_is_made_up(app: AppTest):
    for stars in range(1, 6):
        report = QualityReport(2.0 * stars, (), None, QUALITY_VERSION).as_dict()
        pieces(stars + 1, rating=stars, rated_at=now(), quality_report=report)
    text = open_tab(app, "Agreement")
    assert "agree closely" in text
    assert "at about the same place" in text
    assert not app.dataframe


def test_a_threshold_that_decides_fewer_alike_says_why_it_is_better():
    scores = [6.0] + [7.5] * 13 + [8.5] * 34 + [6.5] * 2
    wanted = [False] + [True] * 13 + [True] * 34 + [False] * 2
    found = propose(scores, wanted, 6.2)
    assert found is not None
    assert "further from chance" not in taste_words.proposal(found)
    assert "expect a little less" in taste_words.proposal(found)
    poorer = Proposal(Decided(7.0, 46, 50, 40.0, 0.4), Decided(5.0, 47, 50, 47.0, 0.0))
    assert "no more, but further from chance: a guess would get about 40, not 47" in taste_words.proposal(poorer)


def test_a_real_preference_is_told_in_words_and_can_be_turned_off(app: AppTest):
    pieces(60)
    text = open_tab(app, "Your correction")
    assert "Your correction acts." in text
    assert "You value “Images” more than the score does" in text
    assert "before your correction" in open_tab(app, "Agreement")
    open_tab(app, "Your correction")
    app.toggle(key="taste-personal").set_value(False).run()
    with db.reading() as session:
        assert tastes.load(session, "default").personal is False
    assert "you have turned it off" in open_tab(app, "Your correction")
    assert "before your correction" not in open_tab(app, "Agreement")


def test_a_proposed_threshold_is_taken_over_and_given_back(app: AppTest):
    pieces(6, quality_report=QualityReport(6.5, (), None, QUALITY_VERSION).as_dict(), rating=5)
    pieces(7, quality_report=QualityReport(5.0, (), None, QUALITY_VERSION).as_dict(), rating=1)
    assert "With 6.5 instead of 7.0, 13 of these 13 would be decided as you do, now 7 are." in open_tab(
        app, "Agreement"
    )
    app.button(key="take_over").click().run()
    with db.reading() as session:
        assert tastes.load(session, "default").keep_score == 6.5
    assert "No other threshold would decide more like you than 6.5." in all_text(app)
    app.switch_page("pages/auto_train.py").run()
    assert "Pieces of 6.5 or more are kept." in all_text(app)
    app.switch_page("pages/settings.py").run()
    assert "Your own choice: pieces of 6.5 or more are kept." in all_text(app)
    open_tab(app, "Agreement")
    app.button(key="back").click().run()
    with db.reading() as session:
        assert tastes.load(session, "default").keep_score is None


@pytest.mark.parametrize(
    "report",
    [None, {}, {"criteria": None}, {"criteria": [None, 3, {"score": "x"}]}, {"score": "x", "version": None}],
)
@pytest.mark.parametrize("tab", TABS)
def test_stored_reports_of_any_kind_are_drawn(app: AppTest, tab: str, report: Any):
    pieces(12, quality_report=report)
    pieces(2, rated=False, quality_report=report)
    text = open_tab(app, tab)
    if tab == "Agreement":
        assert "12 ratings are of pieces that today's score has not measured" in text
    if tab == "Rate":
        app.button(key=f"keep-{shown(app)}").click().run()
        assert not app.exception
        assert "could not be drawn" not in all_text(app)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE example SET quality = 'abc'",
        "UPDATE example SET judge_score = 5, judge_report = '[1]'",
        "UPDATE example SET rating = 'many'",
        "UPDATE taste SET rescore_result = '[1]', rescore_asked_at = '2026-01-01 00:00:00.000000'",
        "UPDATE taste SET fitted = '[1]', config = '[1]'",
    ],
)
def test_what_sqlite_lets_into_a_column_is_drawn(app: AppTest, config: Settings, change: str):
    pieces(12)
    pieces(2, rated=False)
    with db.session() as session:
        taste.refit(session, "default", config)
    with db.session() as session:
        session.connection().exec_driver_sql(change)
    for tab in TABS:
        open_tab(app, tab)
        assert not app.exception, tab


def test_pieces_out_of_date_can_be_scored_again_from_here(app: AppTest):
    pieces(40, quality_version=QUALITY_VERSION)
    open_tab(app, "Agreement")
    app.button(key="take_over").click().run()
    text = all_text(app)
    assert "40 pieces were scored before your taste or threshold changed." in text
    assert "until you press *Score them again* (or call `zega rescore`)" in text
    open_tab(app, "Your correction")
    app.button(key="rescore-start").click().run()
    assert "You can leave this page" in all_text(app)


def test_a_change_of_taste_does_not_disturb_rating(app: AppTest, config: Settings):
    pieces(3, quality_version=QUALITY_VERSION)
    with db.session() as session:
        taste.choose(session, "default", config, keep_score=9.0)
    assert "scored before" not in open_tab(app, "Rate")


def test_older_rules_are_told_at_once(app: AppTest):
    pieces(3, quality_version=QUALITY_VERSION - 1)
    assert "3 pieces have scores by older rules." in open_tab(app, "Rate")


def test_what_repeats_has_a_tab(app: AppTest):
    assert "Nothing to compare yet" in open_tab(app, "Sameness")
    pieces(4)
    assert "Worn phrases" in open_tab(app, "Sameness")


def test_history_rates_too(app: AppTest):
    with db.session() as session:
        row = sessions.create(session, AutoTrainConfig(num_examples=1), teacher="t", order_seed=1)
        row.status, row.recorded = RunStatus.done, True
        session.add(row)
    pieces(1, rated=False, session_id=row.id, idx=0, quality=7.5)
    app.query_params["session"] = row.session_id
    app.switch_page("pages/history.py").run()
    identity = only().id
    app.feedback(key=f"stars-{identity}").set_value(1).run()
    assert only().rating == 2
    app.button(key=f"discard-{identity}").click().run()
    assert (only().decision, only().status) == ("discard", "set_aside")
    assert "You discarded it." in all_text(app)
    app.button(key=f"undecide-{identity}").click().run()
    assert (only().decision, only().status, only().rating) == (None, "kept", 2)
    app.feedback(key=f"stars-{identity}").set_value(None).run()
    assert only().rated_at is None
    assert not app.exception
