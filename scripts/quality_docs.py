"""Write the measured tables of docs/quality.md from data/quality/figures.json.

    python scripts/quality_docs.py

The text between the marks is replaced; everything else stays. ``scripts/fit_quality.py`` makes the figures.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE, FIGURES = ROOT / "docs" / "quality.md", ROOT / "data" / "quality" / "figures.json"
BEGIN, END = "<!-- measured: {} -->", "<!-- end -->"

# Label of a figure: what cheap measures reached before, the target, and what others are known to reach.
BESIDE = {
    "HANNA, Spearman": (".56", ".62", "best of 72 metrics .52, best of 20 judge models .59"),
    "HANNA, Kendall": (".41", ".46", "best metric .37, best judge model .43"),
    "HANNA, machines only, Spearman": (".49", ".54", "best judge model .48"),
    "LAMP, pairs of one passage": (".615 *", ".72", "one expert against two that agree .88 *"),
    "CSG experts, Spearman": (".69", ".75", "expert with expert .62; three judge models -.54 to -.47"),
    "CSG, AI half, Spearman": (".13", ".35", "expert with expert .31; judge models .00"),
    "CSG, human half, Spearman": ("", "", "expert with expert .43; judge models .17 to .27"),
    "CoheSentia, Spearman": (".41", ".58", "reader with reader .67 to .83"),
    "StoryER WP200, Spearman": ("", "> 0", ""),
    "EQ-bench, Spearman with a judge model": ("", "> 0", ""),
    "HANNA, unseen system and prompt": (".396", ".45", ""),
}


def _number(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


def _span(figure: dict[str, float]) -> str:
    return f"{_number(figure['value'])} [{_number(figure['low'])}, {_number(figure['high'])}]"


def agreement(figures: dict[str, Any]) -> str:
    """The table of agreement: the learned part alone, the whole score, and what stands beside them."""
    learned, whole = figures["agreement"]["learned"], figures["agreement"]["whole"] | figures["unseen"]
    lines = ["| | learned part | whole score | before | target | others |", "|---|---|---|---|---|---|"]
    for label, (before, target, others) in BESIDE.items():
        heard = _span(learned[label]) if label in learned else ""
        lines.append(f"| {label} | {heard} | {_span(whole[label])} | {before} | {target} | {others} |")
    return "\n".join(lines)


def attacks(figures: dict[str, Any]) -> str:
    found = figures["attacks"]
    missed = ", ".join(f"{one['category'].replace('_', ' ')} ({one['score']})" for one in found["missed"]) or "none"
    counts = "; ".join(f"{found[kind][0]} of {found[kind][1]} {kind}" for kind in ("attacks", "controls", "clean"))
    return f"{counts}. Missed: {missed}."


def thresholds(figures: dict[str, Any]) -> str:
    bars = ("5.0", "6.0", "7.0", "8.0", "9.0")
    lines = ["| texts by | number | middle | " + " | ".join(f"{bar} or more" for bar in bars) + " |"]
    lines.append("|---|---|---|" + "---|" * len(bars))
    for label, row in figures["shares"].items():
        cells = " | ".join(f"{row[bar]:.0%}" for bar in bars)
        lines.append(f"| {label} | {row['texts']} | {row['middle']:.1f} | {cells} |")
    return "\n".join(lines)


PARTS = {"agreement": agreement, "attacks": attacks, "thresholds": thresholds}


def written(page: str, figures: dict[str, Any]) -> str:
    """The page with its measured parts; raises ValueError where a mark is missing."""
    for name, make in PARTS.items():
        begin = BEGIN.format(name)
        before, mark, rest = page.partition(begin)
        _, end, after = rest.partition(END)
        if not mark or not end:
            raise ValueError(f"docs/quality.md has no part '{name}'.")
        page = f"{before}{begin}\n{make(figures)}\n{END}{after}"
    return page


def main() -> None:
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), figures), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is up to date.\n")


if __name__ == "__main__":
    main()
