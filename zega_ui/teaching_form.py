"""What the controls of Settings and Privacy do: each change is checked and saved at once.

The stored choices decide what a control shows; ``mirror`` brings a control in line when they were changed elsewhere,
and leaves what is being typed alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from zega_core import db, keys, teacher_words
from zega_core.configs import LimitName, ProviderKey, TeachingConfig
from zega_core.jobs import client
from zega_core.settings import get_settings
from zega_core.store import teaching
from zega_core.teacher_checks import Standing
from zega_core.teachers import Place
from zega_ui.components import error_state, guarded

RULES = "rules"
LOOK_EVERY = 60.0
"""Seconds after which a look at a service is too old to go by."""
EXPLAINED_FOR = 30.0
"""Seconds for which a refusal stays to be read."""
TERMS = ("in_flight", "price_in", "price_out")
CHANGES_A_LOOK = ("on", "models", "base_url")

state = st.session_state


def mirror(key: str, stored: Any) -> str:
    """The key of a control that shows a stored value."""
    if key not in state or state[key] != stored:
        state[key] = stored
    return key


def shows(key: str, stored: Any) -> str:
    """The same for a control in a popover. It is told so at each drawing: one that is opened later knows only of the
    last drawing, and would otherwise show its own default and report that as if the writer had chosen it."""
    state[key] = stored
    return key


def act(where: str, action: Callable[..., None], *arguments: object) -> None:
    """Do what a control asks for; ``explain(where)`` says why it was refused."""
    guarded(action, *arguments)
    state["refused"] = (where, state.pop("refusal", None), time.monotonic())


def explain(where: str) -> None:
    """Until the next change, or for a while: the page may be drawn again at any moment, because a look is done."""
    at, why, since = state.get("refused", ("", None, 0.0))
    if at == where and why and time.monotonic() - since < EXPLAINED_FOR:
        error_state("That could not be done", why, key="refusal-shown")


def terms_of(provider: str) -> str:
    """Where a refused limit or price of a service is explained: beside it, as a card can be longer than a screen."""
    return f"terms of {provider}"


def load(writer: str) -> TeachingConfig:
    with db.reading() as session:
        return teaching.load(session, writer)


def _change(writer: str, change: Callable[[TeachingConfig], TeachingConfig]) -> None:
    with db.session() as session:
        teaching.save(session, writer, change(teaching.load(session, writer)))


def set_rule(writer: str, field: str, key: str) -> None:
    """A rule of the run takes the value of the control ``key``."""
    act(RULES, _change, writer, lambda config: teacher_words.changed(config, **{field: state[key]}))
    if field == "local_only":
        look_anew(writer, list(ProviderKey))


def set_choice(writer: str, provider: str, field: str, key: str) -> None:
    value = tuple(state[key]) if field == "models" else state[key]
    set_value(writer, provider, field, value)


def set_value(writer: str, provider: str, field: str, value: Any) -> None:
    where = terms_of(provider) if field in TERMS else "base_url" if field == "base_url" else provider
    act(where, _change, writer, lambda config: teacher_words.changed_choice(config, provider, **{field: value}))
    if field in CHANGES_A_LOOK:
        look_anew(writer, [provider])


def set_limit(writer: str, provider: str, name: LimitName, key: str) -> None:
    """A limit of the writer's own; an empty field brings the listed one back."""

    def change(config: TeachingConfig) -> TeachingConfig:
        limits = {each: amount for each, amount in config.choice(provider).limits.items() if each != name}
        if state[key] is not None:
            limits[name] = state[key]
        return teacher_words.changed_choice(config, provider, limits=limits)

    act(terms_of(provider), _change, writer, change)


def set_unlimited(writer: str, provider: str, key: str) -> None:
    """The limits that shall not hold."""

    def change(config: TeachingConfig) -> TeachingConfig:
        limits: dict[str, int | None] = dict.fromkeys(state[key])
        kept = {name: amount for name, amount in config.choice(provider).limits.items() if amount is not None}
        return teacher_words.changed_choice(config, provider, limits=kept | limits)

    act(terms_of(provider), _change, writer, change)


def use_instead(writer: str, provider: str, models: Sequence[str], gone: str, other: str) -> None:
    """Put a model that the service lists in the place of one that it does not."""
    chosen = dict.fromkeys(other if model == gone else model for model in models)
    set_value(writer, provider, "models", tuple(chosen))


def move(writer: str, provider: str, step: int) -> None:
    act(provider, _change, writer, lambda config: teacher_words.moved(config, provider, step))


def save_key(writer: str, provider: str, field: str, address: str) -> None:
    """The key goes from the field into its file and stays nowhere else."""
    key, state[field] = state[field], ""
    act(provider, keys.save_key, get_settings(), provider, key, address)
    look_anew(writer, [provider])


def forget_key(writer: str, provider: str, address: str) -> None:
    act(provider, keys.forget_key, get_settings(), provider, address)
    look_anew(writer, [provider])


def test(writer: str, provider: str, model: str) -> None:
    act(provider, client.check_teacher, writer, provider, model)


def look_anew(writer: str, providers: Sequence[str]) -> None:
    """What the last look found no longer counts: look at these again as soon as possible."""
    for provider in providers:
        _looked().pop((writer, provider), None)
        state.setdefault("look_anew", set()).add((writer, provider))


def _looked() -> dict[tuple[str, str], float]:
    """When this tab asked for a look last."""
    return state.setdefault("looked", {})


def due(writer: str, places: Sequence[Place], standings: dict[str, Standing], busy: set[str]) -> list[str]:
    """Services to look at now: never looked at, too long ago, or changed since. Each at most once a minute and tab."""
    anew, looked = state.get("look_anew", set()), _looked()
    found = []
    for place in places:
        if place.absent or place.key in busy:
            continue
        before = standings[place.key].looked_at
        old = before is None or time.time() - before > LOOK_EVERY
        asked = time.monotonic() - looked.get((writer, place.key), float("-inf")) < LOOK_EVERY
        if (writer, place.key) in anew or (old and not asked):
            found.append(place.key)
    return found


def look(writer: str, providers: Sequence[str]) -> None:
    for provider in providers:
        _looked()[writer, provider] = time.monotonic()
        state.setdefault("look_anew", set()).discard((writer, provider))
        client.check_teacher(writer, provider)
