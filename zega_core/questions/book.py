"""The sentences of the questions, ``data/catalog/questions.toml``, loaded and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zega_core.catalog import DATA, check_sentences, load_catalog
from zega_core.toml_tables import Table, read_toml

Words = Mapping[str, tuple[str, ...]]
_TWICE = ("object", "an_object", "event", "smell", "sound")
SLOTS = frozenset(
    """name other they them their themself figure a_figure role a_role place at_place to_place tale time event_past want
    secret habit habit_plural sound_start relation moment opening plain topic n""".split()
    + [f"{slot}{second}" for slot in _TWICE for second in ("", "2")]
)
TASK_SLOTS = frozenset("asker asker_small topic message complaint".split())
NESTED = ("opening", "plain", "message", "complaint")
"""Slots whose words have slots of their own."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of question. ``element`` is empty where it asks for no fiction; ``constraint`` names the lists that its
    constraints come from, ``turns`` says whether it can be asked to turn."""

    key: str
    label: str
    element: str
    ask: tuple[str, ...]
    context: tuple[str, ...]
    constraint: tuple[str, ...]
    turns: bool


@dataclass(frozen=True, slots=True)
class Book:
    """``kinds`` ask for fiction, ``tasks`` for what a purpose that is none needs. ``same`` are words that say the same,
    ``asking`` words that ask for something, whatever it is about."""

    kinds: tuple[Kind, ...]
    tasks: tuple[Kind, ...]
    added: Words
    constraint: Words
    turn: tuple[str, ...]
    mood: Words
    mood_words: Mapping[str, str]
    words: Words
    task_constraint: tuple[str, ...]
    task_turn: tuple[str, ...]
    task_words: Words
    task_example: tuple[str, ...]
    same: tuple[tuple[str, ...], ...]
    asking: tuple[tuple[str, ...], ...]

    def kind(self, key: str) -> Kind | None:
        return next((kind for kind in (*self.kinds, *self.tasks) if kind.key == key), None)

    def labels(self) -> dict[str, str]:
        """Of every kind, as a writer reads it."""
        return {kind.key: kind.label for kind in (*self.kinds, *self.tasks)}


@cache
def load_book(folder: Path = DATA) -> Book:
    """``questions.toml`` in ``folder``; raises ConfigError naming file and line."""
    root = read_toml(folder / "questions.toml")
    parts = ("kind", "task", "added", "constraint", "turn", "mood", "mood_words", "words")
    root.only(*parts, "task_constraint", "task_words", "task_example", "alike")
    modifiers = [modifier.key for modifier in load_catalog(folder).modifiers]
    alike, moods = root.table("alike"), root.table("mood_words")
    alike.only("same", "task")
    moods.only(*modifiers)
    constraint = _lists(root.table("constraint"), ("any", "told", "scene", "character", "dialogue", "setting"), SLOTS)
    kinds = tuple(_kind(table, frozenset(constraint)) for table in root.tables("kind"))
    tasks = tuple(_task(table) for table in root.tables("task"))
    root.distinct("key", [kind.key for kind in (*kinds, *tasks)])
    words = ("time", "event", "event_past", "want", "secret", "habit", "habit_plural", "sound", "smell", "relation")
    task = _lists(root.table("task_constraint"), ("any", "turn"), frozenset())
    return Book(
        kinds=kinds,
        tasks=tasks,
        added=_lists(root.table("added"), ("topic", "concerns", "tone", "length", "from"), SLOTS | {"tone"}),
        constraint=constraint,
        turn=_lists(root.table("turn"), ("any",), SLOTS)["any"],
        mood=_lists(root.table("mood"), modifiers, SLOTS),
        mood_words={key: moods.text(key) for key in modifiers},
        words=_lists(root.table("words"), (*words, "moment", "opening", "plain"), SLOTS),
        task_constraint=task["any"],
        task_turn=task["turn"],
        task_words=_lists(root.table("task_words"), ("message", "complaint", "detail"), TASK_SLOTS),
        task_example=_lists(root.table("task_example"), ("text",), frozenset())["text"],
        same=_groups(alike, "same"),
        asking=_groups(alike, "task"),
    )


def _kind(table: Table, lists: frozenset[str]) -> Kind:
    table.only("key", "label", "element", "constraint", "turns", "ask", "context")
    constraint = table.texts("constraint")
    if not lists.issuperset(constraint):
        raise table.broken(f"'constraint' must name some of {', '.join(sorted(lists))}.", "constraint")
    element = load_catalog().element(table.text("element")).key
    ask, context = (_sentences(table, key, SLOTS) for key in ("ask", "context"))
    return Kind(table.text("key"), table.text("label"), element, ask, context, constraint, table.flag("turns"))


def _task(table: Table) -> Kind:
    table.only("key", "label", "ask", "context")
    ask, context = (_sentences(table, key, TASK_SLOTS) for key in ("ask", "context"))
    return Kind(table.text("key"), table.text("label"), "", ask, context, (), True)


def _lists(table: Table, keys: Iterable[str], slots: frozenset[str]) -> dict[str, tuple[str, ...]]:
    table.only(*keys)
    return {key: _sentences(table, key, slots) for key in keys}


def _sentences(table: Table, key: str, slots: frozenset[str]) -> tuple[str, ...]:
    sentences = table.texts(key)
    check_sentences(table, key, sentences, slots)
    return sentences


def _groups(table: Table, key: str) -> tuple[tuple[str, ...], ...]:
    value = table.value(key)
    if not isinstance(value, list) or not value:
        raise table.broken(f"'{key}' must be a list of lists of words.", key)
    found = [
        tuple(word for word in group if isinstance(word, str)) if isinstance(group, list) else () for group in value
    ]
    if not all(len(group) > 1 for group in found):
        raise table.broken(f"each list in '{key}' must hold two words or more.", key)
    return tuple(found)
