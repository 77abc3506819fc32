"""Training that begins by itself, and what there is to tell of it, in a writer's words. Pure: values in, sentences
out."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any, TypedDict

from pydantic import ValidationError

from zega_core import fine_tune_words, triggers
from zega_core.analytics import in_words, plural
from zega_core.configs import TriggerConfig, checked
from zega_core.errors import InvalidInput
from zega_core.proof_tables import Proof
from zega_core.tables import RunStatus
from zega_core.triggers import Due, NextUp
from zega_core.version_tables import FineTune

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SCHEDULES = {"off": "Off", "daily": "Every day", "weekly": "Every week"}
PAGE = "fine_tune.py"
REFUSALS = {
    "pairs": "That is a whole number from 5 to 10,000. Leave the field empty for the usual one.",
    "at": "A time is hours and minutes, such as 03:00.",
    "least_hours": "Between two trainings lie 0 to 2,160 hours.",
    "least_score": "A score is from 0 to 10.",
    "least_variety": "Genres and elements are 12 at most.",
    "least_own_share": "A share is from 0 to 100 %.",
}
AFTER = {
    "session": "Auto-Train is writing; training begins when it has ended.",
    "proof": "The newest version is being proved; training begins after that.",
}


class Notice(TypedDict):
    """What ``notices.note`` takes."""

    kind: str
    key: str
    text: str
    page: str


def changed(config: TriggerConfig, **values: Any) -> TriggerConfig:
    """``config`` with other values; raises InvalidInput with a sentence for the writer."""
    try:
        return checked(TriggerConfig, **{**dict(config), **values})
    except InvalidInput as error:
        cause = error.__cause__
        first = cause.errors()[0] if isinstance(cause, ValidationError) else None
        if first is None or first["type"] == "value_error" or not first["loc"]:
            raise
        raise InvalidInput(REFUSALS.get(str(first["loc"][0]), str(error))) from error


def because(trigger: str, examples: int, answers: int) -> str:
    """Why a fine-tune began, for "ZEGA started it, …"; empty when the writer asked for it. The numbers are what was new
    by then; 0 is not told."""
    if trigger == triggers.PAIRS:
        return f"because you answered {plural(answers, 'question')}" if answers else "because you answered questions"
    if trigger == triggers.SCHEDULE:
        return "by your schedule"
    if trigger == triggers.AUTOMATIC:
        said = f"{plural(examples, 'new example')} {'was' if examples == 1 else 'were'} kept"
        return f"because {said}" if examples else "because enough new examples were kept"
    return ""


def begun(run_id: str, due: Due) -> Notice:
    return Notice(kind="threshold", key=f"begun:{run_id}", text=f"{due.why}: training has begun.", page=PAGE)


def waiting(holds: str, at: datetime) -> Notice:
    """Once a day."""
    return Notice(kind="waiting", key=f"waiting:{at:%Y-%m-%d}", text=f"Training waits: {holds}", page=PAGE)


def ended(row: FineTune) -> Notice | None:
    """Of a fine-tune; nothing where it goes on, or the writer stopped it before it learned anything."""
    if row.status == RunStatus.done and row.version_number is not None:
        text = f"Version {row.version_number} is trained. Whether it is better is found out now."
        return Notice(kind="finished", key=f"trained:{row.run_id}", text=text, page=PAGE)
    if row.status == RunStatus.failed:
        text = f"The fine-tune could not go on: {_sentence(row.error)} Nothing is lost."
        return Notice(kind="failed", key=f"failed:{row.run_id}:{row.attempt}", text=text, page=PAGE)
    return None


def verdict(row: Proof) -> Notice | None:
    """Of a proof; the same verdict again, by another judge, is told once."""
    if row.status == RunStatus.failed:
        text = f"The proof of version {row.version_number} could not go on: {_sentence(row.error)} Nothing is lost."
        return Notice(kind="failed", key=f"failed:{row.run_id}:{row.attempt}", text=text, page=PAGE)
    if row.status != RunStatus.done or row.verdict not in ("better", "worse", "not_shown"):
        return None
    other = "the base model" if row.against is None else f"version {row.against}"
    if row.verdict == "better":
        text = f"Version {row.version_number} is better than {other}"
        text += " and is in use now." if row.promote else "."
    elif row.verdict == "worse":
        text = f"Version {row.version_number} is worse than {other}. What was in use stays in use."
    else:
        text = (
            f"Version {row.version_number} could not be shown to be better than {other}. What was in use stays in use."
        )
    return Notice(kind="verdict", key=f"verdict:{row.run_id}:{row.verdict}", text=text, page=PAGE)


def _sentence(error: str | None) -> str:
    said = (error or "logs/ has the details").strip()
    return said if said.endswith((".", "?")) else f"{said}."


def next_line(found: NextUp, row: FineTune | None, zone: tzinfo) -> str:
    """What will happen, and when. ``row`` is the fine-tune under way, if there is one; ``zone`` is the writer's."""
    if row is not None and found.under_way:
        return _under_way(row)
    if not found.on:
        return "Training by itself is off. Your answers are saved all the same."
    if found.reached:
        return _reached(found, zone)
    said = [f"{found.pairs:,} of {found.goal:,} answers until the next training."] if found.by_pairs else []
    if not found.by_pairs:
        said.append(f"{found.new:,} of {found.every:,} new examples until the next training.")
    if found.scheduled_at is not None:
        said.append(f"Next by schedule: {moment(found.scheduled_at, zone)}.")
    if found.holds:
        said.append(f"It would wait now: {found.holds}")
    return " ".join(said)


def _under_way(row: FineTune) -> str:
    if row.status == RunStatus.queued:
        return "A training waits for its turn."
    if row.status == RunStatus.stopping:
        return "A training is being stopped."
    of, step = fine_tune_words.steps(row), row.step
    if of and isinstance(step, int) and row.phase == "training":
        return f"A training runs: step {min(step, of):,} of {of:,}."
    return f"A training runs: {fine_tune_words.heading(row).lower()}."


def _reached(found: NextUp, zone: tzinfo) -> str:
    if found.holds:
        return f"Training waits: {found.holds}"
    if found.after:
        return AFTER.get(found.after, "Training begins soon.")
    if found.not_before is not None:
        return f"Training begins at {moment(found.not_before, zone)}, so that it is not too soon after the last one."
    return "Training begins within a minute."


def moment(at: datetime, zone: tzinfo) -> str:
    """A day of the coming week and the time on a clock in ``zone``."""
    local = at.astimezone(zone)
    return f"{DAYS[local.weekday()]} {local:%H:%M}"


def ago(at: datetime, now: datetime) -> str:
    """How long since, the way one says it."""
    seconds = max(0.0, (now - at).total_seconds())
    if seconds < 60:
        return "just now"
    if seconds < 86_400:
        return f"{in_words(seconds).removeprefix('about ')} ago"
    days = int(seconds // 86_400)
    return "yesterday" if days == 1 else f"{days} days ago" if days < 14 else f"{at:%d %B %Y}".lstrip("0")


def bell(unseen: int) -> str:
    """What the button of the notifications is called."""
    return f"Notifications, {unseen:,} new" if unseen else "Notifications"
