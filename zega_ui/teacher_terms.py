"""What stands behind a teaching service, for those who want to change it: limits, price, address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import teacher_words
from zega_core.configs import ProviderKey
from zega_core.teachers import Place
from zega_ui import teaching_form as form
from zega_ui.components import plain


def limits(writer: str, place: Place, models: Sequence[str]) -> None:
    form.explain(form.terms_of(place.key))
    own = place.choice.limits
    listed = teacher_words.listed_limits(place, models)
    looked_up = teacher_words.day_in_words(place.provider.checked)
    if listed:
        by_model = ", by model where they differ" if any(" / " in amount for amount in listed.values()) else ""
        st.caption(f"In grey the limits as listed on {looked_up}{by_model}: an empty field takes them.")
    else:
        st.caption("No limit is listed: an empty field is no limit.")
    grid = st.grid(2, min_column_width=170, gap="small")
    for name, word in teacher_words.LIMIT_WORDS.items():
        endless = name in own and own[name] is None
        grid.number_input(
            word,
            step=1,
            value=None,
            key=form.mirror(f"{name}-{place.key}", own.get(name)),
            placeholder="no limit" if endless else listed.get(name, "no limit"),
            disabled=endless,
            on_change=form.set_limit,
            args=(writer, place.key, name, f"{name}-{place.key}"),
        )
    grid.number_input(
        "Requests at once",
        step=1,
        value=None,
        key=form.mirror(f"in_flight-{place.key}", place.choice.in_flight),
        placeholder=str(place.provider.in_flight),
        on_change=form.set_choice,
        args=(writer, place.key, "in_flight", f"in_flight-{place.key}"),
    )
    if listed:
        st.pills(
            "No limit on",
            [name for name in teacher_words.LIMIT_WORDS if name in listed],
            selection_mode="multi",
            format_func=lambda name: teacher_words.LIMIT_WORDS[name].lower(),
            key=form.mirror(f"endless-{place.key}", [name for name in listed if name in own and own[name] is None]),
            on_change=form.set_unlimited,
            args=(writer, place.key, f"endless-{place.key}"),
        )


def price(writer: str, place: Place, models: Sequence[str]) -> None:
    if place.local:
        st.caption("Costs nothing: it is on this machine.")
        return
    grid = st.grid(2, min_column_width=170, gap="small")
    listed = [place.provider.model(model) for model in models]
    for field, word in (("price_in", "Price for reading, $"), ("price_out", "Price for writing, $")):
        found = [getattr(model, field) for model in listed]
        grid.number_input(
            word,
            value=None,
            step=0.01,
            key=form.mirror(f"{field}-{place.key}", getattr(place.choice, field)),
            placeholder=" / ".join("not known" if price is None else f"{price:.2f}" for price in dict.fromkeys(found)),
            on_change=form.set_choice,
            args=(writer, place.key, field, f"{field}-{place.key}"),
        )
    st.caption(
        "US dollars for a million tokens. Grey is the list price of "
        f"{teacher_words.day_in_words(place.provider.checked)}; your own counts when both fields are filled."
    )


def address(writer: str, place: Place) -> None:
    if place.key == ProviderKey.openai_compatible:
        form.explain("base_url")
        st.text_input(
            "Address of the server",
            key=form.mirror("address", place.choice.base_url),
            placeholder=place.access.base_url or "http://localhost:1234/v1",
            on_change=form.set_choice,
            args=(writer, place.key, "base_url", "address"),
        )
    elif place.key == ProviderKey.ollama:
        st.caption(f"Address: {plain(teacher_words.host_of(place))}, from OLLAMA_HOST or Ollama's usual one.")
    else:
        st.caption(f"Address: {plain(teacher_words.host_of(place))}")
