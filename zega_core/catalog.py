"""What ZEGA can be asked to write: genres, prompts, elements and style modifiers, read from TOML.

Writers of prompts edit these files by hand, so every mistake is reported with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zega_core.errors import InvalidInput
from zega_core.toml_tables import Table, read_toml

DATA = Path(__file__).resolve().parent.parent / "data" / "catalog"
GENRES = ("fantasy", "dark_fantasy", "sci_fi", "mystery", "horror", "romance", "adventure", "thriller")
PROMPTS_A_GENRE = 10
ALTERNATIVES = 3
GENDERS = ("she", "he", "any")
STARTS = {"weather": "the weather", "waking": "somebody waking up"}
"""Kinds of beginning, in words."""
SLOTS = frozenset(
    re.findall(
        r"\w+",
        "hero hero_full figure a_figure they them their theirs themself place at_place object an_object "
        "other o_they o_them o_their o_theirs o_themself other_role an_other_role",
    )
)
PLACE = re.compile(r"((?:[a-z]+ ){1,3}?)((?:the|a|an) \S.*)")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SLOT = re.compile(r"\{([^{}]*)\}")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_ARTICLE_BEFORE = re.compile(r"\b([Aa]n?) (?:(\{)|\[([^\]]*))")


@dataclass(frozen=True, slots=True)
class Genre:
    key: str
    label: str
    color: str
    icon: str


@dataclass(frozen=True, slots=True)
class Element:
    """What one piece is. The line bounds are 0 for elements that are not made of spoken lines."""

    key: str
    label: str
    ask: str
    min_words: int
    max_words: int
    min_lines: int = 0
    max_lines: int = 0


@dataclass(frozen=True, slots=True)
class Modifier:
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and what the storyteller needs to know about it; empty means: not known."""

    id: str
    genre: str
    text: str
    figure: str = ""
    gender: str = "any"
    object: str = ""
    place: str = ""
    hook: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    trait: tuple[str, ...] = ()
    sight: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Catalog:
    version: int
    genres: tuple[Genre, ...]
    elements: tuple[Element, ...]
    modifiers: tuple[Modifier, ...]
    prompts: tuple[Prompt, ...]

    def genre(self, key: str) -> Genre:
        return self.genres[_find("genre", key, [genre.key for genre in self.genres])]

    def element(self, key: str) -> Element:
        return self.elements[_find("element", key, [element.key for element in self.elements])]

    def modifier(self, key: str) -> Modifier:
        return self.modifiers[_find("style modifier", key, [modifier.key for modifier in self.modifiers])]

    def prompt(self, prompt_id: str) -> Prompt:
        return self.prompts[_find("prompt", prompt_id, [prompt.id for prompt in self.prompts])]

    def prompts_of(self, genre: str) -> tuple[Prompt, ...]:
        self.genre(genre)
        return tuple(prompt for prompt in self.prompts if prompt.genre == genre)


@dataclass(frozen=True, slots=True)
class Avoid:
    """What the writer has had too often, most often first. ``starts`` are keys of ``STARTS``."""

    names: tuple[str, ...] = ()
    openings: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brief:
    """What one piece is asked for. ``known`` is set when the prompt is one of the catalog's; ``turn`` says how often
    the same was asked before, where somebody keeps count."""

    prompt: str
    genre: str
    element: Element
    modifier: Modifier | None = None
    known: Prompt | None = None
    turn: int | None = None
    avoid: Avoid = Avoid()


def request(brief: Brief, catalog: Catalog) -> str:
    """The brief in words, for a language model."""
    lines = [brief.element.ask, "", f"Genre: {catalog.genre(brief.genre).label}.", f"Prompt: {brief.prompt}"]
    if brief.modifier is not None:
        lines.append(f"Style: {brief.modifier.text}")
    if wishes := avoid_in_words(brief.avoid, brief.prompt):
        lines.append(wishes)
    lines += ["", "Write only the piece itself: no title, no introduction, no comment."]
    return "\n".join(lines)


def avoid_in_words(avoid: Avoid, prompt: str = "") -> str:
    """One sentence for a teacher, empty where there is nothing to avoid. What the prompt itself names is left out."""
    asked = f" {' '.join(_WORD.findall(prompt.lower().replace('’', chr(39))))} "
    names, openings, endings, phrases = (
        [words for words in one if f" {words.lower()} " not in asked]
        for one in (avoid.names, avoid.openings, avoid.endings, avoid.phrases)
    )
    begin = [f'"{words}"' for words in openings] + [STARTS[key] for key in avoid.starts if f" {key} " not in asked]
    wishes = [
        f"do not {verb} {_one_of(words)}"
        for verb, words in (
            ("call anybody", names),
            ("begin with", begin),
            ("end with", [f'"{words}"' for words in endings]),
            ("write", [f'"{words}"' for words in phrases]),
        )
        if words
    ]
    text = ", and ".join(filter(None, [", ".join(wishes[:-1]), *wishes[-1:]]))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _one_of(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


@cache
def load_catalog(folder: Path = DATA) -> Catalog:
    """Everything in ``folder``, checked; raises ConfigError naming file and line."""
    root = read_toml(folder / "catalog.toml")
    root.only("version", "element", "modifier")
    elements = tuple(_element(table) for table in root.tables("element"))
    modifiers = tuple(_modifier(table) for table in root.tables("modifier"))
    root.distinct("element", [element.key for element in elements])
    root.distinct("modifier", [modifier.key for modifier in modifiers])
    files = [read_toml(folder / f"{key}.toml") for key in GENRES]
    return Catalog(
        version=root.number("version"),
        genres=tuple(_genre(table, key) for table, key in zip(files, GENRES, strict=True)),
        elements=elements,
        modifiers=modifiers,
        prompts=tuple(prompt for table in files for prompt in _prompts(table)),
    )


def check_sentences(table: Table, key: str, sentences: Sequence[str], slots: frozenset[str] = SLOTS) -> None:
    """Raise ConfigError for the first sentence the storyteller could not fill in."""
    for sentence in sentences:
        why = _fault(sentence, slots)
        if why:
            raise table.broken(f"{why} in '{key}': {sentence}", key, sentence)


def _fault(sentence: str, slots: frozenset[str]) -> str | None:
    unknown = [slot for slot in _SLOT.findall(sentence) if slot not in slots]
    if unknown:
        return f"unknown slot {{{unknown[0]}}}"
    bare = _SLOT.sub("", sentence)
    if "{" in bare or "}" in bare:
        return "unbalanced braces"
    if any("|" not in choice for choice in _CHOICE.findall(bare)):
        return "alternatives without |"
    if set("[]|") & set(_CHOICE.sub("", bare)):
        return "unbalanced brackets"
    if any(slot or not _agrees(article, options) for article, slot, options in _ARTICLE_BEFORE.findall(sentence)):
        return "a or an before a slot or alternatives (use {a_figure}, {an_object} or [a ...|an ...])"
    return None


def _agrees(article: str, options: str) -> bool:
    return all((option[:1].lower() in "aeiou") == (len(article) == 2) for option in options.split("|"))


def _find(kind: str, key: str, keys: list[str]) -> int:
    if key not in keys:
        raise InvalidInput(f"There is no {kind} '{key[:60]}'. Choose one of: {', '.join(keys)}.")
    return keys.index(key)


def _element(table: Table) -> Element:
    table.only("key", "label", "ask", "words", optional=["lines"])
    lines = table.bounds("lines") if "lines" in table.data else (0, 0)
    return Element(table.text("key"), table.text("label"), table.text("ask"), *table.bounds("words"), *lines)


def _modifier(table: Table) -> Modifier:
    table.only("key", "text")
    return Modifier(table.text("key"), table.text("text"))


def _genre(table: Table, key: str) -> Genre:
    table.only("key", "label", "color", "icon", "prompt")
    genre = Genre(table.text("key"), table.text("label"), table.text("color"), table.text("icon"))
    if genre.key != key:
        raise table.broken(f"the key is '{genre.key}', but the file is named {key}.toml.", genre.key)
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", genre.color):
        raise table.broken("'color' must look like #8A48C2.", "color")
    return genre


def _prompts(table: Table) -> list[Prompt]:
    genre = table.text("key")
    prompts = [_prompt(entry, genre, index) for index, entry in enumerate(table.tables("prompt"), start=1)]
    if len(prompts) != PROMPTS_A_GENRE:
        raise table.broken(f"a genre has {PROMPTS_A_GENRE} prompts, this one {len(prompts)}.", *["[[prompt]]"] * 99)
    table.distinct("text", [prompt.text for prompt in prompts])
    return prompts


def _prompt(table: Table, genre: str, number: int) -> Prompt:
    table.only("text", "figure", "gender", "object", "place", "hook", "detail", "trait", "sight", "said")
    prompt = Prompt(
        id=f"{genre}-{number:02}",
        genre=genre,
        text=table.text("text"),
        figure=table.text("figure"),
        gender=table.text("gender"),
        object=table.text("object"),
        place=table.text("place"),
        hook=_alternatives(table, "hook"),
        detail=_alternatives(table, "detail"),
        trait=_alternatives(table, "trait"),
        sight=_alternatives(table, "sight"),
        said=table.pairs("said", ALTERNATIVES, ALTERNATIVES),
    )
    check_sentences(table, "said", [line for pair in prompt.said for line in pair])
    _check_words(table, prompt)
    return prompt


def _alternatives(table: Table, key: str) -> tuple[str, ...]:
    sentences = table.texts(key, ALTERNATIVES, ALTERNATIVES)
    check_sentences(table, key, sentences)
    return sentences


def _check_words(table: Table, prompt: Prompt) -> None:
    if not 10 <= len(prompt.text.split()) <= 20:
        raise table.broken("a prompt has 10 to 20 words.", "text")
    if prompt.gender not in GENDERS:
        raise table.broken(f"'gender' must be one of {', '.join(GENDERS)}.", "gender")
    for key, words in (("figure", prompt.figure), ("object", prompt.object)):
        if re.match(r"(?i)(the|an?|his|her|their) ", words):
            raise table.broken(f"'{key}' must be a bare noun, without an article.", key)
    if not all(word in prompt.text.lower() for word in prompt.figure.lower().split()):
        raise table.broken(f"the prompt does not name its figure, '{prompt.figure}'.", "figure")
    if not PLACE.fullmatch(prompt.place):
        raise table.broken("'place' must be a preposition, an article and a noun.", "place")
