"""The favourites of the Auto-Train form: a number and a choice of genres, saved under a name."""

from __future__ import annotations

import streamlit as st

from zega_core import db
from zega_core.store import favourites
from zega_ui.components import genre_name, guarded

NUMBER, NUMBER_BOX, GENRES = "auto_train_n", "auto_train_box", "auto_train_genres"
"""Keys of the form's widgets, which a favourite fills in."""


def favourite_menu(writer: str) -> None:
    with db.reading() as session:
        mine = favourites.of_writer(session, writer)
    with st.popover("Favourites", icon=":material/bookmark:", width="stretch"):
        for favourite in mine:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.button(
                    f"{favourite.name} · {favourite.num_examples}",
                    key=f"use-{favourite.id}",
                    help=", ".join(genre_name(key) for key in favourite.genres),
                    width="stretch",
                    on_click=_use,
                    args=(favourite.genres, favourite.num_examples),
                )
                st.button(
                    "Remove",
                    key=f"remove-{favourite.id}",
                    type="tertiary",
                    on_click=guarded,
                    args=(_remove, writer, favourite.name),
                )
        if not mine:
            st.caption("Save a number and a choice of genres that you want to use again.")
        st.text_input("Save the present choice as", key="favourite_name", max_chars=favourites.MAX_NAME)
        st.button("Save", key="save_favourite", on_click=guarded, args=(_save, writer))


def _use(genres: list[str], number: int) -> None:
    st.session_state[GENRES] = genres
    st.session_state[NUMBER] = st.session_state[NUMBER_BOX] = number


def _save(writer: str) -> None:
    state = st.session_state
    with db.session() as session:
        favourites.save(session, writer, state["favourite_name"], state[GENRES], state[NUMBER])
    state["favourite_name"] = ""


def _remove(writer: str, name: str) -> None:
    with db.session() as session:
        favourites.remove(session, writer, name)
