"""The rated texts that the score is fitted to, in one form. The texts are not shipped; docs/quality.md names them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Rated:
    """``rating`` is on its set's own scale; ``group`` holds together what must not be split between folds: the prompt,
    or the passage whose versions are compared. ``system`` is who wrote it, where that is known."""

    set: str
    prompt: str
    text: str
    rating: float
    group: str
    system: str = ""
    relevance: float | None = None


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def load(folder: Path) -> list[Rated]:
    """All sets of a folder, in a fixed order. Raises OSError where one is missing."""
    return [rated for name, read in _SETS.items() for rated in read(_rows(folder / f"{name}_dev.jsonl"))]


def passages(folder: Path, each: int = 40) -> list[Rated]:
    """Passages of whole paragraphs, 60 to 260 words, from every book of a folder of published fiction; no ratings. Half
    of a book's are those with the most speech among a few drawn."""
    draw, found = random.Random(0), []
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        paragraphs = [" ".join(line.split()) for line in lines if line.strip() and not line.startswith("#")]
        for number in range(each):
            drawn = [_passage(paragraphs, draw) for _ in range(1 + 2 * (number % 2))]
            text = max(drawn, key=lambda one: sum(map(one.count, '"“”')))
            found.append(Rated("fiction", "", text, 0.0, f"{path.stem} {number}"))
    return found


def _passage(paragraphs: list[str], draw: random.Random) -> str:
    wanted = draw.randint(60, 240)
    for _ in range(10_000):
        start, taken, words = draw.randrange(len(paragraphs)), list[str](), 0
        for paragraph in paragraphs[start:]:
            taken.append(paragraph)
            if (words := sum(len(one.split()) for one in taken)) >= wanted:
                break
        if wanted <= words <= wanted + 60:
            return "\n\n".join(taken)
    raise ValueError("The book has too few short paragraphs.")


def _hanna(rows: list[dict[str, Any]]) -> Iterator[Rated]:
    for row in rows:
        yield Rated(
            "hanna",
            row["prompt"],
            row["text"],
            row["overall"],
            f"hanna {row['prompt_id']}",
            row["system"],
            row["scores"]["relevance"],
        )


def _lamp(rows: list[dict[str, Any]]) -> Iterator[Rated]:
    for row in rows:
        yield Rated("lamp", row["prompt"] or "", row["text"], row["overall"], f"lamp {row['prompt_id']}")


def _csg(rows: list[dict[str, Any]]) -> Iterator[Rated]:
    for row in rows:
        yield Rated("csg", row["prompt"], row["text"], row["overall"], f"csg {row['prompt_id']}", row["system"])


def _cohesentia(rows: list[dict[str, Any]]) -> Iterator[Rated]:
    for row in rows:
        yield Rated("cohesentia", row["prompt"], row["text"], row["overall"], row["id"])


def _storyer(rows: list[dict[str, Any]]) -> Iterator[Rated]:
    for row in rows:
        yield Rated("storyer", row.get("prompt") or "", row["text"], row["overall"], row["id"])


def _eqbench(rows: list[dict[str, Any]]) -> Iterator[Rated]:
    for row in rows:
        yield Rated("eqbench", row["prompt"], row["text"], row["overall"], f"eq {row['prompt_id']}", row["system"])


_SETS = {
    "hanna": _hanna,
    "lamp_scores": _lamp,
    "csg": _csg,
    "cohesentia": _cohesentia,
    "storyer": _storyer,
    "eqbench": _eqbench,
}
