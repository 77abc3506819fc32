"""Which examples are looked at: the choices of the Examples page. The address holds them, so a view can be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from zega_core import db, providers
from zega_core.analytics import plural
from zega_core.catalog import load_catalog
from zega_core.learning_words import SOURCES
from zega_core.pieces import storable
from zega_core.store import collection
from zega_core.store.collection import SORTS, Filter
from zega_core.tables import ExampleStatus
from zega_ui import filters
from zega_ui.teaching_form import mirror

state, address = st.session_state, st.query_params
UNKNOWN = "unknown"
"""In the address: a genre or an element that is not known."""
STATES: dict[str, str] = {
    ExampleStatus.kept: "Kept",
    ExampleStatus.set_aside: "Set aside",
}
FROM: dict[str, str] = {str(source): label for source, label in SOURCES.items()}
"""By source, what it is called."""
RATED = {"yes": True, "no": False}
ORDER = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "best": "Best first",
    "worst": "Lowest score first",
}
NARROWING = ("source", "genre", "element", "teacher", "state", "tag", "low", "high", "rated", "edited", "text")
LONGEST = 200
"""Characters of a search or a name in the address."""
MOST = 50
"""Values of one choice in the address."""
LOW, HIGH = 0.0, 10.0


def chosen() -> Filter:
    """What the address asks for; what it cannot mean is left out."""
    catalog = load_catalog()
    low, high = _number("low"), _number("high")
    if low is not None and high is not None and low > high:
        low = high = None
    return Filter(
        source=_among("source", FROM),
        genre=_known("genre", [genre.key for genre in catalog.genres]),
        element=_known("element", [element.key for element in catalog.elements]),
        teacher=tuple(filter(None, map(_clean, address.get_all("teacher")[:MOST]))),
        status=_among("state", STATES),
        tag=_clean(address.get("tag", "")),
        low=low,
        high=high,
        rated=RATED.get(address.get("rated", "")),
        edited=address.get("edited") == "yes",
        text=_clean(address.get("text", "")),
    )


def sort() -> str:
    asked = address.get("sort", "")
    return asked if asked in SORTS else SORTS[0]


def narrowed() -> int:
    """How many filters are on, the search not counted."""
    found = chosen()
    parts = (found.source, found.genre, found.element, found.teacher, found.status, found.tag, found.edited)
    scores = found.low is not None or found.high is not None
    return sum(map(bool, parts)) + scores + (found.rated is not None)


def clear() -> None:
    for name in NARROWING:
        address.pop(name, None)
    _anew()


def show(writer: str) -> None:
    """The search, the filters and the order, in one row."""
    number = narrowed()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="example-filters"):
        st.text_input(
            "Search",
            key=mirror("examples-text", _clean(address.get("text", ""))),
            type="search",
            placeholder='Words, or "a phrase"',
            max_chars=LONGEST,
            icon=":material/search:",
            on_change=_typed,
            width="stretch",
        )
        label = f"Filter ({number})" if number else "Filter"
        drawer = st.popover(label, icon=":material/filter_list:", key="examples-filter", on_change="rerun")
        if drawer.open:
            with drawer:
                _choices(writer)
        st.selectbox(
            "Order",
            list(ORDER),
            key=mirror("examples-sort", sort()),
            format_func=ORDER.__getitem__,
            on_change=_picked,
            args=("examples-sort", "sort"),
            width=170,
        )


def _choices(writer: str) -> None:
    """Drawn while the popover is open only: what there is to choose from costs a look at every example."""
    found, catalog = chosen(), load_catalog()
    with db.reading() as session:
        teachers, tags = collection.teachers(session, writer), collection.tags(session, writer)
    genres = {genre.key: genre.label for genre in catalog.genres} | {"": "Not known"}
    elements = {element.key: element.label for element in catalog.elements} | {"": "Not known"}
    _several("State", "state", STATES, found.status)
    _several("Where it is from", "source", FROM, found.source)
    _several("Genre", "genre", genres, found.genre)
    _several("Element", "element", elements, found.element)
    names = {name: providers.label_of(name) for name in [*teachers, *found.teacher]}
    if names:
        _several("Teacher", "teacher", names, found.teacher)
    named = list(dict.fromkeys([*tags, *filter(None, [found.tag])]))
    if named:
        st.selectbox(
            "Tag",
            named,
            index=None,
            key=mirror("examples-tag", found.tag or None),
            placeholder="Any",
            on_change=_picked,
            args=("examples-tag", "tag"),
        )
    low, high = (found.low if found.low is not None else LOW), (found.high if found.high is not None else HIGH)
    st.slider("Score", LOW, HIGH, step=0.5, key=mirror("examples-score", (low, high)), on_change=_scored)
    st.segmented_control(
        "Rated by you",
        list(RATED),
        key=mirror("examples-rated", next((name for name, yes in RATED.items() if yes == found.rated), None)),
        format_func={"yes": "Rated", "no": "Not rated"}.__getitem__,
        help="With stars, Include or Exclude.",
        on_change=_picked,
        args=("examples-rated", "rated"),
    )
    st.checkbox("Only what you edited", key=mirror("examples-edited", found.edited), on_change=_edited)
    st.button("Clear all filters", key="clear-filters", icon=":material/filter_list_off:", on_click=clear)


def _several(label: str, name: str, options: Mapping[str, str], now: Sequence[str]) -> None:
    filters.several(f"examples-{name}", label, name, options, now, _ticked)


def described(found: Filter) -> list[str]:
    """Each filter that is on, in words. For st.text or, through ``plain``, for Markdown."""
    catalog = load_catalog()
    genres = {genre.key: genre.label for genre in catalog.genres} | {"": "genre not known"}
    elements = {element.key: element.label for element in catalog.elements} | {"": "element not known"}
    named = [
        *(FROM.get(one, one) for one in found.source),
        *(genres.get(one, one) for one in found.genre),
        *(elements.get(one, one) for one in found.element),
        *map(providers.label_of, found.teacher),
        *(STATES[one] for one in found.status),
    ]
    if found.tag:
        named.append(f"tagged {found.tag}")
    if found.low is not None or found.high is not None:
        named.append(f"score {found.low or 0:g} to {HIGH if found.high is None else found.high:g}")
    if found.rated is not None:
        named.append("rated" if found.rated else "not rated")
    if found.edited:
        named.append("edited by you")
    if found.text:
        named.append(f"with “{found.text}”")
    return named


def line(found: Filter, number: int) -> None:
    """What is looked at, and the way back to everything."""
    filters.line(plural(number, "example"), described(found), clear)


def _clean(text: str) -> str:
    return storable(text).strip()[:LONGEST]


def _among(name: str, known: Mapping[str, str]) -> tuple[str, ...]:
    asked = address.get_all(name)
    return tuple(str(value) for value in known if value in asked)


def _known(name: str, keys: Sequence[str]) -> tuple[str, ...]:
    """Keys of the catalog, and the empty one."""
    asked = ["" if value == UNKNOWN else value for value in address.get_all(name)]
    return tuple(value for value in [*keys, ""] if value in asked)


def _number(name: str) -> float | None:
    """A score from 0 to 10 in halves, as the slider has them; None when it narrows nothing."""
    try:
        value = round(float(address.get(name, "")) * 2) / 2
    except (ValueError, OverflowError):
        return None
    return value if LOW <= value <= HIGH and value != {"low": LOW, "high": HIGH}[name] else None


def _put(name: str, values: Sequence[str]) -> None:
    if values:
        address[name] = values
    else:
        address.pop(name, None)
    _anew()


def _anew() -> None:
    """Another view begins at its first page, with nothing chosen."""
    address.pop("page", None)
    state.pop("examples-chosen", None)
    state.pop("examples-all", None)


def _typed() -> None:
    _put("text", [text] if (text := _clean(state["examples-text"] or "")) else [])


def _picked(key: str, name: str) -> None:
    value = state[key]
    _put(name, [value] if value and value != SORTS[0] else [])


def _ticked(key: str, name: str) -> None:
    _put(name, [value or UNKNOWN for value in state[key]])


def _scored() -> None:
    low, high = state["examples-score"]
    _put("low", [f"{low:g}"] if low != LOW else [])
    _put("high", [f"{high:g}"] if high != HIGH else [])


def _edited() -> None:
    _put("edited", ["yes"] if state["examples-edited"] else [])
