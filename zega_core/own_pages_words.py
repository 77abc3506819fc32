"""What is said of a writer's own pages. Pure: values in, sentences out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from zega_core.analytics import plural
from zega_core.conversation_tables import Manuscript
from zega_core.fine_tune.data import Summary
from zega_core.manuscripts.looking import Look
from zega_core.manuscripts.reading import SUFFIXES
from zega_core.store.manuscripts import Stored
from zega_core.tables import RunStatus, Source

PAGE = "conversational_trainer.py"
FORMATS = {
    "pasted": "Pasted text",
    "txt": "Text file",
    "md": "Markdown",
    "docx": "Word document",
    "epub": "EPUB",
}
WEIGHT = (
    "Your own pages count most: what your model learns from them weighs twice as much as what teachers write, and no "
    "score sets them aside."
)
ASK_TEACHER = "Let a teacher write the prompts"
LEAVES = (
    "Each passage is sent to your teachers, and one answers with the request that would lead to it. Without this, "
    "rules on this machine write the prompts and no page leaves it."
)
LOCAL_ONLY = "Local only is on in Settings: only teachers on this machine are asked, and no page leaves it."
NO_TEACHER = (
    "No teacher that could read a passage is connected, so rules on this machine write the prompts. You can correct "
    "each of them."
)
KEEPS = (
    "A version that is trained already keeps what it learned from them, and among its files the texts that it was "
    "trained on. Train a new one and delete the old one to be without both."
)
NEARLY_ALL = 0.9
"""Share of the words from which on own pages are said to be nearly all there is."""
PHASES = {"reading": "Reading it", "passages": "Writing prompts and scoring", "": "Waiting for the worker"}


def found(look: Look) -> str:
    """What a file is, in one line."""
    return (
        f"{FORMATS.get(look.format, look.format)}: {plural(look.words, 'word')}, {plural(look.chapters, 'chapter')}, "
        f"{plural(look.passages, 'passage')}."
    )


def who_reads(here: Sequence[str], elsewhere: Sequence[str], local_only: bool) -> str:
    """Who gets the passages if a teacher may read them: services on this machine, and outside of it."""
    if not here and not elsewhere:
        return NO_TEACHER if not local_only else f"{LOCAL_ONLY} None is connected, so rules write the prompts."
    if local_only or not elsewhere:
        return f"{LOCAL_ONLY if local_only else 'No page leaves this machine.'} Who would read them: {', '.join(here)}."
    asked = f"They go to {' or '.join(elsewhere)}, outside this machine"
    return f"{LEAVES} {asked}{', or stay here with ' + ', '.join(here) if here else ''}."


def stands(row: Manuscript, stored: Stored) -> str:
    """How far it is, in one line."""
    size = f"{plural(row.words, 'word')}, {plural(row.chapters, 'chapter')}"
    if row.status == RunStatus.done:
        aside = f", {stored.set_aside:,} set aside" if stored.set_aside else ""
        return f"{size}, {plural(stored.passages, 'passage')}: {stored.kept:,} kept{aside}."
    return f"{size}, {stored.passages:,} of {plural(row.passages, 'passage')}, {stored.kept:,} kept."


def progress(row: Manuscript) -> str:
    if row.status == RunStatus.stopping:
        return "Stopping: what is stored stays"
    if row.status == RunStatus.queued:
        return PHASES[""]
    return f"{PHASES.get(row.phase, PHASES['passages'])}: {row.done:,} of {row.passages:,}"


def added(new: int, there: int) -> str:
    """What came of pressing Add, by how many texts were new and how many were there already."""
    said = [f"{plural(new, 'text')} added. You can leave this page; it is read meanwhile."] if new else []
    if there:
        said.append(f"{plural(there, 'text')} {'is' if there == 1 else 'are'} there already and not taken twice.")
    return " ".join(said)


def erased(name: str, passages: int) -> str:
    return f"“{name}” is erased, with {plural(passages, 'passage')} made of it."


def erase_warning(row: Manuscript, stored: Stored) -> str:
    return (
        f"The file and {plural(stored.passages, 'passage')} made of it are deleted, with the stories saved from them, "
        f"and this cannot be undone. {KEEPS}"
    )


def balance(summary: Summary) -> list[str]:
    """What own pages are among all that the next version would learn from, and what is out of balance."""
    pages = summary.source_words.get(Source.manuscript, 0)
    if not pages or not summary.words:
        return []
    share = pages / summary.words
    said = [f"Your own pages make up {share:.0%} of the words that the next version would learn from."]
    if share > NEARLY_ALL:
        said.append(
            "Nearly all of it is finished prose. Answers in Conversation also show your model how you write when you "
            "are asked for something."
        )
    return said + summary.warnings


def notice(row: Manuscript) -> dict[str, str] | None:
    """What the writer is told of pages that are read, or could not be: what ``notices.note``
    takes; None for the rest."""
    if row.status == RunStatus.done:
        text = f"“{row.name}” is read: {plural(row.passages, 'passage')}."
        return {"kind": "finished", "key": f"pages:{row.run_id}", "text": text, "page": PAGE}
    if row.status == RunStatus.failed:
        text = f"“{row.name}” could not be read to its end. {row.error or ''}".strip()
        return {"kind": "failed", "key": f"pages:{row.run_id}:{row.attempt}", "text": text, "page": PAGE}
    return None


def as_pasted(name: str) -> str:
    """Pasted text is no file, whatever it is called."""
    name = re.sub(r"[\\/]", "-", name).strip() or "Pasted pages"
    return (
        PurePosixPath(name).stem if PurePosixPath(name).suffix.lower() in SUFFIXES else name.replace(".", " ").strip()
    )
