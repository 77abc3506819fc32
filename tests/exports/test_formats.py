"""Training data: the keys of each format and no others, and which pairs are in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.support.tuned import keep, version
from zega_core import db, versions
from zega_core.errors import InvalidInput, NotFound
from zega_core.exports import choice, gather, training_data
from zega_core.exports.formats import FORMATS
from zega_core.exports.training_data import Pair
from zega_core.fine_tune.plan import Row, Split
from zega_core.settings import Settings
from zega_core.store import learned
from zega_core.tables import ExampleStatus
from zega_core.version_tables import Version

HOSTILE = 'A "quote", a \\ and\nlines\r\n\u2028\u2029\u0085 \0 <|end|> {"messages": []} \ud800 \U0001f600 é'
EXPECTED: dict[str, Any] = {
    "jsonl": {"prompt": "Ask", "completion": HOSTILE},
    "chat": {"messages": [{"role": "user", "content": "Ask"}, {"role": "assistant", "content": HOSTILE}]},
    "alpaca": {"instruction": "Ask", "input": "", "output": HOSTILE},
    "sharegpt": {"conversations": [{"from": "human", "value": "Ask"}, {"from": "gpt", "value": HOSTILE}]},
}


@pytest.mark.parametrize("form", [one.key for one in FORMATS.values() if one.kind == "data"])
def test_a_line_holds_one_pair_and_nothing_else(form: str, tmp_path: Path):
    target = tmp_path / "data.jsonl"
    assert training_data.write(form, [Pair("Ask", HOSTILE), Pair("Again", "Short")], target) == 2
    text = target.read_bytes().decode("utf-8")
    lines = text.splitlines()  # also where a reader takes other marks for the end of a line
    assert len(lines) == text.count("\n") == 2
    assert json.loads(lines[0]) == EXPECTED[form]
    assert list(json.loads(lines[0])) == list(EXPECTED[form])
    assert "é" in lines[0]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path):
    (tmp_path / "data.jsonl").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        training_data.write("jsonl", [Pair("Ask", "Answer")], tmp_path / "data.jsonl")
    assert (tmp_path / "data.jsonl").read_text(encoding="utf-8") == "mine"


def test_what_is_kept_now_is_worded_as_it_is_trained_on(config: Settings):
    keep(config, "ana", 4)
    keep(config, "ana", 1, first=10, status=ExampleStatus.set_aside)
    keep(config, "bo", 2)
    with db.reading(config) as session:
        found = gather.kept_now(session, "ana", config)
    assert len(found.pairs) == 4
    assert found.pairs[0].prompt.startswith("Write one scene")
    assert "Prompt: Write about the lamp number 0" in found.pairs[0].prompt
    assert found.pairs[0].completion.startswith("The keeper of lamp 0")
    assert not found.notes


def test_what_cannot_be_learned_from_is_counted(config: Settings):
    keep(config, "ana", 3)
    keep(config, "ana", 2, first=5, completion="")
    with db.reading(config) as session:
        found = gather.kept_now(session, "ana", config)
    assert len(found.pairs) == 3
    assert found.notes == ["Left out: 2 kept examples that cannot be learned from."]


def row(identity: int, text: str, *, split: Split = "train", weight: float = 1.0) -> Row:
    return Row(identity, f"Ask {identity}", text, weight, split, False, "auto")


def data(config: Settings, number: int, rows: list[Row], parent: int | None = None) -> Version:
    made = version(config, "ana", parent=parent)
    assert made.number == number
    lines = "".join(json.dumps(asdict(one)) + "\n" for one in rows)
    (versions.folder_of(config, "ana", number) / "data.jsonl").write_text(lines, encoding="utf-8")
    return made


def pairs(config: Settings, made: Version) -> gather.Gathered:
    with db.reading(config) as session:
        return gather.trained_on(session, made, config)


def test_a_version_gives_what_it_was_trained_on_and_nothing_held_out(config: Settings):
    keep(config, "ana", 3)
    made = data(
        config, 1, [row(1, "As trained"), row(2, "Aside", split="held_out"), row(3, "Check", split="validation")]
    )
    assert pairs(config, made) == gather.Gathered([Pair("Ask 1", "As trained")], [])


def test_what_ancestors_learned_is_found_with_them_or_among_the_examples(config: Settings):
    keep(config, "ana", 3)
    with db.reading(config) as session:
        stored = {identity: text for identity, *_, text, _, _, _ in learned.kept(session, "ana")}
    data(config, 1, [row(1, "The first text, as it was then")])
    data(config, 2, [row(1, "", weight=0.0), row(2, "", weight=0.0), row(7, "Seven")], parent=1)
    made = data(config, 3, [row(1, "", weight=0), row(2, "", weight=0), row(7, "", weight=0), row(9, "", weight=0)], 2)
    found = pairs(config, made)
    assert [pair.completion for pair in found.pairs] == ["The first text, as it was then", stored[2], "Seven"]
    assert found.notes == ["1 text of 4 that earlier versions learned from cannot be found any more."]


def test_the_texts_of_a_deleted_ancestor_are_missed_and_that_is_said(config: Settings):
    keep(config, "ana", 1)
    data(config, 1, [row(50, "Gone")])
    made = data(config, 2, [row(50, "", weight=0.0), row(1, "Here")], parent=1)
    versions.delete("ana", 1, config)
    found = pairs(config, made)
    assert [pair.completion for pair in found.pairs] == ["Here"]
    assert len(found.notes) == 1


@pytest.mark.parametrize("content", [None, "", "{}\n", '{"example_id": 1}\n', "\0", "[" * 5000, '"text"\n'])
def test_a_version_without_readable_data_is_told(config: Settings, content: str | None):
    made = version(config, "ana")
    if content is not None:
        (versions.folder_of(config, "ana", 1) / "data.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(NotFound, match=r"v1 was trained on"):
        pairs(config, made)


def test_text_of_another_kind_is_told(config: Settings):
    made = data(config, 1, [row(1, 5)])  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="damaged"):
        pairs(config, made)


def test_the_version_in_use_is_meant_unless_another_is_named(config: Settings):
    keep(config, "ana", 1)
    version(config, "ana", promote=True)
    version(config, "ana")
    with db.reading(config) as session:
        assert choice.what(session, "ana", "gguf", None) == 1
        assert choice.what(session, "ana", "gguf", 2) == 2
        assert choice.what(session, "ana", "jsonl", None) is None
        assert choice.what(session, "ana", "jsonl", 1) == 1


def test_the_newest_is_meant_where_none_is_in_use(config: Settings):
    version(config, "ana")
    version(config, "ana")
    with db.reading(config) as session:
        assert choice.what(session, "ana", "peft", None) == 2


@pytest.mark.parametrize("form", ["", "JSONL", "../jsonl", "pickle", "x" * 1000])
def test_a_format_that_there_is_not_is_told_with_those_that_there_are(config: Settings, form: str):
    with db.session(config) as session, pytest.raises(InvalidInput, match="jsonl, chat") as told:
        choice.what(session, "ana", form, None)
    assert len(str(told.value)) < 200


def test_nothing_to_export_is_told(config: Settings):
    keep(config, "ana", 1, status=ExampleStatus.set_aside)
    version(config, "bo")
    with db.reading(config) as session:
        with pytest.raises(InvalidInput, match="no kept examples"):
            choice.what(session, "ana", "chat", None)
        with pytest.raises(NotFound, match="no version yet"):
            choice.what(session, "ana", "merged", None)
        with pytest.raises(NotFound, match="no version v1"):
            choice.what(session, "ana", "merged", 1)


def test_a_folder_of_a_version_that_is_gone_is_told(config: Settings):
    made = data(config, 1, [row(1, "Text")])
    shutil.rmtree(versions.folder_of(config, "ana", 1))
    with pytest.raises(NotFound, match="Export what is kept now"):
        pairs(config, made)
