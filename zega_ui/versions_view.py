"""A writer's versions, drawn: which one writes, what each is, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from zega_core import db, versions
from zega_core import fine_tune_words as words
from zega_core.proof_tables import Proof
from zega_core.settings import get_settings
from zega_core.store import versions as stored
from zega_core.tables import UNFINISHED
from zega_core.version_tables import Version
from zega_ui import proof_view
from zega_ui import teaching_form as form
from zega_ui.components import local_time, plain, section

NEWEST, PAGE = 2, 5
"""Versions that are not folded away, beside the one in use; and on a page of the earlier ones."""
WHERE = "versions"
BASE = "the base model"
ASKED = "version-to-delete"


def show(writer: str, mine: Sequence[Version], promoted: Version | None, proofs: Mapping[int, Proof]) -> None:
    """All of them, newest first; those that are seldom looked at are folded away, a page at a time. ``proofs`` are
    their newest ones, by number."""
    section("Versions", "Each fine-tune makes one. They never change; you choose which one writes.")
    form.explain(WHERE)
    _in_use(writer, promoted)
    in_use = None if promoted is None else promoted.number
    shown = [one for place, one in enumerate(mine) if place < NEWEST or one.number == in_use]
    for version in shown:
        _card(writer, version, promoted, proofs.get(version.number))
    if earlier := [one for one in mine if one not in shown]:
        with st.expander(f"Earlier versions ({len(earlier)})", key="versions-earlier"):
            _earlier(writer, earlier, promoted, proofs)
    if len(mine) > 1:
        _compare(mine)


def _earlier(writer: str, mine: Sequence[Version], promoted: Version | None, proofs: Mapping[int, Proof]) -> None:
    pages = -(-len(mine) // PAGE)
    slot = st.container()
    at = st.pagination(pages, key="version_page", max_visible_pages=5) if pages > 1 else 1
    with slot:
        for version in mine[(min(at, pages) - 1) * PAGE : min(at, pages) * PAGE]:
            _card(writer, version, promoted, proofs.get(version.number))


def use(writer: str, number: int | None, instead_of: int | None) -> None:
    """Let a version write (None: the base model), provided that ``instead_of`` is still the one in use."""
    versions.promote(writer, number, get_settings(), instead_of=instead_of)


def go_back(writer: str, instead_of: int | None) -> None:
    """To what was in use before ``instead_of``, provided that this is still in use."""
    versions.roll_back(writer, get_settings(), instead_of=instead_of)


def _in_use(writer: str, promoted: Version | None) -> None:
    with db.reading() as session:
        can_go_back, earlier = stored.before_this(session, writer)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        who = BASE if promoted is None else f"v{promoted.number}"
        st.markdown(f"**{plain(versions.model_name(writer))}** writes with **{who}**.", width="stretch")
        if can_go_back:
            back = BASE if earlier is None else f"v{earlier.number}"
            st.button(
                f"Roll back to {back}",
                key="roll-back",
                icon=":material/undo:",
                on_click=form.act,
                args=(WHERE, go_back, writer, None if promoted is None else promoted.number),
            )
        if promoted is not None and not (can_go_back and earlier is None):
            st.button(
                "Use the base model",
                key="use-base",
                type="tertiary",
                on_click=form.act,
                args=(WHERE, use, writer, None, promoted.number),
            )


def _card(writer: str, version: Version, promoted: Version | None, proof: Proof | None) -> None:
    in_use = promoted is not None and promoted.id == version.id
    with st.container(border=True, key=f"version-{version.number}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(words.title(version))}**", width="stretch")
            proof_view.badge(proof)
            if in_use:
                st.badge("in use", icon=":material/check:", color="green")
        when = local_time(version.created_at)
        st.caption(plain(f"{when.day} {when:%b %Y, %H:%M} · {words.origin(version)}"))
        st.caption(plain(words.facts(version)))
        _actions(writer, version, promoted, in_use, proof)


def _actions(writer: str, version: Version, promoted: Version | None, in_use: bool, proof: Proof | None) -> None:
    number = version.number
    with st.container(horizontal=True, gap="small"):
        if not in_use:
            st.button(
                f"Use v{number}",
                key=f"use-{number}",
                on_click=form.act,
                args=(WHERE, use, writer, number, None if promoted is None else promoted.number),
            )
        if proof is None or proof.status not in UNFINISHED:
            again = "" if proof is None else " again"
            proof_view.prove(writer, version, f"Prove v{number}{again}", WHERE, quiet=True)
        with st.popover(f"Rename v{number}", type="tertiary"):
            field = f"name-{number}"
            st.text_input(
                "Name",
                key=form.shows(field, version.name),
                max_chars=versions.LONGEST_NAME,
                placeholder="such as: autumn, with letters",
                on_change=_rename,
                args=(writer, number, field),
            )
        if not in_use:
            st.button(f"Delete v{number}", key=f"delete-{number}", type="tertiary", on_click=_ask, args=(number,))
    if st.session_state.get(ASKED) == number:
        del st.session_state[ASKED]
        _confirm(writer, version)


def _ask(number: int) -> None:
    st.session_state[ASKED] = number


def _rename(writer: str, number: int, field: str) -> None:
    form.act(WHERE, versions.rename, writer, number, st.session_state[field], get_settings())


@st.dialog("Delete this version?")
def _confirm(writer: str, version: Version) -> None:
    # No caption and no primary button: a dialog lies outside of what sets the colours of these in dark (zega.css).
    st.text(f"{words.title(version)} and its files are deleted from this machine.")
    st.text("That cannot be undone. The examples that it learned from stay.")
    with st.container(horizontal=True, gap="small"):
        gone = st.button(
            f"Delete v{version.number} for good",
            key="delete-now",
            on_click=form.act,
            args=(WHERE, versions.delete, writer, version.number, get_settings()),
        )
        stays = st.button("Keep it", key="delete-not")
    if gone or stays:
        st.rerun()


def _compare(mine: Sequence[Version]) -> None:
    by_number = {version.number: version for version in mine}
    numbers = list(by_number)
    with st.expander("Compare two versions"):
        left, right = st.columns(2)
        first = left.selectbox("One version", numbers, index=1, format_func=_titles(by_number), key="compare-first")
        second = right.selectbox("The other", numbers, index=0, format_func=_titles(by_number), key="compare-second")
        if first == second:
            st.caption("Choose two different versions.")
            return
        compared(by_number[first], by_number[second])


def compared(first: Version, second: Version) -> None:
    """Two versions side by side: what differs, and what is the same where the writer asks for it."""
    found = versions.compare(first, second)
    everything = st.toggle("Show what is the same, too", key="compare-all")
    shown = [one for one in found if everything or one.differs]
    if not shown:
        st.caption("They do not differ in anything that is stored.")
        return
    names = f"v{first.number}", f"v{second.number}"
    frame = pd.DataFrame(
        {
            "What": [one.label for one in shown],
            names[0]: [one.first for one in shown],
            names[1]: [one.second for one in shown],
            "Differs": ["yes" if one.differs else "" for one in shown],
        }
    )
    st.dataframe(frame, key="compared", hide_index=True, height="content", alt=" and ".join(names) + " compared")
    if caveat := words.apart(first, second):
        st.caption(caveat)


def _titles(by_number: dict[int, Version]) -> Callable[[int], str]:
    return lambda number: words.title(by_number[number])
