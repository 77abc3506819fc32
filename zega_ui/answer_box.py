"""Where the writer answers: a text area whose draft cannot be lost, with a live word count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from zega_core.conversation_tables import Turn
from zega_ui import drafts

SAVE = "save-answer"
HEIGHT = 190
"""Pixels of the text area: about seven lines, and it can be pulled larger."""
state = st.session_state

_script = drafts.script("answer_box")


@dataclass(frozen=True, slots=True)
class Written:
    """What is in the box: ``seconds`` were spent typing it, 0 where that is not known."""

    text: str
    seconds: float = 0.0


def box_key(turn: Turn) -> str:
    return f"answer-{turn.id}"


def script_key(turn: Turn) -> str:
    return f"keeps-{turn.id}"


def entry(conversation_key: str, turn_id: int | None) -> str:
    """Under which the browser keeps a draft. With the conversation's key: a new database counts turns from 1 again."""
    return f"{conversation_key}:{turn_id}"


def written(turn: Turn) -> Written:
    """The script hands over what is in the box with each press of Save; without it, the text area does."""
    in_area = str(state.get(box_key(turn)) or "")
    told: Any = state.get(script_key(turn))
    told = getattr(told, "draft", None) if told is not None else None
    if not isinstance(told, dict) or told.get("turn") != turn.id or not isinstance(told.get("text"), str):
        return Written(in_area)
    seconds = told.get("seconds")
    return Written(told["text"], float(seconds) if isinstance(seconds, int | float) else 0.0)


def show(
    conversation_key: str,
    turn: Turn,
    *,
    keep: Callable[[str], None],
    focus: Literal["cursor", "view", ""],
    forget: Sequence[int],
) -> None:
    """``keep`` stores a draft. ``focus`` puts the cursor here, or brings this into view, once a turn. ``forget`` are
    turns whose draft the browser needs no more."""
    if box_key(turn) not in state:
        state[box_key(turn)] = turn.draft
    st.text_area(
        "Your answer",
        key=box_key(turn),
        height=HEIGHT,
        placeholder="Write it the way you would",
        on_change=lambda: keep(str(state.get(box_key(turn)) or "")),
    )
    _script(
        key=script_key(turn),
        data={
            "box": box_key(turn),
            "button": SAVE,
            "keys": " · Ctrl+Enter saves",
            "entry": entry(conversation_key, turn.id),
            "turn": turn.id,
            "draft": turn.draft,
            "words": turn.words,
            "focus": focus,
            "forget": [entry(conversation_key, one) for one in forget],
        },
        on_draft_change=lambda: keep(written(turn).text),
    )


def save_button(turn: Turn, save: Callable[[Written], None]) -> None:
    st.button("Save answer", key=SAVE, type="primary", icon=":material/check:", on_click=lambda: save(written(turn)))
