"""What a piece is held against: the words of its prompt, the length and the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zega_core.catalog import Element, load_catalog


@dataclass(frozen=True, slots=True)
class Wanted:
    """The length and the form asked for: an element's, or none at all."""

    key: str = ""
    min_words: int = 0
    max_words: int = 10**9
    min_lines: int = 0
    max_lines: int = 0


def wanted(element: Element | str | None) -> Wanted:
    """What an element asks for, or the one of the catalog with that key; nothing for what is neither."""
    if isinstance(element, str):
        element = next((one for one in load_catalog().elements if one.key == element), None)
    if not isinstance(element, Element):
        return Wanted()
    return Wanted(element.key, element.min_words, element.max_words, element.min_lines or 0, element.max_lines or 0)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the piece is held against."""

    prompt_words: tuple[str, ...]  # lower case, in order, without the wording of the task
    names: Mapping[str, str]  # its distinct content words, by their stems
    element: Wanted
