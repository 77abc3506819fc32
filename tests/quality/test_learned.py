"""The learned part: numbers only, the same at fitting and at scoring, and what it was measured to reach."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import quality_docs, quality_judges
from scripts.quality_sets import Rated
from zega_core.catalog import Brief, load_catalog
from zega_core.providers.base import GenerationOptions
from zega_core.providers.storyteller import Storyteller
from zega_core.quality import QUALITY_VERSION, learned, score
from zega_core.quality.features import read
from zega_core.quality.learned import Trees, from_arrays, load_model, measured, named, ranked, verdict
from zega_core.quality.reasons import HABITS
from zega_core.quality.words import load_words, nearest
from zega_core.settings import ROOT

SHIPPED = ROOT / "data" / "quality"
CATALOG = load_catalog()
PIECE = """The harbour had been frozen since Advent, and the ferry with it. Ida went out each morning with the axe and
cut a moat around the hull, the width of her own shoulders, so that it would float if anybody asked it to. Nobody did.
The dog sat on the bollard. At noon she drank her tea with her back to the funnel, which still kept, she said, a little
of October in its paint."""


def told(number: int) -> list[tuple[str, str]]:
    """Pieces of the storyteller with their prompts."""
    teller, found = Storyteller(), []
    for i in range(number):
        genre = CATALOG.genres[i % len(CATALOG.genres)].key
        prompt = CATALOG.prompts_of(genre)[i % 10]
        brief = Brief(prompt.text, genre, CATALOG.elements[i % 4], CATALOG.modifiers[i % 10], prompt, turn=i // 80)
        found.append((teller.complete([], GenerationOptions(seed=i, brief=brief)).text, prompt.text))
    return found


@pytest.fixture(scope="module")
def fitted() -> tuple[quality_judges.Table, quality_judges.Arrays]:
    """A model fitted to made-up ratings: how many different words the first fifty have."""
    rows = []
    for i, (text, prompt) in enumerate(told(96)):
        rating = len(set(text.lower().split()[:50])) + (i % 3)
        rows.append(Rated("hanna" if i % 2 else "csg", prompt, text, rating, f"group {i // 2}", "someone", i % 5))
    table = quality_judges.table(rows)
    books = quality_judges.table([Rated("fiction", "", PIECE, 0.0, "book")] * 8)
    return table, quality_judges.fit(table, np.arange(len(rows)), books)


def test_what_is_shipped_holds_numbers_only() -> None:
    for name in ("model.npz", "words.npz"):
        with np.load(SHIPPED / name, allow_pickle=False) as stored:
            assert all(array.dtype.kind in "fiu" for array in stored.values()), name
        assert (SHIPPED / name).stat().st_size < 4e6


def test_the_model_reads_the_measures_that_are_taken() -> None:
    assert tuple(named(read(PIECE), PIECE, read("A frozen harbour"))) == load_model().names


def test_every_habit_in_words_is_a_measure() -> None:
    names = {name for habit in HABITS for name in habit.measures}
    assert names <= set(load_model().names)


def test_scoring_says_what_fitting_said(fitted: tuple[quality_judges.Table, quality_judges.Arrays]) -> None:
    table, arrays = fitted
    model = from_arrays(arrays)
    for name in ("hanna", "csg"):
        rows = table.of(name)
        said = quality_judges._Judge(table, rows, arrays["rarity"].astype(float)).parts(rows)
        for place, i in enumerate(rows[:12]):
            mine = dict(
                model.judges[name].parts(table.text(i), ranked(table.dense[i], model.judges[name].knots), model.rarity)
            )
            for part, values in said.items():
                assert mine[part] == pytest.approx(values[place], abs=2e-3), (name, part)


def test_a_judge_prefers_what_its_readers_preferred(fitted: tuple[quality_judges.Table, quality_judges.Arrays]) -> None:
    table, arrays = fitted
    model = from_arrays(arrays)
    rows = table.of("hanna")
    judge = model.judges["hanna"]
    places = [ranked(table.dense[i], judge.knots) for i in rows]
    said = [judge.opinion(table.text(i), place, model.rarity) for i, place in zip(rows, places, strict=True)]
    opinions = np.array(said)
    ratings = np.array([table.rows[i].rating for i in rows])
    assert opinions[ratings >= np.quantile(ratings, 0.7)].mean() > opinions[ratings <= np.quantile(ratings, 0.3)].mean()


def test_who_is_asked_does_not_depend_on_whether_a_prompt_came() -> None:
    model = load_model()
    bare, asked = (
        verdict(measured(read(PIECE), PIECE, read(prompt)), model) for prompt in ("", "Ida keeps a ferry free of ice.")
    )
    assert bare.shares == asked.shares
    assert sum(bare.shares.values()) + bare.rules == pytest.approx(1)


def test_a_tree_goes_left_up_to_its_threshold() -> None:
    tree = Trees(
        roots=np.array([0]),
        feature=np.array([1, -1, 0, -1, -1]),
        threshold=np.array([0.5, 0, 2.0, 0, 0]),
        right=np.array([2, 0, 4, 0, 0]),
        value=np.array([0, 10.0, 0, 20.0, 30.0]),
    )
    assert [tree.predict(np.array(row)) for row in ([9.0, 0.5], [2.0, 0.6], [3.0, 0.6])] == [10, 20, 30]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=6), st.lists(st.floats(-1e3, 1e3), min_size=50, max_size=50))
def test_a_place_grows_with_its_measure_and_stays_in_bounds(values: list[float], knots: list[float]) -> None:
    grid = np.sort(np.array([knots] * len(values)), axis=1)
    places = ranked(np.sort(np.array(values)), grid)
    assert (np.diff(places) >= -1e-9).all()
    assert (np.abs(places) <= learned.MOST).all()


def test_near_words_are_found_without_being_named() -> None:
    words = load_words()
    assert nearest(("ship", "winter"), read(PIECE), words) > nearest(("penalty", "goalkeeper"), read(PIECE), words)
    assert nearest((), read(PIECE), words) == 0
    assert nearest(("ship",), read(""), words) == 0


@pytest.mark.parametrize("text", [None, b"\xff\x00\xfe", b"", 7, float("nan"), ["The ferry"]])
def test_what_is_no_text_has_a_report_with_a_reason(text: object) -> None:
    report = score(text, None, "fantasy", None)  # type: ignore[arg-type]
    assert report.score <= 2
    assert report.gate


def test_without_an_element_no_length_is_asked_for() -> None:
    scene = CATALOG.element("scene")
    text = PIECE.split(". At noon")[0] + "."
    free, bound = (score(text, "Ida keeps a ferry free of ice.", "fantasy", element) for element in (None, scene))
    assert free.score > bound.score
    assert all("asked for" not in reason for one in free.criteria for reason in one.reasons)


def test_an_element_may_be_named_by_its_key() -> None:
    scene = CATALOG.element("scene")
    assert score(PIECE, "A ferry", "horror", "scene") == score(PIECE, "A ferry", "horror", scene)
    assert score(PIECE, "A ferry", "horror", "sonnet") == score(PIECE, "A ferry", "horror", None)


def test_a_sentence_more_moves_a_good_piece_little() -> None:
    for text, prompt in told(12):
        before, after = (score(one, prompt, "horror", None).score for one in (text, text + " The door stood open."))
        assert abs(after - before) <= 1.0


def test_one_version_gives_the_same_scores_in_every_release() -> None:
    """A change of these scores needs a new QUALITY_VERSION: stored scores of one version are compared."""
    expected = json.loads((Path(__file__).parent / "scores_of_version.json").read_text(encoding="utf-8"))
    assert expected["version"] == QUALITY_VERSION
    pieces = [*told(16), (PIECE, "Ida keeps a ferry free of ice.")]
    assert [score(text, prompt, "fantasy", None).score for text, prompt in pieces] == expected["scores"]


def test_the_page_shows_the_figures_that_were_measured() -> None:
    page = quality_docs.PAGE.read_text(encoding="utf-8")
    assert quality_docs.written(page, json.loads(quality_docs.FIGURES.read_text(encoding="utf-8"))) == page


def test_no_set_is_judged_upside_down() -> None:
    figures = json.loads(quality_docs.FIGURES.read_text(encoding="utf-8"))
    for part in figures["agreement"].values():
        for label, figure in part.items():
            assert figure["low"] > (0.5 if "pairs" in label else 0.0), label
