"""What both models of a proof are asked: prompts that the writer held out, then shipped ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from math import ceil
from pathlib import Path
from typing import TypeVar

from zega_core.catalog import DATA, GENRES, Brief, Catalog, load_catalog, request
from zega_core.fine_tune.data import TOKENS_A_WORD, bare, prompt_key
from zega_core.fine_tune.plan import Row
from zega_core.proof.job import Asked
from zega_core.toml_tables import Table, read_toml

A_GENRE = 5
FEWEST_WORDS, MOST_WORDS = 10, 20
"""Of a shipped prompt, as the catalog's are."""
_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class Shipped:
    genre: str
    element: str
    text: str


@dataclass(frozen=True, slots=True)
class Kind:
    """Genre and element of an example; empty where it has none."""

    genre: str = ""
    element: str = ""


@cache
def load_prompts(folder: Path = DATA) -> tuple[Shipped, ...]:
    """The prompts of ``proof.toml`` in ``folder``, checked against the shipped catalog; raises ConfigError naming file
    and line."""
    root, catalog = read_toml(folder / "proof.toml"), load_catalog()
    root.only("prompt")
    elements, taken = [one.key for one in catalog.elements], {prompt_key(one.text) for one in catalog.prompts}
    found = [_shipped(table, elements, taken) for table in root.tables("prompt")]
    counts = Counter(one.genre for one in found)
    for genre in GENRES:
        if counts[genre] != A_GENRE:
            raise root.broken(f"each genre has {A_GENRE} prompts, {genre} has {counts[genre]}.", f'"{genre}"')
    root.distinct("text", [one.text for one in found])
    return tuple(found)


def _shipped(table: Table, elements: Sequence[str], taken: Collection[str]) -> Shipped:
    table.only("genre", "element", "text")
    one = Shipped(table.text("genre"), table.text("element"), table.text("text"))
    if one.genre not in GENRES:
        raise table.broken(f"'genre' must be one of {', '.join(GENRES)}.", "genre")
    if one.element not in elements:
        raise table.broken(f"'element' must be one of {', '.join(elements)}.", "element")
    if not FEWEST_WORDS <= len(one.text.split()) <= MOST_WORDS:
        raise table.broken(f"a prompt has {FEWEST_WORDS} to {MOST_WORDS} words.", "text")
    if prompt_key(one.text) in taken:
        raise table.broken("the catalog has this prompt, so it may have been trained on.", "text")
    return one


def choose(
    held_out: Sequence[Row],
    trained: Iterable[Row],
    kinds: Mapping[int, Kind],
    catalog: Catalog,
    *,
    count: int,
    run: str,
    context: int,
    shipped: Sequence[Shipped] | None = None,
) -> list[Asked]:
    """Up to ``count``, in the order in which they are written: the writer's ``held_out`` ones (at most
    ``most_held_out``, own words first, spread over genres), then ``shipped`` ones (None: the file's), those of the
    genres that were trained on first. None has the words of another or of one that either model was ``trained`` on.

    ``kinds`` says of an example by its id what it is. ``run`` is the proof's run id, from which the seeds follow;
    ``context`` is tokens of the base model. The same is chosen for the same, in whatever order the rows come.
    """
    rows = sorted(trained, key=lambda row: row.example_id)
    used = {prompt_key(bare(row.prompt)) for row in rows}
    found: list[tuple[str, Kind, bool]] = []
    own_first = _spread(_distinct(held_out, used), lambda row: (not row.own, _kind(row, kinds).genre))
    for row in own_first[: most_held_out(count)]:
        used.add(prompt_key(bare(row.prompt)))
        found.append((row.prompt, _kind(row, kinds), True))
    genres = {_kind(row, kinds).genre for row in rows}
    known = load_prompts() if shipped is None else shipped
    fresh = [one for one in known if prompt_key(one.text) not in used]
    for one in _spread(fresh, lambda one: (one.genre not in genres, one.genre))[: count - len(found)]:
        brief = Brief(one.text, one.genre, catalog.element(one.element))
        found.append((request(brief, catalog), Kind(one.genre, one.element), False))
    return [
        Asked(
            place=place,
            prompt=prompt,
            genre=kind.genre,
            element=kind.element,
            source="held_out" if own else "shipped",
            seed=seed(run, place),
            max_tokens=longest(kind.element, catalog, context),
        )
        for place, (prompt, kind, own) in enumerate(found)
    ]


def most_held_out(count: int) -> int:
    """How many of ``count`` prompts are the writer's at most: the shipped ones tell whether what was learned also holds
    for other prompts."""
    return count * 2 // 3


def seed(run: str, place: int) -> int:
    """Evenly spread over 31 bits, and always the same."""
    return int.from_bytes(blake2b(f"{run} {place}".encode(), digest_size=4).digest()) >> 1


def longest(element: str, catalog: Catalog, context: int) -> int:
    """Tokens of the longest answer that is asked for, or of any element's where that is not known; at most half of
    ``context``."""
    words = [one.max_words for one in catalog.elements if one.key == element]
    return min(ceil(max(words or [one.max_words for one in catalog.elements]) * TOKENS_A_WORD), context // 2)


def _kind(row: Row, kinds: Mapping[int, Kind]) -> Kind:
    return kinds.get(row.example_id, Kind())


def _distinct(rows: Sequence[Row], used: Collection[str]) -> list[Row]:
    """One row a prompt, the oldest, without those in ``used``."""
    first: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: row.example_id):
        words = prompt_key(bare(row.prompt))
        if words not in used:
            first.setdefault(words, row)
    return list(first.values())


def _spread(entries: Sequence[_Entry], group: Callable[[_Entry], tuple[bool, str]]) -> list[_Entry]:
    """Those whose group has False first; among them one of each group, then a second of each, and so on."""
    seen: Counter[tuple[bool, str]] = Counter()
    order = []
    for at, entry in enumerate(entries):
        later, name = group(entry)
        order.append((later, seen[later, name], at))
        seen[later, name] += 1
    return [entries[at] for _, _, at in sorted(order)]
