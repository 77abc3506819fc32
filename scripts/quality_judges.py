"""Fitting the judges of ``zega_core/quality/learned.py`` with scikit-learn, as arrays of numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold
from sklearn.preprocessing import normalize

from scripts.quality_sets import Rated
from zega_core.quality import hashed
from zega_core.quality.features import read
from zega_core.quality.learned import OF_THE_PROMPT, READ_CHARS, Measured, measured, named, ranked

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]

KNOTS, TREES = 50, 120
BRIEF = 4.0
"""Weight of what the prompt asks for beside a hundred measures of the text, each at most 2.5."""
RECIPES: dict[str, dict[str, float]] = {
    # Which predictors of a set agreed best with its people in cross-validation; all on one scale.
    "hanna": {"full": 1, "trees": 2},
    "csg": {"words": 1, "letters": 1, "trees": 1},
    "lamp": {"words": 1, "letters": 1, "trees": 1},
    "cohesentia": {"plain": 1, "full": 1},
    "storyer": {"full": 1, "trees": 2, "words": 0.5, "letters": 0.5},
    "eqbench": {"full": 1, "words": 1, "letters": 1},
}
WITHOUT_HABITS = ("csg", "lamp")
"""Sets whose trees read the named measures only: their texts are too few or too alike for a thousand columns."""
SCALES = {
    # Level of the middle text of each set on the scale from 0 to 10, and points per standard deviation. Set by hand
    # from who wrote what: no public set rates old machine text, published prose and new machine text on one scale.
    "hanna": (5.6, 1.25),
    "csg": (6.5, 0.9),
    "lamp": (6.7, 0.7),
    "cohesentia": (6.3, 0.8),
    "storyer": (6.9, 0.7),
    "eqbench": (6.9, 0.8),
}


@dataclass(frozen=True, slots=True)
class Table:
    """What was measured of all rated texts, row by row."""

    rows: Sequence[Rated]
    names: tuple[str, ...]
    dense: Floats
    habits: Floats
    counts: sparse.csr_matrix
    brief: Floats

    def of(self, name: str) -> NDArray[np.int64]:
        return np.array([i for i, row in enumerate(self.rows) if row.set == name])

    def text(self, i: int) -> Measured:
        start, stop = self.counts.indptr[i], self.counts.indptr[i + 1]
        return Measured(
            self.dense[i],
            self.habits[i],
            self.counts.indices[start:stop].astype(np.int64),
            self.counts.data[start:stop],
            float(self.brief[i]),
        )


def table(rows: Sequence[Rated]) -> Table:
    texts: list[Measured] = []
    names: tuple[str, ...] = ()
    for row in rows:
        raw = row.text[:READ_CHARS]
        piece, prompt = read(raw), read(row.prompt)
        names = names or tuple(named(piece, raw, prompt))
        texts.append(measured(piece, raw, prompt))
    indptr = np.cumsum([0, *(len(text.places) for text in texts)])
    counts = sparse.csr_matrix(
        (np.concatenate([t.counts for t in texts]), np.concatenate([t.places for t in texts]), indptr),
        shape=(len(texts), 2 * hashed.PLACES),
    )
    return Table(
        rows,
        names,
        np.array([t.dense for t in texts]),
        np.array([t.habits for t in texts]),
        counts,
        np.array([t.brief for t in texts]),
    )


def knots_of(dense: Floats) -> Floats:
    return np.quantile(dense, np.linspace(0, 1, KNOTS), axis=0).T.astype(np.float32).astype(np.float64)


def targets(rows: Sequence[Rated]) -> Floats:
    """Ratings in standard deviations; those of LAMP within their passage, since its raters agree only there."""
    rating = np.array([row.rating for row in rows])
    if rows[0].set == "lamp":
        groups = np.array([row.group for row in rows])
        for group in np.unique(groups):
            rating[groups == group] -= rating[groups == group].mean()
    return (rating - rating.mean()) / rating.std()


class _Judge:
    """One set's predictors, fitted to ``train`` (rows of the table)."""

    def __init__(self, all_of: Table, train: NDArray[np.int64], rarity: Floats) -> None:
        self.set = all_of.rows[train[0]].set
        self.weights, self.table, self.rarity = RECIPES[self.set], all_of, rarity
        self.knots = knots_of(all_of.dense[train])
        self.usual, self.spread = all_of.habits[train].mean(0), all_of.habits[train].std(0) + 1e-3
        wanted = targets([all_of.rows[i] for i in train])
        place, whole = self._inputs(train)
        self.plain = Ridge(200).fit(place, wanted)
        self.full = Ridge(600).fit(whole, wanted)
        self.bags = {
            half: Ridge(1).fit(self._bag(train, half), wanted) for half in ("words", "letters") if half in self.weights
        }
        self.trees = None
        if "trees" in self.weights:
            given = place if self.set in WITHOUT_HABITS else whole
            least = 3 if len(train) < 1_000 else 10
            share = 0.3 if self.set in WITHOUT_HABITS else 0.2
            forest = ExtraTreesRegressor(TREES, min_samples_leaf=least, max_features=share, random_state=0, n_jobs=-1)
            self.trees = forest.fit(given.astype(np.float32), wanted)

    def _inputs(self, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
        place = ranked(self.table.dense[rows], self.knots)
        habit = np.clip((self.table.habits[rows] - self.usual) / self.spread, -3, 3)
        return place, np.hstack((place, 0.3 * habit))

    def _bag(self, rows: NDArray[np.int64], half: str) -> sparse.csr_matrix:
        part = slice(0, hashed.PLACES) if half == "words" else slice(hashed.PLACES, None)
        telling = self.table.counts[rows][:, part].multiply(self.rarity[part]).tocsr()
        return normalize(telling)

    def parts(self, rows: NDArray[np.int64]) -> dict[str, Floats]:
        place, whole = self._inputs(rows)
        found = {"plain": place @ self.plain.coef_, "full": whole @ self.full.coef_}
        found |= {half: self._bag(rows, half) @ model.coef_ for half, model in self.bags.items()}
        if self.trees is not None:
            given = place if self.set in WITHOUT_HABITS else whole
            found["trees"] = self.trees.predict(given.astype(np.float32))
        return {name: found[name] for name in self.weights}

    def arrays(self) -> Arrays:
        found: Arrays = {
            "knots": self.knots.astype(np.float32),
            "usual": self.usual.astype(np.float32),
            "spread": self.spread.astype(np.float32),
            "plain": self.plain.coef_.astype(np.float32),
            "full": self.full.coef_.astype(np.float32),
        }
        found |= {half: model.coef_.astype(np.float16) for half, model in self.bags.items()}
        return found | (_tabled(self.trees) if self.trees is not None else {})


def _tabled(forest: ExtraTreesRegressor) -> Arrays:
    roots, features, thresholds, rights, values = [], [], [], [], []
    start = 0
    for one in forest.estimators_:
        tree = one.tree_
        inner = tree.children_left >= 0
        if not (tree.children_left[inner] == np.flatnonzero(inner) + 1).all():
            raise ValueError("A tree is not stored with its left children first.")
        roots.append(start)
        features.append(np.where(inner, tree.feature, -1))
        thresholds.append(np.where(inner, tree.threshold, 0))
        rights.append(np.where(inner, tree.children_right + start, 0))
        values.append(tree.value[:, 0, 0])
        start += tree.node_count
    return {
        "roots": np.array(roots, np.int32),
        "feature": np.concatenate(features).astype(np.int16),
        "threshold": np.concatenate(thresholds).astype(np.float32),
        "right": np.concatenate(rights).astype(np.int32),
        "value": np.concatenate(values).astype(np.float16),
    }


def _scales(all_of: Table, train: NDArray[np.int64], rarity: Floats) -> tuple[dict[str, float], dict[str, float]]:
    """Middle and spread of what each predictor says of texts that it was not fitted to, and of their weighted sum."""
    groups = np.array([all_of.rows[i].group for i in train])
    many = len(set(groups)) > 6
    folds = GroupKFold(4) if many else KFold(4, shuffle=True, random_state=0)
    groups = groups if many else None
    said: dict[str, Floats] = {name: np.zeros(len(train)) for name in RECIPES[all_of.rows[train[0]].set]}
    for inside, outside in folds.split(train, groups=groups):
        for name, values in _Judge(all_of, train[inside], rarity).parts(train[outside]).items():
            said[name][outside] = values
    centres = {name: float(np.median(values)) for name, values in said.items()}
    spreads = {name: float(values.std()) for name, values in said.items()}
    weights = RECIPES[all_of.rows[train[0]].set]
    total = sum(weights[name] * (values - centres[name]) / spreads[name] for name, values in said.items())
    return {**centres, "all": float(np.median(total))}, {**spreads, "all": float(np.std(total))}


def judge_of(all_of: Table, rows: NDArray[np.int64], rarity: Floats) -> tuple[dict[str, Any], Arrays]:
    """What is said of one set's judge, and its numbers under its set's name."""
    judge = _Judge(all_of, rows, rarity)
    centres, spreads = _scales(all_of, rows, rarity)
    level, slope = SCALES[judge.set]
    about = {
        "weights": judge.weights,
        "centres": centres,
        "spreads": spreads,
        "scale": {"level": level, "slope": slope},
    }
    return about, {f"{judge.set}.{part}": values for part, values in judge.arrays().items()}


def without_system(all_of: Table, arrays: Arrays, system: str, group: Callable[[int], bool]) -> Arrays:
    """The model with a HANNA judge that has seen neither a system's texts nor the prompts for which ``group`` holds."""
    rows = np.array([i for i in all_of.of("hanna") if all_of.rows[i].system != system and not group(i)])
    about = json.loads(arrays["about"].tobytes())
    about["judges"]["hanna"], found = judge_of(all_of, rows, arrays["rarity"].astype(float))
    return arrays | found | {"about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)}


def _chooser(
    all_of: Table, place: Floats, train: NDArray[np.int64], fiction: Table, order: list[str], knots: Floats
) -> NDArray[Any]:
    """Who is asked, told from the text: one row per judge, and a last one for published fiction."""
    own = [i for i, name in enumerate(all_of.names) if not name.startswith(OF_THE_PROMPT)]
    given = np.hstack((place[:, own], BRIEF * all_of.brief[train][:, None]))
    book = np.hstack((ranked(fiction.dense, knots)[:, own], np.zeros((len(fiction.rows), 1))))
    kind = [*(order.index(all_of.rows[i].set) for i in train), *([len(order)] * len(book))]
    found = LogisticRegression(C=0.1, class_weight="balanced", max_iter=3_000).fit(np.vstack((given, book)), kind)
    chooser = np.zeros((len(order) + 1, len(all_of.names) + 2), np.float32)
    chooser[:, 0] = found.intercept_
    chooser[:, np.array(own) + 1] = found.coef_[:, :-1]
    chooser[:, -1] = BRIEF * found.coef_[:, -1]
    return chooser


def fit(all_of: Table, train: NDArray[np.int64], fiction: Table) -> Arrays:
    """The whole model, as ``learned.from_arrays`` reads it."""
    present = (all_of.counts[train] > 0).sum(0)
    rarity = (np.log((1 + len(train)) / (1 + np.asarray(present).ravel())) + 1).astype(np.float16)
    sets = np.array([all_of.rows[i].set for i in train])
    arrays: Arrays = {"rarity": rarity, "knots": knots_of(all_of.dense[train]).astype(np.float32)}
    about: dict[str, Any] = {"names": all_of.names, "judges": {}}
    for name in [name for name in RECIPES if name in sets]:
        about["judges"][name], found = judge_of(all_of, train[sets == name], rarity.astype(float))
        arrays |= found
    place = ranked(all_of.dense[train], arrays["knots"].astype(float))
    knots = arrays["knots"].astype(float)
    arrays["chooser"] = _chooser(all_of, place, train, fiction, [*about["judges"]], knots)
    rated = np.array([i for i in range(len(train)) if all_of.rows[train[i]].relevance is not None])
    if len(rated):
        wanted = np.array([all_of.rows[train[i]].relevance or 0.0 for i in rated])
        model = Ridge(200).fit(place[rated], (wanted - wanted.mean()) / wanted.std())
        arrays["relevance"] = np.append(model.intercept_, model.coef_).astype(np.float32)
    else:
        arrays["relevance"] = np.zeros(len(all_of.names) + 1, np.float32)
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    return arrays
