"""What a writer answers, as an example: checked, scored, kept or left out."""

from __future__ import annotations

import unicodedata

from sqlmodel import Session

from zega_core.dataset import text_hash
from zega_core.errors import InvalidInput
from zega_core.pieces import SAME_WORDS, set_aside_as_duplicate, storable
from zega_core.quality import score
from zega_core.quality.agreement import DISCARD, KEEP
from zega_core.settings import Settings
from zega_core.settling import Kept, forget_known, known, settle, weak
from zega_core.store import examples
from zega_core.tables import Example, ExampleStatus
from zega_core.taste import taste_of

MAX_CHARS = 20_000


def checked_text(text: object) -> str:
    """The text of an answer as it can be stored: line ends mended, control characters gone, nothing around it. Raises
    InvalidInput for none, or more than ``MAX_CHARS``."""
    plain = storable(text).replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else ""
    plain = "".join(one for one in plain if one in "\n\t" or unicodedata.category(one) != "Cc").strip()
    if not plain:
        raise InvalidInput("Nothing is written yet. Write your answer first, or skip the question.")
    if len(plain) > MAX_CHARS:
        raise InvalidInput(
            f"An answer can have {MAX_CHARS:,} characters, and this one has {len(plain):,}. Shorten it, or bring it "
            "along under Your own pages. Nothing of it is lost."
        )
    return plain


def write(
    session: Session, example: Example, text: str, settings: Settings, *, asked_words: int = 0, shown: str = ""
) -> None:
    """Put a text (``checked_text``) into an example of the writer's own, score it, and keep it or leave it out. Whether
    it is learned from is not a matter of its score: only what ``settling.weak`` says and what repeats a kept piece is
    left out, and what the writer has decided stays. Call it with the writer's row locked."""
    session.flush()
    taste, kept = taste_of(session, example.user_id, settings), known(session, example.user_id, settings)
    if example.id is not None:
        forget_known(example.user_id, settings)
    report = score(text, example.prompt, example.genre, example.element or None)
    with session.no_autoflush:  # it may have the words of a kept piece until it is set aside
        example.completion, example.text_hash = text, text_hash(text)
        settle(session, example, report, taste.worth(report, None), taste, kept)
        if example.decision == DISCARD:
            return
        why, example.duplicate_of = weak(text, example.prompt, asked_words=asked_words, shown=shown), None
        twin = _twin(session, example, kept)
        if twin is not None:
            set_aside_as_duplicate(example, *twin)
            return
        example.reason = why or None
        example.status = ExampleStatus.set_aside if why and example.decision != KEEP else ExampleStatus.kept


def _twin(session: Session, example: Example, kept: Kept) -> tuple[int, str] | None:
    """The very words cannot be kept twice; what only repeats much of a piece can, when the writer insists."""
    same = examples.kept_with_hash(session, example.user_id, example.text_hash)
    if same is not None and same != example.id:
        return same, SAME_WORDS
    return None if example.decision == KEEP else kept.twin(session, example)


def may_insist(example: Example) -> bool:
    """Whether one that is left out can be learned from all the same."""
    return example.status == ExampleStatus.set_aside and example.reason != SAME_WORDS
