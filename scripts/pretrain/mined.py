"""Nouns from the books: so many of them that a model cannot learn a list and has to copy what the prompt says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_FUNCTION = frozenset(
    """the and but for not all any few own other others another such same very more most less least much many some first
    second third last next two three four five six ten one ones only else his her its their our your my this that these
    those thing things way ways day days time times moment moments contrary whole part end rest sort kind lot bit fact
    case hour minute second seconds minutes hours week month year years morning evening night afternoon midst meantime
    meanwhile present past future latter former sake middle beginning name matter point question course account while
    what which who whom there here then now when where how why than with from into upon over under after before again
    being been was were are had has have did does will would could should might must may can shall let made said good
    best better worst worse right left least less quite rather too also even ever never always often soon still just
    man men woman women other people person""".split()
)
_NO_NOUN = ("ly", "ing", "est", "ous", "ful", "ive", "ish", "ed")
_THING = re.compile(r"\b(?:a|an|the|his|her) ((?:[a-z]+ )?[a-z]{3,12})(?=[.,;:?!])")
_FIGURE = re.compile(
    r"\b(?:a|an|the) ((?:[a-z]+ )?[a-z]{3,14}) (?:who|said|whispered|replied|cried|asked|nodded|answered)\b"
)
_PLACE = re.compile(r"\b((?:in|on|at|under|beneath|behind|near|inside|beyond) the (?:[a-z]+ )?[a-z]{4,12})(?=[.,;:?!])")


def mine(texts: Iterable[str]) -> dict[str, list[str]]:
    """Things, figures and places as the books name them, in the order of the alphabet."""
    counts = {"objects": Counter[str](), "figures": Counter[str](), "places": Counter[str]()}
    for text in texts:
        for key, pattern in (("objects", _THING), ("figures", _FIGURE), ("places", _PLACE)):
            counts[key].update(pattern.findall(text))
    return {key: _nouns(found) for key, found in counts.items()}


def _nouns(found: Counter[str]) -> list[str]:
    heads = Counter[str]()
    for phrase, count in found.items():
        heads[phrase.split()[-1]] += count
    return sorted(phrase for phrase in found if _likely(phrase.split(), heads))


def _likely(words: Sequence[str], heads: Counter[str]) -> bool:
    *before, head = words
    before = before[2:] if before[1:2] == ["the"] else before
    if head in _FUNCTION or head.endswith(_NO_NOUN) or head.endswith("s") or heads[head] < 2:
        return False
    return not any(word in _FUNCTION or len(word) < 3 for word in before)
