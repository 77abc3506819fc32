"""Intervals: known values, and what must hold of any."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.proof.figures import LEVEL
from zega_core.proof.statistics import change, change_of_median, change_of_share, duel, wilson

OUTCOMES = st.lists(st.sampled_from([-1, 0, 1]), max_size=60)
VALUES = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=20)


class TestWilson:
    @pytest.mark.parametrize(
        ("some", "of", "low", "high"),
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
    )
    def test_the_values_of_newcombe_1998(self, some, of, low, high):
        # R. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, table I.
        assert wilson(some / of, of, 1.959964) == pytest.approx((low, high), abs=5e-5)

    def test_it_covers_what_it_says(self):
        # The mean coverage over shares is near the level (Brown, Cai & DasGupta 2001), counted here exactly.
        number, covered = 36, []
        for share in np.linspace(0.05, 0.95, 91):
            chances = [
                np.exp(
                    np.sum(np.log(np.arange(number - k + 1, number + 1))) - np.sum(np.log(np.arange(1, k + 1)))
                    if k
                    else 0.0
                )
                * share**k
                * (1 - share) ** (number - k)
                for k in range(number + 1)
            ]
            bounds = [wilson(k / number, number) for k in range(number + 1)]
            covered.append(sum(c for c, (low, high) in zip(chances, bounds, strict=True) if low <= share <= high))
        assert np.mean(covered) == pytest.approx(LEVEL, abs=0.004)


class TestDuel:
    def test_a_tie_is_half_a_win(self):
        assert duel([1, 0, 0, -1]).share == 0.5
        assert duel([1, 1, 0, -1]).share == 0.625
        assert duel([1, 0]).share == 0.75

    def test_without_a_duel_nothing_is_known(self):
        none = duel([])
        assert (none.share, none.low, none.high) == (0.5, 0.0, 1.0)

    def test_thirty_six_ties_show_nothing(self):
        assert duel([0] * 36).low < 0.5 < duel([0] * 36).high

    @given(OUTCOMES)
    def test_the_interval_holds_the_share_and_the_counts_add_up(self, outcomes):
        found = duel(outcomes)
        assert 0 <= found.low <= found.share <= found.high <= 1
        assert found.wins + found.losses + found.ties == len(outcomes)

    @given(OUTCOMES)
    def test_the_other_side_sees_the_mirror_image(self, outcomes):
        found, other = duel(outcomes), duel([-one for one in outcomes])
        assert (found.low, found.high) == pytest.approx((1 - other.high, 1 - other.low))
        assert (found.wins, found.losses) == (other.losses, other.wins)

    @given(OUTCOMES, st.randoms(use_true_random=False))
    def test_the_order_does_not_matter(self, outcomes, draw):
        mixed = list(outcomes)
        draw.shuffle(mixed)
        assert duel(mixed) == duel(outcomes)

    @given(OUTCOMES, st.integers(0, 59))
    def test_one_more_win_never_lowers_it(self, outcomes, place):
        if outcomes:
            better = list(outcomes)
            better[place % len(better)] = 1
            assert duel(better).low >= duel(outcomes).low
            assert duel(better).high >= duel(outcomes).high

    def test_more_duels_of_the_same_share_are_surer(self):
        few, many = duel([1, 1, -1] * 4), duel([1, 1, -1] * 12)
        assert few.low < many.low < many.high < few.high


class TestChange:
    def test_no_difference_has_an_interval_of_nothing(self):
        values = [1.0, 5.0, 2.0, 7.0]
        found = change(values, values, seed=3)
        assert (found.before, found.after, found.low, found.high) == (3.75, 3.75, 0.0, 0.0)

    def test_the_same_difference_everywhere_is_certain(self):
        found = change([1.0, 5.0, 2.0], [2.0, 6.0, 3.0], seed=3)
        assert (found.low, found.high) == pytest.approx((1.0, 1.0))

    def test_it_is_the_normal_interval_where_that_holds(self):
        draw = np.random.default_rng(4)
        before = draw.normal(5, 2, 400)
        after = before + draw.normal(0.5, 1, 400)
        found = change(before, after, seed=1)
        half = 2.5758 * float(np.std(after - before)) / 20
        middle = float(np.mean(after - before))
        assert (found.low, found.high) == pytest.approx((middle - half, middle + half), abs=0.03)

    def test_pairs_are_drawn_together(self):
        # Prompts differ by thousands, answers to one prompt by one: apart, the interval would be a thousand wide.
        before = [1000.0 * number for number in range(20)]
        found = change(before, [value + 1 + (number % 2) for number, value in enumerate(before)], seed=1)
        assert 1 <= found.low <= found.high <= 2

    @given(VALUES, st.integers(0, 9))
    @settings(max_examples=30, deadline=None)
    def test_the_other_side_sees_the_mirror_image(self, values, seed):
        before, after = [one for one, _ in values], [two for _, two in values]
        found, other = change(before, after, seed=seed), change(after, before, seed=seed)
        assert (found.low, found.high) == pytest.approx((-other.high, -other.low), abs=1e-9)
        assert found.low - 1e-9 <= found.high

    def test_the_same_seed_gives_the_same_and_another_nearly(self):
        draw = random.Random(1)
        before, after = ([draw.gauss(0, 1) for _ in range(36)] for _ in range(2))
        assert change(before, after, seed=5) == change(before, after, seed=5)
        assert change(before, after, seed=5).low == pytest.approx(change(before, after, seed=6).low, abs=0.1)
        assert change(before, after, seed=5) != change(before, after, seed=6)

    @pytest.mark.parametrize("measure", [change, change_of_median])
    def test_sides_of_two_lengths_are_refused(self, measure):
        with pytest.raises(ValueError, match="each prompt"):
            measure([1.0], [1.0, 2.0], seed=1)

    @pytest.mark.parametrize("measure", [change, change_of_median])
    def test_nothing_is_nothing(self, measure):
        found = measure([], [], seed=1)
        assert (found.before, found.after, found.low, found.high) == (0, 0, 0, 0)


def test_a_share_is_of_all_words_not_a_mean_of_shares():
    found = change_of_share([1, 0], [10, 90], [0, 9], [10, 90], seed=1, scale=1000)
    assert (found.before, found.after) == (10, 90)


def test_a_share_of_nothing_is_nothing():
    found = change_of_share([0, 0], [0, 0], [0, 0], [0, 0], seed=1)
    assert (found.before, found.after, found.low, found.high) == (0, 0, 0, 0)


def test_a_median_heeds_no_outlier():
    found = change_of_median([10] * 21, [*[12] * 20, 1000], seed=1)
    assert (found.before, found.after, found.low, found.high) == (10, 12, 2, 2)
