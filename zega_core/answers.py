"""What a teacher's answer must pass before it is a piece.

Chat models wrap what they write (``wrapping``). What is certainly wrapping is taken off; what could be fiction stays,
and the score's gates see it. An answer that is no piece at all is refused here, so that it is asked for again and never
learned from.
"""

from __future__ import annotations

import re
from dataclasses import replace

from zega_core import quality
from zega_core.catalog import Element
from zega_core.errors import BadAnswer
from zega_core.providers.base import Completion
from zega_core.tables import CallOutcome
from zega_core.wrapping import CONTROL, MAX_CHARS, unwrapped

UNREADABLE = 0.01
"""The share of characters that are no text from which on an answer is garbled."""

_LOST, _NOISE = re.compile("[\ufffd\ue000-\uf8ff]"), re.compile(r"[!-@\[-`{-~]")
_MASH = re.compile(r"[!-~]{150}")  # prose breaks between words, an encoded file does not
_SAID = {
    CallOutcome.cut_off: "The answer broke off at the length limit.",
    CallOutcome.empty: "The answer held nothing to read.",
    CallOutcome.too_long: "The answer is far longer than any piece.",
    CallOutcome.garbled: "The answer is not readable text.",
    CallOutcome.refusal: "The teacher declined to write this; another wording of the prompt may help.",
    CallOutcome.language: "The answer is in another language than the prompt.",
}


def accept(
    completion: Completion, asked: str, element: Element | None = None, *, may_break_off: bool = False
) -> Completion:
    """The completion with nothing but the piece in its text; accepting it again changes nothing.

    ``asked`` is the writer's prompt, by whose language the answer is judged. One that ``may_break_off`` is taken also
    where it ended at its length limit. Raises BadAnswer, with the tokens and calls that were spent, for what is no
    piece; any string is accepted, and time grows with its length only.
    """
    text = unwrapped(completion.text, element)
    broke_off = completion.cut_off and not may_break_off
    outcome = CallOutcome.cut_off if broke_off else _fault(completion.text, text, asked)
    if outcome is None and text is not None:
        return replace(completion, text=text)
    outcome = outcome or CallOutcome.garbled
    raise BadAnswer(
        _SAID[outcome],
        outcome,
        calls=completion.calls,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
    )


def _fault(raw: str, text: str | None, asked: str) -> CallOutcome | None:
    if text is None or len(CONTROL.findall(raw)) > UNREADABLE * len(raw):
        return CallOutcome.garbled
    if not any(map(str.isalnum, text)):
        return CallOutcome.empty
    if len(text) > MAX_CHARS:
        return CallOutcome.too_long
    letters = len(text) - sum(map(str.isspace, text))
    lost = len(_LOST.findall(text))
    if lost > UNREADABLE * len(text) or 2 * len(_NOISE.findall(text)) > letters or _MASH.search(text):
        return CallOutcome.garbled
    if quality.declines(text):
        return CallOutcome.refusal
    return CallOutcome.language if quality.in_another_language(text, asked) else None
