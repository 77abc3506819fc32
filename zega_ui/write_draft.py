"""Text areas and lines of the page Write, whose text outlives a refresh: this browser keeps every key press."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from zega_ui import drafts

state = st.session_state

_script = drafts.script("write_draft")
_unseen = drafts.script("write_draft", seen=False)
_no_longer = drafts.script("drafts_gone", seen=False)
GONE = "drafts-gone"
"""What the browser need not keep any longer, and the number of the word that said so."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One text area or line: its key, under which name the browser keeps its text, the key of the button that uses it,
    and what that does."""

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
    _keep(draft, _script)


def line(draft: Draft, label: str, *, most: int, placeholder: str = "", begin: str = "") -> None:
    """The same with at most ``most`` characters in one line, and without a count."""
    if draft.key not in state:
        state[draft.key] = begin
    with st.container(gap=None):
        st.text_input(label, key=draft.key, max_chars=most, placeholder=placeholder, persist_state="session")
        _keep(draft, _unseen)


def _keep(draft: Draft, script: Any) -> None:
    number, told = state.get(draft.said, (0, None))
    script(
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
    state.get(GONE, {}).pop(draft.entry, None)


def forget(draft: Draft) -> None:
    """The browser need not keep it any longer (``tidy`` tells it so); the text area does."""
    _say(draft, text(draft), None)
    state[GONE] = {**state.get(GONE, {}), draft.entry: state[draft.said][0]}


def tidy() -> None:
    """At the end of what is drawn: the text area of what is not needed any more may not be there to tell."""
    if state.get(GONE):
        _no_longer(key="drafts-no-longer", data={"gone": state[GONE]})


def _say(draft: Draft, words: str, told: str | None) -> None:
    number, _ = state.get(draft.said, (0, None))
    state[draft.key], state[draft.said] = words, (number + 1, told)
