"""What a model was given for a text: hints, recalled passages, what did not fit, and the prompt as it was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from zega_core.writing_tables import Take
from zega_ui.components import plain, prose

MOST_SHOWN = 20_000
"""Characters of a prompt that the page shows."""


def show(take: Take) -> None:
    context = take.context
    if not context:
        return
    with st.expander("What it was given", key=f"given-{take.id}"):
        _sentences("Hints on your style", _texts(context.get("hints")), "No hints went with it.")
        _recalled(take, context.get("recalled"))
        for line in _texts(context.get("no_room")):
            st.caption(plain(line))
        if left_out := _texts(context.get("left_out")):
            _sentences("What was left out", left_out, "")
        _prompt(take, context)


def _texts(value: Any) -> list[str]:
    """What is stored may be another version's."""
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _sentences(title: str, lines: Sequence[str], none: str) -> None:
    st.markdown(f"**{title}**")
    for line in lines:
        st.text(line)
    if not lines:
        st.caption(none)


def _recalled(take: Take, value: Any) -> None:
    passages = [one for one in value if isinstance(one, dict)] if isinstance(value, list | tuple) else []
    st.markdown("**What it recalled of yours**")
    if not passages:
        st.caption("Nothing was recalled.")
    for number, passage in enumerate(passages):
        st.caption(plain(str(passage.get("from_") or "One of your texts")))
        prose(str(passage.get("text") or ""), f"recalled-{take.id}-{number}")


def _prompt(take: Take, context: Mapping[str, Any]) -> None:
    sent = str(context.get("prompt") or "")
    messages = context.get("messages")
    if not sent and isinstance(messages, list):
        sent = "\n\n".join(str(one.get("content", "")) for one in messages if isinstance(one, dict))
    if not sent:
        return
    st.markdown("**The prompt as it was sent**")
    with st.container(key=f"sent-{take.id}", height=260 if len(sent) > 800 else "content"):
        st.text(sent[:MOST_SHOWN])
    if len(sent) > MOST_SHOWN:
        st.caption(f"These are its first {MOST_SHOWN:,} characters of {len(sent):,}.")
