"""The figures of a proof in words: the lines of a table, and style. Pure. A figure may be no number: it is a dash
then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zega_core import providers
from zega_core.analytics import plural
from zega_core.fine_tune_words import perplexity
from zega_core.proof.figures import LEVEL, Axis, Change, Duel, Figures, Perplexity, Style
from zega_core.proof_tables import Proof
from zega_core.quality.validation import number

HUGE = 1e12
NEAR = 0.1
"""Standard deviations of published prose below which a version is not said to have moved on a side of style."""


def model(version_number: int | None) -> str:
    """In the middle of a sentence."""
    return "the base model" if version_number is None else f"v{version_number}"


def before(row: Proof) -> str:
    """At the head of a column."""
    return "Base model" if row.against is None else f"v{row.against}"


def after(row: Proof) -> str:
    return f"v{row.version_number}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what is looked at, of both, and what it means. ``interval`` is of the difference."""

    what: str
    before: str
    after: str
    means: str
    interval: str = ""


def table(found: Figures) -> list[Row]:
    """The figures that matter."""
    rows = []
    if found.style is not None:
        whose = "your style" if found.style.own else "your kept texts"
        means = _means(found.style.change, less=f"nearer to {whose}", more=f"further from {whose}")
        rows.append(_changed(f"Distance to {whose}", found.style.change, "{:.2f}", means))
    won = found.quality
    means = f"higher on {won.wins:,}, lower on {won.losses:,}"
    rows.append(_changed("Quality score, of 10", found.quality_mean, "{:.1f}", means))
    if found.perplexity is not None:
        rows.append(_surprise(found.perplexity))
    means = _means(found.follows, less="takes up less of the prompt", more="takes up more of the prompt")
    rows.append(_changed("Words of the prompt taken up", found.follows, "{:.0%}", means))
    rows += [_duel(f"Chosen by {providers.label_of(one.judge)}", one.duel) for one in found.judged]
    if found.blind is not None:
        rows.append(_duel("Chosen by you, blind", found.blind))
    return rows


def _surprise(found: Perplexity) -> Row:
    whose = "your texts" if found.own else "such texts"
    means = _means(found.change, less=f"less surprised by {whose}", more=f"more surprised by {whose}")
    shown = [perplexity(value) if _finite(value) else "–" for value in (found.before, found.after)]
    interval = f"{_interval(found.change, '{:+.2f}')} nats a token"
    return Row("Perplexity on unseen texts", shown[0], shown[1], means, interval)


def details(found: Figures) -> list[Row]:
    """The others."""
    copies, bleed = found.copies, found.bleed
    return [
        _changed("Length in words", found.length, "{:,.0f}", _means(found.length, less="shorter", more="longer")),
        _changed(
            "Variety of its phrases", found.diversity, "{:.0%}", _means(found.diversity, less="less", more="more")
        ),
        _changed(
            "Words in 1,000 that are no words",
            found.unknown,
            "{:.1f}",
            _means(found.unknown, less="fewer", more="more"),
        ),
        Row("Mainly repeats its prompt", _percent(found.echo_before), _percent(found.echo_after), ""),
        Row("Did not come to an end", _percent(found.unended_before), _percent(found.unended_after), ""),
        Row("Longest run of words copied", f"{copies.longest_before:,}", f"{copies.longest:,}", _run(copies.run)),
        Row(
            "Copied from its training texts", _percent(copies.share_before), _percent(copies.share), _usual(copies.real)
        ),
        Row("Names that nobody asked for", _percent(bleed.before), _percent(bleed.after), ", ".join(bleed.names)[:200]),
    ]


def _run(words: str) -> str:
    return f"“{words[:300]}”" if words.strip() else ""


def _usual(real: float | None) -> str:
    return "" if real is None else f"{_percent(real)} is what texts share that nobody copied"


def _means(change: Change, *, less: str, more: str) -> str:
    """Only an interval without zero says something."""
    if not (_finite(change.low) and _finite(change.high)):
        return "not measured"
    return less if change.high < 0 else more if change.low > 0 else "no difference shown"


def _finite(value: object) -> bool:
    return number(value, -HUGE, HUGE) is not None


def _shown(value: float, form: str) -> str:
    return form.format(value) if _finite(value) else "–"


def _percent(value: float) -> str:
    return _shown(value, "{:.1%}" if 0 < value < 0.1 else "{:.0%}")


def _interval(change: Change, form: str) -> str:
    return f"{_shown(change.low, form)} to {_shown(change.high, form)}"


def _changed(what: str, change: Change, form: str, means: str) -> Row:
    shown = _shown(change.before, form), _shown(change.after, form)
    signed = form.replace("{:", "{:+").replace(".0%", ".1%").replace(".1f", ".2f")
    return Row(what, *shown, means, _interval(change, signed))


def _duel(what: str, duel: Duel) -> Row:
    ties = f", {duel.ties:,} alike" if duel.ties else ""
    interval = f"share won {_shown(duel.low, '{:.0%}')} to {_shown(duel.high, '{:.0%}')}"
    return Row(
        what,
        f"{duel.losses:,}",
        f"{duel.wins:,}",
        f"of {plural(duel.wins + duel.losses + duel.ties, 'pair')}{ties}",
        interval,
    )


def how_sure() -> str:
    """What an interval says."""
    return (
        f"In {LEVEL:.0%} of such proofs the true difference lies between the two numbers. Where zero does, too, no "
        "difference is shown."
    )


def sides(found: Style) -> list[Axis]:
    """Those of a style that can be drawn."""
    return [one for one in found.axes if None not in (number(value, -HUGE, HUGE) for value in _values(one))]


def _values(one: Axis) -> tuple[float, float, float]:
    return one.before, one.after, one.writer


def style(found: Style, row: Proof) -> str:
    """Where the version came nearer to the writer, and where not, in one or two sentences."""
    moved = {one.label: abs(one.before - one.writer) - abs(one.after - one.writer) for one in sides(found)}
    nearer = _most([label for label in sorted(moved, key=lambda one: -moved[one]) if moved[label] >= NEAR])
    further = _most([label for label in sorted(moved, key=lambda one: moved[one]) if moved[label] <= -NEAR])
    you = "you" if found.own else "the texts that you kept"
    if not nearer and not further:
        return f"{after(row)} is about as near to {you} as {model(row.against)}, on every side."
    said = f"{after(row)} came nearer to {you} in {nearer or 'nothing'}"
    return f"{said}, and is further away in {further}." if further else f"{said}, and on no side is it further away."


def _most(labels: Sequence[str]) -> str:
    """At most three."""
    shown = [" ".join(label.split()).lower().replace(", ", " or ")[:40] for label in labels[:3]]
    return ", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else "".join(shown)


def style_in_numbers(found: Style, row: Proof) -> str:
    """For those who do not see the radar."""
    said = [f"{one.label}: {one.before:+.1f}, {one.after:+.1f}, {one.writer:+.1f}" for one in sides(found)]
    return (
        f"Style in standard deviations from published prose, of {before(row)}, {after(row)} and {whose(found)}: "
        f"{'; '.join(said)}"
    )


def no_style(row: Proof, found: Figures | None) -> str:
    """Why there is no radar."""
    if found is None:
        return "Style is measured at the end of a proof." if not row.verdict else "Its figures cannot be read."
    return " ".join(["Style was not compared.", *found.missing])


def whose(found: Style) -> str:
    return "You" if found.own else "Your kept texts"


def measured_on(found: Style) -> str:
    """What the writer's side of a radar is."""
    what = "texts of your own" if found.own else "the texts that you kept, because there are too few of your own"
    return (
        f"Your side was measured on {plural(found.words, 'word')} of {what}. The middle ring is published prose: "
        "further out is more of it than there, further in is less."
    )
