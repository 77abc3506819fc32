"""How far scores agree with people: the figures of docs/quality.md, with their intervals."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, spearmanr

from scripts.quality_sets import Rated
from zega_core.catalog import load_catalog
from zega_core.quality.learned import Model
from zega_core.quality.score import judged

Floats = NDArray[np.float64]
DRAWS = 300


def spearman(said: Floats, rows: Sequence[Rated]) -> float:
    return float(spearmanr(said, [row.rating for row in rows])[0])


def kendall(said: Floats, rows: Sequence[Rated]) -> float:
    return float(kendalltau(said, [row.rating for row in rows])[0])


def pairs(said: Floats, rows: Sequence[Rated]) -> float:
    """Of two versions of one passage: how often the better rated one has the higher score; a tie counts half."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        groups[row.group].append(i)
    right = asked = 0.0
    for members in groups.values():
        for place, i in enumerate(members):
            for j in members[:place]:
                difference = rows[i].rating - rows[j].rating
                if difference:
                    asked += 1
                    agreed = difference * (said[i] - said[j])
                    right += 1.0 if agreed > 0 else 0.5 if agreed == 0 else 0.0
    return right / max(1.0, asked)


Figure = tuple[str, str, Callable[[Rated], bool], Callable[[Floats, Sequence[Rated]], float]]
FIGURES: list[Figure] = [
    ("HANNA, Spearman", "hanna", lambda row: True, spearman),
    ("HANNA, Kendall", "hanna", lambda row: True, kendall),
    ("HANNA, machines only, Spearman", "hanna", lambda row: row.system != "Human", spearman),
    ("LAMP, pairs of one passage", "lamp", lambda row: True, pairs),
    ("CSG experts, Spearman", "csg", lambda row: True, spearman),
    ("CSG, AI half, Spearman", "csg", lambda row: row.system == "AI", spearman),
    ("CSG, human half, Spearman", "csg", lambda row: row.system != "AI", spearman),
    ("CoheSentia, Spearman", "cohesentia", lambda row: True, spearman),
    ("StoryER WP200, Spearman", "storyer", lambda row: True, spearman),
    ("EQ-bench, Spearman with a judge model", "eqbench", lambda row: True, spearman),
]


def with_interval(
    said: Floats, rows: Sequence[Rated], measure: Callable[[Floats, Sequence[Rated]], float]
) -> dict[str, float]:
    """The figure and its 95 % interval, by drawing whole prompts (passages) again and again; single texts where a set
    has fewer than ten prompts."""
    groups: dict[str, list[int]] = defaultdict(list)
    few = len({row.group for row in rows}) < 10
    for i, row in enumerate(rows):
        groups[str(i) if few else row.group].append(i)
    clusters = [np.array(members) for members in groups.values()]
    draw, found = np.random.default_rng(0), []
    for _ in range(DRAWS):
        picked = np.concatenate([clusters[i] for i in draw.integers(0, len(clusters), len(clusters))])
        found.append(measure(said[picked], [rows[i] for i in picked]))
    low, high = np.percentile(found, (2.5, 97.5))
    return {"value": measure(said, rows), "low": float(low), "high": float(high)}


def agreement(said: Floats, rows: Sequence[Rated], intervals: bool = True) -> dict[str, dict[str, float]]:
    found = {}
    for label, name, keep, measure in FIGURES:
        chosen = [i for i, row in enumerate(rows) if row.set == name and keep(row)]
        texts = [rows[i] for i in chosen]
        if intervals:
            found[label] = with_interval(said[chosen], texts, measure)
        elif texts:
            found[label] = {"value": measure(said[chosen], texts)}
    return found


KINDS: list[tuple[str, Callable[[Rated], bool]]] = [
    ("people, r/WritingPrompts (HANNA)", lambda row: row.set == "hanna" and row.system == "Human"),
    ("people, r/WritingPrompts (StoryER)", lambda row: row.set == "storyer"),
    ("people, five sentences (CSG)", lambda row: row.set == "csg" and row.system != "AI"),
    ("strong models, 1,000 words (EQ-bench)", lambda row: row.set == "eqbench"),
    ("models and their edits by professionals (LAMP)", lambda row: row.set == "lamp"),
    ("strong models, five sentences (CSG)", lambda row: row.set == "csg" and row.system == "AI"),
    ("GPT-3 (CoheSentia)", lambda row: row.set == "cohesentia"),
    ("weak models, before 2022 (HANNA)", lambda row: row.set == "hanna" and row.system != "Human"),
]


def shares(said: Floats, rows: Sequence[Rated]) -> dict[str, dict[str, float]]:
    """What each threshold means: the share of each kind of text at or above it."""
    found = {}
    for label, keep in KINDS:
        values = said[[i for i, row in enumerate(rows) if keep(row)]]
        found[label] = {
            "texts": len(values),
            "middle": float(np.median(values)),
            **{f"{bar:.1f}": float((values >= bar).mean()) for bar in (5.0, 6.0, 7.0, 8.0, 9.0)},
        }
    return found


def attacks(path: Path, model: Model) -> dict[str, Any]:
    """How many of the hand-made cases come out as they should: attacks, controls and clean texts."""
    catalog = load_catalog()
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    said = {
        case["id"]: judged(case["text"], case["prompt"], catalog.element(case["kind"]), model).score for case in cases
    }
    found: dict[str, Any] = {kind: [0, 0] for kind in ("attacks", "controls", "clean")}
    found["missed"] = []
    for case in cases:
        kind = {"control": "controls", "clean": "clean"}.get(case["category"].split("_")[0], "attacks")
        right = _as_expected(said[case["id"]], said.get(case["twin"]), case["expect"])
        found[kind][0] += right
        found[kind][1] += 1
        if not right:
            found["missed"].append(
                {
                    "id": case["id"],
                    "category": case["category"],
                    "score": said[case["id"]],
                    "twin": said.get(case["twin"]),
                    **case["expect"],
                }
            )
    return found


def _as_expected(value: float, twin: float | None, expect: dict[str, float]) -> bool:
    return (
        value <= expect.get("max_score", 10)
        and value >= expect.get("min_score", 0)
        and (twin is None or value <= twin - expect.get("below_twin_by", -10) + 1e-9)
        and (twin is None or abs(value - twin) <= expect.get("within_of_twin", 10) + 1e-9)
    )
