"""Examples in words: what they are called on pages and what a filter looks for."""

from __future__ import annotations

from collections.abc import Mapping

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


def active(found: Filter) -> int:
    """How many parts of a filter leave something out; the search for words is not one of them."""
    lists = (found.source, found.genre, found.element, found.teacher, found.status)
    score = found.low is not None or found.high is not None
    return sum(map(bool, lists)) + sum((bool(found.tag.strip()), score, found.rated is not None, found.edited))
