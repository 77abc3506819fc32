"""A writer's conversations: the first one, which of several is shown, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import conversation, conversation_words, db, triggers
from zega_core.analytics import plural
from zega_core.conversation_tables import Conversation
from zega_core.settings import Settings
from zega_core.store import conversations
from zega_ui import teaching_form as form
from zega_ui.components import plain
from zega_ui.teacher_cards import clock

WHERE = "conversations"
ADDRESS = "conversation"
"""In the address: which one is shown."""
PICKED, PURPOSE, NAME = "picked-conversation", "purpose", "conversation-name"
PURPOSE_LABEL = "What should your model be able to do?"
PURPOSE_HINT = "Cosy mysteries set in a lighthouse village"
MOST_PURPOSE = 2000
state = st.session_state


def shown(rows: Sequence[Conversation]) -> Conversation | None:
    """The one that the address names, else the one used last; None where there is none."""
    wanted = st.query_params.get(ADDRESS, "")
    return next((row for row in rows if row.key == wanted), rows[0] if rows else None)


def look_at(key: str) -> None:
    st.query_params[ADDRESS] = key


def first(writer: str, settings: Settings) -> None:
    """Where there is no conversation yet."""
    with db.reading() as session:
        goal = triggers.goal(session, writer, settings)
    with st.container(border=True, key="empty-conversation", gap="small"):
        st.header("Teach it your voice", anchor=False)
        st.markdown(
            "1. ZEGA asks for a few sentences: a scene, a voice, a place.\n"
            "2. You answer the way you would write it. Every answer is saved at once.\n"
            f"3. {conversation_words.what_follows(goal)}"
        )
        form.explain(WHERE)
        st.text_area(
            f"{PURPOSE_LABEL} (optional)", key=PURPOSE, placeholder=PURPOSE_HINT, height=80, max_chars=MOST_PURPOSE
        )
        st.button(
            "Start",
            type="primary",
            icon=":material/forum:",
            key="start-conversation",
            on_click=form.act,
            args=(WHERE, _start, writer, settings),
        )
        st.caption("There is no right answer, only yours. You can skip, change or delete any of them.")


def _start(writer: str, settings: Settings) -> None:
    purpose = str(state.get(PURPOSE) or "").strip()
    with db.session() as session:
        row = conversation.start(session, writer, settings, purpose=purpose)
        key = row.key
    look_at(key)


def bar(writer: str, settings: Settings, row: Conversation, rows: Sequence[Conversation]) -> None:
    """The name of the conversation, the others, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="conversation-bar"):
        st.header(plain(row.name), anchor=False, width="stretch")
        with st.popover("Conversations", icon=":material/forum:", key="conversations"):
            _others(writer, settings, row, rows)
        with st.popover("Options", icon=":material/more_horiz:", key="this-conversation"):
            _settings(writer, row)
    form.explain(WHERE)


def _others(writer: str, settings: Settings, row: Conversation, rows: Sequence[Conversation]) -> None:
    if len(rows) > 1:
        answered = _answered(writer)
        labels = {
            one.key: f"{one.name} · {plural(answered.get(one.key, 0), 'answer')} · {clock(one.used_at)}"
            + (" · paused" if one.paused else "")
            for one in rows
        }
        st.radio(
            "Go on with",
            list(labels),
            format_func=lambda key: plain(labels[key]),
            key=form.shows(PICKED, row.key),
            on_change=lambda: look_at(state[PICKED]),
        )
    st.text_input("Name of a new one (optional)", key="new-name", max_chars=80)
    st.text_area(f"{PURPOSE_LABEL} (optional)", key="new-purpose", height=80, max_chars=MOST_PURPOSE)
    st.button(
        "New conversation",
        icon=":material/add:",
        key="new-conversation",
        on_click=form.act,
        args=(WHERE, _new, writer, settings),
    )


def _answered(writer: str) -> dict[str, int]:
    with db.reading() as session:
        return conversations.answered(session, writer)


def _new(writer: str, settings: Settings) -> None:
    name, purpose = (str(state.get(field) or "").strip() for field in ("new-name", "new-purpose"))
    with db.session() as session:
        key = conversation.start(session, writer, settings, purpose=purpose, name=name).key
    state["new-name"] = state["new-purpose"] = ""
    look_at(key)


def _settings(writer: str, row: Conversation) -> None:
    key = row.key
    st.text_input("Name", key=_beginning(f"{NAME}-{key}", row.name), max_chars=80)
    st.text_area(PURPOSE_LABEL, key=_beginning(f"{PURPOSE}-{key}", row.purpose), height=80, max_chars=MOST_PURPOSE)
    st.button("Save", key="save-conversation", on_click=form.act, args=(WHERE, _change, writer, row))
    st.divider()
    st.button(
        "Go on" if row.paused else "Pause",
        icon=":material/play_arrow:" if row.paused else ":material/pause:",
        key="pause-conversation",
        on_click=form.act,
        args=(WHERE, pause, writer, key, not row.paused),
    )
    st.caption("A paused conversation stays as it is until you go on.")
    st.divider()
    st.checkbox("Delete its answers, too", key=f"with-answers-{key}")
    st.checkbox("Yes, delete this conversation", key=f"sure-{key}")
    st.button(
        "Delete",
        icon=":material/delete:",
        key="delete-conversation",
        disabled=not state.get(f"sure-{key}"),
        on_click=form.act,
        args=(WHERE, _delete, writer, key),
    )
    st.caption("Without its answers, they stay among your examples, and your model goes on learning from them.")


def _beginning(key: str, stored: str) -> str:
    """The key of a field that begins with what is stored, and keeps what is typed until that is changed elsewhere."""
    if state.get(f"{key}-stored") != stored or key not in state:
        state[f"{key}-stored"] = state[key] = stored
    return form.shows(key, state[key])


def _change(writer: str, row: Conversation) -> None:
    name, purpose = str(state[f"{NAME}-{row.key}"]), str(state[f"{PURPOSE}-{row.key}"]).strip()
    with db.session() as session:
        conversation.rename(session, writer, row.key, name)
        if purpose != row.purpose:
            conversation.set_purpose(session, writer, row.key, purpose)


def pause(writer: str, key: str, paused: bool) -> None:
    with db.session() as session:
        (conversation.pause if paused else conversation.go_on)(session, writer, key)


def _delete(writer: str, key: str) -> None:
    with db.session() as session:
        conversation.delete_conversation(session, writer, key, with_answers=bool(state.get(f"with-answers-{key}")))
    st.query_params.pop(ADDRESS, None)
