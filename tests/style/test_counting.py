"""What is counted in a text: sentences, speech, persons, tenses, marks, variety; of any text, in linear time."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.style.counting import COUNTED, PLACE, SIZE, is_adverb, measure
from zega_core.style.fingerprint import enough, fingerprint, pool

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=400)
"""Lone halves of surrogate pairs, NUL, right-to-left and zero-width characters included."""
PROSE = st.lists(
    st.sampled_from(
        """The lamp went out. | She walked slowly down to the river, and he followed her. | “Who is there?” I asked. |
        We had seen nothing; nothing at all… | It is late (very late), and they know it! | — Then go, said the other. |
        By and by the wind fell - and the boat lay still. | “Wait,” he says, “and listen.” | No.""".split("|")
    ).map(str.strip),
    min_size=1,
    max_size=8,
).map("\n\n".join)
HOSTILE = {
    "nothing": "",
    "nul": "\0" * 100_000,
    "surrogates": "\ud800" * 100_000,
    "one word": "a" * 100_000,
    "spaces": " " * 100_000,
    "lines": "a\n" * 50_000,
    "quotation marks": '"' * 100_000,
    "open single quotes": "'a " * 33_000,
    "open typographic quotes": "‘a “" * 25_000,
    "stops": ". " * 50_000,
    "a stop and spaces": "." + " " * 99_999,
    "question marks and quotes": "?' " * 33_000,
    "dashes": "- " * 50_000,
    "dashed lines": "—\ta\n" * 25_000,
    "titles": "Mr. " * 25_000,
    "pronouns": "she " * 25_000,
    "the beginnings of worn phrases": "was not just a " * 6_600,
    "wrapped lines": ("x" * 60 + ",\n") * 1_600,
    "another script": "中文。" * 33_000,
    "right to left": "مرحبا بالعالم " * 7_000,
    "emoji": "👩‍👩‍👧" * 20_000,
}


def counted(text: str) -> dict[str, float]:
    numbers = measure(text).numbers
    return {name: float(numbers[PLACE[name]]) for name in COUNTED}


def values(text: str) -> dict[str, float]:
    return dict(fingerprint(measure(text)).values)


def test_sentences_are_measured_by_their_words():
    found = counted("It rained. Then " + "word " * 30 + "ended. Dr. Moss looked up at him from the very long letter.")
    assert (found["sentences"], found["short_sentences"], found["long_sentences"]) == (3, 1, 1)
    shape = values("One two three four. One two three four five six seven eight.")
    assert (shape["sentence_length"], shape["sentence_spread"]) == (6, 2)


@pytest.mark.parametrize(("words", "short", "long"), [(6, 1, 0), (7, 0, 0), (29, 0, 0), (30, 0, 1)])
def test_a_short_sentence_has_six_words_and_a_long_one_thirty(words: int, short: int, long: int):
    found = counted("Word " * words)
    assert (found["short_sentences"], found["long_sentences"]) == (short, long)


@pytest.mark.parametrize(
    "text",
    [
        '"Come in and sit," he said.',
        "“Come in and sit,” he said.",
        "«Come in and sit,» he said.",
        "„Come in and sit,“ he said.",
        "‘Come in and sit,’ he said. ‘Stay there for now,’ they said.",
    ],
)
def test_what_stands_in_quotation_marks_is_dialogue(text: str):
    assert values(text)["dialogue"] == pytest.approx(4 / 6)


def test_a_speech_that_is_not_closed_ends_with_its_paragraph():
    assert counted("“One two three.\n\n“Four five,” he said. Then it rained.")["spoken"] == 5


@pytest.mark.parametrize("dash", ["— ", "—", "– ", "- "])
def test_a_dash_opens_a_line_of_dialogue(dash: str):
    assert counted(f"It rained.\n{dash}Come in and sit.\nHe sat - as ever - and waited.")["spoken"] == 4


def test_dashes_within_a_sentence_open_none():
    assert counted("He sat — as ever — and waited.\n\nIt was—he knew—late.")["spoken"] == 0


def test_lines_that_are_only_wrapped_are_one_paragraph():
    wrapped = "The keeper climbed down from the lamp every evening at six and then\nShot both bolts, sat, and\nate."
    assert counted(wrapped)["paragraphs"] == 1
    assert counted("The keeper climbed.\nThe lamp went out.\n\nNobody came.")["paragraphs"] == 3


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("I took my coat, and we went to our house. It stood there.", "first_person"),
        ("You take your coat. You know it is yours.", "second_person"),
        ("She took her coat, and they went to their house with him.", "third_person"),
    ],
)
def test_the_person_is_that_of_the_narration(text: str, person: str):
    spoken = "“You and I,” someone said. “He and she are ours.” "
    found = values(spoken + text)
    assert {name: found[name] for name in ("first_person", "second_person", "third_person") if found[name]} == {
        person: 1
    }


PAST = """She walked to the door and opened it. The hall smelled of wax. He was not there, and she turned the key. They
never spoke of it. I still knew the room, and we slowly crossed it."""
PRESENT = """She walks to the door and opens it. The hall smells of wax. He is not there, and she turns the key. They
never speak of it. I still know the room, and we slowly cross it."""


def test_the_tense_is_that_of_the_narration():
    assert values(PAST + " “I am here,” she said. “It is late.”")["past_tense"] == 1
    assert values(PRESENT + " “I was here,” she says. “It was late.”")["past_tense"] == 0
    assert values(PAST + PRESENT)["past_tense"] == 0.5


def test_verbs_are_told_by_the_pronoun_before_them():
    # walked, was, turned, spoke, knew, crossed; "opened" and "smelled" have no pronoun beside them
    assert (counted(PAST)["past"], counted(PRESENT)["present"]) == (6, 6)


def test_we_are_the_first_person_and_they_the_third():
    found = counted("I took my coat, we took ours. They took theirs, she took hers. You took yours. It rained on us.")
    assert (found["first"], found["second"], found["third"]) == (5, 2, 4)


def test_a_pronoun_does_not_reach_over_a_stop():
    assert counted("He gave it to her. Looks deceive. It, cats. He “works”.")["present"] == 0


def test_not_every_word_in_s_after_a_pronoun_is_a_verb():
    assert counted("By it this was shown. Without her, she perhaps, without it always lost.")["present"] == 0


def test_marks_are_counted_by_kind():
    found = counted("Yes, no; so: well—now -- or - then! What? Wait… and wait... (So.) A well-known man.")
    kinds = ("commas", "semicolons", "colons", "dashes", "exclamations", "questions", "ellipses", "parentheses")
    assert [found[kind] for kind in kinds] == [1, 1, 1, 3, 1, 1, 2, 1]


def test_adverbs_are_told_by_their_ending_but_not_every_ly_is_one():
    assert [word for word in "slowly family only suddenly early lonely ply softly".split() if is_adverb(word)] == [
        "slowly",
        "suddenly",
        "softly",
    ]


def test_worn_phrases_are_counted():
    assert counted("A shiver ran down her spine. She could not help but smile.")["worn"] == 2


def test_mtld_is_the_mean_length_of_runs_read_both_ways():
    # "a b a" has 2 kinds in 3 words, under 0.72: one factor; "b" is left, which repeats nothing. Backwards the same.
    assert values("a b a b")["variety"] == 4
    # Forwards "a a" is a factor and "b c d e" repeats nothing; backwards "e d c b a a" is 5 kinds in 6: a part of one.
    assert values("a a b c d e")["variety"] == pytest.approx((6 / 1 + 6 / ((1 / 6) / 0.28)) / 2)


def test_a_varied_text_has_more_variety_than_a_repeating_one():
    assert values(PAST)["variety"] > 2 * values("She sat down and he sat down. " * 10)["variety"]


@pytest.mark.parametrize("kind", HOSTILE)
def test_any_text_is_measured_in_good_time(kind: str):
    started = time.process_time()
    found = fingerprint(measure(HOSTILE[kind]))
    assert time.process_time() - started < 4
    assert np.isfinite(found.scaled).all() and np.abs(found.scaled).max() <= 4
    assert np.isfinite(list(found.values.values())).all()


def test_no_text_is_like_published_prose_but_not_enough():
    nothing = fingerprint(measure(""))
    assert nothing.words == 0 and not enough(nothing)
    assert set(nothing.axes.values()) == {0}


@settings(deadline=None)
@given(ANYTHING)
def test_anything_gives_finite_figures(text: str):
    found = fingerprint(measure(text))
    assert np.isfinite(found.scaled).all()
    for share in ("dialogue", "short_sentences", "long_sentences", "first_person", "third_person", "past_tense"):
        assert 0 <= found.values[share] <= 1, share
    assert all(value >= 0 for value in found.values.values())


@settings(max_examples=40, deadline=None)
@given(st.lists(PROSE, min_size=1, max_size=5))
def test_pooling_is_joining(texts: list[str]):
    together, joined = pool([measure(text) for text in texts]).numbers, measure("\n\n".join(texts)).numbers
    factors = [PLACE["factors_forward"], PLACE["factors_backward"]]  # a run ends where its text does
    rest = np.delete(np.arange(SIZE), factors)
    assert together[rest].tolist() == joined[rest].tolist()


def test_pooling_nothing_is_nothing():
    assert pool([]).words == 0 and not pool([]).numbers.any()
