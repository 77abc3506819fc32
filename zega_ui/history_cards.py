"""The history in a few figures, what has worked best in it, and how far the next fine-tune is."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from zega_core import db, history, history_words, triggers
from zega_core.analytics import plural, share
from zega_core.history import TREND_DAYS, Cards
from zega_core.settings import get_settings
from zega_core.store.history import Filter
from zega_core.tables import now

SAME = "as before"


def show(writer: str, found: Filter) -> None:
    """Of the sessions that are looked at: figures, each with where it is going."""
    with db.reading() as session:
        cards = history.cards(session, writer, found, now())
    if not cards.sessions:
        return
    moves = cards.trends
    grid = st.grid(5, min_column_width=140, gap="small")
    _card(grid, "Sessions", f"{cards.sessions:,}", _whole(moves.sessions))
    _card(grid, "Examples kept", f"{cards.kept:,}", _whole(moves.kept))
    _card(grid, "Stories saved", f"{cards.stories:,}", _whole(moves.stories))
    average = "–" if cards.quality is None else f"{cards.quality:.1f}"
    _card(grid, "Average quality", average, _points(moves.quality), judged=True)
    _card(grid, "Time spent", _roughly(cards.seconds), _seconds(moves.seconds))
    st.caption(_below(cards))


def _below(cards: Cards) -> str:
    said = [f"{share(cards.kept, cards.made)} of what was made is kept" if cards.made else ""]
    said.append(f"{plural(cards.fine_tunes, 'session')} set off a fine-tune" if cards.fine_tunes else "")
    if any(value is not None for value in (cards.trends.sessions, cards.trends.quality)):
        said.append(f"arrows compare the last {TREND_DAYS} days with the {TREND_DAYS} before")
    return " · ".join(filter(None, said))


def _card(grid: DeltaGenerator, label: str, value: str, move: str | None, *, judged: bool = False) -> None:
    """``judged`` where more is better; elsewhere it is only more."""
    grid.metric(
        label,
        value,
        move,
        delta_color="normal" if judged and move != SAME else "off",
        delta_arrow="off" if move == SAME else "auto",
        border=True,
    )


def _whole(number: int | None) -> str | None:
    return None if number is None else f"{number:+,}" if number else SAME


def _points(number: float | None) -> str | None:
    return None if number is None else f"{number:+.1f}" if round(number, 1) else SAME


def _seconds(number: float | None) -> str | None:
    """A longer time is no better and no worse."""
    if number is None:
        return None
    return f"{'-' if number < 0 else '+'}{_roughly(abs(number))}" if round(number) else SAME


def _roughly(seconds: float) -> str:
    """As much of a duration as a card has room for."""
    minutes = round(seconds / 60)
    if seconds < 60 or minutes < 60:
        return f"{seconds:.0f} s" if seconds < 60 else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes < 600 else f"{minutes // 60:,} h"


def best_so_far(writer: str) -> None:
    """What has worked best, with the evidence, or what is lacking to say so."""
    with db.reading() as session:
        found = history.recommendation(session, writer)
    with st.container(border=True, key="history-best"):
        st.markdown("**Best so far**")
        st.text(history_words.recommended(found))
        if found is not None:
            st.caption(history_words.evidence(found))


def next_fine_tune(writer: str) -> None:
    settings = get_settings()
    with db.reading() as session:
        until = triggers.until_next(session, writer, settings)
        lacks = triggers.missing(session, writer)
    with st.container(border=True, key="history-next"):
        st.markdown("**Next fine-tune**")
        st.progress(min(1.0, until.new / until.every), text=f"{until.in_words()}.")
        if lacks:
            st.caption(lacks)
        st.page_link("pages/fine_tune.py", label="Go to Fine-Tune", icon=":material/tune:")
