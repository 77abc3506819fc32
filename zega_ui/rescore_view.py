"""Scoring stored pieces again, drawn: what is out of date, a button, how far it is, what came of it."""

from __future__ import annotations

import streamlit as st

from zega_core import db, passes
from zega_core.jobs import client
from zega_core.rescore_words import outcome_in_words, outdated_in_words
from zega_core.settings import get_settings
from zega_ui.components import error_state, guarded, refusal, shielded
from zega_ui.teacher_cards import clock

WHAT_STAYS = (
    "No text changes, and what you decided yourself stays. Pieces that score below your threshold now are set aside, "
    "not thrown away; those that reach it are kept."
)

WATCHED = "rescore-watched"
"""Who has seen it under way is told what came of it, until the page is loaded anew."""


def show(writer: str, *, quiet: bool = False) -> None:
    """For a page, anywhere on it; it redraws itself while scoring goes on. Nothing where all is up to date and nobody
    asked. ``quiet``: nor for a change of taste alone, where every rating can be one."""
    stands = _standing(writer)
    news = stands.older or stands.interrupted if quiet else stands.outdated
    result = st.session_state.get(WATCHED) == writer and not stands.outdated
    if not (news or result or stands.under_way or stands.error):
        return
    with st.container(border=True, key="rescore", gap="small"):
        refusal()
        if stands.under_way:
            st.fragment(shielded(_watch), run_every=1)(writer)
        else:
            _at_rest(writer, stands)


def _standing(writer: str) -> passes.Standing:
    with db.reading() as session:
        return passes.standing(session, writer, get_settings())


def _at_rest(writer: str, stands: passes.Standing) -> None:
    if stands.error:
        error_state("Scoring again could not finish", stands.error, key="rescore-error")
    if stands.outdated:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f":material/update: {outdated_in_words(stands)}", width="stretch")
            st.button(
                "Score them again",
                icon=":material/refresh:",
                key="rescore-start",
                on_click=guarded,
                args=(client.rescore, writer),
            )
        st.caption(WHAT_STAYS)
    else:
        st.markdown(":material/check: All scores are up to date.")
        if stands.outcome is not None and stands.at is not None:
            st.caption(f"{clock(stands.at)}: {outcome_in_words(stands.outcome)}")


def _watch(writer: str) -> None:
    st.session_state[WATCHED] = writer
    stands = _standing(writer)
    if not stands.under_way:
        st.rerun()
    if stands.waiting or not stands.of:
        st.progress(0.0, text="Waiting for the worker")
    else:
        text = f"Scoring again: {stands.done:,} of {stands.of:,}"
        st.progress(min(1.0, stands.done / stands.of), text=text)
    st.caption("You can leave this page; it goes on.")
