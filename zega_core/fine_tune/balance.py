"""Whose words a fine-tune is trained on, and what to say when it is mostly one voice or one text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from zega_core.fine_tune.plan import Row
from zega_core.tables import Source

DOMINANT = 0.4
"""Share of the trained words from which on one source, or one text, is said to outweigh the others."""
_SHOWN = 60
"""Characters of a name that are shown."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares (0 to 1) of the words that are trained on; all 0 where there are none."""

    own: float
    weighted_own: float
    sources: dict[str, float]
    origins: dict[str, float]


def shares(rows: Sequence[Row], sizes: Sequence[int]) -> Shares:
    """``sizes`` are the words of each row's completion."""
    train = [(row, size) for row, size in zip(rows, sizes, strict=True) if row.split == "train"]
    total = sum(size for _, size in train)
    weighted = sum(size * row.weight for row, size in train)
    sources: Counter[str] = Counter()
    origins: Counter[str] = Counter()
    for row, size in train:
        sources[row.source] += size
        origins[row.origin] += size
    return Shares(
        own=_part(sum(size for row, size in train if row.own), total),
        weighted_own=_part(sum(size * row.weight for row, size in train if row.own), weighted),
        sources={name: _part(size, total) for name, size in sources.items()},
        origins={name: _part(size, total) for name, size in origins.items() if name},
    )


def note(shares: Shares) -> str:
    """For a writer of whom no word is there yet; it is no alarm."""
    if shares.own or not shares.sources:
        return ""
    return (
        "None of these words are yours yet. Only your own words carry your voice: bring some of your own pages, "
        "or write answers, when you like."
    )


def warnings(shares: Shares) -> list[str]:
    """A sentence for each source but the writer's own words, and for each text, that outweighs the rest."""
    said = []
    teachers, imported = shares.sources.get(Source.auto, 0.0), shares.sources.get(Source.imported, 0.0)
    if teachers > DOMINANT and shares.own:
        said.append(
            f"Teachers wrote {teachers:.0%} of the words, so the version will sound much like them. Add more of your "
            "own pages and answers, or discard teachers' pieces that you would not have written."
        )
    if imported > DOMINANT:
        said.append(
            f"Imported pairs make up {imported:.0%} of the words. If you wrote them, import the file again as your "
            "own; if not, add more of your own pages and answers."
        )
    for name, share in sorted(shares.origins.items(), key=lambda item: (-item[1], item[0])):
        if share > DOMINANT:
            shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
            said.append(
                f"“{shown}” makes up {share:.0%} of the words, so the version will take its names and places from "
                "there. Add pages from other texts."
            )
    return said


def _part(some: float, total: float) -> float:
    return some / total if total else 0.0
