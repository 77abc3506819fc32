"""What was taken out of ZEGA, in a writer's words. Pure: rows in, sentences out. A row may hold anything: what cannot
be read is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zega_core.analytics import plural
from zega_core.exports.formats import FORMATS, Format
from zega_core.exports.modelfile import MODELFILE, QUESTION, commands
from zega_core.fine_tune_words import size
from zega_core.proof_tables import Export
from zega_core.quality.validation import number
from zega_core.tables import RunStatus

HUGE = 1e15
PROGRAM = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
"""In a model card."""
PHASES = {
    "preparing": "Looking what belongs in it",
    "writing": "Writing the files",
    "merging": "Joining the base model and what it learned",
    "delivering": "Giving it to Ollama and asking it there",
    "saving": "Nearly done",
}
MOST = 500_000_000
"""Bytes beyond which a browser is no way to fetch files that are on this machine already."""
GROUPS = {"model": "Your model, to write with elsewhere", "data": "Training data"}
"""What each kind of format is called; the one that answers "trained, now how do I use it?" first."""
ORDER = ("ollama", "gguf", "peft", "merged")


def formats(kind: str) -> list[Format]:
    """Of a kind, the easiest way first."""
    found = [one for one in FORMATS.values() if one.kind == kind]
    return sorted(found, key=lambda one: ORDER.index(one.key) if one.key in ORDER else len(ORDER))


BUTTONS = {
    "ollama": "Put it into Ollama",
    "gguf": "Make a GGUF file",
    "peft": "Make the adapter",
    "merged": "Make the whole model",
    "jsonl": "Make the pairs",
    "chat": "Make the chats",
    "alpaca": "Make the Alpaca file",
    "sharegpt": "Make the ShareGPT file",
}


def button(one: Format, *, again: bool) -> str:
    """What stands on the button that makes it."""
    return f"{BUTTONS.get(one.key, f'Make {one.key}')}{' again' if again else ''}"


def label(one: Format) -> str:
    """What a format is called below the heading of its kind."""
    short = one.label.removeprefix("Training data: ")
    return short[:1].upper() + short[1:]


def other_ways(others: Sequence[Format]) -> str:
    """What stands over formats that are folded away."""
    return f"Other ways: {', '.join(label(one) for one in others)}"


def examples(version_number: int | None, kept: int) -> str:
    """Which examples."""
    if version_number is None:
        return f"What is kept now: {plural(kept, 'example')}"
    return f"What v{version_number} learned from"


def title(row: Export) -> str:
    found = FORMATS.get(row.format)
    label = found.label if found is not None else row.format
    if found is not None and found.kind == "model" and row.version_number is None:
        return f"{label} · the built-in base model"
    return f"{label} · {what(row.version_number)}"


def what(version_number: int | None) -> str:
    return "what was kept then" if version_number is None else f"v{version_number}"


def progress(row: Export) -> str:
    """What an export under way is at."""
    if row.status == RunStatus.queued:
        return "Waiting for the worker"
    if row.status == RunStatus.stopping:
        return "Stopping"
    return PHASES.get(row.phase, "Making it")


def facts(row: Export) -> str:
    """How much it is."""
    amount = number(row.size_bytes, 0, HUGE)
    files = len(row.files) if isinstance(row.files, dict) else 0
    return " · ".join(filter(None, ("" if amount is None else size(int(amount)), plural(files, "file"))))


def size_of(row: Export) -> str:
    return size(int(number(row.size_bytes, 0, HUGE) or 0))


def can_download(row: Export) -> bool:
    return (number(row.size_bytes, 0, HUGE) or 0.0) <= MOST


def notes(row: Export, typed: str) -> list[str]:
    """What the writer should know, without what is to be ``typed`` and what the checks say: it is shown beside."""
    lines = [line for line in typed.splitlines() if line.strip()]
    checked_there = {one.said for one in checks(row)}
    found = [str(note) for note in row.notes if str(note) not in checked_there] if isinstance(row.notes, list) else []
    return list(filter(None, (_without(note.strip(), lines) for note in found)))


def _without(note: str, lines: list[str]) -> str:
    for line in lines:
        note = note.removesuffix(line).rstrip()
    return note


@dataclass(frozen=True, slots=True)
class Check:
    ok: bool
    said: str


def checks(row: Export) -> list[Check]:
    """What was checked in Ollama."""
    report = row.report if isinstance(row.report, dict) else {}
    found = report.get("checks")
    return [
        Check(one.get("ok") is True, str(one.get("said", "")))
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict)
    ]


def checked(found: list[Check]) -> str:
    """All checks in a sentence."""
    wrong = [one for one in found if not one.ok]
    if not wrong:
        return f"Checked in Ollama: {plural(len(found), 'check')}, all passed"
    return f"Checked in Ollama: {len(wrong)} of {plural(len(found), 'check')} did not pass"


def passed(one: Check) -> str:
    """Said beside the colour of the mark."""
    return "Passed." if one.ok else "Not passed."


def typed(row: Export, folder: Path, model: str, card: str) -> str:
    """Exactly what to type next, or the program to begin with; empty where there is nothing of the kind. ``folder`` is
    where its files are, ``model`` what it is called in Ollama, ``card`` the text of its model card."""
    by_hand = commands(folder, {MODELFILE: model}, QUESTION)
    if row.format == "ollama":
        return by_hand[-1] if row.report else "\n".join(by_hand)
    if row.format == "gguf":
        return "\n".join(by_hand)
    if row.format in FORMATS and FORMATS[row.format].kind == "data":
        file = next(iter(sorted(row.files)), "") if isinstance(row.files, dict) else ""
        return f'from datasets import load_dataset\n\nrows = load_dataset("json", data_files={str(folder / file)!r})'
    program = PROGRAM.search(card)
    return "" if program is None else program[1].replace('Path(".")', f"Path({str(folder)!r})").strip()
