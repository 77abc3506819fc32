"""The History page: empty, listed, opened, and only one's own."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from zega_core import db
from zega_core.configs import AutoTrainConfig
from zega_core.providers.base import Call
from zega_core.settings import Settings
from zega_core.store import ledger, sessions
from zega_core.tables import CallOutcome, Example, RunStatus, TrainingSession
from zega_core.teacher_tables import Candidate

Work = Callable[..., TrainingSession]


def run_one(app: AppTest, work: Work, number: int = 6) -> TrainingSession:
    app.slider(key="auto_train_n").set_value(number).run()
    app.button(key="start").click().run()
    row = work(writer=str(app.session_state["writer_id"]))
    app.run()
    return row


def test_an_empty_history_says_what_will_be_here(app: AppTest):
    app.switch_page("pages/history.py").run()
    assert "No sessions yet" in all_text(app)


def test_sessions_are_listed_newest_first(app: AppTest, work: Work):
    run_one(app, work, 3)
    run_one(app, work, 4)
    app.switch_page("pages/history.py").run()
    table = app.dataframe[0].value
    assert [text.split()[-1] for text in table["Kept"]] == ["4", "3"]
    assert app.metric[0].value == "2"
    assert not app.exception


def test_a_session_opens_with_its_examples_and_its_record(app: AppTest, work: Work):
    row = run_one(app, work)
    app.query_params["session"] = row.session_id
    app.switch_page("pages/history.py").run()
    text = all_text(app)
    assert f"Kept examples before: 0, after: {row.num_examples_successful}" in text
    assert f"Session {row.session_id}" in text
    assert "Started no fine-tune" in text
    assert len([block for block in app.text if len(block.value) > 200]) >= 5


def test_another_writers_session_is_answered_like_a_missing_one(app: AppTest, work: Work):
    row = run_one(app, work)
    app.text_input(key="new_writer").set_value("ana").run()
    app.button(key="add_writer").click().run()
    assert app.session_state["writer_id"] == "ana"
    app.query_params["session"] = row.session_id
    app.switch_page("pages/history.py").run()
    theirs = all_text(app)
    app.query_params["session"] = "0" * 32
    app.run()
    assert all_text(app) == theirs
    assert "No such session" in theirs


def test_a_hostile_address_is_no_error(app: AppTest):
    for value in ("../../etc/passwd", "x" * 10_000, "'; DROP TABLE example; --", "\x00"):
        app.query_params["session"] = value
        app.switch_page("pages/history.py").run()
        assert not app.exception
        assert "No such session" in all_text(app)


def test_votes_costs_and_answers_that_were_no_piece_are_told(app: AppTest, config: Settings):
    with db.session() as session:
        ask = AutoTrainConfig(num_examples=2)
        row = sessions.create(session, ask, teacher="groq, gemini", order_seed=1)
        row.status, row.recorded, row.min_votes = RunStatus.done, True, 2
        session.add(row)
        session.flush()
        calls = [
            Call("groq", "a", CallOutcome.ok, 200, 900, 100, 200, 0.25),
            Call("groq", "a", CallOutcome.refusal, 200, 500, 100, 10, 0.25),
            Call("gemini", "b", CallOutcome.ok, 200, 2000, 100, 300, None),
        ]
        ledger.add(session, "default", calls, role="teacher", session_id=row.id)
        for model, quality, won in (("groq/a", 8.0, True), ("gemini/b", 6.5, False)):
            session.add(
                Candidate(
                    user_id="default",
                    session_id=row.id or 0,
                    idx=0,
                    model=model,
                    completion="The other piece.",
                    quality=quality,
                    won=won,
                )
            )
        session.add(
            Example(
                user_id="default",
                session_id=row.id,
                idx=0,
                genre="fantasy",
                element="scene",
                prompt="p",
                completion="The piece.",
                status="kept",
                quality=8.0,
                model="groq/a",
                text_hash="x",
                votes=2,
                judge_score=6.5,
                judge_report={"model": "gemini/b", "reason": "It holds together."},
            )
        )
    app.switch_page("pages/history.py").run()
    text = all_text(app)
    assert "Groq · a: won 1 of 1, average quality 8.0" in text
    assert "Gemini · b: won 0 of 1, average quality 6.5" in text
    app.query_params["session"] = row.session_id
    app.run()
    text = all_text(app)
    assert "0.50 € in all, by list price or your own · 1 call of unknown price" in text
    assert "1 call brought no piece: 1 declined to write." in text
    assert "best of 2" in text
    assert "The judge, Gemini · b, gave 6.5. It holds together." in text
    assert "The other piece." in text
    assert "Asked: Groq, Gemini" in text
