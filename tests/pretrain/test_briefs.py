from __future__ import annotations

import re

from scripts.pretrain.briefs import Writer, filled, load_words
from zega_core.catalog import load_catalog


def test_the_same_number_is_the_same_pair():
    assert Writer(1).pair(5) == Writer(1).pair(5)
    assert Writer(1).pair(5) != Writer(1).pair(6)
    assert Writer(1).pair(5) != Writer(2).pair(5)


def test_nothing_held_out_is_trained_on():
    train, held = load_words(False), load_words(True)
    for key, words in train.lists.items():
        assert words and held.lists[key] and not set(words) & set(held.lists[key])
    for key in ("prompt", "named", "free"):
        assert not set(train.forms[key]) & set(held.forms[key])
    assert not set(train.thing) & set(held.thing)
    assert not set(train.person) & set(held.person)


def test_pairs_are_whole_and_cover_everything():
    pairs = [Writer(1).pair(number) for number in range(150)]
    for pair in pairs:
        assert not re.search(r"[{}|\[\]]", pair.user + pair.text), pair
        assert pair.brief.prompt in pair.user
    catalog = load_catalog()
    assert {pair.brief.element.key for pair in pairs} == {element.key for element in catalog.elements}
    assert {pair.brief.genre for pair in pairs} == {genre.key for genre in catalog.genres}
    assert {pair.brief.modifier for pair in pairs} == {None, *catalog.modifiers}
    assert any(pair.user == pair.brief.prompt for pair in pairs)
    assert any(pair.brief.known is None for pair in pairs)


def test_no_prompt_of_the_catalog_is_trained_on():
    shipped = {prompt.text for prompt in load_catalog().prompts}
    assert not shipped & {Writer(1).pair(number).brief.prompt for number in range(50)}


def test_the_hero_has_the_name_that_the_prompt_gives():
    named = [
        pair for number in range(200) if (pair := Writer(1).pair(number)).brief.prompt.startswith("Tell me about ")
    ]
    assert named
    for pair in named:
        first = re.sub(r"[ ,].*", "", pair.brief.prompt.removeprefix("Tell me about "))
        assert first in pair.text or pair.brief.element.key == "setting"


def test_filled_keeps_slots_it_does_not_know():
    assert filled("{A_figure} and {hero}", {"a_figure": "an owl"}) == "An owl and {hero}"
