"""Examples in words."""

from __future__ import annotations

from zega_core.collection_words import FORMS, SORTS, SOURCES, STATUSES, active
from zega_core.fine_tune import written
from zega_core.store import collection
from zega_core.store.collection import Filter
from zega_core.tables import Source


def test_everything_has_a_name():
    assert set(SOURCES) == set(Source)
    assert set(SORTS) == set(collection.SORTS)
    assert set(FORMS) == set(written.FORMS)
    assert set(STATUSES) == {"kept", "set_aside"}


def test_the_parts_of_a_filter_are_counted():
    assert active(Filter(text="sea")) == 0
    assert active(Filter(genre=("horror", "fantasy"), low=3.0, high=4.0, rated=False, edited=True, tag="a")) == 5
