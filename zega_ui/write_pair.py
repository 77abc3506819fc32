"""Two texts side by side, without names where the writer wants to choose first."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import db, writing
from zega_core import writing_words as words
from zega_core.settings import Settings
from zega_core.writing_tables import Take, TakeState, Writing
from zega_ui import teaching_form as form
from zega_ui import write_take
from zega_ui.components import prose


def show(writer: str, settings: Settings, row: Writing, pair: Sequence[Take]) -> None:
    hidden = not all(words.is_named(take, pair) for take in pair)
    waiting = any(take.state == TakeState.writing for take in pair)
    if hidden and not waiting:
        st.markdown("**Which do you like better?** Choose, and you see who wrote which.")
    for take, column in zip(pair, st.columns(2, gap="large"), strict=True):
        with column:
            if hidden:
                _unnamed(writer, take, words.label(take, pair), waiting)
            else:
                write_take.show(writer, settings, row, take)
                if take.chosen is None and not waiting and all(one.text for one in pair):
                    _choice("I like this one better", writer, take)


def _unnamed(writer: str, take: Take, label: str, waiting: bool) -> None:
    st.markdown(f"**{label}**")
    if take.text:
        prose(take.text, f"take-{take.id}")
    if take.state == TakeState.writing:
        st.caption("Writing" if take.text else "Begins in a moment.")
    elif not waiting:
        _choice(f"{label} is better", writer, take)


def _choice(label: str, writer: str, take: Take) -> None:
    st.button(
        label,
        icon=":material/check:",
        key=f"choose-{take.id}",
        on_click=form.act,
        args=(write_take.where(take), _choose, writer, take),
    )
    form.explain(write_take.where(take))


def _choose(writer: str, take: Take) -> None:
    with db.session() as session:
        writing.choose(session, writer, take.id or 0)
