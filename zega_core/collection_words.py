"""Examples in words: what they are called on pages, what a filter looks for, and what Undo would undo."""

from __future__ import annotations

from collections.abc import Mapping

from zega_core.analytics import plural
from zega_core.store.collection import Filter
from zega_core.tables import ExampleStatus, Source

SOURCES: Mapping[str, str] = {
    Source.auto: "Teachers",
    Source.conversation: "Your answers",
    Source.manuscript: "Your own pages",
    Source.rating: "Chosen or edited",
    Source.imported: "Imported",
}
STATUSES: Mapping[str, str] = {ExampleStatus.kept: "Kept", ExampleStatus.set_aside: "Set aside"}
SORTS: Mapping[str, str] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "best": "Best score first",
    "worst": "Lowest score first",
}
FORMS: Mapping[str, str] = {
    "jsonl": "JSONL, for training elsewhere",
    "csv": "CSV, for spreadsheets",
    "preferences": "Preference pairs: each edit and what was there before",
}
_DONE: Mapping[str, str] = {
    "edit": "edited",
    "rate": "rated",
    "tag": "tagged",
    "include": "included",
    "exclude": "excluded",
    "delete": "deleted",
    "answer": "answered",
}


def undo_label(newest: tuple[str, int] | None) -> str:
    """What the button says: ``changes.newest``. Empty where there is nothing to undo."""
    if newest is None:
        return ""
    action, number = newest
    return f"Undo: {plural(number, 'example')} {_DONE.get(action, 'changed')}"


def active(found: Filter) -> int:
    """How many parts of a filter leave something out; the search for words is not one of them."""
    lists = (found.source, found.genre, found.element, found.teacher, found.status)
    score = found.low is not None or found.high is not None
    return sum(map(bool, lists)) + sum((bool(found.tag.strip()), score, found.rated is not None, found.edited))


def none_found(found: Filter) -> str:
    """Why a list is empty, and what to do."""
    if found == Filter():
        return "There are no examples yet. They come from Auto-Train, from your answers, and from your own pages."
    if active(found) and found.text.strip():
        return "No example has these words and fits the filter. Search for fewer words, or clear the filter."
    return (
        "No example has these words. Search for fewer of them, or for the beginning of one."
        if found.text.strip()
        else "No example fits the filter. Clear a part of it."
    )
