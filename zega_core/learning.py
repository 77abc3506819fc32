"""What a writer's model would learn from now, how, and what that takes: for pages, and for the worker."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from logging import getLogger
from pathlib import Path
from time import monotonic
from typing import Any

from sqlmodel import Session

from zega_core import db, versions
from zega_core.catalog import load_catalog
from zega_core.configs import FineTuneConfig, ProviderKey
from zega_core.errors import HomeError, InvalidInput, ZegaError
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import data, defaults
from zega_core.fine_tune.base import BaseInfo
from zega_core.fine_tune.data import Piece, Prepared, Summary
from zega_core.fine_tune.forecast import Forecast, forecast, machine
from zega_core.fine_tune.plan import Plan, Row, read_rows
from zega_core.keys import key_of
from zega_core.settings import Settings
from zega_core.store import kept, learned, scores, teaching
from zega_core.store import versions as version_rows
from zega_core.version_tables import Version

log = getLogger(__name__)

RETRAIN_FROM = "promoted"
"""Where ``auto`` begins: benchmarks/finetune.py --retrain measured both (docs/decisions.md)."""
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
class Task:
    """All that one fine-tune needs; ``summary`` is ``Summary`` for JSON."""

    plan: Plan
    rows: list[Row]
    summary: dict[str, Any]


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


def task(writer_id: str, settings: Settings, config: FineTuneConfig) -> Task:
    """What a fine-tune that begins now does. A base model that is not here is fetched, unless the writer lets nothing
    leave this machine. Raises InvalidInput, ProviderUnavailable or HomeError with what is missing."""
    with db.reading(settings) as session:
        fetch = not teaching.load(session, writer_id).local_only
        current = version_rows.promoted(session, writer_id)
    key = key_of(settings, ProviderKey.huggingface)
    base = bases.describe(bases.resolve(config.base, download=fetch, key=key), config.base)
    in_use = None if current is None else _whole(current, base, config, settings)
    trained = _trained_on(in_use)
    with db.reading(settings) as session:
        found = prepared(session, writer_id, settings, [row.prompt for row in trained])
        rate = learned.pace(session, writer_id, config.base)
    if why := data.missing(found.summary):
        raise InvalidInput(why)
    ids = {row.example_id for row in trained}
    new = [row for row in found.rows if row.split == "train" and row.example_id not in ids]
    start = RETRAIN_FROM if config.start == "auto" else config.start
    go_on = start == "promoted" and in_use is not None and bool(new)
    plan = defaults.plan_for(
        config,
        found.summary,
        base,
        start=str(in_use) if go_on else "",
        parent=current.number if go_on and current is not None else None,
        data_hash="",
    )
    if go_on and current is not None:  # an adapter keeps its shape
        kept_shape = {name: value for name in ("rank", "alpha") if (value := current.settings.get(name))}
        plan = replace(plan, **kept_shape)
    _check_disk(forecast(found.summary, plan, base, machine(settings.home), rate=rate), settings)
    rows = data.for_continuing(found.rows, trained, plan.seed) if go_on else found.rows
    plan = replace(plan, in_use="" if in_use is None else str(in_use), data_hash=data.fingerprint(rows))
    return Task(plan, rows, found.summary.as_dict())


def _whole(current: Version, base: BaseInfo, config: FineTuneConfig, settings: Settings) -> Path | None:
    """The folder of the version in use, if it belongs to this base and its files are as they were made. Where they are
    not, training begins at the base; raises InvalidInput where the writer wants to go on from it."""
    base_hash = bases.weights_hash(base.folder)
    if current.base_hash != base_hash:
        if config.start == "promoted":
            raise InvalidInput(
                f"v{current.number} was trained on another base model, so training cannot go on from it. Choose its "
                "base model, or begin from the base, under Advanced."
            )
        return None
    folder = versions.folder_of(settings, current.user_id, current.number)
    try:
        bases.check_adapter(folder, base_hash)
    except InvalidInput as error:
        if config.start == "promoted":
            raise
        log.warning("training begins at the base model: %s", error)
        return None
    return folder


def _trained_on(folder: Path | None) -> list[Row]:
    """What the version in ``folder`` was trained on; nothing where that cannot be read any more."""
    return [] if folder is None else [row for row in _rows_in(folder) if row.split == "train"]


def rows_of(version: Version, versions_of_writer: Sequence[Version], settings: Settings) -> list[Row]:
    """What a version was trained on and measured with, from its folder. What it learned by way of an earlier version
    is there without its text: it is given as it was trained on then, where that is still here. Empty where it cannot
    be read."""
    by_number = {one.number: one for one in versions_of_writer}
    found = _rows_in(versions.folder_of(settings, version.user_id, version.number))
    seen, parent = {version.number}, version.parent
    while parent is not None and parent not in seen and any(not row.completion for row in found):
        seen.add(parent)
        trained = _trained_on(versions.folder_of(settings, version.user_id, parent))
        known = {row.example_id: row for row in trained if row.completion}
        found = [row if row.completion else known.get(row.example_id, row) for row in found]
        earlier = by_number.get(parent)
        parent = None if earlier is None else earlier.parent
    return found


def _rows_in(folder: Path) -> list[Row]:
    try:
        rows = list(read_rows(folder))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, RecursionError):
        log.warning("the data of a version cannot be read; its prompts may be held out now")
        return []
    return [row for row in rows if _is_sound(row)]


def _is_sound(row: Row) -> bool:
    """Whether it can be worked with: a file may hold anything."""
    numbers = isinstance(row.example_id, int) and isinstance(row.weight, int | float)
    return numbers and all(isinstance(one, str) for one in (row.prompt, row.completion, row.split))


def _check_disk(expected: Forecast, settings: Settings) -> None:
    free = machine(settings.home).disk
    if free is not None and free < expected.disk:
        raise HomeError(
            f"A fine-tune needs about {expected.disk / 1e6:.0f} MB on the disk of {settings.home}, and "
            f"{free / 1e6:.0f} MB are free. Free some space, then press Continue."
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
