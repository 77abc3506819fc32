"""The figures of a proof: what ``weigh`` measures and ``rule`` decides by."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

LEVEL = 0.99
"""Of every interval in here; ``docs/proof.md`` says why it is not 95 %."""


@dataclass(frozen=True, slots=True)
class Duel:
    """How often the new version won, pair by pair. ``share`` is wins and half of the ties, of all; ``low`` to ``high``
    is its Wilson interval (``LEVEL``)."""

    wins: int
    losses: int
    ties: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of both, and the interval (``LEVEL``, paired bootstrap over prompts or texts) of after minus before."""

    before: float
    after: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge said that was asked in both orders. ``disagreed`` counts pairs in which it named another one when
    they were swapped (ties in ``duel``), ``named_first`` in how many of its answers it named the text that came first,
    of ``answers``; ``unusable`` pairs got no judgement."""

    judge: str
    duel: Duel
    disagreed: int
    named_first: int
    answers: int
    unusable: int


@dataclass(frozen=True, slots=True)
class Perplexity:
    """Over ``texts`` held-out texts, the writer's own if ``own``. ``change`` is in nats a token (negative: less
    surprised)."""

    before: float
    after: float
    texts: int
    own: bool
    change: Change


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of style: ``before``, ``after`` and ``writer`` in standard deviations of published prose from its
    mean."""

    key: str
    label: str
    before: float
    after: float
    writer: float


@dataclass(frozen=True, slots=True)
class Style:
    """Distance to the writer (``style.fingerprint.distance``): smaller is nearer. ``words`` are those of the writer's
    texts that it was measured on, ``own`` whether the writer wrote those."""

    change: Change
    axes: list[Axis]
    words: int
    own: bool


@dataclass(frozen=True, slots=True)
class Copies:
    """Memorised text: ``longest`` is the longest run of words taken over from the training texts, ``share`` the part of
    word 8-grams that occur in them, ``real`` that share in held-out texts that nobody copied (None without)."""

    longest_before: int
    longest: int
    share_before: float
    share: float
    real: float | None
    run: str
    """The longest run, for reading; at most 300 characters."""


@dataclass(frozen=True, slots=True)
class Bleed:
    """Names out of the training texts in answers to prompts that do not name them. Shares of answers, 0 to 1;
    ``names`` the most frequent ones."""

    before: float
    after: float
    names: list[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything is measured on the same ``prompts``. ``length`` is the median in words, ``echo`` the share of answers
    that mainly repeat their prompt, ``unended`` the share that ended neither by itself nor with a sentence,
    ``diversity`` the share of distinct word 3-grams over all answers, ``follows`` the share of a prompt's content words
    (stems) that its answer takes up, ``unknown`` words in 1,000 that are in no book or catalog. None where there was
    too little to measure; ``missing`` says in sentences why. Without prompts every figure is 0.

    What they are held against: ``length_trained`` is the median of the texts that were trained on; ``chance_before``
    and ``chance`` are what answers take up of the content words of other prompts; ``unknown_real`` is ``unknown`` in
    held-out texts that people or teachers wrote. ``same`` counts prompts on which both wrote the very same text."""

    prompts: int
    held_out_prompts: int
    quality: Duel
    quality_mean: Change
    length: Change
    diversity: Change
    follows: Change
    unknown: Change
    echo_before: float
    echo_after: float
    unended_before: float
    unended_after: float
    copies: Copies
    bleed: Bleed
    style: Style | None = None
    perplexity: Perplexity | None = None
    judged: list[Judged] = field(default_factory=list)
    blind: Duel | None = None
    missing: list[str] = field(default_factory=list)
    length_trained: float | None = None
    chance_before: float = 0.0
    chance: float = 0.0
    unknown_real: float | None = None
    same: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_figures(data: object) -> Figures | None:
    """Stored figures; None where there are none that can be read."""
    try:
        return None if data is None else TypeAdapter(Figures).validate_python(data)
    except ValidationError:
        return None
