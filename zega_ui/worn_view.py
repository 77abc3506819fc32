"""Worn phrases in a writer's pieces, and the list of them that the writer edits."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from zega_core import db, providers
from zega_core.analytics import plural
from zega_core.configs import TasteConfig
from zega_core.quality import worn
from zega_core.quality.worn import Density, WornReport
from zega_core.store import kept, tastes
from zega_core.tables import Source
from zega_ui import teaching_form as form
from zega_ui.components import section

Stamp = tuple[int, int, int]
LOOKED_AT = 5_000
"""The newest pieces: reading them takes a second or two, once for each change of what is kept."""
SOURCES = {
    Source.auto: "Teachers",
    Source.conversation: "Your answers",
    Source.manuscript: "Your pages",
    Source.rating: "Chosen or edited",
    Source.imported: "Imported",
}
TYPED, TAKEN_OFF = "worn_typed", "worn_taken_off"


@st.cache_data(max_entries=32, show_spinner="Looking for worn phrases")
def _report(writer: str, stamp: Stamp, config: TasteConfig) -> WornReport:
    with db.reading() as session:
        pieces = kept.written(session, writer, limit=LOOKED_AT)
    return worn.report(pieces, worn.worn_list(config))


def found(writer: str, stamp: Stamp, config: TasteConfig) -> None:
    """How thick worn phrases stand in what the writer has kept, which, and by whom."""
    section("Worn phrases")
    only_the_list = TasteConfig(worn=config.worn, not_worn=config.not_worn)
    report = _report(writer, stamp, only_the_list)
    if not report.total.times:
        st.text(f"None of the phrases on your list stands in the {plural(report.total.words, 'word')} that were read.")
        return
    grid = st.grid(3, min_column_width=150, gap="small")
    grid.metric("In 1,000 words", _amount(report.total), border=True)
    grid.metric("Found", f"{report.total.times:,}", border=True)
    grid.metric("Words read", f"{report.total.words:,}", border=True)
    st.caption(_compared(_report(writer, stamp, TasteConfig()).total))
    _phrases(report)
    for title, rows, names in (
        ("By teacher", report.models, providers.label_of),
        ("By source", report.sources, lambda key: SOURCES.get(key, key)),
    ):
        if len(rows) > 1:
            st.markdown(f"**{title}**")
            st.text("\n".join(f"{names(row.name)}: {_amount(row)} in 1,000 words" for row in rows))


def your_list(writer: str, config: TasteConfig) -> None:
    """Add to the list, take away from it, and have the catalog's again."""
    phrases = worn.worn_list(config).phrases
    own = f"{len(config.worn)} of them your own" if config.worn else "none of them your own yet"
    section("Your list", f"{plural(len(phrases), 'phrase')}, {own}.")
    form.explain("worn")
    with st.form("worn-add", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "A phrase that you find worn", key=TYPED, max_chars=worn.MAX_PHRASE, placeholder="a heart of stone"
        )
        st.form_submit_button("Add", on_click=form.act, args=("worn", _add, writer))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "A phrase that should not count",
            [*config.worn, *sorted(set(phrases) - set(config.worn))],
            index=None,
            key=TAKEN_OFF,
            placeholder="Choose or type",
        )
        st.button("Take off", key="worn_take_off", on_click=form.act, args=("worn", _take_off, writer))
    if config.worn:
        st.text(f"Yours: {', '.join(config.worn)}")
    if config.not_worn:
        st.text(f"Taken off: {', '.join(config.not_worn)}")
        st.button("Restore ZEGA's list", key="worn_restore", on_click=form.act, args=("worn", _restore, writer))
    with st.expander("The whole list"):
        st.text(" · ".join(phrases))


def _phrases(report: WornReport) -> None:
    column = st.column_config
    st.dataframe(
        pd.DataFrame(
            {
                "Phrase": [one.phrase for one in report.phrases],
                "Times": [one.times for one in report.phrases],
                "Pieces": [len(one.ids) for one in report.phrases],
                "In 1,000 words": [one.per_thousand for one in report.phrases],
            }
        ),
        key="worn",
        hide_index=True,
        height="content" if len(report.phrases) <= 10 else 390,
        alt="Worn phrases in your pieces, most frequent first",
        column_config={
            "Phrase": column.TextColumn(width=200),
            "Times": column.NumberColumn(width=62),
            "Pieces": column.NumberColumn(width=66),
            "In 1,000 words": column.NumberColumn(format="%.2f", width=120),
        },
    )


def _amount(density: Density) -> str:
    """Two digits that say something, also for what is rare."""
    if not density.times:
        return "0"
    return f"{density.per_thousand:.2f}" if density.per_thousand < 1 else f"{density.per_thousand:.1f}"


def _compared(total: Density) -> str:
    """``total`` is by ZEGA's list alone, as the fiction was counted: the writer's own would tell of two lists."""
    shipped = worn.load_shipped()
    words = (
        f"Published fiction has one in about {round(1000 / shipped.reference, -3):,.0f} words "
        f"({shipped.reference:g} in 1,000), counted with ZEGA's list, without your changes, in "
        f"{shipped.reference_source}."
    )
    if total.times < worn.ENOUGH_FOUND:
        return (
            f"{words} Your pieces have {total.times} of that list: with fewer than {worn.ENOUGH_FOUND}, chance decides."
        )
    times = total.per_thousand / shipped.reference
    if times >= 1.5:
        return f"{words} By the same list your pieces have about {max(2, round(times))} times as many."
    return f"{words} By the same list your pieces have {'about as many' if times > 1 / 1.5 else 'fewer'}."


def _add(writer: str) -> None:
    typed = str(st.session_state[TYPED])
    with db.session() as session:
        tastes.change(session, writer, lambda config: worn.with_phrase(config, typed))
    st.session_state[TYPED] = ""


def _take_off(writer: str) -> None:
    if not (phrase := st.session_state[TAKEN_OFF]):
        return
    with db.session() as session:
        tastes.change(session, writer, lambda config: worn.without_phrase(config, str(phrase)))
    st.session_state[TAKEN_OFF] = None


def _restore(writer: str) -> None:
    with db.session() as session:
        tastes.change(session, writer, lambda config: config.model_copy(update={"not_worn": ()}))
