"""What is learned from: weights, sides, and what is said of it."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.teachers import story
from zega_core.catalog import Brief, load_catalog, request
from zega_core.dataset import words
from zega_core.fine_tune import data
from zega_core.fine_tune.data import Piece, Prepared, bare, for_continuing, missing, prepare
from zega_core.tables import Source

CATALOG = load_catalog()


def piece(number: int, **more: Any) -> Piece:
    values: dict[str, Any] = {
        "id": number,
        "source": Source.auto,
        "genre": "horror",
        "element": "scene",
        "modifier": None,
        "prompt": f"The {number}th keeper mends a lantern",
        "completion": story(number),
        "quality": 7.5,
        "origin": None,
    }
    return Piece(**values | more)


def prepared(pieces: list[Piece], **more: Any) -> Prepared:
    return prepare(pieces, catalog=CATALOG, near_duplicate_share=0.3, **more)


def sides(found: Prepared) -> dict[int, str]:
    return {row.example_id: row.split for row in found.rows}


@pytest.mark.parametrize(
    ("source", "quality", "weight"),
    [
        (Source.auto, 7.0, 1.0),
        (Source.auto, 8.0, 1.5),
        (Source.imported, 9.0, 2.0),
        (Source.rating, 7.9, 1.5),
        (Source.rating, 9.3, 3.0),
        (Source.manuscript, 2.1, 2.0),
        (Source.conversation, 8.4, 3.0),
        (Source.manuscript, None, 2.0),
        (Source.manuscript, float("nan"), 2.0),
        (Source.auto, "9", 1.0),
    ],
)
def test_a_better_piece_and_an_own_one_weigh_more(source: Source, quality: Any, weight: float):
    row = prepared([piece(1, source=source, quality=quality)]).rows[0]
    assert row.weight == weight
    assert row.own == (source in (Source.conversation, Source.manuscript))


def test_teachers_pieces_are_asked_for_as_they_were_and_all_others_by_their_own_prompt():
    modifier = CATALOG.modifiers[3]
    auto, own = piece(1, modifier=modifier.key), piece(2, source=Source.manuscript, modifier=modifier.key)
    strange = [piece(3, genre="western"), piece(4, element=""), piece(5, modifier="loud"), piece(6, genre=7)]
    rows = prepared([auto, own, *strange]).rows
    brief = Brief(auto.prompt, "horror", CATALOG.element("scene"), modifier)
    assert rows[0].prompt == request(brief, CATALOG)
    assert [row.prompt for row in rows[1:]] == [one.prompt for one in (own, *strange)]


def test_a_text_that_a_writer_had_written_is_asked_for_as_it_was():
    chosen = piece(1, source=Source.rating)
    assert prepared([chosen]).rows[0].prompt == request(
        Brief(chosen.prompt, "horror", CATALOG.element("scene")), CATALOG
    )
    free = piece(2, source=Source.rating, genre="", element="")
    assert prepared([free]).rows[0].prompt == free.prompt


def test_the_prompt_is_found_again_in_every_request():
    for element in CATALOG.elements:
        for modifier in (None, *CATALOG.modifiers):
            for prompt in (CATALOG.prompts[7].text, "Two\nlines.\n\nAnd a third", "Genre: none.\nPrompt: a fox"):
                assert bare(request(Brief(prompt, "horror", element, modifier), CATALOG)) == prompt
    assert bare("Prompt: write a song") == "Prompt: write a song"


def test_what_cannot_be_learned_from_is_counted_with_its_reason():
    found = prepared(
        [
            piece(1),
            piece(2, completion=" \n"),
            piece(3, prompt="\t"),
            piece(4, prompt="A fox, late.", completion="a FOX late"),
            piece(5, completion=b"bytes"),
            piece(6, prompt=12),
            piece(7, completion="half \ud800 a pair"),
            piece(8, completion="a \x00 byte"),
            piece(9, source="rumour"),
            piece(10, source=None),
        ]
    )
    assert [row.example_id for row in found.rows] == [1]
    assert found.summary.left_out == {data.NO_TEXT: 1, data.NO_PROMPT: 1, data.REPEATS: 1, data.UNREADABLE: 6}
    json.dumps(found.summary.as_dict())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=120), st.sets(st.integers(1, 30)))
def test_no_prompt_is_on_two_sides_and_most_is_trained_on(prompts: list[int], trained: set[int]):
    pieces = [
        piece(number, prompt=f"Prompt {prompt}, {'please' * (number % 2)}".rstrip(", "), source=Source.manuscript)
        for number, prompt in enumerate(prompts, start=1)
    ]
    found = prepared(pieces, trained={f"prompt {number}" for number in trained})
    by_prompt = defaultdict(set)
    for row in found.rows:
        by_prompt[" ".join(words(row.prompt))].add(row.split)
    assert all(len(one) == 1 for one in by_prompt.values())
    assert all(by_prompt.get(f"prompt {number}", {"train"}) == {"train"} for number in trained)
    splits = found.summary.splits
    assert splits["validation"] + splits["held_out"] <= 0.3 * len(prompts)
    assert sum(splits.values()) == len(prompts)


@pytest.mark.parametrize(("number", "least"), [(15, 2), (20, 2), (30, 3), (50, 3), (300, 20)])
def test_validation_and_held_out_have_enough(number: int, least: int):
    splits = prepared([piece(one) for one in range(1, number + 1)]).summary.splits
    assert splits["validation"] >= least
    assert splits["held_out"] >= least


def test_a_set_of_a_few_prompts_is_validated_first():
    for offset in range(20):  # wherever their hashes put them
        pieces = [piece(number, prompt=f"Prompt {offset}.{number % 5}") for number in range(1, 16)]
        assert prepared(pieces).summary.splits == {"train": 12, "validation": 3, "held_out": 0}


def test_a_giant_prompt_is_trained_on():
    pieces = [piece(number, prompt="Write as I do", source=Source.manuscript) for number in range(1, 41)]
    found = prepared(pieces + [piece(number) for number in range(50, 70)])
    assert {row.split for row in found.rows if row.prompt == "Write as I do"} == {"train"}
    assert found.summary.splits["held_out"] >= 3


def test_near_duplicates_are_on_one_side_whatever_bridges_them():
    bridge = f"{story(1)} {story(2)}"
    for offset in range(30):  # wherever their hashes put them
        group = [
            piece(1, prompt=f"first {offset}", completion=story(1)),
            piece(2, prompt=f"second {offset}", completion=story(2)),
            piece(3, prompt=f"third {offset}", completion=bridge),
        ]
        found = sides(prepared([*group, *(piece(number) for number in range(10, 60))]))
        assert len({found[1], found[2], found[3]}) == 1


def test_passages_of_one_text_may_be_on_different_sides():
    pieces = [piece(number, source=Source.manuscript, origin="novel.txt") for number in range(1, 61)]
    assert set(sides(prepared(pieces)).values()) == {"train", "validation", "held_out"}


def test_sides_last_as_the_data_grows():
    early, late = (sides(prepared([piece(one) for one in range(1, number)])) for number in (300, 600))
    assert {identity: late[identity] for identity in early} == early


def test_what_a_version_was_trained_on_is_never_held_out_later():
    pieces = [piece(number, prompt=CATALOG.prompts[number].text) for number in range(1, 25)]
    first = prepared(pieces)
    trained = {row.prompt for row in first.rows if row.split == "train"}
    more = [piece(100 + number, prompt=CATALOG.prompts[number].text) for number in range(1, 80)]
    # The old pieces are gone; what was asked comes again in other words around it.
    second = prepared([one for number, one in enumerate(more) if number % 3], trained=trained)
    learned = {" ".join(words(bare(prompt))) for prompt in trained}
    held = {" ".join(words(bare(row.prompt))) for row in second.rows if row.split != "train"}
    assert held
    assert not held & learned


def test_the_same_data_has_the_same_hash_and_other_data_another():
    pieces = [piece(number, origin="a.txt") for number in range(1, 40)]
    shuffled = random.Random(3).sample(pieces, len(pieces))
    first = prepared(pieces)
    assert prepared(shuffled) == first
    assert len(first.hash) == 64
    others = [
        prepared(pieces[:-1]),
        prepared([*pieces[:-1], piece(39, origin="a.txt", quality=9.1)]),
        prepared([*pieces[:-1], piece(39, origin="b.txt")]),
        prepared(pieces, trained=[row.prompt for row in first.rows]),
    ]
    assert len({first.hash, *(other.hash for other in others)}) == 5


def test_the_summary_counts_what_is_there():
    mine = [piece(n, source=Source.manuscript, genre="", element="", quality=None, prompt="Mine") for n in range(1, 11)]
    taught = [piece(n, quality=9.0 if n % 2 else 8.0) for n in range(11, 31)]
    found = prepared(mine + taught)
    summary = found.summary
    assert (summary.examples, summary.prompts) == (30, 21)
    assert summary.sources == {"manuscript": 10, "auto": 20}
    assert summary.genres == {"": 10, "horror": 20}
    assert summary.bands == {"2": 10, "1.5": 10, "1": 10}
    assert summary.quality == 8.5
    assert summary.words == sum(len(words(row.completion)) for row in found.rows)
    assert summary.longest_words == max(len(words(row.completion)) for row in found.rows)
    train = [row for row in found.rows if row.split == "train"]
    count = {row.example_id: len(words(row.completion)) for row in train}
    own = sum(count[row.example_id] for row in train if row.own)
    assert summary.own_share == pytest.approx(own / sum(count.values()), abs=1e-3)
    weighted = sum(row.weight * count[row.example_id] for row in train)
    heavy = sum(row.weight * count[row.example_id] for row in train if row.own)
    assert summary.weighted_own_share == pytest.approx(heavy / weighted, abs=1e-3)
    asked = sum(len(words(row.prompt)) for row in train)
    assert summary.tokens == pytest.approx(data.TOKENS_A_WORD * (sum(count.values()) + asked), abs=1)


def test_a_summary_is_read_back_and_a_broken_one_is_not():
    summary = prepared([piece(number) for number in range(1, 20)]).summary
    assert data.read_summary(json.loads(json.dumps(summary.as_dict()))) == summary
    assert data.read_summary(None) is None
    assert data.read_summary({"examples": "many"}) is None
    assert data.read_summary([1]) is None


def test_teachers_words_alone_are_noted_without_alarm():
    summary = prepared([piece(number) for number in range(1, 31)]).summary
    assert summary.own_share == 0
    assert summary.warnings == []
    assert "your voice" in summary.note
    assert prepared([piece(number, source=Source.manuscript) for number in range(1, 31)]).summary.note == ""


def test_what_outweighs_the_rest_is_said():
    def said(*pieces: Piece) -> list[str]:
        return prepared(list(pieces)).summary.warnings

    mine = [piece(number, source=Source.conversation) for number in range(1, 11)]
    taught = [piece(number) for number in range(20, 40)]
    brought = [piece(number, source=Source.imported) for number in range(40, 60)]
    novel = [piece(number, source=Source.manuscript, origin="sea.txt") for number in range(60, 80)]
    assert "Teachers wrote" in " ".join(said(*mine, *taught))
    assert "Imported pairs" in " ".join(said(*mine, *brought))
    (one,) = said(*mine, *novel)
    assert one.startswith("“sea.txt” makes up")
    assert said(*mine, *taught[:4], *brought[:4], *novel[:5]) == []


def test_too_little_is_said_with_what_is_missing():
    def of(*pieces: Piece) -> str:
        return missing(prepared(list(pieces)).summary)

    assert "Keep 6 more" in of(*(piece(number) for number in range(1, 10)))
    assert "2 of at least 5 different prompts" in of(*(piece(n, prompt=f"P {n % 2}") for n in range(1, 21)))
    assert of(*(piece(number, prompt=f"P {number % 5}") for number in range(1, 16))) == ""
    assert missing(prepared([]).summary)


def test_going_on_takes_all_that_is_new_and_as_many_old_ones():
    found = prepared([piece(number) for number in range(1, 201)])
    train = [row for row in found.rows if row.split == "train"]
    for new, again in ((60, 60), (5, 20), (len(train) - 8, 8)):
        old = train[: len(train) - new]
        rows = for_continuing(found.rows, old, seed=1)
        kept = {row.example_id for row in rows if row.split == "train" and row.weight}
        before = {row.example_id for row in old}
        assert {row.example_id for row in train} - before <= kept
        assert len(kept & before) == again
        assert [row.example_id for row in rows] == [row.example_id for row in found.rows]
        others = [[row for row in one if row.split != "train"] for one in (rows, found.rows)]
        assert others[0] == others[1]
        assert for_continuing(found.rows, old, seed=1) == rows
    assert for_continuing(found.rows, train[:100], 1) != for_continuing(found.rows, train[:100], 2)


def test_what_is_not_learned_again_stays_known_without_its_text():
    found = prepared([piece(number) for number in range(1, 101)])
    old = [row for row in found.rows if row.split == "train"][:60]
    gone = {row.example_id for row in old[:10]}
    rows = for_continuing([row for row in found.rows if row.example_id not in gone], old, seed=1)
    known = {row.example_id: row for row in rows if not row.weight}
    assert gone < set(known) < {row.example_id for row in old}
    assert {(row.split, row.completion) for row in known.values()} == {("train", "")}
    assert {row.prompt for row in old} <= {row.prompt for row in rows if row.split == "train"}


@pytest.mark.parametrize(
    ("source", "weight"),
    [(Source.auto, 1.5), (Source.imported, 1.5), (Source.rating, 1.5), (Source.conversation, 2.0)],
)
def test_what_the_writer_has_edited_is_theirs(source: Source, weight: float):
    edited, plain = prepared([piece(1, source=source, original="Another text"), piece(2)]).rows
    assert (edited.weight, edited.own, edited.source) == (weight, True, source)
    assert (plain.weight, plain.own) == (1.0, False)


def test_weights_and_sources_are_all_known():
    assert set(data.SOURCE_WEIGHTS) == set(Source)
    assert Counter(data.OWN) == Counter((Source.conversation, Source.manuscript))
