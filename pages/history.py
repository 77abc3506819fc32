"""History: every session, conversation and fine-tune, what came of them, and what was written."""

import streamlit as st

from zega_core import db
from zega_core.store import history
from zega_core.store.history import Filter
from zega_ui import (
    history_address,
    history_bulk,
    history_cards,
    history_charts,
    history_compare,
    history_detail,
    history_files,
    history_filters,
    history_table,
)
from zega_ui.boot import open_page
from zega_ui.components import empty_state, page_header, refusal, section

writer = open_page()


def none_yet() -> None:
    empty_state(
        "history",
        "No sessions yet",
        "Your first Auto-Train run will be listed here, with every piece that was written. So will conversations and "
        "fine-tunes.",
        lambda: st.page_link("pages/auto_train.py", label="Start with Auto-Train", icon=":material/auto_stories:"),
    )


def none_fits() -> None:
    empty_state(
        "filter_list_off",
        "No session fits these filters",
        "Widen the dates or the quality, or look for fewer words.",
        lambda: st.button("Show all", key="show-all-empty", icon=":material/close:", on_click=history_address.clear),
    )


def overview() -> None:
    view = history_address.view()
    with db.reading() as session:
        total = history.count(session, writer, view.found)
        anything = total or history.count(session, writer, Filter(archived=None))
    history_bulk.undo_line(writer)
    if not anything:
        none_yet()
        return
    if total:
        history_cards.show(writer, view.found)
        history_charts.show(writer, view.found)
        best, following = st.columns(2)
        with best:
            history_cards.best_so_far(writer)
        with following:
            history_cards.next_fine_tune(writer)
    section(
        "Sessions", "Each opens with everything that was written in it. Tick some to compare, archive or delete them."
    )
    history_filters.show(writer, view)
    history_filters.line(view, total)
    if not total:
        none_fits()
        return
    history_bulk.bar(writer)
    history_table.show(writer, view, total)
    history_files.export(writer, view, total)


page_header("History", "Every session you have run, what came of it, and every piece that was written in it.")
refusal()
history_bulk.begin(writer)
pair = history_address.compared()
if pair is not None:
    history_compare.show(writer, pair)
elif opened := history_address.opened():
    history_detail.show(writer, opened)
else:
    overview()
history_bulk.question(writer)
