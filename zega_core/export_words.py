"""What was taken out of ZEGA, in a writer's words. Pure: rows in, sentences out. A row may hold anything: what cannot
be read is left out."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from zega_core.analytics import plural
from zega_core.exports.formats import FORMATS, Format
from zega_core.fine_tune_words import size
from zega_core.proof_tables import Export
from zega_core.quality.validation import number
from zega_core.tables import RunStatus

HUGE = 1e15
QUESTION = "Write a scene in which a letter arrives too late."
PYTHON = {
    "data": 'from datasets import load_dataset\n\nrows = load_dataset("json", data_files={})',
    "peft": "from peft import AutoPeftModelForCausalLM\n\nmodel = AutoPeftModelForCausalLM.from_pretrained({})",
    "merged": 'from transformers import pipeline\n\nwrite = pipeline("text-generation", model={})',
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


def examples(version_number: int | None, kept: int) -> str:
    """Which examples."""
    if version_number is None:
        return f"What is kept now: {plural(kept, 'example')}"
    return f"What v{version_number} learned from"


def title(row: Export) -> str:
    found = FORMATS.get(row.format)
    label = found.label if found is not None else row.format
    return f"{label} · {what(row.version_number)}"


def what(version_number: int | None) -> str:
    return "what was kept then" if version_number is None else f"v{version_number}"


def progress(row: Export) -> str:
    """What an export under way is at."""
    if row.status == RunStatus.queued:
        return "Waiting for the worker"
    if row.status == RunStatus.stopping:
        return "Stopping"
    phase = " ".join(row.phase.split()) if isinstance(row.phase, str) else ""
    return f"Making it: {phase}" if phase else "Making it"


def facts(row: Export) -> str:
    """How much it is."""
    amount = number(row.size_bytes, 0, HUGE)
    files = len(row.files) if isinstance(row.files, dict) else 0
    return " · ".join(filter(None, ("" if amount is None else size(int(amount)), plural(files, "file"))))


def size_of(row: Export) -> str:
    return size(int(number(row.size_bytes, 0, HUGE) or 0))


def can_download(row: Export) -> bool:
    return (number(row.size_bytes, 0, HUGE) or 0.0) <= MOST


def notes(row: Export) -> list[str]:
    return [str(note) for note in row.notes if str(note).strip()] if isinstance(row.notes, list) else []


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    said: str


def checks(row: Export) -> list[Check]:
    """What was checked in Ollama."""
    report = row.report if isinstance(row.report, dict) else {}
    found = report.get("checks")
    return [
        Check(str(one.get("name", "")), one.get("ok") is True, str(one.get("said", "")))
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


def command(row: Export, folder: Path, model: str) -> str:
    """Exactly what to type next; ``folder`` is where its files are, ``model`` what it is called in Ollama. Empty where
    there is nothing to be typed."""
    names = sorted(row.files) if isinstance(row.files, dict) else []
    ask = _typed("ollama", "run", model, QUESTION)
    if row.format == "ollama":
        return ask if row.report else "\n".join([*_made(folder, names, model), ask])
    if row.format == "gguf" and (weights := _ending(names, ".gguf")):
        llama = ["", "# or in llama.cpp:", _typed("llama-cli", "-m", str(folder / weights))]
        return "\n".join([*_made(folder, names, model), ask, *llama])
    is_data = row.format in FORMATS and FORMATS[row.format].kind == "data"
    if is_data and (data := _ending(names, ".jsonl")):
        return PYTHON["data"].format(repr(str(folder / data)))
    return PYTHON[row.format].format(repr(str(folder))) if row.format in ("peft", "merged") else ""


def _made(folder: Path, names: list[str], model: str) -> list[str]:
    lines = [_typed("cd", str(folder))]
    if "Modelfile.base" in names:
        lines.append(_typed("ollama", "create", "zega-base", "-f", "Modelfile.base"))
    return [*lines, _typed("ollama", "create", model, "-f", "Modelfile")]


def _ending(names: list[str], suffix: str) -> str:
    return next((name for name in names if name.endswith(suffix)), "")


def _typed(*words: str) -> str:
    """A line for the shell of this machine."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
