"""How sentences are built, without a parser: each token gets one of 31 coarse tags, and pairs of tags are counted.

Closed word classes are listed; open ones are told by their endings. What matters is which habits a text has (", and",
"as she", a name after a full stop), not that every tag is right.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zega_core.quality import lexicon
from zega_core.quality.features import word_set

_CLOSED: dict[str, frozenset[str]] = {
    "I": lexicon.FIRST,
    "Y": lexicon.SECOND,
    "H": lexicon.HE,
    "S": lexicon.SHE,
    "P": lexicon.THEY,
    "T": lexicon.IT,
    "D": word_set("the"),
    "A": word_set("a an"),
    "Q": word_set(
        "this that these those some any every each no another all both such many much few several more most other"
    ),
    "R": word_set(
        """of in on at by with from into onto over under through across between among against about around behind
    before after beneath beside beyond during without within toward towards upon up down out off near past along
    inside outside for as like than"""
    ),
    "O": word_set("to"),
    "C": word_set("and or but nor yet so"),
    "B": word_set("because although though while when if unless until since whereas where whether once"),
    "W": word_set("who whom whose which what why how"),
    "X": word_set("is was are were be been being am isn't wasn't weren't aren't"),
    "V": word_set("have has had having hadn't haven't hasn't do does did didn't don't doesn't"),
    "M": word_set("can could will would shall should may might must can't couldn't won't wouldn't shouldn't"),
    "N": word_set("not never nothing none nobody nowhere"),
    "Z": word_set(
        """there here then now just only even still again too very really quite almost always often ever soon already
    perhaps maybe"""
    ),
}
_TAG_OF = {word: tag for tag, words in _CLOSED.items() for word in words}
_MARKS = {'"': '"', ",": ",", ";": ",", ":": ",", "?": "?", "!": "!", ".": ".", "…": ".", "-": "-", "—": "-", "–": "-"}
TAGS = "".join(_CLOSED) + 'lgdsnp,.!?"-'  # adverb, -ing, -ed, -s, other word, name, then the marks
_INDEX = {tag: number for number, tag in enumerate(TAGS)}
SIZE = len(TAGS) + len(TAGS) ** 2
_TOKEN = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*|[.!?…]+|[,;:\"]|[-—–]+")
_NAME, _OPENING = _INDEX["p"], frozenset(_INDEX[mark] for mark in '.!?"')


@lru_cache(maxsize=40_000)
def _tag(token: str) -> int:
    low = token.lower()
    if low in _TAG_OF:
        return _INDEX[_TAG_OF[low]]
    if token[0] in _MARKS:
        return _INDEX[_MARKS[token[0]]]
    for ending, tag, least in (("ly", "l", 4), ("ing", "g", 4), ("ed", "d", 3)):
        if low.endswith(ending) and len(low) > least:
            return _INDEX[tag]
    return _INDEX["s" if low.endswith("s") and not low.endswith("ss") and len(low) > 3 else "n"]


def habits(text: str) -> NDArray[np.float64]:
    """Square roots of the shares of every tag and of every pair of neighbours; shape ``(SIZE,)``.

    The root keeps rare habits from vanishing beside frequent ones (Hellinger distance). ``text`` has plain quotes.
    """
    tags: list[int] = []
    for token in _TOKEN.findall(text):
        tag = _tag(token[:60])
        if (
            tag >= _INDEX["s"]
            and token[0].isupper()
            and token.lower() not in _TAG_OF
            and tags
            and tags[-1] not in _OPENING
        ):
            tag = _NAME
        tags.append(tag)
    found = np.array(tags, dtype=np.intp)
    count = len(TAGS)
    ones = np.bincount(found, minlength=count)
    pairs = np.bincount(found[:-1] * count + found[1:], minlength=count * count)
    return np.sqrt(np.concatenate((ones, pairs)) / max(1, len(tags)))
