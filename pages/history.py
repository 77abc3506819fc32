"""History: every session, and what was written in it."""

from functools import partial

import pandas as pd
import streamlit as st

from zega_core import db, providers
from zega_core.analytics import plural, share, took
from zega_core.catalog import load_catalog
from zega_core.errors import NotFound
from zega_core.settings import get_settings
from zega_core.store import candidates, examples, sessions
from zega_core.tables import UNFINISHED, Example, ExampleStatus, RunStatus, TrainingSession
from zega_core.taste import taste_of
from zega_ui import story_address
from zega_ui.boot import open_page
from zega_ui.components import (
    empty_state,
    genre_label_of,
    genre_name,
    local_time,
    page_header,
    piece,
    prose,
    refusal,
    section,
)
from zega_ui.ledger_view import teachers_of, wins
from zega_ui.rating_form import controls
from zega_ui.session_view import figures, kept_by_genre, scores_of

writer = open_page()
catalog = load_catalog()
SESSIONS, PIECES = 10, 5
STATUS = {
    RunStatus.queued: "Waiting",
    RunStatus.running: "Writing",
    RunStatus.stopping: "Stopping",
    RunStatus.stopped: "Stopped",
    RunStatus.done: "Finished",
    RunStatus.failed: "Interrupted",
}
SHOWN = {"Kept": ExampleStatus.kept, "Set aside": ExampleStatus.set_aside, "No answer": ExampleStatus.failed}


def genre_names(row: TrainingSession) -> str:
    if len(row.genres_selected) == len(catalog.genres):
        return "All genres"
    return ", ".join(map(genre_name, row.genres_selected))


def overview() -> None:
    with db.reading() as session:
        number, totals = sessions.count(session, writer), sessions.totals(session, writer)
    if not number:
        empty_state(
            "history",
            "No sessions yet",
            "Your first Auto-Train run will be listed here, with every piece that was written.",
            lambda: st.page_link("pages/auto_train.py", label="Start with Auto-Train", icon=":material/auto_stories:"),
        )
        return
    grid = st.grid(4, min_column_width=150, gap="small")
    grid.metric("Sessions", f"{number:,}", border=True)
    grid.metric("Examples kept", f"{totals.kept:,}", border=True)
    grid.metric("Share kept", share(totals.kept, totals.scored) if totals.scored else "–", border=True)
    average = "–" if totals.average_quality is None else f"{totals.average_quality:.1f}"
    grid.metric("Average quality", average, border=True)
    words = [plural(totals.fine_tunes, "fine-tune"), f"{took(totals.seconds)} of writing"]
    if totals.stories:
        words.insert(1, f"{totals.stories} saved as {'a story' if totals.stories == 1 else 'stories'}")
    st.caption(" · ".join(words))
    section("Sessions", "Tick a session to open it.")
    table(number)
    with db.reading() as session:
        votes = candidates.wins(session, writer)
    if votes:
        section("Votes", "Where several teachers wrote the same piece: how often whose was the best.")
        wins(votes)


def table(number: int) -> None:
    slot = st.container()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        note = st.empty()
        page = st.pagination(max(1, -(-number // SESSIONS)), key="page", bind="query-params", max_visible_pages=5)
    note.caption(f"{(page - 1) * SESSIONS + 1}–{min(page * SESSIONS, number)} of {number:,}")
    with db.reading() as session:
        rows = sessions.page(session, writer, number=page, size=SESSIONS)
    frame = pd.DataFrame(
        {
            "When": [local_time(row.started_at).replace(tzinfo=None) for row in rows],
            "Kept": [f"{row.num_examples_successful} of {row.num_examples_requested}" for row in rows],
            "Quality": [row.average_quality for row in rows],
            "Range": [
                "" if row.min_quality is None else f"{row.min_quality:.1f} – {row.max_quality:.1f}" for row in rows
            ],
            "Genres": [genre_names(row) for row in rows],
            "Best teacher": [providers.label_of(row.best_performing_model or "") for row in rows],
            "Took": [took(row.total_time_seconds) if row.recorded else "" for row in rows],
            "Status": [STATUS[RunStatus(row.status)] for row in rows],
        }
    )
    column = st.column_config
    chosen = slot.dataframe(
        frame,
        key=f"sessions-{page}",
        hide_index=True,
        height="content",
        row_height=38,
        on_select="rerun",
        selection_mode="single-row",
        alt="Sessions, newest first",
        column_config={
            "When": column.DatetimeColumn(format="D MMM, HH:mm", width=104),
            "Kept": column.TextColumn(width=82),
            "Quality": column.ProgressColumn(min_value=0, max_value=10, format="%.1f", width=104),
            "Range": column.TextColumn(width=82, help="Lowest and highest score"),
            "Genres": column.TextColumn(width=170),
            "Best teacher": column.TextColumn(width=138),
            "Took": column.TextColumn(width=72),
            "Status": column.TextColumn(width=84),
        },
    )
    if chosen.selection.rows:
        st.query_params["session"] = rows[chosen.selection.rows[0]].session_id
        st.query_params.pop("page", None)
        st.rerun()


def back() -> None:
    st.query_params.pop("session", None)


def detail(session_id: str) -> None:
    st.button("All sessions", icon=":material/arrow_back:", type="tertiary", on_click=back, key="back")
    try:
        with db.reading() as session:
            row = sessions.get(session, writer, session_id)
            tally = examples.tally(session, row.id or 0)
            scores = examples.qualities(session, row.id or 0)
            keep = taste_of(session, writer, get_settings()).keep_score
    except NotFound:
        empty_state(
            "search_off",
            "No such session",
            "It may belong to another writer or have been deleted. All sessions has yours.",
        )
        return
    section(f"{local_time(row.started_at):%d %B %Y, %H:%M}", f"{genre_names(row)} · {STATUS[RunStatus(row.status)]}")
    figures(tally, keep)
    if row.error:
        st.text(row.error)
    left, right = st.columns(2, gap="large")
    with left:
        kept_by_genre(tally)
    with right:
        scores_of(scores, keep)
    if row.status in UNFINISHED:
        st.page_link("pages/auto_train.py", label="Watch it being written", icon=":material/auto_stories:")
    story_address.link(tally.stories)
    teachers_of(row)
    record(row, tally)
    pieces(row, tally)


def record(row: TrainingSession, tally: examples.Tally) -> None:
    with st.expander("The whole record"):
        lines = [
            f"Session {row.session_id}",
            f"Took {took(row.total_time_seconds)}" if row.recorded else "Still running",
            f"{plural(tally.failed, 'piece')} without an answer",
            f"Kept examples before: {row.training_examples_before}, after: {row.training_examples_after}",
            "Kept pieces went into memory" if row.stored_in_memory else "Nothing went into memory",
            f"{tally.stories} saved as stories" if row.saved_to_database else "No stories were saved",
            "Started a fine-tune" if row.fine_tuning_triggered else "Started no fine-tune",
            f"Asked: {providers.label_of(row.teacher)}",
            f"Seed {row.seed}",
        ]
        st.text("\n".join(lines))
        for model, numbers in tally.models.items():
            kept, mean = int(numbers["count"]), numbers["avg_quality"]
            st.text(f"{providers.label_of(model)}: {kept} kept, average quality {mean:.1f}")
        for key, number in sorted(tally.genres.items(), key=lambda item: -item[1]):
            st.markdown(f"{genre_label_of(key)}: {number} kept")


def other_answers(example: Example) -> None:
    with db.reading() as session:
        found = candidates.of_example(session, writer, example.session_id or 0, example.idx or 0)
    with st.expander(f"The other answers ({len(found) - 1})", key=f"others-{example.id}"):
        for candidate in found:
            if not candidate.won:
                twin = "" if candidate.counted else " · nearly the same, so it did not count"
                st.caption(f"{providers.label_of(candidate.model)} · {candidate.quality:.1f}{twin}")
                prose(candidate.completion, f"candidate-{candidate.id}")


def pieces(row: TrainingSession, tally: examples.Tally) -> None:
    section(
        "Pieces",
        "Stars say how good a piece is to you and move nothing. Keep and Discard decide, whatever it scored.",
    )
    counts = {"All": tally.done, "Kept": tally.kept, "Set aside": tally.set_aside, "No answer": tally.failed}
    shown = st.segmented_control(
        "Show",
        [name for name, number in counts.items() if number or name == "All"],
        default="All",
        required=True,
        key="shown",
        format_func=lambda name: f"{name} {counts[name]}",
    )
    if not tally.done:
        st.caption("Nothing has been written in this session.")
        return
    pages = -(-counts[shown] // PIECES)
    slot = st.container()
    number = st.pagination(pages, key="piece", bind="query-params", max_visible_pages=5) if pages > 1 else 1
    with db.reading() as session:
        found = examples.page(
            session, writer, row.id or 0, status=SHOWN.get(shown), number=min(number, pages), size=PIECES
        )
    with slot:
        for example in found:
            piece(example, whole=True, below=partial(controls, writer))
            if example.votes > 1:
                other_answers(example)


page_header("History", "Every session you have run, and every piece that was written in it.")
refusal()
opened = st.query_params.get("session")
if opened:
    detail(opened)
else:
    overview()
