"""Try it: one prompt, two models side by side. Nothing of it is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from zega_core import fine_tune_words as words
from zega_core.analytics import took
from zega_core.catalog import Brief, Catalog, load_catalog, request
from zega_core.fine_tune.data import TOKENS_A_WORD
from zega_core.local import models
from zega_core.providers.base import GenerationOptions
from zega_core.settings import get_settings
from zega_core.version_tables import Version
from zega_ui.components import error_state, genre_name, plain, prose, section, shielded
from zega_ui.side_by_side import Side, Streaming, Trial

TRIAL = "trial"
EVERY = 0.2
"""Seconds between two drawings of what is being written."""
SCENE = "scene"

state = st.session_state


def show(writer: str, mine: Sequence[Version], promoted: Version | None) -> None:
    section("Try it", "Two models write on the same prompt. Nothing of it is stored.")
    choices = _choices(mine, promoted)
    names = list(choices)
    left, right = st.columns(2)
    first = left.selectbox("One model", names, index=0, format_func=lambda name: choices[name][0], key="try-first")
    writes = names.index(_key(promoted or mine[0]))
    second = right.selectbox(
        "The other", names, index=writes, format_func=lambda name: choices[name][0], key="try-second"
    )
    asked = _prompt(load_catalog())
    options = _options()
    trial = state.get(TRIAL)
    running = isinstance(trial, Trial) and trial.running
    st.button(
        "Write with both",
        icon=":material/edit_note:",
        key="try-write",
        disabled=running or not asked,
        on_click=_begin,
        args=(writer, [choices[first], choices[second]], asked, options),
    )
    if not asked:
        st.caption("Say what they should write.")
    if isinstance(trial, Trial) and state.get(f"{TRIAL}-writer") == writer:
        if running:
            st.fragment(shielded(_watch), run_every=EVERY)(trial)
        else:
            _answers(trial)


Choice = tuple[str, int | None, str]
"""Label, number (None: the base model itself) and base of a model."""


def _key(version: Version) -> str:
    return f"v{version.number}"


def _choices(mine: Sequence[Version], promoted: Version | None) -> Mapping[str, Choice]:
    """Base models first, that of the version in use before the others; then the versions, newest first."""
    newest = promoted or mine[0]
    bases = dict.fromkeys([newest.base, *(version.base for version in mine)])
    found: dict[str, Choice] = {f"base:{base}": (f"Base model: {words.base_name(base)}", None, base) for base in bases}
    return found | {_key(version): (words.title(version), version.number, version.base) for version in mine}


def _prompt(catalog: Catalog) -> str:
    """What is asked of both, in the words that the model was trained on where the prompt is one of ZEGA's."""
    prompts = {prompt.id: prompt for prompt in catalog.prompts}
    chosen = st.selectbox(
        "Prompt",
        [*prompts, ""],
        format_func=lambda one: f"{genre_name(prompts[one].genre)}: {prompts[one].text}" if one else "In my own words",
        key="try-prompt",
    )
    if not chosen:
        own = st.text_area("What should they write?", key="try-own", max_chars=4000)
        return (own or "").strip()
    prompt = prompts[chosen]
    st.text(prompt.text)
    element = st.segmented_control(
        "As",
        [element.key for element in catalog.elements],
        default=SCENE,
        required=True,
        format_func=lambda key: catalog.element(key).label,
        key="try-element",
    )
    return request(Brief(prompt.text, prompt.genre, catalog.element(element)), catalog)


def _options() -> GenerationOptions:
    with st.expander("How they write"):
        longest = st.slider("Words at most", 40, 320, 240, step=20, key="try-words")
        temperature = st.slider(
            "Daring", 0.0, 1.5, 0.8, step=0.1, key="try-temperature", help="The temperature: 0 takes no chances."
        )
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, 1, key="try-seed", help="The same seed, prompt and model write the same text again."
        )
    return GenerationOptions(max_tokens=round(longest * TOKENS_A_WORD), temperature=temperature, seed=int(seed))


def _begin(writer: str, chosen: Sequence[Choice], asked: str, options: GenerationOptions) -> None:
    before = state.get(TRIAL)
    if isinstance(before, Trial):
        before.stop()
    sides = [Side(label, partial(_student, writer, number, base)) for label, number, base in chosen]
    state[TRIAL], state[f"{TRIAL}-writer"] = Trial(sides, asked, options), writer
    state[TRIAL].start()


def _student(writer: str, number: int | None, base: str, tell: Callable[[str], None]) -> Streaming:
    return models.student(get_settings(), writer, number, base, waiting=tell)


def _watch(trial: Trial) -> None:
    if not trial.running:
        st.rerun()
    st.button("Stop", icon=":material/stop_circle:", key="try-stop", on_click=trial.stop)
    _answers(trial)


def _answers(trial: Trial) -> None:
    for number, (side, column) in enumerate(zip(trial.sides, st.columns(2, gap="large"), strict=True)):
        with column:
            st.markdown(f"**{plain(side.label)}**")
            if side.text:
                prose(side.text, f"try-{number}")
            if side.state == "failed":
                error_state("It could not write", side.error, key=f"try-error-{number}")
            else:
                st.caption(_said(side))


def _said(side: Side) -> str:
    if side.state == "waiting":
        return "Writes when the other has ended."
    if side.state == "loading":
        return side.note or "Loading the model. The first time takes some seconds."
    if side.state == "writing":
        return "Writing"
    if side.state == "stopped":
        return "Stopped."
    if not side.text:
        return "It wrote nothing."
    cut = " It had more to say: raise the words under How they write." if side.cut else ""
    return f"Written in {took(side.seconds)}.{cut}"
