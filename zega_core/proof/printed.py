"""The figures of a proof as lines of text, each with its interval: for the command line and the documents. Pure."""

from __future__ import annotations

from zega_core.proof.figures import LEVEL, Change, Duel, Figures
from zega_core.proof.rule import Verdict

_KINDS = {"better": "Better", "not_shown": "Not shown", "worse": "Worse"}


def printed(figures: Figures, verdict: Verdict) -> list[str]:
    """The verdict, its reasons, and a table: figure, before, after, interval of the difference (of duels: of the
    share)."""
    rows = [("", "before", "after", f"{LEVEL:.0%} interval"), *_measured(figures), *_counted(figures), *_duels(figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:<{widths[3]}}".rstrip()
        for row in rows
    ]
    many = f"{figures.prompts} prompts, {figures.held_out_prompts} of them held out."
    return [f"{_KINDS[verdict.kind]}. {many}", *(f"- {reason}" for reason in verdict.reasons), "", *table]


Row = tuple[str, str, str, str]


def _measured(figures: Figures) -> list[Row]:
    style, perplexity = figures.style, figures.perplexity
    rows = []
    if style:
        rows.append(_change("Distance to your style" if style.own else "Distance to trained style", style.change, 2))
    if perplexity:
        name = f"Perplexity, {perplexity.texts} {'own ' if perplexity.own else ''}held-out texts"
        nats = f"{perplexity.change.low:+.3f} to {perplexity.change.high:+.3f} nats"
        rows.append((name, f"{perplexity.before:.2f}", f"{perplexity.after:.2f}", nats))
    return [
        *rows,
        _change("Quality score, mean", figures.quality_mean, 2),
        _change("Words, median", figures.length, 0),
        _change("Distinct runs of 3 words", figures.diversity, 3),
        _change("Prompt's words taken up", figures.follows, 3),
        ("  by chance", f"{figures.chance_before:.3f}", f"{figures.chance:.3f}", ""),
        _change("Unknown words in 1,000", figures.unknown, 1),
    ]


def _counted(figures: Figures) -> list[Row]:
    copied, names = figures.copies, figures.bleed
    real = "" if copied.real is None else f"{copied.real:.1%} in held-out texts"
    return [
        ("Runs of 8 words from training", f"{copied.share_before:.1%}", f"{copied.share:.1%}", real),
        ("Longest run from training", str(copied.longest_before), str(copied.longest), ""),
        ("Names from training", f"{names.before:.0%}", f"{names.after:.0%}", ""),
        ("Repeats its prompt", f"{figures.echo_before:.0%}", f"{figures.echo_after:.0%}", ""),
        ("Cut off at the longest", f"{figures.unended_before:.0%}", f"{figures.unended_after:.0%}", ""),
    ]


def _duels(figures: Figures) -> list[Row]:
    rows = [_duel("Duels by quality score", figures.quality)]
    rows += [_duel(f"Duels by {one.judge}", one.duel) for one in figures.judged]
    return [*rows, *([_duel("Your blind choices", figures.blind)] if figures.blind else [])]


def _change(name: str, change: Change, digits: int) -> Row:
    interval = f"{change.low:+.{digits}f} to {change.high:+.{digits}f}"
    return name, f"{change.before:.{digits}f}", f"{change.after:.{digits}f}", interval


def _duel(name: str, duel: Duel) -> Row:
    """Who won how many; ties are named with the interval."""
    ties = f", {duel.ties} ties" if duel.ties else ""
    return name, str(duel.losses), str(duel.wins), f"{duel.share:.0%}: {duel.low:.0%} to {duel.high:.0%}{ties}"
