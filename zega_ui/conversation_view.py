"""The conversation itself: what was asked and answered, and the question that is open."""

from __future__ import annotations

from logging import getLogger

import streamlit as st

from zega_core import asking, conversation, conversation_words, covering, db, talking
from zega_core.conversation_tables import Conversation, Turn, TurnState
from zega_core.errors import ZegaError
from zega_core.jobs import client
from zega_core.settings import Settings
from zega_core.store import conversations
from zega_ui import answer_box, conversation_list, conversation_turn, question_example, training_popover, training_strip
from zega_ui import teaching_form as form
from zega_ui.answer_box import Written
from zega_ui.components import plain, shielded

log = getLogger(__name__)
WHERE = "answer"
RECENT, MORE = 3, 20
"""Earlier turns that are shown, and how many each *Show earlier* adds."""
SAVED, AFTER, LENGTH, AHEAD, FORGET = "saved-last", "after-saving", "turns-shown", "questions-ahead", "drafts-to-forget"
state = st.session_state


def show(writer: str, settings: Settings) -> None:
    with db.reading() as session:
        rows = conversations.of_writer(session, writer)
    row = conversation_list.shown(rows)
    if row is None:
        conversation_list.first(writer, settings)
        return
    conversation_list.bar(writer, settings, row, rows)
    earlier = _thread(writer, settings, row)
    if row.paused:
        _paused(writer, row)
    else:
        turn = _open_question(writer, settings, row)
        with st.chat_message("assistant", avatar=conversation_turn.ASKS):
            conversation_turn.question(turn)
            if turn.lack:
                st.caption(f":material/target: Why this one: {plain(turn.lack)}")
            question_example.show(writer, settings, turn)
        st.fragment(shielded(_box))(writer, settings, row, turn, earlier)
    training_strip.show(writer, settings)
    training_popover.show(writer, settings, line=False)
    if not row.paused:
        _ask_ahead(writer, settings, row)


def _thread(writer: str, settings: Settings, row: Conversation) -> bool:
    """What was said so far; whether there is anything."""
    length = state.get(f"{LENGTH}-{row.key}", RECENT)
    with db.reading() as session:
        found = conversations.turns(
            session, writer, row.key, limit=length + 2
        )  # the open one, and whether there is more
    said = [pair for pair in found if pair[0].state in (TurnState.answered, TurnState.skipped)]
    with st.container(key="thread"):
        if len(said) > length:
            st.button(
                "Show earlier", icon=":material/expand_less:", key="earlier", on_click=_more, args=(row.key, length)
            )
        else:
            with st.chat_message("assistant", avatar=conversation_turn.ASKS):
                st.text(conversation_words.welcome(row.purpose))
        for turn, example in said[-length:]:
            conversation_turn.past(writer, settings, row.key, turn, example)
    return bool(said)


def _more(key: str, length: int) -> None:
    state[f"{LENGTH}-{key}"] = length + MORE


def _paused(writer: str, row: Conversation) -> None:
    with st.container(border=True, key="paused"):
        st.text("This conversation is paused. Everything in it is safe, and your question waits.")
        st.button(
            "Go on",
            type="primary",
            icon=":material/play_arrow:",
            key="go-on",
            on_click=form.act,
            args=(conversation_list.WHERE, conversation_list.pause, writer, row.key, False),
        )


def _open_question(writer: str, settings: Settings, row: Conversation) -> Turn:
    with db.reading() as session:
        turn = conversations.open_turn(session, row)
        if turn is not None:
            return turn
        covering.covered(session, writer, settings)  # counting takes its time with many examples: nobody waits for it
    with db.session() as session:
        return conversation.question(session, writer, row.key, settings)


def _box(writer: str, settings: Settings, row: Conversation, turn: Turn, earlier: bool) -> None:
    """The part that is drawn anew while the writer types; the whole page is when an answer is saved or skipped."""
    if state.pop(AFTER, False):
        st.rerun()
    form.explain(WHERE)
    focus = "cursor" if state.get(SAVED, (None,))[0] == row.key else "view" if earlier else ""
    answer_box.show(
        row.key,
        turn,
        keep=lambda text: _keep(writer, turn, text),
        focus=focus,
        forget=[one for one in state.get(FORGET, ()) if one != turn.id],  # it may have been taken back
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="answer-actions"):
        answer_box.save_button(turn, lambda written: form.act(WHERE, _save, writer, settings, row.key, turn, written))
        st.button(
            "Skip",
            icon=":material/skip_next:",
            type="tertiary",
            key="skip",
            help="Another question comes. You can still answer this one later.",
            on_click=form.act,
            args=(WHERE, _skip, writer, row.key, turn),
        )
        key, line = state.get(SAVED, (None, ""))
        if key == row.key and line:
            st.caption(f":material/check_circle: {plain(line)}", width="stretch")


def _keep(writer: str, turn: Turn, text: str) -> None:
    try:
        with db.session() as session:
            conversation.save_draft(session, writer, turn.id or 0, text)
    except ZegaError as error:  # the browser has it, and the text area shows it
        log.warning("a draft waits: %s", error)


def _save(writer: str, settings: Settings, key: str, turn: Turn, written: Written) -> None:
    with db.session() as session:
        found = conversation.answer(session, writer, key, turn.id or 0, written.text, settings, seconds=written.seconds)
        other = conversations.turn(session, writer, turn.id or 0).draft if found.again else ""
    state[AFTER], state[FORGET] = True, (turn.id,)
    state[SAVED] = (key, conversation_words.saved(found))
    state.pop(conversation_turn.UNDO_AT, None)
    if other:
        conversation_turn.edit(turn.id)
    state[AHEAD] = None
    talking.follow_up(writer, settings)


def _skip(writer: str, key: str, turn: Turn) -> None:
    with db.session() as session:
        conversation.skip(session, writer, key, turn.id or 0)
    state[AFTER], state[AHEAD], state[SAVED] = True, None, (key, "")


def _ask_ahead(writer: str, settings: Settings, row: Conversation) -> None:
    """Have the next questions ready before they are needed: after all is drawn, once for each question."""
    if state.get(AHEAD) == row.key:
        return
    with db.reading() as session:
        may = asking.teacher_may_ask(session, writer, settings)
    if may:
        client.prepare_questions(writer, row.key, settings)
    state[AHEAD] = row.key
