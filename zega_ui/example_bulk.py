"""What is done to many examples at once, undoing it, and taking examples along in a file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st
from sqlmodel import Session

from zega_core import changes, collection, db
from zega_core.analytics import plural
from zega_core.settings import get_settings
from zega_core.store import collection as stored
from zega_core.store.collection import Filter
from zega_ui import example_list
from zega_ui.components import guarded

state = st.session_state
SAID, PENDING = "examples-said", "examples-pending"
FORMS = {
    "jsonl": ("JSONL, as Import takes it", "examples.jsonl", "application/jsonl"),
    "csv": ("CSV, for a spreadsheet", "examples.csv", "text/csv"),
    "preferences": ("Preference pairs: your edit and the first text", "preferences.jsonl", "application/jsonl"),
}
ACTIONS = {
    "edit": "the edit",
    "rate": "the rating",
    "tag": "the tags",
    "include": "including",
    "exclude": "excluding",
    "delete": "deleting",
    "answer": "the answer",
}
EVERY = 10_000_000
"""More than a writer has."""


def change(action: Callable[[Session], str]) -> None:
    """Do it, very many in several transactions, and keep what is said of it for the next drawing."""
    with db.session() as session:
        state[SAID] = action(session)


def undo_line(writer: str) -> None:
    """What was done last, and the way back for as long as there is one."""
    with db.reading() as session:
        newest, batch = changes.newest(session, writer), changes.newest_batch(session, writer)
    said = state.pop(SAID, "")
    if newest is None and not said:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="example-undo"):
        if said:
            st.text(said, width="content")
        if newest is not None:
            action, number = newest
            label = f"Undo {ACTIONS.get(action, action)} ({plural(number, 'example')})"
            icon = ":material/undo:"
            st.button(label, key="undo", type="tertiary", icon=icon, on_click=guarded, args=(_undo, writer, batch))


def _undo(writer: str, batch: str) -> None:
    """What the button named, or nothing: two presses undo one change."""
    with db.session() as session:
        state[SAID] = collection.undo(session, writer, get_settings(), batch=batch)


def bar(total: int) -> None:
    """For the chosen ones; nothing where none is chosen."""
    number = total if state.get(example_list.ALL) else len(example_list.chosen())
    if not number:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="example-bulk"):
        st.markdown(f"**{number:,} chosen**", width="content")
        with st.popover("Rate", icon=":material/star:"):
            st.feedback("stars", key="bulk-stars", on_change=_rated)
        with st.popover("Tag", icon=":material/sell:"):
            st.text_input("Tags, with commas between them", key="bulk-tags", max_chars=400)
            with st.container(horizontal=True, gap="small"):
                st.button("Add", key="bulk-tag-add", on_click=_tagged, args=(True,))
                st.button("Take off", key="bulk-tag-remove", on_click=_tagged, args=(False,))
        st.button("Include", key="bulk-include", icon=":material/bookmark_add:", on_click=_ask, args=("include",))
        st.button("Exclude", key="bulk-exclude", icon=":material/bookmark_remove:", on_click=_ask, args=("exclude",))
        with st.popover("Delete", icon=":material/delete:"):
            st.caption(f"They leave your data. You can undo that for {changes.UNDO_DAYS} days.")
            label = f"Delete {plural(number, 'example')}"
            st.button(label, key="bulk-delete", type="primary", on_click=_ask, args=("delete",))
        st.button("Choose none", key="bulk-none", type="tertiary", on_click=example_list.choose_none)


def _rated() -> None:
    given = state["bulk-stars"]
    state["bulk-stars"] = None
    if given is not None:
        _ask("rate", given + 1)


def _tagged(add: bool) -> None:
    tags = tuple(filter(None, (tag.strip() for tag in state["bulk-tags"].split(","))))
    if tags:
        state["bulk-tags"] = ""
        _ask("tag", tags if add else (), () if add else tags)


def _ask(action: str, *details: object) -> None:
    """It may take a while, so it is done while the page is drawn, which shows that it works."""
    state[PENDING] = (action, details)


def do_asked(writer: str, found: Filter) -> None:
    """Do what a press in the bar asked for."""
    action, details = state.pop(PENDING, ("", ()))
    if not action:
        return
    with st.spinner("Changing your examples. What is done can be undone."):
        guarded(change, partial(_do, writer=writer, found=found, action=action, details=details))
    if action == "delete" and "refusal" not in state:
        example_list.choose_none()


def _do(session: Session, writer: str, found: Filter, action: str, details: tuple) -> str:
    ids = chosen_ids(session, writer, found)
    settings = get_settings()
    if action == "rate":
        return collection.rate(session, writer, ids, details[0], settings)
    if action == "tag":
        return collection.tag(session, writer, ids, *details)
    return {"include": collection.include, "exclude": collection.exclude, "delete": collection.delete}[action](
        session, writer, ids, settings
    )


def chosen_ids(session: Session, writer: str, found: Filter) -> list[int]:
    if state.get(example_list.ALL):
        return stored.ids(session, writer, found, EVERY)
    return sorted(example_list.chosen())


def export(writer: str, found: Filter, total: int) -> None:
    """What matches, or what is chosen of it, as a file that is made when it is asked for."""
    ids = () if state.get(example_list.ALL) else tuple(sorted(example_list.chosen()))
    with st.popover(
        "Export", icon=":material/download:", type="tertiary", on_change="rerun", key="examples-export"
    ) as drawer:
        if not drawer.open:
            return
        st.caption(f"{plural(len(ids) or total, 'example')}: " + ("those you chose." if ids else "all that match."))
        for form, (label, name, mime) in FORMS.items():
            st.download_button(
                label,
                partial(file, writer, found, ids, form),
                file_name=name,
                mime=mime,
                key=f"export-{form}",
                on_click="ignore",
                width="stretch",
            )


def file(writer: str, found: Filter, ids: tuple[int, ...], form: str) -> bytes:
    with db.reading() as session:
        return b"".join(collection.export(session, writer, found, form, ids=ids or None))
