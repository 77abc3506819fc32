"""How ``data/style/reference.json`` was made: how published prose is written, by chunks of 1,000 words.

    python scripts/style_reference.py --corpus FOLDER_OF_BOOKS

The books are those that the base model was trained on, without the five authors that are kept for proofs. Each gives
the same number of chunks, spread over its whole length, so that no author weighs more than another book's.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.pretrain.texts import Book, load_books
from zega_core.quality import features
from zega_core.quality.features import plain_marks, word_set, words_of
from zega_core.style.counting import FUNCTION_WORDS, Counts, Floats, measure
from zega_core.style.features import FEATURES, natural
from zega_core.style.reference import PATH

CHUNK_WORDS, PER_BOOK = 1_000, 30
_NOT_FUNCTION = word_set("said say says came come go gone got get made make thing put two three back done first last")
_TINY = 1e-6


def chunks(text: str, words: int) -> list[str]:
    """The text in pieces of whole paragraphs with at least so many words each; what is left over is dropped."""
    found, some, size = list[str](), list[str](), 0
    for paragraph in text.split("\n\n"):
        some.append(paragraph)
        size += len(words_of(plain_marks(paragraph)))
        if size >= words:
            found.append("\n\n".join(some))
            some, size = [], 0
    return found


def spread_out(many: list[str], number: int) -> list[str]:
    """So many of them, at equal distances."""
    return [many[at] for at in np.linspace(0, len(many) - 1, min(number, len(many))).astype(int)]


def most_frequent(books: list[Book]) -> tuple[str, ...]:
    """The function words by their mean share over the books, the most frequent first."""
    share: defaultdict[str, float] = defaultdict(float)
    for book in books:
        words = words_of(plain_marks("\n\n".join(book.train)))
        for word, times in Counter(words).items():
            share[word] += times / len(words)
    usual = [
        word
        for word in sorted(share, key=share.__getitem__, reverse=True)
        if word in features.FUNCTION_WORDS - _NOT_FUNCTION
    ]
    return tuple(usual[: len(FUNCTION_WORDS)])


def spreads(names: tuple[str, ...], values: Floats) -> dict[str, dict[str, float]]:
    return {
        name: {"mean": round(float(np.nanmean(column)), 6), "deviation": max(_TINY, round(float(np.nanstd(column)), 6))}
        for name, column in zip(names, values.T, strict=True)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--target", type=Path, default=PATH)
    options = parser.parse_args()
    books = [book for book in load_books(options.corpus) if not book.kept_out]
    if (usual := most_frequent(books)) != FUNCTION_WORDS:
        sys.exit(f"counting.FUNCTION_WORDS must be, for these books:\n{' '.join(usual)}")
    counted: list[Counts] = []
    for book in books:
        counted += [measure(one) for one in spread_out(chunks("\n\n".join(book.train), CHUNK_WORDS), PER_BOOK)]
    values = natural(np.stack([one.numbers for one in counted]))
    stored = {
        "made_by": "scripts/style_reference.py",
        "source": f"{len(books)} public-domain books in Standard Ebooks editions",
        "books": len(books),
        "chunks": len(counted),
        "chunk_words": CHUNK_WORDS,
        "features": spreads(FEATURES, values[:, : len(FEATURES)]),
        "function_words": spreads(FUNCTION_WORDS, values[:, len(FEATURES) :]),
    }
    options.target.parent.mkdir(parents=True, exist_ok=True)
    text = re.sub(r'\{\s+("mean".+)\s+("deviation".+)\s+\}', r"{\1 \2}", json.dumps(stored, indent=1))
    options.target.write_text(text + "\n", encoding="utf-8")
    print(f"{len(books)} books, {len(counted)} chunks, {sum(one.words for one in counted):,} words")


if __name__ == "__main__":
    main()
