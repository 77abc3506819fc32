"""What was fitted to a writer's ratings, brought to today's score before their pieces are scored again.

A correction belongs to a version of the score. So after a change of the score the rated pieces get their reports of
today first, then the taste is fitted to those, and then a pass gives every piece what it is worth to that taste.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from zega_core import db, taste
from zega_core.quality import QUALITY_VERSION, QualityReport
from zega_core.settings import Settings
from zega_core.store import scores, writers
from zega_core.store.scores import Text
from zega_core.taste import Taste

BATCH = 100
Measure = Callable[[Text, str], QualityReport | None]


def refit(writer_id: str, settings: Settings, measure: Measure, stop: threading.Event) -> bool:
    """Give the rated pieces the reports of today and fit to them; whether pieces are worth something else now.

    Scores and what is kept stay for the pass. To do it twice, or half of it, harms nothing.
    """
    after = 0
    while texts := _rated(writer_id, settings, after):
        if stop.is_set():
            return False
        reports = {text: found.as_dict() for text in texts if (found := measure(text, text.completion)) is not None}
        with db.session(settings) as session:
            writers.lock(session, writer_id)
            scores.set_reports(session, writer_id, reports)
        after = texts[-1].id
    with db.session(settings) as session:
        if not taste.stale(session, writer_id):
            return False
        before = taste.taste_of(session, writer_id, settings)
        return before.acting() != taste.refit(session, writer_id, settings).acting()


def foresee(writer_id: str, settings: Settings, measure: Measure) -> Taste:
    """The taste that ``refit`` would lead to; nothing is stored."""
    reports, after = {}, 0
    while texts := _rated(writer_id, settings, after):
        measured = {text.id: measure(text, text.completion) for text in texts}
        reports |= {identity: report for identity, report in measured.items() if report is not None}
        after = texts[-1].id
    with db.reading(settings) as session:
        return taste.foreseen(session, writer_id, settings, reports)


def _rated(writer_id: str, settings: Settings, after: int) -> list[Text]:
    """The next rated pieces whose score is of another version."""
    with db.reading(settings) as session:
        return scores.texts(session, writer_id, not_of=QUALITY_VERSION, after=after, limit=BATCH, rated=True)
