"""Text areas of the page Write, whose text outlives a refresh: this browser keeps every key press."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

state = st.session_state

_script = component(
    "zega_write_draft",
    html="<span data-count></span><span data-keys></span>",
    css="""
    :host, span { font: 400 0.875rem/1.4 "Source Sans", sans-serif; color: light-dark(#5A6166, #A9AFB0); }
    @media (hover: none) { [data-keys] { display: none; } }
    """,
    js=(Path(__file__).parent / "write_draft.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """One text area: its key, under which name the browser keeps its text, the key of the button that uses it, and what
    that does."""

    key: str
    entry: str
    button: str
    does: str = "writes"

    @property
    def script(self) -> str:
        return f"{self.key}-keeps"

    @property
    def said(self) -> str:
        return f"{self.key}-said"


def area(draft: Draft, label: str, *, height: int, placeholder: str = "", begin: str = "") -> None:
    """``begin`` is its text where this visit has none yet and the browser has kept none."""
    if draft.key not in state:
        state[draft.key] = begin
    st.text_area(label, key=draft.key, height=height, placeholder=placeholder, persist_state="session")
    number, told = state.get(draft.said, (0, None))
    _script(
        key=draft.script,
        data={
            "box": draft.key,
            "button": draft.button,
            "keys": f" · Ctrl+Enter {draft.does}",
            "entry": draft.entry,
            "number": number,
            "told": told,
        },
        on_draft_change=lambda: _bring_in(draft),
    )


def text(draft: Draft) -> str:
    """What is in it. The script hands that over with each press of the button; without it, the text area does."""
    handed = _handed(draft)
    return str(state.get(draft.key) or "") if handed is None else handed


def _handed(draft: Draft) -> str | None:
    told: Any = state.get(draft.script)
    told = getattr(told, "draft", None) if told is not None else None
    if not isinstance(told, dict) or told.get("number") != state.get(draft.said, (0, None))[0]:
        return None
    return told["text"] if isinstance(told.get("text"), str) else None


def _bring_in(draft: Draft) -> None:
    handed = _handed(draft)
    if handed is not None:
        state[draft.key] = handed


def fill(draft: Draft, words: str) -> None:
    """Put a text into it, here and in what the browser keeps."""
    _say(draft, words, words)


def forget(draft: Draft) -> None:
    """The browser need not keep it any longer; the text area does."""
    _say(draft, text(draft), None)


def _say(draft: Draft, words: str, told: str | None) -> None:
    number, _ = state.get(draft.said, (0, None))
    state[draft.key], state[draft.said] = words, (number + 1, told)
