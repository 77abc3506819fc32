"""A profile of texts: what it holds, what is said of it, and what is read back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.support.labelled import MOTIFS, PAIRS
from zega_core.style.axes import AXES
from zega_core.style.profile import (
    LEAST_PIECES,
    Corrections,
    Piece,
    Profile,
    acting,
    acting_themes,
    hints,
    profile,
    read_profile,
    summary,
)

NOTHING = Corrections()


def dark(number: int = 20, source: str = "conversation", genre: str = "horror", weight: float = 1.0) -> list[Piece]:
    """As many pieces, dark and slow, of about 120 words each."""
    lows = [*(low for low, _ in PAIRS["tone"]), *(low for low, _ in PAIRS["pacing"])]
    return [Piece(f"{lows[n % 4]} {lows[(n + 1) % 4]}", genre, source, weight) for n in range(number)]


def light(number: int = 20, source: str = "auto", genre: str = "romance", weight: float = 1.0) -> list[Piece]:
    highs = [*(high for _, high in PAIRS["tone"]), *(high for _, high in PAIRS["pacing"])]
    return [Piece(f"{highs[n % 4]} {highs[(n + 1) % 4]}", genre, source, weight) for n in range(number)]


def value(found: Profile, key: str) -> float:
    return next(axis.value for axis in found.axes if axis.key == key)


def test_it_says_what_it_rests_on():
    found = profile([*dark(12), *light(8), Piece("  ", "horror", "conversation", 1.0)])
    assert (found.pieces, found.own_pieces) == (20, 12)
    assert 0 < found.own_words < found.words
    assert found.enough


def test_own_words_alone_make_the_axes_where_there_are_enough():
    found = profile([*dark(15), *light(200)])
    assert found.from_own
    assert value(found, "tone") < 30 < 70 < value(profile([*dark(2), *light(200)]), "tone")
    assert {axis.words for axis in found.axes} == {found.own_words}


def test_what_weighs_more_moves_more():
    slight = profile([*dark(10, source="auto"), *light(10)])
    heavy = profile([*dark(10, source="auto", weight=5.0), *light(10)])
    assert value(heavy, "tone") < value(slight, "tone")
    assert heavy.genres["horror"] > slight.genres["horror"] == 50.0


def test_genres_are_percents_of_what_has_a_known_one():
    found = profile([*dark(6), *light(3), *dark(3, genre=""), *dark(3, genre="<b>western</b>")])
    assert found.genres == {"horror": 66.7, "romance": 33.3}


def test_nothing_is_said_of_too_little():
    found = profile(dark(LEAST_PIECES - 1))
    assert not found.enough
    assert summary(found, NOTHING) == ""
    assert hints(found, NOTHING) == ()
    assert summary(None, NOTHING) == "" and hints(None, NOTHING) == ()
    assert profile([]).pieces == 0 and not profile([]).enough


def test_hints_are_of_what_differs_clearly():
    found = profile(dark())
    told = hints(found, NOTHING, most=6)
    assert "Keep the tone dark and serious." in told
    slow = [Piece(low * 2, "horror", "conversation", 1.0) for low, _ in PAIRS["pacing"] * 8]
    assert "Keep the sentences long and the pace slow." in hints(profile(slow), NOTHING)
    assert len(hints(found, NOTHING, most=1)) == 1
    assert hints(found, NOTHING, most=0) == ()
    middle = Corrections(dict.fromkeys(AXES, 50.0), removed=frozenset(one.key for one in found.themes))
    middle = replace(middle, removed=middle.removed | {one.key for one in found.archetypes})
    assert hints(found, middle) == ()


def test_with_few_words_more_is_needed_to_be_clear():
    found = profile(dark())
    assert found.axes[0].words > 2_000

    def with_tone(value: float, words: int) -> tuple[str, ...]:
        axes = tuple(replace(axis, value=value if axis.key == "tone" else 50.0, words=words) for axis in found.axes)
        return hints(replace(found, axes=axes, themes=(), archetypes=()), NOTHING)

    assert with_tone(28.0, 20_000) == ("Keep the tone dark and serious.",)
    assert with_tone(28.0, 1_500) == ()
    assert with_tone(20.0, 1_500) == ("Keep the tone dark and serious.",)


def test_teachers_words_give_no_hints_on_the_voice():
    told = hints(profile(light()), NOTHING)
    assert not any("tone" in one or "pace" in one for one in told)


def test_a_genre_of_its_own_has_its_own_hints_and_in_a_strange_one_the_tone_is_left_to_it():
    found = profile([*dark(30, weight=9.0), *light(24, source="manuscript")])
    assert value(found, "tone") < 30
    assert "Keep the tone light, with humour." in hints(found, NOTHING, genre="romance")
    assert not any("tone" in one for one in hints(found, NOTHING, genre="sci_fi"))
    set_by_hand = Corrections({"tone": 90.0})
    assert "Keep the tone light, with humour." in hints(found, set_by_hand, genre="sci_fi")


def test_what_comes_back_is_named():
    pieces = [Piece(MOTIFS[key], "dark_fantasy", "conversation", 1.0) for key in ("sacrifice", "morally_gray")] * 12
    found = profile(pieces)
    assert found.themes[0].key == "sacrifice" and found.themes[0].count == 12
    said = summary(found, NOTHING)
    assert said.startswith("Mostly dark fantasy, with ")
    assert "heroes who are neither good nor bad" in said and "sacrifice" in said
    assert said.count(".") <= 2
    assert "Let sacrifice come in where it fits." in hints(found, NOTHING)


def test_the_writer_has_the_last_word():
    found = profile([Piece(MOTIFS["sacrifice"], "fantasy", "conversation", 1.0)] * 20)
    by_hand = Corrections({"pacing": 95.0}, frozenset({"sacrifice"}), frozenset({"fate", "witch"}))
    assert acting(found, by_hand)["pacing"] == 95.0
    assert acting(found, by_hand)["tone"] == value(found, "tone")
    assert acting_themes(found, by_hand, archetypes=False)[0] == "fate"
    assert "sacrifice" not in acting_themes(found, by_hand, archetypes=False)
    assert acting_themes(found, by_hand, archetypes=True)[0] == "witch"
    assert "Keep the sentences short and the pace fast." in hints(found, by_hand)


def test_what_is_set_by_hand_holds_before_anything_is_measured():
    by_hand = Corrections({"tone": 5.0}, added=frozenset({"revenge"}))
    assert hints(None, by_hand) == ("Keep the tone dark and serious.", "Let revenge come in where it fits.")
    assert summary(None, by_hand) == "A dark, serious tone; what comes back is revenge."


def test_it_is_read_back_as_it_was():
    found = profile([*dark(30), *light(14, source="manuscript")])
    assert read_profile(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize("broken", [None, [], "x", {}, {"genres": 1}, {"axes": []}])
def test_anything_else_is_no_profile(broken: object):
    assert read_profile(broken) is None


def test_one_of_other_axes_is_no_profile():
    stored = json.loads(json.dumps(profile(dark()).to_json()))
    stored["axes"][0]["key"] = "rhythm"
    assert read_profile(stored) is None


def test_corrections_are_read_without_what_is_not_known():
    stored = {"axes": {"tone": 20, "rhythm": 3, "pacing": 1000, "vocabulary": "x"}, "removed": ["war", 3, "<b>"]}
    assert Corrections.read(stored) == Corrections({"tone": 20.0}, frozenset({"war"}))
    for broken in (None, [], "x", {"axes": 3, "added": 4}):
        assert Corrections.read(broken) == NOTHING
    both = Corrections({"tone": 20.0}, frozenset({"war"}), frozenset({"hope"}))
    assert Corrections.read(json.loads(json.dumps(both.to_json()))) == both


def test_markup_in_a_text_reaches_nothing_that_is_said():
    found = profile([Piece(f"<script>alert(1)</script> {one.text}", "horror", "conversation", 1.0) for one in dark()])
    assert "<" not in summary(found, NOTHING) + "".join(hints(found, NOTHING))
