"""Make ``data/proof/words.txt``: words of published fiction that the score's word list does not know.

    python scripts/proof_words.py --books FOLDER_OF_BOOKS

A proof counts how many words of an answer are in no book (``zega_core/proof/vocabulary.py``): a small model that is
trained too hard makes words up. The books are those that the base model was trained on, without the five voices kept
for the benchmark; the words of the catalog, which the storyteller writes with, are added. Only single words are stored,
each once, sorted; no book can be read out of them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.pretrain.texts import load_books
from zega_core.catalog import DATA
from zega_core.proof.vocabulary import PATH, Vocabulary, plain_words, shipped

ABOUT = ("rubric", "teachers")
"""Files of the catalog that no story is made of."""


def chosen(texts: Iterable[str]) -> list[str]:
    """Words that stand in small letters somewhere and that nothing else makes known."""
    known = Vocabulary(shipped(with_books=False))
    return sorted({word for text in texts for word in plain_words(text) if word.isascii() and word not in known})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--books", type=Path, required=True)
    books = [book for book in load_books(parser.parse_args().books) if not book.kept_out]
    catalog = [path.read_text(encoding="utf-8") for path in sorted(DATA.glob("*.toml")) if path.stem not in ABOUT]
    found = chosen([*catalog, *(text for book in books for text in (*book.train, *book.held_out))])
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text("\n".join(found) + "\n", encoding="ascii")
    print(f"{len(found):,} words of {len(books)} books, {PATH.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
