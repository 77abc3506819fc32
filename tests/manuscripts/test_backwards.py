"""Prompts written backwards: requests that say what a passage is about and give nothing of it away."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.teachers import story
from zega_core.catalog import load_catalog
from zega_core.manuscripts import backwards, lexicon
from zega_core.manuscripts.backwards import LONGEST, fault, quotes, requests
from zega_core.manuscripts.details import genre_of
from zega_core.manuscripts.splitting import Passage

TALK = (
    "“Where is the lantern?” Mara asked.\n\n“In the boathouse,” said Tobias. “Where you left it.”\n\n“I left "
    "nothing,” Mara said. “You had it last, and you had the key.”\n\n“The key?” Tobias laughed. “What would I "
    "want with a key?”\n\n“Then somebody else was here,” said Mara.\n\n“Somebody else is always here,” Tobias "
    "said."
)
FIGHT = (
    "Mara struck first, and the blow threw Tobias against the wall of the kitchen. He drew the sword. She "
    "fought with a ladle. They fought from the stove to the door, blow after blow, and the blood ran down his "
    "sleeve. Then Mara swung the ladle again and the sword fell. Tobias looked at her. “Enough,” Tobias said, "
    "and Mara put down the ladle."
)
PLACE = (
    "The harbour lay below the hill in the grey light. Grey stones and black water, and beyond the wall the "
    "masts stood in rows against the sky. Snow lay on the roofs and on the decks. The wind hung in the ropes. "
    "There was a smell of tar, and frost along the windows of the houses, and ice in the corners of the "
    "street above the harbour. Above the harbour stood the tower, white with snow on its north side, and the "
    "red door below it was shut."
)
PERSON = (
    "Mara was tall and dark, with a long thin face and grey eyes that never seemed young. Her hair was always "
    "tied; she wore a coat that her father had worn. She was born in the hills and had grown up among old "
    "people, and she had their manners. Mara never hurried. She was known for her temper, and called hard, "
    "and her habit was to say nothing."
)


def passage(text: str, idx: int = 0) -> Passage:
    return Passage(idx, "", idx, text, len(text.split()))


def of(*texts: str) -> list[backwards.Request]:
    return requests([passage(text, idx) for idx, text in enumerate(texts)])


@pytest.mark.parametrize(
    ("text", "element"), [(TALK, "dialogue"), (FIGHT, "scene"), (PLACE, "setting"), (PERSON, "character")]
)
def test_a_passage_is_asked_for_as_what_it_is(text: str, element: str):
    (found,) = of(text)
    assert found.element == element
    assert found.element in {one.key for one in load_catalog().elements}


def test_it_says_who_is_there_and_what_it_is_about():
    talk, fight, place, person = of(TALK, FIGHT, PLACE, PERSON)
    assert "Mara" in talk.prompt
    assert "Tobias" in talk.prompt
    assert "fight" in fight.prompt
    assert "Mara" in fight.prompt
    assert "harbour" in place.prompt
    assert "Mara" in person.prompt


def test_first_and_last_name_are_one_person():
    text = (
        "Mara Fenwick said so. Tobias said no. Mara Fenwick laughed, and Mara Fenwick went. “No,” said Mara Fenwick. "
    )
    (found,) = of(text * 4)
    assert "Mara and Fenwick" not in found.prompt
    assert "Mara Fenwick" in found.prompt


def test_prompts_of_a_book_differ_and_are_requests():
    found = of(*(story(seed) for seed in range(120)))
    assert len({one.prompt.lower() for one in found}) == 120
    assert not [one.prompt for seed, one in enumerate(found) if fault(one.prompt, story(seed))]


def test_the_same_passage_many_times_still_has_prompts_that_differ():
    found = of(*[FIGHT] * 60)
    assert len({one.prompt for one in found}) == 60
    assert all(len(one.prompt) <= LONGEST for one in found)


def test_the_same_passages_give_the_same_prompts():
    assert of(TALK, FIGHT, PLACE) == of(TALK, FIGHT, PLACE)


@given(st.lists(st.text(min_size=1, max_size=600), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_anything_written_has_a_prompt(texts: list[str]):
    for text, found in zip(texts, of(*texts), strict=True):
        assert 0 < len(found.prompt) <= LONGEST
        assert not quotes(found.prompt, text)
        assert "\n" not in found.prompt


def test_other_languages_are_asked_for_by_their_words():
    german = (
        "Der Leuchtturm stand im Sturm, und die Brandung schlug gegen den Leuchtturm, bis der Wärter erwachte. " * 4
    )
    (found,) = of(german)
    assert "Leuchtturm" in found.prompt


@pytest.mark.parametrize(
    "prompt",
    [
        "Write.",
        "A scene about Mara and the lantern in the boathouse.",
        "Write a scene in which Mara struck first, and the blow threw Tobias against a door.",
        "Write a scene about\nMara and the lantern there.",
        "Write a scene based on the passage about Mara.",
        "Write a scene about [a name] and the lantern there.",
        "Write a scene, see https://x.invalid for what it is.",
        "Write " + "a scene about Mara and " * 20,
    ],
)
def test_what_is_no_prompt_is_told(prompt: str):
    assert fault(prompt, FIGHT)


def test_a_good_sentence_of_a_teacher_is_taken():
    assert not fault("Write a scene in which two old friends fight in a kitchen and one gives in.", FIGHT)


def test_the_genre_is_that_to_which_most_words_point_or_none():
    assert (
        genre_of(["The detective found a clue of the murder, and the inspector had a suspect and evidence. " * 2])
        == "mystery"
    )
    assert genre_of([FIGHT, PLACE, TALK]) == ""
    assert set(lexicon.GENRES) == {genre.key for genre in load_catalog().genres}
