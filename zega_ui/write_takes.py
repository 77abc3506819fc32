"""One writing: what was asked, the texts that came of it one at a time, and writing another."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import db, writing, writing_words
from zega_core.analytics import plural
from zega_core.errors import NotFound
from zega_core.settings import Settings
from zega_core.writing_tables import Take, TakeState, Writing
from zega_ui import teaching_form as form
from zega_ui import write_form, write_list, write_pair, write_take
from zega_ui.components import plain, prose, shielded

EVERY = 0.3
"""Seconds between two drawings of what is being written."""
WHERE = "takes"
SURE = "delete-writing"
MOST_SHOWN = 20_000
"""Characters of a request that the page shows."""
UP, DELETE = "Put it into the form again", "Delete"
state = st.session_state
Group = Sequence[Take]
"""One text, or two that were asked for side by side."""


def stands(takes: Sequence[Take]) -> object:
    """Changes when the page should be drawn anew."""
    return [
        (
            *(take.id, take.state, take.rating, take.chosen, take.example_id, take.story_id),
            "" if take.state == TakeState.writing else take.text,
        )
        for take in takes
    ]


def show(writer: str, settings: Settings, row: Writing, takes: Sequence[Take]) -> None:
    _head(writer, row, len(takes))
    form.explain(WHERE)
    found = writing_words.groups(takes)
    if not found:
        st.caption("Nothing came of it. Write it again below.")
        return
    place = _place(len(found))
    if any(take.state == TakeState.writing for take in takes):
        st.fragment(shielded(_live), run_every=EVERY)(writer, settings, row.key, stands(takes), place)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="takes-bar"):
        st.button(
            "Write again",
            icon=":material/refresh:",
            key="write-again",
            help="The same request once more. What is here stays.",
            on_click=form.act,
            args=(WHERE, _again, writer, settings, row, len(found)),
        )
        _flip(place, len(found))
    _group(writer, settings, row, found[place - 1])


def _head(writer: str, row: Writing, number: int) -> None:
    with st.container(key="writing-head"):
        st.header(plain(writing_words.title(row)), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="writing-facts"):
        st.caption(plain(write_list.facts(row)), width="stretch")
        key = f"more-{row.key}"
        st.menu_button(
            "More",
            [UP, DELETE],
            icon=":material/more_horiz:",
            type="tertiary",
            key=key,
            on_click=lambda: _chosen(writer, row, state[key]),
        )
        st.button("Close", icon=":material/close:", type="tertiary", key="leave-writing", on_click=write_list.leave)
    if state.get(SURE) == row.key:
        _sure(writer, row, number)
    whole = [("Your text", row.given), ("Your brief", row.brief)]
    if row.given or writing_words.title(row).endswith("…"):
        with st.expander("What you asked for", key=f"asked-for-{row.key}"):
            for label, text in whole:
                if text:
                    st.caption(label)
                    prose(text[:MOST_SHOWN], f"{label[5:]}-{row.key}")
                    if len(text) > MOST_SHOWN:
                        st.caption(f"These are the first {MOST_SHOWN:,} of {plural(len(text), 'character')}.")


def _chosen(writer: str, row: Writing, choice: str | None) -> None:
    if choice == UP:
        write_form.take_up(writer, row)
    elif choice == DELETE:
        state[SURE] = row.key


def _sure(writer: str, row: Writing, number: int) -> None:
    with st.container(border=True, key="sure-delete"):
        st.text(
            f"Delete this request and its {plural(number, 'text')}? Stories and examples that you made of them stay."
        )
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Delete it",
                icon=":material/delete:",
                key="delete-writing-now",
                on_click=form.act,
                args=(WHERE, _delete, writer, row),
            )
            st.button("Leave it", type="tertiary", key="leave-it", on_click=lambda: state.pop(SURE, None))


def _delete(writer: str, row: Writing) -> None:
    with db.session() as session:
        writing.delete(session, writer, row.key)
    state.pop(SURE, None)
    write_list.leave()


def _place(number: int) -> int:
    """Which group is shown, from 1; the newest where nothing was chosen."""
    chosen = state.get(write_list.TAKE)
    if not isinstance(chosen, int):
        asked = st.query_params.get(write_list.TAKE, "")
        chosen = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else number
    return min(max(chosen, 1), number)


def _flip(place: int, number: int) -> None:
    if number > 1:
        state[write_list.TAKE] = place
        st.caption(f"Text {place} of {number}", width="content")
        st.pagination(number, key=write_list.TAKE, max_visible_pages=5, on_change=_flipped)


def _flipped() -> None:
    st.query_params[write_list.TAKE] = str(state[write_list.TAKE])


def _again(writer: str, settings: Settings, row: Writing, number: int) -> None:
    writing.again(writer, row.key, settings)
    state[write_list.TAKE] = None
    st.query_params.pop(write_list.TAKE, None)


def _live(writer: str, settings: Settings, key: str, seen: object, place: int) -> None:
    """What is stored of it, again and again, until it has ended; a second tab and a refresh show the same."""
    try:
        with db.reading() as session:
            row, takes = writing.state(session, writer, key)
    except NotFound:
        st.rerun()
    if stands(takes) != seen:
        st.rerun()
    st.button(
        "Stop",
        icon=":material/stop_circle:",
        key="stop-writing",
        help="It ends within a second. What is written stays.",
        on_click=form.act,
        args=(WHERE, writing.stop, writer, key, settings),
    )
    found = writing_words.groups(takes)
    _group(writer, settings, row, found[min(place, len(found)) - 1])


def _group(writer: str, settings: Settings, row: Writing, group: Group) -> None:
    if len(group) == 1:
        write_take.show(writer, settings, row, group[0])
    else:
        write_pair.show(writer, settings, row, group)
