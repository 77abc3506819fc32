"""What the address of the page History says: which sessions, in what order, what is open. A view can be kept and shared
by it, so what it holds may be anything: what it cannot mean is left out, with a sentence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import streamlit as st

from zega_core import history_words
from zega_core.catalog import load_catalog
from zega_core.pieces import storable
from zega_core.store.history import Filter, Kind, Order
from zega_ui.components import local_zone

address = st.query_params
FIRST_ORDER = Order.newest
NARROWING = ("from", "to", "genre", "low", "high", "teacher", "status", "kind", "text", "archived")
SESSION, COMPARE, PAGE, SORT = "session", "compare", "page", "sort"
LOW, HIGH = 0.0, 10.0
LONGEST = 200
"""Characters of a search or a name."""
MOST = 50
"""Values of one choice."""
KEY = 64
"""Characters of an id."""


@dataclass(frozen=True)
class View:
    """What is looked at. ``since`` and ``until`` are whole days of the reader's; ``troubles`` are sentences on what
    was left out."""

    found: Filter
    order: Order
    page: int
    since: date | None
    until: date | None
    troubles: list[str] = field(default_factory=list)


def view() -> View:
    """What the address asks for."""
    troubles: list[str] = []
    since, until = _day("from", troubles), _day("to", troubles)
    if since and until and since > until:
        troubles.append("The first day of the dates lies after the last one, so neither is used.")
        since = until = None
    low, high = _score("low", troubles), _score("high", troubles)
    if low is not None and high is not None and low > high:
        troubles.append("The lowest quality lies above the highest one, so neither is used.")
        low = high = None
    genres = [genre.key for genre in load_catalog().genres]
    found = Filter(
        since=None if since is None else _midnight(since),
        until=None if until is None else _midnight(until + timedelta(days=1)),
        genres=_among("genre", genres, "a genre that ZEGA does not know", troubles),
        quality=None if low is None and high is None else (low or LOW, HIGH if high is None else high),
        teacher=clean(address.get("teacher", "")),
        statuses=_among("status", list(history_words.STATUS), "a status that there is not", troubles),
        kinds=tuple(map(Kind, _among("kind", list(Kind), "a kind of session that there is not", troubles))),
        text=clean(address.get("text", "")),
        archived=_yes("archived", troubles),
    )
    return View(found, _order(troubles), _page(troubles), since, until, troubles)


def narrowed(view: View) -> int:
    """How many filters are on, the search not counted."""
    found = view.found
    parts = (found.genres, found.teacher, found.statuses, found.kinds, found.archived, found.quality)
    return sum(map(bool, parts)) + (view.since is not None or view.until is not None)


def opened() -> str:
    """The session that the address names; empty for none."""
    return storable(address.get(SESSION, "").replace("\x00", "\ufffd"))


def compared() -> tuple[str, str] | None:
    """The two that the address names; None where it names none. Two empty ones where it cannot mean two."""
    if COMPARE not in address:
        return None
    parts = [part.strip() for part in address[COMPARE].split(",")]
    sound = len(parts) == 2 and all(part.isascii() and part.isalnum() and len(part) <= KEY for part in parts)
    return (parts[0], parts[1]) if sound and parts[0] != parts[1] else ("", "")


def put(name: str, values: Sequence[str]) -> None:
    """Another view, which begins at its first page."""
    if values:
        address[name] = list(values)
    else:
        address.pop(name, None)
    address.pop(PAGE, None)


def clear() -> None:
    for name in (*NARROWING, PAGE):
        address.pop(name, None)


def open_session(key: str) -> None:
    address.pop(COMPARE, None)
    address[SESSION] = key


def compare(first: str, second: str) -> None:
    address.pop(SESSION, None)
    address[COMPARE] = f"{first},{second}"


def to_list() -> None:
    """Back to the list, as it was filtered."""
    for name in (SESSION, COMPARE, "piece"):
        address.pop(name, None)


def turn(number: int) -> None:
    if number > 1:
        address[PAGE] = str(number)
    else:
        address.pop(PAGE, None)


def clean(text: str) -> str:
    return storable(text).strip()[:LONGEST]


def _among(name: str, known: Collection[str], what: str, troubles: list[str]) -> tuple[str, ...]:
    asked = address.get_all(name)
    if set(asked[:MOST]) - {str(value) for value in known}:
        troubles.append(f"The address asks for {what}; it is left out.")
    return tuple(str(value) for value in known if value in asked)


def _day(name: str, troubles: list[str]) -> date | None:
    asked = address.get(name, "")
    try:
        found = date.fromisoformat(asked) if asked else None
    except ValueError:
        found = None
    if found is not None and not date(1970, 1, 2) <= found <= date(9000, 1, 1):
        found = None
    if asked and found is None:
        troubles.append("The address asks for a day that is none; one is written like 2026-03-31.")
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), local_zone())


def _score(name: str, troubles: list[str]) -> float | None:
    """From 0 to 10 in halves, as the slider has them; None when it narrows nothing."""
    asked = address.get(name, "")
    try:
        value = round(float(asked) * 2) / 2 if asked else None
    except (ValueError, OverflowError):
        value = -1.0
    if value is not None and not LOW <= value <= HIGH:
        troubles.append("The address asks for a quality that is no number from 0 to 10; it is left out.")
        return None
    return None if value == {"low": LOW, "high": HIGH}[name] else value


def _yes(name: str, troubles: list[str]) -> bool:
    if address.get(name, "yes") != "yes":
        troubles.append("The address asks for archived sessions in a way that ZEGA does not know; they are not shown.")
    return address.get(name) == "yes"


def _order(troubles: list[str]) -> Order:
    asked = address.get(SORT, FIRST_ORDER)
    if asked not in set(Order):
        troubles.append("The address asks for an order that there is not; the newest come first.")
        return FIRST_ORDER
    return Order(asked)


def _page(troubles: list[str]) -> int:
    asked = address.get(PAGE, "1")
    if asked.isascii() and asked.isdigit() and len(asked) < 9 and int(asked) > 0:
        return int(asked)
    troubles.append("The address asks for a page that is no number; this is the first one.")
    return 1
