"""Scoring stored pieces again, drawn: what is outdated, a button, how far it is, what came of it."""

from __future__ import annotations

import streamlit as st

from zega_core import db, passes
from zega_core.jobs import client
from zega_core.rescore_words import outcome_in_words, outdated_in_words
from zega_core.settings import get_settings
from zega_ui.components import error_state, guarded, refusal, shielded
from zega_ui.teacher_cards import clock

WHAT_STAYS = (
    "No text changes. What you decided yourself stays, and so do your own words. Pieces below your mark are set aside "
    "and not thrown away; those that reach it now are kept."
)


def show(writer: str) -> None:
    """For a page, anywhere on it; it redraws itself while scoring goes on."""
    stands = _standing(writer)
    with st.container(key="rescore", gap="small"):
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
        st.markdown(f"**{outdated_in_words(stands)}**")
        st.caption(WHAT_STAYS)
    else:
        st.markdown("All scores are up to date." if stands.pieces else "There is no piece yet to score.")
    if stands.outcome is not None and stands.at is not None:
        st.caption(f"Last time, {clock(stands.at)}: {outcome_in_words(stands.outcome)}")
    if stands.outdated:
        st.button(
            "Score them again",
            icon=":material/refresh:",
            key="rescore-start",
            on_click=guarded,
            args=(client.rescore, writer),
        )


def _watch(writer: str) -> None:
    stands = _standing(writer)
    if not stands.under_way:
        st.rerun()
    if stands.waiting or not stands.of:
        st.progress(0.0, text="Waiting for the worker")
    else:
        text = f"Scoring again: {stands.done:,} of {stands.of:,}"
        st.progress(min(1.0, stands.done / stands.of), text=text)
    st.caption("You can leave this page; it goes on.")
