"""One session, opened: what was asked for, who wrote it, how it went, every piece, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from zega_core import db, history, history_words, providers
from zega_core.analytics import plural, took
from zega_core.errors import NotFound
from zega_core.history import Detail
from zega_core.history_detail import MANY, genre_names
from zega_core.jobs import client
from zega_core.quality.validation import number
from zega_core.settings import get_settings
from zega_core.store import examples
from zega_core.tables import UNFINISHED, TrainingSession
from zega_core.taste import taste_of
from zega_ui import history_address as where
from zega_ui import history_bulk, history_files, history_pieces, ledger_view, story_address
from zega_ui.components import empty_state, error_state, guarded, local_time, plain, section
from zega_ui.history_rows import RESUMABLE
from zega_ui.session_view import figures, kept_by_genre, scores_of


def show(writer: str, session_id: str) -> None:
    st.button("All sessions", icon=":material/arrow_back:", type="tertiary", on_click=where.to_list, key="back")
    history_bulk.undo_line(writer)
    try:
        with db.reading() as session:
            found = history.detail(session, writer, session_id)
            row, tally = found.session, found.tally
            scores = examples.qualities(session, row.id or 0)
            keep = taste_of(session, writer, get_settings()).keep_score
    except NotFound:
        empty_state(
            "search_off",
            "No such session",
            "It may belong to another writer or have been deleted. All sessions has yours.",
        )
        return
    status = history_words.status(row.status)
    archived = " · archived" if row.archived_at else ""
    section(
        f"{local_time(row.started_at):%d %B %Y, %H:%M}", plain(f"{genre_names(found.row.genres)} · {status}{archived}")
    )
    _state(writer, row, tally)
    shown = _as_handed_in(row) if row.reported else tally
    figures(shown, keep)
    _actions(writer, row)
    left, right = st.columns(2, gap="large")
    with left:
        kept_by_genre(shown)
    with right:
        scores_of(scores, keep)
    story_address.link(tally.stories)
    ledger_view.teachers_of(row)
    _record(found)
    history_pieces.show(writer, row, tally)


def _as_handed_in(row: TrainingSession) -> examples.Tally:
    """What a program said of a session whose pieces are not here."""
    stored = row.genre_distribution_json
    kept = {str(genre): int(count) for genre, count in stored.items() if number(count, 0, MANY) is not None}
    return examples.Tally(
        kept=row.num_examples_successful,
        set_aside=row.num_examples_set_aside,
        failed=row.num_examples_failed,
        average=number(row.average_quality, 0, 10),
        genres=kept,
    )


def _state(writer: str, row: TrainingSession, tally: examples.Tally) -> None:
    """Why it is not whole, where it is not, and what makes it so."""
    if row.status in UNFINISHED:
        st.page_link("pages/auto_train.py", label="Watch it being written", icon=":material/auto_stories:")
        return
    missing = row.num_examples_requested - tally.kept - tally.set_aside
    stopped = row.status in RESUMABLE
    can = not row.reported and missing > 0 and (stopped or tally.failed)
    if row.error:
        error_state(
            "The run could not finish" if stopped else "Not all of it went well",
            row.error,
            "What is written is safe. Continue writes what is missing." if can else "What is written is safe.",
            key="session-error",
        )
    elif stopped:
        st.caption(f"It was stopped after {tally.done:,} of {plural(row.num_examples_requested, 'example')}.")
    if can:
        st.button(
            f"Continue with the other {missing:,}" if stopped else f"Try {missing:,} again",
            key="continue",
            type="primary" if stopped else "secondary",
            icon=":material/play_arrow:",
            on_click=guarded,
            args=(client.resume, writer, row.session_id),
        )
    if row.reported:
        st.caption("A program handed in this record; ZEGA did not run the session.")


def _actions(writer: str, row: TrainingSession) -> None:
    archived = row.archived_at is not None
    with st.container(horizontal=True, gap="small", key="session-actions"):
        history_files.share(writer, row)
        history_bulk.archive_button(writer, (row.session_id,), archived, "session-archive")
        st.button(
            "Delete",
            key="session-delete",
            icon=":material/delete:",
            on_click=history_bulk.ask_to_delete,
            args=((row.session_id,),),
            disabled=row.status in UNFINISHED,
        )


def _record(found: Detail) -> None:
    """All that is stored of it: what was chosen, what came of it, and when."""
    row = found.session
    with st.expander("The whole record", key="session-record"):
        lines = [
            ("Session", row.session_id),
            *found.options,
            ("Took", took(found.row.seconds) if row.recorded else "Still under way"),
            ("Kept examples before and after", f"{row.training_examples_before:,} and {row.training_examples_after:,}"),
            ("Set off a fine-tune", "Yes" if row.fine_tuning_triggered else "No"),
            ("Saved as stories", f"{found.tally.stories or row.stories_saved_count:,}"),
        ]
        _table(("What", "As stored"), lines, "What was chosen and what came of it")
        if found.performance:
            rows = [
                (providers.label_of(one.model), f"{one.kept:,}", "–" if one.quality is None else f"{one.quality:.1f}")
                for one in found.performance
            ]
            _table(("Teacher", "Kept", "Average quality"), rows, "Kept pieces and their quality by teacher")
    with st.expander("Timeline", key="session-timeline"):
        times = [(f"{local_time(one.at):%d %b %Y, %H:%M:%S}", one.what) for one in found.timeline]
        _table(("When", "What happened"), times, "What happened when")
    if found.unanswered:
        with st.expander(f"Without an answer ({sum(found.unanswered.values()):,})", key="session-errors"):
            rows = [(why, f"{times:,}") for why, times in found.unanswered.items()]
            _table(("Why", "Pieces"), rows, "Why pieces have no text")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], alt: str) -> None:
    frame = pd.DataFrame([list(map(plain, row)) for row in rows], columns=list(heads)).set_index(heads[0])
    with st.container(key=f"history-table-{heads[0].lower()}"):
        st.table(frame, border="horizontal", alt=alt)
