"""*Show me an example*: how somebody else would answer the open question. It is never the writer's own."""

from __future__ import annotations

import streamlit as st

from zega_core import asking, db, providers
from zega_core.conversation_tables import Turn
from zega_core.jobs import client
from zega_core.questions.ask import example_by_storyteller
from zega_core.settings import Settings
from zega_core.store import conversations
from zega_ui import teaching_form as form
from zega_ui.components import plain, shielded

WHERE = "example"
SHOWN = "example-shown"
state = st.session_state


def show(writer: str, settings: Settings, turn: Turn) -> None:
    shown = state.get(SHOWN)
    form.explain(WHERE)
    if shown is None or shown[0] != turn.id:
        st.button(
            "Show me an example",
            icon=":material/lightbulb:",
            type="tertiary",
            key="show-example",
            on_click=form.act,
            args=(WHERE, _ask, writer, settings, turn),
        )
        return
    if shown[1] == "teacher" and not turn.example:
        st.fragment(shielded(_waiting), run_every=1)(writer, turn)
        return
    text, who = (turn.example, turn.example_by) if shown[1] == "teacher" else (_storyteller(turn), "storyteller")
    with st.container(border=True, key="example-of-another", gap="xsmall"):
        name = "the storyteller" if who == "storyteller" else providers.label_of(who)
        st.caption(plain(f"An example by {name}. It is not yours and is not learned from."))
        with st.container(key="asked-example"):
            st.text(text)
        st.button("Hide it", type="tertiary", key="hide-example", on_click=state.pop, args=(SHOWN, None))


def _storyteller(turn: Turn) -> str:
    return example_by_storyteller(turn.question, turn.genre, turn.element, seed=turn.id or 0)


def _ask(writer: str, settings: Settings, turn: Turn) -> None:
    with db.reading() as session:
        teacher = asking.teacher_may_ask(session, writer, settings)
    if teacher and not turn.example:
        client.ask_for_example(writer, turn.id or 0, settings)
    state[SHOWN] = (turn.id, "teacher" if teacher else "storyteller")


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
            on_click=lambda: state.update({SHOWN: (turn.id, "storyteller")}),
        )
