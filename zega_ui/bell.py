"""What happened, also while the writer was away: a button in the sidebar with a list, and what is new pops up once."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import db, training_words
from zega_core.conversation_tables import Notification
from zega_core.settings import ROOT
from zega_core.store import notifications
from zega_core.tables import now
from zega_ui.components import plain, shielded

LOOK_EVERY = 10
"""Seconds between two looks for news, where something went on of which there will be any when the page was drawn."""
POPPED_UP = 3
"""So many at once; the list has the others."""
OPEN, FRESH = "bell-open", "bell-fresh"
ICONS = {
    "threshold": "model_training",
    "finished": "check_circle",
    "verdict": "balance",
    "failed": "error",
    "waiting": "hourglass_empty",
}
PAGES = {
    "auto_train.py": "Auto-Train",
    "conversational_trainer.py": "Conversation",
    "fine_tune.py": "Fine-Tune",
    "history.py": "History",
    "examples.py": "Examples",
    "quality.py": "Quality",
    "settings.py": "Settings",
}
"""What the pages are called that a notification may lead to."""

state = st.session_state


def show(writer: str) -> None:
    """The button with its list, in the sidebar. It redraws itself and not the page, where somebody may be typing; but
    once when all that was waited for has ended and been told, as only that ends its looks for news."""
    with db.reading() as session:
        expects = notifications.expects(session, writer)
    st.fragment(shielded(_bell), run_every=LOOK_EVERY if expects else None)(writer, expects)


def _bell(writer: str, looks: bool) -> None:
    with db.reading() as session:
        news, unseen = notifications.new(session, writer), notifications.unseen(session, writer)
        over = looks and not news and not notifications.expects(session, writer)
    if over:
        st.rerun()
    if news:
        _pop_up(writer)
    is_open = bool(state.get(OPEN))
    if is_open and unseen:  # it came while they were looking
        state[FRESH] = {*state.get(FRESH, ()), *_mark_seen(writer)}
    with st.container(key="bell"):
        st.button(
            "Hide notifications" if is_open else training_words.bell(unseen),
            icon=":material/notifications_active:" if unseen and not is_open else ":material/notifications:",
            key="bell-button",
            type="tertiary",
            on_click=_toggle,
            args=(writer,),
        )
        if is_open:
            with db.reading() as session:
                rows = notifications.recent(session, writer)
            _list(rows)


def _pop_up(writer: str) -> None:
    with db.session() as session:  # another tab may be first
        rows = notifications.mark_told(session, writer)
    more = len(rows) - POPPED_UP
    if more > 0:
        st.toast(f"{more:,} more under Notifications.", icon=":material/notifications:", duration="long")
    for row in rows[-POPPED_UP:]:
        st.toast(plain(row.text), icon=_icon(row), duration="long")


def _toggle(writer: str) -> None:
    state[OPEN] = not state.get(OPEN)
    state[FRESH] = _mark_seen(writer) if state[OPEN] else set()


def _mark_seen(writer: str) -> set[int]:
    with db.session() as session:
        return set(notifications.mark_seen(session, writer))


def _list(rows: Sequence[Notification]) -> None:
    if not rows:
        st.caption("Nothing has happened yet. You will find here when a training begins, ends or is held up.")
        return
    fresh = state.get(FRESH, ())
    with st.container(key="bell-list", height=360 if len(rows) > 4 else "content", border=True):
        for row in rows:
            _one(row, new=row.id in fresh)


def _one(row: Notification, *, new: bool) -> None:
    with st.container(key=f"bell-{row.id}", gap="xxsmall"):
        st.markdown(f"{_icon(row)} {plain(row.text)}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            said = training_words.ago(row.created_at, now())
            st.caption(f"{said} · new" if new else said)
            if row.page in PAGES and (ROOT / "pages" / row.page).is_file():
                st.page_link(f"pages/{row.page}", label=PAGES[row.page])


def _icon(row: Notification) -> str:
    return f":material/{ICONS.get(row.kind, 'notifications')}:"
