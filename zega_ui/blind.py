"""Which text is better, chosen without knowing whose it is."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import proof_words as words
from zega_core import proving
from zega_core.proof_tables import Proof, ProofText
from zega_core.settings import get_settings
from zega_ui import teaching_form as form
from zega_ui.components import empty_state, genre_name, plain, prose

WHERE = "blind"
TO_THE_PAIR = """<script>
// {number}
const pair = document.querySelector('.st-key-blind-pair');
if (pair) {{ pair.style.scrollMarginTop = '5rem'; pair.scrollIntoView(); }}
</script>"""
"""Buttons are below the texts; the next texts begin above them. The number makes it run again."""
state = st.session_state


def mark_read(row: Proof, place: int) -> None:
    """From now on this tab of the browser knows which is which."""
    _places("read", row).add(place)


def _places(kind: str, row: Proof) -> set[int]:
    return state.setdefault(f"blind-{kind}-{row.id}", set())


def show(writer: str, row: Proof, texts: Sequence[ProofText]) -> None:
    """Two texts without names, what can be said of them, and what was said so far."""
    form.explain(WHERE)
    _tally(writer, row, texts)
    skipped = _places("skipped", row)
    left = words.waiting(texts, _places("read", row), skipped)
    if left:
        _pair(writer, row, left[0], len(left))
    elif skipped:
        empty_state(
            "skip_next",
            "You skipped the rest",
            "Every other pair has your choice, or you have read it with its names.",
            lambda: st.button("Show skipped pairs again", key="blind-unskip", on_click=skipped.clear),
        )
    elif any(map(words.is_whole, texts)):
        st.caption("There is no pair left to choose from. Those that you have read with their names do not count.")
    else:
        st.caption("No prompt has been answered by both so far.")


def asked(text: ProofText) -> None:
    """The prompt of a pair."""
    st.caption(plain(f"{genre_name(text.genre)} · both were asked:" if text.genre else "Both were asked:"))
    st.text(words.asked(text))


def _tally(writer: str, row: Proof, texts: Sequence[ProofText]) -> None:
    made = [text for text in texts if text.choice]
    if said := words.tally(texts, row):
        st.markdown(f"**{plain(said)}**")
    st.caption(words.counts_for(len(made)))
    last = words.last_chosen(texts)
    if last is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(plain(words.last_choice(last, row)), width="content")
            st.button(
                "Take it back",
                key="blind-undo",
                icon=":material/undo:",
                type="tertiary",
                on_click=form.act,
                args=(WHERE, proving.take_back, writer, row.run_id, get_settings()),
            )


def _pair(writer: str, row: Proof, text: ProofText, left: int) -> None:
    with st.container(key="blind-pair"):
        if state.pop("blind-turned", False):
            st.html(TO_THE_PAIR.format(number=hash((row.id, text.place))), unsafe_allow_javascript=True)
        st.markdown(f"**Which do you like better?** · {left} left")
        asked(text)
        sides = ("after", "before") if text.flipped else ("before", "after")
        for column, side, label in zip(st.columns(2, gap="large"), sides, ("This one", "That one"), strict=True):
            with column:
                prose(getattr(text, side), f"blind-{label[:4]}")
                _button(label, writer, row, text.place, side, "check")
    with st.container(horizontal=True, gap="small", key="blind-neither"):
        _button("Both alike", writer, row, text.place, "tie", "balance")
        st.button(
            "Skip",
            key="blind-skip",
            icon=":material/skip_next:",
            type="tertiary",
            on_click=_skip,
            args=(row, text.place),
        )


def _button(label: str, writer: str, row: Proof, place: int, choice: str, icon: str) -> None:
    st.button(
        label,
        key=f"blind-{label[:4].lower()}",
        icon=f":material/{icon}:",
        on_click=form.act,
        args=(WHERE, _choose, writer, row, place, choice),
    )


def _choose(writer: str, row: Proof, place: int, choice: str) -> None:
    proving.choose(writer, row.run_id, place, choice, get_settings())
    state["blind-turned"] = True


def _skip(row: Proof, place: int) -> None:
    _places("skipped", row).add(place)
    state["blind-turned"] = True
