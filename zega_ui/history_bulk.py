"""What is done to the sessions that are ticked, or to the one that is open: compare, archive, delete."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import changes, history
from zega_core.analytics import plural
from zega_core.settings import get_settings
from zega_core.store.history import Kind
from zega_ui import history_address as where
from zega_ui import history_table
from zega_ui.components import guarded
from zega_ui.history_compare import pair_of

state = st.session_state
SAID, UNDO, ASKED = "history-said", "history-way-back", "history-to-delete"
"""In the session: what was done last, how it is taken back, and the keys that a question is about."""
EXAMPLES_TOO, EXAMPLES_GONE = "history-examples-too", "history-examples-gone"


def begin(writer: str) -> None:
    """What another writer chose or did in this tab means nothing here."""
    if history_table.begin(writer):
        _forget()


def undo_line(writer: str) -> None:
    """What was done last, and the way back where there is one."""
    said, undo = state.get(SAID, ""), state.get(UNDO)
    if not said:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="history-undo-line"):
        st.text(said, width="content")
        if undo is not None:
            st.button(
                "Undo",
                key="history-undo",
                type="tertiary",
                icon=":material/undo:",
                on_click=guarded,
                args=(_undo, writer, *undo),
            )
        if state.get(EXAMPLES_GONE):
            st.page_link("pages/examples.py", label="Bring the examples back", icon=":material/undo:")
        st.button("Close", key="history-said-close", type="tertiary", icon=":material/close:", on_click=_forget)


def bar(writer: str) -> None:
    """For the ticked rows; nothing where none is ticked."""
    rows = list(history_table.chosen().values())
    if not rows:
        return
    mine = tuple(row.key for row in rows if row.kind == Kind.auto_train)
    pair = pair_of(rows)
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="history-bulk"):
        st.markdown(f"**{len(rows):,} chosen**", width="content")
        st.button(
            "Compare",
            key="bulk-compare",
            icon=":material/compare:",
            disabled=pair is None,
            help=None if pair else "Two sessions, or two fine-tunes that made a version, can be compared.",
            on_click=where.compare,
            args=pair or ("", ""),
        )
        archived = all(row.archived for row in rows if row.kind == Kind.auto_train)
        moved = tuple(row.key for row in rows if row.kind == Kind.auto_train and (archived or not row.archived))
        archive_button(writer, moved, archived, "bulk-archive")
        st.button(
            "Delete",
            key="bulk-delete",
            icon=":material/delete:",
            disabled=not mine,
            on_click=ask_to_delete,
            args=(mine,),
        )
        st.button("Choose none", key="bulk-none", type="tertiary", on_click=history_table.choose_none)
        if len(mine) < len(rows):
            st.caption("Conversations and fine-tunes are archived or deleted on their own pages.")


def archive_button(writer: str, keys: Sequence[str], archived: bool, key: str) -> None:
    st.button(
        "Unarchive" if archived and keys else "Archive",
        key=key,
        icon=":material/unarchive:" if archived and keys else ":material/archive:",
        disabled=not keys,
        help="Archived sessions are out of sight and count all the same.",
        on_click=guarded,
        args=(_archive, writer, tuple(keys), not archived),
    )


def _archive(writer: str, keys: tuple[str, ...], away: bool) -> None:
    state[SAID] = (history.archive if away else history.unarchive)(writer, keys, get_settings())
    state[UNDO] = (keys, not away)
    history_table.choose_none()


def _undo(writer: str, keys: tuple[str, ...], away: bool) -> None:
    _archive(writer, keys, away)
    state.pop(UNDO, None)


def _forget() -> None:
    for name in (SAID, UNDO, EXAMPLES_GONE):
        state.pop(name, None)


def ask_to_delete(keys: Sequence[str]) -> None:
    state[ASKED] = tuple(keys)


def question(writer: str) -> None:
    """Before sessions are deleted: what goes and what stays."""
    if keys := state.pop(ASKED, ()):
        _confirm(writer, keys)


@st.dialog("Delete from the history?")
def _confirm(writer: str, keys: tuple[str, ...]) -> None:
    # No caption and no primary button: a dialog lies outside of what sets the colours of these in dark (zega.css).
    number = plural(len(keys), "session")
    st.text(f"{number}: the record goes, with its pieces that were set aside or had no answer. That cannot be undone.")
    st.text("Kept examples stay in Examples, and stories stay on your shelf.")
    st.checkbox(f"Delete the kept examples, too (you can undo that for {changes.UNDO_DAYS} days)", key=EXAMPLES_TOO)
    with st.container(horizontal=True, gap="small"):
        gone = st.button(f"Delete {number}", key="delete-now", on_click=guarded, args=(_delete, writer, keys))
        stays = st.button("Keep", key="delete-not")
    if gone or stays:
        st.rerun()


def _delete(writer: str, keys: tuple[str, ...]) -> None:
    examples_too = bool(state.get(EXAMPLES_TOO))
    _forget()
    state[SAID] = history.delete(writer, keys, get_settings(), with_examples=examples_too)
    state[EXAMPLES_GONE] = examples_too
    history_table.choose_none()
    where.to_list()
