"""The passages of own pages with their prompts: read, and corrected, in a table or one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from zega_core import db, own_pages
from zega_core.analytics import plural
from zega_core.conversation_tables import Manuscript
from zega_core.settings import get_settings
from zega_core.store import manuscripts
from zega_core.tables import Example
from zega_ui.components import guarded, plain, prose, score_badge, section, why

state = st.session_state
SIZE = 25
"""Passages on a page of the table."""
SAVED = "prompts-saved"
"""Counts saved corrections: the table is drawn anew after each."""
_OPENING = 120
"""Characters of a passage that the table shows."""


def show(writer: str, rows: Sequence[Manuscript]) -> None:
    """Nothing where no passage is stored yet."""
    if not rows:
        return
    section(
        "Passages and prompts",
        "Your model learns to answer each prompt with its passage. Correct a prompt that does not fit: what would "
        "somebody have asked for, in a sentence?",
    )
    names = {row.run_id: row.name for row in rows}
    chosen = st.selectbox("Pages", list(names), format_func=names.__getitem__, key="prompts-of") or rows[0].run_id
    row = next((row for row in rows if row.run_id == chosen), rows[0])
    with db.reading() as session:
        total = manuscripts.count(session, writer, row.id or 0)
    pages = max(1, -(-total // SIZE))
    number = st.pagination(pages, key=f"prompts-page-{row.run_id}") if pages > 1 else 1
    with db.reading() as session:
        passages = manuscripts.page(session, writer, row.id or 0, number=number, size=SIZE)
    if not passages:
        return
    _table(writer, row, passages, number)
    _one(writer, passages)


def _table(writer: str, row: Manuscript, passages: Sequence[Example], number: int) -> None:
    frame = pd.DataFrame(
        {
            "Nr": [(one.idx or 0) + 1 for one in passages],
            "Prompt": [one.prompt for one in passages],
            "Passage": [_opening(one.completion) for one in passages],
            "Kept": ["kept" if one.status == "kept" else "set aside" for one in passages],
        }
    )
    key = f"prompts-{row.run_id}-{number}-{state.get(SAVED, 0)}"
    st.data_editor(
        frame,
        key=key,
        hide_index=True,
        disabled=["Nr", "Passage", "Kept"],
        column_config={
            "Nr": st.column_config.NumberColumn(width=50),
            "Prompt": st.column_config.TextColumn(
                width=420, required=True, max_chars=own_pages.LONGEST_PROMPT, help="Double-click to correct it."
            ),
            "Passage": st.column_config.TextColumn(width=280),
            "Kept": st.column_config.TextColumn(width=90),
        },
        on_change=guarded,
        args=(_save_table, writer, key, tuple(one.id or 0 for one in passages)),
    )
    st.caption(f"{plural(len(passages), 'passage')} on this page. A correction is saved as soon as you leave its cell.")


def _opening(text: str) -> str:
    line = " ".join(text[: 2 * _OPENING].split())
    return line if len(line) <= _OPENING else f"{line[:_OPENING]}…"


def _save_table(writer: str, key: str, ids: Sequence[int]) -> None:
    """What was typed into the table; ``ids`` are the examples of its rows."""
    edited = state.get(key, {}).get("edited_rows", {})
    for position, values in edited.items():
        if values.get("Prompt"):
            _save(writer, ids[int(position)], values["Prompt"])


def _save(writer: str, example_id: int, prompt: str) -> None:
    with db.session() as session:
        said = own_pages.rewrite_prompt(session, writer, example_id, prompt, get_settings())
    state[SAVED] = state.get(SAVED, 0) + 1
    st.toast(said)


def _one(writer: str, passages: Sequence[Example]) -> None:
    """One passage in full, with its prompt to be corrected."""
    by_number = {(one.idx or 0) + 1: one for one in passages}
    number = st.selectbox(
        "Read a passage", list(by_number), index=None, key="prompts-read", placeholder="Choose its number", width=240
    )
    passage = by_number.get(number or 0)
    if passage is None:
        return
    with st.container(border=True, key="prompts-one"):
        key = f"prompts-text-{passage.id}-{state.get(SAVED, 0)}"
        st.text_area("Prompt", passage.prompt, key=key, max_chars=own_pages.LONGEST_PROMPT, height=80)
        st.button(
            "Save prompt", icon=":material/save:", key="prompts-save", on_click=guarded, args=(_save_one, writer, key,
            passage.id or 0),
        )  # fmt: skip
        score_badge(passage)
        prose(passage.completion, f"passage-{passage.id}")
        with st.expander("Why it scored so"):
            why(passage)
    st.caption(plain("Your own words are kept whatever they score; only what repeats another text is set aside."))


def _save_one(writer: str, key: str, example_id: int) -> None:
    _save(writer, example_id, str(state.get(key, "")))
