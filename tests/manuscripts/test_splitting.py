"""Passages: never across a chapter or scene, of a good length, and not a word lost or doubled."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.teachers import story
from zega_core.dataset import words
from zega_core.manuscripts.blocks import Block, Document, Kind
from zega_core.manuscripts.reading import read
from zega_core.manuscripts.splitting import LEAST, MOST, REST, split


def document(*parts: str) -> Document:
    """``# `` begins a heading, ``*`` is a break, the rest are paragraphs."""
    blocks = []
    for part in parts:
        if part == "*":
            blocks.append(Block(Kind.scene_break))
        elif part.startswith("# "):
            blocks.append(Block(Kind.heading, part[2:]))
        else:
            blocks.append(Block(Kind.paragraph, part))
    return Document("txt", blocks)


def prose(number: int, seed: int = 0) -> str:
    """So many words, in sentences."""
    found = " ".join(story(seed + extra) for extra in range(number // 60 + 1)).split()[:number]
    return " ".join(found).rstrip(",.") + "."


PARAGRAPH = st.builds(prose, st.integers(1, 400), st.integers(0, 50))
PARTS = st.lists(st.one_of(PARAGRAPH, PARAGRAPH, PARAGRAPH, st.just("*"), st.just("# One"), st.just("…")), max_size=40)


@given(PARTS)
@settings(max_examples=120, deadline=None)
def test_no_word_is_lost_or_doubled(parts: list[str]):
    body = document(*parts)
    found = split(body)
    texts = sorted([*((one.scene, one.text) for one in found.passages)], key=lambda pair: pair[0])
    taken = [word for _, text in texts for word in words(text)]
    left = [word for text in found.left_out for word in words(text)]
    assert sorted(taken + left) == sorted(words(body.body))
    assert sum(one.words for one in found.passages) <= found.words
    assert [one.idx for one in found.passages] == list(range(len(found.passages)))


@given(PARTS)
@settings(max_examples=120, deadline=None)
def test_passages_keep_the_order_and_the_scenes(parts: list[str]):
    scenes: list[list[str]] = [[]]
    for part in parts:
        if part == "*" or part.startswith("# "):
            scenes.append([])
        else:
            scenes[-1] += words(part)
    scenes = [scene for scene in scenes if scene]
    found = split(document(*parts))
    together: dict[int, list[str]] = {}
    for one in found.passages:
        together.setdefault(one.scene, []).extend(words(one.text))
    kept = list(together.values())
    assert all(scene in scenes for scene in kept)
    assert kept == [scene for scene in scenes if scene in kept]


@given(PARTS)
@settings(max_examples=120, deadline=None)
def test_lengths_are_those_of_passages(parts: list[str]):
    found = split(document(*parts))
    assert all(REST <= one.words <= MOST + 2 * REST for one in found.passages)
    assert all(len(words(text)) < REST for text in found.left_out)


@given(st.lists(st.text(max_size=400), max_size=20))
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_is_split(paragraphs: list[str]):
    found = split(document(*paragraphs))
    assert all(one.text.strip() and one.words == len(words(one.text)) for one in found.passages)


def test_most_passages_of_a_book_have_the_wanted_length():
    found = split(document(*(prose(20 + (seed * 37) % 130, seed) for seed in range(200))))
    good = [one for one in found.passages if LEAST <= one.words <= MOST]
    assert len(good) > 0.95 * len(found.passages)
    assert 100 < sum(one.words for one in found.passages) / len(found.passages) < 190


def test_a_short_rest_joins_its_neighbour_of_the_same_scene():
    found = split(document(prose(150, 1), prose(40, 2), "*", prose(150, 3)))
    assert [one.words for one in found.passages] == [190, 150]


def test_a_scene_too_short_to_be_a_passage_is_left_out_and_never_joined_to_another():
    short = prose(30, 5)
    found = split(document("# One", prose(150, 1), "*", short, "# Two", prose(150, 3)))
    assert found.left_out == [short]
    assert [one.chapter for one in found.passages] == ["One", "Two"]
    assert found.chapters == 2


def test_paragraphs_stay_whole_unless_one_is_too_long():
    paragraphs = [prose(70, seed) for seed in range(12)]
    found = split(document(*paragraphs))
    assert [part for one in found.passages for part in one.text.split("\n\n")] == paragraphs
    long = split(document(prose(600, 3)))
    assert len(long.passages) > 2
    assert all(one.text.endswith((".", "supper", "bell")) or one.text[-1] == "." for one in long.passages[:-1])


def test_sentences_end_where_readers_see_them_end():
    sentence = "Mr. Harker met Dr. Seward at St. Mary's in the U. S. A. before noon and said nothing at all of it"
    found = split(document(" ".join(f"{sentence}." for _ in range(20))))
    assert all(one.text.startswith("Mr. Harker") and one.text.endswith("all of it.") for one in found.passages)


def test_one_endless_sentence_is_cut_between_words():
    found = split(document("and then " * 1_000))
    assert all(one.words <= MOST for one in found.passages)
    assert sum(one.words for one in found.passages) == 2_000


def test_a_file_becomes_the_same_passages_each_time():
    data = "\n\n".join(prose(120, seed) for seed in range(40)).encode()
    assert split(read(data, "a.txt")).passages == split(read(data, "a.txt")).passages
