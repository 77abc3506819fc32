"""The texts of the pre-training: books with what is held out of them, and pairs written by the storyteller."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from scripts.pretrain.briefs import Writer
from scripts.pretrain.mined import mine
from zega_core.catalog import Brief, load_catalog, request
from zega_core.providers.base import GenerationOptions
from zega_core.providers.storyteller import Storyteller

KEPT_OUT = ("poe", "austen", "conan-doyle", "howard", "stevenson")
"""Voices that the base never reads, so that learning one of them later shows something."""
HELD_OUT_SHARE = 0.025
KEPT_OUT_CHARACTERS = 100_000
"""How much of a kept-out book is measured."""
_STRAIGHT = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})


@dataclass(frozen=True, slots=True)
class Book:
    name: str
    kept_out: bool
    train: tuple[str, ...]
    held_out: tuple[str, ...]


def load_books(folder: Path) -> list[Book]:
    """Each book's chapters. Of a book to train on about a fortieth is held out, a chapter or the start of one; of a
    kept-out book nothing is trained on and the middle is measured."""
    books: list[Book] = []
    for path in sorted(folder.glob("*__*.txt")):
        kept_out = any(name in path.stem.split("__")[1].split("_")[0] for name in KEPT_OUT)
        chapters = _chapters(path)
        if kept_out:
            books.append(Book(path.stem, True, (), _some(chapters)))
            continue
        most = int(sum(map(len, chapters)) * HELD_OUT_SHARE)
        inner = range(1, len(chapters) - 1)
        number = Random(path.stem).choice([n for n in inner if len(chapters[n]) >= most] or inner)
        cut = _paragraph_end(chapters[number], most)
        rest = (chapters[number][cut:],) if chapters[number][cut:].strip() else ()
        train = (*chapters[:number], *rest, *chapters[number + 1 :])
        books.append(Book(path.stem, False, train, (chapters[number][:cut],)))
    return books


def _chapters(path: Path) -> tuple[str, ...]:
    parts = re.split(r"(?m)^(?=## )", path.read_text(encoding="utf-8"))
    return tuple(clean(one) for one in parts if one.strip())


def _some(chapters: tuple[str, ...]) -> tuple[str, ...]:
    whole = "\n\n".join(chapters)
    start = max(len(whole) - KEPT_OUT_CHARACTERS, 0) // 2
    return (whole[start : start + KEPT_OUT_CHARACTERS],)


def clean(chapter: str) -> str:
    """Without the marks of headings, with an empty line between paragraphs as the pieces have it."""
    lines = [line.removeprefix("## ").strip() for line in chapter.splitlines()]
    return "\n\n".join(line for line in lines if line)


def straight(text: str) -> str:
    """With the quotation marks that people type."""
    return text.translate(_STRAIGHT)


def _paragraph_end(text: str, most: int) -> int:
    return len(text) if len(text) <= most else max(text.rfind("\n\n", 0, most), 0) or most


def write_pairs(
    target: Path, count: int, *, seed: int, held_out: bool = False, workers: int = 1, mined: Path | None = None
) -> None:
    """The pairs with the numbers up to ``count``, one JSON line each. What is there already is kept."""
    step = 2000
    target.mkdir(parents=True, exist_ok=True)
    jobs = [(target, first, min(first + step, count), seed, held_out, mined) for first in range(0, count, step)]
    with ProcessPoolExecutor(workers) as pool:
        for number, _ in enumerate(pool.map(_write_some, jobs), start=1):
            print(f"\rpairs: {min(number * step, count):,} of {count:,}", end="", flush=True)
    print()


def _write_some(job: tuple[Path, int, int, int, bool, Path | None]) -> None:
    target, first, last, seed, held_out, mined = job
    path = target / f"{'held-out' if held_out else 'train'}-{first:07}.jsonl"
    if path.exists():
        return
    writer, lines = Writer(seed, held_out=held_out, mined=mined), []
    for number in range(first, last):
        pair = writer.pair(number)
        row = {"user": pair.user, "text": pair.text, "element": pair.brief.element.key, "genre": pair.brief.genre}
        lines.append(json.dumps(row, ensure_ascii=False))
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.replace(path)


def read_pairs(folder: Path, kind: str) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob(f"{kind}-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def write_shipped(target: Path) -> None:
    """One piece of the storyteller for each of the catalog's prompts and elements, to measure with."""
    catalog, storyteller = load_catalog(), Storyteller()
    target.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    for prompt in catalog.prompts:
        for element in catalog.elements:
            brief = Brief(prompt.text, prompt.genre, element, known=prompt)
            text = storyteller.complete([], GenerationOptions(seed=len(lines), brief=brief)).text
            row = {"user": request(brief, catalog), "text": text, "element": element.key, "genre": prompt.genre}
            lines.append(json.dumps(row, ensure_ascii=False))
    (target / "shipped-0000000.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_mined(target: Path, books: Sequence[Book]) -> None:
    found = mine(straight(chapter) for book in books for chapter in book.train)
    target.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
