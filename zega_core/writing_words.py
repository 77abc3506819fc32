"""Requests and takes in a writer's words. Pure: rows in, sentences out. A row may hold anything: what cannot be read is
left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zega_core.analytics import plural, took
from zega_core.dataset import words
from zega_core.tables import Example, ExampleStatus
from zega_core.writing_configs import WritingConfig
from zega_core.writing_tables import Take, TakeState, Writing

TITLE = 60
"""Characters."""
TASKS = {"write": "Write", "continue": "Go on with my text", "rewrite": "Rewrite this in my voice"}
UNNAMED = ("First text", "Second text")


def title(writing: Writing) -> str:
    """What a request is called in a list: the beginning of its brief, or of the text to work on."""
    before = {"continue": "Continue: ", "rewrite": "Rewrite: "}.get(writing.task, "")
    text = " ".join((writing.brief or writing.given)[: 4 * TITLE].split()) or "Without a brief"
    if len(text) > TITLE:
        text = f"{text[:TITLE].rsplit(' ', 1)[0]}…"
    return f"{before}{text}"


def choices(config: WritingConfig) -> str:
    """How it will be written, in a line."""
    hints = "hints on your style" if config.hints else "no hints"
    memory = "memory" if config.recall and config.memory else "no memory"
    return f"Up to {config.words} words · daring {config.temperature:.1f} · {hints} · {memory}"


def groups(takes: Sequence[Take]) -> list[list[Take]]:
    """One text, or two that were asked for side by side, in the order in which they were asked for."""
    found: list[list[Take]] = []
    for take in sorted(takes, key=lambda take: take.number):
        if take.pair and found and found[-1][0].pair == take.pair:
            found[-1].append(take)
        else:
            found.append([take])
    return found


def is_named(take: Take, takes: Sequence[Take]) -> bool:
    """Whether the writer may see who wrote it: at once, or once they have chosen. Where there is nothing to choose
    between any more, too."""
    both = [one for one in takes if one.pair == take.pair]
    if not take.blind or any(one.chosen is not None for one in both):
        return True
    return any(one.state != TakeState.writing and not one.text.strip() for one in both)


def label(take: Take, takes: Sequence[Take]) -> str:
    """Who wrote it; only which of the two it is, while the choice is blind."""
    if is_named(take, takes):
        return take.label or "A model"
    place = sum(one.pair == take.pair and one.number < take.number for one in takes)
    return UNNAMED[min(place, 1)]


def note(take: Take, takes: Sequence[Take]) -> str:
    """What the writer should know of a take; it waits while it would give away who wrote it."""
    return take.note if is_named(take, takes) else ""


def progress(take: Take) -> str:
    """How far it is, or how it ended."""
    number = plural(len(words(take.text)), "word")
    if take.state == TakeState.writing:
        return f"Writing, {number} so far." if take.text else "Waiting for the model."
    if take.state == TakeState.failed:
        return take.error or "It could not write. Try again."
    if take.state == TakeState.stopped:
        kept = f" {number} {'is' if number == '1 word' else 'are'} kept." if take.text else ""
        return take.error or f"Stopped.{kept}"
    cut = " It was cut off at the length you asked for: raise the words, or let it continue." if take.cut else ""
    return f"{number}, written in {took(take.seconds)}.{cut}"


def given(take: Take) -> str:
    """What the model was given beside the request, in a sentence; empty where that was nothing."""
    context = take.context if isinstance(take.context, dict) else {}
    parts = [(_count(context, "hints"), "style hint"), (_count(context, "recalled"), "remembered text")]
    said = [plural(number, what) for number, what in parts if number]
    return f"The model was also given {' and '.join(said)}." if said else ""


def learned(take: Take, example: Example | None) -> str:
    """Whether the next version learns from it, ``example`` being the one that was made of it."""
    if example is None or take.example_id is None:
        return ""
    if example.status != ExampleStatus.kept:
        return f"It is not learned from: {example.reason or 'you set it aside.'}"
    if example.original is not None:
        return "Kept as an example. Your edit and the model's text are a pair that says which you prefer."
    return "Kept as an example: your next version learns from it."


def _count(context: Mapping[str, Any], name: str) -> int:
    found = context.get(name)
    return len(found) if isinstance(found, list) else 0
