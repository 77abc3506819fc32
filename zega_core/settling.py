"""What a new score means for a stored piece: is it kept, set aside, or left as it is?"""

from __future__ import annotations

import re
import sys

from sqlmodel import Session

from zega_core.dataset import NearDuplicates, text_hash
from zega_core.pieces import set_aside_as_duplicate
from zega_core.quality import QualityReport
from zega_core.settings import Settings
from zega_core.store import examples, scores
from zega_core.tables import Example, ExampleStatus, Source
from zega_core.taste import Taste

OWN_WORDS = (Source.conversation, Source.manuscript)
"""What the writer wrote: no score sets it aside."""
_FOR_ITS_SCORE = re.compile(r"\d+(\.\d+)? is below ")
"""How the reason begins of what was set aside for a low score, and of nothing else (``Taste.below``)."""


class Kept:
    """What a writer has kept, to find twins in.

    With ``stored`` every change is in the database, and what is found is looked up there once more; without (to find
    out what would change) only here.
    """

    def __init__(self, writer_id: str, settings: Settings, *, stored: bool) -> None:
        self._writer_id, self._stored = writer_id, stored
        self._known, self._newest = NearDuplicates(settings.near_duplicate_share), 0
        self._gone: set[int] = set()

    def learn(self, session: Session) -> None:
        """Take in what was kept since the last look."""
        for identity, text in examples.kept_texts(session, self._writer_id, self._newest, sys.maxsize):
            self._newest = max(self._newest, identity)
            if identity not in self._gone:
                self._known.add(identity, text)

    def twin(self, session: Session, example: Example) -> tuple[int, str] | None:
        """A kept piece that this one repeats, and the reason in words; ``learn`` first in each transaction."""
        while (found := self._known.find(example.completion)) is not None:
            identity, share = found
            if not self._stored or scores.is_kept(session, self._writer_id, identity):
                return identity, f"{share:.0%} of it is in a piece you have already kept."
            self._known.remove(identity)
        same = examples.kept_with_hash(session, self._writer_id, example.text_hash) if self._stored else None
        return None if same is None else (same, "These are the words of a piece you have already kept.")

    def add(self, example: Example) -> None:
        self._known.add(example.id or 0, example.completion)
        self._newest = max(self._newest, example.id or 0)  # not learnt once more: it would count twice

    def remove(self, example: Example) -> None:
        self._gone.add(example.id or 0)
        self._known.remove(example.id or 0)


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
