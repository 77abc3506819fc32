"""Examples: everything a writer's model learns from or could learn from, to look through, correct, and bring along."""

import streamlit as st

from zega_core import db
from zega_core.store import collection
from zega_core.tables import ExampleStatus
from zega_ui import example_bulk, example_editor, example_filters, example_import, example_keys, example_list
from zega_ui.boot import open_page
from zega_ui.components import empty_state, page_header, refusal

writer = open_page()


def nothing_yet() -> None:
    empty_state(
        "library_books",
        "No examples yet",
        "Your answers in a conversation, your own pages, what teachers write for you, and files that you import all "
        "come together here.",
        lambda: (
            st.page_link("pages/conversational_trainer.py", label="Answer ZEGA's questions", icon=":material/forum:"),
            st.page_link("pages/auto_train.py", label="Let teachers write", icon=":material/auto_stories:"),
        ),
    )


def browse() -> None:
    example_list.begin(writer)
    found, sort = example_filters.chosen(), example_filters.sort()
    example_bulk.do_asked(writer, found)
    with db.reading() as session:
        counts = collection.counts(session, writer)
    if not counts.total:
        refusal()
        example_bulk.undo_line(writer)
        nothing_yet()
        return
    head = st.container(horizontal=True, vertical_alignment="center", gap="small")
    kept, aside = (counts.statuses.get(state, 0) for state in (ExampleStatus.kept, ExampleStatus.set_aside))
    said = f"{kept:,} kept · {aside:,} set aside · {counts.own:,} in your own words"
    head.caption(said, width="stretch")
    refusal()
    example_filters.show(writer)
    with db.reading() as session:
        total = collection.count(session, writer, found)
    with head:
        example_bulk.export(writer, found, total)
    example_filters.line(found, total)
    example_keys.listen()
    if not total:
        example_bulk.undo_line(writer)
        empty_state(
            "search_off",
            "No example matches",
            "Take a filter off, or search for another word.",
            lambda: st.button("Show all examples", key="show-all-empty", on_click=example_filters.clear),
        )
        return
    now = example_list.opened()
    if now is None:
        example_bulk.undo_line(writer)
        work(found, sort, total)
        return
    left, right = st.columns([4, 7], gap="large")
    with left:
        work(found, sort, total)
    with right, st.container(key="example-detail"):
        example_bulk.undo_line(writer)
        example_editor.show(writer, now, found, sort)
        example_keys.near(now)


def work(found: collection.Filter, sort: str, total: int) -> None:
    example_bulk.bar(total)
    example_list.show(writer, found, sort, total)


page_header("Examples", "Everything your model can learn from. Read it, correct it, and decide what counts.")
TABS = {"Your examples": browse, "Import": lambda: example_import.show(writer)}
tabs = st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params")
for tab, draw in zip(tabs, TABS.values(), strict=True):
    if tab.open:
        with tab:
            draw()
