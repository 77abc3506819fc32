"""Two sessions, or two versions, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from zega_core import db, history, history_words
from zega_core.errors import NotFound
from zega_core.history_detail import genre_names
from zega_core.store import sessions, versions
from zega_core.store.history import Kind, Row, names_in
from zega_core.tables import TrainingSession
from zega_ui import history_address as where
from zega_ui import versions_view
from zega_ui.components import empty_state, local_time, plain, section


def pair_of(rows: Sequence[Row]) -> tuple[str, str] | None:
    """What the address names for two rows that can be compared; None where they are no such two. The older one comes
    first."""
    if len(rows) != 2:
        return None
    older, newer = sorted(rows, key=lambda row: row.started_at)
    if older.kind == newer.kind == Kind.auto_train:
        return older.key, newer.key
    if older.kind == newer.kind == Kind.fine_tune and older.version and newer.version:
        return f"v{older.version}", f"v{newer.version}"
    return None


def show(writer: str, pair: tuple[str, str]) -> None:
    st.button("All sessions", icon=":material/arrow_back:", type="tertiary", on_click=where.to_list, key="back")
    numbers = [int(name[1:]) for name in pair if name[:1] == "v" and name[1:].isdigit() and len(name) < 9]
    try:
        if len(numbers) == 2:
            _versions(writer, numbers[0], numbers[1])
        else:
            _sessions(writer, *pair)
    except NotFound:
        empty_state(
            "search_off",
            "No such two",
            "One of them may belong to another writer or have been deleted. Tick two sessions, or two fine-tunes that "
            "made a version, and press Compare.",
        )


def _versions(writer: str, first: int, second: int) -> None:
    with db.reading() as session:
        one, other = versions.get(session, writer, first), versions.get(session, writer, second)
    section("Two versions side by side")
    versions_view.compared(one, other)
    st.page_link("pages/fine_tune.py", label="Your versions", icon=":material/tune:")


def _sessions(writer: str, first: str, second: str) -> None:
    with db.reading() as session:
        rows = [sessions.get(session, writer, key) for key in (first, second)]
        found = history.difference(session, writer, first, second)
    differ = sum(not one.same for one in found)
    section("Two sessions side by side", f"{differ} of {len(found)} lines differ; those are marked with ≠.")
    for letter, row, column in zip("AB", rows, st.columns(2), strict=True):
        with column:
            st.markdown(f"**{letter}**: {plain(_named(row))}")
            st.button(
                f"Open {letter}",
                key=f"open-{letter}",
                icon=":material/auto_stories:",
                on_click=where.open_session,
                args=(row.session_id,),
            )
    everything = st.toggle("Show what is the same, too", value=True, key="compare-all")
    shown = [one for one in found if everything or not one.same]
    if not shown:
        st.caption("They do not differ in anything that is stored.")
        return
    with st.container(key="history-table-compared"):
        st.table(_frame(shown), border="horizontal", alt="The two sessions, line by line")


def _frame(shown: Sequence[history.Compared]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "A": [plain(one.first) or "–" for one in shown],
            "B": [plain(one.second) or "–" for one in shown],
            "Differs": ["" if one.same else "≠" for one in shown],
        },
        index=pd.Index([plain(one.label) for one in shown], name="What"),
    )


def _named(row: TrainingSession) -> str:
    when = local_time(row.started_at)
    status = history_words.status(row.status)
    return f"{when.day} {when:%b %Y, %H:%M} · {genre_names(names_in(row.genres_selected))} · {status}"
