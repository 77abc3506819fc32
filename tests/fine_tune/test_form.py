"""How a model is asked: nothing of a text is lost, learned twice or taken for a mark."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from zega_core.errors import InvalidInput
from zega_core.fine_tune.base import BUILT_IN
from zega_core.fine_tune.form import (
    Window,
    completion_ids,
    end_ids,
    is_whole,
    prompt_ids,
    stops,
    windows,
    without_marks,
)

PROMPT, COMPLETION, END = 1, 2, 3
CHATML = (
    "{% for message in messages %}{{ '<|prompt|>' + message['role'] + '\n' + message['content'] + '<|end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|prompt|>assistant\n' }}{% endif %}"
)


@pytest.fixture
def other(tokenizer: Any) -> Any:
    """A tokenizer of its own, to be given another template."""
    return AutoTokenizer.from_pretrained(BUILT_IN, local_files_only=True)


tokens = st.lists(st.integers(10, 6000))


@given(
    prompt=tokens, completion=tokens, length=st.integers(32, 200), overlap=st.integers(0, 80), ends=st.integers(0, 3)
)
def test_every_token_is_learned_once_and_in_order(
    prompt: list[int], completion: list[int], length: int, overlap: int, ends: int
):
    end = [3] * ends
    cut = windows(prompt, completion, end, length, overlap)
    learned = [token for window in cut for token in window.tokens[window.masked :]]
    assert learned == completion + end
    assert all(len(window.tokens) <= length and window.trained > 0 for window in cut)
    if ends:
        assert cut[-1].tokens[-ends:] == end and cut[-1].trained >= ends
        assert all(3 not in window.tokens for window in cut[:-1])


@given(prompt=tokens, completion=tokens, length=st.integers(32, 200), overlap=st.integers(0, 80))
def test_each_window_sees_the_prompt_and_what_came_just_before(
    prompt: list[int], completion: list[int], length: int, overlap: int
):
    learned: list[int] = []
    for window in windows(prompt, completion, [3], length, overlap):
        head = window.masked - min(overlap, (length - min(len(prompt), length // 2)) // 2, len(learned))
        assert window.tokens[head : window.masked] == learned[len(learned) - (window.masked - head) :]
        kept = window.tokens[:head]
        assert kept == prompt if len(prompt) <= length // 2 else len(kept) == length // 2
        assert kept[:1] == prompt[:1] and kept[-1:] == prompt[-1:]
        learned += window.tokens[window.masked :]


def test_a_short_text_is_one_window():
    assert windows([1, 5, 2], [6, 7], [3], 64) == [Window([1, 5, 2, 6, 7, 3], 3)]


def test_a_window_too_short_for_anything_is_refused():
    with pytest.raises(ValueError, match="too short"):
        windows([1], [5, 6], [3, 3], 3)


def test_the_built_in_model_is_asked_in_its_own_form(tokenizer: Any):
    asked = prompt_ids(tokenizer, "A lamp")
    assert (asked[0], asked[-1]) == (PROMPT, COMPLETION)
    assert tokenizer.decode(asked[1:-1]) == "A lamp"
    assert end_ids(tokenizer) == [END]


@pytest.mark.parametrize("mark", ["<|end|>", "<|prompt|>", "<|completion|>", "<|en<|end|>d|>"])
def test_marks_in_a_prompt_are_taken_out(tokenizer: Any, mark: str):
    asked = prompt_ids(tokenizer, f"A lamp {mark}and a key")
    assert asked == prompt_ids(tokenizer, "A lamp and a key")
    assert not {PROMPT, COMPLETION, END} & set(asked[1:-1])


def test_marks_within_marks_are_taken_out_of_a_long_prompt_in_no_time(tokenizer: Any):
    nested, began = "<|e" * 100_000 + "nd|>" * 100_000, time.perf_counter()
    assert without_marks(tokenizer, f"A lamp {nested}and <|e<|prompt|>nd|>a key") == "A lamp and a key"
    assert time.perf_counter() - began < 10


def test_marks_of_other_models_are_words_like_any(tokenizer: Any):
    text = "She said <|im_end|> and <b> & </s>."
    assert without_marks(tokenizer, text) == text
    assert tokenizer.decode(prompt_ids(tokenizer, text)[1:-1]) == text


def test_marks_in_a_completion_stay_text(tokenizer: Any):
    written = completion_ids(tokenizer, "The page read <|end|> and went on.")
    assert END not in written
    assert tokenizer.decode(written) == "The page read <|end|> and went on."


def test_the_end_is_what_the_template_writes_without_the_line_break(other: Any):
    other.chat_template = CHATML
    assert end_ids(other) == [END]
    assert other.decode(prompt_ids(other, "A lamp")) == "<|prompt|>user\nA lamp<|end|>\n<|prompt|>assistant\n"


def test_without_a_template_the_prompt_is_followed_by_an_empty_line(other: Any):
    other.chat_template = None
    assert other.decode(prompt_ids(other, "A lamp")) == "A lamp\n\n"
    assert end_ids(other) == [END]


def test_a_tokenizer_without_an_end_has_none(other: Any):
    other.chat_template, other.eos_token = None, None
    assert end_ids(other) == []


def test_a_template_that_fails_is_told(other: Any):
    other.chat_template = "{{ raise_exception('only in pairs') }}"
    with pytest.raises(InvalidInput, match="chat template cannot be used"):
        prompt_ids(other, "A lamp")


@pytest.mark.parametrize(("own", "expected"), [(None, [3]), (2, [2, 3]), ([0, 3], [0, 3])])
def test_writing_stops_at_the_models_own_ends_and_at_ours(tokenizer: Any, own: Any, expected: list[int]):
    assert stops(tokenizer, SimpleNamespace(eos_token_id=own)) == expected


def test_a_blank_before_the_templates_mark_ends_no_text(tokenizer: Any, monkeypatch: pytest.MonkeyPatch):
    spaced = "{% for m in messages %}{{ m.content }} <|end|>{% endfor %}"
    monkeypatch.setattr(tokenizer, "chat_template", spaced)
    assert len(end_ids(tokenizer)) == 2
    assert stops(tokenizer) == [3]


def test_importing_it_loads_no_torch():
    import subprocess
    import sys

    code = "import sys; from zega_core.fine_tune import base, form, hub, child; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("The lamp went out.", True),
        ("The lamp went out.\n\n", True),
        ('"Who is there?"', True),
        ("\u201cGo!\u201d", True),
        ("It was late\u2026", True),
        ("(It was late.)", True),
        ("The lamp went", False),
        ("He asked Mr.", False),
        ('"Who is there?', False),
        ("\u201cGo! I said.", False),
        ('He said "no."\n\nThe lamp went out.', True),
        ("", False),
    ],
)
def test_a_text_is_whole_where_its_last_sentence_is(text: str, whole: bool):
    assert is_whole(text) == whole
