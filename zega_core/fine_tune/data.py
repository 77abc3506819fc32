"""What a fine-tune learns from: kept examples with their weights, each on its side, and what there is to say of them.
Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from random import Random
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from zega_core.catalog import Brief, Catalog, request
from zega_core.dataset import words
from zega_core.fine_tune import balance
from zega_core.fine_tune.plan import Row, Split
from zega_core.fine_tune.split import split
from zega_core.quality.validation import number
from zega_core.tables import Source

SCORE_WEIGHTS = ((9.0, 2.0), (8.0, 1.5), (0.0, 1.0))
"""From which score on an example weighs how much. What is kept below the writer's threshold they kept by their own
word, so nothing weighs less than 1."""
SOURCE_WEIGHTS: Mapping[str, float] = {
    Source.conversation: 2.0,
    Source.manuscript: 2.0,
    Source.rating: 1.5,
    Source.imported: 1.0,
    Source.auto: 1.0,
}
"""By which the weight of the score is multiplied: what the writer wrote, then what they chose, then the rest. A piece
of whatever source that the writer has edited (``Piece.original``) weighs as ``Source.rating`` at least and counts as
theirs: the edit of a teacher's piece 1.5, that of their own words still 2.0."""
OWN = (Source.conversation, Source.manuscript)
TOKENS_A_WORD = 1.45
"""Tokens of the built-in tokenizer for a word: 1.38 in 240 pieces of the storyteller, from 1.31 to 1.58 (half of them
up to 1.44) in 27 books."""
LEAST, LEAST_PROMPTS = 15, 5
"""Examples, and different prompts, below which there is nothing to learn from."""
REPLAYED = 20
"""The fewest older examples that are learned again beside new ones, so that they are not forgotten."""
NO_TEXT, NO_PROMPT, REPEATS, UNREADABLE = "no text", "no prompt", "only the prompt again", "cannot be read"
"""Why an example is left out."""
_REQUEST = re.compile(
    r"[^\n]+\n\nGenre: [^\n]+\.\nPrompt: (.+?)(?:\nStyle: [^\n]+)?\n\nWrite only the piece itself[^\n]*\Z", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A kept example as it is stored; nothing in it is checked."""

    id: Any
    source: Any
    genre: Any
    element: Any
    modifier: Any
    prompt: Any
    completion: Any
    quality: Any
    origin: Any
    original: Any = None
    """The text before the writer's first edit; None where they have not edited it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is learned from, for JSON. Counts are of all examples by what they are called; ``bands`` by the weight of
    their score. ``words`` are those of the texts. Of the words that are trained on, ``own_share`` (0 to 1) are the
    writer's, ``weighted_own_share`` when each counts for what it weighs. ``tokens`` are estimated, with prompts, for
    training and for validation. ``quality`` is the mean score, None where nothing was scored. ``note`` is for a writer
    without own words; ``warnings`` say what is out of balance."""

    examples: int = 0
    prompts: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    source_words: dict[str, int] = field(default_factory=dict)
    genres: dict[str, int] = field(default_factory=dict)
    elements: dict[str, int] = field(default_factory=dict)
    bands: dict[str, int] = field(default_factory=dict)
    words: int = 0
    longest_words: int = 0
    own_share: float = 0.0
    weighted_own_share: float = 0.0
    quality: float | None = None
    tokens: int = 0
    validation_tokens: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Prepared:
    """``rows`` in the order of their ids; ``hash`` is the same for the same rows."""

    rows: list[Row]
    summary: Summary
    hash: str


def read_summary(data: object) -> Summary | None:
    """A stored summary; None where there is none that can be read."""
    try:
        return None if data is None else TypeAdapter(Summary).validate_python(data)
    except ValidationError:
        return None


def score_weight(quality: object) -> float:
    """Of any stored score; one that cannot be read is none."""
    known = number(quality, 0, 10) or 0.0
    return next(weight for least, weight in SCORE_WEIGHTS if known >= least)


def prepare(
    pieces: Iterable[Piece], *, catalog: Catalog, near_duplicate_share: float | None, trained: Collection[str] = ()
) -> Prepared:
    """Choose, weigh and split. ``trained`` are prompts (of ``Row``) that an earlier version was trained on: they are
    not held out. The same pieces give the same, in whatever order they come. Without ``near_duplicate_share`` the sides
    are told apart by prompts only: four times as fast, for a look."""
    left_out: Counter[str] = Counter()
    good: list[_Read] = []
    for piece in pieces:
        found = _read(piece)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            good.append(found)
    good.sort(key=lambda one: one.piece.id)
    known = {prompt_key(bare(prompt)) for prompt in trained}
    sides = split([one.key for one in good], [one.piece.completion for one in good], near_duplicate_share, known)
    asked = _Wording(catalog)
    rows = [_row(one.piece, asked.prompt(one.piece), side) for one, side in zip(good, sides, strict=True)]
    return Prepared(rows, _summary(good, rows, left_out), fingerprint(rows))


def missing(summary: Summary) -> str:
    """What is missing for a fine-tune in a sentence; empty when there is enough."""
    have, prompts = summary.examples, summary.prompts
    if have < LEAST:
        return (
            f"{have} of at least {LEAST} examples are there. Keep {LEAST - have} more, for {LEAST_PROMPTS} or more "
            "different prompts, and a model can be trained."
        )
    if prompts < LEAST_PROMPTS:
        return (
            f"Your examples answer {prompts} of at least {LEAST_PROMPTS} different prompts. Keep examples for "
            f"{LEAST_PROMPTS - prompts} more, and a model can be trained."
        )
    return ""


def for_continuing(rows: Sequence[Row], trained: Sequence[Row], seed: int) -> list[Row]:
    """The rows to go on with from a version that was trained on ``trained``: every new one to train on, and as many of
    those that it knows (at least ``REPLAYED``, as far as there are), drawn by ``seed``. Validation and held-out stay.

    What else it knows stays without a weight and without its text, also what is not kept any more: the next version
    has to know what was learned, so that it is neither new to it nor held out."""
    learned = {row.example_id for row in trained}
    train = [row for row in rows if row.split == "train"]
    old = [row for row in train if row.example_id in learned]
    wanted = min(len(old), max(REPLAYED, len(train) - len(old)))
    known = {row.example_id: replace(row, weight=0.0, completion="") for row in (*trained, *old)}
    again = {row.example_id: row for row in Random(seed).sample(old, wanted)}
    others = {row.example_id: row for row in rows if row.split != "train" or row.example_id not in learned}
    return [row for _, row in sorted((known | again | others).items())]


def bare(prompt: str) -> str:
    """The prompt alone, out of the words of a request (``catalog.request``)."""
    found = _REQUEST.match(prompt)
    return found[1] if found else prompt


def prompt_key(prompt: str) -> str:
    """The same for prompts whose words are the same."""
    return " ".join(words(prompt)) or prompt.strip()


@dataclass(frozen=True, slots=True)
class _Read:
    """A piece that can be used; ``words`` are those of its text."""

    piece: Piece
    key: str
    words: int


def _read(piece: Piece) -> _Read | str:
    """Or why it is left out."""
    prompt, completion = piece.prompt, piece.completion
    if not (isinstance(piece.id, int) and _is_text(prompt) and _is_text(completion)) or piece.source not in _SOURCES:
        return UNREADABLE
    if not completion.strip():
        return NO_TEXT
    if not prompt.strip():
        return NO_PROMPT
    key, found = prompt_key(prompt), words(completion)
    return REPEATS if (" ".join(found) or completion.strip()) == key else _Read(piece, key, len(found))


_SOURCES = frozenset(str(source) for source in Source)


def _is_text(value: object) -> bool:
    """Half a surrogate pair cannot be written down, and nobody can read a NUL."""
    if not isinstance(value, str) or "\x00" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Wording:
    """Pieces by teachers, and by models that a writer wrote with, are asked for in the words that they were written to;
    all others have their own prompt."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._genres = {genre.key for genre in catalog.genres}
        self._elements = {element.key: element for element in catalog.elements}
        self._modifiers = {modifier.key: modifier for modifier in catalog.modifiers}

    def prompt(self, piece: Piece) -> str:
        element, modifier = _of(self._elements, piece.element), _of(self._modifiers, piece.modifier)
        known = (
            piece.source in (Source.auto, Source.rating) and _text(piece.genre) in self._genres and element is not None
        )
        if not known or element is None or (modifier is None and piece.modifier is not None):
            return piece.prompt
        return request(Brief(piece.prompt, piece.genre, element, modifier), self._catalog)


def _of(known: Mapping[str, Any], key: object) -> Any:
    return known.get(_text(key))


def _text(value: object) -> str:
    return value if _is_text(value) else ""  # type: ignore[return-value]


def _row(piece: Piece, prompt: str, side: Split) -> Row:
    edited = isinstance(piece.original, str)
    of_source = max(SOURCE_WEIGHTS[piece.source], SOURCE_WEIGHTS[Source.rating] if edited else 0.0)
    weight = score_weight(piece.quality) * of_source
    own, source = edited or piece.source in OWN, str(piece.source)
    return Row(piece.id, prompt, piece.completion, weight, side, own, source, _text(piece.origin))


def _summary(good: Sequence[_Read], rows: Sequence[Row], left_out: Mapping[str, int]) -> Summary:
    pieces, sizes = [one.piece for one in good], [one.words for one in good]
    scores = [known for piece in pieces if (known := number(piece.quality, 0, 10)) is not None]
    source_words: Counter[str] = Counter()
    for row, size in zip(rows, sizes, strict=True):
        source_words[row.source] += size
    shares = balance.shares(rows, sizes)
    summary = Summary(
        examples=len(rows),
        prompts=len({one.key for one in good}),
        splits={side: sum(row.split == side for row in rows) for side in get_args(Split)},
        sources=dict(Counter(row.source for row in rows)),
        source_words=dict(source_words),
        genres=dict(Counter(_text(piece.genre) for piece in pieces)),
        elements=dict(Counter(_text(piece.element) for piece in pieces)),
        bands={f"{weight:g}": 0 for _, weight in SCORE_WEIGHTS}
        | {f"{weight:g}": n for weight, n in Counter(score_weight(piece.quality) for piece in pieces).items()},
        words=sum(sizes),
        longest_words=max(sizes, default=0),
        own_share=round(shares.own, 4),
        weighted_own_share=round(shares.weighted_own, 4),
        quality=round(sum(scores) / len(scores), 2) if scores else None,
        tokens=_tokens(rows, sizes, "train"),
        validation_tokens=_tokens(rows, sizes, "validation"),
        left_out=dict(left_out),
    )
    return replace(summary, warnings=balance.warnings(shares), note=balance.note(shares))


def _tokens(rows: Sequence[Row], sizes: Sequence[int], side: Split) -> int:
    counted = (size + len(words(row.prompt)) for row, size in zip(rows, sizes, strict=True) if row.split == side)
    return round(TOKENS_A_WORD * sum(counted))


def fingerprint(rows: Iterable[Row]) -> str:
    names = sorted(Row.__dataclass_fields__)
    digest = sha256()
    for row in rows:
        digest.update(json.dumps({name: getattr(row, name) for name in names}).encode() + b"\n")
    return digest.hexdigest()
