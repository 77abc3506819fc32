from __future__ import annotations

import json
import re
from pathlib import Path

from scripts.pretrain.briefs import Writer, filled, load_words
from scripts.pretrain.mined import mine
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


def test_nouns_are_found_in_books():
    text = (
        "He saw a copper lamp. The lamp was in the old cellar, and the keeper said nothing. "
        "Down in the cellar; the lamp, a lamp."
    )
    found = mine([text])
    assert "copper lamp" in found["objects"] and "in the old cellar" in found["places"]
    assert "keeper" not in found["figures"], "said once only"
    assert "keeper" in mine([text, "Then the keeper asked."])["figures"]


def test_nouns_from_books_are_in_prompt_and_piece(tmp_path: Path):
    words = {
        key: [f"{key[0]}{chr(97 + n // 26)}{chr(97 + n % 26)}k" for n in range(60)] for key in ("objects", "figures")
    }
    nouns = tmp_path / "mined.json"
    nouns.write_text(json.dumps({**words, "places": [f"in the p{n}ace" for n in range(60)]}), encoding="utf-8")
    train, held = Writer(1, mined=nouns), Writer(1, held_out=True, mined=nouns)
    assert not set(train.words.mined["objects"]) & set(held.words.mined["objects"])
    pairs = [train.pair(number) for number in range(60)]
    used = [word for pair in pairs for word in words["objects"] if word in pair.brief.prompt and word in pair.text]
    assert len(used) > 20
    assert not set(used) & set(held.words.mined["objects"])
