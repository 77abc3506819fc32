"""What the process of a proof says, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from time import monotonic
from typing import Any

from zega_core import db
from zega_core.catalog import Element, load_catalog
from zega_core.fine_tune.data import bare
from zega_core.pieces import storable
from zega_core.proof.job import SIDES, Job
from zega_core.proof_tables import Proof, ProofText
from zega_core.quality import score
from zega_core.settings import Settings
from zega_core.store import leases, proofs
from zega_core.tables import RunStatus
from zega_core.training_reports import unique

LONGEST = 100_000
"""Characters of a text that are kept."""


class Reports:
    """Of one attempt. What is stored already is not stored again."""

    def __init__(self, row: Proof, texts: Iterable[ProofText], job: Job, settings: Settings) -> None:
        self.row, self.settings = row, settings
        self._prompts = {text.place: text for text in texts}
        self._elements: dict[str, Element] = {one.key: one for one in load_catalog().elements}
        self._written, self._total = set(job.written), 2 * len(self._prompts)
        self._began, self._had = monotonic(), len(self._written)

    def store(self, events: list[dict[str, Any]]) -> RunStatus | None:
        """One transaction: proof that the run is still ours, heartbeat, and what was said. The run's status, or None
        when it is not ours any more."""
        values: dict[str, Any] = {}
        texts: list[tuple[int, Any, str, bool, float]] = []
        losses, notes = dict(self.row.losses or {}), list(self.row.notes)
        for event in events:
            side = event.get("side")
            match event.get("event"):
                case "phase":
                    values["phase"] = str(event["phase"])[:16]
                case "text" if side in SIDES and event.get("place") in self._prompts:
                    place, text = event["place"], storable(str(event["text"]))[:LONGEST]
                    if f"{side}:{place}" not in self._written:
                        self._written.add(f"{side}:{place}")
                        texts.append((place, side, text, event.get("ended") is True, self._score(place, text)))
                case "losses" if side in SIDES:
                    losses[side] = {key: [_number(one) for one in event[key]] for key in ("nats", "tokens")}
                case "note":
                    notes.append(storable(str(event["text"]))[:500])
        if texts:
            values["seconds_left"] = self._left()
        values |= {"losses": losses} if losses != (self.row.losses or {}) else {}
        values |= {"notes": unique(notes)} if notes != self.row.notes else {}
        with db.session(self.settings) as session:
            status = leases.holds(session, self.row, done=len(self._written), total=self._total, **values)
            if status is not None:
                for place, side, text, ended, worth in texts:
                    proofs.complete(session, self.row, place, side, text, ended=ended, score=worth)
        self.row.losses, self.row.notes = losses or None, unique(notes)
        return status

    def _score(self, place: int, text: str) -> float:
        """The measured quality score, as Auto-Train has it, without the personal correction: that was fitted to what
        teachers wrote, and a figure that decides must not move with the next rating."""
        asked = self._prompts[place]
        return score(text, bare(asked.prompt), asked.genre, self._elements.get(asked.element)).score

    def _left(self) -> float | None:
        """Seconds, at the pace of this attempt."""
        new = len(self._written) - self._had
        return (monotonic() - self._began) / new * (self._total - len(self._written)) if new else None


def _number(value: object) -> object:
    """None for what PostgreSQL takes for no JSON: a model that is broken has losses that are no numbers."""
    return None if isinstance(value, float) and not isfinite(value) else value
