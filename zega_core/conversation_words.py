"""Conversations in a writer's words. Pure: rows and results in, sentences out."""

from __future__ import annotations

from zega_core.conversation import Saved
from zega_core.pieces import SAME_WORDS
from zega_core.questions.book import load_book
from zega_core.rating import DISCARDED

TOO_SHORT_KEY, COPY_KEY, DUPLICATE_KEY, DISCARDED_KEY, OTHER_KEY = (
    "too_short",
    "copy",
    "duplicate",
    "discarded",
    "other",
)
REASONS = {
    TOO_SHORT_KEY: "Too short to learn from.",
    COPY_KEY: "Mostly the words of the question, or of the example that was shown.",
    DUPLICATE_KEY: "Much of it is in a piece that is kept already.",
    DISCARDED_KEY: "Discarded by you.",
    OTHER_KEY: "Left out for another reason, which stands beside it under Examples.",
}
"""By class of what is left out."""
DIFFICULTIES = {"easy": "Easy", "medium": "Medium", "hard": "Hard"}
_SHOWN = 200
"""Characters of a purpose that are told."""


def welcome(purpose: str = "") -> str:
    """What ZEGA says first."""
    if not purpose:
        about = "I ask for something to write, and you write it the way your model should."
    else:
        told = purpose.rstrip(". ") if len(purpose) <= _SHOWN else f"{purpose[:_SHOWN].rstrip()}…"
        about = (
            f"Your model should be able to do this: “{told}”. I ask for it, and you answer the way your model should."
        )
    return (
        f"Welcome. {about} There is no wrong answer: what counts is that the words are yours. "
        "Every answer is saved at once. You can skip a question, change an answer later, and go on another day."
    )


def saved(found: Saved) -> str:
    """The line beside an answer that was just given, edited or insisted on."""
    if found.again:
        return (
            "This question was answered before, perhaps in another tab. That answer stands; what you wrote now is kept "
            "as a draft of its edit."
        )
    if not found.kept:
        return left_out(found.left_out)
    return f"Saved, {progress(found.pairs, found.goal)}" if found.goal else "Saved"


def what_follows(goal: int) -> str:
    """After the answers, for somebody who has not begun. ``goal`` as in ``triggers.goal``."""
    if goal:
        return f"After {goal:,} answers your model learns from them by itself, and ZEGA shows whether it writes better."
    return "When you start a fine-tune, your model learns from them, and ZEGA shows whether it writes better."


def progress(pairs: int, goal: int) -> str:
    """How far it is to the next training: ``7 of 20``."""
    return f"{pairs:,} of {goal:,}" if pairs <= goal else f"{pairs:,} since the last training"


def left_out(reason: str) -> str:
    """That an answer is saved but not learned from, why, and what to do. Of a class of reasons (a key of ``REASONS``)
    only why."""
    if reason in REASONS:
        return REASONS[reason]
    why = reason if not reason or reason.endswith((".", "!", "?", "…")) else f"{reason}."
    return " ".join(part for part in ("Saved, left out.", why, _help(reason)) if part)


def kind(key: str) -> str:
    """What a question asks for."""
    return load_book().labels().get(key) or " ".join(key.replace("_", " ").split()).capitalize()


def difficulty(key: str) -> str:
    return DIFFICULTIES.get(key) or kind(key)


def _help(reason: str) -> str:
    if reason == SAME_WORDS:
        return "Edit it so that it says something of its own."
    if reason == DISCARDED:
        return "You can count it all the same."
    return "Edit it, or count it all the same."
