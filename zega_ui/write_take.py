"""One text: who wrote it, the text itself, and what the writer can do with it."""

from __future__ import annotations

from hashlib import blake2b

import streamlit as st

from zega_core import writing_words
from zega_core.settings import Settings
from zega_core.writing_tables import Take, TakeState, Writing
from zega_ui import teaching_form as form
from zega_ui import write_actions, write_draft, write_given, write_list
from zega_ui.components import error_state, plain, prose
from zega_ui.write_draft import Draft

state = st.session_state


def where(take: Take) -> str:
    """Beside which text a refusal is explained."""
    return f"take-{take.id}"


def edit_draft(take: Take) -> Draft:
    """What is typed goes with the text that it changes: beside a newer one it would be out of place."""
    stamp = blake2b(take.text.encode(errors="replace"), digest_size=8).hexdigest()
    return Draft(f"edit-take-{take.id}", f"take:{take.key}:{stamp}", f"save-take-{take.id}", "saves")


def show(writer: str, settings: Settings, row: Writing, take: Take) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"by-{take.id}"):
        st.markdown(f"**{plain(take.label or 'Your model')}**", width="content")
        if take.chosen:
            st.badge("You liked this one better", icon=":material/check:", color="green")
    if take.note and not (take.state == TakeState.writing and not take.text):
        st.caption(f":material/info: {plain(take.note)}")
    if st.query_params.get(write_list.EDIT) == str(take.id) and take.state != TakeState.writing:
        _editor(writer, settings, take)
        return
    if take.text:
        prose(take.text, f"take-{take.id}")
    if take.state == TakeState.failed:
        error_state("It broke off" if take.text else "It could not write", take.error, key=f"take-error-{take.id}")
    elif take.state == TakeState.writing and not take.text:
        st.caption(plain(take.note or "Its model is being loaded. The first time takes some seconds."))
        st.skeleton(160)
    else:
        st.caption(plain(said(take)))
    if take.state != TakeState.writing and take.text:
        _below(writer, settings, row, take)
    if take.state != TakeState.writing:
        write_given.show(take)


def said(take: Take) -> str:
    """What became of it, in one line; not Markdown."""
    return writing_words.progress(take) + (" Changed by you." if take.edited_at else "")


def _below(writer: str, settings: Settings, row: Writing, take: Take) -> None:
    form.explain(where(take))
    write_actions.judgement(writer, settings, take, where(take))
    write_actions.row_of_actions(writer, settings, row, take, where(take), edit=edit)
    if take.original is not None:
        with st.expander("As the model wrote it", key=f"original-{take.id}"):
            prose(take.original, f"original-{take.id}")


def edit(take: Take) -> None:
    """It begins with the text as it is, or with a change that this browser has kept from before a refresh."""
    st.query_params[write_list.EDIT] = str(take.id)
    state.pop(edit_draft(take).key, None)


def _editor(writer: str, settings: Settings, take: Take) -> None:
    draft = edit_draft(take)
    write_draft.area(draft, "Change the text", height=420, begin=take.text)
    form.explain(where(take))
    with st.container(horizontal=True, gap="small", key=f"editing-{take.id}"):
        st.button(
            "Save the change",
            icon=":material/check:",
            key=draft.button,
            on_click=form.act,
            args=(where(take), _save, writer, settings, take),
        )
        st.button("Leave it as it was", type="tertiary", key=f"leave-take-{take.id}", on_click=_leave, args=(take,))
    st.caption("What the model wrote is kept beside it, so that your model learns which of the two you prefer.")


def _save(writer: str, settings: Settings, take: Take) -> None:
    write_actions.edit(writer, settings, take, write_draft.text(edit_draft(take)))
    _leave(take)


def _leave(take: Take) -> None:
    st.query_params.pop(write_list.EDIT, None)
    write_draft.forget(edit_draft(take))
