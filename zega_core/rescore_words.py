"""Scoring again, in words for a writer."""

from __future__ import annotations

from zega_core.analytics import plural
from zega_core.passes import Outcome, Standing


def outcome_in_words(outcome: Outcome) -> str:
    """What a pass has come to."""
    if not outcome.of:
        return "Nothing to score again: every score is of today's version."
    would = outcome.dry_run
    lines = [f"{plural(outcome.counted, 'piece')} {'would be' if would else ''} scored again".replace("  ", " ")]
    lines[0] += f", {outcome.changed:,} with another score than before."
    if outcome.now_kept or outcome.now_set_aside:
        verb = "would be" if would else "now"
        lines.append(f"{outcome.now_kept:,} {verb} kept, {outcome.now_set_aside:,} {verb} set aside.")
    elif outcome.counted:
        lines.append("None is kept or set aside because of it.")
    if outcome.mean_before is not None and outcome.mean_after is not None:
        lines.append(f"On average {outcome.mean_before:.2f} before, {outcome.mean_after:.2f} after.")
    if outcome.unreadable:
        lines.append(f"{plural(outcome.unreadable, 'piece')} left as before: of a kind that this ZEGA does not know.")
    return " ".join(lines)


def outdated_in_words(standing: Standing) -> str:
    """Why pieces should be scored again; empty when none need be."""
    lines = []
    if standing.interrupted:
        lines.append(f"Scoring again was interrupted after {standing.done:,} of {plural(standing.of, 'piece')}.")
    if standing.older:
        carries = "has a score" if standing.older == 1 else "have scores"
        lines.append(f"{plural(standing.older, 'piece')} {carries} by older rules.")
    if standing.before_taste:
        was = "was" if standing.before_taste == 1 else "were"
        lines.append(f"{plural(standing.before_taste, 'piece')} {was} scored before your taste or threshold changed.")
    return " ".join(lines)
