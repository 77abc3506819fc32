"""One turn of a conversation as it is read again: question, answer, what became of it, and changing it."""

from __future__ import annotations

import streamlit as st

from zega_core import changes, conversation, conversation_words, db
from zega_core.analytics import plural
from zega_core.conversation_tables import Turn, TurnState
from zega_core.settings import Settings
from zega_core.store import conversations
from zega_core.tables import Example, ExampleStatus
from zega_ui import teaching_form as form
from zega_ui.components import plain, prose

ASKS, ANSWERS = ":material/ink_pen:", ":material/person:"
COLOURS = {"easy": "green", "medium": "yellow", "hard": "orange"}
LONG = 1500
"""Characters of an answer beyond which the rest of it is a click away."""
EDITED, UNDO_AT, TOLD = "turn-edited", "turn-undo", "turn-told"
"""Which turn is edited, at which one Undo takes back which change, and what that was."""
state = st.session_state


def where(turn: Turn) -> str:
    """Beside which turn a refusal is explained."""
    return f"turn-{turn.id}"


def question(turn: Turn) -> None:
    """What was asked, with its type, context and difficulty."""
    with st.container(horizontal=True, gap="xsmall", key=f"badges-{turn.id}"):
        if turn.kind:
            st.badge(plain(conversation_words.kind(turn.kind)), icon=":material/edit:", color="gray")
        if turn.context:
            st.badge(plain(" ".join(turn.context.split())), icon=":material/location_on:", color="gray")
        level = conversation_words.difficulty(turn.difficulty)
        st.badge(plain(level), icon=":material/stairs:", color=COLOURS.get(turn.difficulty, "gray"))  # type: ignore[arg-type]
    with st.container(key=f"asked-{turn.id}"):
        st.text(turn.question)


def past(writer: str, settings: Settings, key: str, turn: Turn, example: Example | None) -> None:
    """A turn of the conversation ``key`` that is answered or skipped."""
    if turn.state == TurnState.skipped:
        form.explain(where(turn))
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"skipped-{turn.id}"):
            st.caption(f":material/skip_next: Skipped: {plain(_short(turn.question))}", width="stretch")
            st.button(
                "Answer it after all",
                type="tertiary",
                key=f"ask-{turn.id}",
                on_click=form.act,
                args=(where(turn), _ask, writer, key, turn),
            )
        return
    with st.chat_message("assistant", avatar=ASKS):
        question(turn)
    with st.chat_message("user", avatar=ANSWERS):
        form.explain(where(turn))
        if example is None:
            st.caption("You deleted this answer. Your model does not learn from it.")
            _undo(writer, settings, turn)
        elif state.get(EDITED) == turn.id or turn.draft:
            _editor(writer, settings, turn, example)
        else:
            _answer(writer, settings, turn, example)


def _ask(writer: str, key: str, turn: Turn) -> None:
    with db.session() as session:
        conversation.ask_after_all(session, writer, key, turn.id or 0)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else f"{line[:88]}…"


def _answer(writer: str, settings: Settings, turn: Turn, example: Example) -> None:
    text = example.completion
    if len(text) <= LONG:
        prose(text, f"turn-{turn.id}")
    else:
        prose(f"{text[: LONG // 2]}…", f"turn-{turn.id}")
        with st.expander(f"Read all {plural(len(text.split()), 'word')}", key=f"all-{turn.id}"):
            prose(text, f"turn-all-{turn.id}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"state-{turn.id}"):
        left_out = example.status != ExampleStatus.kept
        if left_out:
            said = conversation_words.left_out(example.reason or "")
            st.caption(f":orange[:material/remove_circle:] {plain(said)}", width="stretch")
            if conversation.may_insist(example):
                st.button(
                    "Count it all the same",
                    type="tertiary",
                    key=f"insist-{turn.id}",
                    on_click=form.act,
                    args=(where(turn), _insist, writer, settings, turn),
                )
        else:
            told = "Saved, changed by you" if example.edited_at else "Saved"
            st.caption(f":material/bookmark_added: {told}", width="stretch")
        key = f"menu-{turn.id}"
        st.menu_button(
            "Change",
            ["Edit", "Delete"],
            type="tertiary",
            key=key,
            on_click=lambda: _chosen(writer, settings, turn, state[key]),
        )
    _undo(writer, settings, turn)


def _chosen(writer: str, settings: Settings, turn: Turn, choice: str | None) -> None:
    if choice == "Edit":
        edit(turn.id)
    elif choice == "Delete":
        form.act(where(turn), _delete, writer, settings, turn)


def edit(turn_id: int | None) -> None:
    """Open the answer of a turn to be changed."""
    state[EDITED] = turn_id
    state.pop(f"edit-{turn_id}", None)


def _editor(writer: str, settings: Settings, turn: Turn, example: Example) -> None:
    key = f"edit-{turn.id}"
    if key not in state:
        state[key] = turn.draft or example.completion
    if turn.draft:
        st.caption("This question was answered in another window first, and that answer is saved:")
        prose(example.completion, f"first-{turn.id}")
        st.caption("Here is what you wrote in this one. Nothing of it is lost.")
    st.text_area("Change your answer", key=key, height=190)
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Save the change",
            key=f"save-edit-{turn.id}",
            icon=":material/check:",
            on_click=form.act,
            args=(where(turn), _save_edit, writer, settings, turn),
        )
        st.button(
            "Leave it as it was",
            type="tertiary",
            key=f"leave-{turn.id}",
            on_click=form.act,
            args=(where(turn), _leave, writer, turn),
        )


def _save_edit(writer: str, settings: Settings, turn: Turn) -> None:
    with db.session() as session:
        before = changes.newest_batch(session, writer)
        conversation.edit(session, writer, turn.id or 0, str(state[f"edit-{turn.id}"]), settings)
        made = changes.newest_batch(session, writer)
    state.pop(EDITED, None)
    state[UNDO_AT] = (turn.id, made) if made != before else None  # the same words are no change
    state[TOLD] = "The change is saved."


def _leave(writer: str, turn: Turn) -> None:
    """The answer as it is now: another window may have changed it since this one was drawn."""
    with db.session() as session:
        conversations.drop_draft(session, writer, turn.id or 0)
    state.pop(EDITED, None)


def _insist(writer: str, settings: Settings, turn: Turn) -> None:
    with db.session() as session:
        conversation.insist(session, writer, turn.id or 0, settings)
    state[UNDO_AT] = None


def _delete(writer: str, settings: Settings, turn: Turn) -> None:
    with db.session() as session:
        conversation.delete(session, writer, turn.id or 0, settings)
        made = changes.newest_batch(session, writer)
    state[UNDO_AT], state[TOLD] = (turn.id, made), "The answer is deleted."


def _undo(writer: str, settings: Settings, turn: Turn) -> None:
    """Right after a change: what was done, and taking it back, as long as nothing else was changed since."""
    at, made = state.get(UNDO_AT) or (None, "")
    if at != turn.id:
        return
    with db.reading() as session:
        if changes.newest_batch(session, writer) != made:
            return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="undo-line"):
        st.caption(state.get(TOLD, ""))
        st.button(
            "Undo",
            icon=":material/undo:",
            type="tertiary",
            key="undo-turn",
            on_click=form.act,
            args=(where(turn), _take_back, writer, settings, made),
        )


def _take_back(writer: str, settings: Settings, made: str) -> None:
    with db.session() as session:
        said = conversation.undo(session, writer, settings, batch=made)
    state.pop(UNDO_AT, None)
    if said:
        st.toast(plain(said), icon=":material/undo:")
