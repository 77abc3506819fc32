"""What is said of exports: how they are made, what to type, what Ollama's checks came to."""

from __future__ import annotations

import ast
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import proved
from zega_core import export_words as words
from zega_core.exports.formats import FORMATS
from zega_core.exports.modelfile import by_hand
from zega_core.proof_tables import Export
from zega_core.tables import RunStatus

FOLDER = Path("/home/ana maria/it's here/gguf-v3-00000000")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)


def row(key: str, **more: Any) -> Export:
    values: dict[str, Any] = {"user_id": "ana", "run_id": "1", "trigger": "writer", "format": key, "files": {}}
    values |= {"status": RunStatus.done, "notes": []}
    return Export(**values | more)


def test_every_format_is_in_one_group_and_the_way_into_ollama_is_first():
    model, data = words.formats("model"), words.formats("data")
    assert {one.key for one in (*model, *data)} == set(FORMATS)
    assert [one.key for one in model] == ["ollama", "gguf", "peft", "merged"]
    assert len({words.button(one, again=False) for one in (*model, *data)}) == len(FORMATS)
    assert [words.label(one) for one in data] == ["Prompt and completion", "Chat messages", "Alpaca", "ShareGPT"]


def test_a_gguf_file_has_its_commands_for_ollama_with_any_folder():
    typed = words.typed(row("gguf", files={"model.gguf": "0"}), FOLDER, "zega-ana", "")
    first, *others = typed.splitlines()
    assert shlex.split(first) == ["cd", str(FOLDER)]
    assert others == by_hand("zega-ana")


def test_what_is_in_ollama_already_is_only_asked():
    in_it = words.typed(row("ollama", report=proved.report()), FOLDER, "zega-ana", "")
    assert shlex.split(in_it)[:3] == ["ollama", "run", "zega-ana"]
    beside = words.typed(row("ollama"), FOLDER, "zega-ana", "")
    assert beside.splitlines()[1:] == by_hand("zega-ana")


def test_training_data_is_loaded_by_its_path():
    typed = words.typed(row("chat", files={"ana-chat.jsonl": "0"}), FOLDER, "zega-ana", "")
    calls = [node for node in ast.walk(ast.parse(typed)) if isinstance(node, ast.keyword)]
    assert [ast.literal_eval(call.value) for call in calls] == [str(FOLDER / "ana-chat.jsonl")]


def test_a_model_for_python_has_the_program_of_its_card_with_the_folder_in_it():
    typed = words.typed(row("peft"), FOLDER, "zega-ana", proved.CARD)
    assert f"folder = Path({str(FOLDER)!r})" in typed
    ast.parse(typed)
    assert words.typed(row("merged"), FOLDER, "zega-ana", "no program") == ""


def test_what_is_to_be_typed_is_not_said_twice():
    typed = words.typed(row("gguf"), FOLDER, "zega-ana", "")
    notes = ["Open it in LM Studio.", "For Ollama, type in this folder:", *by_hand("zega-ana")]
    assert words.notes(row("gguf", notes=notes), typed) == [
        "Open it in LM Studio.",
        "For Ollama, type in this folder:",
    ]
    ask = words.typed(row("ollama", report=proved.report()), FOLDER, "zega-ana", "")
    notes = [f"Your model is in Ollama as zega-ana. Ask it with: {ask}"]
    assert words.notes(row("ollama", notes=notes), ask) == ["Your model is in Ollama as zega-ana. Ask it with:"]
    wrong = row("ollama", report=proved.report(ok=False), notes=[*notes, "Ollama does not list zega-default."])
    assert words.notes(wrong, ask) == ["Your model is in Ollama as zega-ana. Ask it with:"]
    assert words.notes(row("jsonl", notes=["3 kept examples are not in the file."]), "") == [
        "3 kept examples are not in the file."
    ]


def test_checks_are_counted():
    good, bad = row("ollama", report=proved.report()), row("ollama", report=proved.report(ok=False))
    assert words.checked(words.checks(good)) == "Checked in Ollama: 2 checks, all passed"
    assert words.checked(words.checks(bad)) == "Checked in Ollama: 1 of 2 checks did not pass"
    assert [words.passed(one) for one in words.checks(bad)] == ["Not passed.", "Passed."]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"status": "queued"}, "Waiting for the worker"),
        ({"status": "stopping"}, "Stopping"),
        ({"status": "running", "phase": "merging"}, "Joining the base model and what it learned"),
        ({"status": "running", "phase": "a phase of tomorrow"}, "Making it"),
    ],
)
def test_every_phase_has_its_words(values: dict[str, Any], said: str):
    assert words.progress(row("gguf", **values)) == said


def test_how_much_it_is():
    assert words.facts(row("gguf", files={"a": "", "b": ""}, size_bytes=29_400_000)) == "29.4 MB · 2 files"
    assert words.can_download(row("gguf", size_bytes=29_400_000))
    assert not words.can_download(row("merged", size_bytes=5_000_000_000))


def test_what_it_is_of():
    assert words.title(row("gguf", version_number=3)) == "Whole model as GGUF · v3"
    assert words.title(row("jsonl")) == "Training data: prompt and completion · what was kept then"
    assert words.title(row("of tomorrow")) == "of tomorrow · what was kept then"
    assert words.examples(None, 1) == "What is kept now: 1 example"
    assert words.examples(3, 0) == "What v3 learned from"


@given(JSON, JSON, JSON, st.sampled_from([*FORMATS, "of tomorrow"]), st.text(max_size=10), st.text(max_size=200))
def test_any_row_has_words(files: Any, notes: Any, report: Any, key: str, phase: str, card: str):
    one = row(key, files=files, notes=notes, report=report, phase=phase, status=RunStatus.running)
    typed = words.typed(one, FOLDER, "zega-ana", card)
    assert all(
        isinstance(said, str) for said in [typed, *words.notes(one, typed), words.facts(one), words.progress(one)]
    )
    assert all(isinstance(check.ok, bool) for check in words.checks(one))
