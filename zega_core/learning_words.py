"""What a fine-tune would learn from, and how, in a writer's words. Pure: values in, sentences out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from zega_core.analytics import plural
from zega_core.configs import FineTuneConfig, checked
from zega_core.errors import InvalidInput
from zega_core.fine_tune.data import SCORE_WEIGHTS, SOURCE_WEIGHTS, Summary
from zega_core.tables import Source

SOURCES = {
    Source.manuscript: "Your own pages",
    Source.conversation: "Your answers",
    Source.rating: "Texts you chose or edited",
    Source.imported: "Imported pairs",
    Source.auto: "Teachers' pieces",
}
TIMES = {1.0: "once", 1.5: "one and a half times", 2.0: "twice"}
REFUSALS = {
    "every": "That is a whole number from 1 to 100,000. Leave the field empty for the usual one.",
    "base": "A model's name has at most 300 characters. Use an id such as HuggingFaceTB/SmolLM2-135M, or a folder.",
    "rank": "The rank is a whole number from 1 to 256. Leave the field empty for ZEGA's choice.",
    "alpha": "Alpha is a whole number from 1 to 1,024. Leave the field empty for ZEGA's choice.",
    "learning_rate": "The learning rate is above 0 and at most 0.1. Leave the field empty for ZEGA's choice.",
    "epochs": "Rounds are a whole number from 1 to 100. Leave the field empty for ZEGA's choice.",
    "batch_size": "A step takes a whole number of examples from 1 to 256. Leave the field empty for ZEGA's choice.",
    "max_length": "A window has a whole number of tokens from 64 to 4,096. Leave the field empty for ZEGA's choice.",
    "strength": "The strength is from 0.05 to 1. Leave the field empty for ZEGA's choice.",
    "seed": "A seed is a whole number from 0 to 2,147,483,647. Leave the field empty for the usual one.",
}


def changed(config: FineTuneConfig, **values: Any) -> FineTuneConfig:
    """``config`` with other values; raises InvalidInput with a sentence for the writer."""
    try:
        return checked(FineTuneConfig, **{**dict(config), **values})
    except InvalidInput as error:
        cause = error.__cause__
        first = cause.errors()[0] if isinstance(cause, ValidationError) else None
        if first is None or first["type"] == "value_error" or not first["loc"]:
            raise
        raise InvalidInput(REFUSALS.get(str(first["loc"][0]), str(error))) from error


def how_much(summary: Summary) -> str:
    """All of it in a sentence."""
    return (
        f"{plural(summary.examples, 'example')} on {plural(summary.prompts, 'prompt')}, "
        f"{plural(summary.words, 'word')} in all."
    )


def sources(summary: Summary) -> list[str]:
    """A line for each source that there is, the writer's own words first."""
    found = []
    for source, label in SOURCES.items():
        number, said = summary.sources.get(source, 0), summary.source_words.get(source, 0)
        if number:
            weight = SOURCE_WEIGHTS[source]
            counts = "" if weight == 1 else f", each counts {TIMES[weight]}"
            found.append(f"{label}: {plural(number, 'example')}, {plural(said, 'word')}{counts}")
    return found


def bands(summary: Summary) -> str:
    """How the scores weigh."""
    said = []
    for least, weight in SCORE_WEIGHTS:
        number = summary.bands.get(f"{weight:g}", 0)
        if number:
            which = f"score {least:g} or more" if least else "score less"
            said.append(f"{number:,} {which} and count {TIMES[weight]}")
    return f"By quality: {'; '.join(said)}." if said else ""


def splits(summary: Summary) -> str:
    """What the examples are for."""
    train, validation, held_out = (summary.splits.get(side, 0) for side in ("train", "validation", "held_out"))
    return (
        f"It learns from {train:,}. {validation:,} are kept aside to tell when it has learned enough, and {held_out:,} "
        "that it never sees to measure it."
    )


def own_words() -> str:
    """What the writer's own words weigh."""
    more = SOURCE_WEIGHTS[Source.manuscript] / SOURCE_WEIGHTS[Source.auto]
    return f"Your own words weigh most: a page of yours counts {TIMES[more]} as much as a teacher's of the same score."


def left_out(summary: Summary) -> str:
    """What it does not learn from, and why; empty when nothing is left out."""
    reasons = [f"{number:,} ({reason})" for reason, number in summary.left_out.items() if number]
    return f"Left out: {_listed(reasons)}." if reasons else ""


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)
