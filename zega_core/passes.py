"""A pass over a writer's pieces that scores them again: as it is stored, and as it is shown."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from zega_core.catalog import load_catalog
from zega_core.quality import QUALITY_VERSION
from zega_core.settings import Settings
from zega_core.store import scores
from zega_core.tables import Taste as TasteRow
from zega_core.taste import Taste, taste_of

SILENT = 15.0
"""Seconds without a batch after which a pass that no worker was asked for counts as interrupted."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass has come to. ``unreadable`` pieces (an element or genre that this ZEGA does not know) are as they
    were and are not in ``counted``. The means, 0..10, are over the pieces that had a score before, so that they can
    be compared; None over nothing. ``from_versions`` counts by the version of the score that the pieces had, "none"
    included."""

    version: int
    everything: bool
    finished: bool
    dry_run: bool
    of: int
    counted: int
    changed: int
    now_kept: int
    now_set_aside: int
    unreadable: int
    mean_before: float | None
    mean_after: float | None
    from_versions: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Progress:
    """A pass as it is stored: what it is for, how far it has come, what came of it."""

    pass_id: float
    version: int
    taste: str
    everything: bool
    of: int
    after: int = 0
    """The highest id that is done."""
    counted: int = 0
    changed: int = 0
    now_kept: int = 0
    now_set_aside: int = 0
    unreadable: int = 0
    scored_before: int = 0
    sum_before: float = 0.0
    sum_after: float = 0.0
    from_versions: dict[str, int] = field(default_factory=dict)
    finished: bool = False
    at: float = 0.0
    """When it was last written, in seconds since 1970."""
    error: str = ""

    @property
    def done(self) -> int:
        return self.counted + self.unreadable

    def outcome(self, dry_run: bool = False) -> Outcome:
        shared = {name: getattr(self, name) for name in Outcome.__dataclass_fields__ if hasattr(self, name)}
        return Outcome(
            **shared,
            dry_run=dry_run,
            mean_before=round(self.sum_before / self.scored_before, 3) if self.scored_before else None,
            mean_after=round(self.sum_after / self.scored_before, 3) if self.scored_before else None,
        )


def read_progress(data: object) -> Progress | None:
    """A stored pass; None where there is none that can be read (another version's)."""
    try:
        return None if data is None else TypeAdapter(Progress).validate_python(data)
    except ValidationError:
        return None


def signature(taste: Taste) -> str:
    """The same for two moments between which nothing that bears on a score has changed in the writer's taste."""
    return blake2b(json.dumps(taste.acting()).encode(), digest_size=8).hexdigest()


def before_taste(session: Session, row: TasteRow, taste: Taste) -> int:
    """How many pieces were scored before the writer's taste became what it is."""
    if row.rescored_at is None or row.updated_at > row.rescored_at:
        return scores.count_before(session, row.user_id, row.updated_at)
    last = read_progress(row.rescore_result)  # a setting, or a change at the very end of the last pass
    changed = last is not None and last.taste != signature(taste)
    return scores.count_before(session, row.user_id, None) if changed else 0


@dataclass(frozen=True, slots=True)
class Standing:
    """For a page: what is outdated, and how a pass stands. ``older`` pieces have a score of another version,
    ``before_taste`` were scored before the writer's taste became what it is; a piece can be both. ``done`` of ``of``
    are done while it is ``under_way``, or when it was ``interrupted``; ``waiting`` means that no worker has begun.
    ``outcome`` is that of the last pass that finished, at ``at``; ``error`` why the last one did not."""

    pieces: int
    older: int
    before_taste: int
    under_way: bool
    waiting: bool
    interrupted: bool
    done: int
    of: int
    outcome: Outcome | None
    at: datetime | None
    error: str

    @property
    def outdated(self) -> bool:
        return bool(self.older or self.before_taste or self.interrupted)


def standing(session: Session, writer_id: str, settings: Settings) -> Standing:
    """How the writer's scores stand now; asks nobody for anything."""
    row = scores.peek(session, writer_id)
    last = read_progress(row.rescore_result)
    asked = scores.waits(row)
    unfinished = last is not None and not last.finished
    begun = last is not None and unfinished and abs(time.time() - last.at) < SILENT
    elements = ["", *(element.key for element in load_catalog().elements)]
    return Standing(
        pieces=scores.count_before(session, writer_id, None),
        older=scores.count_outdated(session, writer_id, QUALITY_VERSION, elements),
        before_taste=before_taste(session, row, taste_of(session, writer_id, settings)),
        under_way=asked or (begun and not (last and last.error)),
        waiting=asked and not begun,
        interrupted=unfinished and not asked and not begun,
        done=last.done if last and unfinished else 0,
        of=last.of if last and unfinished else 0,
        outcome=last.outcome() if last and last.finished else None,
        at=row.rescored_at,
        error=scores.error(row),
    )
