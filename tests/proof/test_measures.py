"""Length, diversity, following, made-up words and echoes: what trips them, and what nearly does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.proof.measures import diversity, echo, following, length, unknown, unknown_in, usual_length
from zega_core.proof.vocabulary import Vocabulary, plain_words, shipped

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=200)
PROMPTS = [
    "A lighthouse keeper finds a coin in the lamp",
    "Two sisters quarrel over a piano",
    "A baker hears the oven sing",
    "The gardener buries a letter under the roses",
]
ANSWERS = [
    "The lamp had gone out. In its bowl the keeper of the lighthouse saw a coin, green with age.",
    "“The piano is mine,” said one of the sisters. The other shut its lid, and so their quarrel began.",
    "Before dawn the baker bent to the oven. It was singing, low and flat, a song of flour.",
    "Under the roses the soil was soft. The gardener laid the letter there and buried it deep.",
]


def prose(seed: int, size: int) -> str:
    draw = random.Random(seed)
    return " ".join(f"w{draw.randrange(3000)}" for _ in range(size))


class TestFollowing:
    def test_answers_to_their_prompts_take_them_up(self):
        found = following(PROMPTS, ANSWERS, ANSWERS, seed=1)
        assert found.change.after > 0.7
        assert found.chance < 0.1

    def test_shuffled_answers_take_up_no_more_than_chance(self):
        shuffled = [*ANSWERS[1:], ANSWERS[0]]
        found = following(PROMPTS, ANSWERS, shuffled, seed=1)
        assert found.change.after <= 0.1
        assert found.change.high < 0

    def test_forms_of_a_word_count(self):
        found = following(["The baker sings"] * 2, ["Bakers were singing."] * 2, ["Nothing."] * 2, seed=1)
        assert (found.change.before, found.change.after) == (1, 0)

    def test_the_order_of_the_prompts_does_not_matter(self):
        one = following(PROMPTS, ANSWERS, ANSWERS[::-1], seed=1)
        other = following(PROMPTS[::-1], ANSWERS[::-1], ANSWERS, seed=1)
        assert (one.change.before, one.change.after) == pytest.approx((other.change.before, other.change.after))

    def test_prompts_that_name_nothing_are_left_out(self):
        found = following(["", "write it", PROMPTS[0]], ["x", "y", ANSWERS[0]], ["x", "y", "z"], seed=1)
        assert found.change.before > 0.7


class TestDiversity:
    def test_the_same_text_for_every_prompt_is_a_collapse(self):
        different = [prose(number, 60) for number in range(8)]
        found = diversity(different, [different[0]] * 8, seed=1)
        assert found.before > 0.99
        assert found.after == pytest.approx(1 / 8, abs=0.02)
        assert found.high < -0.5

    def test_more_text_is_no_less_diverse(self):
        draw = random.Random(2)
        small = [" ".join(draw.choice("abcdefgh") for _ in range(40)) for _ in range(8)]
        large = [text + " " + " ".join(draw.choice("abcdefgh") for _ in range(400)) for text in small]
        found = diversity(small, large, seed=1)
        assert (found.before, found.low, found.high) == (found.after, 0, 0)

    def test_it_is_the_share_of_distinct_runs(self):
        assert diversity(["a b c d"], ["a b c a b c"], seed=1).after == 1
        assert diversity(["a b c a b c"], ["x y z v w u"], seed=1).before == pytest.approx(3 / 4)

    def test_answers_too_short_for_a_run_are_nothing(self):
        assert diversity(["a", ""], ["b", "c d"], seed=1).after == 0


class TestUnknown:
    VOCABULARY = Vocabulary(shipped())

    @pytest.mark.parametrize(
        "word", ["lighthouse", "sang", "moonbeams", "re-lit", "unbuttoned", "gaslight", "whisperings", "lych", "don't"]
    )
    def test_english_is_known(self, word: str):
        assert unknown_in(self.VOCABULARY, [f"and {word} there"]) == 0

    @pytest.mark.parametrize("word", ["wtih", "gartheverse", "prifons", "smethered", "ocklind", "thrang's"])
    def test_what_is_made_up_is_not(self, word: str):
        assert unknown_in(self.VOCABULARY, [f"and {word} there now"]) == 250

    def test_names_and_numbers_are_never_unknown(self):
        assert unknown_in(self.VOCABULARY, ["Then Gartheverse paid 400 xu, ΑΒΓ and N0V4."]) == 0

    def test_a_writers_own_words_are_known(self):
        own = Vocabulary(shipped(), ["The smethered gartheverse."])
        assert unknown_in(own, ["Two gartheverses smethered."]) == 0

    def test_the_words_of_its_prompt_are_known(self):
        found = unknown(self.VOCABULARY, ["A gartheverse", "A cat"], ["gartheverse"] * 2, ["gartheverse"] * 2, seed=1)
        assert found.before == found.after == 500

    def test_it_is_counted_in_a_thousand_words(self):
        texts = [" ".join(["the cat sat"] * 33) + " ocklind"] * 4
        clean = [" ".join(["the cat sat"] * 33) + " mat"] * 4
        found = unknown(self.VOCABULARY, [""] * 4, clean, texts, seed=1)
        assert (found.before, found.after, found.low, found.high) == (0, 10, 10, 10)

    def test_most_made_up_words_are_found(self):
        draw = random.Random(1)
        words = sorted(word for word in shipped() if len(word) > 4 and word.isalpha())
        mixed = [
            draw.choice(words)[: draw.randint(2, 4)] + draw.choice(words)[draw.randint(1, 3) :] for _ in range(800)
        ]
        assert sum(word not in self.VOCABULARY for word in mixed) > 0.75 * len(mixed)

    def test_without_words_there_is_no_share(self):
        assert unknown_in(self.VOCABULARY, ["", "…"]) is None


class TestEcho:
    PROMPT = "Write a scene.\n\nPrompt: A lighthouse keeper finds a coin in the lamp\n\nWrite only the piece itself."

    @pytest.mark.parametrize(
        "answer",
        [
            "A lighthouse keeper finds a coin in the lamp.",
            "Prompt: A lighthouse keeper finds a coin in the lamp. And then he went to bed at last.",
            "a coin",
        ],
    )
    def test_an_answer_that_repeats_its_prompt(self, answer: str):
        assert echo([self.PROMPT], [answer]) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            "",
            "A lighthouse keeper finds a coin in the lamp. He turned it over twice, and on the back there was a "
            "face that he had last seen at his own window.",
            "The keeper had a coin; the lamp had none of it, and a lighthouse finds nobody.",
        ],
    )
    def test_an_answer_that_only_begins_with_it_or_uses_its_words(self, answer: str):
        assert echo([self.PROMPT], [answer]) == 0

    def test_it_is_a_share(self):
        assert echo([self.PROMPT] * 4, ["a coin in the lamp", "x", "y", "z"]) == 0.25
        assert echo([], []) == 0


def test_lengths_are_medians_of_words():
    assert usual_length(["one two", "one", "one two three four"]) == 2
    assert usual_length([]) is None
    found = length(["a b c"] * 3, ["a"] * 3, seed=1)
    assert (found.before, found.after, found.low, found.high) == (3, 1, -2, -2)


@given(st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING), max_size=3))
@settings(deadline=None, max_examples=40)
def test_any_text_is_accepted(rows):
    prompts, before, after = ([row[column] for row in rows] for column in range(3))
    assert 0 <= following(prompts, before, after, seed=1).change.after <= 1
    assert 0 <= diversity(before, after, seed=1).after <= 1
    assert 0 <= unknown(Vocabulary(shipped()), prompts, before, after, seed=1).after <= 1000
    assert 0 <= echo(prompts, after) <= 1
    length(before, after, seed=1)


def test_a_text_without_an_end_takes_no_time():
    text = "word" * 30_000
    assert plain_words(text) == [text]
    assert unknown_in(Vocabulary(shipped()), [text]) == 1000
