"""One story of the shelf, open to be read: as prose, with what can be done with it above."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from zega_core import db, shelf, story_files
from zega_core.analytics import plural
from zega_core.errors import NotFound
from zega_core.settings import Settings
from zega_core.store.stories import Hanging
from zega_core.tables import Story
from zega_ui import story_address, story_editor, write_form
from zega_ui.components import element_name, error_state, genre_name, guarded, local_time, plain, prose

state = st.session_state
LONGEST = 40_000
"""Characters that are shown at once."""
LABELS = {"txt": "Plain text", "md": "Markdown", "docx": "Word"}


def show(writer: str, settings: Settings, story_id: int | str) -> None:
    try:
        with db.reading() as session:
            story = shelf.get(session, writer, int(story_id))
            touched = shelf.hanging(session, writer, int(story_id))
    except NotFound as missing:
        error_state("This story is not there", str(missing), key="gone")
        story_editor.rescue(writer, story_id)
        st.button("Back to your stories", key="to-shelf", icon=":material/arrow_back:", on_click=story_address.to_shelf)
        return
    if story_address.editing():
        story_editor.edit(writer, settings, story)
        return
    _row_of_actions(writer, story, touched)
    with st.container(key="story-page"):
        st.header(plain(story.title), anchor=False)
        st.caption(plain(facts(story)))
        _text(story)


def facts(story: Story) -> str:
    """What it is, how long, its score and its days; not Markdown."""
    said = (
        genre_name(story.genre) if story.genre else "",
        element_name(story.element),
        plural(story_files.words(story.body), "word"),
        "" if story.quality is None else f"score {story.quality:.1f}",
        f"saved {local_time(story.created_at):%d %B %Y}",
        f"changed {local_time(story.updated_at):%d %B %Y}" if story.updated_at else "",
    )
    return " · ".join(filter(None, said))


def _row_of_actions(writer: str, story: Story, touched: Hanging) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="story-actions"):
        st.button("Back to your stories", key="to-shelf", icon=":material/arrow_back:", on_click=story_address.to_shelf)
        st.button(
            "Edit", key="edit-story", icon=":material/edit:", on_click=story_address.begin, args=(shelf.stamp(story),)
        )
        st.button(
            "Go on from here",
            key="story-go-on",
            icon=":material/arrow_forward:",
            help="Its text goes into the form on the tab Write, to be continued.",
            on_click=_go_on,
            args=(writer, story),
        )
        with st.popover("Download", icon=":material/download:", key=f"story-download-{story.id}"):
            downloads(partial(file, writer, story.id or 0), story_files.stem(story.title))
        with st.popover("Delete", icon=":material/delete:", key=f"story-delete-{story.id}"):
            st.text(consequences(touched))
            st.button(
                "Delete this story",
                key="delete-story",
                type="primary",
                on_click=guarded,
                args=(_delete, writer, story.id),
            )


def consequences(touched: Hanging) -> str:
    """What deleting does, and what it leaves."""
    said = ["The story is gone for good."]
    if touched.remembered:
        said.append("What is remembered of it is forgotten.")
    if touched.writings:
        texts = "text that went on from it stays" if touched.writings == 1 else "texts that went on from it stay"
        said.append(f"{touched.writings:,} {texts}.")
    if touched.example is not None:
        said.append("The example that it was saved from stays, and your model goes on learning from it.")
    return " ".join(said)


def downloads(make: Callable[[str], bytes], name: str, *, number: int = 1) -> None:
    """A button for each kind of file, for this number of stories; it is made when its button is pressed."""
    many = number > story_files.MOST_IN_WORD
    for ending, mime in story_files.ENDINGS.items():
        st.download_button(
            f"{LABELS[ending]} ({ending})",
            partial(make, ending),
            file_name=f"{name}.{ending}",
            mime=mime,
            key=f"download-{ending}",
            on_click="ignore",
            disabled=not number or (many and ending == "docx"),
            width="stretch",
        )
    if many:
        st.caption(story_files.TOO_MANY.format(f"{number:,}"))


def file(writer: str, story_id: int, ending: str) -> bytes:
    """Of the story as it is when it is asked for."""
    with db.reading() as session:
        return story_files.AS[ending]([shelf.get(session, writer, story_id)])


def _text(story: Story) -> None:
    """All of it, or its beginning with the rest a press away."""
    key = f"story-{story.id}"
    if len(story.body) <= LONGEST or state.get(f"whole-{key}"):
        prose(story.body, key)
        return
    prose(story.body[:LONGEST], key)
    st.checkbox(f"Show all {plural(story_files.words(story.body), 'word')}", key=f"whole-{key}")


def _go_on(writer: str, story: Story) -> None:
    write_form.go_on(writer, story.body, genre=story.genre, element=story.element, story_id=story.id)
    story_address.to_write()


def _delete(writer: str, story_id: int) -> None:
    try:
        with db.session() as session:
            shelf.delete(session, writer, story_id)
        story_address.tell("The story is deleted.")
    finally:
        story_address.to_shelf()
