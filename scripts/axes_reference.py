"""How ``data/style/axes.json`` was made: where published fiction lies on the axes of style, by chunks of 1,000 words.

    python scripts/axes_reference.py --corpus FOLDER_OF_BOOKS

The books and the chunks are those of ``scripts/style_reference.py``. First the words are found that are common in them,
then every chunk is counted.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.pretrain.texts import Book, load_books
from scripts.style_reference import CHUNK_WORDS, PER_BOOK, chunks, spread_out
from zega_core.quality.features import plain_marks, stem, words_of
from zega_core.style import axis_words
from zega_core.style.axes import AXES, FEATURES, LEAST_LENGTH, PATH, bent, count, natural, raw_axes
from zega_core.style.reference import Spread

COMMON, BOOKS_WITH_IT = 4_000, 6
"""Words that do not count as rare, and in how many of the books each stands at least: a hero's name is in one."""


def common_words(books: Sequence[Book]) -> list[str]:
    """The most frequent words by their mean share over the books, in the order of the alphabet."""
    share, in_books = defaultdict[str, float](float), Counter[str]()
    for book in books:
        words = [word for word in words_of(plain_marks("\n\n".join(book.train))) if len(word) >= LEAST_LENGTH]
        for word, times in Counter(words).items():
            share[word] += times / len(words)
            in_books[word] += 1
    usual = sorted((word for word in share if in_books[word] >= BOOKS_WITH_IT), key=lambda word: (-share[word], word))
    return sorted(word for word in usual[:COMMON] if "'" not in word)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--target", type=Path, default=PATH)
    options = parser.parse_args()
    books = [book for book in load_books(options.corpus) if not book.kept_out]
    common = common_words(books)
    stems = frozenset(map(stem, common)) | frozenset(map(stem, axis_words.MODERN))
    values = [
        natural(count(one, stems))
        for book in books
        for one in spread_out(chunks("\n\n".join(book.train), CHUNK_WORDS), PER_BOOK)
    ]
    features = {name: _spread([bent(name, one[name]) for one in values]) for name in FEATURES}
    raw = [raw_axes(one, features) for one in values]
    axes = {key: _scale([one[key] for one in raw]) for key in AXES}
    stored = {
        "made_by": "scripts/axes_reference.py",
        "source": f"{len(books)} public-domain books in Standard Ebooks editions",
        "books": len(books),
        "chunks": len(values),
        "chunk_words": CHUNK_WORDS,
        "features": {name: one.model_dump() for name, one in features.items()},
        "axes": axes,
        "common_words": " ".join(common),
    }
    text = re.sub(r'\{\s+("(?:mean|middle)".+)\s+(".+)\s+\}', r"{\1 \2}", json.dumps(stored, indent=1))
    options.target.write_text(text + "\n", encoding="utf-8")
    print(f"{len(books)} books, {len(values)} chunks, {len(common):,} common words")


def _spread(values: Sequence[float]) -> Spread:
    return Spread(mean=round(float(np.mean(values)), 6), deviation=round(float(np.std(values)), 6))


def _scale(values: Sequence[float]) -> dict[str, float]:
    """The median, and half of what lies between the 16th and the 84th of a hundred: a standard deviation that a few odd
    chunks do not move."""
    low, middle, high = np.percentile(values, (16, 50, 84))
    return {"middle": round(float(middle), 6), "spread": round(float(high - low) / 2, 6)}


if __name__ == "__main__":
    main()
