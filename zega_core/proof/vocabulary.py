"""Which words are words: a small model that is trained too hard makes them up, letter by letter. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from zega_core.catalog import DATA
from zega_core.quality.features import stem
from zega_core.quality.words import load_words

PATH = DATA.parent / "proof" / "words.txt"
"""Made by ``scripts/proof_words.py``."""
_LETTERS = 40
"""Of a word; what is longer is looked at no closer, and unknown."""
_WORD = re.compile(r"(?<![^\W_])[^\W\d_]+(?:'[^\W\d_]+)*(?![^\W_])")
_BEFORE = ("un", "re", "in", "im", "dis", "non", "over", "out", "under", "fore", "mis")
_PART = 3
"""Letters of the shortest part of a compound."""


def plain_words(text: str) -> list[str]:
    """The words in small letters, three letters and more: names are never unknown. Linear in the text."""
    return [word for word in _WORD.findall(text.replace("’", "'")) if len(word) > 2 and word.islower()]


@cache
def shipped(with_books: bool = True) -> frozenset[str]:
    """The 24,000 words of the score, and those of books."""
    words = frozenset(load_words().index)
    return words | frozenset(PATH.read_text(encoding="ascii").split()) if with_books else words


@cache
def _stems(words: frozenset[str]) -> frozenset[str]:
    return frozenset(map(stem, words))


class Vocabulary:
    """Known words, their forms by common endings and beginnings, and compounds of two of them. Of 3,000 made-up words
    (the beginning of one word, the end of another) six in seven are unknown to it."""

    def __init__(self, words: frozenset[str], texts: Iterable[str] = ()) -> None:
        """The words of ``texts`` are known, too."""
        self._words = words
        self._known = words.union(*(plain_words(text) for text in texts))
        self._stems = _stems(words) | frozenset(map(stem, self._known - words))
        self._asked: dict[str, bool] = {}

    def __contains__(self, word: str) -> bool:
        """Of a word in small letters."""
        if word not in self._asked:
            self._asked[word] = len(word) <= _LETTERS and self._knows(word.removesuffix("'s").strip("'"))
        return self._asked[word]

    def _knows(self, word: str) -> bool:
        if self._is_form(word):
            return True
        if any(
            word.startswith(one) and len(word) > len(one) + _PART and self._is_form(word[len(one) :]) for one in _BEFORE
        ):
            return True
        cuts = range(_PART, len(word) - _PART + 1)
        return any(word[:cut] in self._known and self._is_form(word[cut:]) for cut in cuts)

    def _is_form(self, word: str) -> bool:
        return word in self._known or stem(word) in self._stems
