"""What a word means and how usual it is where it stands: vectors and counts shipped in ``data/quality/words.npz``.

The vectors are static (one per word, 64 numbers): no model runs. Their weighted mean stands for a sentence, and was
fitted to what a sentence encoder says of the sentence. The counts are of public-domain fiction. Made by
``scripts/fit_words.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zega_core.catalog import DATA
from zega_core.quality.features import Piece

Floats = NDArray[np.float64]

PATH = DATA.parent / "quality" / "words.npz"
SENTENCES = 24
"""How many sentences of a piece are compared with each other, from its start."""
WINDOW = 8
BUCKETS = 2**20
"""Size of the table of pairs of words; a pair has its place by a hash."""
_STEPS = 8
"""A count is stored as eight times its logarithm to base two."""


@dataclass(frozen=True, slots=True)
class Words:
    """``index`` maps a word to its row; one more row stands for every unknown word, and one for a sentence's end."""

    index: dict[str, int]
    vectors: Floats
    """Shape ``(words + 2, 64)``, already weighted by how telling a word is; unknown words are 0."""
    usual: Floats
    """Log probability of each row, shape ``(words + 2,)``."""
    counts: Floats
    pairs: NDArray[np.uint8]

    def rows(self, words: tuple[str, ...]) -> NDArray[np.int64]:
        unknown = len(self.index)
        return np.array([self.index.get(word, unknown) for word in words], dtype=np.int64)


def slot(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each pair of rows in the table of pairs (multiplicative hashing, Knuth 6.4)."""
    return ((first * 2_654_435_761 + second * 40_503_797) >> 7) % BUCKETS


@cache
def load_words(path: Path = PATH) -> Words:
    with np.load(path, allow_pickle=False) as stored:
        names = stored["words"].tobytes().decode("ascii").split("\n")
        vectors = stored["vectors"].astype(np.float64) * stored["scale"].astype(np.float64)
        counts = stored["counts"].astype(np.float64)
        vectors *= stored["weights"].astype(np.float64)[:, None]
        pairs = stored["pairs"]
    blank = np.zeros((2, vectors.shape[1]))
    return Words(
        index={name: number for number, name in enumerate(names)},
        vectors=np.concatenate((vectors, blank)),
        usual=np.log((counts + 0.5) / (counts.sum() + 0.5 * len(counts))),
        counts=counts,
        pairs=pairs,
    )


def meaning(piece: Piece, words: Words) -> Floats:
    """One vector of length 1 per sentence, shape ``(sentences, 64)``; a sentence of unknown words is 0."""
    sentences = piece.tokens[:SENTENCES]
    if not sentences:
        return np.zeros((1, words.vectors.shape[1]))
    sums = np.stack([words.vectors[words.rows(tuple(map(str.lower, s)))].sum(0) for s in sentences])
    return _unit(sums)


def nearest(asked: tuple[str, ...], piece: Piece, words: Words) -> float:
    """How near a piece comes to the three words of ``asked`` that it comes nearest to: the mean of their cosines with
    its nearest words, 0 where none is known."""
    own = words.vectors[words.rows(tuple({word for word in piece.words if len(word) > 2}))]
    sought = words.vectors[words.rows(asked)]
    if not len(own) or not len(sought):
        return 0.0
    alike = (_unit(sought) @ _unit(own).T).max(1)
    return float(np.sort(alike)[-3:].mean())


def _unit(rows: Floats) -> Floats:
    return rows / (np.sqrt((rows * rows).sum(1, keepdims=True)) + 1e-9)


def closeness(sentences: Floats, prompt: Floats | None) -> dict[str, float]:
    """How near the sentences of a piece are to each other and to the prompt, as cosines."""
    alike = sentences @ sentences.T
    number = len(sentences)
    near = np.diagonal(alike, 1) if number > 1 else np.ones(1)
    second = np.diagonal(alike, 2) if number > 2 else np.ones(1)
    before = np.array([alike[i, :i].max() for i in range(1, number)]) if number > 1 else np.ones(1)
    centre = sentences.mean(0)
    length = float(np.sqrt(centre @ centre)) + 1e-9
    own = sentences @ centre / length
    asked = np.zeros(number) if prompt is None else sentences @ prompt
    return {
        "near_mean": float(near.mean()),
        "near_least": float(near.min()),
        "near_spread": float(near.std()),
        "near_most": float(near.max()),
        "near_low": float(np.percentile(near, 20)),
        "second_mean": float(second.mean()),
        "own_mean": float(own.mean()),
        "own_least": float(own.min()),
        "own_spread": float(own.std()),
        "own_length": length,
        "before_mean": float(before.mean()),
        "before_least": float(before.min()),
        "prompt_whole": 0.0 if prompt is None else float(centre @ prompt) / length,
        "prompt_most": float(asked.max()),
        "prompt_mean": float(asked.mean()),
        "prompt_least": float(asked.min()),
        "prompt_first": float(asked[0]),
        "prompt_last": float(asked[-1]),
        "prompt_drift": float(asked[-1] - asked[0]),
    }


def surprise(piece: Piece, words: Words) -> dict[str, float]:
    """How expected each word is after the one before it, in nats; the windows are of eight words."""
    end = len(words.index) + 1
    rows = [np.array([end], dtype=np.int64)]
    for sentence in piece.tokens:
        rows += [words.rows(tuple(map(str.lower, sentence))), rows[0]]
    row = np.concatenate(rows)
    if len(row) < 4:
        return dict.fromkeys(_SURPRISE, 0.0)
    first, second = row[:-1], row[1:]
    stored = words.pairs[slot(first, second)].astype(np.float64)
    found = np.where(stored > 0, np.exp2((stored - 1) / _STEPS), 0.0)
    alone = np.exp(words.usual[second])
    after = np.log(0.75 * np.minimum(1.0, found / np.maximum(1.0, words.counts[first])) + 0.25 * alone)
    known = (words.counts[first] > 20) & (words.counts[second] > 20)
    sums = np.cumsum(np.concatenate(([0.0], after)))
    width = min(WINDOW, len(after))
    windows = (sums[width:] - sums[:-width]) / width
    values = (
        words.usual[second].mean(),
        after.mean(),
        (after - words.usual[second]).mean(),
        ((found == 0) & known).sum() / max(1, known.sum()),
        after.std(),
        windows.min(),
        *np.percentile(windows, (10, 90)),
        windows.std(),
        (second == end - 1).mean(),
    )
    return dict(zip(_SURPRISE, map(float, values), strict=True))


_SURPRISE = (
    *("usual", "expected", "expected_more", "pairs_new", "expected_spread", "window_least", "window_low"),
    *("window_high", "window_spread", "words_unknown"),
)
