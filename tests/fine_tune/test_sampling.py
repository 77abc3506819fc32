"""Where an answer ends that has nearly used up its room."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from zega_core.fine_tune.base import BUILT_IN
from zega_core.fine_tune.form import SOFT
from zega_core.fine_tune.sampling import WholeSentence


@cache
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(BUILT_IN)


def written(*texts: str, room: int) -> list[str]:
    """What counts of each text when all are written together, token by token."""
    rows = [[int(token) for token in tokenizer()(text, add_special_tokens=False)["input_ids"]] for text in texts]
    assert len({len(row) for row in rows}) == 1, "one batch has one width"
    whole = WholeSentence(tokenizer(), 0, [room] * len(rows))
    for length in range(1, len(rows[0]) + 1):
        whole(torch.tensor([row[:length] for row in rows]), None)
    return [tokenizer().decode(row[:most]) for row, most in zip(rows, whole.lengths, strict=True)]


@pytest.mark.parametrize(
    "text, kept",
    [
        ("He left. She went home and sat down", "He left."),
        ("He left.\n\nShe went home and sat down", "He left.\n\n"),
        ("Mr. Hall came. She went home", "Mr. Hall came."),
        ('"Go. Now." She went home and sat', '"Go. Now."'),
        ("“Go. Now.” She went home and sat", "“Go. Now.”"),
        ("She went home and sat down with him", "She went home and sat down with him"),
    ],
    ids=["sentence", "paragraph", "title", "speech", "curly", "none"],
)
def test_it_ends_with_the_first_whole_sentence(text: str, kept: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("zega_core.fine_tune.form.SOFT", 0.0)
    assert written(text, room=100) == [kept]


def test_each_text_ends_by_itself_and_none_before_most_of_its_room_is_used():
    early, late = "He left. She went home and sat by him", "He went home and sat by him. She left"
    room = len(tokenizer()(early, add_special_tokens=False)["input_ids"])
    assert written(early, late, room=room)[0] == early
    assert SOFT * room > 3
    assert written(early, late, room=7) == ["He left. She went home and", "He went home and sat by him"]
    assert written(early, late, room=9)[1] == "He went home and sat by him."
