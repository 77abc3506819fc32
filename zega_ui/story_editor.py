"""Writing a story of one's own, and changing one in place; a newer change from another window is not written over."""

from __future__ import annotations

import streamlit as st

from zega_core import after_saving, db, shelf, story_files
from zega_core.catalog import load_catalog
from zega_core.errors import ChangedElsewhere
from zega_core.settings import Settings
from zega_core.tables import Story
from zega_ui import story_address, write_draft
from zega_ui.components import error_state, genre_name, guarded, plain, prose
from zega_ui.story_address import FIELD, FIELDS, NEWER, SEEN, editing, leave
from zega_ui.write_draft import Draft

state = st.session_state
SAVE_NEW = "save-new-story"
TITLE, GENRE = "new-story-title", "new-story-genre"
TITLE_NOW, TEXT_NOW, GENRE_NOW = map(FIELD.format, FIELDS)


def draft(writer: str) -> Draft:
    return Draft("new-story-text", f"story:{writer}:new", SAVE_NEW, "saves")


def title(writer: str) -> Draft:
    return Draft(TITLE, f"title:{writer}:new", SAVE_NEW, "saves")


def changed(writer: str, story_id: int | str) -> Draft:
    """What is typed for a story goes with the text that it changes: beside a newer one it would be out of place."""
    return Draft(TEXT_NOW, f"story:{writer}:{story_id}:{editing()}", "save-story", "saves")


def changed_title(writer: str, story_id: int | str) -> Draft:
    return Draft(TITLE_NOW, f"title:{writer}:{story_id}:{editing()}", "save-story", "saves")


def new(writer: str, settings: Settings) -> None:
    """This browser keeps the text until it is saved."""
    st.header("A story of your own", anchor=False)
    placeholder = "The first words, if you leave this empty"
    write_draft.line(title(writer), "Title", most=shelf.MAX_TITLE, placeholder=placeholder)
    write_draft.area(draft(writer), "Text", height=320)
    st.selectbox("Genre", _genres(), key=GENRE, format_func=_shown, persist_state="session", width=240)
    st.caption("It stands on your shelf. Your model does not learn from it; bring it under Your own pages for that.")
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Save the story",
            key=SAVE_NEW,
            icon=":material/check:",
            type="primary",
            on_click=guarded,
            args=(_save_new, writer, settings),
        )
        st.button("Back to your stories", key="to-shelf", on_click=story_address.to_shelf)


def _save_new(writer: str, settings: Settings) -> None:
    """A refused text stays in its field."""
    titled, kept = title(writer), draft(writer)
    with db.session() as session:
        story = shelf.save(
            session, writer, write_draft.text(titled), write_draft.text(kept), genre=state.get(GENRE) or ""
        )
    for one in (titled, kept):
        write_draft.fill(one, "")
        write_draft.forget(one)
    state[GENRE] = ""
    story_address.open_story(story.id or 0)
    story_address.tell("The story stands on your shelf.")
    after_saving.remember(writer, settings)


def edit(writer: str, settings: Settings, story: Story) -> None:
    """The fields show the story as it was when editing began, whatever happened to it since. This browser keeps the
    text until it is saved or given up."""
    if SEEN not in state:
        state[SEEN] = editing()
        state[GENRE_NOW] = story.genre
    if state.get(NEWER):
        _newer(story)
    write_draft.line(changed_title(writer, story.id or 0), "Title", most=shelf.MAX_TITLE, begin=story.title)
    write_draft.area(changed(writer, story.id or 0), "Text", height=480, begin=story.body)
    st.selectbox("Genre", _genres(story.genre), key=GENRE_NOW, format_func=_shown, persist_state="session", width=240)
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Save mine over it" if state.get(NEWER) else "Save",
            key="save-story",
            icon=":material/check:",
            type="primary",
            on_click=guarded,
            args=(_save, writer, settings, story.id),
        )
        st.button(
            "Take the newer one" if state.get(NEWER) else "Leave it as it was",
            key="cancel-story",
            on_click=_give_up,
            args=(writer, story.id),
        )
    if story.example_id is not None:
        st.caption("The example that it was saved from stays as it is.")


def _give_up(writer: str, story_id: int) -> None:
    _forget(writer, story_id)
    leave()


def _forget(writer: str, story_id: int) -> None:
    write_draft.forget(changed_title(writer, story_id))
    write_draft.forget(changed(writer, story_id))


def rescue(writer: str, story_id: int | str) -> None:
    """What was typed for a story that was deleted elsewhere meanwhile is not lost."""
    if editing() and state.get(TEXT_NOW):
        st.button("Keep what you typed as a new story", key="rescue-story", on_click=_rescue, args=(writer,))


def _rescue(writer: str) -> None:
    write_draft.fill(draft(writer), str(state[TEXT_NOW]))
    write_draft.fill(title(writer), str(state.get(TITLE_NOW) or ""))
    state[GENRE] = state.get(GENRE_NOW) or ""
    story_address.open_new()


def _newer(story: Story) -> None:
    """What is shown here is what saving would write over: a still newer change is refused again."""
    state[SEEN] = shelf.stamp(story)
    error_state(
        "This story was changed in another window",
        "Nothing was overwritten. Yours is in the fields below, the newer one is here.",
        key="story-newer-shown",
    )
    with st.expander(f"The newer one: {plain(story.title)}", key="story-newer-text"):
        prose(story.body, f"newer-{story.id}")
        st.caption(f"{story_files.words(story.body):,} words")


def _save(writer: str, settings: Settings, story_id: int) -> None:
    """A refused text stays in its field."""
    titled, kept = changed_title(writer, story_id), changed(writer, story_id)
    try:
        with db.session() as session:
            shelf.edit(
                session,
                writer,
                story_id,
                write_draft.text(titled),
                write_draft.text(kept),
                genre=state[GENRE_NOW] or "",
                seen=state.get(SEEN),
            )
    except ChangedElsewhere:
        state[NEWER] = True
        return
    _forget(writer, story_id)
    leave()
    story_address.tell("The change is saved.")
    after_saving.remember(writer, settings)


def _genres(now: str = "") -> list[str]:
    return list(dict.fromkeys(["", *(genre.key for genre in load_catalog().genres), now]))


def _shown(genre: str) -> str:
    return genre_name(genre) if genre else "No genre"
