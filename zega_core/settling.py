"""What a new score means for a stored piece: is it kept, set aside, or left as it is?"""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter, OrderedDict

from sqlmodel import Session

from zega_core.dataset import NearDuplicates, text_hash, words
from zega_core.pieces import SAME_WORDS, set_aside_as_duplicate
from zega_core.quality import QualityReport
from zega_core.settings import Settings
from zega_core.store import examples, scores
from zega_core.store.kept import State, since
from zega_core.tables import Example, ExampleStatus, Source
from zega_core.taste import Taste

OWN_WORDS = (Source.conversation, Source.manuscript)
"""What the writer wrote: no score sets it aside."""
_FOR_ITS_SCORE = re.compile(r"\d+(\.\d+)? is below ")
"""How the reason begins of what was set aside for a low score, and of nothing else (``Taste.below``)."""
TOO_SHORT, COPIED = "Too short to learn from: ", "Copied: "
"""How the reason begins of what the writer wrote and what is set aside unless they insist (``weak``)."""
DISCARDED = "You discarded it."
LEAST_WORDS, MOST_LEAST_WORDS = 8, 25
"""Words below which an answer is too short: a quarter of what was asked for, but within these."""
COPIED_SHARE = 0.6
"""Of an answer's word 5-grams: above it, it is a copy."""
FEW_WORDS = 20
"""Below it single words are compared: there are too few 5-grams."""
NEWEST, WRITERS = 3_000, 4
"""Of how many writers this process keeps in mind how many of their newest kept pieces (``known``)."""


class Kept:
    """What a writer has kept, to find twins in: all of it, or the newest ``most``.

    With ``stored`` every change is in the database, and what is found is looked up there once more; without (to find
    out what would change) only here.
    """

    def __init__(self, writer_id: str, settings: Settings, *, stored: bool, most: int = sys.maxsize) -> None:
        self._writer_id, self._stored, self._most = writer_id, stored, most
        self._known, self._newest = NearDuplicates(settings.near_duplicate_share), 0
        self._gone: set[int] = set()

    def learn(self, session: Session) -> None:
        """Take in what was kept since the last look."""
        for identity, text in examples.kept_texts(session, self._writer_id, self._newest, self._most):
            self._newest = max(self._newest, identity)
            if identity not in self._gone:
                self._known.add(identity, text)

    def twin(self, session: Session, example: Example) -> tuple[int, str] | None:
        """Another kept piece that this one repeats, and the reason in words; ``learn`` first in each transaction."""
        while (found := self._known.find(example.completion, but=example.id)) is not None:
            identity, share = found
            if not self._stored or scores.is_kept(session, self._writer_id, identity):
                return identity, f"{share:.0%} of it is in a piece you have already kept."
            self._known.remove(identity)
        same = examples.kept_with_hash(session, self._writer_id, example.text_hash) if self._stored else None
        return None if same in (None, example.id) else (same, SAME_WORDS)

    def add(self, example: Example) -> None:
        self._known.add(example.id or 0, example.completion)
        self._newest = max(self._newest, example.id or 0)  # not learnt once more: it would count twice

    def remove(self, example: Example) -> None:
        self._gone.add(example.id or 0)
        self._known.remove(example.id or 0)


_known: OrderedDict[tuple[Settings, str], tuple[State, Kept]] = OrderedDict()
_lock = threading.Lock()


def known(session: Session, writer_id: str, settings: Settings) -> Kept:
    """The writer's newest kept pieces, to find the twin of one text in. This process keeps them in mind and reads what
    is new; all of them are read again where others are kept now, or one was edited. Call it with the writer's row
    locked."""
    key = settings, writer_id
    with _lock:
        before = _known.get(key)
    state, only_more = since(session, writer_id, None if before is None else before[0])
    kept = before[1] if before is not None and only_more else Kept(writer_id, settings, stored=True, most=NEWEST)
    kept.learn(session)
    with _lock:
        _known[key] = state, kept
        _known.move_to_end(key)
        while len(_known) > WRITERS:
            _known.popitem(last=False)
    return kept


def forget_known(writer_id: str, settings: Settings) -> None:
    """After a text was changed in the transaction in which ``known`` was asked."""
    with _lock:
        _known.pop((settings, writer_id), None)


def weak(text: str, question: str, *, asked_words: int = 0, shown: str = "") -> str:
    """Why a writer's answer is not learned from unless they insist, as a sentence; empty where it is. ``asked_words``
    is how long it should be (0 leaves it open), ``shown`` an example that they were shown."""
    own = words(text)
    least = max(LEAST_WORDS, min(MOST_LEAST_WORDS, asked_words // 4))
    if len(own) < least:
        count = "1 word" if len(own) == 1 else f"{len(own)} words"
        return f"{TOO_SHORT}{count}, and {least} are the least here."
    if _copied_share(own, words(question)) > COPIED_SHARE:
        return f"{COPIED}most of it is the question."
    if _copied_share(own, words(shown)) > COPIED_SHARE:
        return f"{COPIED}most of it is the example that you were shown."
    return ""


def is_weak(example: Example) -> bool:
    """Whether it was set aside for what ``weak`` says."""
    return str(example.reason or "").startswith((TOO_SHORT, COPIED))


def left_out_class(example: Example) -> str:
    """The class of the reason for which a writer's answer is left out: ``too_short``, ``copy``, ``duplicate``,
    ``discarded`` or ``other``."""
    reason = str(example.reason or "")
    if reason.startswith(TOO_SHORT):
        return "too_short"
    if reason.startswith(COPIED):
        return "copy"
    if reason == DISCARDED:
        return "discarded"
    return "duplicate" if example.duplicate_of is not None or reason == SAME_WORDS else "other"


def _copied_share(own: list[str], other: list[str]) -> float:
    size = 5 if len(own) >= FEW_WORDS else 1
    mine, theirs = _runs(own, size), _runs(other, size)
    return (mine & theirs).total() / max(1, mine.total())


def _runs(found: list[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(found[start : start + size]) for start in range(len(found) - size + 1))


def settle(session: Session, example: Example, report: QualityReport, worth: float, taste: Taste, kept: Kept) -> None:
    """Give ``example`` its new score (``worth``, 0..10) and the status that follows from it.

    The writer's decision stays, and so does what was set aside for anything but its score.
    """
    example.quality, example.quality_version = worth, report.version
    example.quality_report = report.as_dict()
    if example.decision is not None:
        return
    if example.status == ExampleStatus.kept:
        if worth < taste.keep_score and example.source not in OWN_WORDS:
            example.status, example.reason = ExampleStatus.set_aside, taste.below(report, worth)
            kept.remove(example)
    elif set_aside_for_its_score(example):
        if worth < taste.keep_score:
            example.reason = taste.below(report, worth)
        else:
            _take_back(session, example, kept)


def set_aside_for_its_score(example: Example) -> bool:
    return example.duplicate_of is None and bool(_FOR_ITS_SCORE.match(str(example.reason or "")))


def _take_back(session: Session, example: Example, kept: Kept) -> None:
    example.text_hash = text_hash(example.completion)
    twin = kept.twin(session, example)
    if twin is not None:
        set_aside_as_duplicate(example, *twin)
        return
    example.status, example.reason = ExampleStatus.kept, None
    kept.add(example)
