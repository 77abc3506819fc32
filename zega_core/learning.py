"""What a writer's model would learn from now, how, and what that takes: for pages, and for the worker."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from time import monotonic

from sqlmodel import Session

from zega_core.catalog import load_catalog
from zega_core.configs import FineTuneConfig
from zega_core.errors import ZegaError
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import data, defaults
from zega_core.fine_tune.base import BaseInfo
from zega_core.fine_tune.data import Piece, Prepared, Summary
from zega_core.fine_tune.forecast import Forecast, forecast, machine
from zega_core.fine_tune.plan import Plan
from zega_core.settings import Settings
from zega_core.store import kept, learned, scores

LOOK_SHARE = 0.1
"""The part of the time that looking may take: after a look of a second, the next is nine seconds later."""
OLDEST = 60.0
"""Seconds after which a look is not shown any more, also where nothing seems to have changed."""
WRITERS = 16
"""Of so many the last look is kept."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """``missing`` says in a sentence what there is too little of for a fine-tune, ``trouble`` what is wrong with the
    base model; both are empty where all is well. Without a base model there is no plan and no forecast."""

    summary: Summary
    missing: str
    trouble: str
    base: BaseInfo | None = None
    plan: Plan | None = None
    forecast: Forecast | None = None

    @property
    def ready(self) -> bool:
        return not self.missing and not self.trouble

    @property
    def warnings(self) -> list[str]:
        return self.summary.warnings


@dataclass(frozen=True, slots=True)
class _Look:
    stamp: Hashable
    at: float
    took: float
    summary: Summary


_looks: OrderedDict[tuple[Settings, str], _Look] = OrderedDict()
_lock = threading.Lock()


def prepared(session: Session, writer_id: str, settings: Settings, trained: Collection[str] = ()) -> Prepared:
    """The rows of a fine-tune. ``trained`` are prompts of ``Row`` that earlier versions were trained on."""
    return data.prepare(
        _pieces(session, writer_id),
        catalog=load_catalog(),
        near_duplicate_share=settings.near_duplicate_share,
        trained=trained,
    )


def look(session: Session, writer_id: str, settings: Settings, config: FineTuneConfig) -> Outlook:
    """For a page, which asks again and again: what is kept is read anew when it has changed, and not all the time
    while it does. Near duplicates are not looked for, so a few examples may be on another side than in ``prepared``."""
    summary = _summary(session, writer_id, settings)
    missing = data.missing(summary)
    try:
        base = bases.describe(bases.resolve(config.base), config.base)
    except ZegaError as error:
        return Outlook(summary, missing, str(error))
    plan = defaults.plan_for(config, summary, base, data_hash="")
    rate = learned.pace(session, writer_id, config.base)
    return Outlook(summary, missing, "", base, plan, forecast(summary, plan, base, machine(settings.home), rate=rate))


def _summary(session: Session, writer_id: str, settings: Settings) -> Summary:
    key, stamp, now = (settings, writer_id), _stamp(session, writer_id), monotonic()
    with _lock:
        last = _looks.get(key)
    if last is not None:
        fresh = last.took / LOOK_SHARE if last.stamp != stamp else OLDEST
        if now - last.at < fresh:
            return last.summary
    found = data.prepare(_pieces(session, writer_id), catalog=load_catalog(), near_duplicate_share=None).summary
    with _lock:
        ended = monotonic()
        _looks[key] = _Look(stamp, ended, ended - now, found)
        _looks.move_to_end(key)
        while len(_looks) > WRITERS:
            _looks.popitem(last=False)
    return found


def _stamp(session: Session, writer_id: str) -> Hashable:
    """Another one when other pieces are kept, or when their scores are others."""
    return kept.stamp(session, writer_id), scores.peek(session, writer_id).rescored_at


def _pieces(session: Session, writer_id: str) -> list[Piece]:
    return [Piece(*row) for row in learned.kept(session, writer_id)]
