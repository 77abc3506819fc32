"""What makes a set of examples a data set: no text in it twice, and none nearly twice."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import blake2b
from zlib import crc32

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_GRAM = 5
_SAMPLE = 2


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return _WORD.findall(text.lower().replace("’", "'"))


def text_hash(text: str) -> str:
    """The same for two texts whose words are the same, whatever their case, spacing and punctuation."""
    return blake2b(" ".join(words(text)).encode(errors="replace"), digest_size=16).hexdigest()


class NearDuplicates:
    """Finds the stored text that shares most word 5-grams with a new one.

    The share is estimated on a fixed half of all 5-grams, those whose hash is even (sampling by
    hash value: Broder, "On the resemblance and containment of documents", 1997). It is relative
    to the shorter text, so a piece that contains another counts as its duplicate.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._holders: dict[int, list[int]] = {}
        self._sizes: dict[int, int] = {}

    def add(self, identity: int, text: str) -> None:
        grams = _sampled_grams(text)
        self._sizes[identity] = len(grams)
        for gram in grams:
            self._holders.setdefault(gram, []).append(identity)

    def remove(self, identity: int) -> None:
        """Nothing is a duplicate of this text any more."""
        self._sizes.pop(identity, None)

    def find(self, text: str, *, but: int | None = None) -> tuple[int, float] | None:
        """Identity and share (0 to 1) of the nearest text at or above the threshold, if any, other than ``but``."""
        grams = _sampled_grams(text)
        holders = (identity for gram in grams for identity in self._holders.get(gram, ()))
        shared = Counter(identity for identity in holders if identity in self._sizes and identity != but)
        best: tuple[int, float] | None = None
        for identity, number in shared.items():
            share = number / min(len(grams), self._sizes[identity])
            if share >= self._share and (best is None or share > best[1]):
                best = identity, share
        return best


def _sampled_grams(text: str) -> set[int]:
    found = words(text)
    if len(found) < _GRAM:
        return {crc32(" ".join(found).encode(errors="replace"))} if found else set()
    hashes = {
        crc32(" ".join(found[start : start + _GRAM]).encode(errors="replace"))
        for start in range(len(found) - _GRAM + 1)
    }
    return {value for value in hashes if value % _SAMPLE == 0} or hashes
