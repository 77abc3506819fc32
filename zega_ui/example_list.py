"""One database page of a writer's examples: each can be opened, and ticked for the bar that changes many at once."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import db
from zega_core.catalog import load_catalog
from zega_core.settling import OWN_WORDS
from zega_core.store import collection
from zega_core.store.collection import Filter
from zega_core.tables import Example, ExampleStatus
from zega_ui.components import plain
from zega_ui.example_filters import FROM
from zega_ui.teaching_form import mirror

state, address = st.session_state, st.query_params
SIZE = 25
SHOWN = 240
"""Characters of a text that the list begins with."""
MARKS: dict[str, str] = {
    ExampleStatus.kept: ":material/bookmark_added:",
    ExampleStatus.set_aside: ":material/bookmark_remove: Set aside ·",
}
CHOSEN, ALL = "examples-chosen", "examples-all"
"""In the session: the ids that are ticked, and whether everything that matches is meant instead."""


def opened() -> int | None:
    """The example that the address names; None for none, and for what is no number of one."""
    asked = address.get("example", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None


def open_example(example_id: int | None) -> None:
    state.pop("examples-editing", None)
    if example_id is None:
        address.pop("example", None)
    else:
        address["example"] = str(example_id)


def begin(writer: str) -> None:
    """What another writer chose in this tab means nothing here."""
    if state.get("examples-of") != writer:
        state["examples-of"] = writer
        state.pop("examples-editing", None)
        choose_none()


def chosen() -> set[int]:
    return state.setdefault(CHOSEN, set())


def choose_none() -> None:
    state.pop(CHOSEN, None)
    state.pop(ALL, None)


def page_number(pages: int) -> int:
    asked = address.get("page", "")
    return min(max(1, int(asked)), pages) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1


def show(writer: str, found: Filter, sort: str, total: int) -> list[Example]:
    """Draw the page and return what is on it."""
    pages = max(1, -(-total // SIZE))
    number = page_number(pages)
    with db.reading() as session:
        rows = collection.page(session, writer, found, sort, number, SIZE)
    ids = [row.id or 0 for row in rows]
    state["examples-here"] = ids
    _head(ids, total)
    now = opened()
    with st.container(key="example-list", gap=None):
        for row in rows:
            _row(row, open_now=row.id == now)
    first = (number - 1) * SIZE
    st.caption(f"{first + 1:,}–{first + len(rows):,} of {total:,}")
    if pages > 1:
        _pages(pages, number)
    return rows


def _pages(pages: int, number: int) -> None:
    """A new control where the address names another page than it shows: its value cannot be set without a warning."""
    control = state.setdefault("examples-control", 0)
    if state.get(f"examples-page-{control}", number) != number:
        control = state["examples-control"] = control + 1
    key = f"examples-page-{control}"
    st.pagination(pages, default=number, key=key, max_visible_pages=5, on_change=_turned, args=(key,))


def _head(ids: Sequence[int], total: int) -> None:
    """Tick what is on this page, or everything that matches."""
    everything = bool(state.get(ALL))
    here = everything or set(ids) <= chosen()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="example-choice"):
        st.checkbox(
            "All on this page",
            key=mirror("examples-here-all", here),
            on_change=_tick_here,
            args=(tuple(ids),),
            disabled=everything,
        )
        if everything:
            st.button("Choose none", key="choose-none", type="tertiary", on_click=choose_none)
        elif total > len(ids):
            st.button(f"Choose all {total:,} that match", key="choose-all", type="tertiary", on_click=_choose_all)


def _row(row: Example, *, open_now: bool) -> None:
    identity = row.id or 0
    name = f"example-{'open' if open_now else 'row'}-{identity}"
    with st.container(key=name, gap=None):
        everything = bool(state.get(ALL))
        st.checkbox(
            _facts(row),
            key=mirror(f"tick-{identity}", everything or identity in chosen()),
            on_change=_tick,
            args=(identity,),
            disabled=everything,
        )
        st.button(
            beginning(row),
            key=f"open-{identity}",
            type="tertiary",
            width="stretch",
            on_click=open_example,
            args=(identity,),
        )


def beginning(row: Example) -> str:
    """Markdown: the first words of the text."""
    words = " ".join(row.completion[: 4 * SHOWN].split())
    return plain(words[:SHOWN] + ("…" if len(words) > SHOWN else "")) or "Without words"


def _facts(row: Example) -> str:
    """Markdown: state, score, genre, element, and where it is from."""
    catalog = load_catalog()
    genre = next((one.label for one in catalog.genres if one.key == row.genre), row.genre)
    element = next((one.label for one in catalog.elements if one.key == row.element), row.element)
    score = "" if row.quality is None else f"{row.quality:.1f}"
    stars = f"{row.rating} ★" if row.rating else ""
    who = FROM.get(row.source, row.source) if row.source != "auto" else ""
    edited = "edited" if row.original is not None and row.source not in OWN_WORDS else ""
    facts = " · ".join(filter(None, (score, genre, element, who, edited, stars, *row.tags[:3])))
    return f"{MARKS.get(row.status, '')} {plain(facts)}"


def _tick(identity: int) -> None:
    if state[f"tick-{identity}"]:
        chosen().add(identity)
    else:
        chosen().discard(identity)


def _tick_here(ids: tuple[int, ...]) -> None:
    if state["examples-here-all"]:
        chosen().update(ids)
    else:
        chosen().difference_update(ids)


def _choose_all() -> None:
    state[ALL] = True


def _turned(key: str) -> None:
    _to_page(state[key])


def _to_page(number: int) -> None:
    if number > 1:
        address["page"] = str(number)
    else:
        address.pop("page", None)


def step(writer: str, found: Filter, sort: str, forward: bool) -> None:
    """Open the example before or after the open one; the list turns its page with it."""
    now = opened()
    if now is None:
        return
    with db.reading() as session:
        target = collection.neighbours(session, writer, found, sort, now)[int(forward)]
    if target is None:
        return
    here = state.get("examples-here", [])
    if now in here and target not in here:
        _to_page(max(1, page_number(10**8) + (1 if forward else -1)))
    open_example(target)
