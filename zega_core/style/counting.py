"""What is counted in a text. Counts add up, so those of many texts are one sum (except for MTLD's, see ``Counts``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zega_core.quality import worn
from zega_core.quality.features import plain_marks, word_set, words_of
from zega_core.style.narration import TOLD, narration

Floats = NDArray[np.float64]

SHORT, LONG = 6, 30
"""Words of a short sentence at most, and of a long one at least."""
MTLD_FACTOR = 0.72
"""Where the type-token ratio of a run falls to this, MTLD counts a factor (McCarthy & Jarvis 2010)."""
FUNCTION_WORDS = tuple(
    """the and of to a i in was he that it his had with you as for on at my but not me is him they her from be have all
    she were this by we there so one which no out them up an what when then or if would been into their could are
    now about like will down do who some more over did very your before only after again through us well its our
    upon than any here must where how can other never away these has too just still off should am might even much
    don't such nothing something once may own yet shall while though himself those another without myself under
    against why every""".split()
)
"""The 120 most frequent function words of the reference prose, the most frequent first; ``scripts/style_reference.py``
checks that. Numbers and verbs of saying, going and making are left out: they follow what a text is about."""
MARKS = ("commas", "semicolons", "colons", "dashes", "exclamations", "questions", "ellipses", "parentheses")
COUNTED = (
    *("words", "sentences", "sentence_squares", "short_sentences", "long_sentences", "paragraphs", "spoken"),
    *("adverbs", "worn", "factors_forward", "factors_backward"),
    *TOLD,
    *MARKS,
)
PLACE = {name: number for number, name in enumerate((*COUNTED, *FUNCTION_WORDS))}
SIZE = len(PLACE)

_BREAK = re.compile(r"[.!?…][\"')\]*_]{0,4}\s+(?=[^a-z\s])")
_TITLE = re.compile(r"\b(Mr|Mrs|Ms|Dr|St|Prof|Capt|Lt|Sgt|Rev)\.(?=\s)")
_WRAPPED = re.compile(r"(?<=[\w,;:—–-])\n(?=[a-z])|(?<=[^\n]{60}[\w,;])\n(?=\S)")
_SPEECH = re.compile(r'"[^"\n]*(?:"|$)', re.MULTILINE)
_DASHED = re.compile(r"[ \t]*(?:[—–]|-[ \t])[ \t]*[^\s—–-]")
_DASH = re.compile(r"[—–]|-{2,}|(?<= )-(?= )")
_ELLIPSIS = re.compile(r"…|\.{3,}|\. \. \.")
_NO_ADVERB = word_set(
    """ally anomaly apply assembly belly billy bodily bristly brotherly bubbly bully burly butterfly chilly comely
    comply costly cowardly crinkly curly daily deadly dolly early earthly elderly emily family fatherly folly friendly
    gangly ghastly ghostly gnarly golly grisly grizzly heavenly hilly holly holy homely hourly imply italy jelly jolly
    july kelly kingly likely lily lively lonely lovely lowly manly measly melancholy molly monopoly monthly motherly
    multiply nightly oily orderly pearly polly portly prickly princely rally rely reply sally scholarly shapely shelly
    sicily sickly silly sly smelly stately supply surly tally timely ugly ungainly unlikely unruly unseemly unsightly
    weekly willy wily wobbly woolly worldly wrinkly yearly"""
)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Of one text or of several together: ``numbers``, shape ``(SIZE,)``, in the order of ``PLACE``.

    All are sums, so pooling is adding. MTLD is words over factors; a factor does not go on from one text into the
    next, so pooled texts differ in it, and in nothing else, from the same texts in one."""

    numbers: Floats

    @property
    def words(self) -> int:
        return int(self.numbers[PLACE["words"]])


def measure(text: str) -> Counts:
    """Counts of one text. Any string is accepted; the time grows linearly with its length.

    Speech is what stands between double quotation marks of any shape (single ones where a text has no double ones), to
    the end of the paragraph where they are not closed; and a paragraph without them that begins with a dash.
    """
    plain = _WRAPPED.sub(" ", plain_marks(text))
    words = words_of(plain)
    paragraphs, lengths, narrated, spoken = 0, list[int](), list[str](), 0
    for line in plain.split("\n"):
        sentences = [n for part in _BREAK.split(_TITLE.sub(r"\1", line)) if (n := len(words_of(part)))]
        paragraphs += bool(sentences)
        lengths += sentences
        own = "" if '"' not in line and _DASHED.match(line) else _SPEECH.sub('"', line)
        narrated.append(own)
        spoken += sum(sentences) - len(words_of(own))
    numbers = np.zeros(SIZE)
    size = np.array(lengths, dtype=np.float64)
    found = {
        "words": len(words),
        "sentences": len(lengths),
        "sentence_squares": float(size @ size),
        "short_sentences": int((size <= SHORT).sum()),
        "long_sentences": int((size >= LONG).sum()),
        "paragraphs": paragraphs,
        "spoken": max(0, spoken),
        "adverbs": sum(is_adverb(word) for word in words),
        "worn": len(worn.find(plain)),
        "factors_forward": _factors(words),
        "factors_backward": _factors(words[::-1]),
        **narration("\n".join(narrated)),
        **_marks(plain),
    }
    for name, number in found.items():
        numbers[PLACE[name]] = number
    first = len(COUNTED)
    for word in words:
        if (place := PLACE.get(word, 0)) >= first:
            numbers[place] += 1
    return Counts(numbers)


def pool(many: Sequence[Counts]) -> Counts:
    """The counts of several texts together; of none: zeros."""
    return Counts(np.sum([one.numbers for one in many], axis=0) if many else np.zeros(SIZE))


def is_adverb(word: str) -> bool:
    """Whether a lower-case word is, by its ending and a list of exceptions, an adverb in -ly."""
    return word.endswith("ly") and len(word) > 4 and word not in _NO_ADVERB


def _marks(text: str) -> dict[str, int]:
    return {
        "commas": text.count(","),
        "semicolons": text.count(";"),
        "colons": text.count(":"),
        "dashes": len(_DASH.findall(text)),
        "exclamations": text.count("!"),
        "questions": text.count("?"),
        "ellipses": len(_ELLIPSIS.findall(text)),
        "parentheses": text.count("("),
    }


def _factors(words: Sequence[str]) -> float:
    """MTLD's factors in reading order: runs whose type-token ratio falls to 0.72, and the part of one at the end."""
    factors, seen, length = 0.0, set[str](), 0
    for word in words:
        seen.add(word)
        length += 1
        if len(seen) <= MTLD_FACTOR * length:
            factors += 1
            seen, length = set(), 0
    return factors + (1 - len(seen) / length) / (1 - MTLD_FACTOR) if length else factors
