"""How often a service may be asked: sliding windows over requests and tokens. Pure: state in, state out.

A window holds what was sent in its last ``seconds`` in slots of a 120th of it, and a slot is forgotten only when its
youngest request has left the window, so no window of that length, wherever it begins, ever holds more than the limit
(a token bucket would let twice the limit through around its edge). A limit that a service resets at midnight is
counted from that midnight on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE, DAY = 60, 86_400
SLOTS = 120
TRANSIT = 0.5
"""Seconds that a request may take to reach the service: its clock is not ours."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds to keep away after a 429 that does not say how long: doubled each time, up to the longest."""
HEADROOM_AFTER_RESET = 5.0
"""Seconds after a midnight before it is believed: clocks differ."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``name`` as in the catalog ("tokens_per_minute"), ``scope`` the model it is counted for, empty for all of the
    service. ``resets`` is the time zone at whose midnight a limit of the day ends, empty for the last 24 hours."""

    name: str
    amount: int
    scope: str = ""
    resets: str = ""

    @property
    def key(self) -> str:
        return f"{self.name}/{self.scope}" if self.scope else self.name

    @property
    def seconds(self) -> int:
        return DAY if self.name.endswith("day") else MINUTE

    @property
    def of_tokens(self) -> bool:
        return self.name.startswith("tokens")


@dataclass(frozen=True, slots=True)
class Usage:
    """What is known of one service and key. ``windows`` maps a limit's key to its slots: [begin, amount] pairs in
    order, begin in seconds since 1970. ``amounts`` are limits that the service itself has told."""

    windows: dict[str, list[list[float]]] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    paused_until: float = 0.0
    paused_for_day: bool = False
    strikes: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "windows": self.windows,
            "amounts": self.amounts,
            "paused_until": self.paused_until,
            "paused_for_day": self.paused_for_day,
            "strikes": self.strikes,
        }

    @classmethod
    def read(cls, data: object) -> Usage:
        """From a stored row; whatever is not of the expected shape is left out."""
        if not isinstance(data, Mapping):
            return cls()
        windows, amounts = data.get("windows"), data.get("amounts")
        return cls(
            windows={str(key): _slots(value) for key, value in windows.items()} if isinstance(windows, Mapping) else {},
            amounts={str(key): int(value) for key, value in amounts.items() if _number_in(value) >= 1}
            if isinstance(amounts, Mapping)
            else {},
            paused_until=_number_in(data.get("paused_until")),
            paused_for_day=data.get("paused_for_day") is True,
            strikes=int(_number_in(data.get("strikes"))),
        )


def take(usage: Usage, limits: Sequence[Limit], now: float, tokens: int, requests: int = 1) -> tuple[Usage, float]:
    """Room for ``requests`` of ``tokens`` each: the usage with them counted and 0.0, or unchanged and the seconds
    until there may be room."""
    wait = max(0.0, usage.paused_until - now)
    windows = dict(usage.windows)
    for limit in limits:
        slots = _current(windows.get(limit.key, []), limit, now)
        amount = usage.amounts.get(limit.key, limit.amount)
        wanted = min(amount, requests * tokens if limit.of_tokens else requests)
        wait = max(wait, _wait(slots, limit, amount - wanted, now))
        windows[limit.key] = _added(slots, limit, wanted, now)
    if wait > 0:
        return usage, wait
    return Usage(windows, usage.amounts, 0.0, False, usage.strikes), 0.0


def settle(usage: Usage, limits: Sequence[Limit], now: float, sent_at: float, surplus: float) -> Usage:
    """Give back ``surplus`` tokens of a request sent at ``sent_at`` that needed fewer than were counted. They are
    taken from the oldest slots since then, so what stays counts for longer than it need, never for shorter; a request
    that has left its window gives nothing back."""
    windows = dict(usage.windows)
    for limit in limits:
        if not limit.of_tokens or _end(_slot_of(sent_at, limit), limit) <= now:
            continue
        back, slots = surplus, [list(slot) for slot in windows.get(limit.key, [])]
        for slot in slots:
            if slot[0] >= _slot_of(sent_at, limit):
                given = min(slot[1], back)
                slot[1], back = slot[1] - given, back - given
        windows[limit.key] = slots
    return Usage(windows, usage.amounts, usage.paused_until, usage.paused_for_day, 0)


def give_back(usage: Usage, limits: Sequence[Limit], moment: float, tokens: int, requests: int) -> Usage:
    """Uncount ``requests`` of ``tokens`` each that were taken for ``moment`` and never sent."""
    windows = dict(usage.windows)
    for limit in limits:
        begin, amount = _slot_of(moment, limit), requests * tokens if limit.of_tokens else requests
        windows[limit.key] = [
            [slot, max(0.0, held - amount) if slot == begin else held] for slot, held in windows.get(limit.key, [])
        ]
    return Usage(windows, usage.amounts, usage.paused_until, usage.paused_for_day, usage.strikes)


def pause(usage: Usage, limits: Sequence[Limit], now: float, retry_after: float | None, daily: bool) -> Usage:
    """Keep away after a 429: as long as the service says, else until the day ends, else ever longer."""
    if retry_after is None and daily:
        zone = next((limit.resets for limit in limits if limit.resets), "")
        retry_after = midnight(now, zone, 1) + HEADROOM_AFTER_RESET - now if zone else 3600.0
    if retry_after is None:
        retry_after = min(LONGEST_PAUSE, FIRST_PAUSE * 2**usage.strikes)
    until = max(usage.paused_until, now + retry_after)
    return Usage(usage.windows, usage.amounts, until, daily or usage.paused_for_day, min(usage.strikes + 1, 16))


def learn(usage: Usage, limits: Sequence[Limit], now: float, headers: Mapping[str, str]) -> Usage:
    """Take over what ``x-ratelimit-*`` headers tell: how large a limit is, and that others use the same key.

    Groq, OpenAI and those who follow them send limit-, remaining- and reset- for requests and tokens without saying
    of which length of time. A reset that lies further ahead than a minute belongs to the day.
    """
    windows, amounts = dict(usage.windows), dict(usage.amounts)
    for kind in ("requests", "tokens"):
        told, left, reset = (_told(headers, part, kind) for part in ("limit", "remaining", "reset"))
        if told is None or told < 1:
            continue
        limit = _meant(limits, kind, told, left, reset, amounts)
        if limit is None:
            continue
        amounts[limit.key] = int(told)
        slots = _current(windows.get(limit.key, []), limit, now)
        unseen = told - left - sum(amount for _, amount in slots) if left is not None else 0
        windows[limit.key] = _added(slots, limit, unseen, now) if unseen > 0 else slots
    return Usage(windows, amounts, usage.paused_until, usage.paused_for_day, usage.strikes)


def left_today(usage: Usage, limits: Sequence[Limit], now: float) -> dict[str, int]:
    """What is left of each limit of the day, by the limit's name."""
    left: dict[str, int] = {}
    for limit in limits:
        if limit.seconds == DAY:
            used = sum(amount for _, amount in _current(usage.windows.get(limit.key, []), limit, now))
            left[limit.name] = max(0, int(usage.amounts.get(limit.key, limit.amount) - used))
    return left


def exhausted_until(usage: Usage, limits: Sequence[Limit], now: float) -> float | None:
    """When the used-up limit of the day ends, seconds since 1970; None while there is something left."""
    if usage.paused_for_day and usage.paused_until > now:
        return usage.paused_until
    ends = []
    for limit in limits:
        if limit.seconds == DAY:
            slots = _current(usage.windows.get(limit.key, []), limit, now)
            wait = _wait(slots, limit, usage.amounts.get(limit.key, limit.amount) - 1, now)
            if wait > 0:
                ends.append(now + wait)
    return max(ends, default=None)


def _wait(slots: Sequence[Sequence[float]], limit: Limit, room: float, now: float) -> float:
    """Seconds until no more than ``room`` is in the window."""
    used = sum(amount for _, amount in slots)
    if used <= room:
        return 0.0
    if limit.seconds == DAY and limit.resets:
        return midnight(now, limit.resets, 1) + HEADROOM_AFTER_RESET - now
    for begin, amount in slots:
        used -= amount
        if used <= room:
            return max(0.001, _end(begin, limit) - now)
    return float(limit.seconds)


def _current(slots: Sequence[Sequence[float]], limit: Limit, now: float) -> list[list[float]]:
    """The slots that still count; those from a clock that ran ahead are dropped."""
    if limit.seconds == DAY and limit.resets:
        since = midnight(now - HEADROOM_AFTER_RESET, limit.resets)
        return [list(slot) for slot in slots if since < slot[0] + limit.seconds / SLOTS and slot[0] <= now + MINUTE]
    return [list(slot) for slot in slots if _end(slot[0], limit) > now and slot[0] <= now + MINUTE]


def _added(slots: list[list[float]], limit: Limit, amount: float, now: float) -> list[list[float]]:
    begin = _slot_of(now, limit)
    if slots and slots[-1][0] >= begin:
        return [*slots[:-1], [slots[-1][0], slots[-1][1] + amount]]
    return [*slots, [begin, amount]]


def _slot_of(moment: float, limit: Limit) -> float:
    width = limit.seconds / SLOTS
    return moment // width * width


def _end(begin: float, limit: Limit) -> float:
    return begin + limit.seconds / SLOTS + limit.seconds + TRANSIT


def midnight(moment: float, zone: str, days: int = 0) -> float:
    """The last midnight there, or ``days`` after it."""
    local = datetime.fromtimestamp(moment, ZoneInfo(zone))
    return (local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)).timestamp()


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


def _slots(value: object) -> list[list[float]]:
    if not isinstance(value, list):
        return []
    pairs = [pair for pair in value if isinstance(pair, list) and len(pair) == 2]
    return sorted([_number_in(begin), _number_in(amount)] for begin, amount in pairs)


def _number_in(value: object) -> float:
    """A stored number; 0 for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
        return float(value)
    return 0.0
