"""Fit the score to the rated texts and say how well it agrees with people.

    python scripts/fit_quality.py --data FOLDER_OF_RATED_TEXTS --fiction FOLDER_OF_BOOKS [--out data/quality]

Writes ``model.npz`` and ``figures.json`` (what docs/quality.md is made from). With ``--only-fit`` the model is
written and the cross-validation left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.quality_figures import agreement, attacks, shares, spearman, with_interval
from scripts.quality_judges import Arrays, Table, fit, table, without_system
from scripts.quality_sets import load, passages
from zega_core.quality.learned import PATH, Model, from_arrays, verdict
from zega_core.quality.score import judged

FOLDS = 5


def folds_of(all_of: Table) -> np.ndarray:
    """A fold for every row. Prompts (passages) stay whole; CSG has two, and each is judged by the other."""
    found = np.zeros(len(all_of.rows), int)
    for name in dict.fromkeys(row.set for row in all_of.rows):
        rows = all_of.of(name)
        groups = sorted({all_of.rows[i].group for i in rows})
        order = np.random.default_rng(0).permutation(len(groups))
        fold = {group: int(place) % FOLDS for group, place in zip(groups, order, strict=True)}
        found[rows] = [fold[all_of.rows[i].group] for i in rows]
    return found


def scores(all_of: Table, rows: np.ndarray, model: Model) -> dict[str, np.ndarray]:
    """What the whole score and its learned part say of some rows, with no length asked for."""
    learned = [verdict(all_of.text(i), model) for i in rows]
    whole = [judged(all_of.rows[i].text, all_of.rows[i].prompt, None, model).score for i in rows]
    return {"learned": np.array([one.value + 7.5 * one.rules for one in learned]), "whole": np.array(whole)}


def crossed(all_of: Table, fiction: Table) -> dict[str, np.ndarray]:
    """Every text as scored by a model that was fitted without its prompt."""
    fold = folds_of(all_of)
    found = {part: np.zeros(len(all_of.rows)) for part in ("learned", "whole")}
    for number in range(FOLDS):
        model = from_arrays(fit(all_of, np.flatnonzero(fold != number), fiction))
        outside = np.flatnonzero(fold == number)
        for part, values in scores(all_of, outside, model).items():
            found[part][outside] = values
        print(f"fold {number + 1} of {FOLDS}", file=sys.stderr, flush=True)
    return found


def unseen(all_of: Table, arrays: Arrays) -> np.ndarray:
    """HANNA's texts as scored without ever having seen their system or their half of the prompts, in table order."""
    rows = all_of.of("hanna")
    halves = {group: number % 2 for number, group in enumerate(sorted({all_of.rows[i].group for i in rows}))}
    found = np.zeros(len(rows))
    for system in sorted({all_of.rows[i].system for i in rows}):
        for half in (0, 1):

            def hidden(i: int, half: int = half) -> bool:
                return halves[all_of.rows[i].group] == half

            model = from_arrays(without_system(all_of, arrays, system, hidden))
            for place, i in enumerate(rows):
                if all_of.rows[i].system == system and hidden(i):
                    found[place] = judged(all_of.rows[i].text, all_of.rows[i].prompt, None, model).score
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fiction", type=Path, required=True, help="Folder of published books, for the chooser.")
    parser.add_argument("--out", type=Path, default=PATH.parent)
    parser.add_argument("--only-fit", action="store_true", help="Leave the cross-validation out.")
    given = parser.parse_args()
    all_of = table(load(given.data))
    fiction = table(passages(given.fiction))
    print(f"{len(all_of.rows):,} texts, {len(all_of.names)} measures", file=sys.stderr, flush=True)
    arrays = fit(all_of, np.arange(len(all_of.rows)), fiction)
    given.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(given.out / "model.npz", **arrays)
    model = from_arrays(arrays)
    figures = {"attacks": attacks(given.data / "adversarial_dev.jsonl", model)}
    print(json.dumps(figures["attacks"], indent=1))
    if not given.only_fit:
        said = crossed(all_of, fiction)
        figures["agreement"] = {part: agreement(values, all_of.rows) for part, values in said.items()}
        hanna = [all_of.rows[i] for i in all_of.of("hanna")]
        figures["unseen"] = {"HANNA, unseen system and prompt": with_interval(unseen(all_of, arrays), hanna, spearman)}
        figures["shares"] = shares(said["whole"], all_of.rows)
        print(json.dumps({k: v for k, v in figures.items() if k != "attacks"}, indent=1))
        (given.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(f"{(given.out / 'model.npz').stat().st_size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
