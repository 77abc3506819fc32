"""What repeats: names, beginnings, endings and phrases over many pieces, and nothing where nothing does."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.quality.sameness import AVOIDED, LEAST, Kind, Repetition, Written, avoid, least_of, repetitions

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=300)
"""Lone halves of surrogate pairs, NUL, right-to-left and zero-width characters included."""
WORDS = """anchor basket candle ditch ember fiddle gate harbour island jacket kettle ladder mirror needle orchard
pebble quarry river saddle timber urn valley window yard""".split()


def filler(seed: int, sentences: int = 6) -> str:
    """Sentences that have no run of four words in common."""
    draw = random.Random(seed)
    lines = []
    for _ in range(sentences):
        first, second, third = draw.sample(WORDS, 3)
        lines.append(f"{first.title()}s {draw.randrange(10_000)} {second} {draw.randrange(10_000)} near {third}.")
    return " ".join(lines)


def pieces(*texts: str, prompt: str = "", element: str = "scene") -> list[Written]:
    return [Written(number, text, prompt, element=element) for number, text in enumerate(texts, start=1)]


def with_name(name: str, seed: int) -> str:
    return f"{filler(seed, 2)} So {seed} {name} said it. {filler(seed + 500)} Then {seed} {name} looked {seed}."


def sentences(found: tuple[Repetition, ...]) -> list[str]:
    return [one.sentence for one in found]


class TestNames:
    def test_a_name_is_counted_once_for_each_piece(self):
        found = repetitions(pieces(*(with_name("Elara", n) for n in range(5)), filler(90)))
        assert sentences(found) == ["5 characters are called Elara."]
        assert found[0].ids == (1, 2, 3, 4, 5)

    @pytest.mark.parametrize(
        "line",
        [
            "“Wait,” said Elara. The door held.",
            "He gave it to Elara's brother, who saw Elara turned away.",
            "By then Captain Elara had gone, and nobody asked Elara.",
            "“No.” Elara shook her head, and behind the door Elara waited.",
        ],
    )
    def test_a_name_is_told_by_what_stands_beside_it(self, line: str):
        found = repetitions(pieces(*(f"{filler(n)} {line} {filler(n + 50)}" for n in range(4))))
        assert [one.words for one in found if one.kind == Kind.person] == ["Elara"]

    @pytest.mark.parametrize(
        "line",
        [
            "On Monday it looked like March again.",
            "They stood in Harrowgate, and Harrowgate's streets were dark. Nobody in Harrowgate slept.",
            "The captain said Captain was what he was called, and Mother nodded.",
            "Nobody said it. Everyone looked up. Somebody asked why.",
            "I'm here, I said. I looked up, and I'd known.",
            "STOP said the sign, and he looked away.",
            "The Foundation had said so. In the Foundation nobody asked.",
        ],
    )
    def test_days_places_titles_and_first_words_are_no_names(self, line: str):
        found = repetitions(pieces(*(f"{filler(n)} {line} {filler(n + 50)}" for n in range(4))))
        assert not [one.words for one in found if one.kind == Kind.person]

    def test_a_surname_is_told_by_the_name_before_it(self):
        firsts = ["Ada", "Bea", "Cora", "Dora"]
        texts = [
            f"{filler(n)} Then {first} Voss said it {n}, and so {first} looked up {n}."
            for n, first in enumerate(firsts)
        ]
        assert "4 characters are called Voss." in sentences(repetitions(pieces(*texts)))

    def test_a_name_that_is_also_a_word_counts_where_it_is_a_name(self):
        rose = [f"{filler(n)} So Rose said, and then Rose looked at it." for n in range(4)]
        flower = [f"{filler(n + 40)} A rose was there." for n in range(2)]
        (found,) = [one for one in repetitions(pieces(*rose, *flower)) if one.kind == Kind.person]
        assert (found.words, found.count) == ("Rose", 4)

    def test_a_name_that_the_prompt_asked_for_does_not_count(self):
        texts = [with_name("Elara", n) for n in range(4)]
        assert not repetitions(pieces(*texts, prompt="Elara finds a map"))

    def test_curly_apostrophes_are_apostrophes(self):
        found = repetitions(pieces(*(f"{filler(n)} The hand was Elara’s, and Elara’s alone." for n in range(4))))
        assert "Elara" in [one.words for one in found]


class TestBeginningsAndEndings:
    def test_a_shared_beginning_is_told_as_it_is_written(self):
        found = repetitions(pieces(*(f"The rain had stopped {n}. {filler(n)}" for n in range(4)), filler(99)))
        assert sentences(found)[0] == "4 pieces begin with “The rain had stopped”."

    def test_the_general_beginning_is_told_rather_than_its_every_form(self):
        ends = ["a city", "a village", "the moor", "an old wood", "winter", "Prague", "a storm"]
        found = repetitions(pieces(*(f"In the heart of {end} {n}. {filler(n)}" for n, end in enumerate(ends))))
        assert [one.words for one in found if one.kind == Kind.opening] == ["In the heart of"]

    def test_a_beginning_of_little_words_is_none(self):
        found = repetitions(pieces(*(f"It was {n} for the {filler(n)}" for n in range(5))))
        assert not [one for one in found if one.kind == Kind.opening]

    def test_quotes_do_not_hide_a_beginning(self):
        texts = [f"{quote}Nobody comes here{quote} {n}. {filler(n)}" for n, quote in enumerate(["“", '"', "'"])]
        assert "3 pieces begin with “Nobody comes here”." in sentences(repetitions(pieces(*texts)))

    def test_a_shared_ending_is_told(self):
        found = repetitions(pieces(*(f"{filler(n)} Number {n} waited in the dark." for n in range(3))))
        assert [one.words for one in found if one.kind == Kind.ending] == ["waited in the dark"]

    def test_beginning_with_the_weather_or_with_waking_is_told_but_not_of_settings(self):
        weather = [f"{n} hours of thunder {n}. {filler(n)}" for n in range(3)]
        waking = [f"{n} bells woke her {n}. {filler(n + 20)}" for n in range(3)]
        told = sentences(repetitions(pieces(*weather, *waking)))
        assert {"3 pieces begin with the weather.", "3 pieces begin with somebody waking up."} <= set(told)
        assert not repetitions(pieces(*weather, element="setting"))


class TestPhrases:
    def test_a_phrase_in_three_pieces_is_told_in_its_longest_form(self):
        line = "she counted the copper nails twice before supper"
        found = repetitions(pieces(*(f"{filler(n)} Then {n} {line} {n}. {filler(n + 50)}" for n in range(3))))
        assert sentences(found) == [f"3 pieces say “{line}”."]

    def test_a_part_is_told_too_where_enough_other_pieces_have_it(self):
        long = [f"{filler(n)} {n} she counted the copper nails twice before supper {n}." for n in range(3)]
        short = [f"{filler(n + 30)} {n} counted the copper nails {n}." for n in range(4)]
        told = {one.words: one.count for one in repetitions(pieces(*long, *short)) if one.kind == Kind.phrase}
        assert told["counted the copper nails"] == 7

    def test_two_pieces_are_chance(self):
        line = "she counted the copper nails twice"
        assert not repetitions(pieces(*(f"{filler(n)} {line} {n}." for n in range(LEAST - 1)), filler(8), filler(9)))

    def test_repetition_within_one_piece_is_no_sameness(self):
        assert not repetitions(pieces("She counted the copper nails twice. " * 30, filler(1), filler(2)))

    def test_little_words_alone_are_no_phrase(self):
        assert not repetitions(pieces(*(f"{filler(n)} {n} as if it were for them to be {n}." for n in range(5))))

    def test_one_word_that_says_something_is_no_phrase(self):
        texts = [
            f"{filler(seed)} Rope {seed} was on the way to the {seed} gate. {filler(seed + 50)}" for seed in range(4)
        ]
        assert not repetitions(pieces(*texts))

    def test_a_phrase_does_not_cross_the_end_of_a_sentence(self):
        found = repetitions(pieces(*(f"{filler(n)} {n} copper nails. The copper door {n}." for n in range(4))))
        assert not [one for one in found if one.kind == Kind.phrase]

    def test_what_the_prompt_says_is_no_phrase(self):
        line = "the keeper of the drowned lighthouse"
        texts = [f"{filler(n)} {n} {line} {n}." for n in range(4)]
        assert not repetitions(pieces(*texts, prompt=f"Write of {line.upper()}, at night"))


class TestMany:
    def test_in_many_pieces_few_are_chance(self):
        assert [least_of(number) for number in (1, 100, 150, 151, 500, 10_000)] == [3, 3, 3, 4, 10, 200]
        texts = [with_name("Elara", n) for n in range(9)] + [filler(n) for n in range(100, 591)]
        assert not repetitions(pieces(*texts))
        assert repetitions(pieces(*texts[:-60]))

    def test_the_most_repeated_comes_first_and_the_report_is_the_same_each_time(self):
        texts = [with_name("Marcus", n) for n in range(3)] + [with_name("Elara", n) for n in range(10, 15)]
        found = repetitions(pieces(*texts))
        assert [one.words for one in found] == ["Elara", "Marcus"]
        assert repetitions(pieces(*texts)) == found

    def test_nothing_and_one_piece_repeat_nothing(self):
        assert repetitions([]) == ()
        assert repetitions(pieces(with_name("Elara", 1))) == ()
        assert repetitions(pieces("", " ", "\n")) == ()


class TestAvoid:
    def test_the_most_repeated_of_each_kind_and_no_more_than_a_dozen(self):
        found = [Repetition(kind, f"{kind} {n}", tuple(range(40 - n))) for n in range(20) for kind in Kind]
        wishes = avoid(sorted(found, key=lambda one: -one.count))
        lists = (wishes.names, wishes.openings, wishes.starts, wishes.endings, wishes.phrases)
        assert sum(map(len, lists)) == AVOIDED
        assert wishes.names[0] == "person 0"
        assert all(lists)

    def test_only_as_much_of_a_long_phrase_is_put_into_a_prompt_as_tells_it(self):
        found = [
            Repetition(Kind.phrase, " ".join(WORDS[:10]), (1, 2, 3)),
            Repetition(Kind.phrase, "a b c d", (1, 2, 3)),
            Repetition(Kind.ending, " ".join(WORDS[:10]), (1, 2, 3)),
        ]
        assert avoid(found).phrases == (" ".join(WORDS[:8]), "a b c d")
        assert avoid(found).endings == (" ".join(WORDS[2:10]),)


class TestHostile:
    @given(st.lists(ANYTHING, max_size=8), ANYTHING)
    @settings(deadline=None, max_examples=150)
    def test_any_texts_are_read(self, texts: list[str], prompt: str):
        for one in repetitions(pieces(*texts, *texts, *texts, prompt=prompt)):
            assert one.count >= LEAST
            assert one.sentence
            assert "\n" not in one.words

    @pytest.mark.parametrize(
        "unit", ["a ", "Aa.", "the cat ", "Elara said ", "“Elara'", "A", "'", "\n", "…!? ", "Mr. Elara's ", "a'b'c'"]
    )
    def test_work_grows_with_the_text_and_not_faster(self, unit: str):
        def work(size: int) -> int:
            texts = pieces(*[unit * (size // len(unit)) + str(n) for n in range(4)])
            return steps(lambda: repetitions(texts))

        assert work(8_000) <= 2.5 * work(4_000) + 2_000


def steps(action: Callable[[], object]) -> int:
    """How many calls an action makes: a measure of work that no clock and no other load disturbs."""
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count
