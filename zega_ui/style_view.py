"""Your style: what was measured, what it rests on, and what the writer sets by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from zega_core import charts, db, profiling
from zega_core import profile_words as words
from zega_core.jobs import client
from zega_core.settings import Settings, get_settings
from zega_core.style import profile as profiles
from zega_core.style.axes import AXES, ENDS
from zega_core.style.profile import Corrections, Profile
from zega_core.style.themes import Theme
from zega_ui.components import chart, empty_state, guarded, plain, refusal, section, shielded
from zega_ui.teacher_cards import clock
from zega_ui.teaching_form import mirror

SHOWN = 8
"""Themes and kinds of character that are drawn at most; the rest is in the table."""
state = st.session_state


def show(writer: str, settings: Settings) -> None:
    """The whole section."""
    section("Your style", words.PURPOSE)
    refusal()
    client.measure_style_if_due(writer, settings)
    with db.reading() as session:
        found, corrections, at = profiling.profile_of(session, writer)
        waits = profiling.due(session, writer)
    if waits:
        st.fragment(shielded(_watch), run_every=2)(writer, at)
    if found is None and not waits:
        empty_state("fingerprint", "Nothing to measure yet", words.too_little(None), _way)
        return
    if found is None:
        return
    _in_short(writer, found, corrections, at)
    if found.enough:
        _sides(found, corrections)
    _by_hand(writer, found, corrections)
    if found.enough:
        _genres(found)
    for archetypes in (False, True):
        _motifs(writer, found, corrections, archetypes=archetypes)


def _way() -> None:
    st.page_link(
        "pages/conversational_trainer.py", label="Answer questions, or add your own pages", icon=":material/forum:"
    )


def _watch(writer: str, before: datetime | None) -> None:
    """Until a worker has measured what is new."""
    with db.reading() as session:
        _, _, at = profiling.profile_of(session, writer)
        waits = profiling.due(session, writer)
    if at != before or not waits:
        st.rerun()
    st.caption(
        ":material/hourglass_empty: There is something new. It is being measured; that takes some seconds, and the "
        "first time up to a minute."
    )


def _in_short(writer: str, found: Profile, corrections: Corrections, at: datetime | None) -> None:
    if said := profiles.summary(found, corrections):
        with st.container(key="prose-style-summary"):
            st.text(said)
    if why := words.too_little(found):
        st.text(why)
        _way()
        st.progress(words.part_done(found), text=f"{words.part_done(found):.0%} of what it needs")
    when = f" Measured at {clock(at)}." if at is not None else ""
    st.caption(plain(words.rests_on(found) + when))
    if found.enough:
        st.caption(plain(words.whose(found)))
    told = profiles.hints(found, corrections)
    if told:
        with st.expander("What a model is told", key="style-hints"):
            st.text("\n".join(told))
            st.caption("These sentences go before your brief when you write with hints. In a genre they can differ.")


def _sides(found: Profile, corrections: Corrections) -> None:
    section("Five sides", words.SCALE)
    values = profiles.acting(found, corrections)
    figure = charts.axes_radar(
        [words.LABELS[key] for key in AXES],
        [axis.value for axis in found.axes],
        [values[key] for key in AXES],
        words.NAMES,
    )
    chart(figure, key="style-radar", alt=words.in_numbers(found, corrections))
    with st.expander("The same in numbers, and what was counted", key="style-numbers"):
        rows = {
            "Measured": [f"{axis.value:.0f}" for axis in found.axes],
            "Holds": [f"{values[axis.key]:.0f}, {words.manner(axis.key, values[axis.key])}" for axis in found.axes],
        }
        index = pd.Index([words.LABELS[axis.key] for axis in found.axes], name="Side")
        st.table(pd.DataFrame(rows, index=index), border="horizontal", alt="Five sides of your style from 0 to 100")
        for axis in found.axes:
            st.text(f"{words.LABELS[axis.key]}. {words.measured_from(axis)}")


def _by_hand(writer: str, found: Profile, corrections: Corrections) -> None:
    with st.expander("Set it by hand", key="style-by-hand"):
        st.caption("Where this does not sound like you, say so: your word outweighs what was counted.")
        values = profiles.acting(found, corrections)
        for key in AXES:
            _slider(writer, key, values[key], set_by_hand=key in corrections.axes)
        if said := words.corrected(corrections):
            st.text(said)
            st.button(
                "Everything as measured",
                icon=":material/undo:",
                key="style-reset",
                on_click=guarded,
                args=(_reset, writer, ""),
            )


def _slider(writer: str, key: str, value: float, *, set_by_hand: bool) -> None:
    low, high = ENDS[key]
    with st.container(gap="xxsmall", key=f"style-side-{key}"):
        name = mirror(f"style-{key}", round(value))
        st.slider(
            f"{words.LABELS[key]}: {low} to {high}",
            0,
            100,
            key=name,
            on_change=_set,
            args=(writer, key, name),
        )
        if set_by_hand:
            st.button(
                f"{words.LABELS[key]} as measured",
                icon=":material/undo:",
                type="tertiary",
                key=f"style-back-{key}",
                on_click=guarded,
                args=(_reset, writer, key),
            )


def _genres(found: Profile) -> None:
    rows = words.genres(found)
    if not rows:
        return
    section("Genres", "Your own words and what you gave many stars count more.")
    chart(charts.percent_bars(rows), key="style-genres", alt=words.genres_in_words(found))


def _motifs(writer: str, found: Profile, corrections: Corrections, *, archetypes: bool) -> None:
    kind = "archetypes" if archetypes else "themes"
    title = "Characters that come back" if archetypes else "Themes that come back"
    section(title, "Found by several different words in the same text, never by one alone.")
    counted = {one.key: one for one in (found.archetypes if archetypes else found.themes)}
    held = profiles.acting_themes(found, corrections, archetypes=archetypes)
    _bars(kind, [counted[key] for key in held if key in counted], found.pieces)
    if not held:
        st.text("None comes back often enough to be called yours yet.")
    for key in held:
        how = words.how_often(counted[key], found.pieces) if key in counted else "put in by you"
        _entry(writer, key, f"{words.motif_label(key)}, {how}")
    taken_off = [key for key in corrections.removed if key in words.motif_choices(archetypes=archetypes, without=())]
    _choice(writer, kind, words.motif_choices(archetypes=archetypes, without=held))
    if taken_off:
        labels = ", ".join(sorted(words.motif_label(key) for key in taken_off))
        st.caption(plain(f"Taken off by you: {labels}. Add one again to have it back."))


def _bars(kind: str, shown: Sequence[Theme], pieces: int) -> None:
    some = shown[:SHOWN]
    if not some:
        return
    rows = [(one.label, 100 * one.share, charts.INK) for one in some]
    told = "; ".join(f"{one.label} {words.how_often(one, pieces)}" for one in some)
    chart(charts.percent_bars(rows), key=f"style-{kind}", alt=f"{told}.")


def _entry(writer: str, key: str, said: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"style-motif-{key}"):
        st.text(said, width="stretch")
        st.button(
            "Take off",
            type="tertiary",
            icon=":material/close:",
            key=f"style-off-{key}",
            help=f"{words.motif_label(key)}: it is not mine",
            on_click=guarded,
            args=(_motif, writer, key, False),
        )


def _choice(writer: str, kind: str, choices: Sequence[str]) -> None:
    name = f"style-add-{kind}"
    st.selectbox(
        "Add a kind of character" if kind == "archetypes" else "Add a theme",
        choices,
        index=None,
        format_func=words.motif_label,
        placeholder="Choose one that is yours",
        key=name,
        on_change=_add,
        args=(writer, name),
    )


def _set(writer: str, key: str, name: str) -> None:
    guarded(_correct, writer, key, float(state[name]))


def _add(writer: str, name: str) -> None:
    key = state[name]
    state[name] = None
    if key is not None:
        guarded(_motif, writer, key, True)


def _motif(writer: str, key: str, wanted: bool) -> None:
    _correct(writer, key, wanted)


def _correct(writer: str, key: str, value: float | bool) -> None:
    with db.session(get_settings()) as session:
        profiling.correct(session, writer, key, value)


def _reset(writer: str, key: str) -> None:
    with db.session(get_settings()) as session:
        profiling.reset(session, writer, key)
