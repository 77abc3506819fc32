"""What services tell of their limits in the headers of an answer, taken over into what is known of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from zega_core.providers.limits import DAY, Limit, Usage, added, current


def learn(usage: Usage, limits: Sequence[Limit], now: float, headers: Mapping[str, str], *, scope: str = "") -> Usage:
    """Take over what ``x-ratelimit-*`` headers tell: how large a limit is, and that others use the same key.

    Groq, OpenAI and those who follow them send limit-, remaining- and reset- for requests and tokens without saying
    of which length of time. A reset that lies further ahead than a minute belongs to the day.
    """
    windows, amounts = dict(usage.windows), dict(usage.amounts)
    for kind in ("requests", "tokens"):
        told, left, reset = (_told(headers, part, kind) for part in ("limit", "remaining", "reset"))
        if told is None or told < 1:
            continue
        limit = _meant(limits, kind, told, left, reset, amounts) or _new(kind, told, left, reset, scope)
        if limit is None:
            continue
        amounts[limit.key] = int(told)
        slots = current(windows.get(limit.key, []), limit, now)
        unseen = told - left - sum(amount for _, amount in slots) if left is not None else 0
        windows[limit.key] = added(slots, limit, unseen, now) if unseen > 0 else slots
    return replace(usage, windows=windows, amounts=amounts)


def known(usage: Usage, limits: Sequence[Limit], scope: str) -> list[Limit]:
    """The limits that hold for a model: those given, and those of which only the service has told."""
    mine = {limit.key for limit in limits}
    told = [key for key in usage.amounts if key not in mine and key.partition("/")[2] == scope]
    return [*limits, *(Limit(key.partition("/")[0], usage.amounts[key], scope) for key in told)]


def _meant(
    limits: Sequence[Limit],
    kind: str,
    told: float,
    left: float | None,
    reset: float | None,
    amounts: Mapping[str, int],
) -> Limit | None:
    """Which of our limits a header speaks of: the one it has told before, else by the time until it is full again
    (what is missing of it, refilled evenly over its length), else the one nearest in size."""
    mine = [limit for limit in limits if limit.name.startswith(kind)]
    for limit in mine:
        if amounts.get(limit.key) == told:
            return limit
    if reset is not None and left is not None and told > left:
        length = reset * told / (told - left)
        return min(mine, key=lambda limit: abs(length - limit.seconds), default=None)
    return min(mine, key=lambda limit: abs(limit.amount - told), default=None)


def _new(kind: str, told: float, left: float | None, reset: float | None, scope: str) -> Limit | None:
    """A limit that only the service knows of: of the minute or the day, by the time until it is full again."""
    if reset is None or left is None or told <= left:
        return None
    length = "day" if reset * told / (told - left) > 3600 else "minute"
    return Limit(f"{kind}_per_{length}", int(told), scope)


def _told(headers: Mapping[str, str], part: str, kind: str) -> float | None:
    value = headers.get(f"x-ratelimit-{part}-{kind}", "").strip()
    return _duration(value) if part == "reset" else _number(value)


def _number(value: str) -> float | None:
    return float(value) if re.fullmatch(r"\d{1,12}(\.\d+)?", value) else None


def _duration(value: str) -> float | None:
    """Seconds of "2m59.56s", "7.66s", "120ms", "1h2m" or a plain number."""
    if _number(value) is not None:
        return float(value)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        return None
    return sum(float(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": DAY}[unit] for number, unit in parts)
