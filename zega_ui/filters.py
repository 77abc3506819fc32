"""What the filters of a page share: a choice of several, and the line that says what is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from zega_ui.components import plain
from zega_ui.teaching_form import mirror


def several(
    key: str,
    label: str,
    name: str,
    options: Mapping[str, str],
    now: Sequence[str],
    ticked: Callable[[str, str], None],
) -> None:
    """``ticked`` gets the key and ``name``, under which the address holds it."""
    st.multiselect(
        label,
        list(options),
        key=mirror(key, [value for value in options if value in now]),
        format_func=lambda value: options.get(value, value),
        placeholder="Any",
        on_change=ticked,
        args=(key, name),
    )


def line(counted: str, named: Sequence[str], clear: Callable[[], None]) -> None:
    """How many there are of what is looked at, in words, and the way back to everything."""
    if not named:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(plain(f"{counted}: {', '.join(named)}"), width="stretch")
        st.button("Show all", key="show-all", type="tertiary", icon=":material/close:", on_click=clear)
