"""Names of local models: their form is checked before one touches a path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zega_core import providers
from zega_core.errors import InvalidInput
from zega_core.local.models import student
from zega_core.local.names import ModelName, listed, read_name
from zega_core.settings import Settings


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("base", ModelName()),
        ("base:HuggingFaceTB/SmolLM2-135M", ModelName(base="HuggingFaceTB/SmolLM2-135M")),
        ("base:/models/my own", ModelName(base="/models/my own")),
        ("ana/v3", ModelName("ana", 3)),
        ("base/v1", ModelName("base", 1)),
    ],
)
def test_a_name_is_read_and_written_alike(text: str, name: ModelName):
    assert read_name(text) == name
    assert str(name) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "base:", "base: ", "base:a\0b", "base:" + "x" * 400),
        *("ana", "ana/3", "ana/v0", "ana/v03", "ana/v-1", "ana/v1.0", "ana/v٣", "ana/v1\n", "ana/v1" + "0" * 12),
        *("../ana/v1", "ana/../v1", "ana/v1/..", "/v1", "-ana/v1", "Ana/v1", f"{'a' * 65}/v1"),
    ],
)
def test_anything_else_is_no_name(text: str):
    with pytest.raises(InvalidInput, match=r"\.$"):
        read_name(text)


def test_a_student_is_named_and_labelled(config: Settings):
    model = student(config, "ana", 3)
    assert (model.name, model.label, model.in_flight) == ("local/ana/v3", "Your model · v3", 1)
    base = student(config, "ana", None)
    assert (base.name, base.label) == ("local/base", "Base model")
    assert student(config, "ana", None, " some/model ").name == "local/base:some/model"


@pytest.mark.parametrize(
    "wrong",
    [("ana", True, ""), ("ana", 0, ""), ("ana", -2, ""), ("a/b", 3, ""), ("../eve", 3, ""), ("ana", None, "a\nb")],
)
def test_a_student_of_nobody(config: Settings, wrong: Any):
    with pytest.raises(InvalidInput):
        student(config, *wrong)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("local/ana/v3", "Your model · v3"),
        ("local/base", "The built-in model"),
        ("local/base:HuggingFaceTB/SmolLM2-135M", "Base model · HuggingFaceTB/SmolLM2-135M"),
        ("local/ana/v3, groq/llama", "Your model · v3, Groq · llama"),
    ],
)
def test_what_a_writer_reads_for_a_recorded_name(name: str, label: str):
    assert providers.label_of(name) == label


def test_what_is_no_version_is_not_listed(tmp_path: Path):
    for folder in ("ana/v2", "ana/v10", "ana/v3.tmp", "Eve/v1", "ana/vx"):
        (tmp_path / "versions" / folder).mkdir(parents=True)
    assert [str(name) for name in listed(tmp_path)] == ["base", "ana/v10", "ana/v2"]
    assert [str(name) for name in listed(tmp_path / "nowhere")] == ["base"]
