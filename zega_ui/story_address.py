"""Which story of the shelf is open, and what is being done with it: in the address, and in the session."""

from __future__ import annotations

import re

import streamlit as st

from zega_ui.components import plain

state, address = st.session_state, st.query_params
TAB = "Your stories"
"""Of the page Write."""
STORY = "story"
"""In the address: the number of the story that is open, or ``NEW``."""
NEW = "new"
EDIT = "edit"
"""In the address: that it is being changed, by its stamp as it was opened (``shelf.stamp``)."""
SEEN, NEWER = "story-seen", "story-newer"
"""In the session: its stamp as it was opened or last shown, and whether it was changed elsewhere since."""
FIELD = "edit-story-{}"
"""Key of a field of it."""
FIELDS = ("title", "text", "genre")
TOLD = "stories-told"
_STAMP = re.compile(r"[0-9a-f]{32}")


def link(number: int) -> None:
    """To the shelf, where ``number`` stories of what is shown were saved; nothing where none were."""
    if number:
        saved = "1 of them is a story" if number == 1 else f"{number:,} of them are stories"
        st.page_link(
            "pages/write.py",
            label=f"{saved} on your shelf",
            icon=":material/menu_book:",
            query_params={"tab": TAB},
        )


def opened() -> int | str | None:
    """What the address asks for; None for nothing, and 0 for what is no number of a story."""
    asked = address.get(STORY, "")
    if asked in ("", NEW):
        return asked or None
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 11 else 0


def open_story(story_id: int) -> None:
    leave()
    address[STORY] = str(story_id)


def open_new() -> None:
    leave()
    address[STORY] = NEW


def to_shelf() -> None:
    leave()
    address.pop(STORY, None)


def to_write() -> None:
    """To the tab beside it. A link to the page that one is on does not lead to another tab of it."""
    to_shelf()
    state["tab"] = "Write"


def to_story(story_id: int) -> None:
    """From there to a story."""
    open_story(story_id)
    state["tab"] = TAB


def begin(stamp: str) -> None:
    """Change the one that is open."""
    leave()
    address[EDIT] = stamp


def editing() -> str:
    """The stamp of the open story as it was when changing it began; empty where it is not being changed."""
    asked = address.get(EDIT, "")
    return asked if _STAMP.fullmatch(asked) else ""


def leave() -> None:
    """Nothing is being changed; what was typed goes from here, and stays in the browser."""
    address.pop(EDIT, None)
    for name in (SEEN, NEWER, *map(FIELD.format, FIELDS)):
        state.pop(name, None)


def tell(words: str) -> None:
    """At the next drawing."""
    state[TOLD] = words


def told() -> None:
    if TOLD in state:
        st.toast(plain(state.pop(TOLD)), icon=":material/check:")
