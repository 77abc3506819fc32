"""Your own pages: bring them, see what will be taken, watch them being read, and erase them again."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import db, learning, own_pages, teachers
from zega_core import own_pages_words as words
from zega_core.catalog import load_catalog
from zega_core.conversation_tables import Manuscript
from zega_core.errors import ZegaError
from zega_core.jobs import client
from zega_core.manuscripts.looking import Look
from zega_core.manuscripts.reading import MOST_BYTES, SUFFIXES
from zega_core.settings import Settings, get_settings
from zega_core.store import fine_tunes, manuscripts, teaching
from zega_core.store.manuscripts import Stored
from zega_core.tables import UNFINISHED, RunStatus
from zega_ui import own_pages_table
from zega_ui.components import error_state, genre_name, guarded, plain, prose, refusal, section, shielded

state = st.session_state
ROUND = "pages-round"
"""Counts what was added: files and text are chosen anew after it."""
TOLD = "pages-told"
SHOWN = 5
"""Beginnings of passages that are shown before they are taken."""


def show(writer: str, settings: Settings) -> None:
    """The whole section."""
    section("Your own pages", words.WEIGHT)
    refusal()
    if TOLD in state:
        st.toast(plain(state.pop(TOLD)), icon=":material/check:")
    with db.reading() as session:
        rows, stored = manuscripts.of_writer(session, writer), manuscripts.stored(session, writer)
    going = [row for row in rows if row.status in UNFINISHED]
    if going:
        st.fragment(shielded(_live), run_every=1)(writer, frozenset((row.run_id, row.status) for row in going))
    _bring(writer, settings, first=not rows)
    at_rest = [row for row in rows if row not in going]
    if at_rest:
        section("What is there")
        for row in at_rest:
            _entry(writer, row, stored.get(row.id or 0, Stored()))
        if any(one.set_aside for one in stored.values()):
            st.caption("What is set aside repeats another text that is kept, or was excluded by you.")
        _balance(writer, settings)
    own_pages_table.show(writer, [row for row in at_rest if row.id in stored])


def _bring(writer: str, settings: Settings, first: bool) -> None:
    number = state.get(ROUND, 0)
    with st.container(border=True, key="pages-bring"):
        files = st.file_uploader(
            "Files",
            type=[suffix[1:] for suffix in SUFFIXES],
            accept_multiple_files=True,
            max_upload_size=MOST_BYTES // 1_000_000,
            key=f"pages-files-{number}",
            help="Word, EPUB, Markdown or plain text.",
        )
        text = st.text_area("Or paste text", key=f"pages-text-{number}", height=140, max_chars=2_000_000)
        brought = [(file.name, file.getvalue()) for file in files]
        if text.strip():
            name = st.text_input("What is it called?", key=f"pages-name-{number}", placeholder="Pasted pages")
            brought.append((words.as_pasted(name), text.encode("utf-8", "replace")))
        good = [one for number, one in enumerate(brought) if _looked_at(*one, number)]
        if not brought:
            if first:
                st.caption(
                    "Stories, chapters, drafts: a few thousand words make a difference. You see what will be taken "
                    "before anything is stored, and you can erase it all again."
                )
            # Pressed after pasting, it takes the cursor out of the field, so that the text is looked at.
            st.button("Add", icon=":material/add:", disabled=True, key="pages-add-none")
            return
        genre = _genre()
        ask = _teacher(writer, settings)
        st.button(
            "Add",
            icon=":material/add:",
            type="primary",
            disabled=not good,
            key="pages-add",
            on_click=guarded,
            args=(_add, writer, good, genre, ask),
        )


@st.cache_data(max_entries=16, show_spinner="Reading it")
def _look(data: bytes, name: str) -> Look:
    return own_pages.look(data, name)


def _looked_at(name: str, data: bytes, number: int) -> bool:
    """Show what it is; whether it can be taken."""
    try:
        found = _look(data, name)
    except ZegaError as error:
        error_state("This cannot be taken", str(error), "Nothing of it was stored.", key=f"pages-bad-{number}")
        return False
    st.markdown(f"**{plain(found.name)}**  \n{plain(words.found(found))}")
    for note in found.notes:
        st.caption(plain(note))
    if found.genre:
        st.caption(f"Its words point to {genre_name(found.genre)}.")
    with st.expander(f"How the passages begin ({min(SHOWN, len(found.firsts))} of {found.passages:,})"):
        for at, (chapter, beginning) in enumerate(found.firsts[:SHOWN], 1):
            st.text(f"{at}. {chapter}: {beginning}" if chapter else f"{at}. {beginning}")
    return True


def _genre() -> str:
    keys = ["", *(genre.key for genre in load_catalog().genres)]
    return st.selectbox(
        "Genre", keys, format_func=lambda key: genre_name(key) if key else "By its words", key="pages-genre", width=320
    )


def _teacher(writer: str, settings: Settings) -> bool:
    with db.reading() as session:
        config = teaching.load(session, writer)
    there = [place for place in teachers.places(settings, config) if not place.absent]
    here = [place.label for place in there if place.local]
    elsewhere = [place.label for place in there if not place.local]
    wanted = st.checkbox(words.ASK_TEACHER, key="pages-teacher", disabled=not there)
    st.caption(plain(words.who_reads(here, elsewhere, config.local_only)))
    return bool(wanted and there)


def _add(writer: str, brought: Sequence[tuple[str, bytes]], genre: str, ask_teacher: bool) -> None:
    with db.reading() as session:
        before = {row.run_id for row in manuscripts.of_writer(session, writer)}
    added = {client.add_pages(writer, name, data, genre=genre, ask_teacher=ask_teacher) for name, data in brought}
    state[ROUND] = state.get(ROUND, 0) + 1
    state[TOLD] = words.added(len(added - before), len(brought) - len(added - before))


def _live(writer: str, seen: frozenset[tuple[str, str]]) -> None:
    with db.reading() as session:
        rows = [row for row in manuscripts.of_writer(session, writer) if row.status in UNFINISHED]
        newest = {row.run_id: manuscripts.newest(session, writer, row.id or 0) for row in rows}
    if frozenset((row.run_id, row.status) for row in rows) != seen:
        st.rerun()
    for row in rows:
        with st.container(border=True, key=f"pages-live-{row.run_id}"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{plain(row.name)}**", width="stretch")
                st.button(
                    "Stop",
                    icon=":material/stop_circle:",
                    key=f"pages-stop-{row.run_id}",
                    disabled=row.status == RunStatus.stopping,
                    on_click=guarded,
                    args=(client.stop_pages, writer, row.run_id),
                )
            st.progress(min(1.0, row.done / max(1, row.passages)), text=words.progress(row))
            passage = newest[row.run_id]
            if passage is not None:
                st.text(passage.prompt)
                prose(passage.completion.replace("\n\n", "\n"), f"clamp-pages-{row.run_id}")
    st.caption("You can leave this page; it goes on. Stop keeps every passage that is stored.")


def _entry(writer: str, row: Manuscript, stored: Stored) -> None:
    with st.container(key=f"feed-pages-{row.run_id}", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(row.name)}**", width="stretch")
            if row.status in (RunStatus.stopped, RunStatus.failed):
                st.button(
                    "Continue",
                    icon=":material/play_arrow:",
                    key=f"pages-continue-{row.run_id}",
                    on_click=guarded,
                    args=(client.resume_pages, writer, row.run_id),
                )
            with st.popover("Erase", icon=":material/delete:"):
                st.markdown(plain(words.erase_warning(row, stored)))
                st.button(
                    "Erase it and everything made of it",
                    key=f"pages-erase-{row.run_id}",
                    on_click=guarded,
                    args=(_erase, writer, row.run_id, row.name),
                )
        st.caption(plain(words.stands(row, stored)))
        if row.status == RunStatus.failed:
            error_state("It could not be read to its end", row.error or "", key=f"pages-failed-{row.run_id}")
        elif row.status == RunStatus.stopped:
            st.caption("Stopped. What is stored stays; Continue reads the rest.")
        for note in row.notes:
            st.caption(plain(note))


def _erase(writer: str, run_id: str, name: str) -> None:
    with db.session() as session:
        number = own_pages.erase(session, writer, run_id, get_settings())
    state[TOLD] = words.erased(name, number)


def _balance(writer: str, settings: Settings) -> None:
    with db.reading() as session:
        summary = learning.look(session, writer, settings, fine_tunes.load_config(session, writer)).summary
    for said in words.balance(summary):
        st.caption(f":material/balance: {plain(said)}")
