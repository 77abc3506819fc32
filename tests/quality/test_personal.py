"""The personal correction and the judge's weight: a real preference is found, noise is not, gates hold, JSON lies."""

from __future__ import annotations

import copy
import json
import math
import random
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zega_core.quality import Criterion, QualityReport, judged, personal
from zega_core.quality.agreement import Rating
from zega_core.quality.stored import RatedPiece, read_report
from zega_core.quality.validation import Gain, folds

VERSION = 7
NAMES: tuple[str, ...] = ("fit", "craft", "imagery", "variety", "relevance")


def report(scores: dict[str, float], score: float | None = None, gate: str | None = None, version: int = VERSION):
    mean = round(sum(scores.values()) / len(scores), 1) if score is None else score
    criteria = tuple(Criterion(name, name.title(), value, ()) for name, value in scores.items())
    return QualityReport(mean, criteria, gate, version)


def writer(number: int, *, seed: int, loves: float = 0.0, judge: float | None = None) -> list[RatedPiece]:
    """A writer who sees the score's point by half, loves images, and whose ratings are noisy. ``judge`` is how closely
    a judge follows the writer."""
    draw = random.Random(seed)
    pieces = []
    for _ in range(number):
        sides = {name: round(min(10.0, max(0.0, draw.gauss(7, 1.2))), 1) for name in NAMES}
        one = report(sides)
        liking = 0.5 * (one.score - 7) + loves * (sides["imagery"] - 7) + draw.gauss(0, 0.7)
        said = None
        if judge is not None:
            said = min(10.0, max(0.0, 7 + judge * liking + draw.gauss(0, 0.5)))
        stars = min(5, max(1, round(3 + liking)))
        pieces.append(RatedPiece(Rating(stars), f"prompt {draw.randrange(40)}", one, said))
    return pieces


class TestFolds:
    @given(st.lists(st.integers(0, 12), min_size=1, max_size=120))
    def test_no_prompt_is_in_two(self, groups):
        found = folds(groups)
        for group in set(groups):
            assert len({int(fold) for fold, one in zip(found, groups, strict=True) if one == group}) == 1
        assert len(set(found.tolist())) == min(5, len(set(groups)))

    def test_they_do_not_depend_on_the_order(self):
        groups = [f"prompt {number % 17}" for number in range(100)]
        mixed = random.Random(3).sample(range(100), 100)
        assert folds(groups)[mixed].tolist() == folds([groups[at] for at in mixed]).tolist()


class TestCorrection:
    def test_a_real_preference_is_found_and_shown(self):
        found = personal.fit(writer(120, seed=1, loves=1.0), VERSION)
        assert found is not None
        assert found.acts
        assert found.gain is not None
        assert found.gain.after > found.gain.before + 0.1
        assert max(found.sides, key=lambda side: side.points).name == "imagery"
        sides = dict.fromkeys(NAMES, 7.0)
        assert found.points(report({**sides, "imagery": 9.0})) > 0.3
        assert found.points(report({**sides, "imagery": 4.0})) < -0.3

    def test_noise_is_not_applied(self):
        acting = []
        for number in (30, 60):
            for seed in range(40):
                found = personal.fit(writer(number, seed=seed), VERSION)
                assert found is not None
                acting.append(found.acts)
        assert sum(acting) <= 4

    @pytest.mark.parametrize("number", [0, 1, 29])
    def test_too_few_ratings_fit_nothing(self, number: int):
        assert personal.fit(writer(number, seed=1, loves=1.0), VERSION) is None

    def test_ratings_of_another_version_do_not_count(self):
        assert personal.fit(writer(100, seed=1, loves=1.0), VERSION + 1) is None

    @pytest.mark.parametrize("prompts", [1, 2, 4])
    def test_few_prompts_show_nothing(self, prompts: int):
        pieces = [replace(one, prompt=f"prompt {at % prompts}") for at, one in enumerate(writer(80, seed=1, loves=1.0))]
        found = personal.fit(pieces, VERSION)
        assert found is not None
        assert not found.acts

    def test_the_same_stars_for_all_show_nothing(self):
        pieces = [RatedPiece(Rating(4), one.prompt, one.report) for one in writer(80, seed=1)]
        found = personal.fit(pieces, VERSION)
        assert found is None or not found.acts

    def test_pieces_that_all_score_alike_fit_nothing(self):
        sides = dict.fromkeys(NAMES, 7.0)
        pieces = [RatedPiece(Rating(1 + at % 5), f"prompt {at}", report(sides)) for at in range(40)]
        assert personal.fit(pieces, VERSION) is None

    def test_sides_that_are_missing_or_no_number_are_skipped(self):
        pieces = writer(120, seed=1, loves=1.0)
        broken = [
            RatedPiece(Rating(5), "p", report({"imagery": math.nan, "fit": 7.0}, 7.0)),
            RatedPiece(Rating(1), "p", report({"imagery": math.inf, "craft": 1.0}, 7.0)),
            RatedPiece(Rating(1), "p", QualityReport(7.0, (), None, VERSION)),
        ]
        assert personal.fit([*pieces, *broken], VERSION) == personal.fit(pieces, VERSION)
        found = personal.fit(pieces, VERSION)
        assert found is not None
        assert found.points(broken[0].report) == 0.0
        assert found.points(broken[2].report) == 0.0

    @given(st.lists(st.floats(0, 10), min_size=5, max_size=5), st.booleans())
    def test_it_is_small_and_lifts_no_gate(self, scores, gated):
        points = FOUND.points(report(dict(zip(NAMES, scores, strict=True)), 5.0, "It is a list." if gated else None))
        assert -1.5 <= points <= (0.0 if gated else 1.5)

    def test_it_comes_back_from_json(self):
        assert personal.Correction.read(json.loads(json.dumps(FOUND.as_dict()))) == FOUND

    @pytest.mark.parametrize("path", ["version", "ratings", "sides", "gain", "mean", "spread", "points", "low"])
    @pytest.mark.parametrize("value", [None, "x", math.nan, math.inf, -1e300, [], {}, True])
    def test_hostile_json_never_acts_wrongly(self, path: str, value: Any):
        stored = copy.deepcopy(json.loads(json.dumps(FOUND.as_dict())))
        owner = {"mean": stored["sides"][0], "spread": stored["sides"][0], "points": stored["sides"][0]}
        (stored["gain"] if path == "low" else owner.get(path, stored))[path] = value
        found = personal.Correction.read(stored)
        if found is not None and found.acts:
            assert -1.5 <= found.points(report(dict.fromkeys(NAMES, 9.0))) <= 1.5

    @pytest.mark.parametrize("value", [None, 3, "fitted", [], {}, {"sides": [None]}, {"sides": "x"}])
    def test_what_is_no_correction_is_none(self, value):
        assert personal.Correction.read(value) is None


FOUND = personal.fit(writer(120, seed=1, loves=1.0), VERSION) or pytest.fail("no correction")


class TestJudge:
    def test_a_judge_that_knows_the_writer_earns_weight_and_never_more_than_half(self):
        found = judged.fit(writer(80, seed=2, judge=1.5), VERSION)
        assert 0 < found.weight <= 0.5
        assert found.gain is not None
        assert found.gain.shown

    def test_a_judge_that_does_not_has_none(self):
        weights = [judged.fit(writer(60, seed=seed, judge=0.0), VERSION).weight for seed in range(20)]
        assert sum(weight > 0 for weight in weights) <= 1

    def test_a_judge_that_contradicts_the_writer_has_none(self):
        assert judged.fit(writer(80, seed=2, judge=-1.5), VERSION).weight == 0

    @pytest.mark.parametrize("prompts", [1, 2, 4])
    def test_ratings_of_few_prompts_show_nothing(self, prompts: int):
        pieces = [replace(one, prompt=f"prompt {at % prompts}") for at, one in enumerate(writer(80, seed=2, judge=1.5))]
        assert judged.fit(pieces, VERSION) == judged.JudgePart(VERSION, 0.0, 80, None)

    def test_nine_judged_ratings_are_too_few(self):
        pieces = [*writer(9, seed=2, judge=1.5), *writer(50, seed=3)]
        assert judged.fit(pieces, VERSION) == judged.JudgePart(VERSION, 0.0, 9, None)

    @pytest.mark.parametrize("said", [None, math.nan, math.inf, -1, 11, "9", True])
    def test_a_score_that_is_none_is_ignored(self, said):
        assert judged.blended(report(dict.fromkeys(NAMES, 6.0)), said, 0.5) == 6.0

    def test_the_table_of_all_weights_is_the_same_arithmetic(self):
        pieces = writer(20, seed=5, judge=1.0)
        gated = RatedPiece(Rating(5), "p", report({"fit": 2.0}, gate="A list."), 9.0)
        for weight, row in zip(judged.WEIGHTS, judged._options([*pieces, gated]), strict=True):
            one_by_one = [judged.blended(one.report, one.judged, weight) for one in [*pieces, gated]]
            assert row.tolist() == pytest.approx(one_by_one)

    @given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 2), st.booleans())
    def test_it_is_never_more_than_half_way_and_lifts_no_gate(self, measured, said, weight, gated):
        value = judged.blended(report({"fit": 5.0}, measured, "A list." if gated else None), said, weight)
        assert abs(value - measured) <= abs(said - measured) / 2 + 1e-9
        if gated:
            assert value <= measured

    def test_stored_weight_without_a_shown_gain_does_not_act(self):
        stored = judged.JudgePart(VERSION, 0.4, 20, Gain(0.5, 0.4, -0.2, 0.1)).as_dict()
        found = judged.JudgePart.read(stored)
        assert found is not None
        assert found.weight == 0
        assert judged.JudgePart.read({**stored, "weight": 0.9}) is None
        assert judged.JudgePart.read("x") is None


class TestStoredReports:
    def test_a_report_comes_back(self):
        one = report(dict.fromkeys(NAMES, 6.0), gate="A list.")
        assert read_report(json.loads(json.dumps(one.as_dict()))) == one

    @pytest.mark.parametrize(
        "value",
        [
            None,
            [],
            "x",
            {},
            {"score": math.nan, "version": 1},
            {"score": 11, "version": 1},
            {"score": 5, "version": "1"},
        ],
    )
    def test_what_cannot_be_used_is_none(self, value):
        assert read_report(value) is None

    def test_broken_criteria_are_left_out(self):
        good = {"name": "fit", "label": "Form", "score": 5, "reasons": None}
        broken = [None, 3, {}, {"name": 4, "score": 5}, {"name": "a", "score": math.nan}, {"name": "b"}]
        found = read_report({"score": 5, "version": 1, "criteria": [good, *broken]})
        assert found is not None
        assert [one.name for one in found.criteria] == ["fit"]
        for value in (None, "x", {"a": 1}, 5):
            assert read_report({"score": 5, "version": 1, "criteria": value}) is not None


def test_a_thousand_ratings_are_fitted_in_a_moment():
    pieces = writer(1000, seed=4, loves=0.5, judge=0.5)
    spent = []
    for _ in range(3):
        started = time.process_time()
        part = judged.fit(pieces, VERSION)
        personal.fit(pieces, VERSION, part.weight)
        spent.append(time.process_time() - started)
    assert min(spent) < 0.5  # measured: a tenth of that on a quiet machine
