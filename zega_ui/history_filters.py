"""The choices of the page History: a search, filters, the order. The address holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from zega_core import db, history, history_words, providers
from zega_core.analytics import plural
from zega_core.catalog import load_catalog
from zega_core.store.history import Filter
from zega_ui import filters
from zega_ui import history_address as where
from zega_ui.components import genre_name
from zega_ui.history_address import HIGH, LONGEST, LOW, View
from zega_ui.teaching_form import mirror

state = st.session_state


def show(writer: str, view: View) -> None:
    """The search, the filters and the order in one row, and what the address could not mean."""
    number = where.narrowed(view)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="history-filters"):
        st.text_input(
            "Search",
            key=mirror("history-text", view.found.text),
            type="search",
            placeholder="An id, a genre, a teacher, an error",
            max_chars=LONGEST,
            icon=":material/search:",
            on_change=_typed,
            width="stretch",
        )
        label = f"Filter ({number})" if number else "Filter"
        drawer = st.popover(label, icon=":material/filter_list:", key="history-filter", on_change="rerun")
        if drawer.open:
            with drawer:
                _choices(writer, view)
        st.selectbox(
            "Order",
            list(history_words.ORDERS),
            key=mirror("history-sort", view.order),
            format_func=history_words.ORDERS.__getitem__,
            on_change=_sorted,
            width=190,
        )
    for sentence in dict.fromkeys(view.troubles):
        st.caption(f":material/info: {sentence}")


def _choices(writer: str, view: View) -> None:
    """Drawn while the popover is open only."""
    found = view.found
    first, last = st.columns(2)
    _date(first, "From", "from", view.since)
    _date(last, "To", "to", view.until)
    _several("Genre", "genre", {genre.key: genre.label for genre in load_catalog().genres}, found.genres)
    st.slider(
        "Quality", LOW, HIGH, step=0.5, key=mirror("history-score", found.quality or (LOW, HIGH)), on_change=_scored
    )
    with db.reading() as session:
        known = [one.model for one in history.teachers_of(session, writer, Filter())]
    names = list(dict.fromkeys([*known, *filter(None, [found.teacher])]))
    if names:
        st.selectbox(
            "Teacher",
            names,
            index=None,
            key=mirror("history-teacher", found.teacher or None),
            format_func=providers.label_of,
            placeholder="Any",
            on_change=_taught,
        )
    _several("Status", "status", history_words.STATUS, found.statuses)
    _several("Kind", "kind", {str(kind): label for kind, label in history_words.KINDS.items()}, found.kinds)
    st.checkbox("What you archived", key=mirror("history-archived", found.archived), on_change=_archived)
    st.button("Clear all filters", key="clear-filters", icon=":material/filter_list_off:", on_click=where.clear)


def _date(column: DeltaGenerator, label: str, name: str, now: date | None) -> None:
    key = f"history-{name}"
    column.date_input(label, None, key=mirror(key, now), format="YYYY-MM-DD", on_change=_dated, args=(key, name))


def _several(label: str, name: str, options: Mapping[str, str], now: Sequence[str]) -> None:
    filters.several(f"history-{name}", label, name, options, now, _ticked)


def line(view: View, number: int) -> None:
    """What is looked at, in words, and the way back to everything."""
    filters.line(plural(number, "row"), described(view), where.clear)


def described(view: View) -> list[str]:
    """Each filter that is on. For st.text or, through ``plain``, for Markdown."""
    found = view.found
    return [
        *([f"from {view.since:%d %b %Y}"] if view.since else []),
        *([f"until {view.until:%d %b %Y}"] if view.until else []),
        *map(genre_name, found.genres),
        *([f"quality {found.quality[0]:g} to {found.quality[1]:g}"] if found.quality else []),
        *([providers.label_of(found.teacher)] if found.teacher else []),
        *(history_words.status(one).lower() for one in found.statuses),
        *(history_words.KINDS[one] for one in found.kinds),
        *(["archived"] if found.archived else []),
        *([f"with “{found.text}”"] if found.text else []),
    ]


def _typed() -> None:
    where.put("text", [text] if (text := where.clean(state["history-text"] or "")) else [])


def _sorted() -> None:
    chosen = state["history-sort"]
    where.put(where.SORT, [] if chosen == where.FIRST_ORDER else [str(chosen)])


def _dated(key: str, name: str) -> None:
    where.put(name, [state[key].isoformat()] if state[key] else [])


def _taught() -> None:
    where.put("teacher", [state["history-teacher"]] if state["history-teacher"] else [])


def _ticked(key: str, name: str) -> None:
    where.put(name, list(map(str, state[key])))


def _scored() -> None:
    low, high = state["history-score"]
    where.put("low", [f"{low:g}"] if low != LOW else [])
    where.put("high", [f"{high:g}"] if high != HIGH else [])


def _archived() -> None:
    where.put("archived", ["yes"] if state["history-archived"] else [])
