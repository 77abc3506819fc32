"""What repeats in a writer's pieces, what the next ones are asked to avoid, and worn phrases."""

from __future__ import annotations

import streamlit as st

from zega_core import avoidance, db, providers
from zega_core.analytics import plural
from zega_core.catalog import Avoid, avoid_in_words, load_catalog
from zega_core.quality.sameness import Kind, Repetition, least_of, repetitions
from zega_core.store import kept, tastes
from zega_ui import teaching_form as form
from zega_ui import worn_view
from zega_ui.components import asked_for, empty_state, genre_label_of, plain, prose, section
from zega_ui.worn_view import LOOKED_AT, Stamp

LINES, PIECES = 8, 3
"""Repetitions on a page, and pieces on a page of an opened one."""
KINDS = {
    "Names": (Kind.person,),
    "Beginnings": (Kind.opening, Kind.start),
    "Endings": (Kind.ending,),
    "Phrases": (Kind.phrase,),
}


@st.cache_data(max_entries=32, show_spinner="Reading your pieces")
def _repeated(writer: str, stamp: Stamp) -> tuple[int, tuple[Repetition, ...]]:
    """How many pieces were looked at, and what repeats in them. A new stamp is a new look."""
    with db.reading() as session:
        pieces = kept.written(session, writer, taught=True, limit=LOOKED_AT)
    return len(pieces), repetitions(pieces)


@st.cache_data(max_entries=32, show_spinner=False)
def _habits(writer: str, stamp: Stamp) -> Avoid:
    with db.reading() as session:
        return avoidance.habits(session, writer)


def show(writer: str) -> None:
    """The whole view, for a tab of a page."""
    with db.reading() as session:
        stamp, config = kept.stamp(session, writer), tastes.load(session, writer)
    if not stamp[0]:
        empty_state(
            "content_copy",
            "Nothing to compare yet",
            "As soon as pieces are kept, this says which names, beginnings, endings and phrases come back in them, and "
            "how many worn phrases they hold.",
            lambda: st.page_link("pages/auto_train.py", label="Start with Auto-Train", icon=":material/auto_stories:"),
        )
    else:
        number, found = _repeated(writer, stamp)
        _what_repeats(writer, number, found)
        _next_time(writer, stamp, config.avoid)
        worn_view.found(writer, stamp, config)
    worn_view.your_list(writer, config)


def _what_repeats(writer: str, number: int, found: tuple[Repetition, ...]) -> None:
    section("What repeats")
    if not found:
        st.caption(_nothing(number))
        return
    newest = "newest " if number == LOOKED_AT else ""
    st.caption(
        f"What at least {least_of(number)} of your {newest}{plural(number, 'kept piece')} that teachers wrote have in "
        "common. What a prompt asked for does not count. Open a line to read its pieces."
    )
    counts = {"All": len(found)} | {name: sum(one.kind in kinds for one in found) for name, kinds in KINDS.items()}
    shown = st.segmented_control(
        "Show",
        [name for name, times in counts.items() if times],
        default="All",
        required=True,
        key="repeats_shown",
        format_func=lambda name: f"{name} {counts[name]}",
    )
    listed = [one for one in found if shown == "All" or one.kind in KINDS[shown]]
    pages, slot = -(-len(listed) // LINES), st.container(gap="xsmall")
    page = min(st.pagination(pages, key="repeats_page", max_visible_pages=5), pages) if pages > 1 else 1
    with slot:
        for one in listed[(page - 1) * LINES : page * LINES]:
            _repetition(writer, one)


def _nothing(number: int) -> str:
    least, pieces = least_of(number), plural(number, "kept piece")
    if number < least:
        return f"With {pieces} that a teacher wrote, nothing can come back yet: it takes {least} that share something."
    return f"Nothing comes back in the {pieces} that teachers wrote: no {least} of them share a thing."


def _repetition(writer: str, one: Repetition) -> None:
    key = f"{one.kind}-{one.words}"
    opened = st.expander(plain(one.sentence), key=f"repeats-{key}", on_change="rerun")
    if not opened.open:
        return
    with opened:
        pages, slot = -(-one.count // PIECES), st.container()
        page = min(st.pagination(pages, key=f"pieces-{key}", max_visible_pages=5), pages) if pages > 1 else 1
        with db.reading() as session:
            examples = kept.by_ids(session, writer, one.ids[::-1][(page - 1) * PIECES : page * PIECES])
        with slot:
            for example in examples:
                element = next((e.label for e in load_catalog().elements if e.key == example.element), example.element)
                with st.container(key=f"feed-{key}-{example.id}", gap="xxsmall"):
                    st.markdown(f"**{genre_label_of(example.genre)}**")
                    st.caption(f"{element} · {providers.label_of(example.model or '')}")
                    st.text(asked_for(example))
                    prose(example.completion, f"{key}-{example.id}")


def _next_time(writer: str, stamp: Stamp, on: bool) -> None:
    section("Next time avoid", "Said to the teacher with every request, from what repeats in your newest pieces.")
    form.explain("avoid")
    st.toggle(
        "Ask for something else",
        key=form.mirror("avoid_on", on),
        on_change=form.act,
        args=("avoid", _switch, writer),
    )
    words = avoid_in_words(_habits(writer, stamp))
    if not on:
        st.caption("Off: teachers are asked as if nothing had been written before.")
    elif not words:
        st.caption("Nothing has to be avoided yet.")
    else:
        prose(words, "avoid")
        st.caption("The built-in storyteller heeds only the names. What a prompt itself names stays allowed.")


def _switch(writer: str) -> None:
    with db.session() as session:
        on = bool(st.session_state["avoid_on"])
        tastes.change(session, writer, lambda config: config.model_copy(update={"avoid": on}))
