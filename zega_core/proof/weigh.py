"""From what a proof has stored (texts, scores, choices, losses) to its figures. Pure, no torch, about a second."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, isfinite
from typing import Any, Literal

from zega_core.dataset import words
from zega_core.fine_tune.data import bare
from zega_core.fine_tune.form import is_whole
from zega_core.fine_tune.plan import Row
from zega_core.proof import measures
from zega_core.proof.copies import bleed, copies
from zega_core.proof.figures import Axis, Duel, Figures, Judged, Perplexity, Style
from zega_core.proof.job import Held
from zega_core.proof.statistics import between, change, change_of_share, draws, duel
from zega_core.proof.vocabulary import Vocabulary, shipped
from zega_core.style.fingerprint import AXES, LEAST_WORDS, distance, distances, enough, fingerprint, measure, pool

Choice = Literal["", "before", "after", "tie"]
OUTCOMES: Mapping[object, int] = {"before": -1, "tie": 0, "after": 1}
STYLE_WORDS = 40_000
"""Words of the writer's texts that a style is measured on: more would change nothing but the time it takes."""
OWN_TEXTS = 3
"""Held-out texts of the writer's own from which on they alone are measured, as ``fine_tune.plan.Result`` has it."""
_END = re.compile(r"[.!?…]+[\"'”’)\]]*")


@dataclass(frozen=True, slots=True)
class Pair:
    """What both wrote on one prompt (``prompt`` as the models were asked). Scores are 0 to 10, None where none is.
    ``judged`` is by judge: ``winner`` (before, after or tie; anything else is no judgement), ``agreed``, ``first`` and,
    where it is known, ``second``: what it named when ``before`` came first, and when it came second."""

    prompt: str
    before: str
    after: str
    score_before: float | None = None
    score_after: float | None = None
    before_ended: bool = True
    after_ended: bool = True
    source: str = "shipped"
    choice: str = ""
    judged: Mapping[str, Any] = field(default_factory=dict)


def weigh(
    pairs: Sequence[Pair],
    training: Sequence[Row],
    held: Sequence[Held] = (),
    losses: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
) -> Figures:
    """``pairs`` are those with both texts; ``training`` the rows of the version's data.jsonl (what was not trained on
    is passed over); ``held`` and ``losses`` (``before`` and ``after``, each with ``nats`` and ``tokens``) have one
    order. The same input gives the same figures. Losses that cannot be read count as none; nothing is raised for any
    text."""
    trained = [row for row in training if row.split == "train" and row.weight > 0 and row.completion]
    texts = [row.completion for row in trained]
    prompts, asked = [bare(pair.prompt) for pair in pairs], [pair.prompt for pair in pairs]
    before, after = [pair.before for pair in pairs], [pair.after for pair in pairs]
    known = [text.text for text in held]
    follows = measures.following(prompts, before, after, seed=seed)
    vocabulary = Vocabulary(shipped(), texts)
    scored = [(a, b) for p in pairs if (a := p.score_before) is not None and (b := p.score_after) is not None]
    style, no_style = _style(trained, before, after, seed)
    perplexity, no_perplexity = _perplexity(held, losses, seed)
    unscored = len(pairs) - len(scored)
    return Figures(
        prompts=len(pairs),
        held_out_prompts=sum(pair.source == "held_out" for pair in pairs),
        quality=duel([(b > a) - (b < a) for a, b in scored]),
        quality_mean=change([a for a, _ in scored], [b for _, b in scored], seed=seed),
        length=measures.length(before, after, seed=seed),
        diversity=measures.diversity(before, after, seed=seed),
        follows=follows.change,
        unknown=measures.unknown(vocabulary, prompts, before, after, seed=seed),
        echo_before=measures.echo(asked, before),
        echo_after=measures.echo(asked, after),
        unended_before=measures.share([not (pair.before_ended or is_whole(pair.before)) for pair in pairs]),
        unended_after=measures.share([not (pair.after_ended or is_whole(pair.after)) for pair in pairs]),
        copies=copies(texts, before, after, known),
        bleed=bleed(texts, asked, before, after),
        style=style,
        perplexity=perplexity,
        judged=_judged(pairs),
        blind=_blind(pairs),
        missing=[
            *no_style,
            *no_perplexity,
            *([f"{unscored} of {len(pairs)} prompts have no score."] if unscored else []),
        ],
        length_trained=measures.usual_length(texts),
        chance_before=follows.chance_before,
        chance=follows.chance,
        unknown_real=measures.unknown_in(vocabulary, known),
        same=sum(one == two for one, two in zip(before, after, strict=True)),
    )


def weigh_again(figures: Figures, pairs: Sequence[Pair]) -> Figures:
    """The figures after another blind choice or judgement on the same texts: at once, as nothing else changes."""
    return replace(figures, judged=_judged(pairs), blind=_blind(pairs))


def _style(
    trained: Sequence[Row], before: Sequence[str], after: Sequence[str], seed: int
) -> tuple[Style | None, list[str]]:
    """Distances of the answers to the writer's texts, or to all that were trained on where the writer's are too few."""
    sets = [[row.completion for row in trained if row.own], [row.completion for row in trained]]
    prints = [fingerprint(pool([measure(text) for text in _spread(texts)])) for texts in sets]
    writer = next((one for one in prints if enough(one)), None)
    if writer is None:
        have = prints[1].words
        return None, [f"It takes {LEAST_WORDS:,} trained words to measure a style, and there are {have:,}."]
    cut = [_even(one, two) for one, two in zip(before, after, strict=True)]
    sides = [[measure(pair[side]) for pair in cut] for side in (0, 1)]
    pooled = [fingerprint(pool(side)) for side in sides]
    if not all(map(enough, pooled)):
        have = min(one.words for one in pooled)
        return None, [f"It takes answers of {LEAST_WORDS:,} words to measure their style, and there are {have:,}."]
    drawn = draws(len(cut), seed)
    differences = distances(sides[1], drawn, writer) - distances(sides[0], drawn, writer)
    one, two = pooled
    axes = [Axis(key, label, one.axes[key], two.axes[key], writer.axes[key]) for key, label in AXES.items()]
    moved = between(distance(one, writer), distance(two, writer), differences)
    return Style(moved, axes, writer.words, own=writer is prints[0]), []


def _spread(texts: Sequence[str]) -> Sequence[str]:
    """Every second text, or third, … of so many that they have more than ``STYLE_WORDS``."""
    return texts[:: sum(len(text.split()) for text in texts) // STYLE_WORDS + 1]


def _even(one: str, two: str) -> tuple[str, str]:
    """Both with as many words as the shorter one has, to the end of the sentence: of more text a fingerprint is
    steadier, and so nearer to any other."""
    size = min(len(words(one)), len(words(two)))
    return _cut(one, size), _cut(two, size)


def _cut(text: str, size: int) -> str:
    have = start = 0
    for end in _END.finditer(text):
        have, start = have + len(words(text[start : end.start()])), end.end()
        if have >= size:
            return text[:start]
    return text


def _perplexity(
    held: Sequence[Held], losses: Mapping[str, Any] | None, seed: int
) -> tuple[Perplexity | None, list[str]]:
    if not held:
        return None, ["No text was held out, so nothing says how well it knows texts that it has not seen."]
    sides = [_numbers(losses, side, len(held)) for side in ("before", "after")]
    if None in sides:
        return None, ["It could not be measured how well it knows the held-out texts."]
    own = [number for number, text in enumerate(held) if text.own]
    kept = own if len(own) >= OWN_TEXTS else range(len(held))
    chosen = [[pair[number] for number in kept] for pair in sides if pair is not None]
    nats, tokens = ([[pair[place] for pair in side] for side in chosen] for place in (0, 1))
    moved = change_of_share(nats[0], tokens[0], nats[1], tokens[1], seed=seed)
    before, after = (exp(min(one, 700.0)) for one in (moved.before, moved.after))
    return Perplexity(before, after, len(kept), all(held[number].own for number in kept), moved), []


def _numbers(losses: Mapping[str, Any] | None, side: str, size: int) -> list[tuple[float, float]] | None:
    """Nats and tokens of each text; None where one is missing or is no number."""
    try:
        found = (losses or {})[side]
        pairs = [(float(one), float(two)) for one, two in zip(found["nats"], found["tokens"], strict=True)]
    except (KeyError, TypeError, ValueError):
        return None
    sound = all(isfinite(nats) and nats >= 0 and isfinite(tokens) and tokens > 0 for nats, tokens in pairs)
    return pairs if sound and len(pairs) == size else None


def _blind(pairs: Sequence[Pair]) -> Duel | None:
    chosen = [OUTCOMES[pair.choice] for pair in pairs if pair.choice in OUTCOMES]
    return duel(chosen) if chosen else None


def _judged(pairs: Sequence[Pair]) -> list[Judged]:
    said = [pair.judged for pair in pairs if isinstance(pair.judged, Mapping)]
    names = dict.fromkeys(name for by_judge in said for name in by_judge)
    return [_of_judge(name, [by_judge[name] for by_judge in said if name in by_judge]) for name in names]


def _of_judge(name: str, said: Sequence[Any]) -> Judged:
    read = [one for one in said if isinstance(one, Mapping) and _known(one.get("winner"))]
    outcomes = [OUTCOMES[one["winner"]] if one.get("agreed") is True else 0 for one in read]
    answers = [answer for one in read for answer in _in_order(one)]
    return Judged(
        judge=name,
        duel=duel(outcomes),
        disagreed=sum(one.get("agreed") is not True for one in read),
        named_first=sum(place == answer for place, answer in answers),
        answers=len(answers),
        unusable=len(said) - len(read),
    )


def _in_order(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What came first and what was named, of each answer that is known. Agreed is what was named twice."""
    first = said.get("first")
    second = said.get("second", said["winner"] if said.get("agreed") is True else None)
    return [(place, str(named)) for place, named in (("before", first), ("after", second)) if _known(named)]


def _known(named: object) -> bool:
    return isinstance(named, str) and named in OUTCOMES
