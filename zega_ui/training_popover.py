"""Training that begins by itself: what will happen and when, and the writer's choices, each saved at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from zega_core import db, learning_words, triggers
from zega_core import training_words as words
from zega_core.configs import FineTuneConfig, TriggerConfig
from zega_core.settings import Settings
from zega_core.store import fine_tunes, training_triggers
from zega_ui import teaching_form as form
from zega_ui.components import shielded

LOOK_EVERY = 2
"""Seconds between two looks at a training that is under way."""
MINUTES = 15 * 60

state = st.session_state


def show(writer: str, settings: Settings, *, line: bool = True) -> None:
    """A line that says what will happen and when (where the page does not say it itself), and the popover. They redraw
    themselves and never the page."""
    st.fragment(shielded(_both))(writer, settings, line)


def _both(writer: str, settings: Settings, line: bool) -> None:
    if line:
        with db.reading() as session:
            runs = bool(fine_tunes.under_way(session, writer))
        st.fragment(shielded(_line), run_every=LOOK_EVERY if runs else None)(writer, settings)
    with st.popover("Training by itself", icon=":material/model_training:"):
        _choices(writer, settings)


def _line(writer: str, settings: Settings) -> None:
    with db.reading() as session:
        found = triggers.next_up(session, writer, settings)
        row = fine_tunes.get(session, writer, found.under_way) if found.under_way else None
        zone = ZoneInfo(training_triggers.load(session, writer).zone)
    st.caption(words.next_line(found, row, zone))


def _choices(writer: str, settings: Settings) -> None:
    with db.reading() as session:
        config, automatic = training_triggers.load(session, writer), fine_tunes.load_config(session, writer).automatic
    st.toggle(
        "Begin by itself",
        key=form.shows("trigger-automatic", automatic),
        on_change=_switch,
        args=(writer,),
        help="A new version is trained when one of these is there. Switched off, none begins without you.",
    )
    form.explain("trigger-automatic")
    _begins(writer, config, settings)
    _schedule(writer, config)
    _number(
        writer,
        "Least hours between two trainings",
        "least_hours",
        config.least_hours,
        step=1.0,
        format="%g",
        help="What you begin yourself never waits.",
    )
    st.markdown("**Only if**")
    _checks(writer, config)


def _begins(writer: str, config: TriggerConfig, settings: Settings) -> None:
    st.checkbox(
        "After a number of answers",
        key=form.shows("trigger-by_pairs", config.by_pairs),
        on_change=_save,
        args=(writer, "by_pairs"),
    )
    _number(
        writer,
        "Answers",
        "pairs",
        config.pairs,
        step=1,
        placeholder=str(settings.conversation_pairs),
        disabled=not config.by_pairs,
        help="Answers that are kept since the last training was asked for.",
    )


def _schedule(writer: str, config: TriggerConfig) -> None:
    st.selectbox(
        "By a schedule",
        list(words.SCHEDULES),
        format_func=lambda key: words.SCHEDULES[key],
        key=form.shows("trigger-schedule", config.schedule),
        on_change=_save_schedule,
        args=(writer,),
        help="If anything new is kept by then. What was missed while this machine was off is made up for once.",
    )
    form.explain("trigger-schedule")
    if config.schedule == "off":
        return
    if config.schedule == "weekly":
        st.selectbox(
            "Day",
            list(range(len(words.DAYS))),
            format_func=lambda day: words.DAYS[day],
            key=form.shows("trigger-weekday", config.weekday),
            on_change=_save,
            args=(writer, "weekday"),
        )
        form.explain("trigger-weekday")
    st.time_input(
        "Time",
        key=form.shows("trigger-at", time.fromisoformat(config.at)),
        step=MINUTES,
        on_change=_save,
        args=(writer, "at", lambda value: f"{value:%H:%M}" if value else ""),
    )
    form.explain("trigger-at")
    zones = zone_names()
    st.selectbox(
        "Time zone",
        zones if config.zone in zones else [config.zone, *zones],
        key=form.shows("trigger-zone", config.zone),
        on_change=_save,
        args=(writer, "zone"),
    )
    form.explain("trigger-zone")


def _checks(writer: str, config: TriggerConfig) -> None:
    st.slider(
        "Mean score at least",
        0.0,
        10.0,
        step=0.5,
        format="%.1f",
        key=form.shows("trigger-least_score", config.least_score),
        on_change=_save,
        args=(writer, "least_score"),
        help="Of all that is kept, your own words too. 0 asks for nothing.",
    )
    form.explain("trigger-least_score")
    st.slider(
        "Genres and elements at least",
        1,
        12,
        key=form.shows("trigger-least_variety", config.least_variety),
        on_change=_save,
        args=(writer, "least_variety"),
        help="Different ones in what is kept, old and new, counted together. 1 asks for nothing.",
    )
    form.explain("trigger-least_variety")
    st.slider(
        "Your own words at least",
        0,
        100,
        step=5,
        format="%d %%",
        key=form.shows("trigger-least_own_share", round(config.least_own_share * 100)),
        on_change=_save,
        args=(writer, "least_own_share", lambda value: value / 100),
        help="Their share in all words that are kept. 0 asks for nothing.",
    )
    form.explain("trigger-least_own_share")


def _number(writer: str, label: str, name: str, value: float | None, **more: Any) -> None:
    key = form.shows(f"trigger-{name}", value)
    st.number_input(label, value=None, key=key, on_change=_save, args=(writer, name), **more)
    form.explain(key)


def _save(writer: str, name: str, read: Callable[[Any], object] = lambda value: value) -> None:
    """A choice takes the value of its control; an empty field brings ZEGA's choice back."""
    key = f"trigger-{name}"
    value = state[key]
    if value is None and name == "least_hours":
        value = TriggerConfig().least_hours
    form.act(key, _change, writer, {name: value if value is None else read(value)})


def _save_schedule(writer: str) -> None:
    """Where there was no schedule, its times are those of the writer's own clock."""
    form.act("trigger-schedule", _change_schedule, writer, state["trigger-schedule"])


def _change_schedule(writer: str, value: str) -> None:
    with db.session() as session:
        config = training_triggers.load(session, writer)
        values: dict[str, object] = {"schedule": value}
        if config.schedule == "off" and config.zone == TriggerConfig().zone:
            values["zone"] = own_zone()
        training_triggers.save(session, writer, words.changed(config, **values))


def _change(writer: str, values: dict[str, object]) -> None:
    with db.session() as session:
        training_triggers.save(session, writer, words.changed(training_triggers.load(session, writer), **values))


def _switch(writer: str) -> None:
    form.act("trigger-automatic", _turn, writer, state["trigger-automatic"])


def _turn(writer: str, on: bool) -> None:
    with db.session() as session:
        config: FineTuneConfig = fine_tunes.load_config(session, writer)
        fine_tunes.save_config(session, writer, learning_words.changed(config, automatic=on))


def own_zone() -> str:
    """Of the writer's browser, where it names one that is known here."""
    name = st.context.timezone or "UTC"
    try:
        return TriggerConfig(zone=name).zone
    except ValueError:
        return "UTC"


@st.cache_data(show_spinner=False)
def zone_names() -> list[str]:
    """Those that are named after a place, and UTC."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]
