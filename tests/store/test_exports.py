"""Rows of exports: whose they are, which are under way, and that two ways out share nothing."""

from __future__ import annotations

import re

import pytest

from zega_core import db, exporting
from zega_core.errors import NotFound
from zega_core.proof_tables import Export
from zega_core.settings import Settings
from zega_core.store import exports, leases, writers
from zega_core.tables import RunStatus


def make(config: Settings, writer: str = "ana", form: str = "gguf", number: int | None = 3, **values: object) -> Export:
    with db.session(config) as session:
        writers.ensure(session, writer)
        row = exports.create(session, writer, form, number, "writer")
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
    return row


def test_each_has_a_folder_of_its_own_that_says_what_it_is(database: str, config: Settings):
    one, two, data = make(config), make(config), make(config, form="jsonl", number=None)
    assert re.fullmatch(r"gguf-v3-[0-9a-f]{8}", one.folder)
    assert re.fullmatch(r"jsonl-[0-9a-f]{8}", data.folder)
    assert one.folder != two.folder
    for row in (one, two, data):
        assert exporting.folder_of(config, row) == config.home / "exports" / "ana" / row.folder


def test_another_writers_is_not_found(database: str, config: Settings):
    row = make(config)
    with db.reading(config) as session:
        assert exports.get(session, "ana", row.run_id).id == row.id
        for writer, run_id in (("bo", row.run_id), ("ana", "x"), ("ana", "")):
            with pytest.raises(NotFound, match="no such export"):
                exports.get(session, writer, run_id)


def test_what_is_under_way_is_told_apart_by_writer_format_and_version(database: str, config: Settings):
    row, data = make(config), make(config, form="jsonl", number=None)
    make(config, writer="bo")
    for status in (RunStatus.done, RunStatus.failed, RunStatus.stopped):
        make(config, form="peft", status=status)
    with db.reading(config) as session:
        found = exports.under_way(session, "ana", "gguf", 3)
        assert found is not None
        assert found.id == row.id
        found = exports.under_way(session, "ana", "jsonl", None)
        assert found is not None
        assert found.id == data.id
        for form, number in (("gguf", 2), ("gguf", None), ("jsonl", 3), ("peft", 3)):
            assert exports.under_way(session, "ana", form, number) is None
        assert len(exports.unfinished(session)) == 3
        assert [one.format for one in exports.of_writer(session, "ana")] == ["peft"] * 3 + ["jsonl", "gguf"]


def test_an_attempt_that_was_given_up_holds_nothing_any_more(database: str, config: Settings):
    row = make(config)
    with db.session(config) as session:
        first = leases.begin(session, Export, row.id, 1)
        assert first is not None
    with db.session(config) as session:
        taken = exports.take_over(session, first)
        assert taken is not None
        assert taken.attempt == 2
    with db.session(config) as session:
        assert leases.holds(session, first) is None
        assert leases.begin(session, Export, row.id, 1) is None
        assert exports.being_made(session) == {("ana", row.folder, 2)}


@pytest.mark.parametrize(
    "folder", ["", ".", "..", "../../x", "/etc", "gguf-v3-12345678/..", "GGUF-12345678", "x" * 100]
)
def test_a_row_that_names_another_folder_reaches_none(config: Settings, folder: str):
    with pytest.raises(NotFound):
        exporting.folder_of(config, Export(user_id="ana", run_id="r", trigger="writer", format="gguf", folder=folder))
