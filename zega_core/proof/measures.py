"""What is measured of the answers of two models to the same prompts, beside style, copies and scores. Pure.

Everywhere ``prompts``, ``before`` and ``after`` have one length and one order. Any string is accepted; the time grows
linearly with the texts (``following``: with the prompts, too).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from statistics import median

from zega_core.dataset import words
from zega_core.proof.figures import Change
from zega_core.proof.statistics import change, change_of_median, change_of_share
from zega_core.proof.vocabulary import Vocabulary, plain_words
from zega_core.quality.asked import Wanted
from zega_core.quality.criteria import asked_for
from zega_core.quality.features import read

Texts = Sequence[str]

_DIVERSE = 3
"""Words of a run whose kinds are counted: distinct-n (Li et al. 2016, "A Diversity-Promoting Objective Function for
Neural Conversation Models") with n = 3, as two words are soon said by everybody."""
_ECHO, _ECHO_SHARE = 4, 0.5
"""Words of a run that counts as the prompt's own, and from which share of an answer's words in such runs it mainly
repeats its prompt."""


@dataclass(frozen=True, slots=True)
class Following:
    """``change`` of the share (0 to 1) of a prompt's content stems that its answer takes up; ``chance_before`` and
    ``chance`` are the shares that the answers to the other prompts take up of it."""

    change: Change
    chance_before: float
    chance: float


def length(before: Texts, after: Texts, *, seed: int) -> Change:
    """Median of words."""
    return change_of_median(_sizes(before), _sizes(after), seed=seed)


def usual_length(texts: Texts) -> float | None:
    """Median of words; None without texts."""
    return float(median(sizes)) if (sizes := _sizes(texts)) else None


def diversity(before: Texts, after: Texts, *, seed: int) -> Change:
    """Share of distinct word 3-grams over all answers of a side, 0 to 1.

    The share falls with the amount of text, so both answers to a prompt are cut to the length of the shorter one. A
    3-gram that stands in the side k times counts 1/k wherever it stands: summed, that is the number of distinct ones,
    and each answer has its part of it, which is what the bootstrap draws (drawing whole texts twice would make any
    side look repetitive).
    """
    cut = [_even(words(one), words(two)) for one, two in zip(before, after, strict=True)]
    first, second = _parts([one for one, _ in cut]), _parts([two for _, two in cut])
    sizes = [max(0, len(one) - _DIVERSE + 1) for one, _ in cut]
    return change_of_share(first, sizes, second, sizes, seed=seed)


def following(prompts: Texts, before: Texts, after: Texts, *, seed: int) -> Following:
    """How far the answers take up their own prompt, which is the bare one (``fine_tune.data.bare``): the wording of a
    request is in every prompt. Prompts without a content word are left out. What answers to other prompts take up is
    what one would find in any text of that writer: an answer that takes up no more does not follow its prompt."""
    stems = [set(asked_for(read(prompt), Wanted()).names) for prompt in prompts]
    known = [number for number, found in enumerate(stems) if found]
    stems = [stems[number] for number in known]
    sides = [[set(read(texts[number]).stems) for number in known] for texts in (before, after)]
    own = [[len(one & two) / len(one) for one, two in zip(stems, side, strict=True)] for side in sides]
    return Following(change(own[0], own[1], seed=seed), *(_by_chance(stems, side) for side in sides))


def unknown(vocabulary: Vocabulary, prompts: Texts, before: Texts, after: Texts, *, seed: int) -> Change:
    """Words in 1,000 that are in no book, catalog, training text or in the answer's own prompt."""
    sides = [list(map(partial(_unknown, vocabulary), prompts, texts)) for texts in (before, after)]
    first, second = ([one for one, _ in side] for side in sides)
    of_first, of_second = ([size for _, size in side] for side in sides)
    return change_of_share(first, of_first, second, of_second, seed=seed, scale=1000)


def unknown_in(vocabulary: Vocabulary, texts: Texts) -> float | None:
    """Words in 1,000; None where there is no word."""
    found = list(map(partial(_unknown, vocabulary), repeat(""), texts))
    size = sum(one for _, one in found)
    return 1000 * sum(one for one, _ in found) / size if size else None


def echo(prompts: Texts, answers: Texts) -> float:
    """Share of answers (0 to 1) that mainly repeat what they were asked: half of their words or more stand in runs of
    four that the prompt has, or, of shorter answers, all of them do. An empty answer repeats nothing."""
    return share([_echoes(words(prompt), words(answer)) for prompt, answer in zip(prompts, answers, strict=True)])


def share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0


def _sizes(texts: Texts) -> list[int]:
    return [len(words(text)) for text in texts]


def _even(one: list[str], two: list[str]) -> tuple[list[str], list[str]]:
    size = min(len(one), len(two))
    return one[:size], two[:size]


def _parts(texts: Sequence[list[str]]) -> list[float]:
    grams = [list(zip(*(text[start:] for start in range(_DIVERSE)), strict=False)) for text in texts]
    counts = Counter(gram for some in grams for gram in some)
    return [sum(1 / counts[gram] for gram in some) for some in grams]


def _by_chance(stems: Sequence[set[str]], answers: Sequence[set[str]]) -> float:
    others = [
        len(asked & answer) / len(asked)
        for one, asked in enumerate(stems)
        for other, answer in enumerate(answers)
        if one != other
    ]
    return sum(others) / len(others) if others else 0.0


def _unknown(vocabulary: Vocabulary, prompt: str, answer: str) -> tuple[int, int]:
    """Unknown words, and all words."""
    own = set(plain_words(prompt.lower()))
    found = [word for word in plain_words(answer) if word not in vocabulary and word not in own]
    return len(found), len(words(answer))


def _echoes(prompt: list[str], answer: list[str]) -> bool:
    size = min(_ECHO, len(answer))
    if not size:
        return False
    runs = set(zip(*(prompt[start:] for start in range(size)), strict=False))
    taken = [False] * len(answer)
    for start in range(len(answer) - size + 1):
        if tuple(answer[start : start + size]) in runs:
            taken[start : start + size] = [True] * size
    return sum(taken) >= _ECHO_SHARE * len(answer)
