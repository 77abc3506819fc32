"""One database page of the history: each row opens by a link, and can be ticked for what is done to several."""

from __future__ import annotations

from html import escape

import streamlit as st

from zega_core import db, history_words, providers
from zega_core.analytics import took
from zega_core.jobs import client
from zega_core.store import history
from zega_core.store.history import Kind, Row
from zega_core.tables import UNFINISHED, RunStatus
from zega_ui import history_address as where
from zega_ui.components import guarded, plain
from zega_ui.history_address import View
from zega_ui.history_rows import can_continue, kept_of, name_of, quality_of
from zega_ui.teaching_form import mirror

state = st.session_state
SIZE = 20
CHOSEN = "history-chosen"
"""In the session: the rows that are ticked, by their keys."""
WHOSE = "history-of"
LONGEST_ERROR = 160
"""Characters of an error that a row shows."""
NO_CELL = '<span class="zega-none">–</span>'
HEADS = ("Kept", "Quality", "Teacher", "Took", "Status")
MARKS = {
    RunStatus.failed: "!",
    RunStatus.stopped: "◼",
    **dict.fromkeys(UNFINISHED, "…"),
}
"""Before a status that is not the usual one: colour alone says nothing."""


def begin(writer: str) -> bool:
    """What another writer chose in this tab means nothing here; whether there was another."""
    if state.get(WHOSE) == writer:
        return False
    state[WHOSE] = writer
    choose_none()
    return True


def chosen() -> dict[str, Row]:
    return state.setdefault(CHOSEN, {})


def choose_none() -> None:
    state.pop(CHOSEN, None)


def show(writer: str, view: View, total: int) -> None:
    pages = max(1, -(-total // SIZE))
    number = min(view.page, pages)
    with db.reading() as session:
        rows = history.page(session, writer, view.found, view.order, number=number, size=SIZE)
    _head(rows)
    with st.container(key="history-list", gap=None):
        for row in rows:
            _row(writer, row)
    first = (number - 1) * SIZE
    st.caption(f"{first + 1:,}–{first + len(rows):,} of {total:,}")
    if pages > 1:
        _pages(pages, number)


def _pages(pages: int, number: int) -> None:
    """A new control where the address names another page than it shows: its value cannot be set without a warning."""
    control = state.setdefault("history-control", 0)
    if state.get(f"history-page-{control}", number) != number:
        control = state["history-control"] = control + 1
    key = f"history-page-{control}"
    st.pagination(pages, default=number, key=key, max_visible_pages=5, on_change=_turned, args=(key,))


def _turned(key: str) -> None:
    where.turn(state[key])


def _head(rows: list[Row]) -> None:
    with st.container(key="history-head"):
        st.checkbox(
            "All on this page",
            key=mirror("history-here", bool(rows) and {row.key for row in rows} <= set(chosen())),
            on_change=_tick_here,
            args=(tuple(rows),),
        )
        cells = "".join(f"<span>{name}</span>" for name in HEADS)
        st.html(f'<div class="zega-cells" aria-hidden="true">{cells}</div>')


def _row(writer: str, row: Row) -> None:
    named = name_of(row)
    with st.container(key=f"history-row-{row.key}"):
        st.checkbox(
            plain(f"Choose {named}"),
            key=mirror(f"tick-{row.key}", row.key in chosen()),
            label_visibility="collapsed",
            on_change=_tick,
            args=(row,),
        )
        _link(row, named)
        st.html(_cells(row))
        if can_continue(row):
            st.button(
                "Continue",
                key=f"continue-{row.key}",
                icon=":material/play_arrow:",
                type="tertiary",
                on_click=guarded,
                args=(client.resume, writer, row.key),
            )


def _link(row: Row, named: str) -> None:
    """A real one, so that a row opens by the keyboard and in another tab."""
    if row.kind == Kind.fine_tune:
        st.page_link("pages/fine_tune.py", label=plain(named), icon=":material/tune:")
    elif row.kind == Kind.conversation:
        st.page_link(
            "pages/conversational_trainer.py",
            label=plain(named),
            icon=":material/forum:",
            query_params={"conversation": row.key},
        )
    else:
        st.button(
            plain(named),
            key=f"open-{row.key}",
            icon=":material/auto_stories:",
            type="tertiary",
            on_click=where.open_session,
            args=(row.key,),
        )


def _cells(row: Row) -> str:
    """The figures of a row as one element: five times twenty would make the page slow."""
    status = f"{MARKS.get(RunStatus(row.status), '')} " if row.status in set(RunStatus) else ""
    values = (
        kept_of(row),
        quality_of(row),
        providers.label_of(row.teacher) if row.teacher else "",
        took(row.seconds) if row.seconds else "",
        f"{status}{history_words.status(row.status)}{' · archived' if row.archived else ''}",
    )
    cells = "".join(
        f'<span title="{escape(value)}"><b>{name}</b> {escape(value)}</span>' if value else NO_CELL
        for name, value in zip(HEADS, values, strict=True)
    )
    error = " ".join(row.error.split())
    shown = error if len(error) <= LONGEST_ERROR else f"{error[:LONGEST_ERROR]}…"
    note = f'<p class="zega-error">{escape(shown)}</p>' if shown else ""
    return f'<div class="zega-cells">{cells}</div>{note}'


def _tick(row: Row) -> None:
    if state[f"tick-{row.key}"]:
        chosen()[row.key] = row
    else:
        chosen().pop(row.key, None)


def _tick_here(rows: tuple[Row, ...]) -> None:
    for row in rows:
        if state["history-here"]:
            chosen()[row.key] = row
        else:
            chosen().pop(row.key, None)
