"""What a page shows of scores that are out of date, and what its button does."""

from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.support.scored import add, piece, says, told
from zega_core import db, rescore
from zega_core.configs import TasteConfig
from zega_core.quality import QUALITY_VERSION
from zega_core.settings import Settings
from zega_core.store import scores, tastes


def draw() -> None:
    from zega_ui import rescore_view

    rescore_view.show("ana")


@pytest.fixture
def view(config: Settings, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(rescore, "score", told)
    config.prepare_home()
    return AppTest.from_function(draw, default_timeout=30)


def buttons(view: AppTest) -> list[str]:
    return [found.label for found in view.button]


def test_without_pieces_there_is_nothing_to_press(view: AppTest):
    view.run()
    assert not all_text(view)
    assert not buttons(view)


def test_what_is_up_to_date_says_nothing(view: AppTest):
    add(says(8.0, 1), quality_version=QUALITY_VERSION)
    view.run()
    assert not all_text(view)
    assert not buttons(view)


def test_from_outdated_to_scored_again(view: AppTest, config: Settings):
    one = add(says(6.0, 1))
    add(says(8.0, 2))
    view.run()
    assert "2 pieces have scores by older rules." in all_text(view)
    view.button(key="rescore-start").click().run()
    assert not view.exception
    assert "You can leave this page" in all_text(view)
    assert not buttons(view)
    rescore.answer("ana", config)
    view.run()
    text = all_text(view)
    assert "All scores are up to date" in text
    assert "2 pieces scored again, 2 with another score than before. 0 now kept, 1 now set aside." in text
    assert piece(one).status == "set_aside"


def test_a_new_taste_and_an_interrupted_pass(view: AppTest, config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rescore, "BATCH", 2)
    for seed in range(4):
        add(says(8.0, seed), quality_version=QUALITY_VERSION)
    with db.session() as session:
        tastes.save(session, "ana", TasteConfig(keep_score=9.0))
    view.run()
    assert "4 pieces were scored before your taste or threshold changed." in all_text(view)
    stop = threading.Event()
    rescore.rescore("ana", config, stop=stop, progress=lambda done, of: stop.set() if done else None)
    with db.session() as session:
        row = scores.row(session, "ana")
        row.rescore_result = {**(row.rescore_result or {}), "at": 1.0}
        session.add(row)
    view.run()
    assert "Scoring again was interrupted after 2 of 4 pieces." in all_text(view)
    assert buttons(view) == ["Score them again"]


def test_a_failure_is_a_sentence_and_can_be_tried_again(view: AppTest, config: Settings):
    add(says(8.0, 1))
    with db.session() as session:
        row = scores.row(session, "ana")
        row.rescore_result = {"error": "The *catalog* cannot be read. What was scored is safe."}
        session.add(row)
    view.run()
    assert "The *catalog* cannot be read. What was scored is safe." in all_text(view)
    view.button(key="rescore-start").click().run()
    assert "The *catalog* cannot be read" not in all_text(view)
    assert "You can leave this page" in all_text(view)


def test_another_writers_pieces_are_not_counted(view: AppTest):
    add(says(8.0, 1), writer="ben")
    view.run()
    assert not all_text(view)
