"""What is said of a writer's own pages. Pure: values in, sentences out."""

from __future__ import annotations

from zega_core.analytics import plural
from zega_core.conversation_tables import Manuscript
from zega_core.fine_tune.balance import DOMINANT, Shares
from zega_core.manuscripts.looking import Look
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
LOCAL_ONLY = "Local only is on in Settings, so only teachers on this machine are asked and no page leaves it."
KEEPS = "A version that is trained already keeps what it learned from them; train a new one to be without it."
PHASES = {"reading": "Reading it", "passages": "Writing prompts and scoring", "": "Waiting for the worker"}


def found(look: Look) -> str:
    """What a file is, in one line."""
    return (
        f"{FORMATS.get(look.format, look.format)}: {plural(look.words, 'word')}, {plural(look.chapters, 'chapter')}, "
        f"{plural(look.passages, 'passage')}."
    )


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


def erased(name: str, passages: int) -> str:
    return f"“{name}” is erased, with {plural(passages, 'passage')} made of it."


def erase_warning(row: Manuscript, stored: Stored) -> str:
    return (
        f"The file and {plural(stored.passages, 'passage')} made of it are deleted, and this cannot be undone. {KEEPS}"
    )


def balance(shares: Shares) -> list[str]:
    """What own pages are among all that the next version would learn from."""
    said = []
    pages = shares.sources.get(Source.manuscript, 0.0)
    if pages > 0:
        said.append(f"Your own pages make up {pages:.0%} of the words that the next version would learn from.")
    if pages > 1 - DOMINANT / 4:
        said.append(
            "Nearly all of it is finished prose. Answers in Conversation show your model how you write when you are "
            "asked for something."
        )
    return said


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
