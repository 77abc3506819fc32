"""Memory in words: what each source is, how much of it is remembered, and how texts are compared."""

from __future__ import annotations

from collections.abc import Mapping

from zega_core.analytics import plural
from zega_core.store.memories import LONGEST, MOST, Count

ABOUT = (
    "While you write with a model, ZEGA can recall what you wrote before that is like what you ask for, and give it to "
    "the model to go by: to a teacher elsewhere, too, if you ask one to write. Nothing is remembered that you do not "
    "choose here."
)
SOURCES: Mapping[str, tuple[str, str]] = {
    "story": ("Stories on your shelf", "What you saved as a story, as it reads now."),
    "conversation": ("Your answers", "What you answered in conversations and what is kept of it."),
    "manuscript": ("Your own pages", "The passages of the files and texts that you gave ZEGA to read."),
    "rating": ("Texts you kept while writing", "What a model wrote for you and you kept, as you edited it."),
    "import": ("Imported pairs", "What is kept of the files that you imported."),
    "auto": ("Training pieces", "What is kept of what teachers wrote in Auto-Train. It is their voice, not yours."),
}
"""By source: what it is called, and what it means to choose it."""
BY_SESSION = "Not chosen: only pieces of sessions that were set to go into memory."
FORGOTTEN = "Forgotten."
EMPTY = "Nothing is remembered yet."
NOTHING_LIKE_IT = "Nothing in your memory is like that. Describe it in other words, or remember more."
BY_MEANING = "Texts are compared by what they mean, on this machine: nothing of them leaves it (all-MiniLM-L6-v2)."
LIMITS = (
    f"Of a text its first {LONGEST:,} characters are remembered. The newest {MOST:,} texts are searched. What you "
    "delete, discard or switch off is forgotten at once."
)
FORGET_ALL = (
    "All texts are forgotten, and nothing is remembered until you choose it again. What you wrote stays where it is."
)


def amount(source: str, count: Count, chosen: bool) -> str:
    """How much there is of a source, and how much of it is remembered."""
    if not count.there and not count.texts:
        return "There is nothing of this kind yet."
    said = f"{plural(count.there, 'text')}, {count.texts:,} remembered."
    if source == "auto" and not chosen and count.texts:
        return f"{said} {BY_SESSION}"
    return said


def waiting(counts: Mapping[str, Count], behind: bool) -> str:
    """What a worker still has to do; empty where nothing is (``memory.behind``)."""
    to_embed = sum(count.texts - count.embedded for count in counts.values())
    if not behind:
        return ""
    if not to_embed:
        return "Memory is being brought up to date. It takes a moment; you can go on meanwhile."
    verb = "waits" if to_embed == 1 else "wait"
    return f"{plural(to_embed, 'text')} {verb} to be made findable by meaning. It goes on by itself."


def compared(note: str) -> str:
    """How texts are compared; ``note`` is ``memory.embedder_note``."""
    return note or BY_MEANING


def forgotten(number: int) -> str:
    return f"{plural(number, 'text')} forgotten. Nothing is remembered now."
