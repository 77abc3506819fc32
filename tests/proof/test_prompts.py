"""Which prompts a proof asks: the writer's that were held out, then shipped ones, none that was trained on."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from zega_core.catalog import DATA, GENRES, Brief, load_catalog, request
from zega_core.dataset import NearDuplicates, words
from zega_core.errors import ConfigError
from zega_core.fine_tune.data import TOKENS_A_WORD, bare
from zega_core.fine_tune.plan import Row, Split
from zega_core.proof.job import Asked
from zega_core.proof.prompts import Kind, choose, load_prompts, most_held_out
from zega_core.quality.features import FUNCTION_WORDS

CATALOG = load_catalog()
PROMPTS, MOST_HELD_OUT = 36, 24


def row(number: int, prompt: str, split: Split = "held_out", *, own: bool = True) -> Row:
    return Row(number, prompt, f"Text {number}.", 1.0, split, own, "manuscript" if own else "auto")


def held_out(count: int, *, own: bool = True, begin: int = 0) -> list[Row]:
    return [row(begin + at, f"Prompt {begin + at} of mine", own=own) for at in range(count)]


def chosen(
    rows: list[Row],
    trained: list[Row] | None = None,
    kinds: dict[int, Kind] | None = None,
    *,
    count: int = PROMPTS,
    context: int = 1024,
) -> list[Asked]:
    return choose(rows, trained or [], kinds or {}, CATALOG, count=count, run="a1b2", context=context)


def test_forty_prompts_five_a_genre_with_elements_spread_evenly():
    shipped = load_prompts()
    assert Counter(one.genre for one in shipped) == dict.fromkeys(GENRES, 5)
    assert Counter(one.element for one in shipped) == {element.key: 10 for element in CATALOG.elements}
    assert len({one.text for one in shipped}) == 40


def test_none_is_near_a_prompt_of_the_catalog_or_another():
    shipped = load_prompts()
    texts = [one.text for one in CATALOG.prompts] + [one.text for one in shipped]
    near = NearDuplicates(0.1)
    for number, text in enumerate(texts):
        assert near.find(text) is None, text
        near.add(number, text)
    content = [set(words(text)) - FUNCTION_WORDS for text in texts]
    for number, one in enumerate(content[len(CATALOG.prompts) :], start=len(CATALOG.prompts)):
        assert max(len(one & other) for other in content[:number]) <= 3, texts[number]


def test_auto_train_gives_none_of_them():
    from zega_core.auto_train import plan

    given = {draw.brief.prompt for draw in plan(CATALOG, list(GENRES), 500, 3, {})}
    assert given and not given & {one.text for one in load_prompts()}


def test_the_writers_come_first_and_shipped_ones_fill_up():
    asked = chosen(held_out(6))
    assert [one.place for one in asked] == list(range(PROMPTS))
    assert [one.source for one in asked] == ["held_out"] * 6 + ["shipped"] * 30
    assert [one.prompt for one in asked[:6]] == [f"Prompt {at} of mine" for at in range(6)]
    assert chosen(held_out(0)) and all(one.source == "shipped" for one in chosen([]))


def test_a_third_is_always_shipped():
    sources = Counter(one.source for one in chosen(held_out(200)))
    assert sources == {"held_out": MOST_HELD_OUT, "shipped": PROMPTS - MOST_HELD_OUT}
    assert most_held_out(PROMPTS) == MOST_HELD_OUT


@pytest.mark.parametrize(("count", "mine"), [(12, 8), (13, 8), (30, 20), (40, 26)])
def test_as_many_are_asked_as_were_wanted_and_a_third_of_them_shipped(count: int, mine: int):
    sources = Counter(one.source for one in chosen(held_out(200), count=count))
    assert sources == {"held_out": mine, "shipped": count - mine}
    assert [one.prompt for one in chosen([], count=count)] == [one.prompt for one in chosen([], count=40)][:count]


def test_shipped_ones_are_asked_in_the_words_of_the_catalog():
    one = chosen([])[0]
    shipped = next(shipped for shipped in load_prompts() if shipped.text in one.prompt)
    assert one.prompt == request(Brief(shipped.text, one.genre, CATALOG.element(one.element)), CATALOG)
    assert (one.genre, one.element, bare(one.prompt)) == (shipped.genre, shipped.element, shipped.text)


def test_a_prompt_is_asked_once_whatever_its_case():
    rows = [row(1, "The lamp."), row(2, "the LAMP"), row(3, "The lamp"), row(4, "The key")]
    assert [one.prompt for one in chosen(rows) if one.source == "held_out"] == ["The lamp.", "The key"]


def test_what_was_trained_on_is_not_asked():
    shipped = load_prompts()
    trained = [row(1, "The lamp", "train")]
    trained += [
        row(10 + at, request(Brief(one.text.upper(), one.genre, CATALOG.element("scene")), CATALOG), "train", own=False)
        for at, one in enumerate(shipped[:12])
    ]
    asked = chosen([row(90, "the lamp!"), row(91, "The key")], trained)
    texts = {bare(one.prompt) for one in asked}
    assert "the lamp!" not in texts and "The key" in texts
    assert not texts & {one.text for one in shipped[:12]}
    assert len(asked) == 1 + 40 - 12  # fewer than 36 is possible


def test_own_words_go_before_teachers_pieces():
    asked = chosen(held_out(20, own=False) + held_out(20, begin=50))
    assert [int(one.prompt.split()[1]) >= 50 for one in asked[:MOST_HELD_OUT]] == [True] * 20 + [False] * 4


def test_the_writers_prompts_are_spread_over_genres():
    kinds = {at: Kind("horror" if at < 35 else "romance", "scene") for at in range(40)}
    genres = Counter(one.genre for one in chosen(held_out(40), kinds=kinds)[:MOST_HELD_OUT])
    assert genres == {"horror": 19, "romance": 5}


def test_shipped_ones_of_the_writers_genres_come_first():
    trained = [row(100 + at, f"Old {at}", "train") for at in range(10)]
    kinds = {100 + at: Kind("mystery" if at % 2 else "sci_fi", "scene") for at in range(10)}
    shipped = [one for one in chosen(held_out(24), trained, kinds) if one.source == "shipped"]
    assert len(shipped) == 12
    assert Counter(one.genre for one in shipped[:10]) == {"mystery": 5, "sci_fi": 5}
    assert {one.genre for one in shipped[10:]} & {"mystery", "sci_fi"} == set()


def test_the_same_is_chosen_in_whatever_order_the_rows_come():
    rows, trained = held_out(30), [row(100 + at, f"Old {at}", "train") for at in range(10)]
    kinds = {at: Kind(GENRES[at % 8], "scene") for at in range(120)}
    once = chosen(rows, trained, kinds)
    random.Random(1).shuffle(rows)
    random.Random(2).shuffle(trained)
    assert chosen(rows, trained, kinds) == once


def test_seeds_follow_from_the_run():
    one, other = (choose([], [], {}, CATALOG, count=PROMPTS, run=run, context=1024) for run in ("a", "b"))
    assert len({found.seed for found in [*one, *other]}) == 2 * PROMPTS
    assert all(0 <= found.seed < 2**31 for found in one)
    assert [found.prompt for found in one] == [found.prompt for found in other]


def test_the_longest_answer_is_that_of_the_element_within_the_context():
    asked = chosen([row(1, "Mine"), row(2, "Set")], kinds={2: Kind("horror", "setting")})
    by_element = {one.element: one.max_tokens for one in asked}
    assert by_element["scene"] == 319 == round(220 * TOKENS_A_WORD) == by_element[""]
    assert by_element["setting"] == 218
    assert {one.max_tokens for one in chosen([], context=256)} == {128}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "catalog"))


def change(path: Path, old: str, new: str) -> int:
    """Replace the first ``old`` in the file; the number of its line."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text.count("\n", 0, text.index(old)) + 1


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('genre = "horror"', 'genre = "western"', "'genre' must be one of fantasy"),
        ('element = "dialogue"', 'element = "poem"', "'element' must be one of scene"),
        ('element = "dialogue"', 'form = "dialogue"', "there is no key 'form'"),
        ('text = "The twins share their birthday cake', 'text = "The twins" # ', "10 to 20 words"),
        (
            'text = "The twins share their',
            f'text = "{CATALOG.prompts[7].text.upper()}" # ',
            "the catalog has this prompt",
        ),
        ('text = "The twins share', "text = 7 # ", "'text' must be text"),
    ],
)
def test_a_mistake_is_named_with_its_line(folder: Path, old: str, new: str, why: str):
    line = change(folder / "proof.toml", old, new)
    with pytest.raises(ConfigError, match=rf"proof\.toml, line {line}: .*{why}"):
        load_prompts(folder)


def test_a_genre_with_too_few_is_named(folder: Path):
    change(folder / "proof.toml", 'genre = "horror"', 'genre = "romance"')
    with pytest.raises(ConfigError, match=r"proof\.toml, line \d+: each genre has 5 prompts, horror has 4"):
        load_prompts(folder)


def test_a_prompt_that_is_there_twice_is_named(folder: Path):
    text = load_prompts()[3].text
    change(folder / "proof.toml", load_prompts()[8].text, text)
    with pytest.raises(ConfigError, match=rf"proof\.toml, line \d+: '{text}' is in 'text' twice"):
        load_prompts(folder)


def test_a_missing_file_is_named(folder: Path):
    (folder / "proof.toml").unlink()
    with pytest.raises(ConfigError, match=r"proof\.toml is missing"):
        load_prompts(folder)
