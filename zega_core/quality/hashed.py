"""Which words, pairs of words and runs of letters a text has, as counts in places given by a hash.

Hashing needs no list of words (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning").
"""

from __future__ import annotations

import re
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

PLACES = 2**15
"""Places for words and pairs; as many again, after them, for runs of letters."""
MAX_CHARS = 3_000
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SPACES = re.compile(r"\s+")
_FACTORS = (40_503, 60_493, 52_711, 31_337)


def places(text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The places a text has something in, ascending, and ``1 + log(count)`` for each.

    Words and pairs of neighbours (marks count as words); letters in runs of two, three and four, in lower case.
    """
    low = text[:MAX_CHARS].lower()
    tokens = [crc32(token.encode("utf-8", "replace")) for token in _TOKEN.findall(low)]
    words = np.array([*tokens, *((a * 31 + b * 17) ^ (b >> 7) for a, b in pairwise(tokens))], dtype=np.int64)
    codes = np.frombuffer(_SPACES.sub(" ", low).encode("latin-1", "replace"), dtype=np.uint8).astype(np.int64)
    runs = [_runs(codes, size) for size in (2, 3, 4) if len(codes) >= size]
    found = np.concatenate((words % PLACES, *(PLACES + run for run in runs)))
    where, counts = np.unique(found, return_counts=True)
    return where, 1.0 + np.log(counts)


def _runs(codes: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    hashed = np.full(len(codes) - size + 1, size, dtype=np.int64)
    for step in range(size):
        hashed = (hashed * _FACTORS[step] + codes[step : step + len(hashed)]) & 0x3FFFFFFF
    return (hashed ^ (hashed >> 13)) % PLACES
