"""Texts as numbers whose nearness is likeness, and the embedder that needs no model."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
_WORD = re.compile(r"[^\W_]+")
_FUNCTION_WORDS = frozenset(
    "a about after again all also am an and any are as at be been before being but by can could did do does for from "
    "had has have he her here hers him his how i if in into is it its just me more my no nor not of off on or our out "
    "over she so some than that the their them then there these they this those to too under until up upon us very was "
    "we were what when where which while who whom whose why will with would you your".split()
)
_ENDING = re.compile(r"(?<=\w{3})(?:ing|edly|ed|es|s|ly)$")


class Embedder(Protocol):
    """``name`` is stored with its numbers, since those of two embedders cannot be compared; ``size`` is how many."""

    name: str
    size: int

    def embed(self, texts: Sequence[str]) -> Matrix:
        """A row for each text, of length one."""
        ...


class HashingEmbedder:
    """Words and parts of words, each in a place that its CRC-32 chooses. It knows words, not what they mean."""

    name = "hashing-1"
    size = 1024

    def embed(self, texts: Sequence[str]) -> Matrix:
        return np.stack([self._row(text) for text in texts]) if texts else np.zeros((0, self.size), np.float32)

    def _row(self, text: str) -> Matrix:
        row = np.zeros(self.size, np.float32)
        for (feature, weight), number in Counter(_features(text)).items():
            place = crc32(feature.encode("utf-8", "replace"))
            row[place % self.size] += (1 if place & 0x80000000 else -1) * weight * (1 + math.log(number))
        length = float(np.linalg.norm(row))
        if length == 0.0:
            row[0] = 1.0
            return row
        return row / np.float32(length)


def _features(text: str) -> Iterator[tuple[str, float]]:
    """What is counted, each with its weight: words without their endings, pairs of them, and runs of four letters."""
    before = ""
    for word in _WORD.findall(text.lower()):
        if word in _FUNCTION_WORDS:
            continue
        stem = _ENDING.sub("", word)
        yield f"w {stem}", 1.0
        if before:
            yield f"p {before} {stem}", 0.5
        before = stem
        whole = f"^{word}$"
        for start in range(len(whole) - 3):
            yield f"c {whole[start : start + 4]}", 0.3
