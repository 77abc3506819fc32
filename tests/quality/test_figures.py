"""How agreement is counted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scripts import quality_docs, quality_figures
from scripts.quality_sets import Rated, passages
from zega_core.quality.learned import load_model


def rated(*ratings: float, group: str = "") -> list[Rated]:
    return [Rated("lamp", "", "text", rating, group or str(i), "") for i, rating in enumerate(ratings)]


def test_pairs_are_of_one_passage_and_a_tie_counts_half() -> None:
    rows = [*rated(1, 2, 3, group="one"), *rated(9, 8, group="two")]
    assert quality_figures.pairs(np.array([1.0, 2.0, 2.0, 5.0, 6.0]), rows) == (1 + 1 + 0.5 + 0) / 4
    assert quality_figures.pairs(np.array([1.0, 2.0]), rated(4, 4, group="one")) == 0


def test_the_interval_holds_the_figure_and_narrows_with_more_texts() -> None:
    draw = np.random.default_rng(1)
    widths = []
    for number in (40, 400):
        said = draw.normal(size=number)
        rows = rated(*(said + draw.normal(size=number)))
        found = quality_figures.with_interval(said, rows, quality_figures.spearman)
        assert found["low"] < found["value"] < found["high"]
        widths.append(found["high"] - found["low"])
    assert widths[1] < widths[0]


@pytest.mark.parametrize(
    ("value", "twin", "expect", "right"),
    [
        (2.5, None, {"max_score": 2.5}, True),
        (2.6, None, {"max_score": 2.5}, False),
        (6.0, 7.0, {"below_twin_by": 1}, True),
        (6.1, 7.0, {"below_twin_by": 1}, False),
        (6.4, 7.0, {"within_of_twin": 0.5}, False),
        (2.0, 4.0, {"max_score": 2.5, "below_twin_by": 3}, False),
        (4.9, None, {"min_score": 5.0}, False),
    ],
)
def test_a_case_is_right_when_all_its_conditions_hold(
    value: float, twin: float | None, expect: dict[str, float], right: bool
) -> None:
    assert quality_figures._as_expected(value, twin, expect) is right


def test_missed_cases_are_told(tmp_path: Path) -> None:
    cases = [
        {"id": "a", "category": "refusal", "kind": "scene", "text": "I'm sorry, but I can't help with that request.",
         "prompt": "A ferry", "twin": None, "expect": {"max_score": 2}},
        {"id": "b", "category": "clean", "kind": "scene", "text": "Rain.", "prompt": "A ferry", "twin": None,
         "expect": {"min_score": 9}},
    ]  # fmt: skip
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    found = quality_figures.attacks(file, load_model())
    assert (found["attacks"], found["controls"], found["clean"]) == ([1, 1], [0, 0], [0, 1])
    assert [one["id"] for one in found["missed"]] == ["b"]
    assert quality_docs.attacks({"attacks": found}).startswith(
        "1 of 1 attacks; 0 of 0 controls; 0 of 1 clean. Missed: clean"
    )


def test_a_page_without_a_mark_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="no part"):
        quality_docs.written("nothing here", {})


def test_passages_are_whole_paragraphs_of_a_book_and_always_the_same(tmp_path: Path) -> None:
    lines = [f"Paragraph {i} " + "word " * 40 for i in range(60)]
    (tmp_path / "book.txt").write_text("## One\n" + "\n".join(lines), encoding="utf-8")
    found = passages(tmp_path, each=6)
    assert found == passages(tmp_path, each=6)
    assert all(60 <= len(one.text.split()) <= 300 and "##" not in one.text for one in found)
    (tmp_path / "book.txt").write_text("word " * 5000, encoding="utf-8")
    with pytest.raises(ValueError, match="short paragraphs"):
        passages(tmp_path)
