"""What the doors hand in: good input passes, bad input gets a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zega_core.configs import AutoTrainConfig, GenreKey, check_genres, check_writer_id, checked
from zega_core.errors import InvalidInput


@pytest.mark.parametrize("number", [0, 501, -1, "ten", "", None, 3.5, True, [], "1e3", 10**30])
def test_a_number_of_examples_that_cannot_be_is_refused_in_words(number: object):
    with pytest.raises(InvalidInput, match="whole number of examples from 1 to 500"):
        checked(AutoTrainConfig, num_examples=number)


@pytest.mark.parametrize("number", [1, 500, "20"])
def test_numbers_from_1_to_500_pass(number: object):
    assert checked(AutoTrainConfig, num_examples=number).num_examples == int(str(number))


@pytest.mark.parametrize("genres", [["western"], [""], ["fantasy", "Fantasy"], [None], [["fantasy"]]])
def test_an_unknown_genre_is_named_with_the_known_ones(genres: list[object]):
    with pytest.raises(InvalidInput, match="Choose from: fantasy, dark_fantasy"):
        checked(AutoTrainConfig, num_examples=1, genres=genres)


def test_no_genre_means_all_and_repetition_counts_once():
    assert check_genres(()) == tuple(GenreKey)
    assert check_genres(["horror", "fantasy", "horror"]) == ("fantasy", "horror")


@pytest.mark.parametrize("writer", ["../etc", "a/b", "", "Ana", "-a", "a" * 65, "a" * 10_000, "ana\n", "ána", None, 7])
def test_a_writer_id_that_is_no_slug_is_refused_in_a_short_sentence(writer: object):
    with pytest.raises(InvalidInput) as refused:
        check_writer_id(writer)
    assert len(str(refused.value)) < 250


@given(st.text())
def test_whatever_is_typed_is_a_slug_or_refused(text: str):
    try:
        assert check_writer_id(text) == text
        assert text.isascii()
    except InvalidInput as refused:
        assert "small letters" in str(refused)


def test_unknown_fields_are_refused():
    with pytest.raises(InvalidInput, match="nmu_examples"):
        checked(AutoTrainConfig, num_examples=1, nmu_examples=2)


@pytest.mark.parametrize("seed", [-1, 2**31, "x", 1.5])
def test_a_seed_that_cannot_be_is_refused(seed: object):
    with pytest.raises(InvalidInput, match="seed"):
        checked(AutoTrainConfig, num_examples=1, seed=seed)
