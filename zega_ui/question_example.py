"""*Show me an example*: how somebody else would answer the open question. It is never the writer's own."""

from __future__ import annotations

import streamlit as st

from zega_core import db, providers
from zega_core.conversation_tables import Turn
from zega_core.jobs import client
from zega_core.questions.ask import example_by_storyteller
from zega_core.settings import Settings
from zega_core.store import conversations
from zega_ui import teaching_form as form
from zega_ui.components import plain, shielded

WHERE = "example"
SHOWN, IMPATIENT = "example-shown", "example-at-once"
"""Of which turn an example is shown, and of which the storyteller's instead of waiting for a teacher's."""
state = st.session_state


def show(writer: str, settings: Settings, turn: Turn) -> None:
    form.explain(WHERE)
    if state.get(SHOWN) != turn.id:
        st.button(
            "Show me an example",
            icon=":material/lightbulb:",
            type="tertiary",
            key="show-example",
            on_click=form.act,
            args=(WHERE, _ask, writer, settings, turn),
        )
    elif turn.example:
        who = "the storyteller" if turn.example_by == "storyteller" else providers.label_of(turn.example_by)
        _example(turn.example, who)
    elif state.get(IMPATIENT) == turn.id:
        _example(example_by_storyteller(turn.question, turn.genre, turn.element, seed=turn.id or 0), "the storyteller")
    else:
        st.fragment(shielded(_waiting), run_every=1)(writer, turn)


def _example(text: str, who: str) -> None:
    with st.container(border=True, key="example-of-another", gap="xsmall"):
        st.caption(plain(f"An example by {who}. It is not yours and is not learned from."))
        with st.container(key="asked-example"):
            st.text(text)
        st.button("Hide it", type="tertiary", key="hide-example", on_click=state.pop, args=(SHOWN, None))


def _ask(writer: str, settings: Settings, turn: Turn) -> None:
    client.ask_for_example(writer, turn.id or 0, settings)
    state[SHOWN] = turn.id


def _waiting(writer: str, turn: Turn) -> None:
    with db.reading() as session:
        if conversations.turn(session, writer, turn.id or 0).example:
            st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(":material/hourglass_top: A teacher writes an example. You can go on writing meanwhile.")
        st.button(
            "Show the storyteller's instead",
            type="tertiary",
            key="storytellers-example",
            on_click=state.update,
            args=({IMPATIENT: turn.id},),
        )
