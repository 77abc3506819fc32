"""Agreement of a score with a writer: known values, ties, too little to go by, and a threshold that fits better."""

from __future__ import annotations

import random

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zega_core.quality.agreement import Rating, correlations, decided, interval, propose, spearman, weights

SCORES = st.floats(0, 10).map(lambda value: round(value, 1))
PAIRS = st.lists(st.tuples(SCORES, st.integers(1, 5)), min_size=3, max_size=40)


class TestRating:
    @pytest.mark.parametrize(
        ("stars", "decision", "opinion", "wanted"),
        [
            (5, None, 5, True),
            (4, None, 4, True),
            (3, None, 3, None),
            (2, None, 2, False),
            (None, "keep", 4, True),
            (None, "discard", 2, False),
            (1, "keep", 1, True),
            (3, "discard", 3, False),
        ],
    )
    def test_what_it_counts_as(self, stars, decision, opinion, wanted):
        rating = Rating.read(stars, decision)
        assert rating is not None
        assert (rating.opinion, rating.wanted) == (opinion, wanted)

    @pytest.mark.parametrize("stars", [None, 0, 6, -1, True, 3.5, "5", float("nan"), [5]])
    @pytest.mark.parametrize("decision", [None, "", "KEEP", 1, {}])
    def test_what_is_no_rating_is_none(self, stars, decision):
        assert Rating.read(stars, decision if isinstance(decision, str | None) else str(decision)) is None


class TestSpearman:
    def test_the_textbook_value_with_ties(self):
        # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5 / sqrt(4.5 * 5).
        assert spearman([1, 2, 2, 3], [10, 20, 30, 40]) == pytest.approx(0.9486833)

    def test_order_alone_counts(self):
        assert spearman([1, 2, 3, 4], [1, 10, 100, 1000]) == pytest.approx(1)
        assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)

    @pytest.mark.parametrize(("one", "other"), [([], []), ([1], [2]), ([1, 1, 1], [1, 2, 3]), ([1, 2], [1, 2, 3])])
    def test_nothing_to_rank_is_none(self, one, other):
        assert spearman(one, other) is None

    @given(PAIRS)
    def test_it_is_pandas_own(self, pairs):
        frame = pandas.DataFrame(pairs)
        ranks = frame.rank()
        found = spearman(frame[0].tolist(), frame[1].tolist())
        if ranks[0].std() == 0 or ranks[1].std() == 0:
            assert found is None
        else:
            assert found == pytest.approx(ranks[0].corr(ranks[1]))

    @given(PAIRS)
    def test_the_interval_is_the_same_every_time_and_within_bounds(self, pairs):
        one, other = [score for score, _ in pairs], [stars for _, stars in pairs]
        found = interval(one, other)
        assert found == interval(one, other)
        if found is not None:
            assert -1 - 1e-9 <= found[0] <= found[1] <= 1 + 1e-9

    @given(PAIRS)
    def test_resamples_are_what_repeating_the_items_gives(self, pairs):
        one, other = np.array([score for score, _ in pairs]), np.array([float(stars) for _, stars in pairs])
        drawn = weights(range(len(pairs)), 5)
        for row, found in zip(drawn, correlations(one, other, drawn), strict=True):
            times = row.astype(int)
            expected = spearman(np.repeat(one, times).tolist(), np.repeat(other, times).tolist())
            assert np.isnan(found) if expected is None else found == pytest.approx(expected)

    def test_pieces_of_few_prompts_have_no_interval(self):
        scores, stars = [1.0, 2.0, 3.0, 4.0] * 10, [1, 2, 4, 3] * 10
        assert interval(scores, stars, [0, 1, 2, 3] * 10) is None
        assert interval(scores, stars, ["one"] * 40) is None

    def test_more_ratings_make_it_narrower(self):
        draw = random.Random(1)
        scores = [round(draw.uniform(4, 9), 1) for _ in range(200)]
        stars = [min(5, max(1, round(score / 2 + draw.gauss(0, 1)))) for score in scores]
        few, many = interval(scores[:15], stars[:15]), interval(scores, stars)
        assert few is not None
        assert many is not None
        assert few[1] - few[0] > 2 * (many[1] - many[0])
        assert many[0] < (spearman(scores, stars) or 0) < many[1]

    def test_pieces_of_one_prompt_count_together(self):
        scores, stars = [1.0, 2.0, 3.0, 4.0, 5.0] * 10, [1, 2, 4, 3, 5] * 10
        alone, together = interval(scores, stars), interval(scores, stars, [0, 1, 2, 3, 4] * 10)
        assert alone is not None
        assert together is not None
        assert together[1] - together[0] > alone[1] - alone[0]


class TestKappa:
    def test_cohens_own_arithmetic(self):
        # 20 kept by both, 15 by neither, 5 and 10 apart: po .7, pe .5, kappa .4.
        scores = [8.0] * 20 + [8.0] * 5 + [6.0] * 10 + [6.0] * 15
        wanted = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
        found = decided(scores, wanted, 7.0)
        assert (found.right, found.of) == (35, 50)
        assert found.kappa == pytest.approx(0.4)
        assert found.by_chance == pytest.approx(25)

    def test_one_class_has_no_kappa(self):
        assert decided([8.0, 6.0], [True, True], 7.0).kappa is None
        assert decided([], [], 7.0).kappa is None

    def test_three_stars_are_left_out(self):
        assert decided([8.0, 6.0, 7.0], [True, False, None], 7.0).of == 2


class TestProposal:
    def test_the_best_threshold_is_found(self):
        scores = [5.0, 5.5, 6.0, 6.1, 6.2, 6.3, 6.4, 7.5, 8.0, 8.5]
        found = propose(scores, [score >= 6.1 for score in scores], 7.0)
        assert found is not None
        assert found.best.threshold == 6.1
        assert (found.best.right, found.present.right, found.best.of) == (10, 6, 10)

    def test_of_equals_the_nearest_to_the_present_one(self):
        scores = [4.0] * 5 + [8.0] * 5
        for present, best in ((7.0, 7.0), (3.0, 4.1), (9.5, 8.0), (6.55, 6.55)):
            found = propose(scores, [score > 6 for score in scores], present)
            assert found is not None
            assert found.best.threshold == best

    def test_too_few_or_one_sided_says_nothing(self):
        assert propose([7.0] * 9, [True] * 4 + [False] * 5, 7.0) is None
        assert propose([7.0] * 20, [True] * 20, 7.0) is None
        assert propose([7.0] * 20, [True, False] + [None] * 18, 7.0) is None

    @given(st.lists(st.tuples(SCORES, st.sampled_from([True, False, None])), max_size=40), st.integers(0, 100))
    def test_it_never_decides_less_like_the_writer(self, pairs, present):
        found = propose([score for score, _ in pairs], [wanted for _, wanted in pairs], present / 10)
        if found is not None:
            assert (found.best.kappa or 0) >= (found.present.kappa or 0)
            assert 0 <= found.best.threshold <= 10
