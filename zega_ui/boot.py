"""First call of every page: the frame around it, and whose page it is."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from zega_core import db
from zega_core.store import writers

WRITER = "writer_id"


def open_page() -> str:
    """The writer whose page this is. Every page begins with this call.

    Until app.py has run once in a server process, Streamlit 1.67 serves files in ``pages/`` alone, without
    app.py: no navigation, no style. Then this leaves for app.py with the address kept.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
    return current_writer()


def current_writer() -> str:
    """The writer chosen in this tab, or the one last used; created at the very first start."""
    chosen = st.session_state.get(WRITER)
    if chosen is None:
        with db.session() as session:
            chosen = st.session_state[WRITER] = writers.ids(session)[0]
    return chosen
