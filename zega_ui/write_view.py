"""Writing with one's own model: the form, the text that is being written, and what was written before."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import db, writing
from zega_core.errors import NotFound
from zega_core.settings import Settings
from zega_core.writing_tables import Take, TakeState, Writing
from zega_ui import write_draft, write_form, write_list, write_takes
from zega_ui.components import error_state, shielded

LOOK_EVERY = 2.0
"""Seconds between two looks whether another tab did something to what is shown."""
TO_THE_TEXT = """<script>
// {number}
const text = document.querySelector('.st-key-writing-shown');
if (text && text.getBoundingClientRect().top < 60) {{
  text.style.scrollMarginTop = '4.5rem';
  text.scrollIntoView();
}}
</script>"""
"""The button is below the text on a phone. The number makes it run again."""
BEGUN = "write-begun"
state = st.session_state


def show(writer: str, settings: Settings) -> None:
    _page(writer, settings)
    write_draft.tidy()


def _page(writer: str, settings: Settings) -> None:
    found = _opened(writer)
    if found is None:
        main, side = st.columns([7, 5], gap="large")
        with main:
            _form(writer, settings, None, busy=False)
        with side:
            write_list.show(writer, None)
        return
    row, takes = found
    wide = any(take.pair for take in takes)
    # On a phone columns stack: the text comes first.
    main, side = (st.container(), st.container()) if wide else st.columns([7, 5], gap="large")
    with main, st.container(key="writing-shown"):
        write_takes.show(writer, settings, row, takes)
    if (begun := state.pop(BEGUN, None)) is not None:
        st.html(TO_THE_TEXT.format(number=hash(begun)), unsafe_allow_javascript=True)
    busy = any(take.state == TakeState.writing for take in takes)
    with side:
        if wide:
            st.space("small")
        under, beside = st.columns([7, 5], gap="large") if wide else (side, side)
        with under:
            _form(writer, settings, row, busy=busy)
        with beside:
            write_list.show(writer, row)
    if not busy:
        st.fragment(shielded(_notice), run_every=LOOK_EVERY)(writer, row.key, write_takes.stands(takes))


def _opened(writer: str) -> tuple[Writing, Sequence[Take]] | None:
    """What the address names. A writing of somebody else is as missing as one that was deleted."""
    key = st.query_params.get(write_list.ADDRESS, "")
    if not key:
        return None
    try:
        with db.reading() as session:
            return writing.state(session, writer, key)
    except NotFound:
        write_list.leave()
        error_state(
            "This writing is not there",
            "It was deleted, or it is another writer's. Everything else is safe.",
            key="gone",
        )
        return None


def _form(writer: str, settings: Settings, shown: Writing | None, *, busy: bool) -> None:
    with st.container(border=True, key="desk", gap="xsmall"):
        write_form.show(writer, settings, shown, busy=busy, begun=_begun)


def _begun(key: str) -> None:
    write_list.look_at(key)
    state[BEGUN] = key


def _notice(writer: str, key: str, seen: object) -> None:
    """Something was done to it in another tab."""
    try:
        with db.reading() as session:
            _, takes = writing.state(session, writer, key)
    except NotFound:
        st.rerun()
    if write_takes.stands(takes) != seen:
        st.rerun()
