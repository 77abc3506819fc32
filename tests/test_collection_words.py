"""Examples in words."""

from __future__ import annotations

import pytest

from zega_core.changes import COLUMNS
from zega_core.collection_words import FORMS, SORTS, SOURCES, STATUSES, active, none_found, undo_label
from zega_core.fine_tune import written
from zega_core.store import collection
from zega_core.store.collection import Filter
from zega_core.tables import Source


def test_everything_has_a_name():
    assert set(SOURCES) == set(Source)
    assert set(SORTS) == set(collection.SORTS)
    assert set(FORMS) == set(written.FORMS)
    assert set(STATUSES) == {"kept", "set_aside"}


@pytest.mark.parametrize("action", COLUMNS)
def test_what_can_be_undone_is_said(action: str):
    assert "changed" not in undo_label((action, 1))


def test_undo_counts():
    assert undo_label(("delete", 3)) == "Undo: 3 examples deleted"
    assert undo_label(None) == ""


def test_the_parts_of_a_filter_are_counted():
    assert active(Filter(text="sea")) == 0
    assert active(Filter(genre=("horror", "fantasy"), low=3.0, high=4.0, rated=False, edited=True, tag="a")) == 5


def test_an_empty_list_says_why():
    said = {
        none_found(one) for one in (Filter(), Filter(text="a"), Filter(genre=("x",)), Filter(genre=("x",), text="a"))
    }
    assert len(said) == 4
