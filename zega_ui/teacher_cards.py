"""One card a teaching service: how it stands, its models, its key, what it may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import streamlit as st

from zega_core import db, providers, teacher_words
from zega_core.configs import ProviderKey
from zega_core.teacher_checks import Standing
from zega_core.teachers import Place
from zega_ui import teacher_terms
from zega_ui import teaching_form as form
from zega_ui.components import local_time, plain, prose

MARKS = {
    "ready": ("check_circle", "green"),
    "off": ("do_not_disturb_on", "gray"),
    "no_key": ("key", "orange"),
    "unreachable": ("cloud_off", "red"),
    "refused": ("block", "red"),
    "model_missing": ("search_off", "orange"),
    "limited": ("hourglass_top", "orange"),
    "unknown": ("help", "gray"),
}
"""Icon and colour of each state; the word stands beside them."""
SENTENCE = 400
"""Longest answer to a test, in characters, that is shown whole at once."""
LATE = "No answer yet: the worker is busy or gone. `zega doctor` says more."


@dataclass(frozen=True, slots=True)
class Card:
    """A service as it is drawn. ``waiting`` holds its looks and tests under way and whether they are late."""

    writer: str
    place: Place
    stands: Standing
    waiting: Mapping[str, bool]
    number: int
    of: int

    @property
    def key(self) -> str:
        return self.place.key

    @property
    def models(self) -> tuple[str, ...]:
        return self.place.models(teacher_words.listed(self.stands))


def clock(moment: datetime) -> str:
    """A time of day where the reader is, with the day when that is not today."""
    local = local_time(moment)
    same_day = local.date() == local_time(datetime.now(UTC)).date()
    return f"{local:%H:%M}" if same_day else f"{local:%H:%M} on {local.day} {local:%B}"


def until(stands: Standing) -> str:
    if stands.until is None:
        return "later"
    soon = min(stands.until, (datetime.now(UTC) + timedelta(days=400)).timestamp())
    return clock(datetime.fromtimestamp(soon, UTC))


def teacher_card(card: Card) -> None:
    place = card.place
    with st.container(border=True, key=f"teacher-{card.key}", gap="small"):
        with st.container(gap="xxsmall"):
            _header(card)
            _standing(card)
        form.explain(card.key)
        if card.key == ProviderKey.openai_compatible and place.choice.on and not place.access.base_url:
            teacher_terms.address(card.writer, place)
        if not place.absent:
            _instead(card)
            _models(card)
            _tests(card)
        _key(card)
        if not place.absent:
            with st.expander("Limits, price, address", key=f"more-{card.key}"):
                teacher_terms.limits(card.writer, place, card.models)
                teacher_terms.price(card.writer, place, card.models)
                teacher_terms.address(card.writer, place)


def storyteller_card(writer: str, on: bool) -> None:
    label = providers.storyteller().label
    with st.container(border=True, key="teacher-storyteller", gap="small"):
        with st.container(gap="xsmall"):
            st.subheader(label, anchor=False)
            _mark("ready" if on else "off", "Ready" if on else "Turned off")
            st.caption(":material/computer: On this machine: nothing leaves it")
        st.toggle(
            "May stand in when nobody else can write",
            key=form.mirror("storyteller", on),
            on_change=form.set_rule,
            args=(writer, "storyteller", "storyteller"),
        )


def _header(card: Card) -> None:
    label, key = card.place.label, card.key
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.subheader(f"{card.number}. {label}", anchor=False)
        st.toggle(
            f"Use {label}",
            key=form.mirror(f"on-{key}", card.place.choice.on),
            label_visibility="collapsed",
            on_change=form.set_choice,
            args=(card.writer, key, "on", f"on-{key}"),
        )
        steps = (("up", -1, card.number == 1), ("down", 1, card.number == card.of))
        for direction, step, at_the_end in steps:
            st.button(
                f"Move {label} {direction}",
                key=f"icon-{direction}-{key}",
                icon=f":material/arrow_{direction}ward:",
                type="tertiary",
                disabled=at_the_end,
                on_click=form.move,
                args=(card.writer, key, step),
            )


def _mark(state: str, word: str) -> None:
    icon, color = MARKS[state]
    st.markdown(f":{color}[:material/{icon}:] **{word}**")


def _standing(card: Card) -> None:
    stands, looking = card.stands, "" in card.waiting
    if looking and stands.state == "unknown":
        st.markdown(":gray[:material/hourglass_empty:] **Looking…**")
    else:
        _mark(stands.state, teacher_words.headline(stands))
    said = teacher_words.sentence(stands, until(stands))
    if said:
        st.text(said)
    if looking and card.waiting[""]:
        st.caption(LATE)
    elif looking and stands.state != "unknown":
        st.caption("Looking again…")
    where = teacher_words.where(card.place)
    if where:
        icon = "computer" if card.place.local else "cloud_upload"
        st.caption(f":material/{icon}: {plain(where)}")
    for words in teacher_words.in_the_cloud(card.place, card.stands):
        st.caption(f":material/cloud: {plain(words)}")


def _instead(card: Card) -> None:
    for gone, other in teacher_words.missing(card.stands).items():
        if other is not None and gone in card.models:
            st.button(
                f"Use {plain(other)}",
                key=f"instead-{card.key}-{gone}",
                icon=":material/swap_horiz:",
                wrap=True,
                on_click=form.use_instead,
                args=(card.writer, card.key, card.models, gone, other),
            )


def _models(card: Card) -> None:
    known = [model.id for model in card.place.provider.models]
    options = list(dict.fromkeys([*card.models, *teacher_words.listed(card.stands), *known]))
    st.multiselect(
        f"Models of {card.place.label}, in the order in which they are asked",
        options,
        key=form.mirror(f"models-{card.key}", list(card.models)),
        accept_new_options=True,
        select_all=False,
        placeholder="The first model that it lists",
        on_change=form.set_choice,
        args=(card.writer, card.key, "models", f"models-{card.key}"),
    )


def _tests(card: Card) -> None:
    with st.container(horizontal=True, gap="small", key=f"tests-{card.key}"):
        for model in card.models:
            st.button(
                f"Test {plain(model)}",
                key=f"test-{card.key}-{model}",
                icon=":material/edit_note:",
                wrap=True,
                disabled=model in card.waiting,
                on_click=form.test,
                args=(card.writer, card.key, model),
            )
    for number, model in enumerate(card.models):
        if model in card.waiting:
            st.caption(LATE if card.waiting[model] else f"{plain(model)} is writing a sentence…")
        else:
            _tested(card, model, number)


def _tested(card: Card, model: str, number: int) -> None:
    with db.reading() as session:
        trial = teacher_words.trial(session, card.writer, card.key, model)
    if trial is None:
        return
    if not trial.text:
        st.markdown(f":red[:material/error:] {plain(model)} could not write, {clock(trial.done_at)}")
        st.text(trial.message)
        return
    other_name = trial.reported and trial.reported != model
    alias = f", calling itself {plain(trial.reported)}" if other_name else ""
    st.caption(f"{plain(model)} wrote this in {trial.seconds:.1f} s, {clock(trial.done_at)}{alias}:")
    if len(trial.text) <= SENTENCE:
        prose(trial.text, f"test-{card.key}-{number}")
        return
    prose(trial.text, f"clamp-test-{card.key}-{number}")
    with st.expander("Read all of it", key=f"read-{card.key}-{number}"):
        prose(trial.text, f"test-{card.key}-{number}")


def _key(card: Card) -> None:
    place, field = card.place, f"key-{card.key}"
    if not teacher_words.takes_key(place):
        return
    if place.key_source == "entered":
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(":material/key: A key is stored.", width="content")
            st.button(
                "Remove",
                key=f"forget-{card.key}",
                help=f"Erase the key for {place.label}",
                type="tertiary",
                on_click=form.forget_key,
                args=(card.writer, card.key, place.access.base_url),
            )
        return
    if not place.choice.on or (place.absent and not place.absent.startswith("No key")):
        return
    if place.key_source == "environment":
        st.caption(f":material/key: The key comes from the environment ({teacher_words.key_variable(card.key)}).")
        return
    whose = f"for {place.label}" if place.provider.needs_key else "if the server asks for one"
    with (
        st.form(f"form-{card.key}", clear_on_submit=True, border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        st.text_input(f"Enter the key {whose}", key=field, type="password", max_chars=600)
        st.form_submit_button(
            "Save key",
            key=f"save-{card.key}",
            on_click=form.save_key,
            args=(card.writer, card.key, field, place.access.base_url),
        )
    page = f"[Get a key]({place.provider.key_page}) · " if place.provider.key_page else ""
    st.caption(f"{page}It is kept in a file that only you can read, and is never shown again.")
