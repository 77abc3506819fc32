"""Numbers and words about runs. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise, takewhile
from statistics import median

SILENT = 15.0
"""Seconds without a heartbeat (there is one every half second) after which a run is said to be silent."""
PAUSE = 15.0
"""Seconds between two pieces from which on it may have been a pause; slow teachers take longer for a piece."""
FEW = 20
"""Below this many pieces a percentage says more than is known; counts are shown instead."""


def share(part: int, whole: int) -> str:
    """A percentage, or plain counts where there are too few for one."""
    return f"{part / whole:.0%}" if whole >= FEW else f"{part} of {whole}"


def pace(moments: Sequence[datetime]) -> float | None:
    """Pieces per second over these moments of storing, since the last pause; None while they tell nothing."""
    newest_first = sorted(moments, reverse=True)
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(newest_first)]
    longest = max(PAUSE, 5 * median(gaps)) if gaps else 0.0
    going = list(takewhile(lambda gap: gap <= longest, gaps))
    return len(going) / sum(going) if len(going) > 1 and sum(going) > 0 else None


def in_words(seconds: float) -> str:
    """A duration the way one says it."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 60:
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    hours = seconds / 3600
    return "about an hour" if hours < 1.25 else f"about {hours:.1f} hours".replace(".0 ", " ")


def took(seconds: float) -> str:
    """A measured duration, exact enough to compare: 3.4 s, 2 min 05 s, 1 h 12 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def per_minute(rate: float) -> str:
    """A pace in pieces per second, in words."""
    return f"{rate:.0f} a second" if rate >= 2 else f"{rate * 60:.0f} a minute"


def no_sign_of_life(heartbeat: datetime | None, at: datetime) -> str | None:
    """What to say of a run under way whose worker has been silent for more than ``SILENT`` seconds."""
    silent = 0.0 if heartbeat is None else (at - heartbeat).total_seconds()
    if silent <= SILENT:
        return None
    since = f"{silent:.0f} seconds" if silent < 60 else in_words(silent)
    return (
        f"Nothing has come from the worker for {since}. Perhaps the disk is full; zega doctor in a terminal says "
        "more. What is written is safe, and the run goes on by itself when it can."
    )


def euros(amount: float) -> str:
    """An amount of money; small ones with as many digits as they need: 0.0031 €, 0.42 €, 12.50 €."""
    if 0 < amount < 0.0001:
        return "under 0.0001 €"
    return f"{amount:.2f} €" if amount >= 0.1 or not amount else f"{amount:.4f} €"


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"
