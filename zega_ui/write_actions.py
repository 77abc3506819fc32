"""What a writer does with a text: stars, keeping it as an example, the shelf, changing it, going on from it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlmodel import Session

from zega_core import after_saving, db, writing, writing_words
from zega_core.settings import Settings
from zega_core.tables import Example, ExampleStatus
from zega_core.writing_tables import Take, Writing
from zega_ui import story_address, write_copy, write_form
from zega_ui import teaching_form as form
from zega_ui.components import plain

TOLD = "take-told"
"""At which text what was done last is said."""
MOST_TITLE = 200
NO_MORE = "It is no example any more: your model does not learn from it. The text stays here."
state = st.session_state


def judgement(writer: str, settings: Settings, take: Take, where: str) -> None:
    """Stars, and whether it is an example; what that means is said beside it."""
    with db.reading() as session:
        example = _example(session, take)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"judged-{take.id}"):
        key = form.mirror(f"stars-{take.id}", None if take.rating is None else take.rating - 1)
        st.feedback("stars", key=key, on_change=_stars, args=(writer, settings, take, key, where))
        if example is None:
            _button("Keep as example", "bookmark_add", f"keep-{take.id}", where, _keep, writer, settings, take)
        else:
            _button("Take it back", "undo", f"unkeep-{take.id}", where, _unkeep, writer, settings, take)
    at, line = state.get(TOLD, (None, ""))
    if learned := writing_words.learned(take, example):
        kept = example is not None and example.status == ExampleStatus.kept
        st.caption(f":material/{'bookmark_added' if kept else 'remove_circle'}: {plain(learned)}")
    if at == take.id and line:
        st.caption(f":material/check_circle: {plain(line)}")
    elif take.rating is None and example is None:
        st.caption("Four or five stars keep it as an example, and your model learns from it.")


def _example(session: Session, take: Take) -> Example | None:
    return None if take.example_id is None else session.get(Example, take.example_id)


def row_of_actions(
    writer: str, settings: Settings, row: Writing, take: Take, where: str, *, edit: Callable[[Take], None]
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"actions-{take.id}"):
        st.button("Edit", icon=":material/edit:", key=f"edit-{take.id}", on_click=edit, args=(take,))
        if take.story_id is None:
            with st.popover("Save as story", icon=":material/auto_stories:", key=f"story-{take.id}"):
                _title(writer, settings, row, take, where)
        else:
            st.button(
                "On your shelf",
                icon=":material/auto_stories:",
                type="tertiary",
                key=f"to-story-{take.id}",
                on_click=story_address.to_story,
                args=(take.story_id,),
            )
        st.button(
            "Go on from here",
            icon=":material/arrow_forward:",
            key=f"go-on-{take.id}",
            on_click=_go_on,
            args=(writer, row, take),
        )
        write_copy.button(take.text, f"copy-{take.id}")


def _button(label: str, icon: str, key: str, where: str, action: Callable[..., None], *arguments: object) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        type="tertiary",
        key=key,
        on_click=form.act,
        args=(where, action, *arguments),
    )


def _title(writer: str, settings: Settings, row: Writing, take: Take, where: str) -> None:
    key = f"title-{take.id}"
    st.text_input("Title", key=key, max_chars=MOST_TITLE, placeholder=writing_words.title(row))
    st.button(
        "Save",
        icon=":material/check:",
        key=f"save-story-{take.id}",
        on_click=form.act,
        args=(where, _save_story, writer, settings, take, key),
    )


def _stars(writer: str, settings: Settings, take: Take, key: str, where: str) -> None:
    given = state[key]
    form.act(where, _rate, writer, settings, take, None if given is None else given + 1)


def _rate(writer: str, settings: Settings, take: Take, stars: int | None) -> None:
    with db.session() as session:
        found = writing.rate(session, writer, take.id or 0, stars, settings)
        gone = take.example_id is not None and found.example_id is None
    _tell(take, NO_MORE if gone else "Your stars are taken back." if stars is None else "Your stars are noted.")
    after_saving.see_to_it(writer, settings)


def _keep(writer: str, settings: Settings, take: Take) -> None:
    with db.session() as session:
        writing.keep(session, writer, take.id or 0, settings)
    _tell(take, "")
    after_saving.see_to_it(writer, settings)


def _unkeep(writer: str, settings: Settings, take: Take) -> None:
    with db.session() as session:
        writing.unkeep(session, writer, take.id or 0, settings)
    _tell(take, NO_MORE)
    after_saving.see_to_it(writer, settings)


def edit(writer: str, settings: Settings, take: Take, text: str) -> None:
    """Raises InvalidInput."""
    with db.session() as session:
        found = writing.edit(session, writer, take.id or 0, text, settings)
        gone = take.example_id is not None and found.example_id is None
    _tell(take, f"It reads as the model wrote it again. {NO_MORE}" if gone else "The change is saved.")
    after_saving.see_to_it(writer, settings)


def _save_story(writer: str, settings: Settings, take: Take, key: str) -> None:
    title = str(state.get(key) or "").strip()
    with db.session() as session:
        writing.save_story(session, writer, take.id or 0, title, settings)
    _tell(take, "It stands on your shelf as a story, under Your stories.")
    after_saving.see_to_it(writer, settings)


def _go_on(writer: str, row: Writing, take: Take) -> None:
    before = f"{row.given.rstrip()}\n\n" if row.task == "continue" else ""
    write_form.go_on(writer, before + take.text, genre=row.genre, element=row.element, story_id=row.story_id)
    state[TOLD] = (take.id, "The text stands in the form: say how it goes on, or just press Write.")


def _tell(take: Take, line: str) -> None:
    state[TOLD] = (take.id, line)
