"""Fine-tunes and versions in a writer's words. Pure: rows in, sentences out. A row may hold anything: what cannot be
read is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zega_core.analytics import in_words, plural, took
from zega_core.charts import Point, lowest
from zega_core.fine_tuning import NO_HELP
from zega_core.quality.validation import number
from zega_core.tables import RunStatus
from zega_core.version_tables import FineTune, TrainingMetric, Version

PHASES = {
    "preparing": "Preparing your examples",
    "loading": "Loading the model",
    "training": "Learning",
    "trying": "Finding out how much of it to keep",
    "measuring": "Measuring it on texts that it has never seen",
    "saving": "Saving the new version",
}
FEW_TEXTS = 30
"""Held-out texts below which a difference is told as a hint."""
HUGE = 1e15


def base_name(base: str) -> str:
    """In the middle of a sentence."""
    return base or "the built-in model"


def heading(row: FineTune) -> str:
    """What a fine-tune under way is at."""
    if row.status == RunStatus.queued:
        return "Waiting for the worker"
    if row.status == RunStatus.stopping:
        return "Stopping"
    return PHASES.get(row.phase, "Beginning")


def steps(row: FineTune) -> int:
    """How many steps it takes; 0 as long as that is not known."""
    return int(number(row.steps, 0, HUGE) or 0)


def progress(row: FineTune, *, speed: bool = True) -> tuple[float, str]:
    """The share that is done, 0 to 1, and when it will be; with ``speed`` how fast it goes on, too."""
    step, last = number(row.step, 0, HUGE), steps(row)
    if row.status == RunStatus.queued or not last or step is None:
        return 0.0, "Nothing has been learned yet"
    said = [f"Step {min(step, last):,.0f} of {last:,}"]
    rate, left = number(row.tokens_per_second, 0, HUGE), number(row.seconds_left, 0, HUGE)
    if rate and speed:
        said.append(f"{rate:,.0f} tokens a second")
    if left is not None and row.phase == "training" and row.status == RunStatus.running:
        said.append(f"{in_words(left)} left")
    return min(1.0, step / last), " · ".join(said)


def notes(row: FineTune) -> list[str]:
    """What the writer should know of how it went."""
    return [str(note) for note in row.notes] if isinstance(row.notes, list) else []


def curve(metrics: Iterable[TrainingMetric]) -> tuple[list[Point], list[Point]]:
    """Training and validation losses by step, in nats a token."""
    training: list[Point] = []
    validation: list[Point] = []
    for metric in metrics:
        for points, value in ((training, metric.loss), (validation, metric.validation_loss)):
            loss = number(value, 0, HUGE)
            if loss is not None:
                points.append((metric.step, loss))
    return training, validation


def curve_in_words(training: list[Point], validation: list[Point]) -> str:
    """What the chart of losses shows, for those who do not see it."""
    said = []
    if training:
        (first, before), (last, after) = training[0], training[-1]
        said.append(f"On the texts it learns from {before:.2f} at step {first:,} and {after:.2f} at step {last:,}.")
    best = lowest(validation)
    if best is not None:
        said.append(
            f"On the texts kept aside {validation[0][1]:.2f} at step {validation[0][0]:,}, "
            f"at best {best[1]:.2f} at step {best[0]:,}."
        )
    return " ".join(["Loss by step.", *said]) if said else "No loss has been measured yet."


@dataclass(frozen=True, slots=True)
class Measured:
    """Perplexities on ``texts`` held-out texts: of the bare base model, of what was in use before, of the version."""

    base: float | None
    before: float
    after: float
    texts: int
    own: bool


def measured(version: Version) -> Measured | None:
    """What a version's measurements say; None where nothing was held out or nothing can be read."""
    found = version.metrics if isinstance(version.metrics, dict) else {}
    base, before, after = (number(found.get(f"perplexity_{name}"), 1, HUGE) for name in ("base", "before", "after"))
    texts = number(found.get("held_out_texts"), 1, HUGE)
    if before is None or after is None or texts is None:
        return None
    return Measured(base, before, after, int(texts), found.get("held_out_own") is True)


def perplexity(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}"


def surprise(version: Version) -> str:
    """What the perplexity on texts that it has never seen says, and what it does not."""
    found = measured(version)
    if found is None:
        return "No text could be kept aside to try it on, so it is not known how it does on texts it has not seen."
    before, after = perplexity(found.before), perplexity(found.after)
    whose, what = (" of your own", "your writing") if found.own else ("", "such texts")
    caveat = "So few texts give a hint, no proof." if found.texts < FEW_TEXTS else ""
    if before == after:
        change = f"stayed at {after}: it is as surprised by {what} as before."
    elif found.after < found.before:
        change = f"fell from {before} to {after}: it is less surprised by {what}."
        caveat = f"That alone does not show that it writes better. {caveat}".strip()
    else:
        change = f"rose from {before} to {after}: it is more surprised by {what} than before."
    said = [f"On {plural(found.texts, 'text')}{whose} that it has never seen, perplexity {change}"]
    if found.base is not None and found.base != found.before:
        said.append(f"{version.base or 'The built-in model'} alone has {perplexity(found.base)}.")
    return " ".join([*said, caveat]).strip()


def apart(first: Version, second: Version) -> str:
    """A sentence where what was measured of two versions says nothing of one against the other."""
    if (first.data_hash, first.base_hash) == (second.data_hash, second.base_hash):
        return ""
    return (
        "Each was measured on the texts kept aside at its time, by the words of its base model. So their losses and "
        "perplexities cannot be compared with each other, only before and after of the same version."
    )


def can_continue(row: FineTune) -> bool:
    """Whether it makes sense to go on with it: one that learned nothing of use would end the same again."""
    ended = row.status in (RunStatus.stopped, RunStatus.failed)
    return ended and row.version_number is None and row.error != NO_HELP


def outcome(row: FineTune, version: Version | None) -> str:
    """What came of a fine-tune that has ended, in one paragraph."""
    if version is not None:
        stopped = isinstance(version.metrics, dict) and version.metrics.get("stopped") is True
        from_what = "It learned from"
        if version.parent is not None:
            from_what = f"It went on from v{version.parent} with the new ones, and some of the others, of"
        said = [f"{from_what} {_learned(version)} in {took(number(version.seconds, 0, HUGE) or 0.0)}."]
        if stopped:
            said.append("You stopped it early; this is the best that it had reached.")
        return " ".join(said)
    if row.version_number is not None:
        return f"It made v{row.version_number}, which has been deleted since."
    if row.status == RunStatus.stopped:
        return "You stopped it before it had learned anything worth keeping. Your examples and versions are as before."
    return "It made no version. Your examples and versions are as before."


def _learned(version: Version) -> str:
    share = number(version.own_share, 0, 1)
    whose = "" if share is None else f", with {f'{share:.0%}' if share else 'none'} of the words your own,"
    return plural(version.examples, "example") + whose


def standing(model: str, version: Version, promoted: Version | None) -> str:
    """Which model writes now. ``model`` is what the writer's model is called, such as zega-ana."""
    if promoted is not None and promoted.number == version.number:
        return f"v{version.number} is in use: {model} writes with it."
    who = "the base model" if promoted is None else f"v{promoted.number}"
    return f"v{version.number} is not in use: {model} still writes with {who}."


def title(version: Version) -> str:
    """Number and name."""
    name = " ".join(version.name.split())
    return f"v{version.number} · {name}" if name else f"v{version.number}"


def origin(version: Version) -> str:
    """What it was built on."""
    if version.parent is None:
        return f"from {base_name(version.base)}"
    return f"from v{version.parent}, on {base_name(version.base)}"


def facts(version: Version) -> str:
    """The figures of a version in a line."""
    share, seconds = number(version.own_share, 0, 1), number(version.seconds, 0, HUGE)
    found = measured(version)
    said = [
        plural(version.examples, "example"),
        "" if share is None else f"{share:.0%} your own words",
        f"perplexity {perplexity(found.before)} → {perplexity(found.after)}" if found else "perplexity not measured",
        size(version.size_bytes),
        "" if seconds is None else took(seconds),
    ]
    return " · ".join(filter(None, said))


def size(amount: int) -> str:
    """Bytes in the unit that suits them."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if amount >= factor:
            return f"{amount / factor:.1f} {unit}"
    return f"{amount:,} bytes"
