"""A verdict in one sentence without figures, for a writer who wants to write. Pure."""

from __future__ import annotations

from zega_core.proof.figures import Figures, Style
from zega_core.proof.rule import chosen_by, found_against, gains


def plainly(kind: str, figures: Figures | None, new: str, old: str) -> str:
    """What a verdict of this ``kind`` on these ``figures`` says of ``new`` (at the head of a sentence) against ``old``;
    without figures that can be read, less of it. Empty for what is no verdict."""
    if kind == "better":
        return _better(figures, new, old)
    if kind == "worse":
        why = "" if figures is None else _why_worse(figures)
        return f"{new} writes worse than {old}{f': {why}' if why else ''}."
    return f"It was not shown that {new[:1].lower()}{new[1:]} writes better than {old}." if kind == "not_shown" else ""


def _better(figures: Figures | None, new: str, old: str) -> str:
    shown = set() if figures is None else {one.of for one in gains(figures)}
    if "choices" in shown:
        return f"{new} writes better than {old}: you preferred it, not knowing which was which."
    if figures is not None and figures.style is not None and "style" in shown:
        return f"{new} writes nearer to {_whose(figures.style)} than {old}, {_as_well(figures)}."
    if "quality" in shown:
        return f"{new} writes better than {old}, by its quality score."
    if "judge" in shown:
        return f"{new} writes better than {old}: a judge prefers it in whichever order it reads the two."
    return f"{new} writes better than {old}."


def _whose(style: Style) -> str:
    return "your style" if style.own else "the style of the texts it learned from"


def _as_well(figures: Figures) -> str:
    if figures.quality.low > 0.5:
        return "and better by its quality score"
    return "though with a lower quality score" if figures.quality.high < 0.5 else "and about as well"


def _why_worse(figures: Figures) -> str:
    if chosen_by(figures.blind) == "worse":
        return "you preferred the other, not knowing which was which"
    return next((one.plain for one in found_against(figures) if one.kind == "harm"), "")
