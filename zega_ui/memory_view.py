"""Memory: what may be remembered, what is in it, and how to have it forgotten."""

from __future__ import annotations

import streamlit as st

from zega_core import db, memory
from zega_core import memory_words as words
from zega_core.jobs import client
from zega_core.memory import Count, Recalled
from zega_core.settings import Settings, get_settings
from zega_core.writing_configs import MEMORY_SOURCES
from zega_ui.components import genre_label_of, guarded, plain, prose, refusal, section, shielded

state = st.session_state
TOLD = "memory-told"
QUERY = "memory-query"
SHOWN = 10
"""Texts that are shown at a time."""


def show(writer: str, settings: Settings) -> None:
    """The whole section."""
    section("What may be remembered", words.ABOUT)
    refusal()
    if TOLD in state:
        st.toast(plain(state.pop(TOLD)), icon=":material/check:")
    with db.reading() as session:
        chosen, counts = memory.chosen(session, writer), memory.counts(session, writer)
        behind = memory.behind(session, writer)
    with st.container(border=True, key="memory-sources"):
        for source in MEMORY_SOURCES:
            _source(writer, source, source in chosen, counts[source])
    said = words.waiting(counts, behind)
    if said:
        st.fragment(shielded(_waiting), run_every=2)(writer, said)
    section("What is in memory")
    if not any(count.texts for count in counts.values()):
        st.caption(words.EMPTY)
    else:
        _look(writer, settings)
        _forget_all(writer)
    st.caption(plain(words.compared(memory.embedder_note(settings))))
    st.caption(words.LIMITS)


def _source(writer: str, source: str, chosen: bool, count: Count) -> None:
    name, means = words.SOURCES[source]
    key = f"memory-{source}"
    state[key] = chosen  # what is stored, whatever another window chose
    st.checkbox(name, key=key, on_change=guarded, args=(_choose, writer))
    st.caption(f"{means} {words.amount(source, count, chosen)}")


def _choose(writer: str) -> None:
    wanted = [source for source in MEMORY_SOURCES if state.get(f"memory-{source}")]
    with db.session() as session:
        memory.choose(session, writer, wanted)
    client.refresh_memory(writer, get_settings())


def _waiting(writer: str, said: str) -> None:
    """Until there is something else to say."""
    with db.reading() as session:
        counts, behind = memory.counts(session, writer), memory.behind(session, writer)
    if words.waiting(counts, behind) != said:
        st.rerun()
    st.caption(f":material/hourglass_top: {said}")


def _look(writer: str, settings: Settings) -> None:
    query = st.text_input(
        "Search by what it means",
        key=QUERY,
        max_chars=memory.LONGEST_QUERY,
        placeholder="Two old friends meet again",
        icon=":material/search:",
    )
    with db.reading() as session:
        if query.strip():
            with st.spinner("Comparing"):
                found = memory.find(session, writer, query, settings, most=SHOWN)
        else:
            found = memory.newest(session, writer, most=SHOWN)
    if not found:
        st.caption(words.NOTHING_LIKE_IT)
        return
    st.caption(
        "The likest first." if query.strip() else f"The newest {SHOWN}." if len(found) == SHOWN else "All of it."
    )
    for one in found:
        _text(writer, one)


def _text(writer: str, one: Recalled) -> None:
    with st.container(border=True, key=f"memory-text-{one.memory_id}", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if one.genre:
                st.markdown(genre_label_of(one.genre))
            st.caption(plain(one.from_), width="stretch")
            st.button(
                "Forget",
                icon=":material/backspace:",
                type="tertiary",
                key=f"memory-forget-{one.memory_id}",
                help="It is not remembered again. The text itself stays where it is.",
                on_click=guarded,
                args=(_forget, writer, one.memory_id),
            )
        prose(one.text, f"memory-{one.memory_id}")


def _forget(writer: str, memory_id: int) -> None:
    with db.session() as session:
        memory.forget(session, writer, memory_id)
    state[TOLD] = words.FORGOTTEN


def _forget_all(writer: str) -> None:
    with st.popover("Forget everything", icon=":material/delete:", key="memory-forget-all"):
        st.markdown(words.FORGET_ALL)
        st.button("Forget all of it", key="memory-forget-all-yes", on_click=guarded, args=(_forget_everything, writer))


def _forget_everything(writer: str) -> None:
    with db.session() as session:
        number = memory.forget_all(session, writer)
    state[TOLD] = words.forgotten(number)
