"""The storyteller's sentences: one file per genre and one for all, loaded and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zega_core.catalog import SLOTS, check_sentences, load_catalog
from zega_core.toml_tables import Table, read_toml

BEATS = ("open", "press", "exchange", "turn", "close")
CHARACTER = ("entry", "look", "habit", "past", "want", "other", "close")
SETTING = ("approach", "light", "sound", "use", "odd", "past", "close")
DEFAULTS = ("figure", "object", "place", "other_role")
FREE = ("hook", "detail", "trait", "sight")
TOLD = ("scene", "character", "setting", "dialogue")
ARCS, BEAT_ALTERNATIVES, MOVES, MOVE_ALTERNATIVES = 6, 5, 5, 4
FAMILY = 13
"""The least alternatives of a family. A prime: the storyteller spreads its choices over them."""
FEW = 4
"""The least alternatives of any other list."""

# Paragraphs of a piece. An exchange brings its own line breaks; a part that is missing is passed over.
SCENES = (
    ("hook", "open press", "exchange", "turn modifier", "close"),
    ("hook open", "modifier press", "exchange", "turn close"),
    ("ground hook", "open modifier press", "exchange", "turn", "close"),
    ("hook", "open modifier", "press", "exchange", "turn close"),
    ("hook detail", "open press", "exchange", "modifier", "turn close"),
    ("hook", "open body press", "exchange", "turn modifier close"),
    ("hook modifier", "open press", "exchange", "detail turn", "close"),
    ("hook open press", "exchange", "modifier turn close"),
    ("sight hook", "modifier open press", "exchange", "turn close"),
)
CHARACTERS = (
    ("entry look trait", "habit past", "where modifier close"),
    ("entry trait", "look where modifier", "past want close"),
    ("entry look", "where trait", "past modifier", "other close"),
    ("entry past", "look trait modifier", "where want close"),
    ("entry where trait look", "past other", "modifier close"),
    ("entry habit look", "other trait", "modifier where close"),
    ("entry trait where", "habit modifier want", "close"),
)
SETTINGS = (
    ("approach sight light", "sound odd", "modifier where close"),
    ("sight approach where", "modifier use", "odd past"),
    ("approach light modifier", "sight sound where", "close"),
    ("light approach", "use sight modifier", "where close"),
    ("approach where sight", "modifier past", "close"),
    ("sound approach sight", "where modifier", "odd close"),
    ("approach sight", "modifier where sound", "close"),
    ("sight light", "use modifier where", "past close"),
)
# Which moves of a talk are told; any but the first and the last can be missed.
KEPT_MOVES = ((0, 1, 3, 4), (0, 2, 3, 4), (0, 1, 2, 4))

Families = Mapping[str, tuple[str, ...]]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """One genre. A scene arc maps beat to alternatives; a talk is five moves of four exchanges."""

    names: Families
    defaults: Families
    words: Families
    ground: tuple[str, ...]
    body: tuple[str, ...]
    scenes: tuple[Families, ...]
    character: Families
    setting: Families
    talks: tuple[tuple[Pairs, ...], ...]
    hero_tags: tuple[str, ...]
    other_tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Common:
    """What all genres share: ``told`` by modifier and element, ``free`` for prompts of the writer's own."""

    told: Mapping[str, Families]
    where: Families
    free: Families
    free_said: Pairs
    openers: tuple[str, ...]


@cache
def load_grammar(folder: Path, genre: str) -> Grammar:
    """The sentences of one genre; raises ConfigError naming file and line."""
    root = read_toml(folder / f"storyteller_{genre}.toml")
    root.only("names", "defaults", "words", "scene", "character", "setting", "dialogue")
    words = _words(root.table("words"))
    slots = SLOTS | {f"{key}{second}" for key in words for second in ("", "2")}
    scene, dialogue = root.table("scene"), root.table("dialogue")
    scene.only("ground", "body", "arc")
    dialogue.only("hero_tags", "other_tags", "arc")
    return Grammar(
        names=_families(root.table("names"), ("she", "he", "surname"), frozenset()),
        defaults=_families(root.table("defaults"), DEFAULTS, frozenset()),
        words=words,
        ground=_sentences(scene, "ground", slots),
        body=_sentences(scene, "body", slots),
        scenes=tuple(_scene(arc, slots) for arc in _arcs(scene, "scene.arc")),
        character=_families(root.table("character"), CHARACTER, slots, FAMILY),
        setting=_families(root.table("setting"), SETTING, slots, FAMILY),
        talks=tuple(_talk(arc, slots) for arc in _arcs(dialogue, "dialogue.arc")),
        hero_tags=_sentences(dialogue, "hero_tags", slots),
        other_tags=_sentences(dialogue, "other_tags", slots),
    )


@cache
def load_common(folder: Path) -> Common:
    """The sentences that every genre can use; raises ConfigError naming file and line."""
    root = read_toml(folder / "storyteller_common.toml")
    modifiers = [modifier.key for modifier in load_catalog(folder).modifiers]
    root.only("where", "free", "dialogue", *modifiers)
    free, dialogue, slots = root.table("free"), root.table("dialogue"), SLOTS | {"topic"}
    free.only(*FREE, "said")
    dialogue.only("opener")
    said = free.pairs("said", FEW)
    check_sentences(free, "said", [line for pair in said for line in pair], slots)
    return Common(
        where=_families(root.table("where"), TOLD[:3], SLOTS),
        told={key: _families(root.table(key), TOLD, SLOTS) for key in modifiers},
        free={key: _sentences(free, key, slots) for key in FREE},
        free_said=said,
        openers=_sentences(dialogue, "opener", SLOTS),
    )


def _sentences(table: Table, key: str, slots: frozenset[str], least: int = FEW) -> tuple[str, ...]:
    sentences = table.texts(key, least)
    check_sentences(table, key, sentences, slots)
    return sentences


def _families(table: Table, keys: tuple[str, ...], slots: frozenset[str], least: int = FEW) -> Families:
    table.only(*keys)
    return {key: _sentences(table, key, slots, least) for key in keys}


def _words(table: Table) -> Families:
    words = {key: table.texts(key, 2) for key in table.data}
    for key, values in words.items():
        check_sentences(table, key, values, frozenset())
        if key in SLOTS or f"{key}2" in words:
            raise table.broken(f"'{key}' is a name the storyteller uses itself. Choose another.", key)
    return words


def _arcs(table: Table, heading: str) -> list[Table]:
    arcs = table.tables("arc", heading)
    if len(arcs) != ARCS:
        raise table.broken(f"there must be {ARCS} [[{heading}]], not {len(arcs)}.")
    return arcs


def _scene(arc: Table, slots: frozenset[str]) -> Families:
    arc.only("name", *BEATS)
    beats = {key: arc.texts(key, BEAT_ALTERNATIVES, BEAT_ALTERNATIVES) for key in BEATS}
    for key, sentences in beats.items():
        check_sentences(arc, key, sentences, slots)
    return beats


def _talk(arc: Table, slots: frozenset[str]) -> tuple[Pairs, ...]:
    arc.only("name", "moves")
    moves = arc.value("moves")
    if not isinstance(moves, list) or len(moves) != MOVES:
        raise arc.broken(f"'moves' must be a list of {MOVES} moves.", "moves")
    talk: list[Pairs] = []
    for move in moves:
        table = Table(arc.path, arc.source, {"moves": move}, arc.trail)
        pairs = table.pairs("moves", MOVE_ALTERNATIVES, MOVE_ALTERNATIVES)
        check_sentences(table, "moves", [line for pair in pairs for line in pair], slots)
        talk.append(pairs)
    return tuple(talk)
