"""Is the new version better? One rule, whose reasons and thresholds are argued in ``docs/proof.md``. Pure.

1. Fewer than ``PROMPTS`` prompts: not shown.
2. The writer's own blind choices decide, where they are clear: against it, it is worse; for it, it is better unless a
   guard trips that no pair of texts shows.
3. Harm that is shown (``guards``, or a judge): worse.
4. A gain that is shown, and nothing that holds it back: better.
5. Else it is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from zega_core.proof.figures import Duel, Figures, Judged, Style
from zega_core.proof.guards import Finding, found

PROMPTS = 30
"""Below that an interval is so wide that only what nobody needs measured is outside it."""
CHOICES = 10
"""Blind choices of the writer that count."""
JUDGEMENTS = 10
"""Pairs that a judge must have judged."""
STEADY, ONE_PLACE = 0.5, 0.8
"""Share of pairs in which a judge must name the same text in both orders; and share of its answers from which on it is
said to name a place rather than a text."""
LOST = 0.4
"""Share of duels that a judge may give to the new version, who prefers the usual to a voice, before that is harm."""
TOLD = 0.25
"""Rise of a share of answers (names taken over, no end) that is told, though it decides nothing."""

Kind = Literal["better", "not_shown", "worse"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reasons`` are sentences for the writer, those that decided first."""

    kind: Kind
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class Gain:
    """What is shown to be better: ``of`` what, and a sentence with its figures."""

    of: Literal["choices", "style", "quality", "judge"]
    text: str


def verdict(figures: Figures) -> Verdict:
    """The same figures give the same verdict; nothing is raised."""
    notes = [*_unfit_judges(figures), *_told(figures)]
    if figures.prompts < PROMPTS:
        few = f"It was tried on {figures.prompts} prompts; it takes {PROMPTS} to show anything."
        return Verdict("not_shown", [few, *figures.missing, *notes])
    if figures.same == figures.prompts:
        return Verdict("not_shown", ["Both wrote the same text on every prompt: there is no difference.", *notes])
    findings = found_against(figures)
    chosen = chosen_by(figures.blind)
    harms, holds = _texts(findings, "harm"), _texts(findings, "hold")
    gained = [one.text for one in gains(figures)]
    if chosen == "worse":
        return Verdict("worse", [_blind(figures.blind), *harms, *notes])
    if harms:
        return Verdict("worse", [*harms, *notes])
    if chosen == "better":
        return Verdict("better", [*gained, *notes])
    holds += _held_back(figures)
    if gained and not holds:
        return Verdict("better", [*gained, *_price(figures), *notes])
    return Verdict("not_shown", [*holds, *gained, *(() if gained else _unclear(figures)), *figures.missing, *notes])


def usable(judge: Judged) -> bool:
    """Whether a judge's duels count: enough of them, mostly answered, and mostly the same in both orders."""
    judged = _number(judge.duel)
    return judged >= JUDGEMENTS and judge.unusable <= judged and judge.disagreed <= (1 - STEADY) * judged


def chosen_by(blind: Duel | None) -> Kind:
    """What the writer's blind choices say; they say nothing where there are too few."""
    if blind is None or _number(blind) < CHOICES:
        return "not_shown"
    return "better" if blind.low > 0.5 else "worse" if blind.high < 0.5 else "not_shown"


def found_against(figures: Figures) -> list[Finding]:
    """What guards and judges have against it; where the writer chose it, only what no pair of texts shows."""
    every = [*found(figures), *_judges_against(figures)]
    if chosen_by(figures.blind) == "better":
        return [one for one in every if one.kind == "harm" and not one.seen]
    return every


def gains(figures: Figures) -> list[Gain]:
    """What is shown to be better, the writer's own word first."""
    said = [Gain("choices", _blind(figures.blind))] if chosen_by(figures.blind) == "better" else []
    if figures.style and figures.style.change.high < 0 and _no_more_surprised(figures):
        said.append(Gain("style", _nearer(figures.style)))
    if figures.quality.low > 0.5:
        said.append(Gain("quality", f"By its quality score, {_won(figures.quality)}"))
    judges = [one for one in figures.judged if usable(one)]
    if all(one.duel.share >= 0.5 for one in judges):  # who asks many judges must not find one that happens to agree
        won = [one for one in judges if one.duel.low > 0.5]
        said += [Gain("judge", f"Asked in both orders, for {one.judge} {_won(one.duel)}") for one in won]
    return said


def _no_more_surprised(figures: Figures) -> bool:
    """A style can be aped while the writer's texts are forgotten: they must not have become stranger."""
    return figures.perplexity is not None and figures.perplexity.change.after <= figures.perplexity.change.before


def _held_back(figures: Figures) -> list[str]:
    """What speaks against a gain without being harm."""
    said = []
    if figures.style and figures.style.change.low > 0:
        said.append(_moved(figures.style, "It went away from {}"))
    if figures.blind and _number(figures.blind) >= CHOICES and figures.blind.share < 0.5:
        said.append(_blind(figures.blind))
    return said


def _judges_against(figures: Figures) -> list[Finding]:
    return [
        Finding(
            "harm" if one.duel.high < LOST else "hold",
            f"Asked in both orders, for {one.judge} {_won(one.duel)}",
            "a judge prefers the other",
        )
        for one in figures.judged
        if usable(one) and one.duel.share < LOST
    ]


def _unfit_judges(figures: Figures) -> list[str]:
    return [_unfit(one) for one in figures.judged if not usable(one)]


def _unfit(judge: Judged) -> str:
    judged = _number(judge.duel)
    asked = judged + judge.unusable
    if judge.unusable > judged:
        return f"{judge.judge} gave no usable answer on {judge.unusable} of {asked} prompts, so it counts for nothing."
    if judged < JUDGEMENTS:
        return f"{judge.judge} judged {judged} prompts; it takes {JUDGEMENTS} to count."
    if judge.answers and judge.named_first >= ONE_PLACE * judge.answers:
        return (
            f"{judge.judge} named the text that came first in {judge.named_first} of {judge.answers} answers, "
            "whichever it was, so it counts for nothing."
        )
    return (
        f"{judge.judge} named another text when the order was swapped on {judge.disagreed} of {judged} prompts, so it "
        "counts for nothing."
    )


def _told(figures: Figures) -> list[str]:
    said, names = [], figures.bleed
    if names.after - names.before > TOLD and names.names:
        said.append(
            f"Names from the texts it learned from ({', '.join(names.names)}) stand in {names.after:.0%} of its "
            f"answers to prompts that do not name them, before in {names.before:.0%}."
        )
    if figures.unended_after - figures.unended_before > TOLD:
        said.append(
            f"Of its answers, {figures.unended_after:.0%} were cut off at the longest length, before "
            f"{figures.unended_before:.0%}."
        )
    return said


def _price(figures: Figures) -> list[str]:
    if figures.quality.high >= 0.5:
        return []
    mean = figures.quality_mean
    return [
        f"Its quality score is a little lower ({mean.before:.2f} to {mean.after:.2f} on average), which can be the "
        "price of a voice of its own."
    ]


def _unclear(figures: Figures) -> list[str]:
    """What was measured without showing anything."""
    said = []
    if style := figures.style:
        if style.change.high < 0:
            said.append(f"{_nearer(style)} That counts only where held-out texts have not become stranger to it.")
        elif style.change.low <= 0:
            said.append(_moved(style, "Whether it came nearer to {} is open"))
    said.append(f"By its quality score, {_won(figures.quality)}")
    said += [f"For {one.judge} {_won(one.duel)}" for one in figures.judged if usable(one) and one.duel.share >= LOST]
    if figures.blind and figures.blind.share >= 0.5:
        said.append(_blind(figures.blind))
    return said


def _nearer(style: Style) -> str:
    return _moved(style, "It came nearer to {}")


def _moved(style: Style, how: str) -> str:
    whose = "your style" if style.own else "the style of the texts it learned from"
    one = style.change
    return (
        f"{how.format(whose)}: distance {one.before:.2f} to {one.after:.2f} "
        f"(difference {one.low:+.2f} to {one.high:+.2f})."
    )


def _won(duel: Duel) -> str:
    ties = f" and {duel.ties} ties" if duel.ties else ""
    return (
        f"it won {duel.wins} and lost {duel.losses} of {_number(duel)} duels{ties}: {duel.share:.0%} "
        f"(between {duel.low:.0%} and {duel.high:.0%})."
    )


def _blind(blind: Duel | None) -> str:
    if blind is None:
        return ""
    few = "" if _number(blind) >= CHOICES else f" It takes {CHOICES} choices to count."
    ties = f", neither {blind.ties} times" if blind.ties else ""
    return (
        f"Not knowing which was which, you chose its text {blind.wins} times, the older one {blind.losses} times{ties}"
        f": {blind.share:.0%} (between {blind.low:.0%} and {blind.high:.0%}).{few}"
    )


def _number(duel: Duel) -> int:
    return duel.wins + duel.losses + duel.ties


def _texts(findings: Sequence[Finding], kind: str) -> list[str]:
    return [one.text for one in findings if one.kind == kind]
