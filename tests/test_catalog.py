"""The catalog: what is in it, what it looks up, and how it names a mistake in a file."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from zega_core.catalog import DATA, GENRES, Avoid, Brief, Element, Modifier, load_catalog, request
from zega_core.errors import ConfigError, InvalidInput
from zega_core.toml_tables import read_toml


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped catalog that may be broken."""
    return Path(shutil.copytree(DATA, tmp_path / "catalog"))


def change(path: Path, old: str, new: str) -> int:
    """Replace the first ``old`` in the file; the number of its line."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text.count("\n", 0, text.index(old)) + 1


def entry(path: Path, number: int, key: str) -> str:
    """The line that holds ``key`` of the prompt with this number."""
    block = path.read_text(encoding="utf-8").split("[[prompt]]")[number]
    return next(line for line in block.splitlines() if line.startswith(f"{key} = "))


def test_eight_genres_with_ten_prompts_each() -> None:
    catalog = load_catalog()
    assert tuple(genre.key for genre in catalog.genres) == GENRES
    assert Counter(prompt.genre for prompt in catalog.prompts) == dict.fromkeys(GENRES, 10)
    assert len({prompt.text for prompt in catalog.prompts}) == 80


def test_elements_and_modifiers_are_those_of_the_file() -> None:
    catalog = load_catalog()
    assert [element.key for element in catalog.elements] == ["scene", "character", "dialogue", "setting"]
    dialogue = catalog.element("dialogue")
    assert (dialogue.min_lines, dialogue.max_lines) == (5, 10)
    assert (catalog.element("scene").min_lines, catalog.element("scene").max_lines) == (0, 0)
    assert len(catalog.modifiers) == 10


def test_a_prompt_is_found_by_its_id() -> None:
    catalog = load_catalog()
    prompt = catalog.prompts_of("horror")[2]
    assert prompt.id == "horror-03"
    assert catalog.prompt("horror-03") is prompt


def test_loading_again_gives_the_same_catalog() -> None:
    assert load_catalog() is load_catalog()


@pytest.mark.parametrize("kind", ["genre", "element", "modifier", "prompt", "prompts_of"])
def test_an_unknown_key_is_answered_with_the_valid_ones(kind: str) -> None:
    catalog = load_catalog()
    valid = {"element": "setting", "modifier": "unsaid", "prompt": "thriller-10"}.get(kind, "thriller")
    with pytest.raises(InvalidInput, match=valid):
        getattr(catalog, kind)("nonsense")


def test_a_request_says_everything_that_is_asked_for() -> None:
    catalog = load_catalog()
    prompt, element, modifier = catalog.prompts[0], catalog.element("scene"), catalog.modifier("wit")
    words = request(Brief(prompt.text, "fantasy", element, modifier, prompt), catalog)
    for part in (prompt.text, element.ask, modifier.text, "Fantasy", "only the piece itself"):
        assert part in words
    assert "Style:" not in request(Brief(prompt.text, "fantasy", element), catalog)


def asked_to_avoid(avoid: Avoid, prompt: str = "A keeper mends the lamp") -> str:
    catalog = load_catalog()
    lines = request(Brief(prompt, "fantasy", catalog.element("scene"), avoid=avoid), catalog).splitlines()
    return next((line for line in lines if line.startswith("Do not")), "")


def test_a_request_says_what_to_avoid_in_one_sentence() -> None:
    assert asked_to_avoid(Avoid()) == ""
    assert asked_to_avoid(Avoid(names=("Elara",))) == "Do not call anybody Elara."
    assert asked_to_avoid(Avoid(names=("Elara", "Marcus", "Lena"), openings=("The rain",))) == (
        'Do not call anybody Elara, Marcus or Lena, and do not begin with "The rain".'
    )
    assert asked_to_avoid(
        Avoid(("Elara",), ("The rain",), ("weather", "waking"), ("in the dark",), ("a flicker of something",))
    ) == (
        'Do not call anybody Elara, do not begin with "The rain", the weather or somebody waking up, do not end with '
        '"in the dark", and do not write "a flicker of something".'
    )


def test_what_the_prompt_itself_names_is_not_forbidden() -> None:
    avoid = Avoid(("Elara", "Al"), ("The rain",), ("weather",), phrases=("the lamp",))
    assert asked_to_avoid(avoid, "Elara walks alone in bad weather, and the rain finds the lamp") == (
        "Do not call anybody Al."
    )


def test_values_cannot_be_changed() -> None:
    for value in (Modifier("a", "b"), Element("a", "b", "c", 1, 2)):
        with pytest.raises(AttributeError):
            value.key = "other"  # type: ignore[misc]


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "romance.toml").unlink()
    with pytest.raises(ConfigError, match=r"romance\.toml is missing"):
        load_catalog(folder)


def test_broken_toml_is_named_with_its_line(folder: Path) -> None:
    line = change(folder / "catalog.toml", 'key = "dialogue"', 'key = "dialogue')
    with pytest.raises(ConfigError, match=rf"catalog\.toml, line {line}: this is not TOML"):
        load_catalog(folder)


def test_bytes_that_are_not_text_are_named_with_their_line(folder: Path) -> None:
    path = folder / "catalog.toml"
    path.write_bytes(b"# one\n# two\n\xff\xfe\n" + path.read_bytes())
    with pytest.raises(ConfigError, match=r"catalog\.toml, line 3: this is not UTF-8"):
        load_catalog(folder)


@pytest.mark.parametrize(
    ("key", "new", "why"),
    [
        ("figure", 'figur = "smith"', "there is no key 'figur'"),
        ("figure", 'figure = "unheard-of zebra tamer"', "does not name its figure"),
        ("figure", 'figure = "the smith"', "bare noun"),
        ("gender", 'gender = "they"', "'gender' must be one of she, he, any"),
        ("object", 'object = "a key"', "bare noun"),
        ("object", "object = 7", "'object' must be text"),
        ("place", 'place = "here"', "a preposition, an article and a noun"),
        ("text", 'text = "Too short by far"', "10 to 20 words"),
    ],
)
def test_a_mistake_in_a_prompt_is_named_with_its_line(folder: Path, key: str, new: str, why: str) -> None:
    path = folder / "mystery.toml"
    line = change(path, entry(path, 4, key), new)
    with pytest.raises(ConfigError, match=rf"mystery\.toml, line {line}: .*{why}"):
        load_catalog(folder)


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("{heroine} came in.", "unknown slot {heroine}"),
        ("{hero} came [in.", "unbalanced brackets"),
        ("{hero came in.", "unbalanced braces"),
        ("{hero} came [in].", r"alternatives without \|"),
        ("{hero} was a {figure}.", "a or an before a slot"),
        ("{hero} saw a [hut|owl].", "a or an before a slot"),
    ],
)
def test_a_sentence_that_cannot_be_filled_in_is_named_with_its_line(folder: Path, new: str, why: str) -> None:
    path = folder / "sci_fi.toml"
    prompt = load_catalog().prompts_of("sci_fi")[6]
    line = change(path, prompt.detail[1].replace('"', '\\"'), new)
    with pytest.raises(ConfigError, match=rf"sci_fi\.toml, line {line}: {why}"):
        load_catalog(folder)


def test_a_genre_with_nine_prompts_is_refused(folder: Path) -> None:
    path = folder / "adventure.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.rindex("[[prompt]]")], encoding="utf-8")
    with pytest.raises(ConfigError, match=r"adventure\.toml, line \d+: a genre has 10 prompts, this one 9"):
        load_catalog(folder)


def test_a_prompt_that_is_there_twice_is_refused(folder: Path) -> None:
    path = folder / "adventure.toml"
    texts = [prompt.text for prompt in load_catalog().prompts_of("adventure")]
    line = change(path, entry(path, 2, "text"), entry(path, 1, "text"))
    changed = path.read_text(encoding="utf-8").replace(entry(path, 2, "figure"), entry(path, 1, "figure"), 1)
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"adventure\.toml, line {line}: '{texts[0][:20]}.*twice"):
        load_catalog(folder)


def test_an_empty_list_is_refused(folder: Path) -> None:
    path = folder / "fantasy.toml"
    text = path.read_text(encoding="utf-8")
    start = text.index("hook = [")
    path.write_text(text[:start] + "hook = []\n" + text[text.index("detail = [") :], encoding="utf-8")
    with pytest.raises(ConfigError, match=r"fantasy\.toml, line \d+: 'hook' must be a list with something in it"):
        load_catalog(folder)


def test_an_element_with_its_bounds_the_wrong_way_round_is_refused(folder: Path) -> None:
    line = change(folder / "catalog.toml", "words = [70, 150]", "words = [150, 70]")
    with pytest.raises(ConfigError, match=rf"catalog\.toml, line {line}: 'words' must be two whole numbers"):
        load_catalog(folder)


def test_the_trail_of_a_table_leads_to_the_right_line(tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    path.write_text('[[part]]\nkey = "a"\n\n[[part]]\nkey = "b"\nother = 1\n', encoding="utf-8")
    second = read_toml(path).tables("part")[1]
    with pytest.raises(ConfigError, match=r"some\.toml, line 6: there is no key 'other'"):
        second.only("key")
