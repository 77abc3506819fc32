"""What was written before, to be gone back to; which of it the page shows is in the address."""

from __future__ import annotations

import streamlit as st

from zega_core import db, writing_words
from zega_core.store import writings
from zega_core.writing_tables import Writing
from zega_ui.components import element_name, genre_name, plain, section
from zega_ui.teacher_cards import clock

ADDRESS = "writing"
"""In the address: which one is shown."""
TAKE = "take"
"""Key of what flips between the texts of one writing; in the address, too."""
EDIT = "edit_text"
"""In the address: the text of it that is being changed."""
LENGTH = "writings-listed"
FEW, MORE = 8, 20
state = st.session_state


def look_at(key: str) -> None:
    leave()
    st.query_params[ADDRESS] = key


def leave() -> None:
    for name in (ADDRESS, TAKE, EDIT):
        st.query_params.pop(name, None)
    state[TAKE] = None


def facts(row: Writing) -> str:
    """What it is and when; not Markdown."""
    said = (row.genre and genre_name(row.genre), element_name(row.element), clock(row.created_at))
    return " · ".join(filter(None, said))


def show(writer: str, shown: Writing | None) -> None:
    length = state.get(LENGTH, FEW)
    with db.reading() as session:
        rows = writings.recent(session, writer, length + 1)
    section("Written before")
    if not rows:
        st.caption("What you have written stays here, with every text that came of it.")
        return
    with st.container(key="writings", gap="xsmall"):
        for row in rows[:length]:
            with st.container(key=f"writing-row-{row.key}", gap=None):
                st.button(
                    plain(writing_words.title(row)),
                    key=f"writing-{row.key}",
                    type="tertiary",
                    disabled=shown is not None and shown.key == row.key,
                    on_click=look_at,
                    args=(row.key,),
                )
                st.caption(plain(facts(row)))
    if len(rows) > length:
        st.button("Show more", icon=":material/expand_more:", type="tertiary", key="more-writings", on_click=_more)


def _more() -> None:
    state[LENGTH] = state.get(LENGTH, FEW) + MORE
