"""What the process that trains says, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from zega_core import db
from zega_core.settings import Settings
from zega_core.store import fine_tunes, leases
from zega_core.tables import RunStatus
from zega_core.version_tables import FineTune

MOST_NOTES = 50


def unique(notes: Iterable[str]) -> list[str]:
    """Each once, in their order, and not without end."""
    return list(dict.fromkeys(notes))[:MOST_NOTES]


class Reports:
    """Of one attempt."""

    def __init__(self, row: FineTune, settings: Settings) -> None:
        self.row, self.settings = row, settings
        self.notes, self.stored = list(row.notes), row.step  # the last step that is stored

    def store(self, events: list[dict]) -> RunStatus | None:
        """One transaction: proof that the run is still ours, heartbeat, and what was said. The run's status, or None
        when it is not ours any more."""
        values: dict[str, Any] = {}
        metrics: dict[int, dict[str, object]] = {}
        resumed: int | None = None
        for event in events:
            match event.get("event"):
                case "phase":
                    values["phase"] = str(event["phase"])[:16]
                case "start":
                    resumed = int(event["step"])
                    values |= {"step": resumed, "steps": int(event["steps"])}
                    before = _before(event, self.stored)
                    steps = {*before, *metrics}
                    metrics = {step: before.get(step, {}) | metrics.get(step, {}) for step in steps if step <= resumed}
                case "step":
                    values |= {
                        "step": int(event["step"]),
                        "steps": int(event["steps"]),
                        "tokens_per_second": event.get("tokens_per_second"),
                        "seconds_left": event.get("seconds_left"),
                    }
                    names = ("epoch", "loss", "learning_rate", "tokens_per_second")
                    metrics.setdefault(int(event["step"]), {}).update({name: event.get(name) for name in names})
                case "validation":
                    found = {"epoch": event["epoch"], "validation_loss": event["loss"]}
                    metrics.setdefault(int(event["step"]), {}).update(found)
                case "note":
                    self.notes.append(str(event["text"])[:500])
        if self.notes != self.row.notes:
            self.row.notes = self.notes = unique(self.notes)
            values["notes"] = self.notes
        with db.session(self.settings) as session:
            status = leases.holds(session, self.row, **values)
            if status is not None:
                if resumed is not None:
                    fine_tunes.forget_metrics_after(session, self.row, resumed)
                fine_tunes.add_metrics(session, self.row, metrics)
        self.stored = values.get("step", self.stored)
        return status


def _before(start: Mapping[str, Any], stored: int) -> dict[int, dict[str, object]]:
    """Of the steps up to the checkpoint, those that a worker was killed before it could store."""
    each = int(start.get("epochs", 0)) / max(1, int(start["steps"]))
    found: dict[int, dict[str, object]] = {}
    for step, loss in enumerate(start.get("losses", []), 1):
        if step > stored:
            found[step] = {"epoch": round(step * each, 3), "loss": loss}
    for step, loss in start.get("validations", []):
        if step >= stored:
            found.setdefault(step, {}).update({"epoch": round(step * each, 3), "validation_loss": loss})
    return found
