"""What must not happen to a model that is put in use: each guard with its tolerance. ``docs/proof.md`` argues them.

A guard has one tolerance. Where the whole interval lies beyond it, harm is shown; where only the figure does, it holds
a better verdict back; else it says nothing. So noise condemns nothing, and nothing is called better on a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from zega_core.proof.figures import Figures
from zega_core.proof.statistics import wilson

QUALITY_LOST = 0.5
"""Points of the mean quality score (0 to 10) that a voice of one's own may cost."""
COPIED, LONG_RUN = 0.1, 35
"""Share of word 8-grams beyond what real texts have, and words of a run: 50 tokens, which is what Carlini et al. 2023,
"Quantifying Memorization Across Neural Language Models", call memorised, are 35 words at 1.45 tokens a word."""
LENGTH_KEPT = 0.5
"""Of the usual length: that of before or of the trained texts, whichever is less."""
ECHOES = 0.1
"""Share of answers that mainly repeat their prompt, beyond that of before."""
DIVERSITY_LOST = 0.1
"""Share of distinct word 3-grams (0 to 1)."""
MADE_UP = 10.0
"""Unknown words in 1,000 beyond before and real texts: one in every hundred words is seen on every page."""
FOLLOWING_KEPT, FOLLOWING_LEAST = 0.5, 0.05
"""Of what before takes up of its prompts beyond chance; and how much that must be to be kept at all."""
SURPRISE, SURPRISE_TEXTS = 0.05, 5
"""Nats a token on held-out texts, and how many texts it takes to show harm."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``seen`` is whether the writer sees it in two answers side by side, so that a blind choice has weighed it.
    ``plain`` is what ``text`` says, without figures and for the end of a sentence."""

    kind: Literal["harm", "hold"]
    text: str
    plain: str
    seen: bool = True


def found(figures: Figures) -> list[Finding]:
    """What the guards say, the gravest kind of it first."""
    said = [finding for guard in GUARDS if (finding := guard(figures))]
    return sorted(said, key=lambda finding: finding.kind != "harm")


def _finding(shown: bool, beyond: bool, plain: str, figures: str, *, seen: bool = True) -> Finding | None:
    if not (shown or beyond):
        return None
    text = f"{plain[0].upper()}{plain[1:]}: {figures}"
    return Finding(
        "harm" if shown else "hold",
        text if shown else f"{text} It may be chance, but is too much to call it better.",
        plain,
        seen,
    )


def _quality(figures: Figures) -> Finding | None:
    mean = figures.quality_mean
    said = f"{mean.before:.2f} to {mean.after:.2f} on average (difference {mean.low:+.2f} to {mean.high:+.2f})."
    lost = mean.after - mean.before < -QUALITY_LOST
    return _finding(mean.high < -QUALITY_LOST, lost, "its texts score lower", said)


def _copies(figures: Figures) -> Finding | None:
    one = figures.copies
    beyond = one.share > max(one.share_before, one.real or 0.0) + COPIED
    long = one.longest >= LONG_RUN and one.longest > one.longest_before
    said = (
        f"{one.share:.0%} of what it writes stands word for word in those texts "
        f"({one.share_before:.0%} before), {one.longest} words in one piece."
    )
    return _finding(beyond and long, False, "it repeats what it was trained on", said, seen=False)


def _length(figures: Figures) -> Finding | None:
    one = figures.length
    usual = one.before if figures.length_trained is None else min(one.before, figures.length_trained)
    least = LENGTH_KEPT * usual
    said = f"{one.before:.0f} to {one.after:.0f} words."
    return _finding(one.before + one.high < least, one.after < least, "its texts have become very short", said)


def _echo(figures: Figures) -> Finding | None:
    most = figures.echo_before + ECHOES
    low, _ = wilson(figures.echo_after, figures.prompts)
    said = f"in {figures.echo_after:.0%} of its answers, before in {figures.echo_before:.0%}."
    return _finding(low > most, figures.echo_after > most, "it repeats its prompts", said)


def _diversity(figures: Figures) -> Finding | None:
    one = figures.diversity
    said = (
        f"{one.before:.0%} to {one.after:.0%} of their runs of three words are distinct "
        f"(difference {100 * one.low:+.0f} to {100 * one.high:+.0f} points)."
    )
    lost = one.after - one.before < -DIVERSITY_LOST
    return _finding(one.high < -DIVERSITY_LOST, lost, "its texts are much alike", said, seen=False)


def _unknown(figures: Figures) -> Finding | None:
    one = figures.unknown
    most = max(one.before, figures.unknown_real or 0.0) + MADE_UP
    said = (
        f"{one.before:.1f} to {one.after:.1f} in 1,000 are in no book (difference {one.low:+.1f} to {one.high:+.1f})."
    )
    return _finding(one.before + one.low > most, one.after > most, "it makes words up", said)


def _follows(figures: Figures) -> Finding | None:
    one = figures.follows
    usual = one.before - figures.chance_before
    least = FOLLOWING_KEPT * usual + figures.chance
    said = (
        f"it takes up {one.after:.0%} of their words, before {one.before:.0%} ({figures.chance:.0%} would be chance)."
    )
    if usual < FOLLOWING_LEAST:
        return None
    return _finding(one.before + one.high < least, one.after < least, "it follows its prompts less", said)


def _surprise(figures: Figures) -> Finding | None:
    one = figures.perplexity
    if one is None:
        return None
    whose = "your held-out texts" if one.own else "held-out texts"
    said = f"perplexity {one.before:.1f} to {one.after:.1f}."
    shown = one.own and one.texts >= SURPRISE_TEXTS and one.change.low > SURPRISE
    return _finding(shown, one.change.after - one.change.before > SURPRISE, f"it knows {whose} less well", said)


GUARDS: Sequence[Callable[[Figures], Finding | None]] = (
    *(_quality, _copies, _length, _echo, _diversity, _unknown, _follows, _surprise),
)
