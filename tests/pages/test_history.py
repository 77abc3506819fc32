"""The History page: empty, listed, opened, and only one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.support.history import conversation_row, fine_tune_row, session_row
from tests.support.past_sessions import past_sessions
from zega_core import db, history
from zega_core.configs import AutoTrainConfig
from zega_core.providers.base import Call
from zega_core.settings import Settings, get_settings
from zega_core.store import examples, ledger, sessions
from zega_core.store.history import Filter
from zega_core.tables import CallOutcome, Example, RunStatus, TrainingSession
from zega_core.teacher_tables import Candidate
from zega_ui import history_files

Work = Callable[..., TrainingSession]
PAGE = "pages/history.py"
HOSTILE: dict[str, list[str]] = {
    "from": ["yesterday", "2026-02-31", "0001-01-01", "9999-12-31", "x" * 10_000],
    "genre": ["poetry", "\x00", "fantasy' OR 1=1"],
    "low": ["nan", "inf", "-1", "11", "seven", "1e999"],
    "high": ["-inf", "<b>"],
    "status": ["gone", "DONE"],
    "kind": ["poem", ":red[x]"],
    "archived": ["no", "1"],
    "sort": ["price", "'; --"],
    "page": ["-1", "0", "two", "99999999999999999999"],
}
NOTHING_SUCH = {
    "teacher": ["x" * 10_000, "';--", "%"],
    "text": ["%", "x" * 10_000, "'; DROP TABLE example; --"],
}


def show(app: AppTest, **address: str) -> str:
    """Open the page at this address; what it says."""
    app.query_params.clear()
    for name, value in address.items():
        app.query_params[name] = value
    app.switch_page(PAGE).run()
    assert not app.exception
    return said(app)


def said(app: AppTest) -> str:
    """As it reads: without the marks that keep Markdown from changing it."""
    return all_text(app).replace("\\", "")


def rows_of(app: AppTest) -> list[str]:
    """The sessions that are listed."""
    return [key[5:] for button in app.button if (key := button.key or "").startswith("open-")]


def cells(app: AppTest) -> str:
    return " ".join(str(one.proto.body) for one in app.get("html"))


def tables(app: AppTest) -> str:
    return " ".join(one.value.reset_index().to_csv() for one in app.table).replace("\\", "")


def run_one(app: AppTest, work: Work, number: int = 6) -> TrainingSession:
    app.slider(key="auto_train_n").set_value(number).run()
    app.button(key="start").click().run()
    row = work(writer=str(app.session_state["writer_id"]))
    app.run()
    return row


def test_an_empty_history_says_what_will_be_here(app: AppTest):
    app.switch_page("pages/history.py").run()
    assert "No sessions yet" in all_text(app)


def test_sessions_are_listed_newest_first_with_their_figures(app: AppTest, work: Work):
    first, second = run_one(app, work, 3), run_one(app, work, 4)
    app.switch_page("pages/history.py").run()
    assert rows_of(app) == [second.session_id, first.session_id]
    assert f"{second.num_examples_successful} of 4" in cells(app)
    assert app.metric[0].value == "2"
    assert "Not enough yet" in all_text(app)
    assert "until the next fine-tune" in str([one.text for one in app.get("progress")] or all_text(app))
    assert not app.exception


def test_a_session_opens_with_its_examples_and_its_record(app: AppTest, work: Work):
    row = run_one(app, work)
    app.query_params["session"] = row.session_id
    app.switch_page("pages/history.py").run()
    record = tables(app)
    assert "Kept examples before and after" in record
    assert f"0 and {row.num_examples_successful}" in record
    assert row.session_id in record
    assert "First piece" in record
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
    app.query_params["session"] = row.session_id
    app.switch_page("pages/history.py").run()
    text = all_text(app)
    assert "Groq · a: won 1 of 1, average quality 8.0" in text
    assert "Gemini · b: won 0 of 1, average quality 6.5" in text
    assert "0.50 € in all, by list price or your own · 1 call of unknown price" in text
    assert "1 call brought no piece: 1 declined to write." in text
    assert "best of 2" in text
    assert "The judge, Gemini · b, gave 6.5. It holds together." in text
    assert "The other piece." in text
    assert "Groq, Gemini" in tables(app)


def test_each_filter_is_in_the_address_and_leaves_what_fits(app: AppTest):
    done = session_row("default", genres_selected=["horror"], average_quality=8.4, teacher="groq", days=1)
    failed = session_row("default", status=RunStatus.failed, error="Groq <b>refused</b> it.", average_quality=None)
    talk, tuned = conversation_row("default", days=2), fine_tune_row("default", days=3)
    wanted = {
        "genre": ("horror", done),
        "low": ("8", done),
        "status": ("failed", failed),
        "text": ("refused", failed),
        "to": ("2026-07-01", failed),
        "teacher": ("groq", done),
    }
    for name, (value, only) in wanted.items():
        said = show(app, **{name: value})
        assert rows_of(app) == [only], name
        assert "1 row: " in said
    show(app, kind="auto_train")
    assert rows_of(app) == [done, failed]
    show(app)
    assert "Groq &lt;b&gt;refused" in cells(app)
    links = {link.proto.query_string: link.proto.page for link in app.get("page_link") if "·" in link.proto.label}
    assert links == {f"conversation={talk}": "conversational_trainer", "": "fine_tune"}
    assert tuned


def test_choosing_a_filter_writes_it_into_the_address(app: AppTest):
    past_sessions(30)
    show(app, page="2")
    app.selectbox(key="history-sort").set_value("best").run()
    assert app.query_params["sort"] == "best"
    assert "page" not in app.query_params
    app.text_input(key="history-text").set_value("horror").run()
    assert app.query_params["text"] == "horror"
    app.button(key="show-all").click().run()
    assert "text" not in app.query_params
    assert app.query_params["sort"] == "best"


def test_a_hostile_filter_falls_back_with_a_sentence(app: AppTest):
    past_sessions(3)
    for name, values in HOSTILE.items():
        for value in values:
            said = show(app, **{name: value})
            assert ":material/info: The address asks for" in said, (name, value)
            assert len(rows_of(app)) == 3, (name, value)


def test_what_fits_no_session_has_a_way_out(app: AppTest):
    past_sessions(3)
    for name, values in NOTHING_SUCH.items():
        for value in values:
            assert "No session fits these filters" in show(app, **{name: value})
    app.button(key="show-all-empty").click().run()
    assert len(rows_of(app)) == 3


def test_first_days_after_last_ones_are_told(app: AppTest):
    past_sessions(1)
    assert "lies after the last one" in show(app, **{"from": "2026-05-02", "to": "2026-05-01"})
    assert "lies above the highest one" in show(app, low="8", high="6")


def test_what_is_not_whole_is_marked_and_can_be_continued(app: AppTest, work: Work):
    row = run_one(app, work)
    with db.session() as session:
        stored = sessions.get(session, "default", row.session_id)
        stored.status, stored.num_examples_requested, stored.error = RunStatus.failed, 9, "The disk is full."
        session.add(stored)
    show(app)
    assert "Interrupted" in cells(app)
    assert "The disk is full." in cells(app)
    said = show(app, session=row.session_id)
    assert "The disk is full." in said
    assert "Continue writes what is missing." in said
    app.button(key="continue").click().run()
    with db.reading() as session:
        assert sessions.get(session, "default", row.session_id).status == RunStatus.queued


def test_what_a_program_handed_in_is_no_run_to_continue(app: AppTest):
    key = session_row("default", reported=True, status=RunStatus.failed, num_examples_failed=2)
    show(app)
    assert f"continue-{key}" not in {button.key for button in app.button}
    said = show(app, session=key)
    assert "A program handed in this record" in said
    assert "continue" not in {button.key for button in app.button}
    assert app.metric[0].value == "6"


def test_ticked_sessions_are_archived_and_come_back(app: AppTest):
    older, newer = past_sessions(2)
    show(app)
    app.checkbox(key=f"tick-{newer}").check().run()
    app.button(key="bulk-archive").click().run()
    assert rows_of(app) == [older]
    app.button(key="history-undo").click().run()
    assert rows_of(app) == [newer, older]
    app.checkbox(key="history-here").check().run()
    app.button(key="bulk-archive").click().run()
    assert "No session fits" in all_text(app)
    show(app, archived="yes")
    assert rows_of(app) == [newer, older]


def test_undo_brings_back_only_what_went(app: AppTest):
    older, newer = past_sessions(2)
    history.archive("default", [older], get_settings())
    show(app, archived="yes")
    app.checkbox(key=f"tick-{older}").check().run()
    app.query_params.clear()
    app.run()
    app.checkbox(key=f"tick-{newer}").check().run()
    app.button(key="bulk-archive").click().run()
    app.button(key="history-undo").click().run()
    assert rows_of(app) == [newer]


def test_what_one_writer_did_is_not_told_to_another(app: AppTest):
    (key,) = past_sessions(1)
    past_sessions(1, "ana")
    show(app)
    app.checkbox(key=f"tick-{key}").check().run()
    app.button(key="bulk-archive").click().run()
    assert "1 session archived." in said(app)
    app.selectbox(key="writer_id").set_value("ana").run()
    assert "archived." not in said(app)
    assert "history-undo" not in {button.key for button in app.button}


def test_two_ticked_sessions_are_compared(app: AppTest):
    older, newer = past_sessions(2)
    show(app)
    app.checkbox(key=f"tick-{newer}").check().run()
    assert app.button(key="bulk-compare").disabled
    app.checkbox(key=f"tick-{older}").check().run()
    app.button(key="bulk-compare").click().run()
    assert app.query_params["compare"] == f"{older},{newer}"
    assert "Two sessions side by side" in all_text(app)
    assert "≠" in tables(app)
    app.button(key="open-B").click().run()
    assert app.query_params["session"] == newer
    app.button(key="back").click().run()
    assert len(rows_of(app)) == 2


def test_a_comparison_that_cannot_be_is_a_sentence(app: AppTest):
    (mine,) = past_sessions(1)
    (theirs,) = past_sessions(1, "ana")
    for value in ("", "a", "a,a", "a,b,c", "../..,x", "v0,v1", f"{mine},{theirs}", f"{mine},{'0' * 32}", "x" * 10_000):
        assert "No such two" in show(app, compare=value), value[:40]


def test_deleting_asks_first_and_says_what_stays(app: AppTest, work: Work):
    row = run_one(app, work)
    show(app)
    app.checkbox(key=f"tick-{row.session_id}").check().run()
    app.button(key="bulk-delete").click().run()
    assert "Kept examples stay in Examples" in all_text(app)
    app.button(key="delete-now").click().run()
    said = all_text(app)
    assert "1 session deleted." in said
    assert rows_of(app) == []
    with db.reading() as session:
        assert examples.count_kept(session, "default") == row.num_examples_successful


def test_each_chart_has_a_table_behind_it(app: AppTest):
    past_sessions(8)
    heads = {"Quality": "Average of seven", "Teachers": "Won", "Cost": "A kept example", "Genres": "Share"}
    for tab, head in heads.items():
        app.query_params.clear()
        app.query_params["chart"] = tab
        app.switch_page(PAGE).run()
        opened = {"Quality": "quality", "Teachers": "wins", "Cost": "shares", "Genres": "genres"}[tab]
        app.session_state[f"numbers-{opened}"] = True
        app.run()
        assert not app.exception
        assert head in tables(app), tab


def test_a_line_needs_a_few_sessions(app: AppTest):
    past_sessions(3)
    assert "The line appears from 5 sessions" in show(app)


def test_an_export_holds_what_is_filtered_and_a_shared_page_no_texts_unless_asked(app: AppTest, work: Work):
    row = run_one(app, work)
    session_row("default", genres_selected=["horror"])
    found = Filter(text=row.session_id)
    assert row.session_id.encode() in history_files.file("default", found, "csv")
    assert [one["id"] for one in json.loads(history_files.file("default", found, "json"))] == [row.session_id]
    assert history_files.file("default", found, "parquet").startswith(b"PAR1")
    with db.reading() as session:
        text = examples.page(session, "default", row.id or 0)[0].completion
    opening = escape(text.split("\n")[0])
    assert opening.encode() not in history_files.page("default", row.session_id, False)
    assert opening.encode() in history_files.page("default", row.session_id, True)


def test_many_sessions_are_paged_in_the_database(app: AppTest):
    past_sessions(45)
    show(app, page="3")
    assert len(rows_of(app)) == 5
    assert "41–45 of 45" in all_text(app)
    assert "41–45 of 45" in show(app, page="99")


def test_very_long_names_and_errors_are_cut_not_lost(app: AppTest):
    error = "No answer came. " * 500
    key = session_row(
        "default", teacher="x" * 100, best_performing_model="x" * 100, status=RunStatus.failed, error=error
    )
    show(app)
    assert error not in cells(app)
    assert error.strip() in show(app, session=key)
