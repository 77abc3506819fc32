"""How a model is asked and where it stops, as token ids: the same in training, in measuring and when it writes.

A model with a chat template is asked by that; any other gets the prompt and an empty line. Importing this loads no
torch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zega_core.errors import InvalidInput

OVERLAP = 64
"""Tokens of a long text that its next window sees again, without being trained on them twice."""
SOFT = 0.85
"""Share of an answer's room after which it ends with the next whole sentence: a text that breaks off in the middle of
one is of no use to anybody."""
_MARK = "zegazegazega"
_SENTENCE = re.compile(r"(?<!\bMr)(?<!\bDr)(?<!\bSt)(?<!\bMrs)[.!?\u2026][\"\u201d\u2019')\]]*\Z")


@dataclass(frozen=True, slots=True)
class Window:
    """``tokens`` as the model sees them; the first ``masked`` of them are context and not trained on."""

    tokens: list[int]
    masked: int

    @property
    def trained(self) -> int:
        return len(self.tokens) - self.masked


def is_whole(text: str) -> bool:
    """Whether it ends with a sentence, and with no speech open; what is empty after that does not matter: many
    tokenizers have the mark and the empty line after a paragraph as one token."""
    paragraph = text.rstrip().rpartition("\n")[2]
    spoken = paragraph.count("\u201c") > paragraph.count("\u201d") or paragraph.count('"') % 2 == 1
    return not spoken and _SENTENCE.search(paragraph) is not None


def prompt_ids(tokenizer: Any, prompt: str) -> list[int]:
    """All that stands before the answer. Marks of the tokenizer that somebody wrote into the prompt are taken out.
    Raises InvalidInput if the template cannot be used."""
    prompt = without_marks(tokenizer, prompt)
    if tokenizer.chat_template:
        said = _rendered(tokenizer, [{"role": "user", "content": prompt}], add_generation_prompt=True)
        return _encoded(tokenizer, said)
    tokens = [int(token) for token in tokenizer(f"{prompt}\n\n")["input_ids"]]
    while tokens and tokens[-1] == tokenizer.eos_token_id:  # some tokenizers close every text
        tokens.pop()
    return tokens


def completion_ids(tokenizer: Any, text: str) -> list[int]:
    """The text itself, without an end. What looks like a mark in it stays plain text."""
    return _encoded(tokenizer, text, split_special_tokens=True)


def end_ids(tokenizer: Any) -> list[int]:
    """What is written after the answer: by the template, else the end-of-text token; empty if there is neither.
    Raises InvalidInput if the template cannot be used."""
    if tokenizer.chat_template:
        said = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
        _, found, after = _rendered(tokenizer, said).rpartition(_MARK)
        if found and after.strip():
            return _encoded(tokenizer, after.rstrip())
    return [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]


def stops(tokenizer: Any, generation_config: Any = None) -> list[int]:
    """Token ids at which writing ends: those of the model's own settings, and the first special one of ``end_ids``: a
    template may write a blank before its mark, at which no text ends."""
    own = getattr(generation_config, "eos_token_id", None)
    many = own if isinstance(own, (list, tuple)) else [own]
    found = [int(token) for token in many if token is not None]
    special = {token for token, added in tokenizer.added_tokens_decoder.items() if added.special}
    return sorted({*found, *[token for token in end_ids(tokenizer) if token in special][:1]})


def without_marks(tokenizer: Any, text: str) -> str:
    """``text`` without the tokenizer's special tokens, such as an end mark, so that nobody's words close a prompt."""
    marks = sorted({one.content for one in tokenizer.added_tokens_decoder.values() if one.special}, key=len)
    marks, kept = [mark for mark in reversed(marks) if mark], list[str]()
    if not any(mark in text for mark in marks):
        return text
    longest, ends = len(marks[0]), {mark[-1] for mark in marks}
    for character in text:  # one by one: taking a mark out may put the halves of another together
        kept.append(character)
        if character in ends:
            seen = "".join(kept[-longest:])
            found = next((mark for mark in marks if seen.endswith(mark)), "")
            del kept[len(kept) - len(found) :]
    return "".join(kept)


def windows(
    prompt: Sequence[int],
    completion: Sequence[int],
    end: Sequence[int],
    max_length: int,
    overlap: int = OVERLAP,
) -> list[Window]:
    """Cut one example into windows of at most ``max_length`` tokens.

    Each holds the prompt; each but the first also up to ``overlap`` tokens of what came before. Every token of the
    completion and of ``end`` is trained on once; ``end`` stands whole in the last window. A prompt longer than half a
    window loses its middle. Raises ValueError if ``max_length`` cannot hold that.
    """
    half = max_length // 2
    head = list(prompt)
    if len(head) > half:
        head = [*head[: half - half // 2], *head[len(head) - half // 2 :]]
    room = max_length - len(head)
    overlap = min(overlap, room // 2)
    if room - overlap <= len(end):
        raise ValueError(f"a window of {max_length} tokens is too short")
    text, found, begun = [*completion, *end], [], 0
    while begun < len(text):
        seen = min(overlap, begun)
        stop = min(begun + room - seen, len(text))
        if stop < len(text) and stop > len(completion):
            stop = len(completion)  # the end is not torn
        found.append(Window([*head, *text[begun - seen : stop]], len(head) + seen))
        begun = stop
    return found


def _encoded(tokenizer: Any, text: str, **how: Any) -> list[int]:
    return [int(token) for token in tokenizer(text, add_special_tokens=False, **how)["input_ids"]]


def _rendered(tokenizer: Any, messages: list[dict[str, str]], **how: Any) -> str:
    from jinja2.exceptions import TemplateError

    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, **how))
    except (TemplateError, ValueError, TypeError) as error:
        raise InvalidInput(
            "This base model's chat template cannot be used. Choose another base model, or remove its chat template."
        ) from error
