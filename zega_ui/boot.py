"""First call of every page: the frame around it, and whose page it is."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from zega_core import db, sign_in
from zega_core.errors import NotFound, ZegaError
from zega_core.sign_in import Person
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
    """Whose page this is. Where people sign in, the writer of who is signed in, and nothing in the address or in the
    state of the tab can change that. Otherwise the writer chosen in this tab, or the one last used; created at the very
    first start."""
    if people_sign_in():
        person = signed_in()
        if person is None:
            raise NotFound("You are not signed in. Reload the page to sign in.")
        return sign_in.writer_for(person)
    chosen = st.session_state.get(WRITER)
    if chosen is None:
        with db.session() as session:
            chosen = st.session_state[WRITER] = writers.ids(session)[0]
    return chosen


def people_sign_in() -> bool:
    """Whether this ZEGA is for people who sign in: by what we read of the secrets, or by what Streamlit does."""
    return sign_in.is_configured() or "is_logged_in" in st.user.to_dict()


def signed_in() -> Person | None:
    """Who is signed in; None while nobody is. Raises ConfigError when signing in is not set up correctly: then nobody
    counts as signed in; InvalidInput when it is not said who it is."""
    sign_in.providers()
    return sign_in.person_of(st.user.to_dict())


def is_open() -> bool:
    """Whether pages may be shown."""
    try:
        return not people_sign_in() or signed_in() is not None
    except ZegaError:
        return False  # the page for signing in says why
