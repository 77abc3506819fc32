"""The shelf: a writer's stories, to be found by words, genre and order, read, written, and taken along as files."""

from __future__ import annotations

from functools import partial

import streamlit as st

from zega_core import db, shelf, story_files
from zega_core.catalog import load_catalog
from zega_core.pieces import storable
from zega_core.settings import Settings
from zega_core.store import stories
from zega_core.tables import Story
from zega_ui import story_address, story_editor, story_reader, write_draft
from zega_ui.components import empty_state, genre_name, plain, prose, refusal
from zega_ui.teaching_form import mirror

state, address = st.session_state, st.query_params
WORDS, GENRE, ORDER, PAGE = "words", "story_genre", "order", "shelf_page"
"""In the address."""
ORDERS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "title": "By title",
    "score": "Best score first",
    "longest": "Longest first",
}
LONGEST = 200
"""Characters of a search."""
SHOWN = 300
"""Characters of a text that the shelf begins with."""
AT_ONCE = 500
"""Stories that are read at a time for a file."""
OF = "stories-of"


def show(writer: str, settings: Settings) -> None:
    """The whole tab."""
    if state.get(OF, writer) != writer:  # what was begun for another writer means nothing here
        story_address.leave()
    state[OF] = writer
    story_address.told()
    refusal()
    now = story_address.opened()
    if now == story_address.NEW:
        story_editor.new(writer, settings)
    elif now is not None:
        story_reader.show(writer, settings, now)
    else:
        _shelf(writer)
    write_draft.tidy()


def _shelf(writer: str) -> None:
    text, genre, order = _searched(), _genre(), _order()
    with db.reading() as session:
        everything = stories.count(session, writer)
        found, total = shelf.search(session, writer, text, genre, order, _number())
        if not found and total:  # the address names a page beyond the last
            found, _ = shelf.search(session, writer, text, genre, order, _pages(total))
    if not everything:
        _nothing_yet()
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="shelf-head"):
        st.caption(f"{story_files.counted(everything)} on your shelf", width="stretch")
        _download(writer, text, genre, order, total)
        st.button("New story", key="new-story", icon=":material/add:", type="primary", on_click=story_address.open_new)
    _choices(writer, text, genre, order)
    if text or genre:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"{story_files.counted(total)} found", width="stretch")
            st.button("Show all", key="show-all", type="tertiary", icon=":material/close:", on_click=clear)
    if not total:
        empty_state(
            "search_off",
            "No story matches",
            "Take the genre off, or search for another word.",
            lambda: st.button("Show all stories", key="show-all-empty", on_click=clear),
        )
        return
    with st.container(key="story-list", gap="small"):
        for story in found:
            _row(story)
    if _pages(total) > 1:
        _turn(_pages(total), min(_number(), _pages(total)))


def _nothing_yet() -> None:
    def ways() -> None:
        st.button("Write a story of your own", key="new-story", icon=":material/add:", on_click=story_address.open_new)
        st.button("Let your model write", key="to-write", icon=":material/edit_note:", on_click=story_address.to_write)
        st.page_link("pages/auto_train.py", label="Let teachers write", icon=":material/auto_stories:")

    empty_state(
        "menu_book",
        "Your shelf is empty",
        "Stories come here in three ways: you save a text that was written for you, Auto-Train saves its best pieces "
        "where you ask for it, or you write one here yourself.",
        ways,
    )


def _choices(writer: str, text: str, genre: str, order: str) -> None:
    with db.reading() as session:
        there = stories.genres(session, writer)
    genres = {"": "All genres"}
    for one in dict.fromkeys([*there, genre] if genre else there):
        known = one not in ("", shelf.UNKNOWN)
        genres[one or shelf.UNKNOWN] = genre_name(one) if known else "Without a genre"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="shelf-choices"):
        st.text_input(
            "Search",
            key=mirror("shelf-words", text),
            type="search",
            placeholder='Words, or "a phrase"',
            max_chars=LONGEST,
            icon=":material/search:",
            on_change=_typed,
            width="stretch",
        )
        st.selectbox(
            "Genre",
            list(genres),
            key=mirror("shelf-genre", genre),
            format_func=genres.__getitem__,
            on_change=_picked,
            args=("shelf-genre", GENRE, ""),
            width=190,
        )
        st.selectbox(
            "Order",
            list(ORDERS),
            key=mirror("shelf-order", order),
            format_func=ORDERS.__getitem__,
            on_change=_picked,
            args=("shelf-order", ORDER, shelf.ORDERS[0]),
            width=170,
        )


def _row(story: Story) -> None:
    with st.container(key=f"feed-story-{story.id}", gap="xxsmall"):
        st.button(
            plain(story.title),
            key=f"open-story-{story.id}",
            type="tertiary",
            on_click=story_address.open_story,
            args=(story.id,),
        )
        words = " ".join(story.body[: 4 * SHOWN].split())
        prose(
            words[:SHOWN] + ("…" if len(words) > SHOWN or len(story.body) > 4 * SHOWN else ""),
            f"clamp-story-{story.id}",
        )
        st.caption(plain(story_reader.facts(story)))


def _download(writer: str, text: str, genre: str, order: str, total: int) -> None:
    with st.popover(
        "Download", icon=":material/download:", type="tertiary", on_change="rerun", key="shelf-download"
    ) as drawer:
        if not drawer.open:
            return
        st.caption(f"{story_files.counted(total)} in one file, in the order of the shelf.")
        story_reader.downloads(partial(file, writer, text, genre, order), "stories", number=total)


def file(writer: str, text: str, genre: str, order: str, ending: str) -> bytes:
    """All that match, made when it is asked for."""
    with db.reading() as session:
        ids = stories.ids(session, writer, text, genre, order)
        found = [story for some in stories.in_chunks(session, writer, ids, AT_ONCE) for story in some]
    return story_files.AS[ending](found)


def _turn(pages: int, number: int) -> None:
    """A new control where the address names another page than it shows: its value cannot be set without a warning."""
    control = state.setdefault("shelf-control", 0)
    if state.get(f"shelf-page-{control}", number) != number:
        control = state["shelf-control"] = control + 1
    key = f"shelf-page-{control}"
    st.pagination(pages, default=number, key=key, max_visible_pages=5, on_change=_turned, args=(key,))


def _pages(total: int) -> int:
    return max(1, -(-total // shelf.PAGE))


def _searched() -> str:
    return storable(address.get(WORDS, "")).strip()[:LONGEST]


def _genre() -> str:
    asked = address.get(GENRE, "")
    return asked if asked in [shelf.UNKNOWN, *(genre.key for genre in load_catalog().genres)] else ""


def _order() -> str:
    asked = address.get(ORDER, "")
    return asked if asked in shelf.ORDERS else shelf.ORDERS[0]


def _number() -> int:
    asked = address.get(PAGE, "")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 8 else 1


def clear() -> None:
    for name in (WORDS, GENRE, PAGE):
        address.pop(name, None)
    story_address.to_shelf()


def _put(name: str, value: str) -> None:
    address.pop(PAGE, None)  # another view begins at its first page
    if value:
        address[name] = value
    else:
        address.pop(name, None)


def _typed() -> None:
    _put(WORDS, storable(str(state["shelf-words"] or "")).strip()[:LONGEST])


def _picked(key: str, name: str, usual: str) -> None:
    value = str(state[key] or "")
    _put(name, "" if value == usual else value)


def _turned(key: str) -> None:
    number = int(state[key])
    if number > 1:
        address[PAGE] = str(number)
    else:
        address.pop(PAGE, None)
