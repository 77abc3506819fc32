"""The storyteller: pieces that differ, hold together and are clean English, whatever is asked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.auto_train import plan
from zega_core.catalog import DATA, GENRES, Avoid, Brief, Prompt, load_catalog
from zega_core.errors import ConfigError, InvalidInput
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.grammar import load_common, load_grammar
from zega_core.providers.prose import article, head_noun, words_of
from zega_core.providers.storyteller import Storyteller

ELEMENTS = ("scene", "character", "dialogue", "setting")
SPOKEN = re.compile(r'^.*"[^"]+".*$', re.MULTILINE)


def brief_for(index: int) -> Brief:
    """Genres, elements, prompts and modifiers, each in turn; no two of 500 are the same brief."""
    catalog = load_catalog()
    turn, genre = divmod(index, len(GENRES))
    prompts = catalog.prompts_of(GENRES[genre])
    element = catalog.element(ELEMENTS[turn % 4])
    prompt = prompts[(turn // 4 + 3 * (turn % 4)) % 10]
    modifier = catalog.modifiers[(turn // 40 + turn // 4 * 3 + turn) % 10]
    return Brief(prompt.text, prompt.genre, element, modifier, prompt)


def write(brief: Brief, seed: int) -> str:
    return Storyteller().complete([], GenerationOptions(seed=seed, brief=brief)).text


def session(seed: int, number: int = 500) -> list[tuple[Brief, str]]:
    return [(brief, write(brief, seed + index)) for index in range(number) for brief in [brief_for(index)]]


@pytest.fixture(scope="module")
def pieces() -> list[tuple[Brief, str]]:
    return session(seed=2_000)


def runs(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[index : index + 5]) for index in range(len(words) - 4)}


def shared(texts: list[str]) -> list[float]:
    """For each pair the share of its five-word runs that both have, largest first."""
    grams = [runs(text) for text in texts]
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, gram in enumerate(grams):
        for run in gram:
            holders[run].append(index)
    common = Counter(pair for held in holders.values() for pair in combinations(held, 2))
    found = sorted((count / min(len(grams[a]), len(grams[b])) for (a, b), count in common.items()), reverse=True)
    return found + [0.0] * (len(texts) * (len(texts) - 1) // 2 - len(found))


@pytest.mark.parametrize("seed", [0, 2_000, 31_337, 700_000])
def test_five_hundred_pieces_are_five_hundred_pieces(seed: int) -> None:
    shares = shared([text for _, text in session(seed)])
    assert shares[0] <= 0.30
    assert median(shares) < 0.05


@pytest.mark.parametrize("order", [1, 2, 3])
def test_no_two_pieces_of_a_session_are_alike(order: int) -> None:
    """As Auto-Train asks for them: in the order of the combinations, with a seed of its own for each."""
    genres = [genre.key for genre in load_catalog().genres]
    draws = plan(load_catalog(), genres, 500, order, {})
    shares = shared([write(draw.brief, order * 10_007 + draw.idx) for draw in draws])
    assert shares[0] <= 0.30
    assert median(shares) < 0.05


def test_a_brief_that_comes_again_is_told_otherwise() -> None:
    for draw in plan(load_catalog(), ["fantasy", "thriller"], 40, 1, {}):
        again = [write(replace(draw.brief, turn=turn), 100 * turn) for turn in range(3)]
        assert shared(again)[0] < 0.5


def test_another_seed_is_another_piece() -> None:
    for index in range(64):
        again = [write(brief_for(index), seed) for seed in range(2)]
        assert again[0] != again[1]


def test_names_to_avoid_are_not_used_while_there_are_others() -> None:
    names = load_grammar(DATA, "fantasy").names
    avoided = Avoid(names=(*names["she"][:6], *names["he"][:6], *names["surname"][:4]))
    for index in range(0, 160, 8):
        brief = replace(brief_for(index), avoid=avoided)
        text = write(brief, index)
        assert not [name for name in avoided.names if re.search(rf"\b{name}\b", text)], text
        assert text == write(brief, index)


def test_a_genre_whose_names_are_all_to_be_avoided_still_has_a_hero() -> None:
    names = load_grammar(DATA, "fantasy").names
    everybody = tuple(name for key in ("she", "he", "surname") for name in names[key])
    assert write(replace(brief_for(0), avoid=Avoid(names=everybody)), 1)
    she = Avoid(names=names["she"])
    assert any(name in write(replace(brief_for(0), avoid=she), 1) for name in everybody)


def test_lengths_keep_to_the_element(pieces: list[tuple[Brief, str]]) -> None:
    for brief, text in pieces:
        assert brief.element.min_words <= len(text.split()) <= brief.element.max_words, text
    typical = {key: median(len(text.split()) for brief, text in pieces if brief.element.key == key) for key in ELEMENTS}
    assert 130 <= typical["scene"] <= 180
    assert 120 <= typical["character"] <= 170
    assert 85 <= typical["setting"] <= 125


def test_a_dialogue_is_five_to_ten_spoken_lines(pieces: list[tuple[Brief, str]]) -> None:
    for text in (text for brief, text in pieces if brief.element.key == "dialogue"):
        paragraphs = text.split("\n\n")
        assert 5 <= len(paragraphs) <= 10
        assert all('"' in paragraph for paragraph in paragraphs), text
        assert sum(bool(re.sub(r'"[^"]*"', "", paragraph).strip()) for paragraph in paragraphs) >= 3, text


def test_the_prompts_own_nouns_are_used(pieces: list[tuple[Brief, str]]) -> None:
    missing = Counter[str]()
    for brief, text in pieces:
        assert brief.known is not None
        found = {
            slot: any(word.startswith(head_noun(getattr(brief.known, slot))) for word in words_of(text))
            for slot in ("figure", "object", "place")
        }
        missing.update(slot for slot, there in found.items() if not there)
        assert any(found.values()), text
    assert missing.total() <= 0.08 * 3 * len(pieces), missing


def test_people_keep_their_names_and_places_stay(pieces: list[tuple[Brief, str]]) -> None:
    for brief, text in pieces:
        names = load_grammar(DATA, brief.genre).names
        used = {gender: {name for name in names[gender] if re.search(rf"\b{name}\b", text)} for gender in ("she", "he")}
        assert len(used["she"]) <= 1 and len(used["he"]) <= 1, text
        if brief.known is not None and brief.known.gender != "any" and brief.element.key in ("scene", "character"):
            assert used[brief.known.gender], text


WRONG = {
    "leftover slot": r"[{}\[\]|]",
    "space": r"[ \t]{2,}| [,.;:?!]|\s\Z|\n{3,}| \n|\n ",
    "doubled word": r"(?i)\b(a|an|the|of|to|in|on|at|and|with|was|were|is|it|he|she|his|him|for|from|by)\s+\1\b",
    "doubled stop": r"[^.]\.\.(?!\.)|,\.|[?!]\.|,,|;,|:\.",
    "a before a vowel": r"\b[Aa] (?:[aei]\w|o(?!ne\b|ne-|nce)\w|u(?!ni|se|su|ten|ti|ro)\w|hour|honest|heir)",
    "an before a consonant": r"\b[Aa]n (?!hour|honest|honou?r|heir|[LFMNSRX]-|8|11|18)[^aeiouAEIOU]",
    "an before a you sound": r"\b[Aa]n (?:union|unit|unique|unicorn|uniform|university|use|european|one-)",
    "small letter after a stop": r'(?:^|[.!?] |\n)"?[a-z]',
    "curly quote": "[“”]",
}


@pytest.mark.parametrize("fault", WRONG)
def test_pieces_are_clean(pieces: list[tuple[Brief, str]], fault: str) -> None:
    for _, text in pieces:
        found = re.search(WRONG[fault], text)
        assert not found, f"{found and found[0]!r} in: {text}"


def test_quotes_are_balanced_in_every_paragraph(pieces: list[tuple[Brief, str]]) -> None:
    for _, text in pieces:
        assert all(paragraph.count('"') % 2 == 0 for paragraph in text.split("\n\n")), text


THIRD_PERSONS = (
    "boy brother caretaker chairman curate giant hermit king lord man missionary mother master prince sweep uncle"
)


def test_no_sentence_relies_on_a_gender_of_its_own() -> None:
    """People are named by slots only, so a pronoun can never be of the wrong gender."""
    literal = re.compile(r"\b(?:he|she|him|hers|himself|herself)\b", re.IGNORECASE)
    somebody_else = re.compile(rf"\b(?:{THIRD_PERSONS.replace(' ', '|')})\b", re.IGNORECASE)
    for genre in GENRES:
        grammar = load_grammar(DATA, genre)
        beats = [sentence for arc in grammar.scenes for options in arc.values() for sentence in options]
        families = [sentence for options in grammar.character.values() for sentence in options]
        for sentence in (*grammar.ground, *grammar.body, *beats, *families, *grammar.hero_tags, *grammar.other_tags):
            told = re.sub(r'"[^"]*"', "", sentence)
            assert not literal.search(told) or somebody_else.search(sentence), sentence


def test_the_same_brief_and_seed_give_the_same_piece_in_any_process() -> None:
    code = (
        "from tests.providers.test_storyteller import session\n"
        "from hashlib import sha256\n"
        "print(sha256(repr(session(5, 64)).encode()).hexdigest())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
            cwd=DATA.parents[1],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(answers) == 1


HOSTILE = [
    "",
    " \n\t ",
    "🙂🙃 🏰",
    "Смотритель маяка находит письмо",
    "灯台守が手紙を見つける",
    "{hero} meets {nobody} [a|b] {0} %s $x",
    '"Quotes" \'and\' "more" \\" <b>markup</b> <script>alert(1)</script> **bold** [link](http://x)',
    "\x00\x07\x1b[31m a \ud800 b".encode("utf-8", "ignore").decode(),
    "a the an of in on at",
    "word " * 4_000,
    "x" * 20_000,
]


@pytest.mark.parametrize("prompt", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("element", ELEMENTS)
def test_any_prompt_is_answered(prompt: str, element: str) -> None:
    check_free(Brief(prompt, "mystery", load_catalog().element(element)), seed=3)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.sampled_from(ELEMENTS), st.integers(0, 2**31))
def test_any_text_is_answered(prompt: str, element: str, seed: int) -> None:
    check_free(Brief(prompt, "fantasy", load_catalog().element(element)), seed)


def check_free(brief: Brief, seed: int) -> None:
    text = write(brief, seed)
    assert brief.element.min_words <= len(text.split()) <= brief.element.max_words, text
    for fault in ("leftover slot", "space", "doubled stop", "small letter after a stop"):
        found = re.search(WRONG[fault], text)
        assert not found, f"{found and found[0]!r} in: {text}"


@pytest.mark.parametrize(
    ("prompt", "nouns"),
    [
        ("A lighthouse keeper finds a letter in the cellar", ["keeper", "letter", "cellar"]),
        ("The youngest archivist hid the brass compass under the bridge", ["archivist", "compass", "bridge"]),
        ("My grandmother's tailor sews a map into a coat at the station", ["tailor", "map", "station"]),
        ("Two sisters fight over an umbrella on the ferry", ["sister", "umbrella", "ferry"]),
    ],
)
@pytest.mark.parametrize("element", ELEMENTS)
def test_a_prompt_of_the_writers_own_is_followed(prompt: str, nouns: list[str], element: str) -> None:
    brief = Brief(prompt, "adventure", load_catalog().element(element))
    for seed in range(5):
        words = words_of(write(brief, seed))
        assert sum(noun in words for noun in nouns) >= 2
        assert nouns[1] in words or nouns[2] in words


def test_a_prompt_with_only_its_nouns_is_enough() -> None:
    prompt = Prompt("", "fantasy", "An oath", figure="oath taker", object="iron spoon", place="in the granary")
    for element in ELEMENTS:
        text = write(Brief(prompt.text, "fantasy", load_catalog().element(element), None, prompt), seed=1)
        assert "granary" in text or "spoon" in text


def test_without_a_brief_the_last_user_message_is_the_prompt() -> None:
    messages = [Message("user", "ignored"), Message("assistant", "no"), Message("user", "A detective finds a glove")]
    completion = Storyteller().complete(messages, GenerationOptions(seed=4))
    assert {"detective", "glove"} <= set(words_of(completion.text))
    assert completion.model == "storyteller"
    assert completion.prompt_tokens == 7
    assert completion.completion_tokens == len(completion.text.split())
    assert not completion.cut_off


def test_a_limit_of_tokens_is_kept_and_told() -> None:
    completion = Storyteller().complete([], GenerationOptions(max_tokens=20, seed=1, brief=brief_for(0)))
    assert completion.cut_off
    assert completion.completion_tokens == len(completion.text.split()) == 20


def test_an_unknown_genre_is_refused() -> None:
    brief = Brief("Anything", "western", load_catalog().element("scene"))
    with pytest.raises(InvalidInput, match="thriller"):
        Storyteller().complete([], GenerationOptions(brief=brief))


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        *(("hour", "an hour"), ("honest man", "an honest man"), ("heiress", "an heiress"), ("house", "a house")),
        *(("union", "a union"), ("umbrella", "an umbrella"), ("uninvited guest", "an uninvited guest")),
        *(("European", "a European"), ("one-eyed cat", "a one-eyed cat"), ("oyster", "an oyster")),
        *(("8-hour shift", "an 8-hour shift"), ("MRI", "an MRI"), ("USB stick", "a USB stick"), ("X-ray", "an X-ray")),
        *(("used car", "a used car"), ("usher", "an usher"), ("unicorn", "a unicorn"), ("urn", "an urn")),
    ],
)
def test_articles_follow_the_sound(noun: str, expected: str) -> None:
    assert article(noun) == expected


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("storyteller_horror.toml", "[character]", "[characters]", "there is no key 'characters'"),
        ("storyteller_horror.toml", "[names]", "[names]\nboth = ['A', 'B', 'C', 'D']", "there is no key 'both'"),
        ("storyteller_common.toml", "[wit]", "[humour]", "there is no key 'humour'"),
        ("storyteller_common.toml", "{object}", "{thing}", "unknown slot {thing}"),
    ],
)
def test_a_broken_grammar_is_named_with_its_line(tmp_path: Path, name: str, old: str, new: str, why: str) -> None:
    folder = Path(shutil.copytree(DATA, tmp_path / "catalog"))
    path = folder / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"{name}, line [1-9]\d*: .*{why}"):
        load_common(folder)
        load_grammar(folder, "horror")
