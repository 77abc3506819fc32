"""Worn phrases: where they are in a text, and how thick they stand, for a list that every writer makes their own.

The list is a tree of words. A text is walked once from word to word, so the time grows with the text alone, whatever
is in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from zega_core.catalog import DATA
from zega_core.configs import TasteConfig, checked
from zega_core.errors import InvalidInput
from zega_core.quality.features import FUNCTION_WORDS
from zega_core.quality.sameness import Written
from zega_core.toml_tables import Table, read_toml

MAX_PHRASE, MAX_PHRASES = 60, 500
"""Characters of a phrase, and phrases that a writer can add."""
ENOUGH_FOUND = 5
"""With fewer found, a density says more about chance than about the texts."""
_STEM = 3
_MOST_SPELLINGS = 400
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.!?…]+|\n{2,}")
_SHOWN = re.compile(r"[^\W_](?:[\w' -]*\w)?")
_BRACES = re.compile(r"\{([^{}]*)\}")
_SHAPE_WORD = re.compile(r"_|[^\W_]+(?:'[^\W_]+)*\*?")

Spellings = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Shipped:
    """The catalog's list: what is shown, the word sequences that count as it, and the fiction it was counted in."""

    phrases: dict[str, Spellings]
    reference: float
    reference_words: int
    reference_source: str


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    stems: dict[str, list[tuple[str, _Node]]] = field(default_factory=dict)
    any: _Node | None = None
    phrase: str = ""

    def grow(self, word: str) -> _Node:
        if word == "_":
            self.any = self.any or _Node()
            return self.any
        if not word.endswith("*"):
            return self.words.setdefault(word, _Node())
        stem = word[:-1]
        known = self.stems.setdefault(stem[:_STEM], [])
        for other, node in known:
            if other == stem:
                return node
        known.append((stem, _Node()))
        return known[-1][1]

    def after(self, word: str) -> Iterator[_Node]:
        if (node := self.words.get(word)) is not None:
            yield node
        for stem, node in self.stems.get(word[:_STEM], ()):
            if word.startswith(stem):
                yield node
        if self.any is not None and word[0].isalnum():
            yield self.any


class WornList:
    """The phrases in effect for one writer."""

    def __init__(self, phrases: dict[str, Spellings]) -> None:
        self.phrases = tuple(phrases)
        self._root = _Node()
        for shown, spellings in phrases.items():
            for spelling in spellings:
                node = self._root
                for word in spelling:
                    node = node.grow(word)
                node.phrase = node.phrase or shown

    def find(self, text: str) -> list[str]:
        """The phrases in ``text`` as they are shown, in order, each as often as it stands there. Any string is
        accepted; linear in its length."""
        return self._in(words_in(text))

    def _in(self, words: Sequence[str]) -> list[str]:
        found: list[str] = []
        first, stems, free = self._root.words, self._root.stems, 0
        for at, word in enumerate(words):
            if at >= free and (word in first or word[:_STEM] in stems):
                phrase, end = self._longest(words, at)
                if phrase:
                    found.append(phrase)
                    free = end
        return found

    def _longest(self, words: Sequence[str], start: int) -> tuple[str, int]:
        """The longest phrase that begins at ``start``, and where it ends."""
        best, end, at, nodes = "", start, start, [self._root]
        while nodes and at < len(words):
            nodes = [after for node in nodes for after in node.after(words[at])]
            at += 1
            for node in nodes:
                if node.phrase and at > end:
                    best, end = node.phrase, at
        return best, end


@dataclass(frozen=True, slots=True)
class Density:
    """How thick worn phrases stand in the texts of one teacher or source."""

    name: str
    words: int
    times: int

    @property
    def per_thousand(self) -> float:
        return 1000 * self.times / self.words if self.words else 0.0


@dataclass(frozen=True, slots=True)
class WornPhraseCount:
    phrase: str
    times: int
    ids: tuple[int, ...]
    per_thousand: float


@dataclass(frozen=True, slots=True)
class WornReport:
    """Most frequent phrases first; ``models`` and ``sources`` by density, the thickest first."""

    total: Density
    phrases: tuple[WornPhraseCount, ...] = ()
    models: tuple[Density, ...] = ()
    sources: tuple[Density, ...] = ()


def words_in(text: str) -> list[str]:
    """Lower-case words, and the ends of sentences and paragraphs between them."""
    return _TOKEN.findall(text.lower().replace("’", "'"))


def report(pieces: Iterable[Written], worn: WornList) -> WornReport:
    """Counts over ``pieces``; a phrase that is in none of them is left out."""
    times: Counter[str] = Counter()
    ids: dict[str, list[int]] = {}
    total: Counter[str] = Counter()
    by: dict[str, Counter[tuple[str, bool]]] = {"model": Counter(), "source": Counter()}
    for piece in pieces:
        tokens = words_in(piece.text)
        number, found = sum(token[0].isalnum() for token in tokens), worn._in(tokens)
        times.update(found)
        for phrase in dict.fromkeys(found):
            ids.setdefault(phrase, []).append(piece.id)
        total.update(words=number, times=len(found))
        for kind, name in (("model", piece.model), ("source", piece.source)):
            by[kind][name, False] += number
            by[kind][name, True] += len(found)
    words = total["words"]
    return WornReport(
        Density("", words, total["times"]),
        tuple(WornPhraseCount(one, n, tuple(ids[one]), 1000 * n / words) for one, n in _most_first(times)),
        _densities(by["model"]),
        _densities(by["source"]),
    )


def worn_list(config: TasteConfig | None = None) -> WornList:
    """The catalog's phrases without those that do not count for the writer, and the writer's own."""
    config = config or TasteConfig()
    return _worn_list(config.worn, config.not_worn)


def find(text: str) -> list[str]:
    """The catalog's worn phrases in ``text``, as they are shown, in order."""
    return _worn_list((), ()).find(text)


def with_phrase(config: TasteConfig, typed: str) -> TasteConfig:
    """The choices with one more worn phrase; raises InvalidInput with the reason in plain words."""
    phrase = " ".join(typed.replace("’", "'").lower().split())
    if not 2 <= len(phrase) <= MAX_PHRASE:
        raise InvalidInput(f"A worn phrase has 2 to {MAX_PHRASE} characters.")
    if not _SHOWN.fullmatch(phrase):
        raise InvalidInput(
            "A worn phrase is made of letters, digits, spaces, apostrophes and hyphens, and begins and ends with a "
            "letter or digit."
        )
    words = [word for word in words_in(phrase) if word[0].isalnum()]
    if len(words) == 1 and words[0] in FUNCTION_WORDS:
        raise InvalidInput(f"“{phrase}” is a word that every text needs. Add the words around it.")
    if phrase in config.not_worn:
        rest = tuple(one for one in config.not_worn if one != phrase)
        return checked(TasteConfig, **{**config.model_dump(), "not_worn": rest})
    if phrase in worn_list(config).phrases:
        raise InvalidInput(f"“{phrase}” is on your list already.")
    if len(config.worn) >= MAX_PHRASES:
        raise InvalidInput(f"Your list holds {MAX_PHRASES} phrases of your own. Remove one first.")
    return checked(TasteConfig, **{**config.model_dump(), "worn": (*config.worn, phrase)})


def without_phrase(config: TasteConfig, phrase: str) -> TasteConfig:
    """The choices with one worn phrase fewer, whether the writer's own or the catalog's."""
    worn = tuple(one for one in config.worn if one != phrase)
    not_worn = config.not_worn
    if phrase in load_shipped().phrases and phrase not in not_worn:
        not_worn = (*not_worn, phrase)
    return checked(TasteConfig, **{**config.model_dump(), "worn": worn, "not_worn": not_worn})


@cache
def load_shipped(folder: Path = DATA) -> Shipped:
    """The catalog's list, checked; raises ConfigError naming file and line."""
    root = read_toml(folder / "worn.toml")
    root.only("plain", "shapes", "reference")
    plain, shapes, reference = root.texts("plain"), root.pairs("shapes"), root.table("reference")
    reference.only("per_thousand", "words", "source")
    root.distinct("shapes", [*plain, *(shown for shown, _ in shapes)])
    phrases: dict[str, Spellings] = {shown: (tuple(words_in(shown)),) for shown in plain}
    for shown in plain:
        _check_shown(root, "plain", shown)
    for shown, shape in shapes:
        _check_shown(root, "shapes", shown)
        phrases[shown] = _spellings(root, shape)
        if not WornList({shown: phrases[shown]}).find(shown):
            raise root.broken(f"'{shown}' is not found by its own shape.", "shapes", shown)
    if not (density := reference.decimal("per_thousand")):
        raise reference.broken("'per_thousand' must be more than 0.", "per_thousand")
    return Shipped(phrases, density, reference.number("words"), reference.text("source"))


@lru_cache(maxsize=64)
def _worn_list(worn: tuple[str, ...], not_worn: tuple[str, ...]) -> WornList:
    phrases = {shown: one for shown, one in load_shipped().phrases.items() if shown not in not_worn}
    return WornList(phrases | {phrase: (tuple(words_in(phrase)),) for phrase in worn})


def _check_shown(table: Table, key: str, shown: str) -> None:
    if shown != shown.lower() or len(shown) > MAX_PHRASE or not _SHOWN.fullmatch(shown):
        raise table.broken(
            f"'{shown}' must be small letters, digits, spaces, ' and -, {MAX_PHRASE} characters at most.", key, shown
        )


def _spellings(table: Table, shape: str) -> Spellings:
    """The sequences of words that a shape stands for."""
    open_, done = [shape], set[tuple[str, ...]]()
    while open_:
        one = open_.pop()
        braces = _BRACES.search(one)
        if braces is not None:
            open_ += [f"{one[: braces.start()]}{part}{one[braces.end() :]}" for part in braces[1].split("|")]
        else:
            done.add(_shape_words(table, shape, one))
        if len(open_) + len(done) > _MOST_SPELLINGS:
            raise table.broken(f"more than {_MOST_SPELLINGS} spellings: {shape}", "shapes", shape)
    return tuple(sorted(done))


def _shape_words(table: Table, shape: str, spelling: str) -> tuple[str, ...]:
    words = tuple(spelling.split())
    for word in words:
        if not _SHAPE_WORD.fullmatch(word) or word != word.lower() or (word.endswith("*") and len(word) <= _STEM):
            raise table.broken(f"'{word}' cannot be part of a shape: {shape}", "shapes", shape)
    if not words or words[0] == "_":
        raise table.broken(f"a shape begins with a word: {shape}", "shapes", shape)
    return words


def _most_first(times: Counter[str]) -> list[tuple[str, int]]:
    return sorted(times.items(), key=lambda one: (-one[1], one[0]))


def _densities(counts: Counter[tuple[str, bool]]) -> tuple[Density, ...]:
    found = [Density(name, counts[name, False], counts[name, True]) for name, hits in counts if not hits]
    return tuple(sorted(found, key=lambda one: (-one.per_thousand, one.name)))
